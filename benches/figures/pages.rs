//! How well the texts of pages are found, and how many pages a core reads in a second.
//!
//! `cargo bench --bench figures -- pages`. The pages are those of `tests/pages`, of our own making: what they say is that no layout
//! is lost, not how well pages of the world are read.

use std::time::Duration;

use anyhow::Context;
use cw_model::Steps;
use cw_read::page::{Expected, read_page};

use super::pages_made::{Page, pages, word_f1};
use super::parsing::processor_time;

/// A page of a large outlet weighs so much, most of it scripts.
const PAGE_BYTES: usize = 300_000;

/// How often each page is read.
const ROUNDS: u32 = 20;

pub(crate) fn measure() -> anyhow::Result<()> {
    let pages = pages();
    let (mut sum, mut least) = (0.0, 1.0_f64);
    let mut time = Duration::ZERO;
    for page in &pages {
        let html = weighed(page);
        let text =
            read(page, &html).with_context(|| format!("{} {}", page.layout, page.language))?;
        let f1 = word_f1(&text, &page.text);
        (sum, least) = (sum + f1, least.min(f1));
        let before = processor_time()?;
        for _ in 0..ROUNDS {
            std::hint::black_box(read(page, &html));
        }
        time += processor_time()? - before;
    }
    let count = f64::from(u32::try_from(pages.len()).context("too many pages")?);
    let a_second = count * f64::from(ROUNDS) / time.as_secs_f64();
    println!(
        "| pages | word F1 | least of a page | pages/s on one core, of {PAGE_BYTES} bytes each |\n|---|---|---|---|"
    );
    println!("| {} | {:.3} | {least:.3} | {a_second:.0} |", pages.len(), sum / count);
    Ok(())
}

/// The page with as many scripts as large outlets have.
fn weighed(page: &Page) -> String {
    let script = "<script>window.data = {\"a\": \"<div class=b>\", \"c\": [1, 2, 3]};</script><div class=\"d e\"></div>";
    let times = PAGE_BYTES.saturating_sub(page.html.len()) / script.len();
    page.html.replacen("</head>", &format!("{}</head>", script.repeat(times)), 1)
}

fn read(page: &Page, html: &str) -> Option<String> {
    let expected = Expected {
        title: Some(page.title.to_owned()),
        teaser: Some(page.teaser.to_owned()),
        language: Some(page.language.to_owned()),
        text_chars_max: 100_000,
        ..Expected::default()
    };
    let steps = Steps::for_bytes(html.len());
    read_page(html.as_bytes(), Some("text/html; charset=utf-8"), &expected, &steps)
        .ok()
        .map(|page| page.body)
}
