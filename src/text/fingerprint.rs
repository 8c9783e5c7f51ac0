//! Similarity of two texts in 64 bits.
//!
//! Source: Charikar's simhash (STOC 2002) over overlapping runs of three words, or of three
//! characters where a text has no spaces between words. Texts that share most runs differ in few
//! bits.

use cw_model::digest::hash64;
use cw_model::{Fingerprint, Steps, TooCostly};

use crate::lower::lower;

/// Words or characters of a run.
const RUN_PIECES: usize = 3;

/// Where words are longer than this on average, they are none.
const WORD_CHARS_MAX: usize = 15;

/// Steps for each byte of a text.
const BYTE_STEPS: usize = 3;

/// Steps for each run of words: it is hashed, and its bits are counted.
const RUN_STEPS: usize = 80;

/// The fingerprint of an article's title and body; `None` if there is no word in them.
///
/// # Errors
/// [`TooCostly`] if there are no steps left.
pub fn fingerprint(
    title: &str,
    body: &str,
    steps: &Steps,
) -> Result<Option<Fingerprint>, TooCostly> {
    let text = lower(&format!("{title} {body}"));
    steps.spend(text.len().saturating_mul(BYTE_STEPS))?;
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut pieces = Pieces::of(words);
    // Scripts without spaces come as a few very long "words".
    if pieces.count() * WORD_CHARS_MAX < pieces.chars() {
        let chars = text.char_indices().filter(|(_, c)| c.is_alphanumeric());
        pieces = Pieces::of(chars.filter_map(|(at, c)| text.get(at..at + c.len_utf8())));
    }
    if pieces.count() == 0 {
        return Ok(None);
    }
    steps.spend(pieces.count().saturating_mul(RUN_STEPS))?;
    let runs = pieces.runs();
    let half = runs.len() / 2;
    let ones = ones_of_each_bit(runs.map(hash64));
    let bits = ones.iter().enumerate().filter(|(_, ones)| **ones > half);
    Ok(Some(Fingerprint(bits.fold(0, |hash, (bit, _)| hash | 1 << bit))))
}

/// The words or characters of a text, each with a zero behind it, one after the other: a run is a part of that.
#[derive(Debug)]
struct Pieces {
    joined: String,
    /// Where the first begins, and where each ends.
    bounds: Vec<usize>,
}

impl Pieces {
    fn of<'t>(pieces: impl Iterator<Item = &'t str>) -> Self {
        let mut own = Self { joined: String::new(), bounds: vec![0] };
        for piece in pieces {
            own.joined.push_str(piece);
            own.joined.push('\0');
            own.bounds.push(own.joined.len());
        }
        own
    }

    fn count(&self) -> usize {
        self.bounds.len() - 1
    }

    /// Characters in all of them.
    fn chars(&self) -> usize {
        self.joined.chars().count() - self.count()
    }

    /// The runs, or all pieces if they are no more than one run.
    fn runs(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let length = RUN_PIECES.min(self.count());
        self.bounds.windows(length + 1).map(|run| {
            let bounds = run.first().copied().zip(run.last().copied());
            let run = bounds.and_then(|(from, to)| self.joined.as_bytes().get(from..to));
            run.unwrap_or_default()
        })
    }
}

/// How many of these have each bit set, the lowest bit first.
///
/// Eight bits are counted with one addition, each in a byte of its own, and no byte counts further than it can.
fn ones_of_each_bit(hashes: impl Iterator<Item = u64>) -> [usize; 64] {
    let mut ones = [0_usize; 64];
    let mut counted = [0_u64; 8];
    let mut since = 0_u8;
    let mut empty = |counted: &mut [u64; 8]| {
        for (sums, counts) in ones.chunks_exact_mut(8).zip(counted.iter()) {
            for (sum, count) in sums.iter_mut().zip(counts.to_le_bytes()) {
                *sum += usize::from(count);
            }
        }
        *counted = [0; 8];
    };
    for hash in hashes {
        for (counts, byte) in counted.iter_mut().zip(hash.to_le_bytes()) {
            *counts += spread(byte);
        }
        since += 1;
        if since == u8::MAX {
            empty(&mut counted);
            since = 0;
        }
    }
    empty(&mut counted);
    ones
}

/// The bits of a byte, each as a byte of 0 or 1, that of the lowest bit lowest.
fn spread(byte: u8) -> u64 {
    const ONE_OF_EACH: u64 = 0x0101_0101_0101_0101;
    // The byte eight times, and of each copy another bit.
    let bits = (u64::from(byte) * ONE_OF_EACH) & 0x8040_2010_0804_0201;
    // What is not 0 carries into the highest bit of its byte.
    ((bits + 0x7f * ONE_OF_EACH) >> 7) & ONE_OF_EACH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(title: &str, body: &str) -> Option<Fingerprint> {
        fingerprint(title, body, &Steps::new(u64::MAX)).unwrap()
    }

    fn distance(one: &str, other: &str) -> u32 {
        let bits = |text| of("", text).unwrap().0;
        (bits(one) ^ bits(other)).count_ones()
    }

    const TEXT: &str = "Shells fell on the market at noon and the town's only clinic took in forty \
        people before its generator failed, the doctor on duty said by telephone on Tuesday";

    #[test]
    fn a_small_edit_moves_few_bits_and_another_text_many() {
        let edited = TEXT.replace("forty", "fifty");
        let other = "The central bank kept its rate where it was and said prices would rise more \
            slowly next year than it had thought in spring, after a vote of seven to two";
        assert!(distance(TEXT, &edited) <= 16, "{}", distance(TEXT, &edited));
        assert!(distance(TEXT, other) >= 20, "{}", distance(TEXT, other));
    }

    #[test]
    fn text_without_spaces_has_one_too() {
        assert_ne!(of("", "停火协议今天生效双方表示将遵守").unwrap().0, 0);
    }

    #[test]
    fn each_bit_is_counted_however_many_there_are() {
        for many in [0_u64, 1, 2, 254, 255, 256, 300, 511, 1000] {
            let mut dice = many + 1;
            let mut hash = || {
                dice ^= dice << 13;
                dice ^= dice >> 7;
                dice ^= dice << 17;
                dice
            };
            let hashes: Vec<u64> = (0..many).map(|_| hash()).collect();
            let ones: [usize; 64] = std::array::from_fn(|bit| {
                hashes.iter().filter(|hash| *hash >> bit & 1 == 1).count()
            });
            assert_eq!(ones_of_each_bit(hashes.iter().copied()), ones, "{many}");
        }
    }

    #[test]
    fn texts_without_a_word_are_like_nothing() {
        for (title, body) in [("", ""), ("…", "— !")] {
            assert_eq!(of(title, body), None);
        }
    }
}
