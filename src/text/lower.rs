//! Lower case, as [`str::to_lowercase`] has it, and sooner where some letters are beyond ASCII.

/// The letter whose small form depends on what stands beside it.
const SIGMA: char = 'Σ';

/// A text in lower case.
pub(crate) fn lower(text: &str) -> String {
    if text.is_ascii() || text.contains(SIGMA) {
        return text.to_lowercase();
    }
    let mut lower = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
        let (ascii, after) = rest.split_at(end);
        let begin = lower.len();
        lower.push_str(ascii);
        if let Some(own) = lower.get_mut(begin..) {
            own.make_ascii_lowercase();
        }
        let mut chars = after.chars();
        while let Some(c) = chars.as_str().chars().next().filter(|c| !c.is_ascii()) {
            lower.extend(c.to_lowercase());
            chars.next();
        }
        rest = chars.as_str();
    }
    lower
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_letter_has_its_small_form() {
        for c in '\0'..=char::MAX {
            for text in [c.to_string(), format!("A{c}B é")] {
                assert_eq!(lower(&text), text.to_lowercase());
            }
        }
    }

    proptest! {
        #[test]
        fn a_text_is_lowered_as_the_standard_library_does(text in "[A-Ca-c İIıßΣσςÀàЖж\u{307}’]{0,40}") {
            prop_assert_eq!(lower(&text), text.to_lowercase());
        }
    }
}
