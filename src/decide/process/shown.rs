//! Which language the texts of a document show together.

use cw_model::{Entry, EntryText, Steps, TooCostly};
use cw_text::language::sure;
use cw_text::plain::{Layout, plain_text};

/// How many entries of a document show the language of its texts.
const ENTRIES_SAMPLED: usize = 20;

/// How many characters of a headline or teaser show it; markup counts.
const SAMPLE_CHARS: usize = 200;

/// Steps for each byte of what is looked at: plain text is made of it, and it is held against what is
/// known of languages.
const BYTE_STEPS: usize = 20;

/// The language that a document's headlines and teasers show together, for one headline alone is too
/// short to tell. `None` where they are in several.
///
/// # Errors
/// [`TooCostly`] if that takes more steps than are left.
pub(super) fn shown_language(
    entries: &[Entry],
    steps: &Steps,
) -> Result<Option<String>, TooCostly> {
    let samples: Vec<EntryText> = entries.iter().take(ENTRIES_SAMPLED).flat_map(samples).collect();
    let bytes = samples.iter().map(|sample| sample.value.len()).sum::<usize>();
    steps.spend(bytes * BYTE_STEPS)?;
    let texts = samples.iter().filter_map(|sample| plain_text(sample, Layout::Line));
    Ok(sure(&texts.collect::<Vec<_>>().join("\n")))
}

/// The beginnings of an entry's headline and teaser.
fn samples(entry: &Entry) -> impl Iterator<Item = EntryText> {
    [&entry.title, &entry.summary].into_iter().flatten().map(|text| {
        let end = text.value.char_indices().nth(SAMPLE_CHARS).map(|(at, _)| at);
        let beginning = end.and_then(|end| text.value.get(..end)).unwrap_or(&text.value);
        EntryText { kind: text.kind, value: beginning.to_owned() }
    })
}

#[cfg(test)]
mod tests {
    use cw_model::TextKind;

    use super::*;

    #[test]
    fn whatever_is_looked_at_takes_steps() {
        let steps_of = |entries: usize, chars: usize| {
            let title = EntryText { kind: TextKind::Plain, value: "x".repeat(chars) };
            let entry = Entry { title: Some(title), ..Entry::default() };
            let steps = Steps::new(u64::MAX);
            shown_language(&vec![entry; entries], &steps).unwrap();
            steps.spent()
        };
        assert_eq!(steps_of(0, 100), 0);
        assert!(steps_of(1, 100) >= 100);
        assert_eq!(steps_of(20, 200), 20 * 2 * steps_of(1, 100));
        // And no more than that is looked at.
        assert_eq!(steps_of(40, 400), steps_of(20, 200));
        let title = Some(EntryText { kind: TextKind::Plain, value: "x".repeat(100) });
        let costly = shown_language(&[Entry { title, ..Entry::default() }], &Steps::new(10));
        assert!(costly.is_err());
    }
}
