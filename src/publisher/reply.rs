//! What is answered, and how it is sent.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Bytes of a chunk, if nothing else is asked for.
const CHUNK: usize = 1000;

/// The wait between two bytes of a drip.
const DRIP: Duration = Duration::from_millis(100);

/// How a body is delivered.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// With its length.
    Whole,
    /// In chunks.
    Chunked,
    /// In so many chunks, with a pause before each.
    Slow {
        /// How many.
        pieces: usize,
        /// Before each of them.
        pause: Duration,
    },
    /// HTTP/1.0, ended by the end of the connection.
    UntilClose,
    /// Its whole length is announced, and the connection ends after so many bytes.
    CutAfter(usize),
    /// One byte at a time, as long as the client stays.
    Drip,
    /// Only when the gate opens.
    Held(Gate),
    /// So many times over, as one body, with its length.
    Repeated(usize),
    /// Informational answers before it, as long as the client stays: it never comes.
    Hints,
    /// Nothing at all, not even a status, as long as the client stays.
    Never,
    /// The body is all that is sent: it has its own head, or none.
    Raw(Next),
}

/// Keeps answers back until somebody opens it.
#[derive(Clone, Debug, Default)]
pub struct Gate(CancellationToken);

impl Gate {
    /// A closed gate.
    pub fn closed() -> Self {
        Self::default()
    }

    /// Lets everything through, now and later.
    pub fn open(&self) {
        self.0.cancel();
    }
}

/// What the server does with a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Waits for the next request.
    Listen,
    /// Ends it.
    HangUp,
    /// Sends a space now and then, as long as the client stays.
    Drip,
}

/// What became of an answer.
pub(super) struct Sent {
    pub(super) is_complete: bool,
    pub(super) next: Next,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// "200".
    pub status: u16,
    reason: String,
    headers: Vec<(String, String)>,
    body: Arc<[u8]>,
    delivery: Delivery,
}

impl Reply {
    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        let known = StatusCode::from_u16(status).ok();
        let reason = known.and_then(|known| known.canonical_reason()).unwrap_or("Scripted");
        Self {
            status,
            reason: reason.to_owned(),
            headers: Vec::new(),
            body: Arc::new([]),
            delivery: Delivery::Whole,
        }
    }

    /// 200 with an RSS body.
    pub fn feed(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200).header("Content-Type", "application/rss+xml").body(body)
    }

    /// A redirect.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("Location", location)
    }

    /// No answer.
    pub fn never() -> Self {
        Self::status(200).delivered(Delivery::Never)
    }

    /// These bytes and no others.
    pub fn raw(bytes: impl Into<Vec<u8>>, next: Next) -> Self {
        Self::status(200).body(bytes).delivered(Delivery::Raw(next))
    }

    /// With another text after the status.
    #[must_use]
    pub fn reason(mut self, reason: &str) -> Self {
        reason.clone_into(&mut self.reason);
        self
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With another body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into().into();
        self
    }

    /// With another way of delivery.
    #[must_use]
    pub fn delivered(mut self, delivery: Delivery) -> Self {
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
            Delivery::Chunked | Delivery::Slow { .. } => {
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
            | Delivery::Never
            | Delivery::Raw(_) => Some(self.body.len()),
        };
        // A 204 and a 304 have no body and say no length (RFC 9110, 15.3.5 and 15.4.5).
        if let Some(length) = length.filter(|_| !matches!(self.status, 204 | 304)) {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    pub(super) async fn send(&self, stream: &mut TcpStream) -> std::io::Result<Sent> {
        let cut = Sent { is_complete: false, next: Next::HangUp };
        let whole = Sent { is_complete: true, next: Next::Listen };
        let body = &self.body;
        match &self.delivery {
            Delivery::Never => {
                wait_for_end(stream).await?;
                return Ok(cut);
            }
            Delivery::Hints => {
                let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(1000);
                loop {
                    stream.write_all(hints.as_bytes()).await?;
                }
            }
            Delivery::Raw(next) => {
                stream.write_all(body).await?;
                if *next == Next::Drip {
                    while stays(stream).await? {
                        stream.write_all(b" ").await?;
                    }
                    return Ok(cut);
                }
                return Ok(Sent { is_complete: true, next: *next });
            }
            Delivery::Held(gate) => {
                gate.0.cancelled().await;
                self.send_whole(stream).await?;
            }
            Delivery::Whole => self.send_whole(stream).await?,
            Delivery::UntilClose => {
                self.send_whole(stream).await?;
                return Ok(Sent { is_complete: true, next: Next::HangUp });
            }
            Delivery::Chunked => self.send_chunks(stream, CHUNK, Duration::ZERO).await?,
            Delivery::Slow { pieces, pause } => {
                let size = body.len().div_ceil((*pieces).max(1)).max(1);
                self.send_chunks(stream, size, *pause).await?;
            }
            Delivery::CutAfter(bytes) => {
                stream.write_all(&self.head()).await?;
                stream.write_all(body.get(..*bytes).unwrap_or(body)).await?;
                return Ok(cut);
            }
            Delivery::Repeated(times) => {
                stream.write_all(&self.head()).await?;
                for _ in 0..*times {
                    stream.write_all(body).await?;
                }
            }
            Delivery::Drip => {
                stream.write_all(&self.head()).await?;
                for byte in body.iter() {
                    stream.write_all(&[*byte]).await?;
                    if !stays(stream).await? {
                        return Ok(cut);
                    }
                }
            }
        }
        Ok(whole)
    }

    async fn send_whole(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        stream.write_all(&[&self.head(), &self.body[..]].concat()).await
    }

    async fn send_chunks(
        &self,
        stream: &mut TcpStream,
        size: usize,
        pause: Duration,
    ) -> std::io::Result<()> {
        stream.write_all(&self.head()).await?;
        for chunk in self.body.chunks(size) {
            if !pause.is_zero() {
                sleep(pause).await;
            }
            let start = format!("{:x}\r\n", chunk.len());
            stream.write_all(&[start.as_bytes(), chunk, b"\r\n"].concat()).await?;
        }
        stream.write_all(b"0\r\n\r\n").await
    }
}

/// Waits a moment for the client to hang up; whether it is still there.
async fn stays(stream: &mut TcpStream) -> std::io::Result<bool> {
    match timeout(DRIP, stream.read(&mut [0])).await {
        Ok(read) => Ok(read? > 0),
        Err(_elapsed) => Ok(true),
    }
}

/// Comes back when the client gives up; what it still sends is passed over.
async fn wait_for_end(stream: &mut TcpStream) -> std::io::Result<()> {
    while stream.read(&mut [0; 64]).await? > 0 {}
    Ok(())
}
