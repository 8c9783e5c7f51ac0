//! What the publishers of the demo answer: the pages of the script, through the small HTTP server.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::script::{DemoPage, Serving};
use crate::publisher::{Delivery, Reply, Request, Server};

/// Sent as `Last-Modified`.
const LAST_MODIFIED: &str = "Thu, 11 Feb 2016 22:10:00 GMT";

/// Binds a server of these pages to a free port of 127.0.0.1.
///
/// # Errors
/// What the system says if it gives none.
pub fn bind(pages: &'static [DemoPage]) -> std::io::Result<Server> {
    let asked = Mutex::new(HashMap::new());
    Server::bind(move |request| {
        let asked_for = |page: &&DemoPage| page.host == request.host() && page.path == request.path;
        let Some(page) = pages.iter().find(asked_for) else { return nothing() };
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        let before = asked.entry((page.host, page.path)).or_insert(0);
        *before += 1;
        answer(request, page, *before - 1)
    })
}

fn nothing() -> Reply {
    let body = "<!DOCTYPE html><title>404</title><p>There is nothing here.</p>";
    Reply::status(404).header("Content-Type", "text/html").body(body)
}

/// The answer after so many others of the same page.
fn answer(request: &Request, page: &DemoPage, before: usize) -> Reply {
    match page.serving {
        Serving::Plain => whole(page),
        Serving::Conditional => if_changed(request, page, page.document, 1),
        Serving::Edited { .. } if before == 0 => if_changed(request, page, page.document, 1),
        Serving::Edited { from, to } => {
            let edited = String::from_utf8_lossy(page.document).replacen(from, to, 1);
            if_changed(request, page, edited.as_bytes(), 2)
        }
        Serving::CutOnce if before == 0 => {
            whole(page).delivered(Delivery::CutAfter(page.document.len() / 2))
        }
        Serving::CutOnce => whole(page),
        Serving::Slow { pieces, pause } => whole(page).delivered(Delivery::Slow { pieces, pause }),
        Serving::Gzip => {
            let accepted = request.header("accept-encoding").unwrap_or_default();
            let reply = whole(page).header("Vary", "Accept-Encoding");
            match gzip(page.document).filter(|_| accepted.contains("gzip")) {
                Some(body) => reply.header("Content-Encoding", "gzip").body(body),
                None => reply,
            }
        }
        Serving::Moved { host, path } => {
            // The port is that at which the request came in.
            let port = request.header("host").and_then(|host| host.split_once(':'));
            let port = port.map_or(80, |(_host, port)| port.parse().unwrap_or(80_u16));
            Reply::redirect(301, &format!("http://{host}:{port}{path}"))
        }
    }
}

fn whole(page: &DemoPage) -> Reply {
    Reply::status(200).header("Content-Type", page.content_type).body(page.document)
}

fn if_changed(request: &Request, page: &DemoPage, body: &[u8], edition: u32) -> Reply {
    let etag = format!("\"{:x}-{edition}\"", body.len());
    let reply = if holds(request, &etag) { Reply::status(304) } else { whole(page).body(body) };
    reply.header("ETag", &etag).header("Last-Modified", LAST_MODIFIED)
}

/// Whether the client holds what `etag` names (RFC 9110, 13.1.2 and 13.1.3: the date only counts if
/// there is no entity tag).
fn holds(request: &Request, etag: &str) -> bool {
    match request.header("if-none-match") {
        Some(sent) => sent == etag,
        None => request.header("if-modified-since") == Some(LAST_MODIFIED),
    }
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}
