//! Labels of feeds: what a text must be to be one, and what a folder of a feed reader becomes.

/// The most labels of a feed, and the most characters of one: folders of feed readers are not deeper, and
/// their names not longer.
pub(super) const LABELS_MAX: usize = 16;
pub(super) const LABEL_CHARS_MAX: usize = 64;

/// Whether a text can be a label.
pub(super) fn is_label(text: &str) -> bool {
    let is_plain = |letter: char| letter != ',' && !letter.is_control();
    !text.is_empty() && text.chars().count() <= LABEL_CHARS_MAX && text.chars().all(is_plain)
}

/// A label as it is kept: what stands between its words is one space.
pub(super) fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The label that a folder becomes, as much of its name as a label can have.
pub(super) fn label_of_folder(name: &str) -> Option<String> {
    let letters = name.replace(',', " ");
    let letters: String = letters.chars().filter(|letter| !letter.is_control()).collect();
    let cut: String = plain(&letters).chars().take(LABEL_CHARS_MAX).collect();
    Some(plain(&cut)).filter(|label| is_label(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_becomes_a_label_that_can_be_one() {
        for (name, label) in [
            ("Middle East", Some("Middle East")),
            ("Gaza, Lebanon", Some("Gaza Lebanon")),
            (" \u{7}\n", None),
            ("", None),
        ] {
            assert_eq!(label_of_folder(name).as_deref(), label, "{name:?}");
        }
        assert!(label_of_folder(&"я".repeat(LABEL_CHARS_MAX + 1)).is_some_and(|it| is_label(&it)));
    }
}
