//! A small HTTP/1.1 server on 127.0.0.1 that answers as it is told to: as publishers' servers should,
//! and as they should not.
//!
//! The demo, the tests and the benchmarks poll it; the daemon never starts it. It writes its answers
//! byte by byte, because no library for servers cuts a body short, sends hints without end or says
//! nothing. What is answered to whom is decided by who starts it; `reply` holds the ways to send it.

mod reply;
mod request;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use reply::{Delivery, Gate, Next, Reply};
pub use request::Request;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The longest request head that is read. Ours are some 400 bytes; this is more than servers
/// commonly allow.
const HEAD_MAX: usize = 64 * 1024;

/// The longest body of a request that is read: forms of subscribers have some hundred bytes.
const BODY_MAX: usize = 64 * 1024;

/// How long an open connection may stay silent: longer than any demo, so that connections can be
/// kept alive between polls.
const SILENCE_MAX: Duration = Duration::from_secs(75);

/// A request, and what became of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was asked.
    pub request: Request,
    /// The status of the answer; what is sent raw may have said another.
    pub status: u16,
    /// Whether the whole answer was handed to the client's connection.
    pub is_complete: bool,
}

type Answer = Box<dyn Fn(&Request) -> Reply + Send + Sync>;
type Observer = Box<dyn Fn() + Send + Sync>;

struct Shared {
    answer: Answer,
    changed: Observer,
    /// `None`: nobody wants it.
    log: Option<Mutex<Vec<Exchange>>>,
    in_flight: Mutex<HashMap<String, usize>>,
}

/// What a server was asked; stays readable while and after it serves.
#[derive(Clone)]
pub struct Log(Arc<Shared>);

impl Log {
    /// Every request so far, in order of arrival.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.0.log.as_ref().map(|log| locked(log).clone()).unwrap_or_default()
    }
}

/// A bound server.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Binds a free port of 127.0.0.1. `answer` is called on the thread that serves: it must not wait.
    ///
    /// # Errors
    /// What the system says if it gives no port.
    pub fn bind(
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        Self::bind_shared(answer, || {}, Some(Mutex::default()))
    }

    /// The same without a log: for so many requests that remembering them would be felt.
    ///
    /// # Errors
    /// What the system says if it gives no port.
    pub fn bind_unlogged(
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        Self::bind_shared(answer, || {}, None)
    }

    /// The same; `changed` is called after a request came into the log, and again when its answer ended.
    ///
    /// # Errors
    /// What the system says if it gives no port.
    pub fn bind_observed(
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
        changed: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        Self::bind_shared(answer, changed, Some(Mutex::default()))
    }

    fn bind_shared(
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
        changed: impl Fn() + Send + Sync + 'static,
        log: Option<Mutex<Vec<Exchange>>>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Shared {
            answer: Box::new(answer),
            changed: Box::new(changed),
            log,
            in_flight: Mutex::default(),
        };
        Ok(Self { listener, address, shared: Arc::new(shared) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it will have been asked.
    pub fn log(&self) -> Log {
        Log(Arc::clone(&self.shared))
    }

    /// Serves on a thread of its own until the guard is dropped.
    ///
    /// # Errors
    /// What the system says if it gives no thread.
    pub fn start(self) -> std::io::Result<DropGuard> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let serve = move || runtime.block_on(self.serve(stopped));
        std::thread::Builder::new().name("publisher".to_owned()).spawn(serve)?;
        Ok(stop.drop_guard())
    }

    /// Serves until told to stop, then drops every connection. Cancel safety: dropping it does the
    /// same.
    ///
    /// # Errors
    /// What the runtime says if it cannot wait for connections.
    pub async fn serve(self, stop: CancellationToken) -> std::io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let mut connections = JoinSet::new();
        let mut number = 0;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                Some(_ended) = connections.join_next() => {}
                accepted = listener.accept() => {
                    // A connection that is gone before it is accepted concerns nobody.
                    let Ok((stream, _peer)) = accepted else { continue };
                    // Small pieces are what some answers are about: none waits for the one before it.
                    let _refused = stream.set_nodelay(true);
                    let connection = Connection { stream, number, shared: Arc::clone(&self.shared) };
                    number += 1;
                    // Nobody is left to tell: the client sees the connection end.
                    connections.spawn(async move { connection.run().await.unwrap_or(()) });
                }
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    number: usize,
    shared: Arc<Shared>,
}

impl Connection {
    /// Answers requests until either side ends the connection.
    async fn run(mut self) -> std::io::Result<()> {
        let mut waiting = Vec::new();
        while let Some(request) = self.read_request(&mut waiting).await? {
            if self.answer(request).await? == Next::HangUp {
                break;
            }
        }
        Ok(())
    }

    /// The next request; `None` when the client has gone, is silent, or does not speak HTTP.
    async fn read_request(&mut self, waiting: &mut Vec<u8>) -> std::io::Result<Option<Request>> {
        const END: &[u8] = b"\r\n\r\n";
        loop {
            if let Some(at) = waiting.windows(END.len()).position(|four| four == END) {
                let head: Vec<u8> = waiting.drain(..at + END.len()).collect();
                let request = Request::parse(&String::from_utf8_lossy(&head), self.number);
                return match request {
                    Some(request) => self.with_body(request, waiting).await,
                    None => Ok(None),
                };
            }
            if waiting.len() > HEAD_MAX || !self.read_more(waiting).await? {
                return Ok(None);
            }
        }
    }

    /// The request with what was posted, if its head says how long that is.
    async fn with_body(
        &mut self,
        mut request: Request,
        waiting: &mut Vec<u8>,
    ) -> std::io::Result<Option<Request>> {
        let length = request.header("content-length").map_or(Ok(0), str::parse);
        let Some(length) = length.ok().filter(|length| *length <= BODY_MAX) else {
            return Ok(None);
        };
        while waiting.len() < length {
            if !self.read_more(waiting).await? {
                return Ok(None);
            }
        }
        request.body = waiting.drain(..length).collect();
        Ok(Some(request))
    }

    /// Whether the client had more to say.
    async fn read_more(&mut self, waiting: &mut Vec<u8>) -> std::io::Result<bool> {
        match timeout(SILENCE_MAX, self.stream.read_buf(waiting)).await {
            Ok(Ok(0)) | Err(_) => Ok(false),
            Ok(Ok(_)) => Ok(true),
            Ok(Err(err)) => Err(err),
        }
    }

    async fn answer(&mut self, mut request: Request) -> std::io::Result<Next> {
        let host = request.host().to_owned();
        request.in_flight = {
            let mut in_flight = locked(&self.shared.in_flight);
            let count = in_flight.entry(host.clone()).or_default();
            *count += 1;
            *count
        };
        let reply = (self.shared.answer)(&request);
        let number = self.shared.log.as_ref().map(|log| {
            let mut log = locked(log);
            log.push(Exchange { request, status: reply.status, is_complete: false });
            log.len() - 1
        });
        (self.shared.changed)();
        let sent = reply.send(&mut self.stream).await;
        *locked(&self.shared.in_flight).entry(host).or_default() -= 1;
        if let Some((log, number)) = self.shared.log.as_ref().zip(number)
            && let Some(exchange) = locked(log).get_mut(number)
        {
            // A client that leaves in the middle is what many tests are about.
            exchange.is_complete = sent.as_ref().is_ok_and(|sent| sent.is_complete);
        }
        (self.shared.changed)();
        Ok(sent?.next)
    }
}

/// Somebody's answer may have panicked: what is locked is a log and counters, whole at any time.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
