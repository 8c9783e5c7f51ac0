//! What counts as a change: title, summary, body and link. Not dates, categories or media, which
//! many publishers rewrite on every poll.

use sha2::block_api::compress256;
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

/// The first 64 bits of the SHA-256 of bytes. Short ones, of which there are many, are hashed without a buffer.
pub fn hash64(bytes: &[u8]) -> u64 {
    // FIPS 180-4, 5.3.3.
    const START: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    let mut block = [0_u8; 64];
    let (text, length) = block.split_at_mut(56);
    // What is padded to one block: the bytes, a bit that is set, zeros, how many bits there were (5.1.1).
    match (text.split_at_mut_checked(bytes.len()), u16::try_from(bytes.len())) {
        (Some((own, [end, ..])), Ok(count)) => {
            own.copy_from_slice(bytes);
            *end = 0x80;
            length.copy_from_slice(&(u64::from(count) * 8).to_be_bytes());
            let mut state = START;
            compress256(&mut state, &[block]);
            let [high, low, ..] = state;
            u64::from(high) << 32 | u64::from(low)
        }
        _ => {
            let mut hash = Sha256::new();
            hash.update(bytes);
            u64::from_be_bytes(first_bytes(hash))
        }
    }
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
    fn a_short_hash_is_the_beginning_of_the_whole_one() {
        let bytes: Vec<u8> = (0..=255).cycle().take(300).collect();
        for length in (0..130).chain([255, 256, 300]) {
            let own = &bytes[..length];
            assert_eq!(hash64(own).to_be_bytes(), bytes_digest(own).0, "{length} bytes");
        }
        // NIST's example of 24 bits.
        assert_eq!(hash64(b"abc"), 0xba78_16bf_8f01_cfea);
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
