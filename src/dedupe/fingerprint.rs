//! Similarity of two texts in 64 bits.
//!
//! Source: Charikar's simhash (STOC 2002) over overlapping runs of three words, or of three
//! characters where a text has no spaces between words. Texts that share most runs differ in few
//! bits.

use sha2::{Digest as _, Sha256};

use crate::model::Fingerprint;

/// The fingerprint of an article's title and body; `None` if there is no word in them.
pub fn fingerprint(title: &str, body: &str) -> Option<Fingerprint> {
    let text = format!("{title} {body}").to_lowercase();
    let mut pieces: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let chars: Vec<String>;
    // Scripts without spaces come as a few very long "words".
    let length: usize = pieces.iter().map(|piece| piece.chars().count()).sum();
    if pieces.len() * 15 < length {
        chars = text.chars().filter(|c| c.is_alphanumeric()).map(String::from).collect();
        pieces = chars.iter().map(String::as_str).collect();
    }
    if pieces.is_empty() {
        return None;
    }
    let mut balance = [0_i32; 64];
    for run in pieces.windows(3.min(pieces.len())) {
        let hash = run_hash(run);
        for (bit, weight) in balance.iter_mut().enumerate() {
            *weight += if hash >> bit & 1 == 1 { 1 } else { -1 };
        }
    }
    let bits = balance.iter().enumerate().filter(|(_, weight)| **weight > 0);
    Some(Fingerprint(bits.fold(0, |hash, (bit, _)| hash | 1 << bit)))
}

fn run_hash(run: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for word in run {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    u64::from_be_bytes(hash.finalize().first_chunk().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(one: &str, other: &str) -> u32 {
        let bits = |text| fingerprint("", text).unwrap().0;
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
        assert_ne!(fingerprint("", "停火协议今天生效双方表示将遵守").unwrap().0, 0);
    }

    #[test]
    fn texts_without_a_word_are_like_nothing() {
        for (title, body) in [("", ""), ("…", "— !")] {
            assert_eq!(fingerprint(title, body), None);
        }
    }
}
