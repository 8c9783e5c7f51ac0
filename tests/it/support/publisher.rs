//! A scripted publisher: the small HTTP server that the demo has too, answering each path as a test tells
//! it to. What a growing feed contains is `support::growing`'s.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) use conflictwire::publisher::{Delivery, Exchange, Gate, Reply, Request};
use conflictwire::publisher::{Log, Server};
use tokio_util::sync::DropGuard;

use super::ring;

type Script = Box<dyn FnMut(&Request) -> Reply + Send>;
type Scripts = Arc<Mutex<HashMap<String, Script>>>;

/// The server. Stops when dropped.
pub(crate) struct Publisher {
    address: SocketAddr,
    log: Log,
    scripts: Scripts,
    _serving: DropGuard,
}

impl Publisher {
    /// Listens on a free port.
    pub(crate) fn start() -> Self {
        let scripts = Scripts::default();
        let asked = Arc::clone(&scripts);
        let answer = move |request: &Request| match asked.lock().unwrap().get_mut(&request.path) {
            Some(script) => script(request),
            None => Reply::status(404),
        };
        let server = Server::bind_observed(answer, ring).unwrap();
        let (address, log) = (server.address(), server.log());
        Self { address, log, scripts, _serving: server.start().unwrap() }
    }

    /// The URL of a path, by address.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The URL of a path under an invented host, which the daemon must be told to resolve.
    pub(crate) fn url_at(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.address.port())
    }

    /// Answers a path by a function, from the next request on.
    pub(crate) fn script(
        &self,
        path: &str,
        script: impl FnMut(&Request) -> Reply + Send + 'static,
    ) {
        self.scripts.lock().unwrap().insert(path.to_owned(), Box::new(script));
    }

    /// Answers a path with these in turn, and with the last for ever.
    pub(crate) fn serve(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        let mut replies: Vec<Reply> = replies.into_iter().collect();
        replies.reverse();
        self.script(path, move |_| match replies.len() {
            0 => Reply::status(404),
            1 => replies[0].clone(),
            _ => replies.pop().unwrap_or_else(|| Reply::status(500)),
        });
    }

    /// Everything asked for so far, in the order it came.
    pub(crate) fn log(&self) -> Vec<Exchange> {
        self.log.exchanges()
    }

    /// Every request for a path so far.
    pub(crate) fn requests(&self, path: &str) -> Vec<Request> {
        let asked = self.log().into_iter().map(|exchange| exchange.request);
        asked.filter(|request| request.path == path).collect()
    }

    /// Waits for the `count`th request of a path and returns the first `count`.
    #[track_caller]
    pub(crate) fn wait_for_requests(&self, path: &str, count: usize) -> Vec<Request> {
        super::eventually(format!("request {count} of {path}"), || {
            let requests = self.requests(path);
            (requests.len() >= count).then(|| requests.into_iter().take(count).collect())
        })
    }
}

/// A listener that nobody may connect to.
pub(crate) struct Tripwire {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Tripwire {
    /// Listens on a free port of an address.
    pub(crate) fn start(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        // Ends with the test process: it holds nothing but its port.
        std::thread::spawn(move || {
            for _ in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address, connections }
    }

    /// Where it listens.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connected.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Asks as a poller would; the head and body of the answer.
pub(crate) fn get(publisher: &Publisher, path: &str, headers: &str) -> (String, String) {
    let url = publisher.url("");
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.to_owned(), body.to_owned())
}
