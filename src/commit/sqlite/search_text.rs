//! Folds text so that what a person types finds what a publisher wrote, in any script.

/// Folds a text for the index.
pub fn search_text(text: &str) -> String {
    text.to_lowercase()
}
