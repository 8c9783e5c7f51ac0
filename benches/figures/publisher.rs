//! Ten thousand feeds on loopback, under five hundred host names, written when asked for.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use anyhow::Context;

use super::corpus;

/// Feeds of one publisher; the daemon is polite by host.
pub(crate) const FEEDS_PER_HOST: u64 = 20;

/// A server that lives as long as the benchmark.
pub(crate) struct Publisher {
    pub(crate) address: SocketAddr,
    served: Arc<Mutex<HashSet<u64>>>,
}

impl Publisher {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port on loopback")?;
        let address = listener.local_addr()?;
        let served = Arc::new(Mutex::new(HashSet::new()));
        let shared = Arc::clone(&served);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = Arc::clone(&shared);
                // A connection that breaks is the daemon's to report.
                std::thread::spawn(move || serve(&stream, &served));
            }
        });
        Ok(Self { address, served })
    }

    /// How many different feeds have been asked for.
    pub(crate) fn served(&self) -> u64 {
        self.served.lock().map_or(0, |served| served.len() as u64)
    }

    pub(crate) fn host(feed: u64) -> String {
        format!("paper{}.example", feed / FEEDS_PER_HOST)
    }
}

fn serve(mut stream: &TcpStream, served: &Mutex<HashSet<u64>>) -> Option<()> {
    let mut lines = BufReader::new(stream).lines();
    loop {
        let request = lines.next()?.ok()?;
        while !lines.next()?.ok()?.is_empty() {}
        let path = request.split(' ').nth(1)?;
        let feed: u64 = path.strip_prefix("/feed/")?.parse().ok()?;
        let body = corpus::feed(feed).bytes;
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nETag: \"{feed}\"\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(&body).ok()?;
        served.lock().ok()?.insert(feed);
    }
}
