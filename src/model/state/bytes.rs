//! Numbers and texts as bytes, one after the other, and back. Nothing says what comes next: whoever
//! reads knows what was written.

use std::sync::Arc;

/// Writes bytes.
#[derive(Debug, Default)]
pub(super) struct Packer {
    bytes: Vec<u8>,
}

impl Packer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(super) fn array<const N: usize>(&mut self, array: &[u8; N]) {
        self.bytes.extend_from_slice(array);
    }

    /// Seven bits a byte, the lowest first (LEB128): most numbers here are small.
    pub(super) fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.bytes.push(0x80 | low_bits(number));
            number >>= 7;
        }
        self.bytes.push(low_bits(number));
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes(text.as_bytes());
    }

    /// Bytes whose number the reader knows.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The same for one owner: without the two counts of an `Arc`, 16 bytes.
    pub(super) fn finish_boxed(self) -> Box<[u8]> {
        self.bytes.into_boxed_slice()
    }

    /// Exactly what was written, without spare capacity.
    pub(super) fn finish(self) -> Arc<[u8]> {
        self.bytes.into()
    }
}

/// The lowest seven bits.
fn low_bits(number: u64) -> u8 {
    number.to_le_bytes()[0] & 0x7f
}

/// Reads what a [`Packer`] wrote, in the same order. Past the end it reads zeros: only what this
/// process packed is read, so that is never met.
#[derive(Debug)]
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    pub(super) fn array<const N: usize>(&mut self) -> [u8; N] {
        let Some((array, rest)) = self.rest.split_first_chunk() else { return [0; N] };
        self.rest = rest;
        *array
    }

    pub(super) fn number(&mut self) -> u64 {
        let mut number = 0;
        // A number of 64 bits takes ten bytes at most.
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    pub(super) fn text(&mut self) -> String {
        let length = self.number();
        self.text_of(length)
    }

    /// A text of so many bytes.
    pub(super) fn text_of(&mut self, length: u64) -> String {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = rest;
        String::from_utf8_lossy(text).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_packed_is_read_again(
            numbers in proptest::collection::vec(any::<u64>(), 0..8), text in ".*", array: [u8; 16],
        ) {
            let mut packer = Packer::default();
            numbers.iter().for_each(|number| packer.number(*number));
            packer.text(&text);
            packer.array(&array);
            let packed = packer.finish();
            let mut bytes = Bytes::new(&packed);
            for number in numbers {
                prop_assert_eq!(bytes.number(), number);
            }
            prop_assert_eq!(bytes.text(), text);
            prop_assert_eq!(bytes.array(), array);
            prop_assert!(bytes.rest.is_empty());
        }
    }

    #[test]
    fn numbers_at_the_edges_of_their_lengths_are_read_again() {
        for bits in 0..64 {
            for number in [1 << bits, (1_u64 << bits) - 1, u64::MAX] {
                let mut packer = Packer::default();
                packer.number(number);
                let packed = packer.finish();
                assert_eq!(Bytes::new(&packed).number(), number);
            }
        }
    }
}
