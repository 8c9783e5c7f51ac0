//! Texts and documents made to cost more than their length says, each of any length: what the tests of
//! growth run over, and the table of costs in `benches/README.md`.

pub(crate) mod documents;
pub(crate) mod texts;

/// A name, and what makes one of about so many bytes.
pub(crate) type Construction = (&'static str, fn(usize) -> String);

/// A piece again and again, to so many bytes.
pub(crate) fn many(piece: &str, bytes: usize) -> String {
    piece.repeat((bytes / piece.len()).max(1))
}

/// Pieces that differ by their number, to so many bytes.
pub(crate) fn numbered(piece: impl Fn(usize) -> String, bytes: usize) -> String {
    let mut text = String::new();
    for number in 0.. {
        if text.len() >= bytes {
            break;
        }
        text.push_str(&piece(number));
    }
    text
}
