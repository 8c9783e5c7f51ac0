//! The rules of one language, read from TOML, checked and made ready to match.
//!
//! The format is described at the top of `config/lexicon/en.toml`. Strict: unknown keys, unknown
//! tags and sets, weights out of range and terms given twice are problems, and all are reported.

use std::collections::{BTreeMap, HashSet};

use cw_text::likeness::hint;
use serde::Deserialize;

use super::matcher::{Matcher, Use};
use super::source::{LexiconProblem, Source};
use super::taxonomy::{FORMAT, TagKind, Taxonomy};
use super::term::expand;

/// Everything known about one language.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// ISO 639 code, lower case.
    pub(super) language: String,
    /// Raised when the meaning of the rules changes.
    pub(super) version: u32,
    /// Words whose full stop ends no sentence, plain.
    pub(super) abbreviations: HashSet<String>,
    /// Finds every term.
    pub(super) matcher: Matcher,
    /// Tags that have rules, in file order.
    pub(super) tags: Vec<TagRules>,
    /// In file order.
    pub(super) combinations: Vec<Combination>,
    /// In file order.
    pub(super) domains: Vec<Domain>,
    /// Flags of the masks, by mask; `None` if a mask only hides.
    pub(super) masks: Vec<Option<String>>,
    /// In file order.
    pub(super) cues: Vec<Cue>,
    /// How many sets there are; sets are known by number.
    pub(super) sets: usize,
    /// What happens to some tags under a veto.
    pub(super) veto: Veto,
}

impl Lexicon {
    /// Whether it has any reason why a text may only look like conflict.
    pub(super) fn knows_flags(&self) -> bool {
        !self.cues.is_empty() || !self.domains.is_empty() || self.masks.iter().any(Option::is_some)
    }
}

/// One tag as far as rules go.
#[derive(Debug)]
pub(super) struct TagRules {
    /// The tag.
    pub(super) kind: TagKind,
    /// Sets of which one must match somewhere in the article; empty if none need.
    pub(super) needs: Vec<usize>,
    /// Whether a negation before a term takes it away.
    pub(super) negation: Negation,
}

/// What a denial does to a tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Negation {
    /// A negated term does not count.
    #[default]
    Counts,
    /// The tag is about saying no (rejected talks), so it does.
    Ignored,
}

/// Words near each other that together speak for a tag.
#[derive(Debug)]
pub(super) struct Combination {
    /// Index into `Lexicon::tags`.
    pub(super) tag: usize,
    /// Its number among everything written, for telling repetitions.
    pub(super) written: usize,
    /// What it is worth, between 0 and 1.
    pub(super) weight: f64,
    /// The sets; the first is the anchor.
    pub(super) all: Vec<usize>,
    /// Most words between the anchor and each of the others.
    pub(super) within: usize,
    /// In which order.
    pub(super) order: Order,
    /// Sets that must not match in the same sentence.
    pub(super) without: Vec<usize>,
}

/// In which order the parts of a combination may stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// Any.
    #[default]
    Any,
    /// The anchor comes first.
    AnchorFirst,
}

/// A subject that borrows the words of war.
#[derive(Debug)]
pub(super) struct Domain {
    /// The flag it raises.
    pub(super) flag: String,
    /// Least score of its own terms for a veto, 0 to 1.
    pub(super) threshold: f64,
    /// It vetoes when its points are at least this many times those of conflict.
    pub(super) ratio: f64,
    /// What becomes of the casualties of an article it vetoes.
    pub(super) casualties: Kept,
}

/// Whether something is told in spite of a veto.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kept {
    /// An earthquake has casualties.
    #[default]
    Kept,
    /// Players who are injured are not.
    Dropped,
}

/// Words near a term that change what it says.
#[derive(Debug)]
pub(super) struct Cue {
    /// The flag it raises.
    pub(super) flag: String,
    /// What it does to the term.
    pub(super) effect: Effect,
    /// How many words may stand between the cue and a term after it.
    pub(super) before: Option<usize>,
    /// How many words may stand between a term and the cue after it.
    pub(super) after: Option<usize>,
    /// How far it reaches at most.
    pub(super) reach: Reach,
}

/// What a cue does to the score of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Effect {
    /// The term says the opposite: no score.
    Negates,
    /// The term speaks of something else than now: half its points.
    Halves,
    /// Only the flag.
    Flags,
}

/// How far a cue reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reach {
    /// Not past a comma.
    Clause,
    /// To the end of the sentence.
    #[default]
    Sentence,
}

/// Tags that a veto does not take if they are sure enough.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Veto {
    /// Ids, or the first part of ids.
    pub(super) resisting: Vec<String>,
    /// Least score with which they resist.
    pub(super) bar: f64,
}

impl Veto {
    /// Whether a tag of this id and score stands against a veto.
    pub(super) fn resists(&self, id: &str, score: f64) -> bool {
        let named = |name: &String| {
            id.strip_prefix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        score >= self.bar && self.resisting.iter().any(named)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLexicon {
    format: u32,
    language: String,
    version: u32,
    #[serde(default)]
    abbreviations: Vec<String>,
    veto: Veto,
    #[serde(default)]
    sets: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    tag: Vec<RawTagRules>,
    #[serde(default)]
    mask: Vec<RawMask>,
    #[serde(default)]
    domain: Vec<RawDomain>,
    #[serde(default)]
    cue: Vec<RawCue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTagRules {
    id: String,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    negation: Negation,
    #[serde(default)]
    terms: Vec<RawTerms>,
    #[serde(default)]
    combinations: Vec<RawCombination>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTerms {
    weight: f64,
    any: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCombination {
    weight: f64,
    all: Vec<RawPart>,
    within: usize,
    #[serde(default)]
    order: Order,
    #[serde(default)]
    without: Vec<String>,
}

/// "@name", a term, or a list of terms.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RawPart {
    One(String),
    Any(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMask {
    flag: Option<String>,
    terms: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDomain {
    flag: String,
    threshold: f64,
    ratio: f64,
    #[serde(default)]
    casualties: Kept,
    terms: Vec<RawTerms>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCue {
    flag: String,
    effect: Effect,
    before: Option<usize>,
    after: Option<usize>,
    #[serde(default)]
    reach: Reach,
    terms: Vec<String>,
}

impl Lexicon {
    /// Reads and compiles a lexicon.
    ///
    /// # Errors
    /// Every problem at once.
    pub(super) fn read(source: &Source, taxonomy: &Taxonomy) -> Result<Self, Vec<LexiconProblem>> {
        let raw: RawLexicon =
            toml::from_str(&source.text).map_err(|err| vec![source.problem(&err.to_string())])?;
        let mut compiler = Compiler::default();
        compiler.check_head(&raw);
        let veto = raw.veto;
        for name in &veto.resisting {
            let known = taxonomy.ids().any(|id| id == name);
            compiler.report((!known).then(|| {
                let hint = hint(name, taxonomy.ids());
                format!("veto.resisting: no tag \"{name}\" in the taxonomy{hint}")
            }));
        }
        compiler.check_share("veto.bar", veto.bar);
        compiler.add_sets(&raw.sets);
        let mut tags = Vec::new();
        let mut combinations = Vec::new();
        for rules in raw.tag {
            compiler.add_tag(&rules, taxonomy, &mut tags, &mut combinations);
        }
        let masks = raw.mask.into_iter().enumerate().map(|(index, mask)| {
            compiler.add_terms("mask", &mask.terms, Use::Mask(index));
            mask.flag
        });
        let masks = masks.collect();
        let domains = raw
            .domain
            .into_iter()
            .enumerate()
            .map(|(index, domain)| compiler.add_domain(index, domain));
        let domains = domains.collect();
        let cues = raw.cue.into_iter().enumerate().map(|(index, cue)| compiler.add_cue(index, cue));
        let cues = cues.collect();
        let (matcher, sets) = match compiler.finish() {
            Ok(ready) => ready,
            Err(details) => {
                return Err(details.iter().map(|detail| source.problem(detail)).collect());
            }
        };
        let plain = |word: &String| super::segment::plain_term(word).trim().to_owned();
        Ok(Self {
            language: raw.language,
            version: raw.version,
            abbreviations: raw.abbreviations.iter().map(plain).collect(),
            matcher,
            tags,
            combinations,
            domains,
            masks,
            cues,
            sets,
            veto,
        })
    }
}

/// Collects phrases, their uses, and what is wrong.
#[derive(Default)]
struct Compiler {
    phrases: BTreeMap<String, Vec<Use>>,
    sets: BTreeMap<String, usize>,
    set_count: usize,
    written: usize,
    problems: Vec<String>,
}

impl Compiler {
    fn report(&mut self, problem: Option<String>) {
        self.problems.extend(problem);
    }

    fn check_head(&mut self, raw: &RawLexicon) {
        self.report(
            (raw.format != FORMAT)
                .then(|| format!("format: {} is not known; use {FORMAT}", raw.format)),
        );
        let code = |byte: u8| byte.is_ascii_lowercase();
        let is_code = (2..=3).contains(&raw.language.len()) && raw.language.bytes().all(code);
        self.report((!is_code).then(|| {
            format!("language: \"{}\" is not an ISO 639 code; use one like \"en\"", raw.language)
        }));
    }

    /// Weights, scores and shares lie strictly between 0 and 1: a 1 could never be outweighed.
    fn check_share(&mut self, key: &str, value: f64) {
        self.report(
            (!(value > 0.0 && value < 1.0))
                .then(|| format!("{key}: {value} is not between 0 and 1")),
        );
    }

    fn add_sets(&mut self, sets: &BTreeMap<String, Vec<String>>) {
        for (name, terms) in sets {
            let number = self.new_set(&format!("sets.{name}"), terms);
            self.sets.insert(name.clone(), number);
        }
    }

    fn add_terms(&mut self, key: &str, terms: &[String], purpose: Use) {
        self.report(terms.is_empty().then(|| format!("{key}: no terms")));
        for term in terms {
            let phrases = match expand(term) {
                Ok(phrases) => phrases,
                Err(detail) => {
                    self.problems.push(format!("{key}: {detail}"));
                    continue;
                }
            };
            for phrase in phrases {
                let uses = self.phrases.entry(phrase.clone()).or_default();
                if uses.iter().any(|known| known.serves_the_same_as(&purpose)) {
                    self.problems.push(format!("{key}: \"{}\" is given twice", phrase.trim()));
                } else {
                    uses.push(purpose);
                }
            }
        }
    }

    /// A new set without a name.
    fn new_set(&mut self, key: &str, terms: &[String]) -> usize {
        let number = self.set_count;
        self.set_count += 1;
        self.add_terms(key, terms, Use::Set(number));
        number
    }

    /// The number of a set written as "@name", or of a new one for a bare term.
    fn set(&mut self, key: &str, part: &str) -> usize {
        let Some(name) = part.strip_prefix('@') else {
            return self.new_set(key, &[part.to_owned()]);
        };
        let known = self.sets.get(name).copied();
        let names = self.sets.keys().map(String::as_str);
        let unknown = || format!("{key}: there is no set \"{name}\"{}", hint(name, names));
        let problem = known.is_none().then(unknown);
        self.report(problem);
        known.unwrap_or_default()
    }

    fn sets(&mut self, key: &str, parts: &[String]) -> Vec<usize> {
        parts.iter().map(|part| self.set(key, part)).collect()
    }

    fn add_tag(
        &mut self,
        raw: &RawTagRules,
        taxonomy: &Taxonomy,
        tags: &mut Vec<TagRules>,
        combinations: &mut Vec<Combination>,
    ) {
        let key = format!("tag \"{}\"", raw.id);
        let Some(kind) = taxonomy.tag(&raw.id) else {
            let hint = hint(&raw.id, taxonomy.ids());
            self.problems.push(format!("{key}: not in the taxonomy{hint}"));
            return;
        };
        let twice = tags.iter().any(|tag| tag.kind.id == kind.id);
        self.report(twice.then(|| format!("{key} is given twice; put its rules together")));
        let tag = tags.len();
        let needs = self.sets(&key, &raw.needs);
        tags.push(TagRules { kind: kind.clone(), needs, negation: raw.negation });
        for terms in &raw.terms {
            self.check_share(&key, terms.weight);
            let weight = terms.weight;
            for term in &terms.any {
                self.written += 1;
                let purpose = Use::Term { tag, written: self.written, weight };
                self.add_terms(&key, std::slice::from_ref(term), purpose);
            }
        }
        for combination in &raw.combinations {
            self.check_share(&key, combination.weight);
            self.report(
                (combination.all.len() < 2)
                    .then(|| format!("{key}: a combination needs at least two parts in \"all\"")),
            );
            let parts = combination.all.iter().map(|part| match part {
                RawPart::One(part) => self.set(&key, part),
                RawPart::Any(terms) => self.new_set(&key, terms),
            });
            let all = parts.collect();
            let without = self.sets(&key, &combination.without);
            self.written += 1;
            combinations.push(Combination {
                tag,
                written: self.written,
                weight: combination.weight,
                all,
                within: combination.within,
                order: combination.order,
                without,
            });
        }
    }

    fn add_domain(&mut self, index: usize, raw: RawDomain) -> Domain {
        let key = format!("domain \"{}\"", raw.flag);
        self.check_share(&key, raw.threshold);
        self.report(
            (raw.ratio.is_nan() || raw.ratio <= 0.0)
                .then(|| format!("{key}: ratio must be above 0")),
        );
        for terms in &raw.terms {
            self.check_share(&key, terms.weight);
            let weight = terms.weight;
            for term in &terms.any {
                self.written += 1;
                let purpose = Use::Domain { domain: index, written: self.written, weight };
                self.add_terms(&key, std::slice::from_ref(term), purpose);
            }
        }
        Domain {
            flag: raw.flag,
            threshold: raw.threshold,
            ratio: raw.ratio,
            casualties: raw.casualties,
        }
    }

    fn add_cue(&mut self, index: usize, raw: RawCue) -> Cue {
        let key = format!("cue \"{}\"", raw.flag);
        self.report(
            (raw.before.is_none() && raw.after.is_none())
                .then(|| format!("{key}: give \"before\", \"after\" or both, in words")),
        );
        self.add_terms(&key, &raw.terms, Use::Cue(index));
        Cue {
            flag: raw.flag,
            effect: raw.effect,
            before: raw.before,
            after: raw.after,
            reach: raw.reach,
        }
    }

    fn finish(mut self) -> Result<(Matcher, usize), Vec<String>> {
        self.report(self.phrases.is_empty().then(|| "there are no terms".to_owned()));
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let matcher = Matcher::new(self.phrases).map_err(|error| vec![error.to_string()])?;
        Ok((matcher, self.set_count))
    }
}
