//! Whether a score means what it says: of the texts scored near .8, are eight in ten about conflict?
//!
//! A set of labelled texts seldom has the share of conflict that a stream of news has. So each text counts as
//! much as it takes for the share to be [`BASE_RATE`], and the score is carried over to that share by Bayes' rule
//! (Saerens, Latinne and Decaestecker 2002): odds times the ratio of the odds of the two shares.

use cw_code::Tagger;

use super::eval::{rate, wanted};
use super::rows::Row;

/// The share of conflict in a stream of general news.
const BASE_RATE: f64 = 0.04;

/// The share that the model's score is calibrated to (`config/model/README.md`).
const MODEL_RATE: f64 = 0.1;

/// Where the bins of scores begin.
const BINS: [f64; 7] = [0.0, 0.02, 0.1, 0.3, 0.5, 0.75, 0.9];

#[derive(Clone, Copy, Default)]
struct Bin {
    about: usize,
    not: usize,
    /// Of the scores, carried over, each by its weight.
    sum: f64,
    weight: f64,
    about_weight: f64,
}

/// Prints, for each bin of scores, how many of its texts are about conflict, as they are and at the base rate.
#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
pub(crate) fn report(tagger: &Tagger, name: &str, rows: &[&Row]) {
    let scored: Vec<(bool, f64)> =
        rows.iter().filter_map(|row| Some((wanted(row)?, row.code(tagger)?.score?))).collect();
    let about = scored.iter().filter(|(about, _score)| *about).count();
    if about == 0 || about == scored.len() {
        return;
    }
    let share = about as f64 / scored.len() as f64;
    let mut bins = [Bin::default(); BINS.len()];
    for (is_about, score) in &scored {
        let index = BINS.iter().rposition(|from| score >= from).unwrap_or_default();
        let weight = if *is_about { BASE_RATE / share } else { (1.0 - BASE_RATE) / (1.0 - share) };
        let bin = &mut bins[index];
        if *is_about {
            bin.about += 1
        } else {
            bin.not += 1
        }
        bin.sum += weight * carried_over(*score);
        bin.weight += weight;
        bin.about_weight += if *is_about { weight } else { 0.0 };
    }
    println!(
        "reliability of the score on {name}: {about} of {} about conflict; at a base rate of {BASE_RATE}",
        scored.len()
    );
    println!("    score        about conflict, as labelled        said at the base rate   is");
    let (mut error, mut whole) = (0.0, 0.0);
    for (index, bin) in bins.iter().enumerate().filter(|(_index, bin)| bin.weight > 0.0) {
        let to = BINS.get(index + 1).copied().unwrap_or(1.0);
        let (said, is) = (bin.sum / bin.weight, bin.about_weight / bin.weight);
        error += bin.weight * (said - is).abs();
        whole += bin.weight;
        let labelled = rate(bin.about, bin.about + bin.not);
        println!(
            "    {:.2}-{to:.2}    {labelled:36} {said:.3}                {is:.3}",
            BINS[index]
        );
    }
    println!("    expected calibration error at the base rate: {:.4}", error / whole);
}

fn carried_over(score: f64) -> f64 {
    let odds = |share: f64| share / (1.0 - share);
    let score = score.clamp(0.0005, 0.9995);
    let odds = odds(score) * odds(BASE_RATE) / odds(MODEL_RATE);
    odds / (1.0 + odds)
}
