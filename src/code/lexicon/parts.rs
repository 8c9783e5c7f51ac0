//! What a lexicon is made of, once it is read.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use cw_model::{ClaimStatus, RoleKind};
use serde::Deserialize;

use crate::actors::Dictionary;
use crate::bits::Bits;
use crate::matcher::Matcher;
use crate::taxonomy::{TagKind, is_or_is_under};

/// Where something stands that was written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// Which of the files of the language, in the order in which they were given.
    pub(crate) file: usize,
    /// In its text, in bytes.
    pub(crate) span: Range<usize>,
}

/// Everything known about one language.
#[derive(Debug)]
pub(crate) struct Lexicon {
    /// ISO 639 code, lower case.
    pub(crate) language: String,
    /// Raised when the meaning of the rules changes.
    pub(crate) version: u32,
    /// Words whose full stop ends no sentence, plain.
    pub(crate) abbreviations: HashSet<String>,
    /// Finds every term.
    pub(crate) matcher: Matcher,
    /// Tags that have rules, in file order.
    pub(crate) tags: Vec<TagRules>,
    /// In file order.
    pub(crate) combinations: Vec<Combination>,
    /// Of each combination two sets that must be there: most are ruled out by one look at these.
    pub(crate) pairs: Vec<[usize; 2]>,
    /// In file order.
    pub(crate) domains: Vec<Domain>,
    /// In file order.
    pub(crate) masks: Vec<Mask>,
    /// In file order.
    pub(crate) cues: Vec<Cue>,
    /// Where each term and combination stands, by its number among everything written.
    pub(crate) origins: Vec<Origin>,
    /// How many sets there are; sets are known by number.
    pub(crate) sets: usize,
    /// The sets whose matches something asks for besides combinations.
    pub(crate) asked: Bits,
    /// The names of those that have one.
    pub(crate) set_names: BTreeMap<usize, String>,
    /// Named sets, each by the hash of its name: what the words of a text mean, for the model of relevance.
    pub(crate) set_hashes: Vec<(u64, usize)>,
    /// The actors that can be named; `None` if there is no dictionary for the language.
    pub(crate) dictionary: Option<Dictionary>,
    /// For each entry of the dictionary and form of its name, in the order of `dictionary.aliases`: the
    /// sets it belongs to.
    pub(crate) sets_of_aliases: Vec<Vec<usize>>,
    /// The sets that a place belongs to.
    pub(crate) place_sets: Vec<usize>,
    /// The sets that places of `zones` belong to besides.
    pub(crate) zone_sets: Vec<usize>,
    /// Countries with a war, or a war not long past: ISO 3166-1 alpha-2.
    pub(crate) zones: BTreeSet<String>,
    /// The set of nouns that make a force of the people named before them; `None` if there is none.
    pub(crate) force_nouns: Option<ForceNouns>,
    /// In file order.
    pub(crate) roles: Vec<RoleRule>,
    /// In file order.
    pub(crate) frames: Vec<Frame>,
    /// By tag, the frames that speak of it, in the same order.
    pub(crate) frames_by_tag: Vec<Vec<usize>>,
    /// What holds clauses together; `None` if the lexicon does not read clauses.
    pub(crate) particles: Option<Particles>,
    /// What happens to some tags under a veto.
    pub(crate) veto: Veto,
}

impl Lexicon {
    /// The frames that speak of a tag, in file order.
    pub(crate) fn frames_of(&self, tag: usize) -> impl Iterator<Item = &Frame> + Clone {
        let numbers = self.frames_by_tag.get(tag).into_iter().flatten();
        numbers.filter_map(|number| self.frames.get(*number))
    }

    /// Whether it can say how something is said.
    pub(crate) fn knows_claims(&self) -> bool {
        self.cues.iter().any(|cue| matches!(cue.effect, Effect::Claims(_)))
    }

    /// Whether it has any reason why a text may only look like conflict.
    pub(crate) fn knows_flags(&self) -> bool {
        self.cues.iter().any(|cue| cue.flag.is_some())
            || !self.domains.is_empty()
            || self.masks.iter().any(|mask| mask.flag.is_some())
    }
}

/// One tag as far as rules go.
#[derive(Debug)]
pub(crate) struct TagRules {
    /// The tag.
    pub(crate) kind: TagKind,
    /// Sets of which one must match somewhere in the article; empty if none need.
    pub(crate) needs: Vec<usize>,
    /// Sets that must not match in the same sentence.
    pub(crate) without: Vec<usize>,
    /// Whether a negation before a term takes it away.
    pub(crate) negation: Negation,
}

/// What a denial does to a tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Negation {
    /// A negated term does not count.
    #[default]
    Counts,
    /// The tag is about saying no (rejected talks), so it does.
    Ignored,
}

/// Nouns after a people's name ("Ukrainian troops").
#[derive(Debug)]
pub(crate) struct ForceNouns {
    /// The set of the nouns.
    pub(crate) nouns: usize,
    /// The sets that name and noun together belong to.
    pub(crate) belongs_to: Vec<usize>,
}

/// Where an actor stands that has a role in what a tag says.
#[derive(Debug)]
pub(crate) struct RoleRule {
    /// What it is.
    pub(crate) role: RoleKind,
    /// Indexes into `Lexicon::tags`.
    pub(crate) tags: Vec<usize>,
    /// The set that the actor is of.
    pub(crate) actors: usize,
    /// On which side of the words that speak for the tag.
    pub(crate) place: Place,
    /// Most words between the actor and those words.
    pub(crate) within: usize,
    /// A set of which a match must stand right before the actor.
    pub(crate) after: Option<usize>,
    /// Sets that must not match between the two.
    pub(crate) not_between: Vec<usize>,
}

/// Verbs and nouns that say one sort of thing, and what those have for roles who stand around them.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Indexes into `Lexicon::tags`.
    pub(crate) tags: Vec<usize>,
    /// What who does it is.
    pub(crate) subject: Option<RoleKind>,
    /// What who it is done to is.
    pub(crate) object: Option<RoleKind>,
    /// What who stands beside is: "between", "with".
    pub(crate) beside: Option<RoleKind>,
    /// The set that subjects are of.
    pub(crate) subjects: usize,
    /// The set that objects are of.
    pub(crate) objects: usize,
    /// Verbs, in every form that may be active.
    pub(crate) verbs: Option<usize>,
    /// Verbs of which the subject is the one it befalls: "die".
    pub(crate) suffered: Option<usize>,
    /// Nouns: "strike", "talks".
    pub(crate) nouns: Option<usize>,
    /// What leads to the object besides standing after a verb: "on", "against".
    pub(crate) onto: Option<usize>,
}

/// Sets of the little words that hold clauses together.
#[derive(Debug)]
pub(crate) struct Particles {
    /// Lead to who does it: "by".
    pub(crate) agent: usize,
    /// Lead to who takes part: "between", "with".
    pub(crate) beside: usize,
    /// Prepositions: who stands after one is neither subject nor object.
    pub(crate) led: usize,
    /// Between a preposition and a name: "the", "northern".
    pub(crate) articles: usize,
    /// "and".
    pub(crate) joins: usize,
    /// Words of saying: what stands before is not what the rest is about.
    pub(crate) said: usize,
    /// "it", "its forces": who says so is who does it.
    pub(crate) own: usize,
    /// "X accuses Y of".
    pub(crate) accuses: usize,
    /// "Y is accused of".
    pub(crate) accused: usize,
    /// "was": what follows is passive.
    pub(crate) be: usize,
    /// Verbs that are passive if they end their clause or one of `after_participle` follows.
    pub(crate) participles: usize,
    /// "in", "as".
    pub(crate) after_participle: usize,
    /// Begin another clause: "after", "who".
    pub(crate) breaks: usize,
    /// After a name that is not meant itself: "Iran-*backed*".
    pub(crate) backed: usize,
}

impl Particles {
    /// Every set of them.
    pub(crate) fn sets(&self) -> [usize; 14] {
        let Self { agent, beside, led, articles, joins, said, own, .. } = *self;
        let Self { accuses, accused, be, participles, after_participle, breaks, backed, .. } =
            *self;
        [
            agent,
            beside,
            led,
            articles,
            joins,
            said,
            own,
            accuses,
            accused,
            be,
            participles,
            after_participle,
            breaks,
            backed,
        ]
    }
}

/// On which side of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// Before it.
    Before,
    /// After it.
    After,
    /// Where its words begin.
    Inside,
}

/// One part of a combination.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// The set it is of.
    pub(crate) set: usize,
    /// What the actor is that it names.
    pub(crate) role: Option<RoleKind>,
    /// Whether it may be missing.
    pub(crate) need: Need,
}

/// Whether a part may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// It must be there.
    Required,
    /// It may be missing.
    Optional,
}

/// Words near each other that together speak for a tag.
#[derive(Debug)]
pub(crate) struct Combination {
    /// Index into `Lexicon::tags`.
    pub(crate) tag: usize,
    /// Its number among everything written, for telling repetitions.
    pub(crate) written: usize,
    /// What it is worth, between 0 and 1.
    pub(crate) weight: f64,
    /// The parts; the first is the anchor.
    pub(crate) all: Vec<Part>,
    /// The sets of those that must be there, in the same order; as written, the first is the anchor.
    pub(crate) required: Vec<usize>,
    /// Most words between the anchor and each of the others; as written, between one part and the next.
    pub(crate) within: usize,
    /// In which order.
    pub(crate) order: Order,
    /// Sets that must not match in the same sentence.
    pub(crate) without: Vec<usize>,
    /// Sets that must not match between the first part and the last.
    pub(crate) not_between: Vec<usize>,
}

impl Combination {
    /// Every set that it names.
    pub(crate) fn sets(&self) -> impl Iterator<Item = usize> {
        let parts = self.all.iter().map(|part| part.set);
        parts.chain(self.without.iter().chain(&self.not_between).copied())
    }
}

/// In which order the parts of a combination may stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Any.
    #[default]
    Any,
    /// The anchor comes first.
    AnchorFirst,
    /// One after the other.
    AsWritten,
}

/// Phrases that hide what they cover.
#[derive(Debug)]
pub(crate) struct Mask {
    /// The flag it raises; `None` if it only hides.
    pub(crate) flag: Option<String>,
    /// Where it is written.
    pub(crate) origin: Origin,
}

/// A subject that borrows the words of war.
#[derive(Debug)]
pub(crate) struct Domain {
    /// The flag it raises.
    pub(crate) flag: String,
    /// Least score of its own terms for a veto, 0 to 1.
    pub(crate) threshold: f64,
    /// It vetoes when its points are at least this many times those of conflict.
    pub(crate) ratio: f64,
    /// What becomes of the casualties of an article it vetoes.
    pub(crate) casualties: Kept,
    /// Where it is written.
    pub(crate) origin: Origin,
}

/// Whether something is told in spite of a veto.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kept {
    /// An earthquake has casualties.
    #[default]
    Kept,
    /// Players who are injured are not.
    Dropped,
}

/// Words near a term that change what it says.
#[derive(Debug)]
pub(crate) struct Cue {
    /// The flag it raises; `None` if it raises none.
    pub(crate) flag: Option<String>,
    /// What it does to the term.
    pub(crate) effect: Effect,
    /// How many words may stand between the cue and a term after it.
    pub(crate) before: Option<usize>,
    /// How many words may stand between a term and the cue after it.
    pub(crate) after: Option<usize>,
    /// How far it reaches at most.
    pub(crate) reach: Reach,
    /// How far off the actor stands who says so.
    pub(crate) speaker: Option<Speaker>,
    /// Where it is written.
    pub(crate) origin: Origin,
}

/// Who says something, by a cue ("the army *said*", "*according to* Moscow").
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaker {
    /// Most words between the actor and the cue.
    pub(crate) within: usize,
    /// On which side of the cue.
    pub(crate) place: Place,
    /// Whether the cue says nothing without an actor.
    pub(crate) need: Need,
}

/// What a cue does to the score of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The term says the opposite: no score.
    Negates,
    /// The term speaks of something else than now: half its points.
    Halves,
    /// Only the flag.
    Flags,
    /// It is said so, and the flag, if there is one.
    Claims(ClaimStatus),
}

/// How far a cue reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reach {
    /// Not past a comma.
    Clause,
    /// To the end of the sentence.
    #[default]
    Sentence,
}

/// Tags that a veto does not take if they are sure enough.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Veto {
    /// Ids, or the first part of ids.
    pub(crate) resisting: Vec<String>,
    /// Least score with which they resist.
    pub(crate) bar: f64,
}

impl Veto {
    /// Whether a tag of this id and score stands against a veto.
    pub(crate) fn resists(&self, id: &str, score: f64) -> bool {
        score >= self.bar && self.resisting.iter().any(|name| is_or_is_under(id, name))
    }
}
