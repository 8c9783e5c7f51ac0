//! Some numbers of a range that is known, a bit each.

/// Numbers, none of them twice. Those beyond its range it never has.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// None, of so many.
    pub(super) fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    /// All, of so many.
    pub(super) fn all(count: usize) -> Self {
        Self(vec![u64::MAX; count.div_ceil(64)])
    }

    /// Adds a number, and says whether it is new.
    pub(super) fn insert(&mut self, number: usize) -> bool {
        let bit = 1_u64 << (number % 64);
        self.0.get_mut(number / 64).is_some_and(|word| {
            let is_new = *word & bit == 0;
            *word |= bit;
            is_new
        })
    }

    /// The numbers, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = usize::try_from(left.trailing_zeros()).ok().filter(|_bit| left != 0)?;
                left &= left - 1;
                Some(64 * index + bit)
            })
        })
    }

    /// Whether a number is there.
    pub(super) fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_new_once_and_there_from_then_on() {
        let mut bits = Bits::none(130);
        assert!(!bits.has(129));
        assert!(bits.insert(129) && !bits.insert(129));
        assert!(bits.has(129) && !bits.has(128) && !bits.has(65));
        assert!(!bits.insert(1000) && !bits.has(1000));
        bits.insert(3);
        assert_eq!(bits.iter().collect::<Vec<_>>(), [3, 129]);
        assert!(Bits::all(130).has(0) && Bits::all(130).has(129));
    }
}
