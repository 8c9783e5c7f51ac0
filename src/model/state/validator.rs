//! Validators as a packed memory holds them: the two common forms are shorter than their texts.
//!
//! What a publisher gave is sent back byte for byte (RFC 9110, 8.8). So a text is only ever shortened to what gives the
//! same text again; any other is kept as it is.

use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::bytes::{Bytes, Packer};
use crate::Timestamp;

/// The date of HTTP (IMF-fixdate, RFC 9110, 5.6.7): 29 bytes as text, 5 as seconds.
const DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// What the number in front of a validator means: a date, hexadecimal digits, or its length and this more.
const IS_DATE: u64 = 0;
const IS_HEX: u64 = 1;
const TEXT: u64 = 2;

pub(super) fn pack(packer: &mut Packer, text: &str) {
    if let Some(second) = second_of(text) {
        packer.number(IS_DATE);
        packer.number(second);
    } else if let Some(bytes) = bytes_of(text) {
        packer.number(IS_HEX);
        packer.number(bytes.len() as u64);
        bytes.into_iter().for_each(|byte| packer.byte(byte));
    } else {
        packer.number(text.len() as u64 + TEXT);
        packer.bytes(text.as_bytes());
    }
}

pub(super) fn unpack(bytes: &mut Bytes<'_>) -> String {
    match bytes.number() {
        IS_DATE => {
            let second = i64::try_from(bytes.number()).unwrap_or_default();
            Timestamp::from_second(second).map(date).unwrap_or_default()
        }
        IS_HEX => {
            let digits: String =
                (0..bytes.number()).map(|_| format!("{:02x}", bytes.byte())).collect();
            format!("\"{digits}\"")
        }
        length => bytes.text_of(length - TEXT),
    }
}

fn date(at: Timestamp) -> String {
    at.strftime(DATE).to_string()
}

/// The second that a date names, if it is written as we would write it: another weekday or one digit of a day is no
/// date here.
fn second_of(text: &str) -> Option<u64> {
    let civil = strtime::parse(DATE, text).ok()?.to_datetime().ok()?;
    let at = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
    if date(at) == text { u64::try_from(at.as_second()).ok() } else { None }
}

/// The bytes that are written as small hexadecimal digits in quotes: hashes mostly, as many servers make an `ETag`.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix('"')?.strip_suffix('"')?.as_bytes();
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, odd) = digits.as_chunks();
    let byte = |[high, low]: &[u8; 2]| Some(value(*high)? << 4 | value(*low)?);
    if odd.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// It is unpacked as it was, and takes so many bytes.
    #[track_caller]
    fn check(text: &str, packed_bytes: usize) {
        let mut packer = Packer::default();
        pack(&mut packer, text);
        let packed = packer.finish();
        assert_eq!(unpack(&mut Bytes::new(&packed)), text);
        assert_eq!(packed.len(), packed_bytes, "{text}");
    }

    #[test]
    fn dates_and_hashes_take_less_and_all_come_back_as_they_were() {
        check("Sun, 01 Mar 2026 12:00:00 GMT", 6);
        check("\"5f0c8e7a1b2c3d4e5f0c8e7a1b2c3d4e\"", 18);
        check("\"\"", 2);
        // Whatever differs by a byte from what we would write is text.
        for text in [
            "Mon, 01 Mar 2026 12:00:00 GMT",
            "Sun, 1 Mar 2026 12:00:00 GMT",
            "Sun, 01 Mar 2026 12:00:00 UTC",
            "Sun, 01 Mar 2026 12:00:60 GMT",
            "Thu, 01 Jan 1960 00:00:00 GMT",
            "\"5F0C\"",
            "\"5f0\"",
            "W/\"5f0c\"",
            "\"",
            "",
            "\"привет\"",
        ] {
            check(text, text.len() + 1);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_given_comes_back(text in "(\"[0-9a-f]{0,9}\"|.{0,40})", second in 0..253_402_207_200_i64) {
            for text in [text, date(Timestamp::from_second(second).unwrap_or_default())] {
                let mut packer = Packer::default();
                pack(&mut packer, &text);
                prop_assert_eq!(unpack(&mut Bytes::new(&packer.finish())), text);
            }
        }
    }
}
