//! Articles cut into words as `cw-code` cuts them, for tests and measurements of this crate alone.

use std::collections::HashSet;
use std::ops::Range;

use cw_model::Field;
use cw_text::words::{Cut, Spans, Words, cut_between};

/// Abbreviations before names; a text of ours has no others.
const ABBREVIATIONS: &str = "mr mrs ms dr st ft mt gen col capt lt sgt sen rep gov calif ala ariz ark colo conn del fla ga ill ind kan ky la mass md mich minn miss mo mont neb nev okla ore pa tenn tex va vt wash wis wyo jan feb aug sept oct nov dec co inc jr sr";

/// A word of an article.
pub(crate) struct Cutting<'a> {
    pub(crate) plain: String,
    pub(crate) written: &'a str,
    pub(crate) gap: &'a str,
    pub(crate) field: Field,
    pub(crate) sentence: usize,
    /// In its field, in code points.
    pub(crate) chars: Range<usize>,
}

/// The words of title, summary and body.
pub(crate) fn cut<'a>(title: &'a str, summary: &'a str, body: &'a str) -> Vec<Cutting<'a>> {
    let abbreviations: HashSet<String> = ABBREVIATIONS.split(' ').map(str::to_owned).collect();
    let mut cuttings = Vec::new();
    let mut sentence = 0;
    for (field, text) in [(Field::Title, title), (Field::Summary, summary), (Field::Body, body)] {
        let mut previous: Option<(Spans, String)> = None;
        let mut words = Words::new(text);
        loop {
            let mut plain = String::new();
            let Some(word) = words.next_into(&mut plain) else { break };
            let before = previous.as_ref();
            let from = before.map_or(word.bytes.start, |(before, _plain)| before.bytes.end);
            let gap = text.get(from..word.bytes.start).unwrap_or_default();
            let ends = before.is_none_or(|(before, plain)| {
                cut_between(before, plain, gap, &abbreviations) == Cut::Sentence
            });
            sentence += usize::from(ends);
            cuttings.push(Cutting {
                plain: plain.clone(),
                written: text.get(word.bytes.clone()).unwrap_or_default(),
                gap,
                field,
                sentence,
                chars: word.chars.clone(),
            });
            previous = Some((word, plain));
        }
    }
    cuttings
}

/// The same as the crate reads them.
pub(crate) fn tokens<'a>(cuttings: &'a [Cutting<'a>]) -> Vec<cw_places::Token<'a>> {
    let token = |of: &'a Cutting<'a>| cw_places::Token {
        plain: &of.plain,
        written: of.written,
        gap: of.gap,
        field: of.field,
        sentence: of.sentence,
    };
    cuttings.iter().map(token).collect()
}
