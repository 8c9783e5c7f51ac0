//! Who is named in an article, and what they are in what happened.

use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::evidence::Evidence;

/// What sort of actor.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumString,
    IntoStaticStr,
    VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum ActorKind {
    /// A state or dependency.
    State,
    /// A part of a state, or disputed land, that news name like an actor (Gaza, Crimea).
    Region,
    /// A people (Kurds, Rohingya).
    People,
    /// Armed forces of a state, or a part of them.
    Force,
    /// Police and intelligence.
    Service,
    /// A ministry.
    Ministry,
    /// An armed group without a state.
    Group,
    /// An armed group that is after money.
    Gang,
    /// An alliance or union of states.
    Alliance,
    /// A body of the United Nations or of several states.
    Agency,
    /// Any other organisation.
    Organisation,
    /// An office that speaks for a state ("Russian foreign minister").
    Office,
}

/// An entry of the dictionary of actors, as far as an article names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Its id in the dictionary: "state.ua".
    pub id: String,
    /// Its English name.
    pub name: String,
    /// What sort.
    pub kind: ActorKind,
    /// ISO 3166-1 alpha-2; `None` if it belongs to no one country.
    pub country: Option<String>,
    /// How often it is named.
    pub mentions: usize,
    /// Where, in order; at most as many as a record keeps.
    pub evidence: Vec<Evidence>,
}

/// What an actor is in what a tag says.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumString,
    IntoStaticStr,
    VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum RoleKind {
    /// Used or threatened force.
    Attacker,
    /// Force was used or threatened against it.
    Target,
    /// Brings others together.
    Mediator,
    /// One of those who agree, talk or act, where no one attacks.
    Party,
    /// Says that somebody did it.
    Accuser,
    /// The side that the victims belong to.
    VictimsSide,
}

/// An actor's role in one tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    /// Which.
    pub role: RoleKind,
    /// Id of the actor.
    pub actor: String,
}

/// How something is said.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumString,
    IntoStaticStr,
    VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum ClaimStatus {
    /// As a fact.
    Reported,
    /// By one who speaks for a side.
    Claimed,
    /// Of somebody, without proof.
    Alleged,
    /// That it did not happen.
    Denied,
    /// That it was tried and did not come about.
    Foiled,
    /// That it will be done to somebody.
    Threatened,
    /// That it will be done.
    Planned,
    /// That it should be done.
    CalledFor,
    /// That it may or might be.
    Hypothetical,
}

/// How a tag is said, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// How.
    pub status: ClaimStatus,
    /// Id of the actor who says so; `None` if no actor of the dictionary does.
    pub by: Option<String>,
}
