//! Spans of time for people who look at many of them: rounded to one unit.

use std::time::Duration;

use cw_model::Timestamp;

/// A span of time in one unit: "90 s", "2 min", "2 h", "2 d".
pub fn span_text(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// How far a moment is away: "in 5 min", "2 h ago", "now".
pub fn distance_text(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.as_second() - now.as_second();
    let text = span_text(Duration::from_secs(seconds.unsigned_abs()));
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("in {text}"),
        _ => format!("{text} ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_at_a_glance() {
        let of = |seconds| span_text(Duration::from_secs(seconds));
        assert_eq!(
            [of(0), of(119), of(120), of(7200), of(200_000)],
            ["0 s", "119 s", "2 min", "2 h", "2 d"]
        );
        let now: Timestamp = "2026-03-02T12:30:00Z".parse().unwrap();
        let of = |at: &str| distance_text(at.parse().unwrap(), now);
        assert_eq!(of("2026-03-02T12:35:00Z"), "in 5 min");
        assert_eq!(of("2026-03-02T10:30:00.9Z"), "2 h ago");
        assert_eq!(of("2026-03-02T12:30:00.9Z"), "now");
    }
}
