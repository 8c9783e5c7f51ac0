//! Cuts texts into words, clauses and sentences, and keeps the way back to the original.
//!
//! What is matched is the `plain` text: words in lower case without Latin accents, one space on
//! each side, a comma where a clause ends and a full stop where a sentence does. A hyphen between
//! words is a space, so "air-strike" and "air strike" are the same two words. Every word knows its
//! span in the original, in bytes and in code points. Terms of a lexicon are cut by the same code.
//!
//! It knows no language: only the abbreviations after which a full stop ends nothing are given.

use std::collections::HashSet;
use std::ops::Range;

use cw_model::{Evidence, Field, Steps, TooCostly};
use unicode_normalization::UnicodeNormalization;

use super::Texts;

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

/// Characters of the longest word; of a longer one nobody has written, only these are read.
const WORD_CHARS_MAX: usize = 200;

/// Steps for each byte that is cut.
const BYTE_STEPS: usize = 2;

/// Steps for each word besides.
const WORD_STEPS: usize = 20;

/// Where in an article a sentence stands, because a headline weighs more than a last paragraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// In the plain text, in bytes, without the spaces around it.
    pub(super) plain: Range<usize>,
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
    /// See the module.
    pub(super) plain: String,
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
            Self { texts, tokens: Vec::new(), sentences: Vec::new(), plain: String::from(" ") };
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
        let mut sentences_before = 0;
        let mut open: Option<usize> = None;
        let mut open_from = 0;
        let mut previous: Option<Word> = None;
        for word in Words::new(text) {
            let before = previous.as_ref().map_or(0, |previous| previous.bytes.end);
            steps.spend(WORD_STEPS + (word.bytes.end - before) * BYTE_STEPS)?;
            let is_full =
                self.sentences.last().is_some_and(|open| open.tokens.len() >= SENTENCE_WORDS_MAX)
                    || word.bytes.end - open_from > SENTENCE_BYTES_MAX;
            let cut = match &previous {
                Some(previous) if !is_full => cut_between(text, previous, &word, abbreviations),
                Some(_) | None => Cut::Sentence,
            };
            match cut {
                Cut::None => {}
                Cut::Clause => {
                    *clause += 1;
                    self.plain.push_str(", ");
                }
                Cut::Sentence => {
                    *clause += 1;
                    self.plain.push_str(". ");
                    let prominence = match field {
                        Field::Title => Prominence::Title,
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
            let start = self.plain.len();
            self.plain.push_str(&word.plain);
            self.tokens.push(Token {
                bytes: word.bytes.clone(),
                chars: word.chars.clone(),
                plain: start..self.plain.len(),
                sentence: open.unwrap_or_default(),
                clause: *clause,
            });
            self.plain.push(' ');
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

    fn field_of(&self, index: usize) -> Option<Field> {
        let token = self.tokens.get(index)?;
        self.sentences.get(token.sentence).map(|sentence| sentence.field)
    }

    /// The words `tokens` (not empty, of one sentence) as evidence.
    pub(super) fn evidence(&self, tokens: &Range<usize>) -> Option<Evidence> {
        let first = self.tokens.get(tokens.start)?;
        let last = self.tokens.get(tokens.end.checked_sub(1)?)?;
        let field = self.field_of(tokens.start)?;
        let text = self.field_text(field).get(first.bytes.start..last.bytes.end)?;
        Some(Evidence {
            field,
            start: first.chars.start,
            end: last.chars.end,
            text: text.to_owned(),
        })
    }
}

/// A term of a lexicon in plain form: " air strike ".
pub(super) fn plain_term(term: &str) -> String {
    let mut plain = String::from(" ");
    for word in Words::new(term) {
        plain.push_str(&word.plain);
        plain.push(' ');
    }
    plain
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    None,
    Clause,
    Sentence,
}

fn cut_between(text: &str, previous: &Word, next: &Word, abbreviations: &HashSet<String>) -> Cut {
    let gap = text.get(previous.bytes.end..next.bytes.start).unwrap_or_default();
    let mut lines = 0;
    let mut spaced = false;
    let mut clause = false;
    let mut stop = false;
    for sign in gap.chars() {
        match sign {
            '\n' | '\u{2028}' | '\u{2029}' => lines += 1,
            '!' | '?' | '…' | '。' | '！' | '？' | '؟' | '۔' | '।' => {
                return Cut::Sentence;
            }
            '.' => stop = true,
            ',' | ';' | ':' | '(' | ')' | '[' | ']' | '–' | '—' | '|' | '،' | '؛' | '、' | '，' =>
            {
                clause = true;
            }
            '•' | '*' if lines > 0 => return Cut::Sentence,
            '-' if spaced => clause = true,
            _ => {}
        }
        spaced = sign.is_whitespace();
    }
    // One line end may be nothing but a wrapped line; a blank line ends a paragraph.
    if lines > 1 {
        return Cut::Sentence;
    }
    if stop {
        let ends_nothing = previous.dotted
            || abbreviations.contains(&previous.plain)
            || (previous.chars.len() == 1 && !previous.plain.starts_with(char::is_numeric));
        let spaced = gap.contains(char::is_whitespace);
        return match (spaced, ends_nothing) {
            (true, false) => Cut::Sentence,
            _ => Cut::None,
        };
    }
    if clause { Cut::Clause } else { Cut::None }
}

/// A word of one text.
struct Word {
    bytes: Range<usize>,
    chars: Range<usize>,
    plain: String,
    /// Written with a full stop after each letter ("U.N.").
    dotted: bool,
}

/// The words of a text, in order.
struct Words<'a> {
    text: &'a str,
    byte: usize,
    char: usize,
}

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, byte: 0, char: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.byte..).unwrap_or_default()
    }

    fn step(&mut self, sign: char) {
        self.byte += sign.len_utf8();
        self.char += 1;
    }

    /// Takes "U.N." at the start of what is left, if it is there.
    fn dotted(&mut self) -> Option<String> {
        let mut letters = String::new();
        let mut length = 0;
        let mut signs = self.rest().chars();
        while let (Some(letter), Some('.')) = (signs.next(), signs.next()) {
            if !letter.is_alphabetic() {
                break;
            }
            push_plain(&mut letters, letter);
            length += 1;
            if length >= WORD_CHARS_MAX || !signs.clone().next().is_some_and(char::is_alphabetic) {
                break;
            }
        }
        // "e.g." and "U.S." are; the last letter of "plan B." is not. "U.S" has no second stop.
        if length < 2 {
            return None;
        }
        let taken: Vec<char> = self.rest().chars().take(2 * length).collect();
        taken.into_iter().for_each(|sign| self.step(sign));
        Some(letters)
    }
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        while let Some(sign) = self.rest().chars().next().filter(|sign| !sign.is_alphanumeric()) {
            self.step(sign);
        }
        let first = self.rest().chars().next()?;
        let (byte, char) = (self.byte, self.char);
        let second_is_stop = self.rest().chars().nth(1) == Some('.');
        if let Some(plain) = second_is_stop.then(|| self.dotted()).flatten() {
            // The last full stop stays outside the word, so it can end a sentence elsewhere.
            let (bytes, chars) = (byte..self.byte - 1, char..self.char - 1);
            return Some(Word { bytes, chars, plain, dotted: true });
        }
        let mut plain = String::new();
        self.step(first);
        push_plain(&mut plain, first);
        if is_word_by_itself(first) {
            return Some(Word {
                bytes: byte..self.byte,
                chars: char..self.char,
                plain,
                dotted: false,
            });
        }
        let mut before = first;
        let (mut bytes, mut chars) = (byte..self.byte, char..self.char);
        let mut signs = self.rest().chars();
        while let Some(sign) = signs.next() {
            let after = signs.clone().next();
            if !continues_word(before, sign, after) {
                break;
            }
            self.step(sign);
            before = sign;
            if chars.len() < WORD_CHARS_MAX {
                push_plain(&mut plain, sign);
                (bytes.end, chars.end) = (self.byte, self.char);
            }
        }
        if let Some(owner) = plain.strip_suffix("'s") {
            let apostrophe = self
                .text
                .get(..bytes.end)
                .map_or(1, |text| text.chars().rev().nth(1).map_or(1, char::len_utf8));
            plain.truncate(owner.len());
            bytes.end -= 1 + apostrophe;
            chars.end -= 2;
        }
        Some(Word { bytes, chars, plain, dotted: false })
    }
}

fn continues_word(before: char, sign: char, after: Option<char>) -> bool {
    let after_is = |test: fn(char) -> bool| after.is_some_and(test);
    match sign {
        '\'' | '’' => before.is_alphabetic() && after_is(char::is_alphabetic),
        ',' | '.' => before.is_ascii_digit() && after_is(|sign| sign.is_ascii_digit()),
        _ => (sign.is_alphanumeric() && !is_word_by_itself(sign)) || is_mark(sign),
    }
}

/// Scripts written without spaces: each sign is taken for a word, so that phrases still match.
fn is_word_by_itself(sign: char) -> bool {
    matches!(sign, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Accents and vowel signs that are code points of their own.
fn is_mark(sign: char) -> bool {
    !sign.is_ascii() && unicode_normalization::char::is_combining_mark(sign)
}

fn push_plain(plain: &mut String, sign: char) {
    if sign.is_ascii() {
        plain.push(sign.to_ascii_lowercase());
        return;
    }
    if sign == '’' {
        plain.push('\'');
        return;
    }
    let accent = |sign: &char| ('\u{300}'..='\u{36f}').contains(sign);
    plain.extend(sign.to_lowercase().nfd().filter(|sign| !accent(sign)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(body: &str) -> Document<'_> {
        let abbreviations = HashSet::from(["gen".to_owned()]);
        let texts = Texts { body, ..Texts::default() };
        Document::new(texts, &abbreviations, &Steps::new(u64::MAX)).unwrap()
    }

    #[track_caller]
    fn check(body: &str, plain: &str) {
        assert_eq!(document(body).plain, plain, "from {body:?}");
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
    fn a_term_is_cut_like_a_text() {
        assert_eq!(plain_term("Air-strike"), " air strike ");
        assert_eq!(plain_term("coup d'état"), " coup d'etat ");
        assert_eq!(plain_term(" - "), " ");
    }
}
