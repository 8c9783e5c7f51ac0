//! Which words in classes and texts of pages mean what. They are data: `words.toml`.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::Deserialize;

pub(super) static WORDS: LazyLock<Words> =
    LazyLock::new(|| toml::from_str(include_str!("words.toml")).unwrap_or_default());

/// No such line is longer.
const NOTICE_BYTES_MAX: usize = 60;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    /// Classes of what holds the text of an article.
    pub(super) body: HashSet<String>,
    /// Words in classes of what stands beside it, whatever other words are there.
    pub(super) apart: HashSet<String>,
    /// The same, unless `body_words` are there too.
    pub(super) apart_alone: HashSet<String>,
    /// Words in classes of what may be the article.
    pub(super) body_words: HashSet<String>,
    /// Lines that stand over what is no part of it, lower case.
    lines: HashSet<String>,
    /// What titles of pages that stand before the article say, lower case.
    pub(super) wall_titles: Vec<String>,
    /// What their texts say.
    pub(super) wall_texts: Vec<String>,
}

/// Whether a class is that of a body: words joined by one hyphen, lower case.
pub(super) fn is_body(classes: &str) -> bool {
    let is_one = |class: &str| WORDS.body.contains(&joined(class));
    classes.split_ascii_whitespace().any(is_one)
}

/// Whether a class says that what it holds stands beside the article.
pub(super) fn is_apart(classes: &str) -> bool {
    classes.split_ascii_whitespace().any(|class| {
        let class = joined(class);
        // What says something of the whole page.
        let is_of_state = ["has-", "with-", "no-", "is-", "js-"];
        if is_of_state.iter().any(|start| class.starts_with(start)) || is_body(&class) {
            return false;
        }
        let holds = |words: &HashSet<String>| class.split('-').any(|word| words.contains(word));
        holds(&WORDS.apart) || (holds(&WORDS.apart_alone) && !holds(&WORDS.body_words))
    })
}

/// Whether a line only says that an advertisement follows.
pub(super) fn is_notice(line: &str) -> bool {
    let line = line.trim();
    line.len() <= NOTICE_BYTES_MAX && WORDS.lines.contains(&line.to_lowercase())
}

/// A class in lower case, its words joined by one hyphen: `article__body`, `articleBody` and `article-body` are one.
fn joined(class: &str) -> String {
    let mut joined = String::with_capacity(class.len() + 4);
    let mut before = '-';
    for c in class.chars() {
        if !c.is_alphanumeric() {
            if before != '-' {
                joined.push('-');
            }
            before = '-';
            continue;
        }
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            joined.push('-');
        }
        joined.push(c.to_ascii_lowercase());
        before = c;
    }
    joined.truncate(joined.trim_end_matches('-').len());
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read() {
        let words: Words = toml::from_str(include_str!("words.toml")).unwrap();
        assert!(words.body.iter().all(|class| joined(class) == *class));
        let texts = words.wall_titles.iter().chain(&words.wall_texts);
        assert!(texts.clone().all(|text| *text == text.to_lowercase()));
    }

    #[test]
    fn a_class_is_known_however_it_is_written() {
        for class in ["article-body", "article__body", "articleBody", "x Article_Body y"] {
            assert!(is_body(class), "{class}");
        }
        for class in ["comments", "post-comments", "relatedStories", "c-share__list", "sidebar"] {
            assert!(is_apart(class), "{class}");
        }
        for class in ["article-body", "has-sidebar", "content-widget", "story", "reading"] {
            assert!(!is_apart(class), "{class}");
        }
    }
}
