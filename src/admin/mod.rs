//! A small HTTP server for whoever runs the daemon. Read only.
//!
//! | path | answer |
//! |---|---|
//! | `/livez` | 200 while the scheduler's loop turns or a drain goes on, else 503 and since when |
//! | `/readyz` | 200 when state is restored and the ledger takes commits, else 503 and why |
//! | `/metrics` | OpenMetrics text |
//! | `/api/status` | how the program stands, as JSON |
//!
//! Probes and metrics are open to whoever reaches the port. The rest names feeds and hosts: the `gate`
//! says who may see it.

mod api;
mod gate;
mod reply;
mod server;

use std::net::IpAddr;
use std::sync::Arc;

pub use api::LedgerName;
use cw_status::status::hung_text;
use cw_status::{Metrics, Status};
use hyper::header::{ALLOW, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
pub use server::{AdminStartError, start};

use self::gate::Gate;
use self::reply::{Reply, json, problem, text, written_in};
use crate::clock::Clock;

/// What `/metrics` is written in.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the answers are made from.
#[derive(Clone, Debug)]
pub struct Admin {
    status: Arc<Status>,
    metrics: Arc<Metrics>,
    clock: Clock,
    ledger: LedgerName,
    gate: Gate,
}

impl Admin {
    /// What answers on a listener at this address.
    pub fn new(
        status: Arc<Status>,
        metrics: Arc<Metrics>,
        clock: Clock,
        ledger: LedgerName,
        address: IpAddr,
    ) -> Self {
        Self { status, metrics, clock, ledger, gate: Gate::of(address, None) }
    }

    /// Answers a question.
    fn answer(&self, question: &Parts) -> Response<Reply> {
        if question.method != Method::GET && question.method != Method::HEAD {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match question.uri.path() {
            "/" => text(StatusCode::OK, "conflictwire: /livez /readyz /metrics\n"),
            "/livez" => match self.status.alive() {
                Ok(()) => text(StatusCode::OK, "alive\n"),
                Err(since) => {
                    text(StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", hung_text(since)))
                }
            },
            "/readyz" => match self.status.unready() {
                None => text(StatusCode::OK, "ready\n"),
                Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", why.text())),
            },
            "/metrics" => {
                let text = self.metrics.text(&self.status.snapshot());
                written_in(OPEN_METRICS, StatusCode::OK, text)
            }
            path if path.starts_with("/api/") => match self.gate.admit(&question.headers) {
                Ok(()) => self.show(path),
                Err(refusal) => *refusal,
            },
            _ => text(StatusCode::NOT_FOUND, "not found; see /\n"),
        }
    }

    /// Answers somebody who was let in.
    fn show(&self, path: &str) -> Response<Reply> {
        match path {
            "/api/status" => {
                let status = api::status(&self.status.snapshot(), &self.ledger, self.clock.now());
                json(StatusCode::OK, &status)
            }
            _ => problem(
                StatusCode::NOT_FOUND,
                "not_found",
                "there is no such path; deploy/README.md lists them",
            ),
        }
    }
}
