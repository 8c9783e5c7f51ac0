//! Cuts texts into words, clauses and sentences, and keeps the way back to the original.
//!
//! What is matched are words in their plain form: in lower case without Latin accents. A hyphen ends a
//! word, so "air-strike" and "air strike" are the same two. Every word knows its clause and sentence, and its
//! span in the original, in bytes and in code points. Terms of a lexicon are cut by the same code.
//!
//! It knows no language: only the abbreviations after which a full stop ends nothing are given.

use std::collections::HashSet;
use std::ops::Range;

use cw_model::{Evidence, Field, Steps, TooCostly};
use cw_text::words::{Cut, Spans, Words, cut_between};

use super::hash::hash;
use super::texts::Texts;

/// Sentences at the start of a summary or body that carry the news.
///
/// News is written most important first; two sentences are the lead in most newsrooms.
const LEAD_SENTENCES: usize = 2;

/// Words of the longest sentence; a longer one is cut.
///
/// No reporter writes such a sentence, but a table or a hostile text may have no full stop at all, and
/// what follows looks at a sentence as a whole.
const SENTENCE_WORDS_MAX: usize = 300;

/// Bytes of the longest sentence, with all that stands between its words; a longer one is cut. The
/// evidence for a tag or a number is part of a sentence, and is published.
const SENTENCE_BYTES_MAX: usize = 8000;

/// Steps for each byte that is cut.
const BYTE_STEPS: usize = 2;

/// Steps for each word besides.
const WORD_STEPS: usize = 20;

/// Where in an article a sentence stands, because a headline weighs more than a last paragraph; the most
/// prominent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Prominence {
    /// In the headline.
    Title,
    /// At the start of the summary or body.
    Lead,
    /// Anywhere else.
    Rest,
}

/// One word.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// In the field, in bytes.
    pub(super) bytes: Range<usize>,
    /// In the field, in code points.
    pub(super) chars: Range<usize>,
    /// In the plain text, in bytes.
    pub(super) plain: Range<usize>,
    /// Of the plain word.
    pub(super) hash: u64,
    /// Its sentence, an index into `Document::sentences`.
    pub(super) sentence: usize,
    /// Its clause; counts up through the whole document.
    pub(super) clause: usize,
}

/// One sentence.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    /// The field it stands in.
    pub(super) field: Field,
    /// Its words, as indexes into `Document::tokens`.
    pub(super) tokens: Range<usize>,
    /// How much it weighs.
    pub(super) prominence: Prominence,
}

/// The texts of one article, cut.
#[derive(Debug)]
pub(super) struct Document<'a> {
    texts: Texts<'a>,
    /// Every word of title, summary and body, in that order.
    pub(super) tokens: Vec<Token>,
    /// In the same order; no sentence spans two fields.
    pub(super) sentences: Vec<Sentence>,
    /// The words in their plain form, one after the other.
    plain: String,
}

impl<'a> Document<'a> {
    /// Cuts the texts of an article.
    ///
    /// # Errors
    /// [`TooCostly`] if there are no steps left.
    pub(super) fn new(
        texts: Texts<'a>,
        abbreviations: &HashSet<String>,
        steps: &Steps,
    ) -> Result<Self, TooCostly> {
        let mut document =
            Self { texts, tokens: Vec::new(), sentences: Vec::new(), plain: String::new() };
        // Through all fields: two clauses with one number would be taken for one, across the end of
        // the headline.
        let mut clause = 0;
        let fields = [
            (Field::Title, texts.title),
            (Field::Summary, texts.summary),
            (Field::Body, texts.body),
        ];
        for (field, text) in fields {
            document.add_field(field, text, abbreviations, &mut clause, steps)?;
        }
        Ok(document)
    }

    fn add_field(
        &mut self,
        field: Field,
        text: &str,
        abbreviations: &HashSet<String>,
        clause: &mut usize,
        steps: &Steps,
    ) -> Result<(), TooCostly> {
        // Most words have four letters or more, and a space after them.
        self.tokens.reserve(text.len() / 5);
        self.plain.reserve(text.len());
        let mut sentences_before = 0;
        let mut open: Option<usize> = None;
        let mut open_from = 0;
        let mut previous: Option<Spans> = None;
        let mut words = Words::new(text);
        // The plain words lie in one text, end to end: an article has hundreds, and each its own
        // `String` was most of the time spent here.
        let mut start = self.plain.len();
        while let Some(word) = words.next_into(&mut self.plain) {
            // With the gap before it: a text of dashes alone has few words and many bytes.
            let before = previous.as_ref().map_or(0, |previous| previous.bytes.end);
            steps.spend(WORD_STEPS + (word.bytes.end - before) * BYTE_STEPS)?;
            // Cut by force. What stands in both halves is lost, which only a table or an attack
            // notices.
            let is_full =
                self.sentences.last().is_some_and(|open| open.tokens.len() >= SENTENCE_WORDS_MAX)
                    || word.bytes.end - open_from > SENTENCE_BYTES_MAX;
            let cut = match &previous {
                Some(previous) if !is_full => {
                    let gap = text.get(previous.bytes.end..word.bytes.start).unwrap_or_default();
                    // Nearly always; the word before is not asked for then.
                    if gap == " " {
                        Cut::None
                    } else {
                        let last = self.tokens.len().saturating_sub(1);
                        cut_between(previous, self.word(last), gap, abbreviations)
                    }
                }
                // The first word of a field, or the one after a sentence that is full.
                Some(_) | None => Cut::Sentence,
            };
            match cut {
                Cut::None => {}
                Cut::Clause => *clause += 1,
                Cut::Sentence => {
                    *clause += 1;
                    let prominence = match field {
                        Field::Title => Prominence::Title,
                        // Counted for each field: a feed may send a summary, a body, or both.
                        _ if sentences_before < LEAD_SENTENCES => Prominence::Lead,
                        _ => Prominence::Rest,
                    };
                    sentences_before += 1;
                    open = Some(self.sentences.len());
                    open_from = word.bytes.start;
                    let at = self.tokens.len();
                    self.sentences.push(Sentence { field, tokens: at..at, prominence });
                }
            }
            let plain = start..self.plain.len();
            start = plain.end;
            self.tokens.push(Token {
                bytes: word.bytes.clone(),
                chars: word.chars.clone(),
                hash: hash(self.plain.get(plain.clone()).unwrap_or_default()),
                plain,
                sentence: open.unwrap_or_default(),
                clause: *clause,
            });
            // It grows with each word, so that it is whole whenever the text ends.
            if let Some(sentence) = self.sentences.last_mut() {
                sentence.tokens.end = self.tokens.len();
            }
            previous = Some(word);
        }
        Ok(())
    }

    fn field_text(&self, field: Field) -> &'a str {
        match field {
            Field::Title => self.texts.title,
            Field::Summary => self.texts.summary,
            Field::Body => self.texts.body,
        }
    }

    /// A word in its plain form; empty if there is none at `index`.
    pub(super) fn word(&self, index: usize) -> &str {
        self.tokens
            .get(index)
            .and_then(|token| self.plain.get(token.plain.clone()))
            .unwrap_or_default()
    }

    /// Each word in its plain form and as it is written, what stands before it, its field and the number of its
    /// sentence: the same as word by word, for whoever wants all of them.
    pub(super) fn words(&self) -> impl Iterator<Item = (&str, &'a str, &'a str, Field, usize)> {
        let mut before = None;
        let sentences = self.sentences.iter().enumerate();
        sentences
            .flat_map(|(number, sentence)| {
                let tokens = self.tokens.get(sentence.tokens.clone()).unwrap_or_default();
                let text = self.field_text(sentence.field);
                tokens.iter().map(move |token| (number, sentence.field, text, token))
            })
            .map(move |(number, field, text, token)| {
                let plain = self.plain.get(token.plain.clone()).unwrap_or_default();
                let written = text.get(token.bytes.clone()).unwrap_or_default();
                let gap =
                    before.and_then(|end| text.get(end..token.bytes.start)).unwrap_or_default();
                before = Some(token.bytes.end);
                (plain, written, gap, field, number)
            })
    }

    /// What stands in the original between the word at `index` and the one before it.
    ///
    /// Empty for the first word of a field.
    pub(super) fn gap_before(&self, index: usize) -> &'a str {
        let (Some(previous), Some(token)) = (
            index.checked_sub(1).and_then(|before| self.tokens.get(before)),
            self.tokens.get(index),
        ) else {
            return "";
        };
        self.field_of(index)
            .and_then(|field| self.field_text(field).get(previous.bytes.end..token.bytes.start))
            .unwrap_or_default()
    }

    /// The word as it is written.
    pub(super) fn written(&self, index: usize) -> &'a str {
        self.tokens
            .get(index)
            .zip(self.field_of(index))
            .and_then(|(token, field)| self.field_text(field).get(token.bytes.clone()))
            .unwrap_or_default()
    }

    /// What follows the word in the original, up to the end of the field.
    pub(super) fn text_after(&self, index: usize) -> &'a str {
        self.tokens
            .get(index)
            .zip(self.field_of(index))
            .and_then(|(token, field)| self.field_text(field).get(token.bytes.end..))
            .unwrap_or_default()
    }

    /// The field that a word stands in.
    pub(super) fn field_of(&self, index: usize) -> Option<Field> {
        let token = self.tokens.get(index)?;
        self.sentences.get(token.sentence).map(|sentence| sentence.field)
    }

    /// The words `tokens` (not empty, of one sentence) as evidence.
    pub(super) fn evidence(&self, tokens: &Range<usize>) -> Option<Evidence> {
        let first = self.tokens.get(tokens.start)?;
        let last = self.tokens.get(tokens.end.checked_sub(1)?)?;
        let field = self.field_of(tokens.start)?;
        // From the original, with its punctuation: consumers look it up there by the code points
        // beside it.
        let text = self.field_text(field).get(first.bytes.start..last.bytes.end)?;
        Some(Evidence {
            field,
            start: first.chars.start,
            end: last.chars.end,
            text: text.to_owned(),
        })
    }
}

/// A term of a lexicon in plain form: "air strike".
pub(super) fn plain_term(term: &str) -> String {
    let mut plain = String::new();
    let mut words = Words::new(term);
    while {
        if !plain.is_empty() {
            plain.push(' ');
        }
        words.next_into(&mut plain).is_some()
    } {}
    plain.truncate(plain.trim_end().len());
    plain
}

#[cfg(test)]
mod tests {
    use cw_text::words::WORD_CHARS_MAX;

    use super::*;

    fn document(body: &str) -> Document<'_> {
        let abbreviations = HashSet::from(["gen".to_owned()]);
        let texts = Texts { body, ..Texts::default() };
        Document::new(texts, &abbreviations, &Steps::new(u64::MAX)).unwrap()
    }

    /// The words, with a comma where a clause ends and a full stop where a sentence begins.
    #[track_caller]
    fn check(body: &str, expected: &str) {
        let document = document(body);
        let mut shown = String::from(" ");
        let mut before: Option<&Token> = None;
        for (index, token) in document.tokens.iter().enumerate() {
            shown.push_str(match before {
                Some(before) if before.clause == token.clause => "",
                Some(before) if before.sentence == token.sentence => ", ",
                Some(_) | None => ". ",
            });
            shown.push_str(document.word(index));
            shown.push(' ');
            before = Some(token);
        }
        assert_eq!(shown, expected, "from {body:?}");
    }

    #[test]
    fn words_are_plain() {
        check("Air-strikes HIT Été", " . air strikes hit ete ");
        check("the army's plan, and Kyiv’s", " . the army plan , and kyiv ");
        check("it didn't", " . it didn't ");
        check("250,000 and 1.5", " . 250,000 and 1.5 ");
        check("U.N. envoy", " . un envoy ");
        check("空爆", " . 空 爆 ");
        check("", " ");
    }

    #[test]
    fn sentences_end_where_they_end() {
        check("One. Two", " . one . two ");
        check("Gen. Abel spoke", " . gen abel spoke ");
        check("J. Abel spoke", " . j abel spoke ");
        check("one\ntwo", " . one two ");
        check("one\n\ntwo", " . one . two ");
        check("killed 43. then", " . killed 43 . then ");
        check("one - two", " . one , two ");
    }

    #[test]
    fn what_is_no_word_and_no_sentence_is_cut() {
        let long = "x".repeat(100_000);
        let beside = format!("{long} killed 12");
        let document = document(&beside);
        assert_eq!(document.word(0).len(), WORD_CHARS_MAX);
        assert_eq!(document.word(1), "killed");
        let dashes = "killed - ".repeat(100) + &"-".repeat(100_000);
        for text in
            [&*dashes.repeat(2), &*"long words ".repeat(10_000), &*format!("{long} 2").repeat(3)]
        {
            let document = self::document(text);
            for sentence in &document.sentences {
                let evidence = document.evidence(&sentence.tokens).unwrap();
                assert!(evidence.text.len() <= SENTENCE_BYTES_MAX, "{}", evidence.text.len());
            }
        }
    }

    #[test]
    fn spans_count_code_points_of_the_original() {
        let body = "“Été” – the ’90s: İstanbul’s 空爆 é\u{301}x end";
        let document = document(body);
        assert!(document.tokens.len() > 6);
        for index in 0..document.tokens.len() {
            let evidence = document.evidence(&(index..index + 1)).unwrap();
            let cut: String =
                body.chars().skip(evidence.start).take(evidence.end - evidence.start).collect();
            assert_eq!(cut, evidence.text);
            assert!(!evidence.text.is_empty());
        }
    }

    #[test]
    fn all_words_at_once_are_the_same_as_one_by_one() {
        let texts = Texts {
            title: "Army’s “Été” plan",
            summary: "One. Two, three",
            body: "U.N. 1,000 – end.",
            ..Texts::default()
        };
        let document = Document::new(texts, &HashSet::new(), &Steps::new(u64::MAX)).unwrap();
        let one = |index: usize| {
            let (field, sentence) = (document.field_of(index), document.tokens[index].sentence);
            let (plain, written) = (document.word(index), document.written(index));
            (plain, written, document.gap_before(index), field.unwrap(), sentence)
        };
        let all: Vec<_> = document.words().collect();
        assert_eq!(all, (0..document.tokens.len()).map(one).collect::<Vec<_>>());
        assert_eq!(all.len(), 9);
    }

    #[test]
    fn a_term_is_cut_like_a_text() {
        assert_eq!(plain_term("Air-strike"), "air strike");
        assert_eq!(plain_term("coup d'état"), "coup d'etat");
        assert_eq!(plain_term(" - "), "");
    }
}
