//! The little language in which a lexicon writes terms, and its expansion.
//!
//! | written | means |
//! |---|---|
//! | `air strike(s)` | "air strike", "air strikes" (and "air-strike", by the cutting of words) |
//! | `shell(s,ed,ing)` | the word and the word with each ending |
//! | `kill\|kills\|killed` | one word out of several |
//! | `open(s,ed) fire\|up` | each word of a phrase may vary |
//!
//! Nothing else is special.

use super::segment::plain_term;

/// Most plain phrases one written term may stand for.
///
/// More is a mistake in the lexicon: three words of eight forms each already come to 512.
const PHRASES_MAX: usize = 512;

/// What is wrong with a written term, for whoever wrote it.
#[derive(Debug, thiserror::Error)]
pub(super) enum TermError {
    #[error("\"{term}\": \"(\" without \")\" at the end of the word")]
    Unclosed { term: String },
    #[error("\"{term}\": empty choice or stray bracket")]
    Stray { term: String },
    #[error("\"{term}\" stands for more than {PHRASES_MAX} phrases; split it")]
    TooMany { term: String },
    #[error("\"{term}\" has no words")]
    Empty { term: String },
}

/// The plain phrases (see `segment`) a written term stands for.
///
/// # Errors
/// What is wrong with it, for whoever wrote it.
pub(super) fn expand(term: &str) -> Result<Vec<String>, TermError> {
    let mut phrases = vec![String::new()];
    for word in term.split_whitespace() {
        let forms: Vec<String> = forms(term, word)?.iter().map(|form| plain_term(form)).collect();
        phrases = phrases
            .iter()
            .flat_map(|phrase| forms.iter().map(move |form| joined(phrase, form)))
            .collect();
        if phrases.len() > PHRASES_MAX {
            return Err(TermError::TooMany { term: term.to_owned() });
        }
    }
    phrases.sort();
    phrases.dedup();
    if phrases.iter().any(String::is_empty) {
        return Err(TermError::Empty { term: term.to_owned() });
    }
    Ok(phrases)
}

/// A phrase with one word more, either of which may be nothing but signs.
fn joined(phrase: &str, word: &str) -> String {
    let mut joined = String::with_capacity(phrase.len() + word.len() + 1);
    joined.push_str(phrase);
    if !phrase.is_empty() && !word.is_empty() {
        joined.push(' ');
    }
    joined.push_str(word);
    joined
}

/// Every form of one written word of a term.
fn forms(term: &str, word: &str) -> Result<Vec<String>, TermError> {
    let mut forms = Vec::new();
    for choice in word.split('|') {
        let Some((stem, endings)) = choice.split_once('(') else {
            forms.push(choice.to_owned());
            continue;
        };
        let Some(endings) = endings.strip_suffix(')') else {
            return Err(TermError::Unclosed { term: term.to_owned() });
        };
        forms.push(stem.to_owned());
        forms.extend(endings.split(',').map(|ending| format!("{stem}{}", ending.trim())));
    }
    if forms.iter().any(|form| form.is_empty() || form.contains(['(', ')'])) {
        return Err(TermError::Stray { term: term.to_owned() });
    }
    Ok(forms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(term: &str, expected: &[&str]) {
        assert_eq!(expand(term).unwrap(), expected, "from {term:?}");
    }

    #[test]
    fn a_term_stands_for_its_forms() {
        check("war", &["war"]);
        check("air-strike(s)", &["air strike", "air strikes"]);
        check("shell(s,ed)", &["shell", "shelled", "shells"]);
        check("a|b c", &["a c", "b c"]);
    }

    #[test]
    fn a_term_that_cannot_be_read_says_why() {
        for term in ["", "  ", "a(b", "a)", "a|", "(s)", "-"] {
            assert!(expand(term).is_err(), "{term:?}");
        }
        let many = "a|b|c|d|e|f|g|h ".repeat(4);
        assert!(matches!(expand(&many), Err(TermError::TooMany { .. })));
    }
}
