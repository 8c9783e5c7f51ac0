//! What articles and their parts are known by.

use serde::{Deserialize, Serialize};

/// The key of an article: the same article gets the same id on every poll.
///
/// Shape: 128 bits, written as 32 lower-case hex digits.
/// Source: made only by `normalise::identity`, from the feed id and the guid (or the link, or the
/// content, in that order).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ArticleId(pub [u8; 16]);

/// Exact hash of the parts whose change makes a revision: 64 bits, 16 hex digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest(pub [u8; 8]);

impl Digest {
    /// Of an article that was taken back: no parts have this one, so that whatever is shown again is a
    /// revision, also to versions of the program that know nothing of this.
    pub const WITHDRAWN: Self = Self([0xff; 8]);
}

macro_rules! hex_text {
    ($name:ident, $bytes:expr) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotHex;

            fn try_from(text: String) -> Result<Self, NotHex> {
                $name::parse(&text)
            }
        }

        impl $name {
            /// Reads one written by an earlier run.
            ///
            /// # Errors
            /// [`NotHex`] unless `text` is exactly the right number of lower-case hex digits.
            pub fn parse(text: &str) -> Result<Self, NotHex> {
                let lower = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                if text.len() != 2 * $bytes || !text.bytes().all(lower) {
                    return Err(NotHex(text.to_owned()));
                }
                let mut bytes = [0_u8; $bytes];
                for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
                    let digits = std::str::from_utf8(pair).unwrap_or_default();
                    *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
                }
                Ok(Self(bytes))
            }
        }
    };
}

hex_text!(ArticleId, 16);
hex_text!(Digest, 8);

/// Text that was read as hex digits of a fixed length and is not.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is not lower-case hex digits of the right length")]
pub struct NotHex(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_written() {
        let id = ArticleId([0xab; 16]);
        assert_eq!(ArticleId::parse(&id.to_string()).unwrap(), id);
    }

    #[test]
    fn other_text_is_not_an_id() {
        for text in ["", "AB", &"g".repeat(32), &"a".repeat(31), &"a".repeat(33), &"A".repeat(32)] {
            assert!(ArticleId::parse(text).is_err(), "{text}");
        }
    }
}
