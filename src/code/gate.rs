//! Is a text about conflict at all? A linear model over the words of headline and lead, which also
//! knows what the rules found.
//!
//! A text becomes a set of [features](super::features), each of which is hashed to a bucket of a table of weights, and the
//! weights of all add up. What its words mean on the mean (`vectors`) has weights of its own. One table says whether it is
//! about conflict, one for each top of the taxonomy whether it speaks of that, and one for each tag that is under a top and has
//! texts enough whether a text under that top is of this kind. The tables are data (`config/model`), made by `make train`
//! from texts that the project wrote. `config/model/README.md` says how, and how good it is.

use std::cell::OnceCell;
use std::ops::Range;

use serde::Deserialize;

use super::features::{BUCKETS, Features};
use super::taxonomy::is_or_is_under;
use super::vectors::DIMENSIONS;

/// What ends the head of a file of tables.
pub const HEAD_END: &str = "---\n";

/// Most tables: their weights for one feature lie in one line of a processor's cache.
const TABLES_MAX: usize = 16;

/// The tables of one language.
pub(super) struct Gate {
    /// Whether a text is about conflict at all; after it whether it speaks of each tag.
    outputs: Vec<Curve>,
    /// For each bucket its weight in the table of each output: all that a feature says is found by one look.
    weights: Vec<[i8; TABLES_MAX]>,
    /// Which kind of its top a text is of. Few texts are asked.
    leaves: Vec<Leaf>,
}

/// A tag under a top.
struct Leaf {
    curve: Curve,
    /// A weight for each bucket.
    table: &'static [u8],
}

impl Leaf {
    fn weight(&self, bucket: u32) -> i8 {
        let weight = usize::try_from(bucket).ok().and_then(|bucket| self.table.get(bucket));
        weight.map_or(0, |weight| i8::from_le_bytes([*weight]))
    }
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
    #[serde(default)]
    leaf: Vec<Curve>,
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
    #[serde(default)]
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
        let mut curves = head.output.iter().chain(&head.leaf);
        if let Some(curve) = curves.find(|one| ![0, DIMENSIONS].contains(&one.meaning.len())) {
            return Err(format!("\"{}\" has {} weights of meaning", curve.id, curve.meaning.len()));
        }
        let tables = rest.get(end.len()..).unwrap_or_default();
        let (outputs, leaves) = (head.output.len(), head.leaf.len());
        if tables.len() != (outputs + leaves) * BUCKETS {
            let bytes = tables.len();
            return Err(format!("{bytes} bytes of tables for {outputs} outputs, {leaves} leaves"));
        }
        if head.output.first().is_none_or(|first| !first.id.is_empty()) {
            return Err("the first output is not relevance".to_owned());
        }
        if head.output.len() > TABLES_MAX {
            return Err(format!("{} outputs; at most {TABLES_MAX}", head.output.len()));
        }
        let mut weights = vec![[0; TABLES_MAX]; BUCKETS];
        let mut tables = tables.chunks_exact(BUCKETS);
        for (output, table) in tables.by_ref().take(outputs).enumerate() {
            for (bucket, weight) in weights.iter_mut().zip(table) {
                if let Some(place) = bucket.get_mut(output) {
                    *place = i8::from_le_bytes([*weight]);
                }
            }
        }
        let leaves = head.leaf.into_iter().zip(tables);
        let leaves = leaves.map(|(curve, table)| Leaf { curve, table }).collect();
        Ok(Self { outputs: head.output, weights, leaves })
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

    /// The tags under a top that a text which speaks of it is likely to give, likeliest first.
    pub(super) fn leaves(&self, top: &str, bar: f64) -> Vec<&'a str> {
        let under = self.gate.leaves.iter().filter(|leaf| is_or_is_under(&leaf.curve.id, top));
        let likely = under.map(|leaf| {
            let sum = self.features.buckets.iter().map(|bucket| i32::from(leaf.weight(*bucket)));
            (self.probability(&leaf.curve, sum.sum()), leaf.curve.id.as_str())
        });
        let mut likely: Vec<(f64, &str)> = likely.filter(|(likely, _id)| *likely >= bar).collect();
        likely.sort_by(|a, b| b.0.total_cmp(&a.0));
        likely.into_iter().map(|(_likely, id)| id).collect()
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::vectors::Mean;
    use super::*;

    /// A file of tables of zeros: of which tag, with which weights of meaning and bias.
    fn file(outputs: &[(&str, &[f64], f64)]) -> &'static [u8] {
        let curve = "scale = 1.0\nslope = 1.0\noffset = 0.0\n";
        let head = outputs.iter().map(|(id, meaning, bias)| {
            let list = if id.contains('.') { "leaf" } else { "output" };
            format!("[[{list}]]\nid = \"{id}\"\nmeaning = {meaning:?}\nbias = {bias:?}\n{curve}")
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
    fn what_a_table_thinks_all_but_impossible_is_ruled_out_with_all_under_it() {
        let outputs = [("", &[][..], 0.0), ("strike", &[], -5.0), ("peace", &[], 0.0)];
        let gate = Gate::read(file(&outputs)).unwrap();
        let features = features([0.0; DIMENSIONS]);
        let rules_out = |tag: &str| gate.weigh(&features).rules_out(tag, 0.04);
        assert!(rules_out("strike") && rules_out("strike.air"));
        assert!(!rules_out("peace.talks") && !rules_out("striker") && !rules_out("battle"));
    }

    #[test]
    fn of_the_tags_under_a_top_those_that_are_likely_are_told_likeliest_first() {
        let outputs = [
            ("", &[][..], 0.0),
            ("peace", &[], 0.0),
            ("strike", &[], 0.0),
            ("peace.exchange", &[], -1.0),
            ("peace.talks", &[], 1.0),
            ("peace.agreement", &[], 2.0),
            ("strike.air", &[], 3.0),
        ];
        let gate = Gate::read(file(&outputs)).unwrap();
        let features = features([0.0; DIMENSIONS]);
        let leaves = |top: &str, bar: f64| gate.weigh(&features).leaves(top, bar);
        assert_eq!(leaves("peace", 0.5), ["peace.agreement", "peace.talks"]);
        assert_eq!(leaves("strike", 0.5), ["strike.air"]);
        assert!(leaves("strike", 0.99).is_empty() && leaves("battle", 0.0).is_empty());
        assert_eq!(gate.weigh(&features).all_tags().count(), 2);
    }

    #[test]
    fn a_model_has_weights_for_all_of_meaning_or_for_none() {
        let read = |count: usize| Gate::read(file(&[("", &vec![0.0; count], 0.0)]));
        assert!(read(0).is_ok() && read(DIMENSIONS).is_ok());
        let problem = read(DIMENSIONS - 1).unwrap_err();
        assert!(problem.contains("63 weights of meaning"), "{problem}");
    }
}
