//! Is a text about conflict at all? A linear model over the words of headline and lead, which also
//! knows what the rules found.
//!
//! A text becomes a set of features: its words, their beginnings, pairs of words with at most one
//! between them, with actors and numbers replaced by what they are; of which countries places and actors are; and
//! what the rules say of it. Each is hashed to a bucket of a table of weights, and the weights of all add up. What
//! its words mean on the mean (`vectors`) has weights of its own. The table is data (`config/model`), made by `make train`
//! from texts that the project wrote. `config/model/README.md` says how, and how good it is.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;

use cw_model::{Steps, TooCostly};
use serde::Deserialize;

use super::bits::Bits;
use super::hash::hash;
use super::lexicon::Lexicon;
use super::rules::{Findings, Scored};
use super::segment::{Document, Prominence};
use super::sets::{Sentences, contains_any};
use super::shown::{NUMBER, Shown, words};
use super::spans::Sorted;
use super::taxonomy::is_or_is_under;
use super::vectors::{DIMENSIONS, Mean, Vectors};

/// Buckets of a table, a power of two.
pub const BUCKETS: usize = 1 << 17;

/// What ends the head of a file of tables.
pub const HEAD_END: &str = "---\n";

/// Countries whose pairs are looked at: a longer list is of members or of visitors.
const COUNTRIES_MAX: usize = 5;

/// Letters of a word's beginning that stand for its forms.
const STEM: usize = 5;

/// Steps for each feature of a word, and for each table it is looked up in.
const FEATURE_STEPS: usize = 12;

/// Most tables: their weights for one feature lie in one line of a processor's cache.
const TABLES_MAX: usize = 16;

/// The tables of one language.
pub(super) struct Gate {
    /// Whether a text is about conflict at all; after it whether it speaks of each tag.
    outputs: Vec<Curve>,
    /// For each bucket its weight in the table of each output: all that a feature says is found by one look.
    weights: Vec<[i8; TABLES_MAX]>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("outputs", &self.outputs).finish_non_exhaustive()
    }
}

/// What the head of a file says of each table, in the order of the tables.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    output: Vec<Curve>,
}

/// From the sum of weights to a probability: `1 / (1 + exp(-(slope * z + offset)))`, where
/// `z = scale * sum / sqrt(features) + meaning * mean + bias + rules * best`, `mean` is the mean vector of the
/// words, and `best` is the best score that the rules give to any tag, or to any under this one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Curve {
    /// A tag; empty: relevance.
    id: String,
    scale: f64,
    /// Nothing where there are no word vectors.
    #[serde(default)]
    meaning: Vec<f64>,
    bias: f64,
    rules: f64,
    slope: f64,
    offset: f64,
}

impl Gate {
    /// Reads the file of a language.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(bytes: &'static [u8]) -> Result<Self, String> {
        let end = HEAD_END.as_bytes();
        let at = bytes.windows(end.len()).position(|part| part == end);
        let (head, rest) = bytes.split_at(at.ok_or("there is no head")?);
        let head = std::str::from_utf8(head).map_err(|error| error.to_string())?;
        let head: Head = toml::from_str(head).map_err(|error| error.to_string())?;
        if let Some(curve) =
            head.output.iter().find(|one| ![0, DIMENSIONS].contains(&one.meaning.len()))
        {
            return Err(format!("\"{}\" has {} weights of meaning", curve.id, curve.meaning.len()));
        }
        let tables = rest.get(end.len()..).unwrap_or_default();
        if tables.len() != head.output.len() * BUCKETS {
            return Err(format!(
                "{} bytes of tables for {} outputs",
                tables.len(),
                head.output.len()
            ));
        }
        if head.output.first().is_none_or(|first| !first.id.is_empty()) {
            return Err("the first output is not relevance".to_owned());
        }
        if head.output.len() > TABLES_MAX {
            return Err(format!("{} outputs; at most {TABLES_MAX}", head.output.len()));
        }
        let mut weights = vec![[0; TABLES_MAX]; BUCKETS];
        for (output, table) in tables.chunks_exact(BUCKETS).enumerate() {
            for (bucket, weight) in weights.iter_mut().zip(table) {
                if let Some(place) = bucket.get_mut(output) {
                    *place = i8::from_le_bytes([*weight]);
                }
            }
        }
        Ok(Self { outputs: head.output, weights })
    }

    /// What each table says of a text.
    pub(super) fn weigh<'a>(&'a self, features: &'a Features) -> Weighed<'a> {
        let mut sums = [0_i32; TABLES_MAX];
        for weights in features.buckets.iter().map(|bucket| self.weights(*bucket)) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += i32::from(weight);
            }
        }
        Weighed { gate: self, features, sums, probabilities: OnceCell::new() }
    }

    fn weights(&self, bucket: u32) -> [i8; TABLES_MAX] {
        let bucket = usize::try_from(bucket).ok().and_then(|bucket| self.weights.get(bucket));
        bucket.copied().unwrap_or_default()
    }
}

/// A text, and the sum of its weights in each table.
pub(super) struct Weighed<'a> {
    gate: &'a Gate,
    features: &'a Features,
    sums: [i32; TABLES_MAX],
    /// Of each output; most texts are about no conflict, and nothing is asked but that.
    probabilities: OnceCell<[f64; TABLES_MAX]>,
}

impl<'a> Weighed<'a> {
    /// How likely it is that the text is about conflict, 0 to 1.
    pub(super) fn relevance(&self) -> f64 {
        let first = self.gate.outputs.first().zip(self.sums.first());
        first.map_or(0.0, |(curve, sum)| self.probability(curve, *sum))
    }

    /// How likely it is that it speaks of each tag, and the words that say so most.
    pub(super) fn tags(&self, bar: f64) -> impl Iterator<Item = (&'a str, f64, Range<usize>)> {
        self.outputs()
            .skip(1)
            .filter(move |(_, _, probability)| *probability >= bar)
            .map(|(output, id, probability)| (id, probability, self.span(output)))
    }

    /// The tag that it speaks of most likely, if there are tags at all.
    pub(super) fn likeliest(&self) -> Option<(&'a str, f64, Range<usize>)> {
        // The words of one tag are looked for, not of each.
        let (output, id, probability) = self.likeliest_output()?;
        Some((id, probability, self.span(output)))
    }

    /// Its id alone.
    pub(super) fn likeliest_id(&self) -> Option<&'a str> {
        self.likeliest_output().map(|(_output, id, _probability)| id)
    }

    fn likeliest_output(&self) -> Option<(usize, &'a str, f64)> {
        self.outputs().skip(1).max_by(|a, b| a.2.total_cmp(&b.2))
    }

    /// Whether it is unlikely that it speaks of a tag, or of any under it.
    pub(super) fn rules_out(&self, tag: &str, bar: f64) -> bool {
        let mut tops = self.outputs().skip(1);
        let top = tops.find(|(_output, id, _probability)| is_or_is_under(tag, id));
        top.is_some_and(|(_output, _id, probability)| probability < bar)
    }

    /// How likely it is that it speaks of each tag.
    pub(super) fn all_tags(&self) -> impl Iterator<Item = (&'a str, f64)> {
        self.outputs().skip(1).map(|(_output, id, probability)| (id, probability))
    }

    /// What the relevance is the sum of, in log-odds.
    pub(super) fn parts(&self) -> Option<Parts> {
        let curve = self.gate.outputs.first()?;
        let features = self.features;
        let length = u32::try_from(features.buckets.len().max(1)).unwrap_or(u32::MAX);
        let scale = curve.slope * curve.scale / f64::from(length).sqrt();
        let weight = |bucket: &u32| {
            let [weight, ..] = self.gate.weights(*bucket);
            (*bucket, scale * f64::from(weight))
        };
        let meant: f64 = curve.meaning.iter().zip(features.meaning).map(|(a, b)| a * b).sum();
        let mut buckets: Vec<(u32, f64)> = features.buckets.iter().map(weight).collect();
        buckets.sort_unstable_by_key(|(bucket, _adds)| *bucket);
        Some(Parts {
            base: curve.slope * curve.bias + curve.offset,
            meaning: curve.slope * meant,
            rules: curve.slope * curve.rules * features.best(&curve.id),
            buckets,
        })
    }

    /// Index, tag and probability of each output.
    fn outputs(&self) -> impl Iterator<Item = (usize, &'a str, f64)> {
        let probabilities = *self.probabilities.get_or_init(|| {
            let mut all = [0.0; TABLES_MAX];
            for ((one, curve), sum) in all.iter_mut().zip(&self.gate.outputs).zip(self.sums) {
                *one = self.probability(curve, sum);
            }
            all
        });
        let all = self.gate.outputs.iter().zip(probabilities).enumerate();
        all.map(|(output, (curve, probability))| (output, curve.id.as_str(), probability))
    }

    fn probability(&self, curve: &Curve, sum: i32) -> f64 {
        let Curve { id, scale, meaning, bias, rules, slope, offset } = curve;
        let features = self.features;
        let length = u32::try_from(features.buckets.len().max(1)).unwrap_or(u32::MAX);
        let meant: f64 = meaning.iter().zip(features.meaning).map(|(a, b)| a * b).sum();
        let margin = f64::from(sum) * scale / f64::from(length).sqrt() + meant + bias;
        let z = margin + rules * features.best(id);
        1.0 / (1.0 + (-(slope * z + offset)).exp())
    }

    /// The run of words that speaks most for the tag, as tokens: the largest sum of neighbours.
    fn span(&self, output: usize) -> Range<usize> {
        let features = self.features;
        let weight = |bucket: &u32| self.gate.weights(*bucket).get(output).copied().unwrap_or(0);
        let mut best = (f64::MIN, 0..0);
        let (mut sum, mut start, mut sentence) = (0.0, 0, usize::MAX);
        for word in features.words.iter().filter(|word| !word.tokens.is_empty()) {
            let buckets = features.of_words.get(word.buckets.clone()).unwrap_or_default();
            let own: f64 = buckets.iter().map(|bucket| f64::from(weight(bucket))).sum();
            if sum <= 0.0 || word.sentence != sentence {
                (sum, start, sentence) = (0.0, word.tokens.start, word.sentence);
            }
            sum += own;
            if sum > best.0 {
                best = (sum, start..word.tokens.end);
            }
        }
        best.1
    }
}

/// What a relevance is the sum of, in log-odds.
#[derive(Debug)]
pub(super) struct Parts {
    /// Of every text alike.
    pub(super) base: f64,
    /// By what the words mean on the mean.
    pub(super) meaning: f64,
    /// By the best score of the rules.
    pub(super) rules: f64,
    /// By each feature.
    pub(super) buckets: Vec<(u32, f64)>,
}

/// What the tables look at in a text.
#[derive(Debug)]
pub(super) struct Features {
    /// Each once.
    pub(super) buckets: Vec<u32>,
    /// What the words mean, on the mean; zeros where there are no word vectors.
    pub(super) meaning: Mean,
    /// The words that are looked at.
    words: Vec<Featured>,
    /// What is looked at because of a word, in the order of the words.
    of_words: Vec<u32>,
    /// The best score that the rules give under each top of the taxonomy.
    tops: BTreeMap<String, f64>,
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
struct Featured {
    tokens: Range<usize>,
    sentence: usize,
    /// Its part of `Features::of_words`.
    buckets: Range<usize>,
}

/// A text's features.
///
/// # Errors
/// [`TooCostly`] if there are no steps left.
pub(super) fn features(
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
        let top = tag.id.as_str().split('.').next().unwrap_or_default().to_owned();
        let best = tops.entry(top).or_default();
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
        let top = id.split('.').next().unwrap_or_default();
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

    /// A file of tables of zeros: of which tag, with which weights of meaning and bias.
    fn file(outputs: &[(&str, &[f64], f64)]) -> &'static [u8] {
        let curve = "scale = 1.0\nrules = 0.0\nslope = 1.0\noffset = 0.0\n";
        let head = outputs.iter().map(|(id, meaning, bias)| {
            format!("[[output]]\nid = \"{id}\"\nmeaning = {meaning:?}\nbias = {bias:?}\n{curve}")
        });
        let head = head.collect::<String>() + HEAD_END;
        let tables = vec![0; BUCKETS * outputs.len()];
        Box::leak([head.into_bytes(), tables].concat().into_boxed_slice())
    }

    fn features(meaning: Mean) -> Features {
        let tops = BTreeMap::new();
        Features { buckets: vec![7], meaning, words: Vec::new(), of_words: Vec::new(), tops }
    }

    #[test]
    fn meaning_moves_the_probability_the_way_its_weights_point() {
        let mut weights = [0.0; DIMENSIONS];
        weights[3] = 0.5;
        let gate = Gate::read(file(&[("", &weights, 0.0)])).unwrap();
        let with = |number: f64| {
            let mut meaning = [0.0; DIMENSIONS];
            meaning[3] = number;
            gate.weigh(&features(meaning)).relevance()
        };
        assert!((with(0.0) - 0.5).abs() < 1e-9);
        assert!((with(2.0) - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-9);
        assert!(with(-2.0) < 0.5);
    }

    #[test]
    fn of_numbers_only_years_that_are_long_past_are_told_apart() {
        assert_eq!(["1648", "1959", "1930s"].map(past), [Some(1); 3]);
        assert_eq!(["1960", "1968", "1990s", "2009"].map(past), [Some(0); 4]);
        for other in ["0", "300", "2010", "2026", "1,000", "01948", "155mm", "99999", "3s"] {
            assert_eq!(past(other), None, "{other}");
        }
    }

    #[test]
    fn what_a_table_thinks_all_but_impossible_is_ruled_out_with_all_under_it() {
        let outputs = [("", &[][..], 0.0), ("strike", &[], -5.0), ("peace", &[], 0.0)];
        let gate = Gate::read(file(&outputs)).unwrap();
        let features = features([0.0; DIMENSIONS]);
        let rules_out = |tag: &str| gate.weigh(&features).rules_out(tag, 0.04);
        assert!(rules_out("strike") && rules_out("strike.air"));
        assert!(!rules_out("peace.talks") && !rules_out("striker") && !rules_out("battle"));
    }

    #[test]
    fn a_model_has_weights_for_all_of_meaning_or_for_none() {
        let read = |count: usize| Gate::read(file(&[("", &vec![0.0; count], 0.0)]));
        assert!(read(0).is_ok() && read(DIMENSIONS).is_ok());
        let problem = read(DIMENSIONS - 1).unwrap_err();
        assert!(problem.contains("63 weights of meaning"), "{problem}");
    }
}
