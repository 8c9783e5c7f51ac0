//! What an article says about conflict, and the words that say so.

use crate::actor::{Actor, Claim, Role};
use crate::evidence::Evidence;
use crate::place::Place;

/// A tag's id in the taxonomy: `strike.air`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagId(pub std::sync::Arc<str>);

impl TagId {
    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The nearest codes of public schemes (SKOS `related`, not equivalent). `None`: the taxonomy has no
/// codes of that scheme at all; empty: it names none that is near.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Related {
    /// ACLED sub-event types.
    pub acled: Option<Vec<String>>,
    /// PLOVER types and modes.
    pub plover: Option<Vec<String>>,
    /// CAMEO codes.
    pub cameo: Option<Vec<String>>,
    /// IPTC media topics, `medtop:…`.
    pub iptc: Option<Vec<String>>,
    /// GDELT GKG themes.
    pub gdelt: Option<Vec<String>>,
}

/// One label from the taxonomy put on an article.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    /// Which.
    pub id: TagId,
    /// Its English label.
    pub label: std::sync::Arc<str>,
    /// How sure the rules are, 0 to 1. Not a probability until a model calibrates it.
    pub score: f64,
    /// Nearest public codes.
    pub related: std::sync::Arc<Related>,
    /// How it is said, and by whom. `None`: nobody looked; the pack has no cues of claims.
    pub claim: Option<Claim>,
    /// Who is what in it, as far as a sentence makes it plain; sorted, each once. `None`: nobody
    /// looked; there is no dictionary of actors for the language.
    pub roles: Option<Vec<Role>>,
    /// The words that say so, in order of field and start; never empty.
    pub evidence: Vec<Evidence>,
}

/// What happened to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CasualtyKind {
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
}

/// What a number of casualties is a number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CasualtyScope {
    /// The event the article reports.
    Event,
    /// A new total of an event reported before ("rose to 43 from 38").
    Update,
    /// A cumulative toll given for context ("five years of war have killed …").
    Background,
    /// An event of the past, told again.
    Historical,
    /// Planned, feared, possible.
    Hypothetical,
    /// Said not to have happened.
    Denied,
}

/// The side of those to whom something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CasualtySide {
    /// People who do not fight.
    Civilian,
    /// Soldiers, police and others who serve a state.
    StateForce,
    /// Rebels, militants and others who fight for no state.
    ArmedGroup,
}

/// How many, of what, in which scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Casualties {
    /// What happened to them.
    pub kind: CasualtyKind,
    /// At least this many; `None` if only an upper bound is given, or no number at all ("several").
    pub low: Option<u64>,
    /// At most this many; `None` if only a lower bound is given, or no number at all.
    pub high: Option<u64>,
    /// What the number counts.
    pub scope: CasualtyScope,
    /// Who they were, where all of them were of one side and the words say which.
    pub side: Option<CasualtySide>,
    /// The count in which these are counted too, as an index into the same list.
    pub part_of: Option<usize>,
    /// The older total that this one replaces, as an index into the same list.
    pub supersedes: Option<usize>,
    /// The words, never empty.
    pub evidence: Vec<Evidence>,
}

/// Everything an article says about conflict.
#[derive(Clone, Debug, PartialEq)]
pub struct Coding {
    /// The score is at least the threshold; without a score, some tag that is not vetoed is.
    pub relevant: bool,
    /// How likely it is that the article is about armed conflict, 0 to 1, as the language's model says.
    /// `None`: nobody looked; there is no model for its language.
    pub score: Option<f64>,
    /// Tags at or over the threshold, best first, ties by id; but for tags that stand behind others in the taxonomy.
    pub tags: Vec<Tag>,
    /// Who is named, most often named first, ties by id. `None`: nobody looked; there is no dictionary of
    /// actors for the language.
    pub actors: Option<Vec<Actor>>,
    /// Which places are named: where it happened first, then the most often named. `None`: nobody looked.
    pub places: Option<Vec<Place>>,
    /// In order of appearance. `None`: nobody looked; there is no grammar of casualties for the
    /// language, or the text is of a domain in which they are not read.
    pub casualties: Option<Vec<Casualties>>,
    /// Why it may only look like conflict ("sport", "negated"), sorted, each once. `None`: nobody
    /// looked; the lexicon knows no such reason.
    pub flags: Option<Vec<String>>,
    /// Name and digest of the lexicon that produced this ("en/1 3f2a…").
    pub lexicon: String,
}
