//! Every word and phrase that casualties are read by, from the files that say what each is for.

use std::sync::LazyLock;

use super::text::Vocabulary;
use super::{numbers, scope, words};

/// All of it.
pub(super) static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let mut vocabulary = Vocabulary::new();
    for (phrase, role) in words::roles().chain(numbers::roles()).chain(scope::roles()) {
        let first = phrase.split(' ').next().unwrap_or_default();
        vocabulary.entry(first).or_default().push((phrase, role));
    }
    vocabulary
});
