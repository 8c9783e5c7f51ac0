//! Why a text is coded as it is: for an analyst who asks, and nobody else pays for it.
//!
//! `Tagger::explain` codes a text, reads it by the rules once more, and says what each tag rests on, what
//! did not count and why, and how the score came about. What would make it otherwise is not reckoned but
//! tried: each phrase that played a part is left out in its turn, and what remains is coded anew.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use cw_model::{Actor, Coding, Evidence, Field, RoleKind, Steps, Tag, TagId, TooCostly};

use super::cues::near;
use super::features;
use super::gate::Weighed;
use super::lexicon::{Domain, Effect, Lexicon, Origin};
use super::matcher::Use;
use super::rules::{Findings, Lost, Why, round};
use super::segment::Document;
use super::source::Sources;
use super::spans::{Hit, Sorted, overlap, sentence_of};
use super::taxonomy::is_or_is_under;
use super::texts::Texts;

/// Phrases that are left out in turn: a text has few that play a part, and one that has more has no single
/// one that decides.
const PHRASES_TRIED: usize = 60;

/// Reasons that did not count which are told.
const LOST_MAX: usize = 60;

/// Why a text is coded as it is.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What it says.
    pub coding: Coding,
    /// The least score that makes a text relevant, and a tag one that is given (`tag.threshold`).
    pub bar: f64,
    /// Every tag that something speaks for: those that are given first, then by score.
    pub tags: Vec<TagExplained>,
    /// Reasons that did not count, in order of the text.
    pub lost: Vec<LostReason>,
    /// Subjects that borrow the words of war, as far as the text has words of them.
    pub subjects: Vec<Subject>,
    /// What the score is the sum of. `None`: there is no model for the language.
    pub score: Option<ScoreParts>,
    /// Phrases without which it would be otherwise.
    pub flips: Vec<Flip>,
}

/// A rule, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The file, as it is named in problems.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// A term or a combination; of a longer piece the head.
    pub text: String,
}

/// A tag that something speaks for.
#[derive(Clone, Debug)]
pub struct TagExplained {
    /// Which.
    pub id: TagId,
    /// Of the rules, 0 to 1; of the model, if that alone speaks for it.
    pub score: f64,
    /// Whether it is given, and why.
    pub verdict: Verdict,
    /// What counts, best first.
    pub reasons: Vec<Reason>,
    /// Who has which role, with the words that name the actor nearest to a reason.
    pub roles: Vec<(RoleKind, Actor, Option<Evidence>)>,
}

/// Whether a tag is given, and why.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is.
    Given(Given),
    /// Its score is below the bar; one reason more of this weight would do.
    BelowBar {
        /// Between 0 and 1.
        lacking: f64,
    },
    /// Another subject takes it away; by their flags.
    Vetoed(Vec<String>),
    /// A tag under it is given, which says more.
    SaidBy(TagId),
    /// The text as a whole is not relevant.
    NotRelevant,
    /// The model thinks it unlikely in a text like this: so likely.
    Unlikely(f64),
}

/// Who speaks for a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Rules.
    ByRules,
    /// The model alone.
    ByModel,
}

/// Words that speak for a tag.
#[derive(Clone, Debug)]
pub struct Reason {
    /// By which rule.
    pub rule: Rule,
    /// The words.
    pub words: Evidence,
    /// What the rule is worth, between 0 and 1.
    pub weight: f64,
    /// What it comes to here, between 0 and 1: more in a headline, less after the lead, beside a cue that halves,
    /// or when the rule has spoken before.
    pub worth: f64,
    /// The cues that stand near.
    pub cues: Vec<CueFound>,
}

/// A cue, where it was found.
#[derive(Clone, Debug)]
pub struct CueFound {
    /// What it does: "negates", "halves", "flags", or the status of a claim.
    pub effect: &'static str,
    /// The flag it raises, if it raises one.
    pub flag: Option<String>,
    /// Where it is written.
    pub rule: Rule,
    /// The words.
    pub words: Evidence,
}

/// A reason that did not count.
#[derive(Clone, Debug)]
pub struct LostReason {
    /// For which tag.
    pub tag: TagId,
    /// By which rule.
    pub rule: Rule,
    /// The words.
    pub words: Evidence,
    /// Why not.
    pub why: LostWhy,
}

/// Why a reason did not count.
#[derive(Clone, Debug)]
pub enum LostWhy {
    /// None of these sets, which the tag needs, has a word in the text.
    Needs(Vec<String>),
    /// These words stand in the same sentence, which the tag must not stand with.
    Without(Evidence),
    /// A cue says the opposite.
    Negated(CueFound),
    /// A phrase that hides what it covers: by which rule, and the words.
    Masked(Rule, Evidence),
    /// A better reason for the same tag has some of its words.
    Covered,
}

/// A subject that borrows the words of war.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its flag.
    pub flag: String,
    /// Where it is written.
    pub rule: Rule,
    /// Of its own terms, 0 to 1.
    pub score: f64,
    /// The least score for a veto.
    pub bar: f64,
    /// Whether it takes tags away here.
    pub vetoes: bool,
    /// The words.
    pub words: Vec<Evidence>,
}

/// What a score is the sum of. All but the probabilities are log-odds: 0 is even, +1 multiplies the odds by 2.7.
#[derive(Clone, Debug)]
pub struct ScoreParts {
    /// The probability.
    pub probability: f64,
    /// Its log-odds.
    pub sum: f64,
    /// The log-odds of the bar.
    pub bar: f64,
    /// Of every text alike.
    pub base: f64,
    /// By what the words mean on the mean.
    pub meaning: f64,
    /// By the best score of the rules.
    pub rules: f64,
    /// By each word, pair of words and finding of the rules, strongest first.
    pub weights: Vec<Weight>,
    /// How likely it is that the text speaks of each top of the taxonomy, most likely first.
    pub tops: Vec<(String, f64)>,
}

/// What one feature adds.
#[derive(Clone, Debug)]
pub struct Weight {
    /// What it is.
    pub name: String,
    /// In log-odds.
    pub adds: f64,
}

/// What leaving out a phrase would change.
#[derive(Clone, Debug)]
pub struct Flip {
    /// The phrase, each place where it plays a part by itself.
    pub without: Evidence,
    /// Whether the text would be relevant.
    pub relevant: bool,
    /// Its score then. `None`: there is no model for the language.
    pub score: Option<f64>,
    /// Tags that it would have besides.
    pub gained: Vec<TagId>,
}

impl Explanation {
    /// The phrases that play a part, those of what was lost included.
    pub(super) fn phrases(&self) -> Vec<Evidence> {
        let mut phrases = BTreeSet::new();
        for reason in self.tags.iter().flat_map(|tag| &tag.reasons) {
            phrases.insert(&reason.words);
            phrases.extend(reason.cues.iter().map(|cue| &cue.words));
        }
        phrases.extend(self.lost.iter().filter_map(|lost| match &lost.why {
            LostWhy::Negated(cue) => Some(&cue.words),
            LostWhy::Without(words) => Some(words),
            LostWhy::Masked(_, _) | LostWhy::Needs(_) | LostWhy::Covered => None,
        }));
        for subject in self.subjects.iter().filter(|subject| subject.vetoes) {
            phrases.extend(&subject.words);
        }
        phrases.into_iter().take(PHRASES_TRIED).cloned().collect()
    }

    /// Notes what a text says without a phrase, if the verdict is another.
    pub(super) fn add_trial(&mut self, phrase: &Evidence, without: &Coding) {
        let before = &self.coding;
        let is_known =
            |id: &TagId| before.tags.iter().any(|tag| is_or_is_under(tag.id.as_str(), id.as_str()));
        let gained = without.tags.iter().map(|tag| tag.id.clone());
        let gained: Vec<TagId> = gained.filter(|id| !is_known(id)).collect();
        // A tag in the place of one that has lost its words is none gained.
        let is_more = without.tags.len() > before.tags.len() && !gained.is_empty();
        if without.relevant != before.relevant || is_more {
            let (relevant, score) = (without.relevant, without.score);
            self.flips.push(Flip { without: phrase.clone(), relevant, score, gained });
        }
    }
}

/// What an explanation is made of.
pub(super) struct Asked<'a> {
    /// The files of the language.
    pub(super) sources: &'a Sources,
    pub(super) lexicon: &'a Lexicon,
    pub(super) document: &'a Document<'a>,
    pub(super) sorted: &'a Sorted,
    pub(super) findings: &'a Findings,
    /// The model's, and what it looks at; `None` if there is no model.
    pub(super) weighed: Option<&'a Weighed<'a>>,
    /// The least score.
    pub(super) bar: f64,
}

impl Asked<'_> {
    /// Why a text is coded so, but for the flips.
    ///
    /// # Errors
    /// [`TooCostly`] if that takes more steps than are left.
    pub(super) fn explain(&self, coding: Coding, steps: &Steps) -> Result<Explanation, TooCostly> {
        let Self { lexicon, document, findings, .. } = self;
        let score = self.weighed.and_then(|weighed| {
            let names = features::named(document, self.sorted, lexicon, findings);
            score_parts(weighed, &names, self.bar)
        });
        let found = lexicon.matcher.find(document, steps)?;
        let found: Vec<(Use, Range<usize>)> = found
            .iter()
            .flat_map(|one| one.uses.iter().map(|purpose| (*purpose, one.tokens.clone())))
            .collect();
        let mut lost: Vec<LostReason> =
            findings.lost.iter().filter_map(|lost| self.lost(lost)).collect();
        lost.extend(self.masked(&found));
        lost.sort_by(|a, b| (&a.words, &a.tag, a.rule.line).cmp(&(&b.words, &b.tag, b.rule.line)));
        lost.truncate(LOST_MAX);
        let tops: &[(String, f64)] = score.as_ref().map_or(&[], |score| &score.tops);
        let tags = self.tags(&coding, tops);
        let subjects = self.subjects(&found);
        Ok(Explanation { coding, bar: self.bar, tags, lost, subjects, score, flips: Vec::new() })
    }

    /// Every tag that something speaks for.
    fn tags(&self, coding: &Coding, tops: &[(String, f64)]) -> Vec<TagExplained> {
        let by_tag = self.lexicon.tags.iter().zip(&self.findings.hits);
        let with_reasons = by_tag.filter(|(_rules, hits)| hits.iter().any(|hit| hit.points > 0.0));
        let mut tags: Vec<TagExplained> = with_reasons
            .map(|(rules, hits)| {
                let id = &rules.kind.id;
                let score = round(1.0 - (-hits.iter().map(|hit| hit.points).sum::<f64>()).exp());
                self.tag(id, score, self.verdict(id, score, coding, tops), hits, coding)
            })
            .collect();
        let by_model =
            coding.tags.iter().filter(|tag| !tags.iter().any(|known| known.id == tag.id));
        let by_model: Vec<TagExplained> = by_model
            .map(|tag| self.tag(&tag.id, tag.score, Verdict::Given(Given::ByModel), &[], coding))
            .collect();
        tags.extend(by_model);
        let is_given = |tag: &TagExplained| matches!(tag.verdict, Verdict::Given(_));
        tags.sort_by(|a, b| {
            let by_score = b.score.total_cmp(&a.score);
            is_given(b).cmp(&is_given(a)).then(by_score).then_with(|| a.id.cmp(&b.id))
        });
        tags
    }

    fn verdict(&self, id: &TagId, score: f64, coding: &Coding, tops: &[(String, f64)]) -> Verdict {
        let is_below = |tag: &&Tag| tag.id != *id && is_or_is_under(tag.id.as_str(), id.as_str());
        let findings = self.findings;
        if coding.tags.iter().any(|tag| tag.id == *id) {
            let by_rules = findings.tags.iter().any(|tag| tag.id == *id);
            return Verdict::Given(if by_rules { Given::ByRules } else { Given::ByModel });
        }
        if score < self.bar {
            let lacking = round(1.0 - (1.0 - self.bar) / (1.0 - score).max(f64::MIN_POSITIVE));
            return Verdict::BelowBar { lacking };
        }
        if !findings.vetoes.is_empty() && !self.lexicon.veto.resists(id.as_str(), score) {
            let domains = findings.vetoes.iter();
            let domains = domains.filter_map(|index| self.lexicon.domains.get(*index));
            return Verdict::Vetoed(domains.map(|domain| domain.flag.clone()).collect());
        }
        if let Some(tag) = coding.tags.iter().find(is_below) {
            return Verdict::SaidBy(tag.id.clone());
        }
        let top = tops.iter().find(|(top, _probability)| is_or_is_under(id.as_str(), top));
        match top {
            Some((_top, probability)) if coding.relevant => Verdict::Unlikely(*probability),
            Some(_) | None => Verdict::NotRelevant,
        }
    }

    /// A rule, as it stands in its file: of several lines the first.
    fn rule(&self, origin: &Origin) -> Rule {
        let Some(source) = self.sources.lexicons.get(origin.file) else {
            return Rule { file: String::new(), line: 0, text: String::new() };
        };
        let text = source.text.get(origin.span.clone()).unwrap_or_default();
        let text: Vec<&str> = text.split_whitespace().collect();
        Rule {
            file: source.name.clone(),
            line: source.line(origin.span.start),
            text: text.join(" "),
        }
    }

    fn rule_of(&self, hit: &Hit) -> Rule {
        self.rule(self.lexicon.origins.get(hit.written).unwrap_or(&Origin::default()))
    }

    fn tag(
        &self,
        id: &TagId,
        score: f64,
        verdict: Verdict,
        hits: &[Hit],
        coding: &Coding,
    ) -> TagExplained {
        let reasons = hits.iter().filter_map(|hit| self.reason(hit)).collect();
        let given = coding.tags.iter().find(|tag| tag.id == *id);
        let roles = given.and_then(|tag| tag.roles.as_deref()).unwrap_or_default();
        let actors = coding.actors.as_deref().unwrap_or_default();
        let roles = roles.iter().filter_map(|role| {
            let actor = actors.iter().find(|actor| actor.id == role.actor)?;
            Some((role.role, actor.clone(), self.named_near(&actor.id, hits)))
        });
        let roles = roles.collect();
        TagExplained { id: id.clone(), score, verdict, reasons, roles }
    }

    fn reason(&self, hit: &Hit) -> Option<Reason> {
        Some(Reason {
            rule: self.rule_of(hit),
            words: self.document.evidence(&hit.tokens)?,
            weight: hit.weight,
            worth: round(1.0 - (-hit.points).exp()),
            cues: hit.cues.iter().filter_map(|cue| self.cue_near(*cue, hit)).collect(),
        })
    }

    fn cue_near(&self, index: usize, hit: &Hit) -> Option<CueFound> {
        let cue = self.lexicon.cues.get(index)?;
        let places = self.sorted.cues.get(index)?;
        self.cue(index, &near(cue, places, &hit.tokens, self.document)?)
    }

    fn cue(&self, index: usize, at: &Range<usize>) -> Option<CueFound> {
        let cue = self.lexicon.cues.get(index)?;
        let effect = match cue.effect {
            Effect::Negates => "negates",
            Effect::Halves => "halves",
            Effect::Flags => "flags",
            Effect::Claims(status) => status.into(),
        };
        let words = self.document.evidence(at)?;
        let rule = Rule { text: String::new(), ..self.rule(&cue.origin) };
        Some(CueFound { effect, flag: cue.flag.clone(), rule, words })
    }

    /// Where an actor is named in a sentence of one of the reasons.
    fn named_near(&self, actor: &str, hits: &[Hit]) -> Option<Evidence> {
        let dictionary = self.lexicon.dictionary.as_ref()?;
        let is_meant =
            |entry: usize| dictionary.entries.get(entry).is_some_and(|entry| entry.id == actor);
        let mentions = || self.sorted.mentions.iter().filter(|one| is_meant(one.entry));
        let inside = |words: &Range<usize>| mentions().find(|one| overlap(&one.tokens, words));
        let sentences = hits.iter().filter_map(|hit| sentence_of(self.document, &hit.tokens));
        let near = hits
            .iter()
            .map(|hit| hit.tokens.clone())
            .chain(sentences)
            .find_map(|words| inside(&words));
        self.document.evidence(&near.or_else(|| mentions().next())?.tokens)
    }

    fn lost(&self, lost: &Lost) -> Option<LostReason> {
        let Lost { hit, why } = lost;
        let rules = self.lexicon.tags.get(hit.tag)?;
        let why = match why {
            Why::Needs => {
                let names = rules.needs.iter().filter_map(|set| self.lexicon.set_names.get(set));
                LostWhy::Needs(names.cloned().collect())
            }
            Why::Without(words) => LostWhy::Without(self.document.evidence(words)?),
            Why::Negated(cue, at) => LostWhy::Negated(self.cue(*cue, at)?),
            Why::Covered => LostWhy::Covered,
        };
        let words = self.document.evidence(&hit.tokens)?;
        Some(LostReason { tag: rules.kind.id.clone(), rule: self.rule_of(hit), words, why })
    }

    /// Terms that a mask covers.
    fn masked(&self, found: &[(Use, Range<usize>)]) -> Vec<LostReason> {
        let mut lost = Vec::new();
        for (purpose, words) in found {
            let Use::Mask(index) = purpose else { continue };
            let Some(mask) = self.lexicon.masks.get(*index) else { continue };
            let Some(evidence) = self.document.evidence(words) else { continue };
            let covered = found.iter().filter_map(|(purpose, tokens)| match purpose {
                Use::Term { tag, written, weight }
                    if words.start <= tokens.start && tokens.end <= words.end =>
                {
                    Some(Hit::new(*tag, *written, *weight, tokens.clone()))
                }
                Use::Term { .. }
                | Use::Domain { .. }
                | Use::Mask(_)
                | Use::Cue(_)
                | Use::Alias(_) => None,
            });
            lost.extend(covered.filter_map(|hit| {
                let rule = Rule { text: String::new(), ..self.rule(&mask.origin) };
                let rules = self.lexicon.tags.get(hit.tag)?;
                Some(LostReason {
                    tag: rules.kind.id.clone(),
                    rule: self.rule_of(&hit),
                    words: self.document.evidence(&hit.tokens)?,
                    why: LostWhy::Masked(rule, evidence.clone()),
                })
            }));
        }
        lost
    }

    fn subjects(&self, found: &[(Use, Range<usize>)]) -> Vec<Subject> {
        let domains = self.lexicon.domains.iter().enumerate();
        let subject = |(index, domain): (usize, &Domain)| {
            let words: Vec<Evidence> = found
                .iter()
                .filter(|(purpose, _words)| {
                    matches!(purpose, Use::Domain { domain, .. } if *domain == index)
                })
                .filter_map(|(_purpose, words)| self.document.evidence(words))
                .collect();
            let mut scores = self.findings.domains.iter();
            let (_flag, score) = scores.find(|(flag, _score)| *flag == domain.flag)?;
            (!words.is_empty()).then(|| Subject {
                flag: domain.flag.clone(),
                rule: Rule { text: String::new(), ..self.rule(&domain.origin) },
                score: *score,
                bar: domain.threshold,
                vetoes: self.findings.vetoes.contains(&index),
                words,
            })
        };
        domains.filter_map(subject).collect()
    }
}

fn score_parts(
    weighed: &Weighed<'_>,
    names: &BTreeMap<u32, String>,
    bar: f64,
) -> Option<ScoreParts> {
    let log_odds = |probability: f64| (probability / (1.0 - probability)).ln();
    let parts = weighed.parts()?;
    let mut weights: Vec<Weight> = parts
        .buckets
        .iter()
        .filter(|(_bucket, adds)| *adds != 0.0)
        .map(|(bucket, adds)| {
            let name = names.get(bucket).cloned().unwrap_or_default();
            Weight { name, adds: round(*adds) }
        })
        .collect();
    weights.sort_by(|a, b| b.adds.abs().total_cmp(&a.adds.abs()).then_with(|| a.name.cmp(&b.name)));
    let mut tops: Vec<(String, f64)> =
        weighed.all_tags().map(|(id, probability)| (id.to_owned(), round(probability))).collect();
    tops.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let sum = parts.base
        + parts.meaning
        + parts.rules
        + parts.buckets.iter().map(|(_bucket, adds)| adds).sum::<f64>();
    Some(ScoreParts {
        probability: round(weighed.relevance()),
        sum: round(sum),
        bar: round(log_odds(bar)),
        base: round(parts.base),
        meaning: round(parts.meaning),
        rules: round(parts.rules),
        weights,
        tops,
    })
}

/// The texts of an article without a phrase.
pub(super) struct Left {
    field: Field,
    text: String,
}

impl Left {
    /// Cuts the phrase out.
    pub(super) fn new(texts: Texts<'_>, phrase: &Evidence) -> Self {
        let text = match phrase.field {
            Field::Title => texts.title,
            Field::Summary => texts.summary,
            Field::Body => texts.body,
        };
        let stays = |(at, letter): (usize, char)| {
            (!(phrase.start..phrase.end).contains(&at)).then_some(letter)
        };
        let text = text.chars().enumerate().filter_map(stays).collect();
        Self { field: phrase.field, text }
    }

    /// The texts, with the one that it was in cut.
    pub(super) fn texts<'a>(&'a self, whole: Texts<'a>) -> Texts<'a> {
        let text = self.text.as_str();
        match self.field {
            Field::Title => Texts { title: text, ..whole },
            Field::Summary => Texts { summary: text, ..whole },
            Field::Body => Texts { body: text, ..whole },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tagger;
    use super::*;

    fn explain(title: &str) -> Explanation {
        let tagger = Tagger::new(&Sources::built_in(), 0.5).unwrap();
        let texts = Texts { title, ..Texts::default() };
        tagger.explain(texts, Some("en"), &Steps::new(u64::MAX)).unwrap().unwrap()
    }

    #[test]
    fn an_explanation_says_the_same_as_the_coding_and_its_parts_add_up() {
        let tagger = Tagger::new(&Sources::built_in(), 0.5).unwrap();
        for title in [
            "Army shells rebels near the border as talks stall",
            "Russia denies that it bombed a hospital in Idlib",
            "Striker fires late winner as United attack stuns City in cup final",
            "Two dead as bus falls into a river",
            "",
        ] {
            let explained = explain(title);
            let texts = Texts { title, ..Texts::default() };
            let coding = tagger.code(texts, Some("en"), &Steps::new(u64::MAX)).unwrap().unwrap();
            assert_eq!(explained.coding, coding, "{title}");
            let given =
                explained.tags.iter().filter(|tag| matches!(tag.verdict, Verdict::Given(_)));
            let mut given: Vec<&TagId> = given.map(|tag| &tag.id).collect();
            given.sort();
            let mut coded: Vec<&TagId> = coding.tags.iter().map(|tag| &tag.id).collect();
            coded.sort();
            assert_eq!(given, coded, "{title}");
            let score = explained.score.unwrap();
            assert_eq!(Some(score.probability), coding.score, "{title}");
            let sum = 1.0 / (1.0 + (-score.sum).exp());
            assert!((sum - score.probability).abs() < 0.002, "{title}: {sum} {score:?}");
            assert!(score.weights.iter().all(|weight| !weight.name.is_empty()), "{score:?}");
        }
    }

    #[test]
    fn a_reason_names_the_rule_and_the_line_it_stands_in() {
        let sources = Sources::built_in();
        let explained =
            explain("Warplanes carried out air strikes on the town, killing 12 civilians");
        let reasons: Vec<&Reason> = explained.tags.iter().flat_map(|tag| &tag.reasons).collect();
        assert!(!reasons.is_empty());
        for reason in reasons {
            let source = sources.lexicons.iter().find(|one| one.name == reason.rule.file).unwrap();
            let line = source.text.lines().nth(reason.rule.line - 1).unwrap();
            let head: String = reason.rule.text.chars().take(8).collect();
            assert!(line.contains(&head), "{:?} is not in line {:?}", reason.rule, line);
        }
    }

    #[test]
    fn what_would_change_the_verdict_is_tried() {
        let explained = explain("Army shells village");
        let flips: Vec<_> =
            explained.flips.iter().map(|flip| (&*flip.without.text, flip.relevant)).collect();
        assert!(explained.coding.relevant, "{explained:?}");
        assert!(flips.iter().all(|(_words, relevant)| !relevant), "{flips:?}");
        assert!(!flips.is_empty(), "without its words nothing is left of it");
    }

    #[test]
    fn another_subject_is_told_with_its_words() {
        let veto = explain("Striker fires late winner as United attack stuns City in cup final");
        let sport = veto.subjects.iter().find(|subject| subject.flag == "sport").unwrap();
        assert!(sport.words.iter().any(|words| words.text == "cup final"), "{sport:?}");
    }
}
