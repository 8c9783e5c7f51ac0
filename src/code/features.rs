//! What the model of relevance looks at in a text.
//!
//! Its words, their beginnings, pairs of words with at most one between them, with actors and numbers replaced by what
//! they are; of which countries places and actors are; and what the rules say of it. Each is hashed to a bucket.

use std::collections::BTreeMap;
use std::ops::Range;

use cw_model::{Steps, TooCostly};

use super::bits::Bits;
use super::hash::hash;
use super::lexicon::Lexicon;
use super::rules::{Findings, Scored};
use super::segment::{Document, Prominence};
use super::sets::{Sentences, contains_any};
use super::shown::{NUMBER, Shown, words};
use super::spans::Sorted;
use super::taxonomy::top;
use super::vectors::{DIMENSIONS, Mean, Vectors};

/// Buckets of a table, a power of two.
pub const BUCKETS: usize = 1 << 17;

/// Countries whose pairs are looked at: a longer list is of members or of visitors.
const COUNTRIES_MAX: usize = 5;

/// Letters of a word's beginning that stand for its forms.
const STEM: usize = 5;

/// Steps for each feature of a word, and for each table it is looked up in.
const FEATURE_STEPS: usize = 12;

/// What the tables look at in a text.
#[derive(Debug)]
pub(super) struct Features {
    /// Each once.
    pub(super) buckets: Vec<u32>,
    /// What the words mean, on the mean; zeros where there are no word vectors.
    pub(super) meaning: Mean,
    /// The words that are looked at.
    pub(super) words: Vec<Featured>,
    /// What is looked at because of a word, in the order of the words.
    pub(super) of_words: Vec<u32>,
    /// The best score that the rules give under each top of the taxonomy.
    pub(super) tops: BTreeMap<String, f64>,
}

impl Features {
    /// The best score that the rules give to a tag under `top`; to any, if that is empty.
    pub(super) fn best(&self, top: &str) -> f64 {
        let under = self.tops.iter().filter(|(known, _score)| top.is_empty() || *known == top);
        under.map(|(_top, score)| *score).fold(0.0, f64::max)
    }
}

/// A word.
#[derive(Debug)]
pub(super) struct Featured {
    pub(super) tokens: Range<usize>,
    pub(super) sentence: usize,
    /// Its part of `Features::of_words`.
    pub(super) buckets: Range<usize>,
}

/// A text's features.
///
/// # Errors
/// [`TooCostly`] if there are no steps left.
pub(super) fn of(
    document: &Document<'_>,
    sorted: &Sorted,
    lexicon: &Lexicon,
    findings: &Findings,
    vectors: Option<&Vectors>,
    steps: &Steps,
) -> Result<Features, TooCostly> {
    let shown = words(document, sorted, lexicon);
    steps.spend(shown.len().saturating_mul(16 * FEATURE_STEPS))?;
    let hashes: Vec<u64> = shown.iter().map(|word| hash(word.text)).collect();
    let meaning = vectors.map_or([0.0; DIMENSIONS], |vectors| vectors.mean(&hashes));
    let mut of_words = Vec::with_capacity(shown.len() * 4);
    let mut featured = Vec::with_capacity(shown.len());
    for (index, word) in shown.iter().enumerate() {
        let from = of_words.len();
        of_word(&shown, &hashes, index, |_feature, bucket| of_words.push(bucket));
        let (tokens, sentence) = (word.tokens.clone(), word.sentence);
        featured.push(Featured { tokens, sentence, buckets: from..of_words.len() });
    }
    // A bit each: to sort hundreds of buckets takes longer.
    let mut seen = Bits::none(BUCKETS);
    let mut is_new =
        |bucket: &u32| usize::try_from(*bucket).is_ok_and(|bucket| seen.insert(bucket));
    let mut buckets = Vec::with_capacity(of_words.len());
    buckets.extend(of_words.iter().copied().filter(&mut is_new));
    of_text(&shown, document, sorted, lexicon, findings, |_feature, bucket| {
        buckets.extend(Some(bucket).filter(&mut is_new));
    });
    let mut tops: BTreeMap<String, f64> = BTreeMap::new();
    for tag in &findings.tags {
        let best = tops.entry(top(tag.id.as_str()).to_owned()).or_default();
        *best = best.max(tag.score);
    }
    Ok(Features { buckets, meaning, words: featured, of_words, tops })
}

/// The countries of the places and actors that are named: corridors and shutters are ordinary in most, and where there
/// is a war they may be what is told of it.
fn countries<'a>(
    sorted: &'a Sorted,
    lexicon: &'a Lexicon,
    is_in_head: impl Fn(usize) -> bool + Copy,
) -> impl Iterator<Item = &'a str> {
    let of_places = sorted.countries.iter().filter(move |(start, _code)| is_in_head(*start));
    let entries = lexicon.dictionary.as_ref().map_or(&[][..], |known| known.entries.as_slice());
    let mentions = sorted.mentions.iter().filter(move |mention| is_in_head(mention.tokens.start));
    let of_actors = mentions.filter_map(|mention| entries.get(mention.entry)?.country.as_deref());
    of_places.map(|(_start, code)| *code).chain(of_actors)
}

/// What a feature is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Feature<'a> {
    /// A word.
    Word(&'a str),
    /// How some words begin.
    Stem(&'a str),
    /// A word and the next.
    Pair(&'a str, &'a str),
    /// A word and the next but one.
    Gap(&'a str, &'a str),
    /// A number that is a year, so long past.
    Year(u64),
    /// A top under which the rules found something.
    Top(&'a str),
    /// Where what speaks most prominently for a tag under a top stands.
    Place(&'a str, Prominence),
    /// A tag that the rules found, surely (1) or not.
    Tag(&'a str, u64),
    /// A subject that borrows the words of war, and whether that is sure.
    Domain(&'a str, u64),
    /// A flag that the rules raised.
    Flag(&'a str),
    /// A set of words of which one stands in headline or lead.
    Set(usize),
    /// The country of a place or an actor in headline or lead.
    Country(&'a str),
    /// Two of them.
    Dyad(&'a str, &'a str),
}

/// The features of one word, each with its bucket.
fn of_word<'a>(
    shown: &[Shown<'a>],
    hashes: &[u64],
    index: usize,
    mut add: impl FnMut(Feature<'a>, u32),
) {
    let (Some(word), Some(own)) = (shown.get(index), hashes.get(index)) else { return };
    add(Feature::Word(word.text), bucket(b'w', *own, 0));
    let stem = word.text.char_indices().nth(STEM).and_then(|(end, _letter)| word.text.get(..end));
    if let Some(stem) = stem {
        add(Feature::Stem(stem), bucket(b's', hash(stem), 0));
    }
    let after = |steps: usize| shown.get(index + steps).zip(hashes.get(index + steps));
    if let Some((next, hash)) = after(1) {
        add(Feature::Pair(word.text, next.text), bucket(b'b', *own, *hash));
    }
    if let Some((next, hash)) = after(2) {
        add(Feature::Gap(word.text, next.text), bucket(b'g', *own, *hash));
    }
}

/// The features of a text besides those of its words, each with its bucket.
fn of_text<'a>(
    shown: &[Shown<'_>],
    document: &Document<'_>,
    sorted: &'a Sorted,
    lexicon: &'a Lexicon,
    findings: &'a Findings,
    mut add: impl FnMut(Feature<'a>, u32),
) {
    let numbers = shown.iter().filter(|word| word.text == NUMBER);
    for age in numbers.filter_map(|word| past(document.word(word.tokens.start))) {
        add(Feature::Year(age), bucket(b'y', age, 0));
    }
    let sure = |score: f64| u64::from(score >= 0.75);
    for Scored { id, score, place } in &findings.scores {
        let id = id.as_str();
        let top = top(id);
        add(Feature::Top(top), bucket(b't', hash(top), 0));
        add(Feature::Place(top, *place), bucket(b'p', hash(top), *place as u64));
        add(Feature::Tag(id, sure(*score)), bucket(b'i', hash(id), sure(*score)));
    }
    for (domain, score) in &findings.domains {
        add(Feature::Domain(domain, sure(*score)), bucket(b'd', hash(domain), sure(*score)));
    }
    for flag in &findings.flags {
        add(Feature::Flag(flag), bucket(b'f', hash(flag), 0));
    }
    let head = document.sentences.iter().filter(|one| one.prominence != Prominence::Rest);
    let head: Vec<Range<usize>> = head.map(|sentence| sentence.tokens.clone()).collect();
    let sentences = Sentences::of_head(document);
    let are_told_apart = sentences.are_told_apart();
    let stands_there = |set: usize| {
        !sorted.sets.sentences(set).and(sentences).is_empty()
            && (are_told_apart
                || head.iter().any(|sentence| contains_any(sorted.set(set), sentence)))
    };
    for (hash, set) in lexicon.set_hashes.iter().filter(|(_hash, set)| stands_there(*set)) {
        add(Feature::Set(*set), bucket(b'c', *hash, 0));
    }
    let is_in_head = |index: usize| head.iter().any(|sentence| sentence.contains(&index));
    let mut codes: Vec<&str> = countries(sorted, lexicon, is_in_head).collect();
    for code in &codes {
        add(Feature::Country(code), bucket(b'n', hash(code), 0));
    }
    codes.sort_unstable();
    codes.dedup();
    codes.truncate(COUNTRIES_MAX);
    for (at, one) in codes.iter().enumerate() {
        for other in codes.iter().skip(at + 1) {
            add(Feature::Dyad(one, other), bucket(b'x', hash(one), hash(other)));
        }
    }
}

/// What each bucket of a text's features stands for: for a person who asks.
pub(super) fn named(
    document: &Document<'_>,
    sorted: &Sorted,
    lexicon: &Lexicon,
    findings: &Findings,
) -> BTreeMap<u32, String> {
    let shown = words(document, sorted, lexicon);
    let hashes: Vec<u64> = shown.iter().map(|word| hash(word.text)).collect();
    let mut names = BTreeMap::new();
    let mut add = |feature: Feature<'_>, bucket: u32| {
        names.entry(bucket).or_insert_with(|| name(feature, lexicon));
    };
    for index in 0..shown.len() {
        of_word(&shown, &hashes, index, &mut add);
    }
    of_text(&shown, document, sorted, lexicon, findings, &mut add);
    names
}

fn name(feature: Feature<'_>, lexicon: &Lexicon) -> String {
    let word = |word: &str| match word.strip_prefix('§') {
        Some(kind) => format!("<{kind}>"),
        None if word == "." => "<start>".to_owned(),
        None if word == NUMBER => "<number>".to_owned(),
        None => word.to_owned(),
    };
    let how_sure = |sure: u64| if sure > 0 { ", surely" } else { "" };
    match feature {
        Feature::Word(one) => format!("\"{}\"", word(one)),
        Feature::Stem(stem) => format!("\"{stem}…\""),
        Feature::Pair(one, next) => format!("\"{} {}\"", word(one), word(next)),
        Feature::Gap(one, next) => format!("\"{} … {}\"", word(one), word(next)),
        Feature::Year(0) => "a year before 2010".to_owned(),
        Feature::Year(_) => "a year before 1960".to_owned(),
        Feature::Top(top) => format!("the rules say something of {top}"),
        Feature::Place(top, Prominence::Title) => format!("{top} in the headline"),
        Feature::Place(top, Prominence::Lead) => format!("{top} in the lead"),
        Feature::Place(top, Prominence::Rest) => format!("{top} after the lead"),
        Feature::Tag(id, sure) => format!("the rules say {id}{}", how_sure(sure)),
        Feature::Domain(flag, sure) => format!("the subject is {flag}{}", how_sure(sure)),
        Feature::Flag(flag) => format!("the flag {flag}"),
        Feature::Set(set) => {
            let name = lexicon.set_names.get(&set).map_or("", String::as_str);
            format!("a word of the set {name}")
        }
        Feature::Country(code) => format!("the country {code}"),
        Feature::Dyad(one, other) => format!("the countries {one} and {other}"),
    }
}

/// How long ago a year is, as a kind: what happened in one that is long past is told, and no news. `None` for
/// any other number.
fn past(word: &str) -> Option<u64> {
    let digits = word.strip_suffix('s').unwrap_or(word);
    match digits.parse::<u16>() {
        Ok(1000..1960) if digits.len() == 4 => Some(1),
        Ok(1960..2010) if digits.len() == 4 => Some(0),
        Ok(_) | Err(_) => None,
    }
}

/// The bucket of a feature of one kind, of one or two hashes, by a mixing step of `SplitMix64`.
fn bucket(kind: u8, one: u64, other: u64) -> u32 {
    let mut mixed = one ^ other.rotate_left(29) ^ (u64::from(kind) << 56);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from((mixed ^ (mixed >> 31)) % BUCKETS as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_numbers_only_years_that_are_long_past_are_told_apart() {
        assert_eq!(["1648", "1959", "1930s"].map(past), [Some(1); 3]);
        assert_eq!(["1960", "1968", "1990s", "2009"].map(past), [Some(0); 4]);
        for other in ["0", "300", "2010", "2026", "1,000", "01948", "155mm", "99999", "3s"] {
            assert_eq!(past(other), None, "{other}");
        }
    }
}
