//! Reads a body up to the limit, on the wire and decompressed.
//!
//! What the bytes mean is `parse`'s. Nothing else here reads a body, so nothing reads one without
//! a limit.

use cw_model::{Failure, FailureClass};

use super::client::Answered;
use super::decode::{self, Coding, DecodeError, decode};
use super::failure::body_cut;
use super::outcome::Head;
use crate::memory::{BodyHold, NeverFits};

/// Bodies larger than this are decompressed on a thread for it: below, it takes less than the
/// half millisecond that a task may hold up its neighbours.
const DECODE_INLINE_BYTES_MAX: usize = 64 * 1024;

/// A body, and what it weighed.
pub(super) struct Read {
    /// After decompression.
    pub bytes: Vec<u8>,
    /// On the wire, transfer coding taken off.
    pub wire_bytes: u64,
}

/// Reads the body of an answer from `host` and undoes its content codings.
///
/// # Errors
/// A [`Failure`]: too large, cut, broken, empty.
///
/// Cancel safety: dropping it drops the connection; a decompression already begun ends by itself.
pub(super) async fn read(
    answered: Answered,
    head: &Head,
    host: &str,
    limit: u64,
    hold: &mut BodyHold,
) -> Result<Read, Failure> {
    let codings = decode::codings(&head.list("content-encoding"))
        .map_err(|err| decode_failure(&err, host))?;
    let wire = read_wire(answered, head, host, limit, hold).await?;
    let wire_bytes = u64::try_from(wire.len()).unwrap_or(u64::MAX);
    let bytes = decode_held(wire, codings, limit, host, hold).await?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    if text.trim_ascii().is_empty() {
        let status = head.status;
        let detail = format!("{host} answered {status} with an empty body");
        return Err(failure(FailureClass::Empty, detail));
    }
    Ok(Read { bytes, wire_bytes })
}

async fn read_wire(
    answered: Answered,
    head: &Head,
    host: &str,
    limit: u64,
    hold: &mut BodyHold,
) -> Result<Vec<u8>, Failure> {
    let Answered { mut response, exchange } = answered;
    let declared = head.text("content-length").and_then(|length| length.parse::<u64>().ok());
    if let Some(declared) = declared.filter(|declared| *declared > limit) {
        let detail = format!(
            "body of {host} is declared as {declared} bytes, more than {limit} (fetch.body_limit)"
        );
        return Err(failure(FailureClass::TooLarge, detail));
    }
    let mut wire = Vec::new();
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Ok(wire),
            // Some servers announce more than they send, or end chunks without the last one.
            Err(_) if !exchange.is_exceeded() && is_whole(&wire) => return Ok(wire),
            Err(err) => return Err(body_cut(&err, &exchange, host, wire.len(), declared)),
        };
        exchange.deliver(chunk.len());
        let length = wire.len().saturating_add(chunk.len());
        if u64::try_from(length).unwrap_or(u64::MAX) > limit {
            let detail = format!("body of {host} is larger than {limit} bytes (fetch.body_limit)");
            return Err(failure(FailureClass::TooLarge, detail));
        }
        hold.arrive(u64::try_from(length).unwrap_or(u64::MAX)).await.map_err(no_memory)?;
        decode::reserve(&mut wire, chunk.len(), limit);
        wire.extend_from_slice(&chunk);
    }
}

/// Whether a body that ended early is a document to its end all the same: nothing follows the end of a
/// feed's root element. What is compressed has no such end to see.
fn is_whole(bytes: &[u8]) -> bool {
    const ENDS: [&[u8]; 5] =
        [b"</rss>", b"</feed>", b"</rdf:rdf>", b"</urlset>", b"</sitemapindex>"];
    let text = bytes.trim_ascii_end();
    let ends = |end: &&[u8]| {
        let at = text.len().checked_sub(end.len());
        at.and_then(|at| text.get(at..)).is_some_and(|last| last.eq_ignore_ascii_case(end))
    };
    ENDS.iter().any(ends)
}

/// Decodes what came within what the poll may hold: first as a small body, which nearly all are, and
/// only what is more takes from the memory that large ones share.
async fn decode_held(
    wire: Vec<u8>,
    codings: Vec<Coding>,
    limit: u64,
    host: &str,
    hold: &mut BodyHold,
) -> Result<Vec<u8>, Failure> {
    let wire_bytes = u64::try_from(wire.len()).unwrap_or(u64::MAX);
    if wire.is_empty() || !decode::is_coded(&wire, &codings) {
        return Ok(wire);
    }
    let small = hold.small_body();
    if limit <= small {
        return decode_small(wire, codings, limit, host, hold)
            .await?
            .map_err(|err| decode_failure(&err, host));
    }
    if wire_bytes <= small {
        match decode_small(wire.clone(), codings.clone(), small, host, hold).await? {
            Err(DecodeError::Limit { .. }) => {}
            done => return done.map_err(|err| decode_failure(&err, host)),
        }
    }
    hold.decode(limit).await.map_err(no_memory)?;
    let decoded = hold.run_large(move || decode(wire, &codings, limit)).await;
    let decoded = decoded.ok_or_else(|| undecoded(host))?;
    let bytes = decoded.map_err(|err| decode_failure(&err, host))?;
    hold.decoded(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    Ok(bytes)
}

async fn decode_small(
    wire: Vec<u8>,
    codings: Vec<Coding>,
    limit: u64,
    host: &str,
    hold: &BodyHold,
) -> Result<Result<Vec<u8>, DecodeError>, Failure> {
    if wire.len() > DECODE_INLINE_BYTES_MAX {
        let decoded = hold.run_small(move || decode(wire, &codings, limit)).await;
        decoded.ok_or_else(|| undecoded(host))
    } else {
        Ok(decode(wire, &codings, limit))
    }
}

/// A panic in a decoder, or a runtime that is shutting down.
fn undecoded(host: &str) -> Failure {
    let detail = format!("decompression of the body of {host} did not end");
    failure(FailureClass::Panic, detail)
}

fn decode_failure(err: &DecodeError, host: &str) -> Failure {
    let class = match err {
        DecodeError::Unknown(_) | DecodeError::Stacked(_) | DecodeError::Broken { .. } => {
            FailureClass::Encoding
        }
        DecodeError::Limit { .. } | DecodeError::Ratio { .. } => FailureClass::Bomb,
    };
    failure(class, format!("{err}, from {host}"))
}

/// There will never be room for the body.
fn no_memory(error: NeverFits) -> Failure {
    failure(FailureClass::TooLarge, error.to_string())
}

fn failure(class: FailureClass, detail: String) -> Failure {
    Failure { class, detail, retry_after: None }
}
