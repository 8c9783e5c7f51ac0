//! Metrics in the text format that was there before OpenMetrics (version 0.0.4), for readers that know no other.
//!
//! Made of the OpenMetrics text, so that both say the same. Source: Prometheus, "Exposition formats"; OpenMetrics 1.0.

/// The same metrics in the older format. A counter is described by the name that its series have, an info is a gauge, units
/// and the mark of the end have no place in it.
pub fn prometheus_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    // What stands before the type of a metric, whose name it may change.
    let mut help = None;
    for line in open_metrics.lines() {
        let Some(about) = line.strip_prefix("# ") else {
            push_line(&mut text, line);
            continue;
        };
        let mut words = about.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("HELP"), Some(_name), said) => help = said,
            (Some("TYPE"), Some(name), Some(kind)) => {
                let (suffix, kind) = older_type(kind);
                if let Some(help) = help.take() {
                    // Quotes are escaped in OpenMetrics alone.
                    let help = help.replace("\\\"", "\"");
                    push_line(&mut text, &format!("# HELP {name}{suffix} {help}"));
                }
                push_line(&mut text, &format!("# TYPE {name}{suffix} {kind}"));
            }
            // UNIT and EOF.
            _ => {}
        }
    }
    text
}

/// What a metric of a type is called there: what its name ends in, and the type.
fn older_type(kind: &str) -> (&'static str, &str) {
    match kind {
        "counter" => ("_total", "counter"),
        "info" => ("_info", "gauge"),
        "stateset" => ("", "gauge"),
        "unknown" => ("", "untyped"),
        same => ("", same),
    }
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_types_are_those_of_the_older_format() {
        let open = "# HELP polls Polls: \\\"all\\\" of them.\n# TYPE polls counter\npolls_total{class=\"dns\"} 3\n\
                    # HELP build Version.\n# TYPE build info\nbuild_info{version=\"1\"} 1\n\
                    # HELP wait_seconds Waits.\n# TYPE wait_seconds histogram\n# UNIT wait_seconds seconds\n\
                    wait_seconds_bucket{le=\"+Inf\"} 1\nwait_seconds_sum 0.5\nwait_seconds_count 1\n\
                    # TYPE odd unknown\nodd 1\n# EOF\n";
        let older = "# HELP polls_total Polls: \"all\" of them.\n# TYPE polls_total counter\npolls_total{class=\"dns\"} 3\n\
                     # HELP build_info Version.\n# TYPE build_info gauge\nbuild_info{version=\"1\"} 1\n\
                     # HELP wait_seconds Waits.\n# TYPE wait_seconds histogram\n\
                     wait_seconds_bucket{le=\"+Inf\"} 1\nwait_seconds_sum 0.5\nwait_seconds_count 1\n\
                     # TYPE odd untyped\nodd 1\n";
        assert_eq!(prometheus_text(open), older);
    }
}
