//! What is read: the words of one article, and what is known of it besides.

use std::ops::Range;

use cw_model::Field;

/// One word of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// In lower case, without Latin accents, as [`cw_text::words::Word::plain`].
    pub plain: &'a str,
    /// As it is written.
    pub written: &'a str,
    /// What stands between the word before it and this one; empty for the first of a field.
    pub gap: &'a str,
    /// Where it stands.
    pub field: Field,
    /// Number of its sentence; counts up through the article.
    pub sentence: usize,
}

/// The words of an article in order (title, summary, body), and what is known of it besides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text<'a> {
    /// Code of the language ("en"); empty if unknown.
    pub language: &'a str,
    /// Every word.
    pub tokens: &'a [Token<'a>],
    /// What the tags rest on, as tokens: the event happened near the places beside them.
    pub evidence: &'a [Range<usize>],
    /// What is something else, as tokens: an actor's name, for one. No place is looked for in there.
    pub taken: &'a [Range<usize>],
    /// Where the feed is from, two letters.
    pub feed_country: Option<&'a str>,
    /// Countries that demonyms and actors in the text stand for, two letters each.
    pub demonyms: &'a [&'a str],
}

impl<'a> Text<'a> {
    pub(crate) fn token(&self, index: usize) -> Option<&'a Token<'a>> {
        self.tokens.get(index)
    }

    /// The first word of a field. Fields follow each other as `Field` orders them.
    pub(crate) fn first_of(&self, field: Field) -> Option<usize> {
        let at = self.tokens.partition_point(|token| token.field < field);
        self.token(at).filter(|token| token.field == field).map(|_| at)
    }

    /// The word before this one, if both are of one sentence.
    pub(crate) fn before(&self, index: usize) -> Option<&'a Token<'a>> {
        let before = self.token(index.checked_sub(1)?)?;
        (before.sentence == self.token(index)?.sentence).then_some(before)
    }

    /// The word at this place, if it is of the same sentence as the one before it.
    pub(crate) fn next(&self, index: usize) -> Option<&'a Token<'a>> {
        let next = self.token(index)?;
        (next.sentence == self.token(index.checked_sub(1)?)?.sentence).then_some(next)
    }
}

impl Token<'_> {
    /// Whether it begins with a capital, or with a letter of a script that has none.
    pub(crate) fn may_begin_a_name(&self) -> bool {
        match self.written.as_bytes().first() {
            // Nearly always.
            Some(byte) if byte.is_ascii() => byte.is_ascii_uppercase(),
            _ => self
                .written
                .chars()
                .next()
                .is_some_and(|first| first.is_alphabetic() && !first.is_lowercase()),
        }
    }

    /// Whether it begins with a capital.
    pub(crate) fn has_capital(&self) -> bool {
        self.written.chars().next().is_some_and(char::is_uppercase)
    }

    /// Whether all its letters are capitals, and it has two or more.
    pub(crate) fn is_in_capitals(&self) -> bool {
        let mut letters = self.written.chars().filter(|sign| sign.is_alphabetic()).peekable();
        let first = letters.next();
        first.is_some_and(char::is_uppercase)
            && letters.peek().is_some()
            && letters.all(char::is_uppercase)
    }

    /// Whether nothing but space is between it and the word before.
    pub(crate) fn follows_directly(&self) -> bool {
        !self.gap.is_empty() && self.gap.chars().all(char::is_whitespace)
    }

    /// Whether it can be a further word of the name that the word before belongs to.
    pub(crate) fn continues_a_name(&self) -> bool {
        // "Cox's Bazar"
        if matches!(self.gap, "'s " | "’s ") {
            return true;
        }
        self.gap.chars().all(|sign| {
            sign.is_whitespace() || matches!(sign, '-' | '‐' | '.' | '\'' | '’' | '/' | '·' | '・')
        }) && self.gap.chars().filter(|sign| *sign == '\n').count() < 2
    }
}
