//! What counts as a change: title, summary, body and link. Not dates, categories or media, which
//! many publishers rewrite on every poll.

use sha2::{Digest as _, Sha256};

use crate::{ArticleId, Digest};

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

/// The first 64 bits of the SHA-256 of bytes.
pub fn hash64(bytes: &[u8]) -> u64 {
    // Padding the block of a short text by hand was measured: 48 ns instead of 53, of an article's 200 µs.
    u64::from_be_bytes(bytes_digest(bytes).0)
}

/// The id of what was refused of a feed: the same bytes of the same feed have one id, so that a consumer can drop what is
/// written twice. The length in front: no other feed and bytes read as one text.
pub fn refused_id(feed: &str, bytes: &[u8]) -> ArticleId {
    let mut hash = Sha256::new();
    hash.update((feed.len() as u64).to_be_bytes());
    hash.update(feed);
    hash.update(bytes);
    ArticleId(hash.finalize().first_chunk().copied().unwrap_or_default())
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
    fn a_hash_is_the_beginning_of_sha_256() {
        // NIST's examples of 24 and of 448 bits.
        let long = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(hash64(b"abc"), 0xba78_16bf_8f01_cfea);
        assert_eq!(hash64(long), 0x248d_6a61_d206_38b8);
    }

    #[test]
    fn what_is_refused_has_an_id_of_its_feed_and_its_bytes() {
        let id = refused_id("wire", b"<item>");
        assert_eq!(id, refused_id("wire", b"<item>"));
        for other in
            [refused_id("wir", b"e<item>"), refused_id("wire", b"<item"), refused_id("", b"")]
        {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn each_part_counts_and_so_does_its_place() {
        let base = digest([Some("a"), Some("b"), None, None]);
        assert_eq!(base, digest([Some("a"), Some("b"), None, None]));
        assert_ne!(base, digest([Some("ab"), Some(""), None, None]));
        assert_ne!(base, digest([Some("b"), Some("a"), None, None]));
        assert_ne!(base, digest([Some("a"), Some("b"), Some(""), None]));
    }
}
