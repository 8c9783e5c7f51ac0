//! What a person asks for: words and phrases, folded as the index is.
//!
//! Pure. Nothing a person types is read as SQLite's own query language: only tokens reach it,
//! each phrase in quotes.

use std::ops::Range;

use cw_text::search::tokens;

/// The most words and phrases in one query: each is a level of SQLite's expression tree, which
/// has 256.
pub const PHRASES_MAX: usize = 64;

/// Words and phrases; all must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    phrases: Vec<Phrase>,
}

/// Tokens that must follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Phrase {
    tokens: Vec<String>,
    ending: Ending,
}

/// What of the last token must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// All of it.
    Whole,
    /// Its beginning.
    Open,
}

/// Why a text is not a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAQuery {
    /// Nothing but spaces and signs.
    #[error("there is no word to search for; give at least one letter or digit")]
    NoWord,
    /// More than [`PHRASES_MAX`].
    #[error("more than {PHRASES_MAX} words to search for; give fewer")]
    TooManyWords,
}

impl Query {
    /// Reads the arguments of a command line: each is a word, or, with spaces in it, a phrase.
    /// Quotes inside an argument mark phrases too. A `*` at the end of a word leaves its end open.
    ///
    /// # Errors
    /// [`NotAQuery`].
    pub fn parse<S: AsRef<str>>(arguments: &[S]) -> Result<Self, NotAQuery> {
        let mut phrases = Vec::new();
        for argument in arguments.iter().map(AsRef::as_ref) {
            if !argument.contains('"') {
                phrases.extend(Phrase::parse(argument));
                continue;
            }
            // Every second piece stands inside quotes; a quote that is not closed reaches to the end.
            for (index, piece) in argument.split('"').enumerate() {
                if index % 2 == 1 {
                    phrases.extend(Phrase::parse(piece));
                } else {
                    phrases.extend(piece.split_whitespace().filter_map(Phrase::parse));
                }
            }
        }
        match phrases.len() {
            0 => Err(NotAQuery::NoWord),
            1..=PHRASES_MAX => Ok(Self { phrases }),
            _ => Err(NotAQuery::TooManyWords),
        }
    }

    /// The query in the language of FTS5.
    pub(super) fn expression(&self) -> String {
        let quoted = |phrase: &Phrase| {
            let open = match phrase.ending {
                Ending::Whole => "",
                Ending::Open => " *",
            };
            format!("\"{}\"{open}", phrase.tokens.join(" "))
        };
        self.phrases.iter().map(quoted).collect::<Vec<_>>().join(" AND ")
    }

    /// Where a text has the words that were asked for: byte ranges, in order, apart.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        let tokens = tokens(text);
        let mut places: Vec<Range<usize>> = Vec::new();
        for phrase in &self.phrases {
            for window in tokens.windows(phrase.tokens.len()) {
                let folded = window.iter().map(|token| token.text.as_str());
                if let (Some(first), Some(last)) = (window.first(), window.last())
                    && phrase.is_matched_by(folded)
                {
                    places.push(first.range.start..last.range.end);
                }
            }
        }
        places.sort_by_key(|place| (place.start, place.end));
        places.dedup_by(|next, kept| {
            let overlap = next.start <= kept.end;
            if overlap {
                kept.end = kept.end.max(next.end);
            }
            overlap
        });
        places
    }
}

impl Phrase {
    /// `None` if there is nothing in it to search for.
    fn parse(text: &str) -> Option<Self> {
        let ending = if text.trim_end().ends_with('*') { Ending::Open } else { Ending::Whole };
        // The index has composed text, so the query must be composed too.
        let composed = cw_text::search::search_text(text);
        let tokens: Vec<String> = composed.split(' ').map(str::to_owned).collect();
        (!composed.is_empty()).then_some(Self { tokens, ending })
    }

    fn is_matched_by<'a>(&self, folded: impl Iterator<Item = &'a str>) -> bool {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.iter().zip(folded).enumerate().all(|(index, (wanted, found))| {
            match self.ending {
                Ending::Open if index == last => found.starts_with(wanted.as_str()),
                Ending::Open | Ending::Whole => found == wanted,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &[&str], expression: &str) {
        let query = Query::parse(arguments).unwrap();
        assert_eq!(query.expression(), expression, "from {arguments:?}");
    }

    #[test]
    fn words_must_all_be_there() {
        check(&["Drone", "Київ"], "\"drone\" AND \"київ\"");
    }

    #[test]
    fn spaces_and_quotes_make_a_phrase() {
        check(&["air strike"], "\"air strike\"");
        check(&["killed \"air strike\" idlib"], "\"killed\" AND \"air strike\" AND \"idlib\"");
        check(&["\"air strike"], "\"air strike\"");
        check(&["空袭"], "\"空 袭\"");
    }

    #[test]
    fn a_star_leaves_the_end_open() {
        check(&["dron*"], "\"dron\" *");
        check(&["空*"], "\"空\" *");
    }

    #[test]
    fn operators_are_words() {
        check(
            &["NEAR(a", "OR", "title:x", "-b", "^c", "d+e"],
            "\"near a\" AND \"or\" AND \"title x\" AND \"b\" AND \"c\" AND \"d e\"",
        );
    }

    #[test]
    fn signs_alone_are_no_query() {
        for text in ["", "\"", "***", "!!", " "] {
            assert_eq!(Query::parse(&[text]), Err(NotAQuery::NoWord), "{text:?}");
        }
        assert_eq!(Query::parse::<&str>(&[]), Err(NotAQuery::NoWord));
    }

    #[test]
    fn too_many_words_are_refused() {
        assert!(Query::parse(&["a"; PHRASES_MAX]).is_ok());
        assert_eq!(Query::parse(&["a"; PHRASES_MAX + 1]), Err(NotAQuery::TooManyWords));
    }

    #[test]
    fn places_are_what_was_asked_for() {
        let query = Query::parse(&["air strike", "dron*"]).unwrap();
        let text = "Drones, an air strike; air and strike";
        let found: Vec<&str> =
            query.places(text).into_iter().map(|at| text.get(at).unwrap()).collect();
        assert_eq!(found, ["Drones", "air strike"]);
    }

    #[test]
    fn overlapping_places_are_one() {
        let query = Query::parse(&["ab cd", "cd ef"]).unwrap();
        assert_eq!(query.places("ab cd ef"), vec![0..8]);
    }
}
