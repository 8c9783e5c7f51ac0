//! A small HTTP server for whoever runs the daemon. Read only.
//!
//! | path | answer |
//! |---|---|
//! | `/livez` | 200 while the scheduler's loop turns or a drain goes on, else 503 and since when |
//! | `/readyz` | 200 when state is restored and the ledger takes commits, else 503 and why |
//! | `/metrics` | OpenMetrics text |

mod server;

use std::sync::Arc;

use cw_status::status::hung_text;
use cw_status::{Metrics, Status};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};
pub use server::{AdminStartError, start};

/// What `/metrics` is written in.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What everything else is written in.
const PLAIN: &str = "text/plain; charset=utf-8";

/// What the answers are made from.
#[derive(Clone, Debug)]
pub struct Admin {
    /// How the program stands.
    pub status: Arc<Status>,
    /// Everything counted.
    pub metrics: Arc<Metrics>,
}

impl Admin {
    /// Answers a question.
    fn answer(&self, method: &Method, path: &str) -> Response<String> {
        if method != Method::GET && method != Method::HEAD {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match path {
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
            _ => text(StatusCode::NOT_FOUND, "not found; see /\n"),
        }
    }
}

fn text(status: StatusCode, text: impl Into<String>) -> Response<String> {
    written_in(PLAIN, status, text.into())
}

fn written_in(format: &'static str, status: StatusCode, text: String) -> Response<String> {
    let mut response = Response::new(text);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(format));
    response
}
