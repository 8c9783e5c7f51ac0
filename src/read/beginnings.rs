//! Whether one of many texts may stand at a place, by its first bytes: a look that costs little, where most places
//! hold none of them.

/// Bits of a table, as words of 64.
const WORDS: usize = 64;

/// Says of most beginnings of `N` bytes, at most four, that none is among these, by a bit each.
#[derive(Debug)]
pub(crate) struct Beginnings<const N: usize>([u64; WORDS]);

impl<const N: usize> Beginnings<N> {
    /// Of these texts. A shorter one is not found.
    pub(crate) fn of<'a>(all: impl Iterator<Item = &'a str>) -> Self {
        let mut bits = [0; WORDS];
        for begin in all.filter_map(|text| text.as_bytes().first_chunk()) {
            let (word, bit) = Self::place(begin);
            if let Some(word) = bits.get_mut(word) {
                *word |= bit;
            }
        }
        Self(bits)
    }

    /// The places of a text at which one of them may begin.
    pub(crate) fn places(&self, text: &str) -> impl Iterator<Item = usize> {
        let begins = text.as_bytes().array_windows();
        begins.enumerate().filter(|(_, begin)| self.may_be(begin)).map(|(at, _)| at)
    }

    fn may_be(&self, begin: &[u8; N]) -> bool {
        let (word, bit) = Self::place(begin);
        self.0.get(word).is_some_and(|word| word & bit > 0)
    }

    /// A word and a bit of it: the upper bits of a product (Fibonacci hashing).
    fn place(begin: &[u8; N]) -> (usize, u64) {
        let key = begin.iter().fold(0_u32, |key, byte| key << 8 | u32::from(*byte));
        let [_, _, high, low] = (key.wrapping_mul(0x9e37_79b1) >> 20).to_be_bytes();
        let place = u16::from_be_bytes([high, low]);
        (usize::from(place >> 6), 1 << (place & 63))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_among_them_is_found_wherever_it_stands() {
        let all = ["appeared first", "впервые", "最先", "a m"];
        let beginnings = Beginnings::<3>::of(all.into_iter());
        for own in all {
            let text = format!("xé {own} y");
            let at = text.find(own).unwrap();
            assert!(beginnings.places(&text).any(|place| place == at), "{own}");
        }
        assert_eq!(beginnings.places("Sun, 01 Mar 2026 12:00:00 GMT").count(), 0);
        assert_eq!(beginnings.places("a").count(), 0);
    }
}
