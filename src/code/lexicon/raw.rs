//! What a file of a lexicon may hold, key by key. `config/lexicon/README.md` describes it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::parts::{Kept, Negation, Order, Place, Reach, Veto};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLexicon {
    pub(super) format: u32,
    pub(super) language: String,
    pub(super) version: Option<u32>,
    #[serde(default)]
    pub(super) abbreviations: Vec<String>,
    pub(super) veto: Option<Veto>,
    #[serde(default)]
    pub(super) force_nouns: Vec<String>,
    #[serde(default)]
    pub(super) sets: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(super) tag: Vec<RawTagRules>,
    #[serde(default)]
    pub(super) mask: Vec<RawMask>,
    #[serde(default)]
    pub(super) domain: Vec<RawDomain>,
    #[serde(default)]
    pub(super) cue: Vec<RawCue>,
    #[serde(default)]
    pub(super) role: Vec<RawRole>,
    #[serde(default)]
    pub(super) frame: Vec<RawFrame>,
    pub(super) particles: Option<RawParticles>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTagRules {
    pub(super) id: String,
    #[serde(default)]
    pub(super) needs: Vec<String>,
    #[serde(default)]
    pub(super) without: Vec<String>,
    #[serde(default)]
    pub(super) negation: Negation,
    #[serde(default)]
    pub(super) terms: Vec<RawTerms>,
    #[serde(default)]
    pub(super) combinations: Vec<RawCombination>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTerms {
    pub(super) weight: f64,
    pub(super) any: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCombination {
    pub(super) weight: f64,
    pub(super) all: Vec<RawPart>,
    pub(super) within: usize,
    #[serde(default)]
    pub(super) order: Order,
    #[serde(default)]
    pub(super) without: Vec<String>,
    #[serde(default)]
    pub(super) not_between: Vec<String>,
}

/// A part, or a list of terms of which one is. A part is `@set`, or a term; `attacker:@set` says what
/// the actor is; a `?` at the end says that the part may be missing.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawPart {
    One(String),
    Any(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMask {
    pub(super) flag: Option<String>,
    pub(super) terms: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDomain {
    pub(super) flag: String,
    pub(super) threshold: f64,
    pub(super) ratio: f64,
    #[serde(default)]
    pub(super) casualties: Kept,
    pub(super) terms: Vec<RawTerms>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCue {
    pub(super) flag: Option<String>,
    pub(super) effect: RawEffect,
    pub(super) claim: Option<String>,
    pub(super) before: Option<usize>,
    pub(super) after: Option<usize>,
    #[serde(default)]
    pub(super) reach: Reach,
    pub(super) speaker: Option<RawSpeaker>,
    pub(super) terms: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawEffect {
    Negates,
    Halves,
    Flags,
    Claims,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSpeaker {
    pub(super) place: Place,
    pub(super) within: usize,
    #[serde(default)]
    pub(super) required: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFrame {
    pub(super) tags: Vec<String>,
    pub(super) subject: Option<String>,
    pub(super) object: Option<String>,
    pub(super) beside: Option<String>,
    pub(super) subjects: String,
    pub(super) objects: String,
    #[serde(default)]
    pub(super) verbs: Vec<String>,
    #[serde(default)]
    pub(super) suffered: Vec<String>,
    #[serde(default)]
    pub(super) nouns: Vec<String>,
    #[serde(default)]
    pub(super) onto: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawParticles {
    pub(super) agent: Vec<String>,
    pub(super) beside: Vec<String>,
    pub(super) led: Vec<String>,
    pub(super) articles: Vec<String>,
    pub(super) joins: Vec<String>,
    pub(super) said: Vec<String>,
    pub(super) own: Vec<String>,
    pub(super) accuses: Vec<String>,
    pub(super) accused: Vec<String>,
    pub(super) be: Vec<String>,
    pub(super) participles: Vec<String>,
    pub(super) after_participle: Vec<String>,
    pub(super) breaks: Vec<String>,
    pub(super) backed: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRole {
    pub(super) role: String,
    pub(super) tags: Vec<String>,
    pub(super) actors: String,
    pub(super) place: Place,
    #[serde(default)]
    pub(super) within: usize,
    pub(super) after: Option<String>,
    #[serde(default)]
    pub(super) not_between: Vec<String>,
}
