//! Which words mean alike: word vectors, read in place.
//!
//! Words that stand in the same company in much text have vectors that point the same way (Pennington, Socher
//! and Manning 2014), so a model that has learnt of "corridor" and "glass" knows something of "stairwell" and
//! "window" too. A text is the mean of its words. The file is data (`config/model`), made by
//! `make_vectors.py` there from vectors that others published.
//!
//! | part | bytes | holds |
//! |---|---|---|
//! | magic | 8 | `cwvector` |
//! | counts | 2 × 4 | words; numbers of a vector |
//! | starts | 2 × 32,769 | for the upper 15 bits of a key, the first word |
//! | checks | 2 × words | the next 16 bits of the key, in order |
//! | vectors | numbers × words | signed bytes |
//!
//! All numbers are little-endian. A key is the hash of a word (`hash`), mixed. Words themselves are not
//! kept: one in 60,000 that are not in the file is taken for one that is.

use std::ops::Range;

/// Numbers of a vector.
pub(super) const DIMENSIONS: usize = 64;

/// The mean vector of a text, in steps of the file.
pub(super) type Mean = [f64; DIMENSIONS];

const MAGIC: &[u8] = b"cwvector";
const BUCKET_BITS: u32 = 15;
const CHECK_BITS: u32 = 16;
const STARTS: usize = (1 << BUCKET_BITS) + 1;

/// The vectors of one language.
#[derive(Debug)]
pub(super) struct Vectors {
    starts: &'static [[u8; 2]],
    checks: &'static [[u8; 2]],
    vectors: &'static [[u8; DIMENSIONS]],
}

impl Vectors {
    /// Reads the file of a language.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(bytes: &'static [u8]) -> Result<Self, String> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("these are no word vectors")?;
        let (counts, rest) = rest.split_at_checked(8).ok_or("there are no counts")?;
        let (counts, _) = counts.as_chunks::<4>();
        let counts: Vec<usize> =
            counts.iter().filter_map(|count| u32::from_le_bytes(*count).try_into().ok()).collect();
        let &[words, DIMENSIONS] = counts.as_slice() else {
            return Err(format!("a vector has {counts:?} numbers and not {DIMENSIONS}"));
        };
        let parts = rest.split_at_checked(2 * STARTS).and_then(|(starts, rest)| {
            let (checks, vectors) = rest.split_at_checked(words.checked_mul(2)?)?;
            Some((starts.as_chunks().0, checks.as_chunks().0, vectors.as_chunks().0, vectors))
        });
        match parts {
            Some((starts, checks, vectors, all)) if all.len() == words * DIMENSIONS => {
                Ok(Self { starts, checks, vectors })
            }
            _ => Err(format!("{} bytes for {words} words", bytes.len())),
        }
    }

    /// The mean of the words with these hashes. A word that is not known does not count, and the fewer are
    /// known the smaller it is: one word says little of a text.
    pub(super) fn mean(&self, hashes: &[u64]) -> Mean {
        let mut sums = [0_i32; DIMENSIONS];
        let mut known = 1_u32;
        for vector in hashes.iter().filter_map(|hash| self.vector(*hash)) {
            known += 1;
            for (sum, number) in sums.iter_mut().zip(vector) {
                *sum += i32::from(i8::from_le_bytes([*number]));
            }
        }
        sums.map(|sum| f64::from(sum) / f64::from(known))
    }

    fn vector(&self, hash: u64) -> Option<&'static [u8; DIMENSIONS]> {
        // Fibonacci hashing (Knuth 6.4): every bit of the hash moves the upper ones.
        let key = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BUCKET_BITS - CHECK_BITS);
        let bucket = usize::try_from(key >> CHECK_BITS).ok()?;
        let check = key & ((1 << CHECK_BITS) - 1);
        let range = Range { start: self.start(bucket)?, end: self.start(bucket + 1)? };
        let at = self.checks.get(range.clone())?.iter();
        let at = at.map(|known| u64::from(u16::from_le_bytes(*known))).position(|one| one == check);
        self.vectors.get(range.start + at?)
    }

    fn start(&self, bucket: usize) -> Option<usize> {
        self.starts.get(bucket).map(|start| usize::from(u16::from_le_bytes(*start)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::hash::hash;
    use super::super::source;
    use super::*;

    fn vectors() -> Vectors {
        Vectors::read(source::vectors("en").unwrap()).unwrap()
    }

    /// The cosine between the vectors of two words.
    fn alike(one: &str, other: &str) -> f64 {
        let of = |word: &str| vectors().mean(&[hash(word)]);
        let dot = |a: Mean, b: Mean| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let (a, b) = (of(one), of(other));
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }

    #[test]
    fn words_that_mean_alike_have_vectors_that_point_the_same_way() {
        for (word, near, far) in [
            ("shelling", "artillery", "cinema"),
            ("corridor", "hallway", "dividend"),
            ("ceasefire", "truce", "striker"),
            ("windows", "shattered", "unanimous"),
        ] {
            assert!(alike(word, near) > alike(word, far) + 0.2, "{word} {near} {far}");
        }
    }

    #[test]
    fn what_stands_for_an_actor_or_a_place_has_a_vector_too() {
        for (sign, word) in [("§place", "town"), ("§force", "army"), ("§office", "minister")] {
            assert!(alike(sign, word) > 0.999, "{sign}");
        }
    }

    #[test]
    fn an_unknown_word_changes_nothing() {
        let known = vectors().mean(&[hash("army"), hash("village")]);
        let with = vectors().mean(&[hash("army"), hash("xqzzyplonk"), hash("village")]);
        assert_eq!(known, with);
        assert_eq!(vectors().mean(&[hash("xqzzyplonk")]), [0.0; DIMENSIONS]);
    }

    #[test]
    fn a_file_that_is_cut_or_of_another_kind_is_refused() {
        let bytes = source::vectors("en").unwrap();
        for part in
            [&bytes[..0], &bytes[..12], &bytes[..5_000], &bytes[..bytes.len() - 1], &bytes[1..]]
        {
            assert!(Vectors::read(part).is_err());
        }
    }
}
