//! A small HTTP/1.1 server on loopback that behaves as publishers' servers do.
//!
//! Raw on purpose: it must cut connections, drip bodies and answer 304 exactly when told to, which
//! a well-behaved framework will not do. It serves the demo and nothing else.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::script::{Page, Serving};

/// The longest request head that is read. Ours are some 400 bytes; this is what servers commonly
/// allow.
const HEAD_MAX: usize = 16 * 1024;

/// How long an open connection may stay silent: longer than any demo, so that connections can be
/// kept alive between polls.
const SILENCE_MAX: Duration = Duration::from_secs(75);

/// Sent as `Last-Modified`.
const LAST_MODIFIED: &str = "Thu, 11 Feb 2016 22:10:00 GMT";

/// A request, and what it was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Since the server started.
    pub at: Duration,
    /// Of the `Host` header, without the port.
    pub host: String,
    /// As sent.
    pub path: String,
    /// Whether it carried `If-None-Match` or `If-Modified-Since`.
    pub is_conditional: bool,
    /// What was answered.
    pub status: u16,
}

/// A bound server.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pages: &'static [Page],
    port: u16,
    started: Instant,
    log: Mutex<Vec<Request>>,
}

/// What the server was asked; stays readable while and after it serves.
#[derive(Clone, Debug)]
pub struct RequestLog(Arc<Shared>);

impl RequestLog {
    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Server {
    /// Binds a free port of 127.0.0.1.
    ///
    /// # Errors
    /// What the system says if it gives none.
    pub async fn bind(pages: &'static [Page]) -> std::io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let port = listener.local_addr()?.port();
        let log = Mutex::new(Vec::new());
        let shared = Arc::new(Shared { pages, port, started: Instant::now(), log });
        Ok(Self { listener, shared })
    }

    /// The port it is bound to.
    pub fn port(&self) -> u16 {
        self.shared.port
    }

    /// What it will have been asked.
    pub fn log(&self) -> RequestLog {
        RequestLog(Arc::clone(&self.shared))
    }

    /// Serves until told to stop, then drops every connection. Cancel safety: dropping it does the
    /// same.
    pub async fn serve(self, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(_ended) = connections.join_next() => {}
                accepted = self.listener.accept() => {
                    // A connection that is gone before it is accepted concerns nobody.
                    let Ok((stream, _peer)) = accepted else { continue };
                    let shared = Arc::clone(&self.shared);
                    connections.spawn(async move {
                        // Nobody is left to tell: the client sees the connection end.
                        let _ended = Connection { stream, shared }.run().await;
                    });
                }
            }
        }
    }
}

/// The parts of a request head that decide the answer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    path: String,
    host: String,
    if_none_match: Option<String>,
    if_modified_since: Option<String>,
    accepts_gzip: bool,
}

impl Head {
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut request_line = lines.next()?.split(' ');
        let (_method, path) = (request_line.next()?, request_line.next()?);
        let mut head = Self { path: path.to_owned(), ..Self::default() };
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "host" => {
                    let host = value.split_once(':').map_or(value, |(host, _port)| host);
                    host.clone_into(&mut head.host);
                }
                "if-none-match" => head.if_none_match = Some(value.to_owned()),
                "if-modified-since" => head.if_modified_since = Some(value.to_owned()),
                "accept-encoding" => head.accepts_gzip = value.contains("gzip"),
                _ => {}
            }
        }
        Some(head)
    }

    fn is_conditional(&self) -> bool {
        self.if_none_match.is_some() || self.if_modified_since.is_some()
    }

    /// Whether the client holds what `etag` names (RFC 9110, 13.1.2 and 13.1.3: the date only
    /// counts if there is no entity tag).
    fn holds(&self, etag: &str) -> bool {
        match &self.if_none_match {
            Some(sent) => sent == etag,
            None => self.if_modified_since.as_deref() == Some(LAST_MODIFIED),
        }
    }
}

/// What the client does next with the connection.
enum After {
    KeepOpen,
    Close,
}

struct Connection {
    stream: TcpStream,
    shared: Arc<Shared>,
}

impl Connection {
    async fn run(mut self) -> std::io::Result<()> {
        let mut waiting = Vec::new();
        while let Some(head) = self.read_head(&mut waiting).await? {
            if matches!(self.answer(&head).await?, After::Close) {
                break;
            }
        }
        Ok(())
    }

    /// The next request head; `None` when the client has gone, is silent, or does not speak HTTP.
    async fn read_head(&mut self, waiting: &mut Vec<u8>) -> std::io::Result<Option<Head>> {
        const END: &[u8] = b"\r\n\r\n";
        loop {
            if let Some(at) = waiting.windows(END.len()).position(|four| four == END) {
                let head: Vec<u8> = waiting.drain(..at + END.len()).collect();
                return Ok(Head::parse(&String::from_utf8_lossy(&head)));
            }
            if waiting.len() > HEAD_MAX {
                return Ok(None);
            }
            match timeout(SILENCE_MAX, self.stream.read_buf(waiting)).await {
                Ok(Ok(0)) | Err(_) => return Ok(None),
                Ok(Ok(_)) => {}
                Ok(Err(err)) => return Err(err),
            }
        }
    }

    async fn answer(&mut self, head: &Head) -> std::io::Result<After> {
        let shared = Arc::clone(&self.shared);
        let page =
            shared.pages.iter().find(|page| page.host == head.host && page.path == head.path);
        let Some(page) = page else {
            self.note(head, 404);
            let body = b"<!DOCTYPE html><title>404</title><p>There is nothing here.</p>";
            return self.send("404 Not Found", "Content-Type: text/html\r\n", body).await;
        };
        match page.serving {
            Serving::Plain => self.send_whole(head, page, "", page.document).await,
            Serving::Conditional => self.send_if_changed(head, page, page.document, 1).await,
            Serving::Edited { from, to } => {
                if self.requests_before(head) == 0 {
                    return self.send_if_changed(head, page, page.document, 1).await;
                }
                let edited = String::from_utf8_lossy(page.document).replacen(from, to, 1);
                self.send_if_changed(head, page, edited.as_bytes(), 2).await
            }
            Serving::CutOnce if self.requests_before(head) == 0 => self.send_half(head, page).await,
            Serving::CutOnce => self.send_whole(head, page, "", page.document).await,
            Serving::Slow { pieces, pause } => self.send_slowly(head, page, pieces, pause).await,
            Serving::Gzip if head.accepts_gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(page.document)?;
                let headers = "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n";
                self.send_whole(head, page, headers, &encoder.finish()?).await
            }
            Serving::Gzip => {
                self.send_whole(head, page, "Vary: Accept-Encoding\r\n", page.document).await
            }
            Serving::Moved { host, path } => {
                self.note(head, 301);
                let location = format!("Location: http://{host}:{}{path}\r\n", shared.port);
                self.send("301 Moved Permanently", &location, b"").await
            }
        }
    }

    fn note(&self, head: &Head, status: u16) {
        let request = Request {
            at: self.shared.started.elapsed(),
            host: head.host.clone(),
            path: head.path.clone(),
            is_conditional: head.is_conditional(),
            status,
        };
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }

    fn requests_before(&self, head: &Head) -> usize {
        let log = self.shared.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().filter(|one| one.host == head.host && one.path == head.path).count()
    }

    async fn send(&mut self, status: &str, headers: &str, body: &[u8]) -> std::io::Result<After> {
        let mut answer =
            format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len())
                .into_bytes();
        answer.extend_from_slice(body);
        self.stream.write_all(&answer).await?;
        Ok(After::KeepOpen)
    }

    async fn send_whole(
        &mut self,
        head: &Head,
        page: &Page,
        headers: &str,
        body: &[u8],
    ) -> std::io::Result<After> {
        self.note(head, 200);
        let headers = format!("Content-Type: {}\r\n{headers}", page.content_type);
        self.send("200 OK", &headers, body).await
    }

    async fn send_if_changed(
        &mut self,
        head: &Head,
        page: &Page,
        body: &[u8],
        edition: u32,
    ) -> std::io::Result<After> {
        let etag = format!("\"{:x}-{edition}\"", body.len());
        let validators = format!("ETag: {etag}\r\nLast-Modified: {LAST_MODIFIED}\r\n");
        if !head.holds(&etag) {
            return self.send_whole(head, page, &validators, body).await;
        }
        self.note(head, 304);
        // A 304 has no body and says no length (RFC 9110, 15.4.5).
        let answer = format!("HTTP/1.1 304 Not Modified\r\n{validators}\r\n");
        self.stream.write_all(answer.as_bytes()).await?;
        Ok(After::KeepOpen)
    }

    /// Promises the whole document, sends half of it and hangs up.
    async fn send_half(&mut self, head: &Head, page: &Page) -> std::io::Result<After> {
        self.note(head, 200);
        let whole = page.document.len();
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {whole}\r\n\r\n",
            page.content_type
        )
        .into_bytes();
        answer.extend(page.document.iter().take(whole / 2));
        self.stream.write_all(&answer).await?;
        Ok(After::Close)
    }

    async fn send_slowly(
        &mut self,
        head: &Head,
        page: &Page,
        pieces: usize,
        pause: Duration,
    ) -> std::io::Result<After> {
        self.note(head, 200);
        let start = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
            page.content_type
        );
        self.stream.write_all(start.as_bytes()).await?;
        let size = page.document.len().div_ceil(pieces.max(1)).max(1);
        for piece in page.document.chunks(size) {
            tokio::time::sleep(pause).await;
            let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
            chunk.extend_from_slice(piece);
            chunk.extend_from_slice(b"\r\n");
            self.stream.write_all(&chunk).await?;
        }
        self.stream.write_all(b"0\r\n\r\n").await?;
        Ok(After::KeepOpen)
    }
}
