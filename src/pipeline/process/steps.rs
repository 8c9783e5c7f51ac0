//! How many steps of a document's allowance its entries and articles take.

use crate::model::{Article, Entry};

/// Steps for each byte that is normalised: markup, references, composition, language, digests.
const NORMALISE_STEPS: usize = 12;

/// Steps for each byte that is coded: words, phrases, rules.
const TAG_STEPS: usize = 24;

/// The steps that normalising an entry may take; each of its links is joined with a base of
/// `base_bytes`.
pub(super) fn entry_steps(entry: &Entry, base_bytes: usize) -> usize {
    let texts = [&entry.title, &entry.summary, &entry.content].into_iter().flatten();
    let text: usize = texts.map(|text| text.value.len()).sum();
    let lines = entry.authors.iter().chain(&entry.categories).chain(&entry.link);
    let lines: usize = lines.chain(&entry.guid).map(String::len).sum();
    let media: usize = entry.media.iter().map(|media| media.url.len() + base_bytes).sum();
    (text + lines + media + base_bytes).saturating_mul(NORMALISE_STEPS)
}

/// The steps that tagging an article may take.
pub(super) fn tag_steps(article: &Article) -> usize {
    let texts = [&article.title, &article.summary, &article.body];
    let bytes: usize = texts.into_iter().flatten().map(String::len).sum();
    bytes.saturating_mul(TAG_STEPS)
}
