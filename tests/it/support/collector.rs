//! An OpenTelemetry collector, as far as traces over HTTP go: it reads what is posted with OpenTelemetry's own messages, and
//! answers as it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use super::{eventually, ring};

/// Where traces are posted.
const PATH: &str = "/v1/traces";

/// The collector. Its threads end with the test process: they hold nothing but their port.
#[derive(Clone)]
pub(crate) struct Collector {
    address: SocketAddr,
    /// Statuses of the answers, the last for ever; without any it never answers.
    statuses: Vec<u16>,
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
}

impl Collector {
    /// Answers with these statuses in turn, and with the last for ever.
    pub(crate) fn answering(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let collector = Self { address, statuses: statuses.to_vec(), requests: Arc::default() };
        let serving = collector.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let collector = serving.clone();
                std::thread::spawn(move || collector.serve(&stream));
            }
        });
        collector
    }

    /// What `telemetry.otlp_endpoint` is to say.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything it was sent so far.
    pub(crate) fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        self.requests.lock().unwrap().clone()
    }

    /// The first `count` requests, once they have come.
    #[track_caller]
    pub(crate) fn wait_for_requests(&self, count: usize) -> Vec<ExportTraceServiceRequest> {
        eventually(format!("{count} requests to the collector"), || {
            let requests = self.requests();
            (requests.len() >= count).then_some(requests)
        })
    }

    /// Every span so far.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.requests().iter().flat_map(spans).collect()
    }

    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head).ok()? == 0 {
                    return None;
                }
            }
            let header = |name: &str| {
                let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.to_owned()).unwrap_or_default()
            };
            let mut body = vec![0; header("content-length").parse().ok()?];
            reader.read_exact(&mut body).ok()?;
            let is_traces = head.starts_with(&format!("POST {PATH} HTTP/1.1"))
                && header("content-type") == "application/x-protobuf";
            let request = ExportTraceServiceRequest::decode(body.as_slice()).ok();
            let number = {
                let mut requests = self.requests.lock().unwrap();
                requests.extend(request.filter(|_| is_traces));
                requests.len().saturating_sub(1)
            };
            ring();
            let last = self.statuses.last()?;
            let status = if is_traces { self.statuses.get(number).unwrap_or(last) } else { &400 };
            let answer = format!("HTTP/1.1 {status} Answer\r\nContent-Length: 0\r\n\r\n");
            (&*stream).write_all(answer.as_bytes()).ok()?;
        }
    }
}

/// The spans of a request.
pub(crate) fn spans(request: &ExportTraceServiceRequest) -> Vec<Span> {
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| scope.spans.clone()).collect()
}

/// An attribute as text; empty if it is not there.
pub(crate) fn attribute(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|found| found.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}
