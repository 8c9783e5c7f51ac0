//! What is answered: a whole text, or events as they come; and the headers that go with them.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// What `/api` is written in.
const JSON: &str = "application/json; charset=utf-8";

/// What the probes and their mistakes are written in.
const PLAIN: &str = "text/plain; charset=utf-8";

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Reply {
    /// A text; `None` once it is given out.
    Whole(Option<Bytes>),
    /// What comes until the sender goes.
    Events(mpsc::Receiver<Bytes>),
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Self::Events(events) => {
                events.poll_recv(context).map(|event| event.map(|event| Ok(Frame::data(event))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(text) => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64))
            }
            Self::Events(_) => SizeHint::default(),
        }
    }
}

/// A text in this format.
pub(super) fn written_in(
    format: &'static str,
    status: StatusCode,
    text: impl Into<Bytes>,
) -> Response<Reply> {
    let mut response = Response::new(Reply::Whole(Some(text.into())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(format));
    response
}

/// A line or two for probes and people.
pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Response<Reply> {
    written_in(PLAIN, status, text.into())
}

/// A value for programs.
pub(super) fn json(status: StatusCode, value: &Value) -> Response<Reply> {
    private(written_in(JSON, status, format!("{value}\n")))
}

/// What went wrong, for programs: `code` stays the same in later versions, `why` is for a person.
pub(super) fn problem(status: StatusCode, code: &str, why: &str) -> Response<Reply> {
    json(status, &json!({ "error": { "code": code, "text": why } }))
}

/// For whoever asked and nobody else: not kept, not guessed at, not read by pages of other origins.
pub(super) fn private(mut response: Response<Reply>) -> Response<Reply> {
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
