//! Undoes `Content-Encoding`, within limits.
//!
//! Reading from the wire is `body`'s. Servers compress unasked, name a coding they did not use,
//! forget to name the one they did, and stack two; each is read as what it evidently is. What
//! grows past the limit or past any honest ratio is a bomb (RFC 9110, 8.4; RFC 9659 for zstd).

use std::io::Read;

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

/// The most codings undone one after another. Two is a server that compresses what its
/// application had compressed already; more is nobody's mistake.
const STACKED_MAX: usize = 2;

/// The most bytes that one byte on the wire may become. Feeds shrink to about a thirtieth at
/// best; runs of one byte, which is what bombs are made of, to a thousandth and less.
const RATIO_MAX: u64 = 200;

/// Below this the ratio says nothing: a small feed may well be mostly repetition.
const RATIO_FLOOR_BYTES: u64 = 1024 * 1024;

/// The largest zstd window, as a power of two: 8 MiB, what RFC 9659 allows on the web. The
/// library would accept 128 MiB, which a few bytes can ask for.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// The first seven bits of a brotli stream with a window of up to 1 GiB, an extension of the
/// library's that RFC 7932 does not know and that would allocate as much.
const BROTLI_LARGE_WINDOW: u8 = 0x11;

/// What is read at once.
const CHUNK_BYTES: usize = 16 * 1024;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// One content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    /// zlib as the standard says, or raw, as some servers send.
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// A body that could not be decoded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("content-encoding \"{0}\" is not one we asked for (gzip, br, zstd, deflate)")]
    Unknown(String),
    #[error("content-encoding names {0} codings; at most {STACKED_MAX} are undone")]
    Stacked(usize),
    #[error("body does not decompress as {coding}: {reason}")]
    Broken { coding: &'static str, reason: String },
    #[error("body decompresses to more than {limit} bytes (fetch.body_limit)")]
    Limit { limit: u64 },
    #[error("body of {wire} bytes decompresses to more than {RATIO_MAX} times as much")]
    Ratio { wire: u64 },
}

/// Reads the values of `Content-Encoding`, joined by commas: codings in the order applied.
///
/// # Errors
/// [`DecodeError::Unknown`], [`DecodeError::Stacked`].
pub(crate) fn codings(header: &str) -> Result<Vec<Coding>, DecodeError> {
    let mut codings = Vec::new();
    for name in header.split(',').map(|name| name.trim().to_ascii_lowercase()) {
        codings.push(match name.as_str() {
            // "utf-8" and "none" are common mistakes for no coding at all.
            "" | "identity" | "none" | "utf-8" | "utf8" => continue,
            "gzip" | "x-gzip" => Coding::Gzip,
            "deflate" => Coding::Deflate,
            "br" => Coding::Brotli,
            "zstd" => Coding::Zstd,
            _ => return Err(DecodeError::Unknown(printable(&name))),
        });
    }
    if codings.len() > STACKED_MAX {
        return Err(DecodeError::Stacked(codings.len()));
    }
    Ok(codings)
}

/// Whether there is anything to undo.
pub(super) fn is_coded(bytes: &[u8], codings: &[Coding]) -> bool {
    let undone = |coding: &Coding| !is_plain_after_all(bytes, *coding);
    codings.iter().any(undone) || bytes.starts_with(&GZIP_MAGIC)
}

/// Undoes `codings`, last applied first.
///
/// # Errors
/// [`DecodeError`]; nothing beyond `limit` bytes is held at any time.
pub(crate) fn decode(
    wire: Vec<u8>,
    codings: &[Coding],
    limit: u64,
) -> Result<Vec<u8>, DecodeError> {
    let wire_bytes = u64::try_from(wire.len()).unwrap_or(u64::MAX);
    let bounds = Bounds { wire: wire_bytes, limit };
    let mut bytes = wire;
    for coding in codings.iter().rev() {
        if !is_plain_after_all(&bytes, *coding) {
            bytes = undo(&bytes, *coding, bounds)?;
        }
    }
    // A file that was compressed on disk and served as it is: nothing names its coding.
    if bytes.starts_with(&GZIP_MAGIC) {
        bytes = undo(&bytes, Coding::Gzip, bounds)?;
    }
    Ok(bytes)
}

/// How far a body may grow.
#[derive(Clone, Copy)]
struct Bounds {
    wire: u64,
    limit: u64,
}

impl Bounds {
    fn check(self, length: u64) -> Result<(), DecodeError> {
        if length > self.limit {
            return Err(DecodeError::Limit { limit: self.limit });
        }
        // Against the bytes on the wire in both rounds of a stacked coding: two steps of 200 would
        // be 40,000.
        if length > RATIO_FLOOR_BYTES && length > self.wire.saturating_mul(RATIO_MAX) {
            return Err(DecodeError::Ratio { wire: self.wire });
        }
        Ok(())
    }
}

/// Whether a body is a document although a coding with a magic number is named for it: a proxy
/// that decompresses sometimes forgets to take the header off.
fn is_plain_after_all(bytes: &[u8], coding: Coding) -> bool {
    if !matches!(coding, Coding::Gzip | Coding::Zstd) {
        return false;
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    matches!(text.trim_ascii_start().first(), Some(b'<' | b'{' | b'['))
}

fn undo(bytes: &[u8], coding: Coding, bounds: Bounds) -> Result<Vec<u8>, DecodeError> {
    match coding {
        Coding::Gzip => undo_gzip(bytes, bounds),
        Coding::Deflate if is_zlib(bytes) => {
            let zlib = read_within(ZlibDecoder::new(bytes), coding, bounds, Vec::new());
            match zlib {
                // One raw stream in some five hundred begins as a zlib one does.
                Err(DecodeError::Broken { .. }) => undo_raw_deflate(bytes, bounds).or(zlib),
                _ => zlib,
            }
        }
        Coding::Deflate => undo_raw_deflate(bytes, bounds),
        Coding::Brotli => {
            if bytes.first().is_some_and(|first| first & 0x7f == BROTLI_LARGE_WINDOW) {
                let reason = "its window is larger than the web allows".to_owned();
                return Err(DecodeError::Broken { coding: coding.name(), reason });
            }
            let decoder = brotli::Decompressor::new(bytes, CHUNK_BYTES);
            read_within(decoder, coding, bounds, Vec::new())
        }
        Coding::Zstd => {
            let broken = |err: std::io::Error| broken(coding, &err);
            let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(broken)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(broken)?;
            read_within(decoder, coding, bounds, Vec::new())
        }
    }
}

/// Members one after another, as the format allows; what follows the last is padding and ignored.
fn undo_gzip(bytes: &[u8], bounds: Bounds) -> Result<Vec<u8>, DecodeError> {
    let mut rest = bytes;
    let mut out = Vec::new();
    loop {
        let mut member = GzDecoder::new(rest);
        out = read_within(&mut member, Coding::Gzip, bounds, out)?;
        rest = member.into_inner();
        if !rest.starts_with(&GZIP_MAGIC) {
            return Ok(out);
        }
    }
}

fn undo_raw_deflate(bytes: &[u8], bounds: Bounds) -> Result<Vec<u8>, DecodeError> {
    read_within(DeflateDecoder::new(bytes), Coding::Deflate, bounds, Vec::new())
}

/// Whether the first two bytes are a zlib header (RFC 1950, 2.2).
fn is_zlib(bytes: &[u8]) -> bool {
    let [method, flags, ..] = bytes else { return false };
    method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0
}

/// Reads to the end, appending to `out`, whose length counts; checks before every growth.
fn read_within(
    mut decoder: impl Read,
    coding: Coding,
    bounds: Bounds,
    mut out: Vec<u8>,
) -> Result<Vec<u8>, DecodeError> {
    // On the heap: the frames of async tasks that call this would grow by it.
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = match decoder.read(&mut chunk) {
            Ok(0) => return Ok(out),
            Ok(count) => count,
            Err(err) if err.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(err) => return Err(broken(coding, &err)),
        };
        let length = out.len().saturating_add(count);
        bounds.check(u64::try_from(length).unwrap_or(u64::MAX))?;
        reserve(&mut out, count, bounds.limit);
        out.extend(chunk.iter().take(count));
    }
}

/// Makes room, doubling but not past the limit: `Vec` alone would go to twice as much.
pub(super) fn reserve(out: &mut Vec<u8>, more: usize, limit: u64) {
    if out.capacity() - out.len() >= more {
        return;
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let room = out.len().max(CHUNK_BYTES).min(limit.saturating_sub(out.len()));
    out.reserve_exact(room.max(more));
}

fn broken(coding: Coding, err: &std::io::Error) -> DecodeError {
    let reason = match err.kind() {
        std::io::ErrorKind::UnexpectedEof => "it ends in the middle".to_owned(),
        _ => printable(&err.to_string()),
    };
    DecodeError::Broken { coding: coding.name(), reason }
}

/// Outside text as it may stand in a message: short, one line, no control characters.
pub(super) fn printable(text: &str) -> String {
    /// Enough to recognise what it is.
    const CHARS_MAX: usize = 100;
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const LIMIT: u64 = 4 * 1024 * 1024;

    fn feed() -> Vec<u8> {
        let items =
            (0..500).map(|i| format!("<item><title>Number {i}, {}</title></item>", i * 7919));
        format!("<rss><channel>{}</channel></rss>", items.collect::<String>()).into_bytes()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        brotli::CompressorWriter::new(&mut out, 4096, 5, 22).write_all(bytes).unwrap();
        out
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 3).unwrap()
    }

    fn decoded(header: &str, wire: Vec<u8>) -> Result<Vec<u8>, DecodeError> {
        decode(wire, &codings(header)?, LIMIT)
    }

    #[track_caller]
    fn check(header: &str, wire: Vec<u8>) {
        assert!(decoded(header, wire) == Ok(feed()), "under content-encoding \"{header}\"");
    }

    #[test]
    fn every_coding_we_ask_for_decodes() {
        check("gzip", gzip(&feed()));
        check("x-gzip", gzip(&feed()));
        check("GZIP", gzip(&feed()));
        check("deflate", zlib(&feed()));
        check("deflate", raw_deflate(&feed()));
        check("br", brotli(&feed()));
        check("zstd", zstd(&feed()));
        check("identity", feed());
        check("", feed());
        check("utf-8", feed());
    }

    #[test]
    fn two_codings_come_off_in_reverse_order() {
        check("gzip, br", brotli(&gzip(&feed())));
        check("deflate,zstd", zstd(&zlib(&feed())));
        check("gzip, identity, gzip", gzip(&gzip(&feed())));
    }

    #[test]
    fn a_third_coding_is_refused() {
        assert_eq!(codings("gzip, gzip, gzip"), Err(DecodeError::Stacked(3)));
    }

    #[test]
    fn a_coding_we_do_not_know_is_refused_by_name() {
        assert_eq!(codings("compress"), Err(DecodeError::Unknown("compress".to_owned())));
        assert_eq!(codings("a\u{1b}[2J"), Err(DecodeError::Unknown("a[2j".to_owned())));
    }

    #[test]
    fn gzip_that_nobody_announced_decodes() {
        check("", gzip(&feed()));
        check("br", brotli(&gzip(&feed())));
    }

    #[test]
    fn a_plain_body_announced_as_gzip_is_read_as_it_is() {
        check("gzip", feed());
        check("zstd", feed());
    }

    #[test]
    fn members_are_joined_and_padding_ignored() {
        let (head, tail) = (feed()[..1000].to_vec(), feed()[1000..].to_vec());
        let mut wire = [gzip(&head), gzip(&tail)].concat();
        check("gzip", wire.clone());
        wire.extend([0; 512]);
        check("gzip", wire);
    }

    #[test]
    fn what_does_not_decompress_is_said_to_be_broken() {
        for (header, wire) in [
            ("gzip", b"neither gzip nor markup".to_vec()),
            ("gzip", gzip(&feed())[..100].to_vec()),
            ("deflate", b"\x78\x9cnot zlib after all".to_vec()),
            ("deflate", zlib(&feed())[..100].to_vec()),
            ("br", brotli(&feed())[..100].to_vec()),
            ("br", b"\x11\x1e a window of a gigabyte".to_vec()),
            ("zstd", zstd(&feed())[..100].to_vec()),
            ("zstd", b"not zstd".to_vec()),
        ] {
            let result = decoded(header, wire);
            assert!(matches!(result, Err(DecodeError::Broken { .. })), "{header}: {result:?}");
        }
    }

    #[test]
    fn a_zstd_window_beyond_the_webs_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(26).unwrap();
        encoder.write_all(&feed()).unwrap();
        let result = decoded("zstd", encoder.finish().unwrap());
        assert!(matches!(result, Err(DecodeError::Broken { .. })), "{result:?}");
    }

    #[test]
    fn a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
        let limit = feed().len() as u64;
        assert!(decode(gzip(&feed()), &[Coding::Gzip], limit).is_ok());
        let over = decode(gzip(&feed()), &[Coding::Gzip], limit - 1);
        assert_eq!(over, Err(DecodeError::Limit { limit: limit - 1 }));
    }

    #[test]
    fn a_bomb_is_stopped_by_its_ratio_in_every_coding() {
        let zeros = vec![0; 10_000_000];
        for (header, wire) in [
            ("gzip", gzip(&zeros)),
            ("deflate", zlib(&zeros)),
            ("deflate", raw_deflate(&zeros)),
            ("br", brotli(&zeros)),
            ("zstd", zstd(&zeros)),
            ("gzip, gzip", gzip(&gzip(&zeros))),
            ("", gzip(&zeros)),
        ] {
            let wire_bytes = wire.len() as u64;
            let result = decode(wire, &codings(header).unwrap(), 64 * 1024 * 1024);
            assert_eq!(result, Err(DecodeError::Ratio { wire: wire_bytes }), "{header}");
        }
    }

    #[test]
    fn a_small_body_may_be_all_repetition() {
        let repetition = vec![b' '; 1024 * 1024];
        assert_eq!(decode(gzip(&repetition), &[Coding::Gzip], LIMIT), Ok(repetition));
    }

    #[test]
    fn memory_stays_within_the_limit() {
        let mut out = Vec::new();
        let limit = 1_000_000;
        while out.len() + 10_000 <= limit {
            reserve(&mut out, 10_000, limit as u64);
            out.extend([0; 10_000]);
            assert!(out.capacity() <= limit, "{} at {}", out.capacity(), out.len());
        }
    }
}
