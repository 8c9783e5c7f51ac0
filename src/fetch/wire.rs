//! One TCP connection, with every byte counted that comes in on it.
//!
//! It lies under TLS and HTTP, so it sees what they hide: informational (1xx) answers, trailers,
//! chunk extensions, HTTP/2 control frames, handshakes. HTTP libraries bound each of these by
//! itself or not at all; here is the bound on all of them together. What a body may weigh is
//! `body`'s.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::connections::Slot;
use super::meter::{Meter, OVERHEAD_BYTES_MAX};

/// After so many bytes a connection lets others have its thread. The smallest answers, of 19
/// bytes, take some microseconds each, so this is a few milliseconds at the very worst.
const YIELD_BYTES: u64 = 64 * 1024;

/// A server that sent more headers, informational answers, trailers or framing than any feed has.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("more than {OVERHEAD_BYTES_MAX} bytes came that are no body")]
pub(super) struct OverheadExceeded;

/// A TCP connection that counts what it receives, and holds a place among our connections.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    meter: Arc<Meter>,
    since_yield: u64,
    /// Given back when the connection is closed.
    _slot: Slot,
}

impl Wire {
    /// Counts what comes in on `stream`.
    pub(super) fn new(stream: TcpStream, meter: Arc<Meter>, slot: Slot) -> Self {
        Self { stream, meter, since_yield: 0, _slot: slot }
    }

    /// What is counted.
    pub(super) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.meter.reader.register(context.waker());
        if self.meter.is_evicted.load(Ordering::Relaxed) {
            // Reads as the end of the stream.
            return Poll::Ready(Ok(()));
        }
        if self.meter.is_over() {
            self.meter.is_exceeded.store(true, Ordering::Relaxed);
            return Poll::Ready(Err(io::Error::other(OverheadExceeded)));
        }
        if self.since_yield >= YIELD_BYTES {
            self.since_yield = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let count = buffer.filled().len().saturating_sub(before);
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.meter.received.fetch_add(count, Ordering::Relaxed);
        self.since_yield = self.since_yield.saturating_add(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Whoever writes asks for something; an exchange that ends says otherwise.
        self.meter.is_busy.store(true, Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use futures_util::task::noop_waker_ref;

    use super::super::connections::Connections;
    use super::super::meter::WINDOW_BYTES;
    use super::*;

    fn meter() -> Arc<Meter> {
        Meter::new("127.0.0.1:80".parse().ok())
    }

    #[test]
    fn what_is_no_body_may_weigh_so_much_and_as_much_as_the_body() {
        let fixed = OVERHEAD_BYTES_MAX + u64::from(WINDOW_BYTES);
        let meter = meter();
        meter.received.store(fixed, Ordering::Relaxed);
        assert!(!meter.is_over());
        meter.received.store(fixed + 1, Ordering::Relaxed);
        assert!(meter.is_over());
        meter.deliver(1);
        assert!(!meter.is_over(), "a byte of body lets a byte of framing pass");
        assert_eq!(meter.settle(), fixed);
        assert!(!meter.is_over(), "the next exchange begins at nought");
    }

    #[test]
    fn only_an_idle_connection_gives_way() {
        let meter = meter();
        assert!(!meter.evict(), "about to be used");
        meter.settle();
        assert!(meter.evict());
        assert!(!meter.evict(), "it has gone already");
    }

    #[tokio::test]
    async fn a_connection_that_always_has_more_lets_others_have_a_turn() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut sender, _) = listener.accept().unwrap();
        let sent = 4 * YIELD_BYTES;
        let sending = std::thread::spawn(move || {
            drop(sender.write_all(&vec![0; usize::try_from(sent).unwrap()]));
            sender
        });
        let slot = Connections::at_most(1).place().await;
        let mut wire = Wire::new(stream, meter(), slot);
        let mut context = Context::from_waker(noop_waker_ref());
        let mut read = 0;
        let mut turns = 0;
        while read < sent {
            let before = read;
            let mut bytes = [0; 4096];
            // One turn: until it has nothing to give.
            loop {
                let mut buffer = ReadBuf::new(&mut bytes);
                match Pin::new(&mut wire).poll_read(&mut context, &mut buffer) {
                    Poll::Ready(read_now) => read_now.unwrap(),
                    Poll::Pending => break,
                }
                read += u64::try_from(buffer.filled().len()).unwrap();
            }
            assert!(read - before <= YIELD_BYTES + 4096, "{} bytes in one turn", read - before);
            turns += 1;
            tokio::task::yield_now().await;
        }
        assert!(turns >= 4, "{turns} turns");
        drop(sending.join().unwrap());
    }
}
