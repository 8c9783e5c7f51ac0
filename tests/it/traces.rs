//! A poll is a trace, if a collector is named: it says what the poll came to, and neither publishers nor polls notice.

use std::collections::BTreeSet;

use opentelemetry_proto::tonic::trace::v1::Span;

use crate::support::collector::{Collector, attribute, spans};
use crate::support::daemon::field;
use crate::support::publisher::Reply;
use crate::support::run::{FEED, PATH, Run, headlines};

/// A daemon that polls a feed with two articles, then 304, then 503.
fn traced(collector: &Collector, drain_timeout: &str) -> Run {
    let document = headlines(&["A", "B"]);
    let replies =
        [Reply::feed(document).header("ETag", "\"1\""), Reply::status(304), Reply::status(503)];
    Run::configured(replies, |setup, _| {
        setup
            .set("telemetry.otlp_endpoint", collector.url())
            .set("run.drain_timeout", drain_timeout);
    })
}

/// The span of this name below a poll.
fn child<'a>(spans: &'a [Span], poll: &Span, name: &str) -> &'a Span {
    let is_below = |span: &&Span| {
        span.trace_id == poll.trace_id && span.parent_span_id == poll.span_id && span.name == name
    };
    spans.iter().find(is_below).unwrap_or_else(|| panic!("no {name} below {poll:?}"))
}

#[test]
fn each_poll_is_a_trace_and_publishers_are_not_told() {
    let collector = Collector::answering(&[200]);
    let run = traced(&collector, "20s");
    run.state_after(3);
    let requests = run.requests(3);
    // What is noted and not yet sent is sent before the end.
    run.daemon.stop();
    for request in &requests {
        let told = ["traceparent", "tracestate", "baggage"].map(|name| request.header(name));
        assert_eq!(told, [None; 3]);
    }
    let requests = collector.requests();
    let resource = requests[0].resource_spans[0].resource.clone().unwrap();
    let of = |name: &str| attribute(&resource.attributes, name);
    assert_eq!(of("service.name"), "conflictwire");
    assert_eq!(of("service.version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(of("service.instance.id").len(), 32);
    let spans = collector.spans();
    let mut polls: Vec<&Span> = spans.iter().filter(|span| span.name == "poll").collect();
    polls.sort_by_key(|poll| poll.start_time_unix_nano);
    let traces: BTreeSet<_> = polls.iter().map(|poll| &poll.trace_id).collect();
    assert!(traces.len() == polls.len() && polls.len() >= 3, "{polls:#?}");
    for poll in &polls[..3] {
        assert!(poll.parent_span_id.is_empty());
        assert_eq!(attribute(&poll.attributes, "feed.id"), FEED);
        assert_eq!(attribute(&poll.attributes, "server.address"), "127.0.0.1");
        assert_eq!(attribute(&poll.attributes, "poll.ended"), "committed");
        let [fetch, read, commit] =
            ["fetch", "read", "commit"].map(|name| child(&spans, poll, name));
        let moments = [
            poll.start_time_unix_nano,
            fetch.start_time_unix_nano,
            fetch.end_time_unix_nano,
            read.start_time_unix_nano,
            read.end_time_unix_nano,
            commit.start_time_unix_nano,
            commit.end_time_unix_nano,
            poll.end_time_unix_nano,
        ];
        assert!(moments.is_sorted(), "{moments:?}");
    }
    let [modified, unmodified, failed] = polls[..3] else { unreachable!("there are three") };
    let of = |span: &Span, name: &str| attribute(&span.attributes, name);
    assert_eq!([of(modified, "poll.result"), of(modified, "entry.new")], ["modified", "2"]);
    assert_eq!(of(modified, "record.count"), "2");
    let fetch = child(&spans, modified, "fetch");
    assert_eq!(of(fetch, "http.response.status_code"), "200");
    let size = headlines(&["A", "B"]).len().to_string();
    assert_eq!(of(fetch, "document.size"), size);
    assert_eq!(of(unmodified, "poll.result"), "not_modified");
    assert_eq!(of(child(&spans, unmodified, "fetch"), "http.response.status_code"), "304");
    assert_eq!([of(failed, "poll.result"), of(failed, "error.type")], ["failed", "busy"]);
    let status = failed.status.clone().unwrap();
    assert!(status.code == 2 && status.message.contains("503"), "{status:?}");
    assert!(modified.status.is_none() && unmodified.status.is_none());
}

#[test]
fn what_a_collector_cannot_take_now_is_sent_again_as_it_was() {
    let collector = Collector::answering(&[503, 200]);
    let run = traced(&collector, "20s");
    let requests = collector.wait_for_requests(2);
    assert_eq!(requests[0], requests[1]);
    let sent = spans(&requests[0]).len();
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    run.daemon.wait_for_metric("conflictwire_trace_spans_total", "outcome=\"sent\"", sent as f64);
    assert!(run.daemon.line("the collector takes traces again").is_some());
    run.daemon.stop();
}

#[test]
fn a_collector_that_never_answers_stops_no_poll_and_no_end() {
    let collector = Collector::answering(&[]);
    let mut run = traced(&collector, "4s");
    run.state_after(3);
    run.daemon.signal("TERM");
    assert!(run.daemon.wait_for_end().success(), "{}", run.daemon.text());
    let line = run.daemon.line("traces were dropped at the end: the collector did not take them");
    let lost = field(&line.unwrap(), "span.count").and_then(serde_json::Value::as_u64);
    assert!(lost.is_some_and(|lost| lost >= 12), "{lost:?}");
    assert_eq!(run.ledger.rows_of(FEED).len(), 2);
    assert!(run.publisher.requests(PATH).len() >= 3);
}

#[test]
fn the_variables_of_opentelemetry_are_read_only_if_asked() {
    let collector = Collector::answering(&[200]);
    let run = |endpoint: &str| {
        let replies = [Reply::feed(headlines(&["A"]))];
        let run = Run::configured(replies, |setup, _| {
            setup
                .set("telemetry.otlp_endpoint", endpoint)
                .environment("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url());
        });
        run.state_after(1);
        run.daemon.stop();
    };
    run("off");
    assert_eq!(collector.spans().len(), 0);
    run("environment");
    assert!(collector.spans().len() >= 4);
}
