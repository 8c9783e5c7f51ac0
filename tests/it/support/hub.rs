//! A WebSub hub that does what the standard says: takes subscriptions, verifies them, pushes with a signature, and tries
//! again where it is asked to.
//!
//! A hub that others wrote is tried by `make test-websub`, which installs it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};

use conflictwire::publisher::{Log, Reply, Request, Server};
use ring::hmac;
use url::Url;
use url::form_urlencoded::{Serializer, parse};

use super::{PATIENCE, eventually, ring};

/// What the hub was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// `subscribe`, `unsubscribe`.
    pub(crate) mode: String,
    /// The feed.
    pub(crate) topic: String,
    /// Where to push.
    pub(crate) callback: String,
    /// What to sign with.
    pub(crate) secret: String,
    /// What the subscriber said to the verification: the status.
    pub(crate) verified: Option<u16>,
}

#[derive(Default)]
struct Inner {
    wishes: Vec<Wish>,
    /// Which requests have been answered and, if they are wishes, taken.
    answered: BTreeSet<usize>,
    /// Secrets by topic and callback.
    subscriptions: BTreeMap<(String, String), String>,
    /// Where callbacks are, whatever host they name: what a web server in front of them does.
    subscriber: Option<SocketAddr>,
}

/// The hub. Its thread ends with the test process: it holds nothing but its port.
#[derive(Clone)]
pub(crate) struct Hub {
    address: SocketAddr,
    lease: u64,
    status: u16,
    inner: Arc<Mutex<Inner>>,
}

impl Hub {
    /// Grants leases of so many seconds.
    pub(crate) fn start(lease: u64) -> Self {
        Self::answering(lease, 202)
    }

    /// Answers requests with this status; it is a hub only with a good one.
    pub(crate) fn answering(lease: u64, status: u16) -> Self {
        let inner: Arc<Mutex<Inner>> = Arc::default();
        let log: Arc<OnceLock<Log>> = Arc::default();
        let hub = Self { address: ([127, 0, 0, 1], 0).into(), lease, status, inner };
        let (answering, taking, answered) = (hub.clone(), hub.clone(), Arc::clone(&log));
        let changed = move || answered.get().into_iter().for_each(|log| taking.take_answered(log));
        let server = Server::bind_observed(move |request| answering.answer(request), changed);
        let server = server.unwrap();
        let hub = Self { address: server.address(), ..hub };
        let _first = log.set(server.log());
        // Until the test process ends.
        let _serving = server.start().unwrap().disarm();
        hub
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The links of a feed that names it.
    pub(crate) fn links(&self, topic: &str) -> String {
        format!("<{}>; rel=\"hub\", <{topic}>; rel=\"self\"", self.url())
    }

    /// Callbacks are served here.
    pub(crate) fn reach(&self, subscriber: SocketAddr) {
        self.inner.lock().unwrap().subscriber = Some(subscriber);
        ring();
    }

    /// Everything it was asked for so far.
    pub(crate) fn wishes(&self) -> Vec<Wish> {
        self.inner.lock().unwrap().wishes.clone()
    }

    /// The `count`th wish, once it was verified.
    #[track_caller]
    pub(crate) fn wait_for_wish(&self, count: usize) -> Wish {
        eventually(format!("wish {count}"), || {
            self.wishes().get(count - 1).filter(|wish| wish.verified.is_some()).cloned()
        })
    }

    /// Pushes to all who want this topic, until each has taken it or said that it is over; what they said.
    #[track_caller]
    pub(crate) fn publish(&self, topic: &str, body: &str) -> Vec<u16> {
        let subscriptions = self.inner.lock().unwrap().subscriptions.clone();
        let wanting = subscriptions.iter().filter(|((wanted, _), _)| wanted == topic);
        let push = |callback: &str, secret: &str| {
            eventually("a push to be answered", || {
                let (status, _) = self.push(callback, &signature("sha256", secret, body), body)?;
                (status < 500).then_some(status)
            })
        };
        wanting.map(|((_, callback), secret)| push(callback, secret)).collect()
    }

    /// Pushes once, with this signature.
    pub(crate) fn push(
        &self,
        callback: &str,
        signature: &str,
        body: &str,
    ) -> Option<(u16, String)> {
        let headers = format!("X-Hub-Signature: {signature}\r\nContent-Length: {}\r\n", body.len());
        self.call("POST", callback, &headers, body)
    }

    /// Asks at a callback with more in its query.
    pub(crate) fn ask(&self, callback: &str, pairs: &[(&str, &str)]) -> Option<(u16, String)> {
        let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.call("GET", &format!("{callback}?{query}"), "", "")
    }

    fn call(&self, method: &str, url: &str, headers: &str, body: &str) -> Option<(u16, String)> {
        let url = Url::parse(url).unwrap();
        let path = &url[url::Position::BeforePath..];
        let address = eventually("where callbacks are", || self.inner.lock().unwrap().subscriber);
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let host = url.host_str().unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"
        );
        stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    fn answer(&self, request: &Request) -> Reply {
        Reply::status(if is_wish(request) { self.status } else { 400 })
    }

    /// Takes each wish whose answer was sent since, on a thread of its own: verifying it waits for the subscriber.
    fn take_answered(&self, log: &Log) {
        let mut inner = self.inner.lock().unwrap();
        let exchanges = log.exchanges().into_iter().enumerate();
        for (number, exchange) in exchanges.filter(|(_, exchange)| exchange.is_complete) {
            if inner.answered.insert(number) && is_wish(&exchange.request) {
                let hub = self.clone();
                std::thread::spawn(move || hub.take(&exchange.request.body));
            }
        }
    }

    /// Takes a wish, and verifies it.
    fn take(&self, form: &[u8]) {
        let value = |name: &str| {
            let found = parse(form).find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let (mode, topic) = (value("hub.mode"), value("hub.topic"));
        let (callback, secret) = (value("hub.callback"), value("hub.secret"));
        let wish = Wish { mode, topic, callback, secret, verified: None };
        let number = {
            let mut inner = self.inner.lock().unwrap();
            inner.wishes.push(wish.clone());
            inner.wishes.len() - 1
        };
        ring();
        if self.status >= 300 {
            return;
        }
        let challenge = format!("challenge-{number}");
        let mut pairs = vec![
            ("hub.mode", wish.mode.as_str()),
            ("hub.topic", wish.topic.as_str()),
            ("hub.challenge", challenge.as_str()),
        ];
        let lease = self.lease.to_string();
        if wish.mode == "subscribe" {
            pairs.push(("hub.lease_seconds", lease.as_str()));
        }
        let answer = self.ask(&wish.callback, &pairs);
        let mut inner = self.inner.lock().unwrap();
        let (status, echo) = answer.unwrap_or_default();
        if status == 200 && echo == challenge {
            let key = (wish.topic.clone(), wish.callback.clone());
            match wish.mode.as_str() {
                "subscribe" => inner.subscriptions.insert(key, wish.secret),
                _ => inner.subscriptions.remove(&key),
            };
        }
        inner.wishes[number].verified = Some(status);
        drop(inner);
        ring();
    }
}

/// Whether it is a form, and posted.
fn is_wish(request: &Request) -> bool {
    let kind = request.header("content-type");
    request.method == "POST" && kind == Some("application/x-www-form-urlencoded")
}

/// What a body is signed with.
pub(crate) fn signature(method: &str, secret: &str, body: &str) -> String {
    let algorithm = match method {
        "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "sha256" => hmac::HMAC_SHA256,
        "sha384" => hmac::HMAC_SHA384,
        _ => hmac::HMAC_SHA512,
    };
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), body.as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{method}={hex}")
}
