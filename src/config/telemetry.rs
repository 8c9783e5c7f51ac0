//! Where traces go: the `[telemetry]` table.

use cw_text::web::{has_login, is_web};
use url::Url;

use super::Problem;
use super::environment::{Environment, OTLP, OTLP_TRACES};
use super::origin::Origins;
use super::raw::RawTelemetry;
use super::units::quoted;
use crate::traces::{FEATURE, IS_BUILT_IN, TraceSettings};

/// Longer URLs are none of a collector.
const ENDPOINT_BYTES_MAX: usize = 512;

/// Where traces of polls go; `None` if nowhere, or if there is a problem.
///
/// A mistake in the URL is told before what the program lacks: whoever builds another is to know.
pub(super) fn read(
    raw: &RawTelemetry,
    environment: &Environment,
    origins: &Origins,
    problems: &mut Vec<Problem>,
) -> Option<TraceSettings> {
    if raw.otlp_endpoint == "off" {
        return None;
    }
    let read = read_endpoint(&raw.otlp_endpoint, environment);
    let read = if IS_BUILT_IN { read } else { read.and_then(|_url| Err(lacking())) };
    match read {
        Ok(endpoint) => Some(TraceSettings { endpoint }),
        Err(text) => {
            problems.push(origins.problem("telemetry.otlp_endpoint", text));
            None
        }
    }
}

/// The URL to which traces are posted.
///
/// Source: OpenTelemetry Protocol Exporter, "Endpoint URLs for OTLP/HTTP".
fn read_endpoint(text: &str, environment: &Environment) -> Result<Url, String> {
    if text != "environment" {
        return read_url(&format!("{}/v1/traces", text.trim_end_matches('/')), text);
    }
    let (url, name) = environment.otlp_traces().ok_or_else(|| {
        format!(
            "\"environment\", and neither {OTLP_TRACES} nor {OTLP} is set; set one, or use \"off\""
        )
    })?;
    read_url(&url, &url)
        .map_err(|problem| format!("the variable {name} of the environment: {problem}"))
}

fn read_url(text: &str, given: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| {
        let is_plain = url.query().is_none() && url.fragment().is_none();
        is_web(url) && !has_login(url) && is_plain && text.len() <= ENDPOINT_BYTES_MAX
    });
    url.ok_or_else(|| {
        // Not shown if it holds a password.
        let given = if given.contains('@') { "the text".to_owned() } else { quoted(given) };
        format!(
            "{given} is no http or https URL of at most {ENDPOINT_BYTES_MAX} bytes without login, query and \
             fragment; use for example \"http://127.0.0.1:4318\", or \"off\", or \"environment\""
        )
    })
}

/// That this program cannot send traces, and what can be done.
fn lacking() -> String {
    format!(
        "this program was built without the feature \"{FEATURE}\" and sends no traces; build one with \
         `cargo build --release --features {FEATURE}`, or use \"off\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, variables: &[(&str, &str)], expected: Result<&str, &str>) {
        let environment: Environment = variables.iter().copied().collect();
        match (read_endpoint(text, &environment), expected) {
            (Ok(url), Ok(expected)) => assert_eq!(url.as_str(), expected),
            (Err(problem), Err(words)) => assert!(problem.contains(words), "{problem}"),
            (read, expected) => panic!("{read:?} is not {expected:?}"),
        }
    }

    #[test]
    fn an_endpoint_is_the_url_of_a_collector_or_what_the_environment_names_if_asked() {
        check("http://127.0.0.1:4318", &[], Ok("http://127.0.0.1:4318/v1/traces"));
        check("https://c.example/otlp/", &[], Ok("https://c.example/otlp/v1/traces"));
        let all = (OTLP, "http://all.example:4318/");
        let traces = (OTLP_TRACES, "http://traces.example/x");
        check("environment", &[all], Ok("http://all.example:4318/v1/traces"));
        check("environment", &[all, traces], Ok("http://traces.example/x"));
        check("http://c.example", &[all, traces], Ok("http://c.example/v1/traces"));
        check("environment", &[(OTLP, "")], Err("neither OTEL_EXPORTER_OTLP_TRACES_ENDPOINT nor"));
        check(
            "environment",
            &[(OTLP, "c.example:4318")],
            Err("the variable OTEL_EXPORTER_OTLP_ENDPOINT of"),
        );
        for text in ["", "localhost:4318", "grpc://c.example", "http://c.example/?a=1"] {
            check(text, &[], Err("is no http or https URL"));
        }
        check("http://ada:secret@c.example", &[], Err("the text is no http or https URL"));
    }
}
