//! Texts a second of one core, with everything on.

use std::time::Instant;

use cw_code::{Tagger, Texts};
use cw_model::Steps;

/// News of our own, about 2.3 kB.
const BODY: &str = include_str!("speed.txt");

/// Prints the median of five runs.
pub(crate) fn report(tagger: &Tagger) -> anyhow::Result<()> {
    let texts = Texts {
        title: "Army shells rebels near the border as talks stall",
        summary: "",
        body: BODY,
        feed_country: None,
    };
    let mut rates = Vec::new();
    for _run in 0..5 {
        let start = Instant::now();
        let times = 2_000_u32;
        for _text in 0..times {
            std::hint::black_box(tagger.code(texts, Some("en"), &Steps::new(u64::MAX))?);
        }
        rates.push(f64::from(times) / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    println!(
        "{:.0} texts/s of {} bytes (median of 5; {:.0} to {:.0})",
        rates[2],
        BODY.len(),
        rates[0],
        rates[4]
    );
    Ok(())
}
