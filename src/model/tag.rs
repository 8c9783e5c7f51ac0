//! What an article says about conflict, and the words that say so.

/// A tag's id in the taxonomy: `strike.air`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagId(pub std::sync::Arc<str>);

impl TagId {
    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which text of an article a span lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The headline.
    Title,
    /// The teaser.
    Summary,
    /// The full text.
    Body,
}

/// The span of text a piece of coding rests on.
///
/// Units: offsets count Unicode code points from the start of the field; `end` is exclusive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// Where.
    pub field: Field,
    /// First code point.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// The words themselves: exactly `field[start..end]`.
    pub text: String,
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
    pub label: String,
    /// How sure the rules are, 0 to 1. Not a probability until a model calibrates it.
    pub score: f64,
    /// Nearest public codes.
    pub related: Related,
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

/// How many, of what, in which scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Casualties {
    /// What happened to them.
    pub kind: CasualtyKind,
    /// At least this many; `None` if only an upper bound is given.
    pub low: Option<u64>,
    /// At most this many; `None` if only a lower bound is given.
    pub high: Option<u64>,
    /// What the number counts.
    pub scope: CasualtyScope,
    /// The words, never empty.
    pub evidence: Vec<Evidence>,
}

/// Everything an article says about conflict.
#[derive(Clone, Debug, PartialEq)]
pub struct Coding {
    /// Some tag that is not vetoed scores at least the threshold.
    pub relevant: bool,
    /// Tags at or over the threshold, best first, ties by id.
    pub tags: Vec<Tag>,
    /// In order of appearance. `None`: nobody looked; there is no grammar of casualties for the
    /// language, or the text is of a domain in which they are not read.
    pub casualties: Option<Vec<Casualties>>,
    /// Why it may only look like conflict ("sport", "negated"), sorted, each once. `None`: nobody
    /// looked; the lexicon knows no such reason.
    pub flags: Option<Vec<String>>,
    /// Name and digest of the lexicon that produced this ("en/1 3f2a…").
    pub lexicon: String,
}
