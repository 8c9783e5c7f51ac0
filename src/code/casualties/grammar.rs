//! The casualty grammar of one language, read from TOML, checked and made ready.
//!
//! The format is described at the top of `config/lexicon/en/casualties.toml`. Strict: unknown keys, terms
//! that cannot be read, words given twice for the same purpose and numbers out of range are problems, and
//! all are reported.

use std::collections::BTreeMap;
use std::ops::Range;

use cw_model::CasualtySide;
use serde::Deserialize;

use super::role::{Bound, Counted, Cue, Happening, Kinds, List, Noun, Role, Toll, Victims, What};
use crate::file::{self, Read};
use crate::hash::{ByHash, Filter, Table, hash};
use crate::source::{LexiconProblem, Source};
use crate::term::expand;

/// The version of the format that is read.
const FORMAT: u32 = 1;

/// No count of people is larger; digits beyond are a mistake or an attack on our arithmetic.
pub(super) const COUNT_MAX: u64 = 10_000_000_000;

/// Most words of one phrase: every place of a text is held against it.
const PHRASE_WORDS_MAX: usize = 8;

/// How numbers of people are written and told in one language.
#[derive(Debug)]
pub(crate) struct Grammar {
    /// As in the file.
    pub(super) spelling: Spelling,
    /// For the hash of each first word its phrases.
    first: Table<First>,
    /// Of those with which one begins that may begin a count.
    beginnings: Filter,
    /// Those that begin with the same two words side by side, longest first.
    phrases: Vec<Phrase>,
}

/// The phrases that begin with a word.
#[derive(Clone, Debug)]
struct First {
    /// Where those of several words stand in `Grammar::phrases`, ordered by the second.
    longer: Range<usize>,
    /// Where the word alone stands there.
    alone: Range<usize>,
    /// Of what kinds the word alone is.
    kinds: Kinds,
    /// A bit for each word that may come second: few words after "the" do.
    seconds: u64,
    /// Whether one of them may begin a count.
    begins: bool,
}

/// What two words that follow each other may be for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known<'g> {
    /// The phrases that begin with both, longest first.
    pub(super) longer: &'g [Phrase],
    /// The first alone.
    pub(super) alone: &'g [Phrase],
    /// Of what kinds the first alone is.
    pub(super) kinds: Kinds,
}

/// What a word and those after it are for.
#[derive(Debug)]
pub(super) struct Phrase {
    /// The words after the first, by their hashes.
    pub(super) rest: Vec<u64>,
    /// What for.
    pub(super) role: Role,
}

/// How a language writes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spelling {
    /// Names begin with a capital letter, and most other words do not.
    pub(super) names_are_capitalised: bool,
    /// Between thousands.
    pub(super) thousands: Vec<char>,
    /// Before the fraction.
    pub(super) decimal: char,
    /// Of a written word that owns what follows.
    #[serde(default)]
    pub(super) owner_endings: Vec<String>,
    /// Of adverbs.
    #[serde(default)]
    pub(super) adverb_endings: Vec<String>,
    /// Of nouns for a person, where none of the lists has them.
    #[serde(default)]
    pub(super) person_endings: Vec<String>,
    /// Added to a noun for one they make one for many.
    #[serde(default)]
    pub(super) plural_endings: Vec<String>,
}

impl Grammar {
    /// Reads and compiles a grammar.
    ///
    /// # Errors
    /// Every problem at once.
    pub(crate) fn read(source: &Source) -> Result<Self, Vec<LexiconProblem>> {
        let Read { raw, mut problems } = file::read::<Raw>(source);
        let Some(raw) = raw else { return Err(problems) };
        let mut compiler = Compiler::default();
        if raw.format != FORMAT {
            compiler.problems.push(format!("format: {} is not known; use {FORMAT}", raw.format));
        }
        compiler.add_numbers(&raw.numbers);
        compiler.add_happenings(&raw);
        compiler.add_nouns(&raw.people, &raw.spelling.plural_endings);
        compiler.add_words(&raw.words);
        compiler.add_cues(&raw.scope);
        compiler.add_lists("nouns", &[("things", &raw.nouns.things, List::Thing)]);
        compiler.add_lists("nouns", &[("lives", &raw.nouns.lives, List::Life)]);
        problems.extend(compiler.problems.iter().map(|detail| source.problem(detail)));
        if !problems.is_empty() {
            return Err(problems);
        }
        let (mut first, mut phrases): (ByHash<First>, _) = (ByHash::default(), Vec::new());
        for (word, mut known) in compiler.phrases {
            known.sort_by_key(|phrase| {
                let second = phrase.rest.first().copied();
                (second.is_none(), second, std::cmp::Reverse(phrase.rest.len()))
            });
            let begins = known.iter().any(|phrase| phrase.role.begins_a_count());
            let seconds = known.iter().filter_map(|phrase| phrase.rest.first());
            let seconds = seconds.fold(0, |bits, second| bits | bit(*second));
            let start = phrases.len();
            let alone = start + known.partition_point(|phrase| !phrase.rest.is_empty());
            phrases.append(&mut known);
            let kinds = phrases.get(alone..).unwrap_or_default().iter();
            let kinds = kinds.map(|phrase| Kinds::of(phrase.role));
            let kinds = kinds.fold(Kinds::default(), Kinds::or);
            let (longer, alone) = (start..alone, alone..phrases.len());
            first.insert(word, First { longer, alone, kinds, seconds, begins });
        }
        let begin: Vec<u64> = first
            .iter()
            .filter(|(_word, first)| first.begins)
            .map(|(word, _first)| *word)
            .collect();
        let beginnings = Filter::new(begin.into_iter());
        Ok(Self { spelling: raw.spelling, first: Table::new(first), beginnings, phrases })
    }

    /// Every phrase that begins with a word of this hash and the next.
    pub(super) fn phrases_from(&self, word: u64, next: Option<u64>) -> Known<'_> {
        let Some(first) = self.first.get(word) else { return Known::default() };
        let longer = next.filter(|next| first.seconds & bit(*next) != 0).map(|next| {
            let all = self.phrases.get(first.longer.clone()).unwrap_or_default();
            let before = |phrase: &Phrase| phrase.rest.first().is_some_and(|one| *one < next);
            let rest = all.get(all.partition_point(before)..).unwrap_or_default();
            let goes_on = rest.iter().take_while(|phrase| phrase.rest.first() == Some(&next));
            rest.get(..goes_on.count()).unwrap_or_default()
        });
        let alone = self.phrases.get(first.alone.clone()).unwrap_or_default();
        Known { longer: longer.unwrap_or_default(), alone, kinds: first.kinds }
    }

    /// Whether a count may begin with a word of this hash.
    pub(super) fn begins_a_count(&self, word: u64) -> bool {
        self.beginnings.may_know(word) && self.first.get(word).is_some_and(|first| first.begins)
    }
}

/// One bit of 64 for a hash.
fn bit(hash: u64) -> u64 {
    1 << (hash >> 58)
}

type Terms = Vec<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    format: u32,
    spelling: Spelling,
    numbers: RawNumbers,
    #[serde(default)]
    happening: Vec<RawHappening>,
    #[serde(default)]
    toll: Vec<RawToll>,
    #[serde(default)]
    none_of: Vec<RawNoneOf>,
    #[serde(default)]
    people: Vec<RawPeople>,
    nouns: RawNouns,
    words: RawWords,
    scope: RawScope,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNumbers {
    units: BTreeMap<String, u64>,
    #[serde(default)]
    multipliers: BTreeMap<String, u64>,
    #[serde(default)]
    whole: BTreeMap<String, u64>,
    #[serde(default)]
    vague: BTreeMap<String, u64>,
    #[serde(default)]
    exact: Terms,
    #[serde(default)]
    at_least: Terms,
    #[serde(default)]
    at_most: Terms,
    #[serde(default)]
    or_more: Terms,
    #[serde(default)]
    and: Terms,
    #[serde(default)]
    to: Terms,
    #[serde(default)]
    between: Terms,
    #[serde(default)]
    numbered: Terms,
    #[serde(default)]
    months: Terms,
    #[serde(default)]
    age_before: Terms,
    #[serde(default)]
    age_after: Terms,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHappening {
    what: What,
    victims: Victims,
    #[serde(default)]
    counts: Counted,
    any: Terms,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawToll {
    what: What,
    #[serde(default)]
    counts: Counted,
    any: Terms,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNoneOf {
    what: What,
    any: Terms,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPeople {
    side: Option<RawSide>,
    #[serde(default)]
    one: Terms,
    #[serde(default)]
    ranks: Terms,
    #[serde(default)]
    many: Terms,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawSide {
    Civilian,
    StateForce,
    ArmedGroup,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNouns {
    #[serde(default)]
    things: Terms,
    #[serde(default)]
    lives: Terms,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWords {
    #[serde(default)]
    auxiliaries: Terms,
    #[serde(default)]
    passive: Terms,
    #[serde(default)]
    one_subject: Terms,
    noun_ends: Terms,
    #[serde(default)]
    prepositions: Terms,
    #[serde(default)]
    one: Terms,
    #[serde(default)]
    determiners: Terms,
    #[serde(default)]
    one_pronouns: Terms,
    #[serde(default)]
    any_one: Terms,
    and: Terms,
    #[serde(default)]
    or: Terms,
    #[serde(default)]
    of: Terms,
    #[serde(default)]
    relative: Terms,
    #[serde(default)]
    agents: Terms,
    #[serde(default)]
    part_begins: Terms,
    #[serde(default)]
    part_among: Terms,
    #[serde(default)]
    name_particles: Terms,
    #[serde(default)]
    toll_new: Terms,
    #[serde(default)]
    toll_old: Terms,
    #[serde(default)]
    nobody: Terms,
    #[serde(default)]
    nothing: Terms,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScope {
    #[serde(default)]
    denied: Terms,
    #[serde(default)]
    denied_after: Terms,
    #[serde(default)]
    not_so: Terms,
    #[serde(default)]
    asserted: Terms,
    #[serde(default)]
    possible: Terms,
    #[serde(default)]
    rises: Terms,
    #[serde(default)]
    totals: Terms,
    #[serde(default)]
    also: Terms,
    #[serde(default)]
    conflicts: Terms,
    #[serde(default)]
    sudden: Terms,
    #[serde(default)]
    since: Terms,
    #[serde(default)]
    running: Terms,
    #[serde(default)]
    compared: Terms,
    #[serde(default)]
    fresh: Terms,
    #[serde(default)]
    past: Terms,
    #[serde(default)]
    past_before: Terms,
    #[serde(default)]
    retold: Terms,
    #[serde(default)]
    year_after: Terms,
    #[serde(default)]
    spans: Terms,
    #[serde(default)]
    perfect: Terms,
}

/// Collects phrases, and what is wrong.
#[derive(Default)]
struct Compiler {
    phrases: ByHash<Vec<Phrase>>,
    problems: Vec<String>,
}

impl Compiler {
    /// Adds everything a written term stands for.
    fn add_term(&mut self, key: &str, term: &str, role: Role, repeats: Repeats) {
        let phrases = match expand(term) {
            Ok(phrases) => phrases,
            Err(detail) => {
                self.problems.push(format!("{key}: {detail}"));
                return;
            }
        };
        for phrase in phrases {
            let mut words = phrase.split(' ');
            let Some(first) = words.next() else { continue };
            let rest: Vec<u64> = words.map(hash).collect();
            if rest.len() >= PHRASE_WORDS_MAX {
                let detail = format!("{key}: \"{phrase}\" has more than {PHRASE_WORDS_MAX} words");
                self.problems.push(detail);
                continue;
            }
            let known = self.phrases.entry(hash(first)).or_default();
            let twice =
                known.iter().any(|known| known.rest == rest && serves_the_same(known.role, role));
            match (twice, repeats) {
                (false, Repeats::Refused | Repeats::Skipped) => known.push(Phrase { rest, role }),
                (true, Repeats::Skipped) => {}
                (true, Repeats::Refused) => {
                    self.problems.push(format!("{key}: \"{phrase}\" is given twice"));
                }
            }
        }
    }

    fn add_all(&mut self, key: &str, terms: &[String], role: Role) {
        for term in terms {
            self.add_term(key, term, role, Repeats::Refused);
        }
    }

    fn add_lists(&mut self, table: &str, lists: &[(&str, &Terms, List)]) {
        for (name, terms, list) in lists {
            self.add_all(&format!("{table}.{name}"), terms, Role::Listed(*list));
        }
    }

    fn add_numbers(&mut self, raw: &RawNumbers) {
        type Made = fn(u64) -> Role;
        let tables: [(&str, &BTreeMap<String, u64>, u64, Made); 4] = [
            ("numbers.units", &raw.units, 1, Role::Unit),
            ("numbers.multipliers", &raw.multipliers, 1, Role::Multiplier),
            ("numbers.whole", &raw.whole, 1, Role::Whole),
            ("numbers.vague", &raw.vague, 0, |least| Role::Vague((least > 0).then_some(least))),
        ];
        for (key, table, least, role) in tables {
            for (term, value) in table {
                if !(least..=COUNT_MAX).contains(value) {
                    let detail =
                        format!("{key}: \"{term}\": {value} is not from {least} to {COUNT_MAX}");
                    self.problems.push(detail);
                }
                self.add_term(key, term, role(*value), Repeats::Refused);
            }
        }
        self.add_all("numbers.exact", &raw.exact, Role::Bound(Bound::Exact));
        self.add_all("numbers.at_least", &raw.at_least, Role::Bound(Bound::AtLeast));
        self.add_all("numbers.at_most", &raw.at_most, Role::Bound(Bound::AtMost));
        self.add_lists(
            "numbers",
            &[
                ("or_more", &raw.or_more, List::NumberOrMore),
                ("and", &raw.and, List::NumberAnd),
                ("to", &raw.to, List::NumberTo),
                ("between", &raw.between, List::NumberBetween),
                ("numbered", &raw.numbered, List::Numbered),
                ("months", &raw.months, List::Month),
                ("age_before", &raw.age_before, List::AgeBefore),
                ("age_after", &raw.age_after, List::AgeAfter),
            ],
        );
    }

    fn add_happenings(&mut self, raw: &Raw) {
        if raw.happening.is_empty() {
            self.problems.push("happening: there is none; say what happens to people".to_owned());
        }
        for RawHappening { what, victims, counts, any } in &raw.happening {
            let happening = Happening { what: *what, victims: *victims, counts: *counts };
            self.add_all(&format!("happening {what:?}"), any, Role::Happening(happening));
        }
        for RawToll { what, counts, any } in &raw.toll {
            let toll = Toll { what: *what, counts: *counts };
            self.add_all(&format!("toll {what:?}"), any, Role::Toll(toll));
        }
        for RawNoneOf { what, any } in &raw.none_of {
            self.add_all(&format!("none_of {what:?}"), any, Role::NoneOf(*what));
        }
    }

    fn add_nouns(&mut self, all: &[RawPeople], plural_endings: &[String]) {
        let side = |raw: &RawPeople| {
            raw.side.map(|side| match side {
                RawSide::Civilian => CasualtySide::Civilian,
                RawSide::StateForce => CasualtySide::StateForce,
                RawSide::ArmedGroup => CasualtySide::ArmedGroup,
            })
        };
        for people in all {
            let noun = Noun { is_one: true, is_rank: false, side: side(people) };
            self.add_all("people.one", &people.one, Role::Noun(noun));
            let rank = Noun { is_rank: true, ..noun };
            self.add_all("people.ranks", &people.ranks, Role::Noun(rank));
            let many = Noun { is_one: false, ..noun };
            self.add_all("people.many", &people.many, Role::Noun(many));
        }
        for people in all {
            let many = Noun { is_one: false, is_rank: false, side: side(people) };
            for one in people.one.iter().chain(&people.ranks) {
                for phrase in expand(one).unwrap_or_default() {
                    for ending in plural_endings {
                        let plural = format!("{phrase}{ending}");
                        // What is written, and what is irregular, goes before what is made.
                        self.add_term("people.one", &plural, Role::Noun(many), Repeats::Skipped);
                    }
                }
            }
        }
    }

    fn add_words(&mut self, raw: &RawWords) {
        self.add_lists(
            "words",
            &[
                ("auxiliaries", &raw.auxiliaries, List::Auxiliary),
                ("passive", &raw.passive, List::Passive),
                ("one_subject", &raw.one_subject, List::OneSubject),
                ("noun_ends", &raw.noun_ends, List::NounEnd),
                ("prepositions", &raw.prepositions, List::Preposition),
                ("one", &raw.one, List::OneArticle),
                ("determiners", &raw.determiners, List::Determiner),
                ("one_pronouns", &raw.one_pronouns, List::OnePronoun),
                ("any_one", &raw.any_one, List::AnyOne),
                ("and", &raw.and, List::And),
                ("or", &raw.or, List::Or),
                ("of", &raw.of, List::Of),
                ("relative", &raw.relative, List::Relative),
                ("agents", &raw.agents, List::Agent),
                ("part_begins", &raw.part_begins, List::PartBegin),
                ("part_among", &raw.part_among, List::PartAmong),
                ("name_particles", &raw.name_particles, List::NameParticle),
                ("toll_new", &raw.toll_new, List::TollNew),
                ("toll_old", &raw.toll_old, List::TollOld),
                ("nobody", &raw.nobody, List::Nobody),
                ("nothing", &raw.nothing, List::Nothing),
            ],
        );
    }

    fn add_cues(&mut self, raw: &RawScope) {
        let cues = [
            ("denied", &raw.denied, Cue::Denied),
            ("denied_after", &raw.denied_after, Cue::DeniedAfter),
            ("not_so", &raw.not_so, Cue::NotSo),
            ("asserted", &raw.asserted, Cue::Asserted),
            ("possible", &raw.possible, Cue::Possible),
            ("rises", &raw.rises, Cue::Rise),
            ("totals", &raw.totals, Cue::Total),
            ("also", &raw.also, Cue::Also),
            ("conflicts", &raw.conflicts, Cue::Conflict),
            ("sudden", &raw.sudden, Cue::Sudden),
            ("since", &raw.since, Cue::Since),
            ("running", &raw.running, Cue::Running),
            ("compared", &raw.compared, Cue::Compared),
            ("fresh", &raw.fresh, Cue::Fresh),
            ("past", &raw.past, Cue::Past),
            ("past_before", &raw.past_before, Cue::PastBefore),
            ("retold", &raw.retold, Cue::Retold),
            ("year_after", &raw.year_after, Cue::YearAfter),
            ("spans", &raw.spans, Cue::Span),
            ("perfect", &raw.perfect, Cue::Perfect),
        ];
        for (name, terms, cue) in cues {
            self.add_all(&format!("scope.{name}"), terms, Role::Cue(cue));
        }
    }
}

/// What becomes of a phrase that is there already.
#[derive(Clone, Copy)]
enum Repeats {
    Refused,
    Skipped,
}

/// Whether a phrase that has both roles would mean two things at once.
fn serves_the_same(known: Role, role: Role) -> bool {
    match (known, role) {
        (Role::Listed(a), Role::Listed(b)) => a == b,
        (Role::Cue(a), Role::Cue(b)) => a == b,
        (a, b) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
    }
}
