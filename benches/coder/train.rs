//! Trains the model of relevance: a support vector machine over features weighted by how much more often
//! a text about conflict has them (NB-SVM, Wang and Manning 2012), by dual coordinate descent (Hsieh et
//! al. 2008). Beside them stands what the words mean on the mean, by word vectors that others trained on much
//! more text. A logistic curve on top is fitted on texts that were not trained on (Platt 1999).

use std::collections::BTreeSet;
use std::iter;
use std::path::Path;

use cw_code::{BUCKETS, HEAD_END, Learnable, Tagger, is_or_is_under, top};
use cw_model::Steps;
use serde_json::Value;

use super::eval::wanted;
use super::rows::{Row, read_folder};

const FOLDS: usize = 5;
const COST: f32 = 0.2;
const SMOOTHING: f32 = 0.1;
const ROUNDS: usize = 60;

/// A text's features, and what it is about.
struct Text {
    learnable: Learnable,
    /// What its words mean, in the size that the model is to see.
    meaning: Vec<f32>,
    relevant: bool,
    tags: Vec<String>,
    /// Tags that one coder would give and another would not.
    may: Vec<String>,
}

/// A text's features, and whether it is about what is learnt.
struct Example<'a> {
    features: &'a [u32],
    meaning: &'a [f32],
    /// The best score of the rules.
    best: f64,
    positive: bool,
}

/// Weights of buckets and of meaning, and a bias.
struct Model {
    weights: Vec<f32>,
    meaning: Vec<f32>,
    bias: f32,
}

impl Model {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred features")]
    fn margin(&self, example: &Example<'_>) -> f32 {
        let features = example.features;
        let sum: f32 =
            features.iter().filter_map(|bucket| self.weights.get(*bucket as usize)).sum();
        sum / (features.len().max(1) as f32).sqrt()
            + dot(&self.meaning, example.meaning)
            + self.bias
    }
}

/// What the best score of the rules is worth for relevance, in points of the model. Not fitted: the rules were written
/// with an eye on the rows that it could be fitted on, and would be trusted too much. On texts by writers whom no rule
/// has met, nothing at all is best and a whole point loses; on those that rules were written on it is the other way about.
/// For a tag they are worth nothing: the model has learnt from which rules found what, and what they add to that they add
/// on rows that they were written on alone.
const RULES_WORTH: f64 = 0.65;

/// How much the meaning of a text weighs beside its words: the length of the mean vector of the texts trained
/// on, on the mean, where the words together have one of about 1. By cross-validation inside the corpus 0.2 to 0.5
/// do as well, and the news of others is ranked better by the smaller.
const MEANING_WORTH: f64 = 0.2;

/// Texts that a top needs to be learnt.
const TEXTS_MIN: usize = 60;

/// Texts that a tag under a top needs.
const LEAF_TEXTS_MIN: usize = 30;

/// Trains, prints how good it is, and writes the tables.
///
/// With `others`, rows of other people's text, the two numbers of the curve of relevance are fitted on those: its slope, as
/// the corpus is harder than news is, and its offset, which is the base rate. No other text decides anything.
#[expect(clippy::cast_possible_truncation, reason = "single precision is enough to train")]
pub(crate) fn train(
    tagger: &Tagger,
    language: &str,
    corpus: &Path,
    file: &Path,
    others: &[Row],
) -> anyhow::Result<()> {
    let (mut texts, mut held_out) = (Vec::new(), Vec::new());
    for row in read_folder(corpus)? {
        let Some(Value::Bool(relevant)) = row.value.get("relevant") else { continue };
        let Some(text) = text(tagger, language, &row, *relevant)? else { continue };
        if row.held_out() { held_out.push(text) } else { texts.push(text) }
    }
    let mut apart_texts = Vec::new();
    for row in others {
        if let Some(relevant) = wanted(row) {
            apart_texts.extend(text(tagger, language, row, relevant)?);
        }
    }
    let unit = MEANING_WORTH / length_of_meaning(&texts).max(f64::MIN_POSITIVE);
    for text in texts.iter_mut().chain(&mut held_out).chain(&mut apart_texts) {
        text.meaning = text.learnable.meaning.iter().map(|number| (number * unit) as f32).collect();
    }
    println!("{} texts, {} held out", texts.len(), held_out.len());
    let learner = Learner { texts, held_out, others: apart_texts, unit };
    let tags: BTreeSet<&str> =
        learner.texts.iter().flat_map(|text| &text.tags).map(String::as_str).collect();
    let tops: BTreeSet<&str> = tags.iter().map(|tag| top(tag)).collect();
    let (mut head, mut tables) = (String::new(), Vec::new());
    let outputs = iter::once("").chain(tops).map(|id| ("output", id, TEXTS_MIN));
    let leaves = tags.iter().filter(|tag| tag.contains('.'));
    for (list, id, texts_min) in outputs.chain(leaves.map(|id| ("leaf", *id, LEAF_TEXTS_MIN))) {
        if let Some((curve, table)) = learner.learn(id, texts_min) {
            head += &format!("[[{list}]]\nid = \"{id}\"\n{curve}");
            tables.extend(table);
        }
    }
    let bytes = [head.as_bytes(), HEAD_END.as_bytes(), &tables].concat();
    std::fs::write(file, bytes)?;
    Ok(())
}

/// What is learnt from, and what it is tried on.
struct Learner {
    texts: Vec<Text>,
    held_out: Vec<Text>,
    /// Other people's.
    others: Vec<Text>,
    /// What one of a vector of meaning is for the model.
    unit: f64,
}

impl Learner {
    /// Learns one output, and prints how good it is: its part of the head, and its table. `None` if too few texts are
    /// about it, or as few are not.
    fn learn(&self, id: &str, texts_min: usize) -> Option<(String, Vec<u8>)> {
        let examples = examples(&self.texts, id);
        let positive = examples.iter().filter(|one| one.positive).count();
        if positive.min(examples.len() - positive) < texts_min {
            return None;
        }
        // Margins of each example by a model that has not seen it.
        let mut margins = Vec::new();
        for fold in 0..FOLDS {
            let of = |inside: bool| {
                examples
                    .iter()
                    .enumerate()
                    .filter(move |(at, _)| (at % FOLDS == fold) == inside)
                    .map(|(_, one)| one)
            };
            let model = fit(&of(false).collect::<Vec<_>>());
            margins.extend(of(true).map(|one| Margin::of(&model, one)));
        }
        let rules = if id.is_empty() { RULES_WORTH } else { 0.0 };
        let (mut slope, mut offset) = logistic(&margins, rules);
        let name = if id.is_empty() { "relevance" } else { id };
        print_curve(name, "crossed", &margins, rules, slope, offset);
        let model = fit(&examples.iter().collect::<Vec<_>>());
        let of_model = |texts: &[Text]| -> Vec<Margin> {
            self::examples(texts, id).iter().map(|one| Margin::of(&model, one)).collect()
        };
        print_curve(name, "held out", &of_model(&self.held_out), rules, slope, offset);
        if id.is_empty() && !self.others.is_empty() {
            let margins = of_model(&self.others);
            (slope, offset) = logistic(&margins, rules);
            print_curve(name, "others", &margins, rules, slope, offset);
        }
        let (scale, table) = table(&model);
        let meaning: Vec<f64> =
            model.meaning.iter().map(|weight| rounded(f64::from(*weight) * self.unit)).collect();
        let bias = model.bias;
        let curve = format!(
            "scale = {scale:?}\nmeaning = {meaning:?}\nbias = {bias:?}\nrules = {rules:?}\nslope = {slope:?}\noffset = {offset:?}\n"
        );
        Some((curve, table))
    }
}

fn text(
    tagger: &Tagger,
    language: &str,
    row: &Row,
    relevant: bool,
) -> anyhow::Result<Option<Text>> {
    let learnable = tagger.features(row.texts(), language, &Steps::new(u64::MAX))?;
    Ok(learnable.map(|learnable| Text {
        learnable,
        meaning: Vec::new(),
        relevant,
        tags: row.strings("tags"),
        may: row.strings("may"),
    }))
}

/// How sure a model is of a text, and the rules.
struct Margin {
    model: f64,
    rules: f64,
    positive: bool,
}

impl Margin {
    fn of(model: &Model, example: &Example<'_>) -> Self {
        let margin = f64::from(model.margin(example));
        Self { model: margin, rules: example.best, positive: example.positive }
    }

    fn z(&self, rules: f64) -> f64 {
        self.model + rules * self.rules
    }
}

/// Whether a tag is among them, or one under it.
fn has(tags: &[String], id: &str) -> bool {
    tags.iter().any(|tag| is_or_is_under(tag, id))
}

/// What there is to learn of a top from; or of a tag under a top; or, of an empty id, of relevance.
fn examples<'a>(texts: &'a [Text], id: &str) -> Vec<Example<'a>> {
    let is_about = |text: &Text| if id.is_empty() { text.relevant } else { has(&text.tags, id) };
    let best = |text: &Text| {
        let scores =
            text.learnable.scores.iter().filter(|(top, _score)| id.is_empty() || top == id);
        scores.map(|(_top, score)| *score).fold(0.0, f64::max)
    };
    // What a text is about matters only where it is about conflict at all, and of which kind only where it is of the
    // top: that is known by then. A scene may show a war and no more of it: without tags it teaches none.
    let above = if id.contains('.') { top(id) } else { "" };
    let tagged = |text: &&Text| {
        text.relevant && !text.tags.is_empty() && (above.is_empty() || has(&text.tags, above))
    };
    // Nor does a text teach what it may as well be called.
    let is_open = |text: &&Text| !is_about(text) && has(&text.may, id);
    let texts = texts.iter().filter(|text| id.is_empty() || tagged(text) && !is_open(text));
    let of = |text: &'a Text| Example {
        features: &text.learnable.buckets,
        meaning: &text.meaning,
        best: best(text),
        positive: is_about(text),
    };
    texts.map(of).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
fn fit(examples: &[&Example<'_>]) -> Model {
    let mut counts = [vec![SMOOTHING; BUCKETS], vec![SMOOTHING; BUCKETS]];
    let mut seen = vec![0_u16; BUCKETS];
    for one in examples {
        for bucket in one.features {
            counts[usize::from(one.positive)][*bucket as usize] += 1.0;
            seen[*bucket as usize] = seen[*bucket as usize].saturating_add(1);
        }
    }
    let totals: Vec<f32> = counts.iter().map(|side| side.iter().sum()).collect();
    // What one text alone has says nothing of others.
    let ratio: Vec<f32> = (0..BUCKETS)
        .map(|at| match seen[at] {
            0 | 1 => 0.0,
            _ => ((counts[1][at] / totals[1]) / (counts[0][at] / totals[0])).ln(),
        })
        .collect();
    let mut weights = vec![0.0_f32; BUCKETS];
    let mut meaning = vec![0.0_f32; examples.first().map_or(0, |one| one.meaning.len())];
    let mut bias = 0.0_f32;
    let mut alphas = vec![0.0_f32; examples.len()];
    let positives = examples.iter().filter(|one| one.positive).count();
    let weigh = |positive: bool| {
        let of = if positive { positives } else { examples.len() - positives };
        COST * examples.len() as f32 / (2.0 * of.max(1) as f32)
    };
    let squares: Vec<f32> = examples
        .iter()
        .map(|one| {
            let n = one.features.len().max(1) as f32;
            one.features.iter().map(|at| ratio[*at as usize].powi(2)).sum::<f32>() / n
                + dot(one.meaning, one.meaning)
                + 1.0
        })
        .collect();
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut random = fastrand::Rng::with_seed(7);
    for _round in 0..ROUNDS {
        random.shuffle(&mut order);
        for at in &order {
            let one = examples[*at];
            let sign = if one.positive { 1.0 } else { -1.0 };
            let norm = (one.features.len().max(1) as f32).sqrt();
            let sum: f32 =
                one.features.iter().map(|f| weights[*f as usize] * ratio[*f as usize]).sum();
            let margin = sign * (sum / norm + dot(&meaning, one.meaning) + bias);
            let damp = 0.5 / weigh(one.positive);
            let gradient = margin - 1.0 + damp * alphas[*at];
            let next = (alphas[*at] - gradient / (squares[*at] + damp)).max(0.0);
            let change = (next - alphas[*at]) * sign;
            alphas[*at] = next;
            if change != 0.0 {
                for f in one.features {
                    weights[*f as usize] += change * ratio[*f as usize] / norm;
                }
                for (weight, number) in meaning.iter_mut().zip(one.meaning) {
                    *weight += change * number;
                }
                bias += change;
            }
        }
    }
    for (weight, ratio) in weights.iter_mut().zip(&ratio) {
        *weight *= ratio;
    }
    Model { weights, meaning, bias }
}

fn dot(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// The length of the vectors of meaning, on the mean (of squares).
#[expect(clippy::cast_precision_loss, reason = "a few thousand texts")]
fn length_of_meaning(texts: &[Text]) -> f64 {
    let squares =
        texts.iter().flat_map(|text| &text.learnable.meaning).map(|number| number * number);
    (squares.sum::<f64>() / texts.len().max(1) as f64).sqrt()
}

/// To six digits after the point: more are noise.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// Slope and offset of the curve through margins and labels, by Newton's method.
fn logistic(margins: &[Margin], rules: f64) -> (f64, f64) {
    let (mut a, mut b) = (1.0_f64, 0.0_f64);
    for _round in 0..50 {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 1e-6, 0.0, 1e-6);
        for margin in margins {
            let x = margin.z(rules);
            let p = 1.0 / (1.0 + (-(a * x + b)).exp());
            let error = p - f64::from(u8::from(margin.positive));
            let w = p * (1.0 - p);
            ga += error * x;
            gb += error;
            haa += w * x * x;
            hab += w * x;
            hbb += w;
        }
        let det = haa * hbb - hab * hab;
        a -= (hbb * ga - hab * gb) / det;
        b -= (haa * gb - hab * ga) / det;
    }
    (a, b)
}

/// Average precision, and what share of the positives is found where nine in ten, and nineteen in twenty, of
/// what is found is right.
#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
fn ranking(margins: &[Margin], rules: f64) -> [f64; 3] {
    let mut order: Vec<&Margin> = margins.iter().collect();
    order.sort_by(|a, b| b.z(rules).total_cmp(&a.z(rules)));
    let all = order.iter().filter(|margin| margin.positive).count().max(1) as f64;
    let (mut right, mut found) = (0.0, [0.0_f64; 3]);
    for (at, margin) in order.iter().enumerate() {
        right += f64::from(u8::from(margin.positive));
        let precision = right / (at + 1) as f64;
        if margin.positive {
            found[0] += precision / all;
        }
        for (share, bar) in [(1, 0.9), (2, 0.95)] {
            if precision >= bar {
                found[share] = found[share].max(right / all);
            }
        }
    }
    found
}

fn print_curve(name: &str, part: &str, margins: &[Margin], rules: f64, slope: f64, offset: f64) {
    let count = |wanted: bool, bar: f64| {
        let is_over = |margin: &&Margin| slope * margin.z(rules) + offset >= bar;
        margins.iter().filter(|margin| margin.positive == wanted).filter(is_over).count()
    };
    let all = margins.iter().filter(|margin| margin.positive).count();
    let [average, nine, nineteen] = ranking(margins, rules);
    println!(
        "{name:13} {part:9} average precision {average:.3}; R {nine:.2} at P .90, {nineteen:.2} at P .95"
    );
    for p in [0.3_f64, 0.5, 0.8] {
        let bar = (p / (1.0 - p)).ln();
        println!(
            "{name:13} {part:9} p >= {p:.1}: {} of {all} found, {} of {} wrong (rules {rules})",
            count(true, bar),
            count(false, bar),
            margins.len() - all
        );
    }
}

/// A signed byte for each bucket, and what one step of it is worth.
#[expect(clippy::cast_possible_truncation, reason = "rounded to a byte on purpose")]
fn table(model: &Model) -> (f32, Vec<u8>) {
    let mut sizes: Vec<f32> =
        model.weights.iter().map(|weight| weight.abs()).filter(|size| *size > 0.0).collect();
    sizes.sort_by(f32::total_cmp);
    // Few weights are far larger than the rest; cutting them costs less than coarse steps for all.
    let largest = sizes.get(sizes.len().saturating_mul(9995) / 10_000).copied().unwrap_or(1.0);
    let scale = largest / 127.0;
    let step = |weight: &f32| (weight / scale).round().clamp(-127.0, 127.0) as i8;
    (scale, model.weights.iter().map(|weight| step(weight).to_le_bytes()[0]).collect())
}
