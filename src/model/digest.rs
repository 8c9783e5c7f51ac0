//! What counts as a change: title, summary, body and link. Not dates, categories or media, which
//! many publishers rewrite on every poll.

use sha2::{Digest as _, Sha256};

use crate::Digest;

/// The digest of an article's parts. Parts are length-prefixed, so no two lists collide by where
/// one part ends.
pub fn digest(parts: [Option<&str>; 4]) -> Digest {
    let mut hash = Sha256::new();
    for part in parts {
        // A missing part differs from an empty one.
        hash.update([u8::from(part.is_some())]);
        let text = part.unwrap_or_default();
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    Digest(first_bytes(hash))
}

/// The digest of bytes as they came.
pub fn bytes_digest(bytes: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(bytes);
    Digest(first_bytes(hash))
}

/// The hash of a word where it stands for the `nth` time in its text.
pub fn word_hash(word: &str, nth: u32) -> u32 {
    let mut hash = Sha256::new();
    hash.update(nth.to_be_bytes());
    hash.update(word.as_bytes());
    u32::from_be_bytes(hash.finalize().first_chunk().copied().unwrap_or_default())
}

fn first_bytes(hash: Sha256) -> [u8; 8] {
    hash.finalize().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_counts_and_so_does_its_place() {
        let base = digest([Some("a"), Some("b"), None, None]);
        assert_eq!(base, digest([Some("a"), Some("b"), None, None]));
        assert_ne!(base, digest([Some("ab"), Some(""), None, None]));
        assert_ne!(base, digest([Some("b"), Some("a"), None, None]));
        assert_ne!(base, digest([Some("a"), Some("b"), Some(""), None]));
    }
}
