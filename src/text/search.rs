//! Folds text so that what a person types finds what a publisher wrote, in any script.
//!
//! Pure. The index and every query go through the same folding, and the tokens it makes are all
//! that SQLite's tokenizer gets to see. Scripts written without spaces, and Korean with its
//! particles, become one token a character, so a word is searched as the sequence of its
//! characters. No stemming but the Arabic article and the conjunctions written together with it.
//!
//! Source of the Arabic rules: Larkey, Ballesteros and Connell, "Light Stemming for Arabic
//! Information Retrieval" (2007), the prefixes of light8; the letters are those that publishers
//! and readers write in more than one way.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// An Arabic prefix goes only if at least this many letters stay: shorter words are mostly not
/// prefixed (as "الله" is not).
const ARABIC_STEM_LETTERS_MIN: usize = 3;

/// Written together with the word that follows; longest first.
const ARABIC_PREFIXES: [&str; 6] = ["وال", "بال", "كال", "فال", "لل", "ال"];

/// One token, and where it stands in the text as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Bytes of the text it was made from.
    pub range: Range<usize>,
    /// Folded.
    pub text: String,
}

/// What a character is to the words around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Belongs to the word it stands in.
    Letter,
    /// Is a token of its own.
    Alone,
    /// Stays with the character before it.
    Mark,
    /// Is not there for a reader.
    Silent,
    /// Ends a word.
    Break,
}

/// Folds a text for the index: its tokens, with a space between.
pub fn search_text(text: &str) -> String {
    // Composed first, so that a letter and its mark typed apart are the letter they show.
    let composed: String = text.nfkc().collect();
    let mut folded = String::with_capacity(composed.len());
    for token in tokens(&composed) {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(&token.text);
    }
    folded
}

/// The tokens of a text, in order.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word: Option<Token> = None;
    for (start, given) in text.char_indices() {
        let end = start + given.len_utf8();
        for character in std::iter::once(given).nfkc() {
            let role = role(character);
            match role {
                Role::Silent => continue,
                Role::Break => {
                    tokens.extend(word.take());
                    continue;
                }
                Role::Alone => tokens.extend(word.take()),
                Role::Letter => {
                    // A word does not go on behind a character that is one by itself.
                    if word.as_ref().and_then(|word| word.text.chars().last()).is_some_and(is_alone)
                    {
                        tokens.extend(word.take());
                    }
                }
                Role::Mark => {}
            }
            let token = word.get_or_insert(Token { range: start..end, text: String::new() });
            token.range.end = end;
            fold_letter(character, &mut token.text);
        }
    }
    tokens.extend(word);
    tokens.iter_mut().for_each(|token| strip_arabic_prefix(&mut token.text));
    tokens.retain(|token| !token.text.is_empty());
    tokens
}

fn role(character: char) -> Role {
    if is_silent(character) {
        Role::Silent
    } else if is_alone(character) && !is_combining_mark(character) {
        Role::Alone
    } else if is_combining_mark(character) {
        Role::Mark
    } else if character.is_alphanumeric() && !is_apostrophe(character) {
        Role::Letter
    } else {
        Role::Break
    }
}

/// Unicode calls these letters; people type "'" for them, which is none.
fn is_apostrophe(character: char) -> bool {
    matches!(character, '\u{02b9}' | '\u{02bb}'..='\u{02bd}')
}

/// Accents that survived composition, vowel points that are mostly left out, and what only steers
/// the display.
pub fn is_silent(character: char) -> bool {
    matches!(character,
        '\u{0300}'..='\u{036f}'
        | '\u{0591}'..='\u{05bd}' | '\u{05bf}' | '\u{05c1}' | '\u{05c2}' | '\u{05c4}' | '\u{05c5}' | '\u{05c7}'
        | '\u{0610}'..='\u{061a}' | '\u{061c}' | '\u{0640}' | '\u{064b}'..='\u{065f}' | '\u{0670}'
        | '\u{06d6}'..='\u{06dc}' | '\u{06df}'..='\u{06e8}' | '\u{06ea}'..='\u{06ed}'
        | '\u{08d3}'..='\u{08ff}'
        | '\u{00ad}' | '\u{200b}' | '\u{200d}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Scripts that do not put spaces between words, and Hangul.
fn is_alone(character: char) -> bool {
    matches!(character,
        '\u{0e00}'..='\u{0e3e}' | '\u{0e40}'..='\u{0e4f}' | '\u{0e80}'..='\u{0ecf}' | '\u{0edc}'..='\u{0edf}' // Thai, Lao
        | '\u{1000}'..='\u{103f}' | '\u{1050}'..='\u{108f}' | '\u{109a}'..='\u{109f}' // Myanmar
        | '\u{1780}'..='\u{17d3}' | '\u{17d7}' | '\u{17dc}'..='\u{17dd}' // Khmer
        | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3038}'..='\u{303c}'
        | '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}' // Hiragana
        | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' // Katakana
        | '\u{3105}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}' // Bopomofo
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}' // Han
        | '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7a3}') // Hangul
}

/// Adds one letter as it is searched: small, without accents, of one form.
pub fn fold_letter(character: char, folded: &mut String) {
    for small in character.to_lowercase() {
        match small {
            'أ' | 'إ' | 'آ' | 'ٱ' => folded.push('ا'),
            'ى' | 'ی' | 'ۍ' | 'ې' => folded.push('ي'),
            'ة' | 'ۀ' | 'ہ' | 'ە' | 'ۂ' => folded.push('ه'),
            'ک' | 'ڪ' => folded.push('ك'),
            'ؤ' => folded.push('و'),
            'ئ' => folded.push('ي'),
            '٠'..='٩' | '۰'..='۹' => folded.extend(western_digit(small)),
            'ё' => folded.push('е'),
            'ς' => folded.push('σ'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            'ı' => folded.push('i'),
            _ if is_silent(small) => {}
            _ if has_accent_to_drop(small) => {
                // The letter under the accent may be one of those above.
                for part in std::iter::once(small).nfd() {
                    if part == small {
                        folded.push(part);
                    } else {
                        fold_letter(part, folded);
                    }
                }
            }
            _ => folded.push(small),
        }
    }
}

/// Latin and Greek. Not Cyrillic: there "й" is a letter, not an accented "и".
fn has_accent_to_drop(character: char) -> bool {
    matches!(character,
        '\u{00c0}'..='\u{024f}' | '\u{0370}'..='\u{03ff}' | '\u{1e00}'..='\u{1fff}')
}

fn western_digit(digit: char) -> Option<char> {
    let value = u32::from(digit) & 0xf;
    char::from_digit(value, 10)
}

fn strip_arabic_prefix(word: &mut String) {
    for prefix in ARABIC_PREFIXES {
        if let Some(stem) = word.strip_prefix(prefix)
            && stem.chars().count() >= ARABIC_STEM_LETTERS_MIN
        {
            *word = stem.to_owned();
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, folded: &str) {
        assert_eq!(search_text(text), folded, "from {text:?}");
    }

    #[test]
    fn case_accents_and_width_do_not_matter() {
        check("Zürich, ÉLYSÉE", "zurich elysee");
        check("Wałęsa Øresund Straße", "walesa oresund strasse");
        check("Ｄｒｏｎｅ ２０２６", "drone 2026");
        check("e\u{301}te\u{301}", "ete");
        check("Αθήνας", "αθηνασ");
        check("İstanbul", "istanbul");
    }

    #[test]
    fn arabic_is_searched_without_points_and_in_one_form() {
        check("قُصِفَتْ", "قصفت");
        check("الأمــن", "امن");
        check("غارة جوّية على إدلب", "غاره جويه علي ادلب");
        check("القصف والقصف بالقصف قصف", "قصف قصف قصف قصف");
        check("الله", "الله");
        check("کابل می‌خواهد ۱۲", "كابل مي خواهد 12");
    }

    #[test]
    fn cyrillic_keeps_its_letters() {
        check("Обстрел Киева ещё", "обстрел киева еще");
        check("обстріл, її, Запоріжжя", "обстріл її запоріжжя");
        check("мой бои́", "мой бои");
        check("об'єкт об’єкт обʼєкт", "об єкт об єкт об єкт");
    }

    #[test]
    fn a_script_without_spaces_is_one_token_a_character() {
        check("空袭基辅", "空 袭 基 辅");
        check("キーウを攻撃", "キ ー ウ を 攻 撃");
        check("ﾐｻｲﾙ", "ミ サ イ ル");
        check("공습을", "공 습 을");
        check("ข่าวดี", "ข่ า ว ดี");
        check("F-16战机3架", "f 16 战 机 3 架");
    }

    #[test]
    fn a_mark_does_not_cut_a_word() {
        check("हिन्दी", "हिन्दी");
        check("שָׁלוֹם", "שלום");
    }

    #[test]
    fn a_token_says_where_it_stands() {
        let text = "«Élan» 空";
        let found: Vec<&str> =
            tokens(text).into_iter().map(|token| text.get(token.range).unwrap()).collect();
        assert_eq!(found, ["Élan", "空"]);
    }

    #[test]
    fn nothing_to_read_has_no_tokens() {
        for text in ["", " \n", "…!? \"'«»", "\0\u{1}", "\u{200b}\u{301}"] {
            check(text, "");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing_but_a_prefix(text in "[^ا-ي]*") {
            let once = search_text(&text);
            prop_assert_eq!(search_text(&once), once);
        }

        #[test]
        fn every_token_lies_in_the_text(text in ".*") {
            for token in tokens(&text) {
                prop_assert!(text.get(token.range).is_some());
            }
        }
    }
}
