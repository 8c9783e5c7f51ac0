//! What a file of a lexicon may hold, key by key. `config/lexicon/README.md` describes it.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::parts::{Kept, Negation, Order, Place, Reach, Veto};

/// A text, and where it stands in the file.
pub(super) type Written = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLexicon {
    pub(super) format: u32,
    pub(super) language: String,
    pub(super) version: Option<u32>,
    #[serde(default)]
    pub(super) abbreviations: Vec<String>,
    pub(super) veto: Option<Spanned<Veto>>,
    #[serde(default)]
    pub(super) force_nouns: Vec<Written>,
    #[serde(default)]
    pub(super) zones: Vec<Written>,
    #[serde(default)]
    pub(super) sets: BTreeMap<Written, Vec<Written>>,
    #[serde(default)]
    pub(super) tag: Vec<Spanned<RawTagRules>>,
    #[serde(default)]
    pub(super) mask: Vec<Spanned<RawMask>>,
    #[serde(default)]
    pub(super) domain: Vec<Spanned<RawDomain>>,
    #[serde(default)]
    pub(super) cue: Vec<Spanned<RawCue>>,
    #[serde(default)]
    pub(super) role: Vec<Spanned<RawRole>>,
    #[serde(default)]
    pub(super) frame: Vec<Spanned<RawFrame>>,
    pub(super) particles: Option<Spanned<RawParticles>>,
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
    pub(super) terms: Vec<Spanned<RawTerms>>,
    #[serde(default)]
    pub(super) combinations: Vec<Spanned<RawCombination>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTerms {
    pub(super) weight: f64,
    pub(super) any: Vec<Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCombination {
    pub(super) weight: f64,
    pub(super) all: Vec<Spanned<RawPart>>,
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
#[serde(untagged, expecting = "a part is a text, or a list of texts of which one is")]
pub(super) enum RawPart {
    One(String),
    Any(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMask {
    pub(super) flag: Option<String>,
    pub(super) terms: Vec<Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDomain {
    pub(super) flag: String,
    pub(super) threshold: f64,
    pub(super) ratio: f64,
    #[serde(default)]
    pub(super) casualties: Kept,
    pub(super) terms: Vec<Spanned<RawTerms>>,
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
    pub(super) terms: Vec<Written>,
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
    pub(super) verbs: Vec<Written>,
    #[serde(default)]
    pub(super) suffered: Vec<Written>,
    #[serde(default)]
    pub(super) nouns: Vec<Written>,
    #[serde(default)]
    pub(super) onto: Vec<Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawParticles {
    pub(super) agent: Vec<Written>,
    pub(super) beside: Vec<Written>,
    pub(super) led: Vec<Written>,
    pub(super) articles: Vec<Written>,
    pub(super) joins: Vec<Written>,
    pub(super) said: Vec<Written>,
    pub(super) own: Vec<Written>,
    pub(super) accuses: Vec<Written>,
    pub(super) accused: Vec<Written>,
    pub(super) be: Vec<Written>,
    pub(super) participles: Vec<Written>,
    pub(super) after_participle: Vec<Written>,
    pub(super) breaks: Vec<Written>,
    pub(super) backed: Vec<Written>,
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
