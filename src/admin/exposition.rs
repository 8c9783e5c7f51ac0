//! Metrics, in the format that is asked for: OpenMetrics, or Prometheus' older text.

use cw_status::prometheus_text::prometheus_text;
use hyper::header::{ACCEPT, HeaderMap};
use hyper::{Response, StatusCode};

use super::reply::{Reply, written_in};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const OLDER_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The answer, of metrics in OpenMetrics.
pub(super) fn exposition(headers: &HeaderMap, open_metrics: String) -> Response<Reply> {
    let accepts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let is_older = is_older_preferred(accepts.flat_map(|value| value.split(',')));
    let (format, text) = match is_older {
        true => (OLDER_TEXT, prometheus_text(&open_metrics)),
        false => (OPEN_METRICS, open_metrics),
    };
    written_in(format, StatusCode::OK, text)
}

/// Whether plain text is asked for, and rather than OpenMetrics (RFC 9110, 12.5.1). Who takes anything is given OpenMetrics.
fn is_older_preferred<'a>(ranges: impl Iterator<Item = &'a str>) -> bool {
    let (mut open, mut older) = (0.0_f32, 0.0_f32);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        if name.eq_ignore_ascii_case("application/openmetrics-text") {
            open = open.max(quality);
        } else if name.eq_ignore_ascii_case("text/plain") {
            older = older.max(quality);
        }
    }
    older > open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_text_is_for_those_who_ask_for_it() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("text/html,application/xhtml+xml,*/*;q=0.8", false),
            ("text/plain", true),
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true),
            ("TEXT/PLAIN; q=0", false),
            // Prometheus 2, and 3.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                false,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;q=0.3",
                false,
            ),
            ("application/openmetrics-text;q=0.2, text/plain;q=0.3", true),
        ] {
            assert_eq!(is_older_preferred(accept.split(',')), expected, "{accept}");
        }
    }
}
