//! The words behind a tag, in the sentence that holds them.

use anstyle::Style;
use cw_model::Record;
use cw_model::record::{RecordEvidence, RecordField};

use super::text::Text;

/// How the words and what surrounds them look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) words: Style,
    pub(super) around: Style,
}

/// Evidence as a person reads it: its words in quotes, with as much of their sentence as fits.
///
/// If the record's text does not hold the words where the evidence says, they stand alone.
pub(super) fn snippet(
    record: &Record,
    evidence: &RecordEvidence,
    columns: usize,
    look: Look,
) -> Text {
    let mut shown = Text::new("“", look.words);
    shown.push(&evidence.text, look.words);
    shown.push("”", look.words);
    let Some((before, after)) = surroundings(record, evidence) else { return shown };

    let free = columns.saturating_sub(shown.columns());
    let (wanted_before, wanted_after) = (width(&before), width(&after));
    // Each side gets half, and what the other does not need.
    let for_before = (free / 2).max(free.saturating_sub(wanted_after));
    let before = end_of(&before, wanted_before.min(for_before));
    let after = start_of(&after, free.saturating_sub(width(&before)));
    let mut line = Text::new(&before, look.around);
    line.append(shown);
    line.push(&after, look.around);
    line.cut(columns)
}

/// What stands in the sentence before and after the words.
fn surroundings(record: &Record, evidence: &RecordEvidence) -> Option<(String, String)> {
    let field = match evidence.field {
        RecordField::Title => &record.title,
        RecordField::Summary => &record.summary,
        RecordField::Body => &record.body,
        RecordField::Other => return None,
    };
    let chars: Vec<char> = field.as_ref()?.chars().collect();
    let start = usize::try_from(evidence.start).ok()?;
    let end = usize::try_from(evidence.end).ok()?;
    let words: String = chars.get(start..end)?.iter().collect();
    if words != evidence.text {
        return None;
    }
    let (head, tail) = (chars.get(..start)?, chars.get(end..)?);
    let ends = |pair: &[char]| matches!(pair, [one, next] if ends_sentence(*one, *next));
    // The last character before the words ends a sentence only if it is the end of a line.
    let first = match head.last() {
        Some('\n') => head.len(),
        _ => head.windows(2).rposition(ends).map_or(0, |at| at + 1),
    };
    let last = tail.windows(2).position(ends).map_or(tail.len(), |at| at + 1);
    let before: String = head.get(first..)?.iter().collect();
    let after: String = tail.get(..last)?.iter().collect();
    Some((before.trim_start().to_owned(), after.trim_end().to_owned()))
}

fn ends_sentence(one: char, next: char) -> bool {
    one == '\n' || (matches!(one, '.' | '!' | '?' | '…' | '؟' | '。') && next.is_whitespace())
}

fn width(text: &str) -> usize {
    Text::new(text, Style::new()).columns()
}

/// The last words that fit, after an ellipsis if that is not all; nothing if no word fits.
fn end_of(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let starts = text.char_indices().filter(|(_, char)| char.is_whitespace());
    let fitting = starts
        .filter_map(|(at, _)| text.get(at..))
        .map(str::trim_start)
        .find(|rest| !rest.is_empty() && width(rest) < columns);
    fitting.map(|rest| format!("…{rest}")).unwrap_or_default()
}

/// The first words that fit, before an ellipsis if that is not all; nothing if no word fits.
fn start_of(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let ends = text.char_indices().rev().filter(|(_, char)| char.is_whitespace());
    let fitting = ends
        .filter_map(|(at, _)| text.get(..at))
        .map(str::trim_end)
        .find(|start| !start.is_empty() && width(start) < columns);
    fitting.map(|start| format!("{start}…")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::record;
    use super::*;

    #[track_caller]
    fn check(body: &str, words: &str, columns: usize, expected: &str) {
        let mut record = record();
        record.body = Some(body.to_owned());
        let before = body.split(words).next().unwrap();
        let start = before.chars().count() as u64;
        let evidence = RecordEvidence {
            field: RecordField::Body,
            start,
            end: start + words.chars().count() as u64,
            text: words.to_owned(),
        };
        let look = Look { words: Style::new(), around: Style::new() };
        assert_eq!(snippet(&record, &evidence, columns, look).plain(), expected, "{words:?}");
    }

    #[test]
    fn the_sentence_is_shown_and_no_more() {
        check("It snowed. A truce began. It held.", "truce", 80, "A “truce” began.");
        check("One line\nA truce began\nIt held", "truce", 80, "A “truce” began");
        check("truce", "truce", 80, "“truce”");
    }

    #[test]
    fn a_long_sentence_is_cut_on_both_sides() {
        let long = "after weeks of talks by the lake a truce began on the first day of the month";
        check(long, "truce", 40, "…by the lake a “truce” began on the…");
    }

    #[test]
    fn where_one_side_is_short_the_other_gets_the_room() {
        check(
            "A truce began on the first day of the month",
            "truce",
            30,
            "A “truce” began on the first…",
        );
    }

    #[test]
    fn the_words_stand_alone_where_nothing_else_fits() {
        check("aaaaaaaa bbbbbbbb truce cccccccc", "truce", 7, "“truce”");
    }

    #[test]
    fn evidence_that_does_not_lie_in_the_text_stands_alone() {
        let record = record();
        let evidence = RecordEvidence {
            field: RecordField::Summary,
            start: 900,
            end: 905,
            text: "truce".to_owned(),
        };
        let look = Look { words: Style::new(), around: Style::new() };
        assert_eq!(snippet(&record, &evidence, 40, look).plain(), "“truce”");
    }
}
