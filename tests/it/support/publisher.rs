//! A scripted publisher: an HTTP server on 127.0.0.1 that answers each path as a test tells it to,
//! and keeps a log of every request and of how its answer ended.
//!
//! It speaks just enough HTTP/1.1 to misbehave in every way a test needs, so it is made of raw
//! sockets. What a growing feed contains is `support::growing`'s.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::ring;

/// The longest request head that is read: ours are a few hundred bytes.
const HEAD_MAX: usize = 64 * 1024;

/// The wait between two bytes of a drip.
const DRIP: Duration = Duration::from_millis(100);

/// One request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// "GET".
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// In order, names as sent.
    pub(crate) headers: Vec<(String, String)>,
    /// When its head had been read.
    pub(crate) at: Instant,
    /// Requests being answered at that moment under the same `Host`, this one included.
    pub(crate) in_flight: usize,
    /// The connection it came on, numbered from 0.
    pub(crate) connection: usize,
}

impl Request {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let same = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers.iter().find(same).map(|(_, value)| value.as_str())
    }

    /// Whether it may be answered with 304.
    pub(crate) fn is_conditional(&self) -> bool {
        self.header("if-none-match").is_some() || self.header("if-modified-since").is_some()
    }
}

/// How a body is delivered.
#[derive(Clone, Debug)]
pub(crate) enum Delivery {
    /// With its length.
    Whole,
    /// In chunks.
    Chunked,
    /// HTTP/1.0, ended by the end of the connection.
    UntilClose,
    /// Its whole length is announced, and the connection ends after so many bytes.
    CutAfter(usize),
    /// One byte at a time, as long as the client stays.
    Drip,
    /// Only when the gate opens.
    Held(Arc<Gate>),
    /// So many times over, as one body, with its length.
    Repeated(usize),
    /// Informational answers before it, as long as the client stays: it never comes.
    Hints,
    /// Nothing at all, not even a status, as long as the client stays.
    Never,
}

/// Keeps answers back until a test opens it.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    /// A closed gate.
    pub(crate) fn closed() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Lets everything through, now and later.
    pub(crate) fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn wait(&self) {
        let guard = self.open.lock().unwrap();
        drop(self.opened.wait_while(guard, |open| !*open).unwrap());
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    reason: String,
    headers: Vec<(String, String)>,
    body: Arc<[u8]>,
    delivery: Delivery,
}

impl Reply {
    /// An answer without a body.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            reason: "Scripted".to_owned(),
            headers: Vec::new(),
            body: Arc::new([]),
            delivery: Delivery::Whole,
        }
    }

    /// 200 with an RSS body.
    pub(crate) fn feed(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200).header("Content-Type", "application/rss+xml").body(body)
    }

    /// A redirect.
    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("Location", location)
    }

    /// No answer.
    pub(crate) fn never() -> Self {
        Self::status(200).delivered(Delivery::Never)
    }

    /// With another text after the status.
    pub(crate) fn reason(mut self, reason: &str) -> Self {
        reason.clone_into(&mut self.reason);
        self
    }

    /// With a header more.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With another body.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into().into();
        self
    }

    /// With another way of delivery.
    pub(crate) fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    fn head(&self) -> Vec<u8> {
        let version = if matches!(self.delivery, Delivery::UntilClose) { "1.0" } else { "1.1" };
        let mut head = format!("HTTP/{version} {} {}\r\n", self.status, self.reason);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = match self.delivery {
            Delivery::Chunked => {
                head.push_str("Transfer-Encoding: chunked\r\n");
                None
            }
            Delivery::UntilClose => None,
            Delivery::Repeated(times) => Some(self.body.len() * times),
            Delivery::Whole
            | Delivery::CutAfter(_)
            | Delivery::Drip
            | Delivery::Hints
            | Delivery::Held(_)
            | Delivery::Never => Some(self.body.len()),
        };
        if let Some(length) = length.filter(|_| !matches!(self.status, 204 | 304)) {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// A request and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// What was asked.
    pub(crate) request: Request,
    /// Whether the whole answer was handed to the client's connection.
    pub(crate) is_complete: bool,
}

type Script = Box<dyn FnMut(&Request) -> Reply + Send>;

#[derive(Default)]
struct Shared {
    scripts: Mutex<HashMap<String, Arc<Mutex<Script>>>>,
    log: Mutex<Vec<Exchange>>,
    in_flight: Mutex<HashMap<String, usize>>,
    connections: AtomicUsize,
    is_stopped: AtomicBool,
}

/// The server. Stops listening when dropped.
pub(crate) struct Publisher {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Publisher {
    /// Listens on a free port.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
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
        let script: Script = Box::new(script);
        self.shared.scripts.lock().unwrap().insert(path.to_owned(), Arc::new(Mutex::new(script)));
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
        self.shared.log.lock().unwrap().clone()
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

impl Drop for Publisher {
    fn drop(&mut self) {
        self.shared.is_stopped.store(true, Ordering::SeqCst);
        // Wakes the accepting thread; whether it still listens does not matter any more.
        drop(TcpStream::connect(self.address));
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        std::thread::spawn(move || converse(stream, &shared));
    }
}

/// Answers requests until either side ends the connection.
fn converse(mut stream: TcpStream, shared: &Shared) {
    let connection = shared.connections.fetch_add(1, Ordering::SeqCst);
    let mut pending = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut pending, connection) {
        if shared.is_stopped.load(Ordering::SeqCst) || !answer(&mut stream, shared, request) {
            break;
        }
    }
    // The client may be gone already.
    drop(stream.shutdown(Shutdown::Both));
}

fn read_request(
    stream: &mut TcpStream,
    pending: &mut Vec<u8>,
    connection: usize,
) -> Option<Request> {
    let end = loop {
        if let Some(end) = pending.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk).ok()?;
        if length == 0 || pending.len() > HEAD_MAX {
            return None;
        }
        pending.extend_from_slice(&chunk[..length]);
    };
    let head = String::from_utf8_lossy(&pending[..end]).into_owned();
    pending.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let method = words.next()?.to_owned();
    let path = words.next()?.to_owned();
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    Some(Request { method, path, headers, at: Instant::now(), in_flight: 0, connection })
}

/// Answers one request; whether the connection may be used again.
fn answer(stream: &mut TcpStream, shared: &Shared, mut request: Request) -> bool {
    let host = request.header("host").unwrap_or_default().to_owned();
    request.in_flight = {
        let mut in_flight = shared.in_flight.lock().unwrap();
        let count = in_flight.entry(host.clone()).or_default();
        *count += 1;
        *count
    };
    let script = shared.scripts.lock().unwrap().get(&request.path).cloned();
    let reply =
        script.map_or_else(|| Reply::status(404), |script| script.lock().unwrap()(&request));
    let number = {
        let mut log = shared.log.lock().unwrap();
        log.push(Exchange { request, is_complete: false });
        log.len() - 1
    };
    ring();
    // A client that leaves in the middle is what many tests are about.
    let is_complete = deliver(stream, &reply).unwrap_or(false);
    *shared.in_flight.lock().unwrap().entry(host).or_default() -= 1;
    shared.log.lock().unwrap()[number].is_complete = is_complete;
    ring();
    is_complete && !matches!(reply.delivery, Delivery::UntilClose)
}

/// Sends a reply; whether all of it was sent.
fn deliver(stream: &mut TcpStream, reply: &Reply) -> std::io::Result<bool> {
    let body = &reply.body;
    match &reply.delivery {
        Delivery::Never => {
            // Comes back when the client gives up.
            drop(stream.read(&mut [0]));
            return Ok(false);
        }
        Delivery::Hints => {
            let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(1000);
            loop {
                stream.write_all(hints.as_bytes())?;
            }
        }
        Delivery::Held(gate) => {
            gate.wait();
            stream.write_all(&[&reply.head(), &body[..]].concat())?;
        }
        Delivery::Whole | Delivery::UntilClose => {
            stream.write_all(&[&reply.head(), &body[..]].concat())?;
        }
        Delivery::Chunked => {
            stream.write_all(&reply.head())?;
            for chunk in body.chunks(1000) {
                stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
                stream.write_all(&[chunk, b"\r\n"].concat())?;
            }
            stream.write_all(b"0\r\n\r\n")?;
        }
        Delivery::CutAfter(bytes) => {
            stream.write_all(&reply.head())?;
            stream.write_all(body.get(..*bytes).unwrap_or(body))?;
            return Ok(false);
        }
        Delivery::Repeated(times) => {
            stream.write_all(&reply.head())?;
            (0..*times).try_for_each(|_| stream.write_all(body))?;
        }
        Delivery::Drip => {
            stream.write_all(&reply.head())?;
            return drip(stream, body);
        }
    }
    stream.flush()?;
    Ok(true)
}

fn drip(stream: &mut TcpStream, body: &[u8]) -> std::io::Result<bool> {
    stream.set_read_timeout(Some(DRIP))?;
    for byte in body {
        stream.write_all(&[*byte])?;
        match stream.read(&mut [0]) {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(err) => return Err(err),
        }
    }
    stream.set_read_timeout(None)?;
    Ok(true)
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
