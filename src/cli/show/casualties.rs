//! Numbers of casualties in words.

use cw_model::record::{RecordCasualties, RecordCasualtyKind, RecordCasualtyScope};

use super::text::Text;
use super::{QUIET, STRONG};

/// What happened stands out, what is told for context does not.
pub(super) fn casualties_text(one: &RecordCasualties) -> Text {
    let is_news = matches!(one.scope, RecordCasualtyScope::Event | RecordCasualtyScope::Update);
    Text::new(&casualties(one), if is_news { STRONG } else { QUIET })
}

/// "killed 12+ (event)".
fn casualties(one: &RecordCasualties) -> String {
    let kind = match one.kind {
        RecordCasualtyKind::Killed => "killed",
        RecordCasualtyKind::Wounded => "wounded",
        RecordCasualtyKind::Missing => "missing",
        RecordCasualtyKind::Displaced => "displaced",
        RecordCasualtyKind::Detained => "detained",
        RecordCasualtyKind::Other => "otherwise hit",
    };
    let scope = match one.scope {
        RecordCasualtyScope::Event => "event",
        RecordCasualtyScope::Update => "new total",
        RecordCasualtyScope::Background => "background",
        RecordCasualtyScope::Historical => "historical",
        RecordCasualtyScope::Hypothetical => "hypothetical",
        RecordCasualtyScope::Denied => "denied",
        RecordCasualtyScope::Other => "of a scope unknown to this version",
    };
    let number = match (one.low, one.high) {
        (Some(low), Some(high)) if low == high => grouped(low),
        (Some(low), Some(high)) => format!("{}–{}", grouped(low), grouped(high)),
        (Some(low), None) => format!("{}+", grouped(low)),
        (None, Some(high)) => format!("up to {}", grouped(high)),
        (None, None) => "some".to_owned(),
    };
    // A part is no news beside the whole, and must not be added to it.
    let part = if one.part_of.is_some() { ", part of another" } else { "" };
    format!("{kind} {number} ({scope}{part})")
}

/// A number as people write it: "250,000".
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_casualties_read_as_people_write_them() {
        let say = |low, high| {
            casualties(&RecordCasualties {
                kind: RecordCasualtyKind::Killed,
                low,
                high,
                scope: RecordCasualtyScope::Update,
                side: None,
                part_of: None,
                supersedes: None,
                evidence: Vec::new(),
            })
        };
        assert_eq!(say(Some(43), Some(43)), "killed 43 (new total)");
        assert_eq!(say(Some(10), Some(15)), "killed 10–15 (new total)");
        assert_eq!(say(Some(1000), None), "killed 1,000+ (new total)");
        assert_eq!(say(None, Some(20)), "killed up to 20 (new total)");
        assert_eq!(say(None, None), "killed some (new total)");
    }

    #[test]
    fn digits_are_grouped_by_three() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (250_000, "250,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
