//! What an article says about armed conflict, in wire form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::open_names;
use crate::actor::{Actor, ActorKind, Claim, ClaimStatus, Role, RoleKind};
use crate::evidence::{Evidence, Field};
use crate::place::{Place, PlaceKind};
use crate::tag::{Casualties, CasualtyKind, CasualtyScope, CasualtySide, Coding, Tag};

/// What an article says about armed conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordConflict {
    /// Whether `score` reaches the threshold; without a score, whether some tag that is not vetoed does.
    pub relevant: bool,
    /// How likely it is that the article is about armed conflict: a calibrated probability. Null: nobody
    /// looked; there is no model for its language.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: Option<f64>,
    /// Subjects, best first.
    pub tags: Vec<RecordTag>,
    /// Who is named, most often named first. Null: nobody looked; there is no dictionary of actors for
    /// its language.
    pub actors: Option<Vec<RecordActor>>,
    /// Which places are named: where it happened first, then the most often named. Null: nobody looked.
    pub places: Option<Vec<RecordPlace>>,
    /// How many, in order of appearance. Null: nobody looked; numbers of casualties cannot be read
    /// in its language, or the text is of a kind in which they are not read (`flags` says which).
    pub casualties: Option<Vec<RecordCasualties>>,
    /// Why some of its words may only look like conflict: "sport", "labour", "negated", "historical", …
    /// An article with flags may be relevant by its other words, as that of a bombing which nobody
    /// claimed is ("negated"): `relevant` decides. Empty: for no reason. Null: nobody looked; the lexicon
    /// of its language knows no such reason.
    pub flags: Option<Vec<String>>,
    /// The lexicon that produced this: language, version and digest.
    pub lexicon: String,
}

/// One subject from the taxonomy, with the words that say so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordTag {
    /// Its id in the taxonomy: "strike.air".
    pub id: String,
    /// Its English label.
    pub label: String,
    /// How sure the rules are, 0 to 1; at least the configured threshold.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: f64,
    /// The nearest codes of public schemes; related, not equivalent.
    pub related: RecordRelated,
    /// How it is said, and by whom. Null: nobody looked; the rules of the language know no claims.
    pub claim: Option<RecordClaim>,
    /// Who is what in it, as far as a sentence makes it plain. Null: nobody looked; there is no
    /// dictionary of actors for the language.
    pub roles: Option<Vec<RecordRole>>,
    /// The words that say so; never empty.
    #[schemars(length(min = 1))]
    pub evidence: Vec<RecordEvidence>,
}

/// An actor of the dictionary that the article names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordActor {
    /// Its id in the dictionary: "state.ua".
    pub id: String,
    /// Its English name.
    pub name: String,
    /// What sort.
    pub kind: RecordActorKind,
    /// ISO 3166-1 alpha-2. Null if it belongs to no one country.
    pub country: Option<String>,
    /// How often it is named.
    pub mentions: u64,
    /// Where; never empty. At most 20 spans.
    #[schemars(length(min = 1))]
    pub evidence: Vec<RecordEvidence>,
}

/// What sort of actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = open_names)]
pub enum RecordActorKind {
    /// A state or dependency.
    State,
    /// A part of a state, or disputed land, that news name like an actor.
    Region,
    /// A people.
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
    /// An office that speaks for a state.
    Office,
    /// One that only a later version knows: read, never written.
    #[serde(other)]
    #[schemars(skip)]
    Other,
}

/// A place that the article names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordPlace {
    /// Its name, mostly in English.
    pub name: String,
    /// Its number at GeoNames. Null if it is not known.
    pub geonames_id: Option<u32>,
    /// ISO 3166-1 alpha-2. Null for what lies in no country, as a sea.
    pub country: Option<String>,
    /// Degrees north, WGS 84.
    #[schemars(range(min = -90.0, max = 90.0))]
    pub lat: f64,
    /// Degrees east, WGS 84.
    #[schemars(range(min = -180.0, max = 180.0))]
    pub lon: f64,
    /// What sort of place.
    pub kind: RecordPlaceKind,
    /// How often it is named.
    pub mentions: u64,
    /// Whether what the article tells happened here. At most one place of an article has it.
    pub primary: bool,
    /// Where it is named; never empty. At most 20 spans.
    #[schemars(length(min = 1))]
    pub evidence: Vec<RecordEvidence>,
}

/// What sort of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = open_names)]
pub enum RecordPlaceKind {
    /// A country or dependency.
    Country,
    /// A part of one, or land that several claim.
    Region,
    /// A town, village or quarter.
    City,
    /// Anything else with a name.
    Other,
    /// One that only a later version knows: read, never written.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// How a tag is said, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordClaim {
    /// How.
    pub status: RecordClaimStatus,
    /// Id of the actor who says so. Null if none of the dictionary does.
    pub by: Option<String>,
}

/// How a tag is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = open_names)]
pub enum RecordClaimStatus {
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
    /// One that only a later version knows: read, never written.
    #[serde(other)]
    #[schemars(skip)]
    Other,
}

/// What an actor is in what a tag says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordRole {
    /// Which.
    pub role: RecordRoleKind,
    /// Id of the actor.
    pub actor: String,
}

/// What an actor can be in what a tag says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = open_names)]
pub enum RecordRoleKind {
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
    /// One that only a later version knows: read, never written.
    #[serde(other)]
    #[schemars(skip)]
    Other,
}

/// The nearest codes of public schemes, as the taxonomy says. Empty: it names none that is near.
/// Null: it has no codes of that scheme at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordRelated {
    /// ACLED sub-event types. Null: the taxonomy has no codes of that scheme.
    pub acled: Option<Vec<String>>,
    /// PLOVER types and modes. Null: the taxonomy has no codes of that scheme.
    pub plover: Option<Vec<String>>,
    /// CAMEO codes. Null: the taxonomy has no codes of that scheme.
    pub cameo: Option<Vec<String>>,
    /// IPTC media topics. Null: the taxonomy has no codes of that scheme.
    pub iptc: Option<Vec<String>>,
    /// GDELT GKG themes. Null: the taxonomy has no codes of that scheme.
    pub gdelt: Option<Vec<String>>,
}

/// A span of text. Offsets count Unicode code points in the named field; `end` is exclusive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordEvidence {
    /// Which field of this record the span lies in.
    pub field: RecordField,
    /// First code point.
    pub start: u64,
    /// One past the last.
    pub end: u64,
    /// The words: exactly the code points from `start` to `end`.
    pub text: String,
}

/// A text field of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = open_names)]
pub enum RecordField {
    /// `title`
    Title,
    /// `summary`
    Summary,
    /// `body`
    Body,
    /// One that only a later version knows: read, never written.
    #[serde(other)]
    #[schemars(skip)]
    Other,
}

/// How many, of what, in which scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordCasualties {
    /// What happened to them.
    pub kind: RecordCasualtyKind,
    /// At least. Null if only an upper bound is given, or no number ("several").
    pub low: Option<u64>,
    /// At most. Null if only a lower bound is given, or no number.
    pub high: Option<u64>,
    /// What the number counts.
    pub scope: RecordCasualtyScope,
    /// Who they were. Absent if the words do not say, or if they were of several sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<RecordCasualtySide>,
    /// The count in which these people are counted too: its place in `casualties`, the first being 1.
    /// Only counts without it may be added up. Absent for a count of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub part_of: Option<u64>,
    /// The older total that this one replaces: its place in `casualties`, the first being 1. The older
    /// one is `part_of` this one. Absent if it replaces none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub supersedes: Option<u64>,
    /// The words; never empty.
    #[schemars(length(min = 1))]
    pub evidence: Vec<RecordEvidence>,
}

/// What happened to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = open_names)]
pub enum RecordCasualtyKind {
    /// Dead.
    Killed,
    /// Hurt.
    Wounded,
    /// Unaccounted for.
    Missing,
    /// Driven from home.
    Displaced,
    /// Held.
    Detained,
    /// One that only a later version knows: read, never written.
    #[serde(other)]
    #[schemars(skip)]
    Other,
}

/// The side of those to whom something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = open_names)]
pub enum RecordCasualtySide {
    /// People who do not fight.
    Civilian,
    /// Soldiers, police and others who serve a state.
    StateForce,
    /// Rebels, militants and others who fight for no state.
    ArmedGroup,
    /// One that only a later version knows: read, never written.
    #[serde(other)]
    #[schemars(skip)]
    Other,
}

/// What a number of casualties counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = open_names)]
pub enum RecordCasualtyScope {
    /// The event the article reports.
    Event,
    /// A new total of an event reported before.
    Update,
    /// A cumulative toll given for context.
    Background,
    /// An event of the past, told again.
    Historical,
    /// Planned, feared, possible.
    Hypothetical,
    /// Said not to have happened.
    Denied,
    /// One that only a later version knows: read, never written.
    #[serde(other)]
    #[schemars(skip)]
    Other,
}

impl From<&Coding> for RecordConflict {
    fn from(coding: &Coding) -> Self {
        Self {
            relevant: coding.relevant,
            score: coding.score,
            tags: coding.tags.iter().map(RecordTag::from).collect(),
            actors: coding.actors.as_ref().map(|all| all.iter().map(RecordActor::from).collect()),
            places: coding.places.as_ref().map(|all| all.iter().map(RecordPlace::from).collect()),
            casualties: coding
                .casualties
                .as_ref()
                .map(|all| all.iter().map(RecordCasualties::from).collect()),
            flags: coding.flags.clone(),
            lexicon: coding.lexicon.clone(),
        }
    }
}

impl From<&Tag> for RecordTag {
    fn from(tag: &Tag) -> Self {
        let related = &tag.related;
        Self {
            id: tag.id.as_str().to_owned(),
            label: tag.label.to_string(),
            score: tag.score,
            related: RecordRelated {
                acled: related.acled.clone(),
                plover: related.plover.clone(),
                cameo: related.cameo.clone(),
                iptc: related.iptc.clone(),
                gdelt: related.gdelt.clone(),
            },
            claim: tag.claim.as_ref().map(RecordClaim::from),
            roles: tag.roles.as_ref().map(|all| all.iter().map(RecordRole::from).collect()),
            evidence: tag.evidence.iter().map(RecordEvidence::from).collect(),
        }
    }
}

impl From<&Actor> for RecordActor {
    fn from(actor: &Actor) -> Self {
        Self {
            id: actor.id.clone(),
            name: actor.name.clone(),
            kind: match actor.kind {
                ActorKind::State => RecordActorKind::State,
                ActorKind::Region => RecordActorKind::Region,
                ActorKind::People => RecordActorKind::People,
                ActorKind::Force => RecordActorKind::Force,
                ActorKind::Service => RecordActorKind::Service,
                ActorKind::Ministry => RecordActorKind::Ministry,
                ActorKind::Group => RecordActorKind::Group,
                ActorKind::Gang => RecordActorKind::Gang,
                ActorKind::Alliance => RecordActorKind::Alliance,
                ActorKind::Agency => RecordActorKind::Agency,
                ActorKind::Organisation => RecordActorKind::Organisation,
                ActorKind::Office => RecordActorKind::Office,
            },
            country: actor.country.clone(),
            mentions: actor.mentions as u64,
            evidence: actor.evidence.iter().map(RecordEvidence::from).collect(),
        }
    }
}

impl From<&Place> for RecordPlace {
    fn from(place: &Place) -> Self {
        Self {
            name: place.name.clone(),
            geonames_id: place.geonames_id,
            country: place.country.clone(),
            lat: place.lat,
            lon: place.lon,
            kind: match place.kind {
                PlaceKind::Country => RecordPlaceKind::Country,
                PlaceKind::Region => RecordPlaceKind::Region,
                PlaceKind::City => RecordPlaceKind::City,
                PlaceKind::Other => RecordPlaceKind::Other,
            },
            mentions: place.mentions as u64,
            primary: place.primary,
            evidence: place.evidence.iter().map(RecordEvidence::from).collect(),
        }
    }
}

impl From<&Claim> for RecordClaim {
    fn from(claim: &Claim) -> Self {
        Self {
            status: match claim.status {
                ClaimStatus::Reported => RecordClaimStatus::Reported,
                ClaimStatus::Claimed => RecordClaimStatus::Claimed,
                ClaimStatus::Alleged => RecordClaimStatus::Alleged,
                ClaimStatus::Denied => RecordClaimStatus::Denied,
                ClaimStatus::Foiled => RecordClaimStatus::Foiled,
                ClaimStatus::Threatened => RecordClaimStatus::Threatened,
                ClaimStatus::Planned => RecordClaimStatus::Planned,
                ClaimStatus::CalledFor => RecordClaimStatus::CalledFor,
                ClaimStatus::Hypothetical => RecordClaimStatus::Hypothetical,
            },
            by: claim.by.clone(),
        }
    }
}

impl From<&Role> for RecordRole {
    fn from(role: &Role) -> Self {
        Self {
            role: match role.role {
                RoleKind::Attacker => RecordRoleKind::Attacker,
                RoleKind::Target => RecordRoleKind::Target,
                RoleKind::Mediator => RecordRoleKind::Mediator,
                RoleKind::Party => RecordRoleKind::Party,
                RoleKind::Accuser => RecordRoleKind::Accuser,
                RoleKind::VictimsSide => RecordRoleKind::VictimsSide,
            },
            actor: role.actor.clone(),
        }
    }
}

impl From<&Evidence> for RecordEvidence {
    fn from(evidence: &Evidence) -> Self {
        Self {
            field: match evidence.field {
                Field::Title => RecordField::Title,
                Field::Summary => RecordField::Summary,
                Field::Body => RecordField::Body,
            },
            start: evidence.start as u64,
            end: evidence.end as u64,
            text: evidence.text.clone(),
        }
    }
}

/// The place of an index, the first being 1.
fn place(index: usize) -> u64 {
    (index as u64).saturating_add(1)
}

impl From<&Casualties> for RecordCasualties {
    fn from(casualties: &Casualties) -> Self {
        Self {
            kind: match casualties.kind {
                CasualtyKind::Killed => RecordCasualtyKind::Killed,
                CasualtyKind::Wounded => RecordCasualtyKind::Wounded,
                CasualtyKind::Missing => RecordCasualtyKind::Missing,
                CasualtyKind::Displaced => RecordCasualtyKind::Displaced,
                CasualtyKind::Detained => RecordCasualtyKind::Detained,
            },
            low: casualties.low,
            high: casualties.high,
            scope: match casualties.scope {
                CasualtyScope::Event => RecordCasualtyScope::Event,
                CasualtyScope::Update => RecordCasualtyScope::Update,
                CasualtyScope::Background => RecordCasualtyScope::Background,
                CasualtyScope::Historical => RecordCasualtyScope::Historical,
                CasualtyScope::Hypothetical => RecordCasualtyScope::Hypothetical,
                CasualtyScope::Denied => RecordCasualtyScope::Denied,
            },
            side: casualties.side.map(|side| match side {
                CasualtySide::Civilian => RecordCasualtySide::Civilian,
                CasualtySide::StateForce => RecordCasualtySide::StateForce,
                CasualtySide::ArmedGroup => RecordCasualtySide::ArmedGroup,
            }),
            part_of: casualties.part_of.map(place),
            supersedes: casualties.supersedes.map(place),
            evidence: casualties.evidence.iter().map(RecordEvidence::from).collect(),
        }
    }
}
