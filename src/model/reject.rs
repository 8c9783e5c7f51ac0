//! How much of what was refused a reject holds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Reject;

/// The most bytes of a reject as published, all of it, as JSON: enough to see what it was.
pub const REJECT_BYTES_MAX: usize = 64 * 1024;

/// The most bytes of its `detail`; what is longer is cut.
pub const DETAIL_BYTES_MAX: usize = 2048;

/// The most bytes of its `url`; what is longer is cut.
const URL_BYTES_MAX: usize = 4096;

impl Reject {
    /// Itself, with as many first bytes of what was refused as fit, and its texts cut so that they
    /// leave most of the room to those.
    #[must_use]
    pub fn holding(mut self, refused: &[u8]) -> Self {
        self.detail = cut(self.detail, DETAIL_BYTES_MAX);
        self.url = cut(self.url, URL_BYTES_MAX);
        self.length = refused.len() as u64;
        self.bytes.clear();
        let rest = serde_json::to_vec(&self).map_or(REJECT_BYTES_MAX, |json| json.len());
        // Base64: four for each three begun.
        let room = REJECT_BYTES_MAX.saturating_sub(rest) / 4 * 3;
        self.bytes = STANDARD.encode(refused.get(..room).unwrap_or(refused));
        self
    }
}

/// What stands at the end of a text that was cut.
const MARK: char = '…';

/// The beginning of a text and a mark that it is that: as many whole characters as take no more than
/// so many bytes in JSON. A text that fits is left as it is.
pub fn cut(text: String, json_bytes_max: usize) -> String {
    let (mut bytes, mut end) = (0, 0);
    for (at, character) in text.char_indices() {
        if bytes + MARK.len_utf8() <= json_bytes_max {
            end = at;
        }
        bytes += match character {
            '"' | '\\' => 2,
            '\0'..='\u{1f}' => 6,
            _ => character.len_utf8(),
        };
        if bytes > json_bytes_max {
            let beginning = text.get(..end).unwrap_or_default();
            return if json_bytes_max < MARK.len_utf8() {
                String::new()
            } else {
                format!("{beginning}{MARK}")
            };
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(url: &str, detail: &str) -> Reject {
        Reject {
            schema: "conflictwire.reject/1".to_owned(),
            id: "0".repeat(32),
            feed_id: "a".repeat(128),
            url: url.to_owned(),
            reason: "redirect_refused".to_owned(),
            detail: detail.to_owned(),
            offset: Some(u64::MAX),
            length: 0,
            bytes: String::new(),
            at: "2026-01-02T03:04:05Z".to_owned(),
        }
    }

    #[test]
    fn a_reject_is_no_larger_than_its_limit_whatever_is_in_it() {
        let url = format!("https://example.org/{}", "x".repeat(100_000));
        for detail in ["short".to_owned(), "\u{1}".repeat(1 << 20), "\"\\".repeat(1 << 20)] {
            for length in [0, 1, 2, 3, 40_000, 46_000, 49_151, 65_536, 1 << 20] {
                let refused = vec![0xff; length];
                let json = serde_json::to_string(&reject(&url, &detail).holding(&refused)).unwrap();
                assert!(json.len() <= REJECT_BYTES_MAX, "{} bytes of {length}", json.len());
            }
        }
    }

    #[test]
    fn most_of_a_reject_is_what_was_refused() {
        let refused: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 20).collect();
        let full = reject("https://example.org/rss", &"x".repeat(5000)).holding(&refused);
        let held = STANDARD.decode(&full.bytes).unwrap();
        assert!(held.len() >= 46_000 && refused.starts_with(&held), "{} bytes", held.len());
        assert_eq!(full.length, 1 << 20);
        let small = reject("https://example.org/rss", "why").holding(b"<rss>");
        assert_eq!(STANDARD.decode(&small.bytes).unwrap(), b"<rss>");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("äöü".to_owned(), 5), "ä…");
        assert_eq!(cut("äöü".to_owned(), 6), "äöü");
        assert_eq!(cut("äöüß".to_owned(), 6), "ä…");
        assert_eq!(cut("ab\u{1}b".to_owned(), 6), "ab…");
        assert_eq!(cut("abc".to_owned(), 2), "");
        assert_eq!(cut(String::new(), 0), "");
    }
}
