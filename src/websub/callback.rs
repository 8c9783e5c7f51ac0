//! The server at which hubs call back: to ask whether a subscription is wanted, and to say that there is news.
//!
//! The last step of a path names feed and generation, and proves that it was made here; whatever else is asked for is not
//! found. What is pushed is read for its signature alone, and dropped: the poll that follows reads the feed as always.

use std::sync::Arc;
use std::time::Duration;

use cw_decide::subscription::{HubReply, Mode, Said};
use cw_model::FeedId;
use cw_status::{Metrics, Pushed};
use hyper::body::{Body as _, Incoming};
use hyper::header::{
    ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use ring::hmac;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use url::form_urlencoded;

use super::key::{Key, unhex};
use crate::server::{self, ServerStartError};

/// The most bytes of what is pushed. Hubs push the whole feed, or its new entries; the feed itself may have as much.
const BODY_BYTES_MAX: u64 = 16 << 20;

/// How long the scheduler is waited for: it turns in milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// What may wait for the scheduler.
const MESSAGES_MAX: usize = 64;

/// What a hub is asked to wait, seconds, while somebody else polls the feed or nobody yet.
const RETRY_SECONDS: &str = "60";

/// Something that a hub said of a feed, in a subscription that was made here once.
#[derive(Debug)]
pub struct HubMessage {
    /// Of which feed.
    pub feed: FeedId,
    /// Of which of its subscriptions.
    pub generation: u32,
    /// What.
    pub said: Said,
    answered: oneshot::Sender<Option<HubReply>>,
}

impl HubMessage {
    /// Says what becomes of it; `None` if the feed is not polled here.
    pub fn answer(self, heard: Option<HubReply>) {
        // The hub may not have waited.
        let _gone = self.answered.send(heard);
    }
}

/// Answers hubs.
#[derive(Clone, Debug)]
pub struct Callbacks {
    key: Key,
    messages: mpsc::Sender<HubMessage>,
    metrics: Arc<Metrics>,
}

/// Starts serving. What is returned ends after `stop` is cancelled and the last answer is given.
///
/// # Errors
/// [`ServerStartError`].
pub fn start(
    listener: std::net::TcpListener,
    callbacks: Callbacks,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()>, ServerStartError> {
    let answer = move |request: Request<Incoming>| {
        let callbacks = callbacks.clone();
        async move { callbacks.answer(request).await }
    };
    server::start("websub", listener, answer, stop)
}

/// What a path names.
struct Callback {
    feed: FeedId,
    generation: u32,
}

impl Callbacks {
    /// Answers with this key, and where what hubs say comes out.
    pub fn new(key: Key, metrics: Arc<Metrics>) -> (Self, mpsc::Receiver<HubMessage>) {
        let (messages, comes) = mpsc::channel(MESSAGES_MAX);
        (Self { key, messages, metrics }, comes)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<String> {
        let Some(callback) = self.callback(request.uri().path()) else {
            self.metrics.hub_called(Pushed::Unknown);
            return plain(StatusCode::NOT_FOUND, "not found\n");
        };
        match *request.method() {
            Method::GET => self.verify(callback, request.uri().query().unwrap_or_default()).await,
            Method::POST => self.pushed(callback, request).await,
            _ => {
                let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and POST\n");
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
                response
            }
        }
    }

    fn callback(&self, path: &str) -> Option<Callback> {
        let (rest, token) = path.rsplit_once('/')?.1.rsplit_once('.')?;
        let (feed, generation) = rest.rsplit_once('.')?;
        let (feed, generation) = (FeedId::parse(feed).ok()?, generation.parse().ok()?);
        self.key.is_token(&feed, generation, token).then_some(Callback { feed, generation })
    }

    /// A hub asks whether this is wanted, or says that it does not want it (WebSub, 5.2 and 5.3).
    async fn verify(&self, callback: Callback, query: &str) -> Response<String> {
        let value = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let mode = match value("hub.mode").as_deref() {
            Some("subscribe") => Some(Mode::Subscribe),
            Some("unsubscribe") => Some(Mode::Unsubscribe),
            Some("denied") => None,
            _ => return plain(StatusCode::NOT_FOUND, "hub.mode is none that is known\n"),
        };
        let Some(topic) = value("hub.topic") else {
            return plain(StatusCode::NOT_FOUND, "there is no hub.topic\n");
        };
        let lease = value("hub.lease_seconds").and_then(|text| text.parse().ok());
        let lease = lease.map(Duration::from_secs);
        let (said, challenge, outcome) = match (mode, value("hub.challenge")) {
            (Some(mode), Some(challenge)) => {
                (Said::Verify { mode, topic, lease }, challenge, Pushed::Verified)
            }
            (Some(_), None) => return plain(StatusCode::NOT_FOUND, "there is no hub.challenge\n"),
            (None, _) => (Said::Denied { topic }, String::new(), Pushed::Denied),
        };
        match self.tell(callback, said, outcome).await {
            Ok(()) => plain(StatusCode::OK, challenge),
            Err(refusal) => refusal,
        }
    }

    /// A hub says that there is news (WebSub, 7). What has no good signature is ignored, and its sender told nothing.
    async fn pushed(&self, callback: Callback, request: Request<Incoming>) -> Response<String> {
        let secret = self.key.secret(&callback.feed, callback.generation);
        let (head, body) = request.into_parts();
        let is_signed = match Signature::of(&head.headers, &secret) {
            Some(signature) => signature.verifies(body).await,
            None => false,
        };
        let accepted = || plain(StatusCode::ACCEPTED, String::new());
        if !is_signed {
            debug!(feed.id = %callback.feed, "a push without a good signature is ignored");
            self.metrics.hub_called(Pushed::Unsigned);
            return accepted();
        }
        match self.tell(callback, Said::Pushed, Pushed::Pushed).await {
            Ok(()) => accepted(),
            Err(refusal) => refusal,
        }
    }

    /// Tells the scheduler, and counts what comes of it.
    async fn tell(
        &self,
        callback: Callback,
        said: Said,
        outcome: Pushed,
    ) -> Result<(), Response<String>> {
        let Callback { feed, generation } = callback;
        let (answered, answer) = oneshot::channel();
        let heard = match self.messages.try_send(HubMessage { feed, generation, said, answered }) {
            Ok(()) => timeout(PATIENCE, answer).await.ok().and_then(Result::ok).flatten(),
            // It has too much to do, or is gone.
            Err(_full) => None,
        };
        let (outcome, refusal) = match heard {
            Some(HubReply::Yes) => (outcome, None),
            Some(HubReply::Unasked) => {
                (Pushed::Unasked, Some(plain(StatusCode::NOT_FOUND, "nobody asked for that\n")))
            }
            Some(HubReply::Over) => {
                (Pushed::Over, Some(plain(StatusCode::GONE, "that subscription is over\n")))
            }
            None => {
                let text = "the feed is not polled here now; try again\n";
                let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, text);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
                (Pushed::Elsewhere, Some(response))
            }
        };
        self.metrics.hub_called(outcome);
        refusal.map_or(Ok(()), Err)
    }
}

/// `X-Hub-Signature`: what a body must sign to, and as far as it was read.
struct Signature {
    context: hmac::Context,
    key: hmac::Key,
    expected: Vec<u8>,
}

impl Signature {
    /// The first of a method that is known (WebSub, 7.1).
    fn of(headers: &HeaderMap, secret: &str) -> Option<Self> {
        headers.get_all("x-hub-signature").iter().find_map(|value| {
            let (method, signature) = value.to_str().ok()?.trim().split_once('=')?;
            let algorithm = match method.to_ascii_lowercase().as_str() {
                "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                "sha256" => hmac::HMAC_SHA256,
                "sha384" => hmac::HMAC_SHA384,
                "sha512" => hmac::HMAC_SHA512,
                _ => return None,
            };
            let key = hmac::Key::new(algorithm, secret.as_bytes());
            Some(Self { context: hmac::Context::with_key(&key), key, expected: unhex(signature)? })
        })
    }

    /// Whether it is that of this body, which is not kept.
    async fn verifies(mut self, mut body: Incoming) -> bool {
        let mut left = BODY_BYTES_MAX;
        while let Some(frame) =
            std::future::poll_fn(|context| std::pin::Pin::new(&mut body).poll_frame(context)).await
        {
            let Ok(frame) = frame else { return false };
            let Some(data) = frame.data_ref() else { continue };
            let Some(rest) = left.checked_sub(data.len() as u64) else { return false };
            left = rest;
            self.context.update(data);
        }
        let tag = self.context.sign();
        // Two digests are compared under a key: that takes as long wherever they differ.
        let compared = hmac::sign(&self.key, tag.as_ref());
        hmac::verify(&self.key, &self.expected, compared.as_ref()).is_ok()
    }
}

fn plain(status: StatusCode, text: impl Into<String>) -> Response<String> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
