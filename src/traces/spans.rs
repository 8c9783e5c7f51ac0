//! Spans as OTLP has them: one for the poll, and below it one each for fetching, reading and committing.

use std::collections::BTreeMap;
use std::time::Duration;

use cw_model::{Failure, PollResult};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::traced::{Fetch, ReadSpan, Traced};

/// Which conventions the names below are of.
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.45.0";

/// This program.
const NAME: &str = "conflictwire";

/// Its trace is looked at, by whoever has it.
const FLAGS_SAMPLED: u32 = 1;

/// Fills bytes that nobody can guess and nobody else has: ids.
pub(super) type Random<'a> = &'a mut dyn FnMut(&mut [u8]);

/// Attributes by name.
type Attributes = BTreeMap<&'static str, Value>;

/// What all spans of this process are of.
pub(super) fn resource(random: Random<'_>) -> Resource {
    let [a, b] = [id::<8>(random), id::<8>(random)];
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let attributes = Attributes::from([
        ("service.name", text(NAME)),
        ("service.version", text(env!("CARGO_PKG_VERSION"))),
        ("service.instance.id", text(&(hex(&a) + &hex(&b)))),
    ]);
    Resource { attributes: listed(attributes), ..Resource::default() }
}

/// A request that brings these polls, and how many spans it has.
pub(super) fn request(
    resource: &Resource,
    polls: &[Traced],
    random: Random<'_>,
) -> (ExportTraceServiceRequest, u64) {
    let spans: Vec<Span> = polls.iter().flat_map(|poll| spans(poll, random)).collect();
    let count = spans.len() as u64;
    let scope = InstrumentationScope {
        name: NAME.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let schema_url = SCHEMA_URL.to_owned();
    let of_scope = ScopeSpans { scope: Some(scope), spans, schema_url: schema_url.clone() };
    let of_resource =
        ResourceSpans { resource: Some(resource.clone()), scope_spans: vec![of_scope], schema_url };
    (ExportTraceServiceRequest { resource_spans: vec![of_resource] }, count)
}

/// The spans of one poll, the poll itself first.
fn spans(poll: &Traced, random: Random<'_>) -> Vec<Span> {
    let trace_id = id::<16>(random).to_vec();
    let root = id::<8>(random).to_vec();
    let at = |offset: Duration| {
        let nanoseconds = poll.began_at.as_nanosecond().max(0).unsigned_abs();
        u64::try_from(nanoseconds.saturating_add(offset.as_nanos())).unwrap_or(u64::MAX)
    };
    let mut made = vec![Span {
        span_id: root.clone(),
        trace_id: trace_id.clone(),
        name: "poll".to_owned(),
        kind: SpanKind::Internal.into(),
        flags: FLAGS_SAMPLED,
        start_time_unix_nano: at(Duration::ZERO),
        end_time_unix_nano: at(poll.took),
        attributes: listed(of_poll(poll)),
        status: status(poll.failure()),
        ..Span::default()
    }];
    let mut child = |name: &str, kind: SpanKind, (from, until), attributes, failure| {
        made.push(Span {
            span_id: id::<8>(random).to_vec(),
            trace_id: trace_id.clone(),
            parent_span_id: root.clone(),
            name: name.to_owned(),
            kind: kind.into(),
            flags: FLAGS_SAMPLED,
            start_time_unix_nano: at(from),
            end_time_unix_nano: at(until),
            attributes: listed(attributes),
            status: status(failure),
            ..Span::default()
        });
    };
    if let Some(fetch) = &poll.fetch {
        let within = (Duration::ZERO, fetch.until);
        let failure = fetch.failure.as_ref();
        child("fetch", SpanKind::Client, within, of_fetch(poll, fetch), failure);
    }
    if let Some(read) = &poll.read {
        let failure = poll.fetch.as_ref().and_then(|fetch| fetch.failure.as_ref());
        // What was not fetched is read as nothing, which is no failure of reading.
        let failure = read.failure().filter(|_| failure.is_none());
        child("read", SpanKind::Internal, (read.from, read.until), of_read(read), failure);
        let attributes = Attributes::from([
            ("lane.number", Value::IntValue(i64::from(poll.lane))),
            ("record.count", number(read.records as u64)),
        ]);
        child("commit", SpanKind::Internal, (read.until, poll.took), attributes, None);
    }
    made
}

fn of_poll(poll: &Traced) -> Attributes {
    let ended: &'static str = poll.ended.into();
    let mut attributes = Attributes::from([
        ("feed.id", text(&poll.feed)),
        ("server.address", text(&poll.host)),
        ("poll.ended", text(ended)),
    ]);
    if let Some(read) = &poll.read {
        let result = match read.result {
            PollResult::Modified(_) => "modified",
            PollResult::NotModified => "not_modified",
            PollResult::Failed(_) => "failed",
        };
        attributes.insert("poll.result", text(result));
        attributes.insert("record.count", number(read.records as u64));
        attributes.extend(of_read(read));
    }
    if let Some(failure) = poll.failure() {
        attributes.insert("error.type", text(failure.class.name()));
    }
    attributes
}

fn of_fetch(poll: &Traced, fetch: &Fetch) -> Attributes {
    let mut attributes = Attributes::from([
        ("http.request.method", text("GET")),
        ("url.scheme", text(poll.scheme)),
        ("server.address", text(&poll.host)),
    ]);
    if let Some(port) = poll.port {
        attributes.insert("server.port", Value::IntValue(i64::from(port)));
    }
    if let Some(status) = fetch.status {
        attributes.insert("http.response.status_code", Value::IntValue(i64::from(status)));
    }
    if let Some((sent, whole)) = fetch.bytes {
        attributes.insert("http.response.body.size", number(sent));
        attributes.insert("document.size", number(whole));
    }
    if let Some(failure) = &fetch.failure {
        attributes.insert("error.type", text(failure.class.name()));
    }
    attributes
}

fn of_read(read: &ReadSpan) -> Attributes {
    let mut attributes = Attributes::new();
    if let Some(counts) = read.counts() {
        attributes.insert("entry.new", number(counts.new));
        attributes.insert("entry.revised", number(counts.revised));
        attributes.insert("entry.unchanged", number(counts.unchanged));
        attributes.insert("entry.rejected", number(counts.rejected));
    }
    if let Some(failure) = read.failure() {
        attributes.insert("error.type", text(failure.class.name()));
    }
    attributes
}

/// Unset, as the conventions want it, unless something failed.
fn status(failure: Option<&Failure>) -> Option<Status> {
    failure
        .map(|failure| Status { code: StatusCode::Error.into(), message: failure.detail.clone() })
}

fn id<const BYTES: usize>(random: Random<'_>) -> [u8; BYTES] {
    let mut id = [0; BYTES];
    random(&mut id);
    // All zeros is no id.
    if id.iter().all(|byte| *byte == 0) {
        id.fill(1);
    }
    id
}

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

fn number(number: u64) -> Value {
    Value::IntValue(i64::try_from(number).unwrap_or(i64::MAX))
}

fn listed(attributes: Attributes) -> Vec<KeyValue> {
    let one = |(key, value): (&str, Value)| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    };
    attributes.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use cw_model::{EntryCounts, FailureClass};

    use super::*;
    use crate::traces::PollEnded;

    fn traced(ended: PollEnded, fetch: Option<Fetch>, read: Option<ReadSpan>) -> Traced {
        Traced {
            began_at: "2026-03-02T12:00:00Z".parse().unwrap(),
            took: Duration::from_millis(400),
            feed: "a.example".to_owned(),
            scheme: "https",
            host: "a.example".to_owned(),
            port: Some(443),
            lane: 3,
            ended,
            fetch,
            read,
        }
    }

    fn fetched(failure: Option<FailureClass>) -> Fetch {
        let failure =
            failure.map(|class| Failure { class, detail: "why".to_owned(), retry_after: None });
        Fetch { until: Duration::from_millis(100), status: None, bytes: None, failure }
    }

    fn read(result: PollResult) -> ReadSpan {
        let (from, until) = (Duration::from_millis(150), Duration::from_millis(200));
        ReadSpan { from, until, result, records: 2 }
    }

    /// Each span in a line: name, from and until in milliseconds, status.
    #[track_caller]
    fn check(poll: &Traced, expected: &[&str]) {
        let mut next = 0;
        let mut random = |bytes: &mut [u8]| {
            next += 1;
            bytes.fill(next);
        };
        let made = spans(poll, &mut random);
        assert_eq!(made.len() as u64, poll.spans());
        let begin = made[0].start_time_unix_nano;
        let since = |nanoseconds: u64| (nanoseconds - begin) / 1_000_000;
        let shown: Vec<String> = made
            .iter()
            .map(|span| {
                let status = span.status.as_ref().map_or("", |status| status.message.as_str());
                let (from, until) = (span.start_time_unix_nano, span.end_time_unix_nano);
                format!("{} {}-{} {status}", span.name, since(from), since(until))
            })
            .collect();
        assert_eq!(shown, expected);
        for span in &made[1..] {
            assert_eq!(
                (&span.trace_id, &span.parent_span_id),
                (&made[0].trace_id, &made[0].span_id)
            );
        }
    }

    #[test]
    fn a_poll_has_a_span_for_each_thing_that_it_came_to() {
        let failed = |class| {
            let (detail, retry_after) = ("why".to_owned(), None);
            PollResult::Failed(Failure { class, detail, retry_after })
        };
        let modified = PollResult::Modified(EntryCounts::default());
        check(
            &traced(PollEnded::Committed, Some(fetched(None)), Some(read(modified))),
            &["poll 0-400 ", "fetch 0-100 ", "read 150-200 ", "commit 200-400 "],
        );
        let busy = FailureClass::Busy;
        check(
            &traced(PollEnded::Committed, Some(fetched(Some(busy))), Some(read(failed(busy)))),
            &["poll 0-400 why", "fetch 0-100 why", "read 150-200 ", "commit 200-400 "],
        );
        let html = failed(FailureClass::Html);
        check(
            &traced(PollEnded::Committed, Some(fetched(None)), Some(read(html))),
            &["poll 0-400 why", "fetch 0-100 ", "read 150-200 why", "commit 200-400 "],
        );
        check(&traced(PollEnded::PutOff, None, None), &["poll 0-400 "]);
    }
}
