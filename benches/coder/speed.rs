//! Texts a second of one core, with everything on, by processor time: the clock would tell how busy the machine is.

use std::fs::read_to_string;

use anyhow::Context as _;
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
        let start = processor_seconds()?;
        let times = 2_000_u32;
        for _text in 0..times {
            std::hint::black_box(tagger.code(texts, Some("en"), &Steps::new(u64::MAX))?);
        }
        rates.push(f64::from(times) / (processor_seconds()? - start));
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

/// How long this process has had a processor, by Linux's scheduler, in nanoseconds there.
fn processor_seconds() -> anyhow::Result<f64> {
    let path = "/proc/self/schedstat";
    let line = read_to_string(path).with_context(|| path)?;
    let first = line.split_whitespace().next().with_context(|| format!("{path} is empty"))?;
    Ok(first.parse::<f64>()? / 1e9)
}
