//! Cuts a text into words, and says where clauses and sentences end.
//!
//! A word is in lower case, without Latin accents; a hyphen ends one, an apostrophe does not. Each knows
//! its span in the text, in bytes and in code points. This file knows no language: the abbreviations after
//! which a full stop ends nothing are given.

use std::collections::HashSet;
use std::ops::Range;

use unicode_normalization::char::decompose_canonical;

/// Characters of the longest word; of a longer one nobody has written, only these are read.
pub const WORD_CHARS_MAX: usize = 200;

/// What ends between two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing.
    None,
    /// A clause.
    Clause,
    /// A sentence.
    Sentence,
}

/// What ends in the gap between a word, `plain` in its plain form, and the next one. After an abbreviation,
/// a full stop ends nothing.
pub fn cut_between(
    previous: &Spans,
    plain: &str,
    gap: &str,
    abbreviations: &HashSet<String>,
) -> Cut {
    if gap == " " {
        return Cut::None;
    }
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
            || abbreviations.contains(plain)
            || (previous.chars.len() == 1 && !plain.starts_with(char::is_numeric));
        let spaced = gap.contains(char::is_whitespace);
        return match (spaced, ends_nothing) {
            (true, false) => Cut::Sentence,
            _ => Cut::None,
        };
    }
    if clause { Cut::Clause } else { Cut::None }
}

/// A word of one text.
#[derive(Clone, Debug)]
pub struct Word {
    /// In the text, in bytes.
    pub bytes: Range<usize>,
    /// In the text, in code points.
    pub chars: Range<usize>,
    /// In lower case, without Latin accents.
    pub plain: String,
}

/// Where a word stands.
#[derive(Clone, Debug)]
pub struct Spans {
    /// In the text, in bytes.
    pub bytes: Range<usize>,
    /// In the text, in code points.
    pub chars: Range<usize>,
    /// Written with a full stop after each letter ("U.N.").
    pub dotted: bool,
}

/// The words of a text, in order.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    text: &'a str,
    byte: usize,
    char: usize,
}

impl<'a> Words<'a> {
    /// The words of this text.
    pub fn new(text: &'a str) -> Self {
        Self { text, byte: 0, char: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.byte..).unwrap_or_default()
    }

    fn step(&mut self, sign: char) {
        self.byte += sign.len_utf8();
        self.char += 1;
    }

    /// Takes "U.N." at the start of what is left, if it is there, and says whether it was.
    fn dotted(&mut self, plain: &mut String) -> bool {
        let from = plain.len();
        let mut length = 0;
        let mut signs = self.rest().chars();
        while let (Some(letter), Some('.')) = (signs.next(), signs.next()) {
            if !letter.is_alphabetic() {
                break;
            }
            push_plain(plain, letter);
            length += 1;
            if length >= WORD_CHARS_MAX || !signs.clone().next().is_some_and(char::is_alphabetic) {
                break;
            }
        }
        // "e.g." and "U.S." are; the last letter of "plan B." is not. "U.S" has no second stop.
        if length < 2 {
            plain.truncate(from);
            return false;
        }
        for _sign in 0..2 * length {
            self.step(self.sign());
        }
        true
    }
}

/// It belongs to a word.
const LETTER: u8 = 1;

/// It has another form in lower case.
const CAPITAL: u8 = 2;

/// What each byte is, in ASCII; nothing beyond.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut rest: &mut [u8] = &mut kinds;
    let mut byte = 0_u8;
    while let Some((kind, others)) = rest.split_first_mut() {
        if byte.is_ascii_alphanumeric() {
            *kind = LETTER;
        }
        if byte.is_ascii_uppercase() {
            *kind |= CAPITAL;
        }
        rest = others;
        byte = byte.wrapping_add(1);
    }
    kinds
};

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        let mut plain = String::new();
        let Spans { bytes, chars, dotted: _ } = self.next_into(&mut plain)?;
        Some(Word { bytes, chars, plain })
    }
}

impl Words<'_> {
    /// The next word, its plain form at the end of `plain`: for whoever reads many and keeps none.
    pub fn next_into(&mut self, plain: &mut String) -> Option<Spans> {
        self.skip_to_word();
        if let Some(spans) = self.letters(plain) {
            return Some(spans);
        }
        let first = self.rest().chars().next()?;
        let (byte, char, from) = (self.byte, self.char, plain.len());
        if self.text.as_bytes().get(byte + first.len_utf8()) == Some(&b'.') && self.dotted(plain) {
            // The last full stop stays outside the word, so it can end a sentence elsewhere.
            let (bytes, chars) = (byte..self.byte - 1, char..self.char - 1);
            return Some(Spans { bytes, chars, dotted: true });
        }
        self.step(first);
        push_plain(plain, first);
        let (mut bytes, mut chars) = (byte..self.byte, char..self.char);
        if is_word_by_itself(first) {
            return Some(Spans { bytes, chars, dotted: false });
        }
        let mut before = first;
        while let Some(sign) = self.sign_of_word(before) {
            self.step(sign);
            before = sign;
            if chars.len() < WORD_CHARS_MAX {
                push_plain(plain, sign);
                (bytes.end, chars.end) = (self.byte, self.char);
            }
        }
        if plain.get(from..).is_some_and(|word| word.ends_with("'s")) {
            let apostrophe = self
                .text
                .get(..bytes.end)
                .map_or(1, |text| text.chars().rev().nth(1).map_or(1, char::len_utf8));
            plain.truncate(plain.len() - 2);
            bytes.end -= 1 + apostrophe;
            chars.end -= 2;
        }
        Some(Spans { bytes, chars, dotted: false })
    }

    /// Takes the word that comes next, if it is nothing but ASCII letters and digits and what follows surely ends
    /// it: nearly every English one is.
    fn letters(&mut self, plain: &mut String) -> Option<Spans> {
        let rest = self.text.as_bytes().get(self.byte..).unwrap_or_default();
        let mut kinds = 0;
        let is_letter = |byte: &&u8| {
            let kind = KINDS.get(usize::from(**byte)).copied().unwrap_or_default();
            kinds |= kind;
            kind & LETTER != 0
        };
        let length = rest.iter().take_while(is_letter).count();
        if !(1..=WORD_CHARS_MAX).contains(&length) {
            return None;
        }
        let is_whole = match rest.get(length) {
            None => true,
            // "1,000" and "1.5" go on, and so does "U.N.".
            Some(b',' | b'.') => {
                length > 1 && rest.get(length - 1).is_some_and(u8::is_ascii_alphabetic)
            }
            Some(after) => after.is_ascii() && *after != b'\'',
        };
        if !is_whole {
            return None;
        }
        let (bytes, chars) = (self.byte..self.byte + length, self.char..self.char + length);
        let at = plain.len();
        plain.push_str(self.text.get(bytes.clone()).unwrap_or_default());
        if kinds & CAPITAL != 0 {
            plain.get_mut(at..).unwrap_or_default().make_ascii_lowercase();
        }
        (self.byte, self.char) = (bytes.end, chars.end);
        Some(Spans { bytes, chars, dotted: false })
    }

    /// Passes over what belongs to no word.
    fn skip_to_word(&mut self) {
        while let Some(byte) = self.text.as_bytes().get(self.byte) {
            if KINDS.get(usize::from(*byte)).is_some_and(|kind| kind & LETTER != 0) {
                return;
            }
            if byte.is_ascii() {
                self.byte += 1;
                self.char += 1;
                continue;
            }
            let sign = self.sign();
            if sign.is_alphanumeric() {
                return;
            }
            self.step(sign);
        }
    }

    /// The sign that comes next, if the word that `before` belongs to goes on with it.
    fn sign_of_word(&self, before: char) -> Option<char> {
        let byte = *self.text.as_bytes().get(self.byte)?;
        if byte.is_ascii_alphanumeric() {
            return Some(char::from(byte));
        }
        // Most words end with a space, and nothing more is to be asked.
        if byte == b' ' {
            return None;
        }
        let mut signs = self.rest().chars();
        let sign = signs.next()?;
        continues_word(before, sign, signs.next()).then_some(sign)
    }

    fn sign(&self) -> char {
        self.rest().chars().next().unwrap_or_default()
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
    for lower in sign.to_lowercase() {
        decompose_canonical(lower, |part| {
            let is_accent = ('\u{300}'..='\u{36f}').contains(&part);
            plain.extend((!is_accent).then_some(part));
        });
    }
}
