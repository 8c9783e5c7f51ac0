//! Which language the texts of a document show together.

use crate::model::{Entry, EntryText};
use crate::normalise::language::sure;
use crate::normalise::text::{Layout, plain_text};

/// How many entries of a document show the language of its texts.
const ENTRIES_SAMPLED: usize = 20;

/// How many characters of a headline or teaser show it; markup counts.
const SAMPLE_CHARS: usize = 200;

/// The language that a document's headlines and teasers show together, for one headline alone is too
/// short to tell. `None` where they are in several.
pub(super) fn shown_language(entries: &[Entry]) -> Option<String> {
    let texts = entries.iter().take(ENTRIES_SAMPLED).flat_map(sample);
    sure(&texts.collect::<Vec<_>>().join("\n"))
}

/// The beginnings of an entry's headline and teaser.
fn sample(entry: &Entry) -> impl Iterator<Item = String> {
    [&entry.title, &entry.summary].into_iter().flatten().filter_map(|text| {
        let value = text.value.chars().take(SAMPLE_CHARS).collect();
        plain_text(&EntryText { kind: text.kind, value }, Layout::Line)
    })
}
