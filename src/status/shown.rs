//! What may be shown of a text from outside: on a terminal, in a line of a log, in an answer.
//!
//! A publisher, a broker, a database or a file of feeds may hold characters that steer a terminal,
//! begin a line that looks like ours, or turn the order of what stands around them (Unicode
//! Standard Annex 9; CVE-2021-42574). This is the one list of them.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// The most characters of one text: more than the longest of ours, and no screen full.
const CHARS_MAX: usize = 4000;

/// Whether a character is seen only by what it does: controls, marks of direction, and characters
/// without width other than the joiners that Persian, Hindi and emoji are written with.
pub fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// A text of a publisher for readers: white space becomes spaces, what is hidden is left out.
pub fn printable(char: char) -> Option<char> {
    if char.is_whitespace() { Some(' ') } else { (!is_hidden(char)).then_some(char) }
}

/// A text for whoever runs the daemon: one line, what is hidden is written as an escape, so that it
/// can be seen and searched for, and the end is left out of one that is endless.
pub fn shown(text: &str) -> Cow<'_, str> {
    let is_short = text.len() <= CHARS_MAX || text.chars().nth(CHARS_MAX).is_none();
    if is_short && !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len().min(2 * CHARS_MAX));
    for char in text.chars().take(CHARS_MAX) {
        if is_hidden(char) {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
    }
    if !is_short {
        let _never = write!(shown, "… ({} bytes)", text.len());
    }
    Cow::Owned(shown)
}

/// Something that says what it is in words, for whoever runs the daemon; see [`shown`].
#[derive(Debug)]
pub struct Shown<T>(pub T);

impl<T: fmt::Display> fmt::Display for Shown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&shown(&self.0.to_string()))
    }
}

/// JSON on one line, the same JSON: what is hidden in its strings is written as JSON's own escapes.
pub fn json_line(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_hidden) {
        return Cow::Borrowed(json);
    }
    let mut line = String::with_capacity(json.len());
    for char in json.chars() {
        if char.is_ascii_control() && char != '\u{7f}' {
            // Not allowed in a string, and white space between values.
            line.push(' ');
        } else if is_hidden(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                let _never = write!(line, "\\u{unit:04x}");
            }
        } else {
            line.push(char);
        }
    }
    Cow::Owned(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way to steer what reads a line, one after the other.
    const HOSTILE: &str = "a\n\r\t\0\u{1b}[31m\u{7}\u{8}\u{7f}\u{85}\u{9b}2J\u{61c}\u{200b}\u{200e}\
                           \u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{feff}\
                           \u{fff9}\u{e0041}z";

    #[test]
    fn what_is_hidden_is_written_as_an_escape() {
        let shown = shown(HOSTILE);
        assert!(!shown.chars().any(is_hidden), "{shown:?}");
        assert!(shown.starts_with("a\\n\\r\\t\\u{0}\\u{1b}[31m"), "{shown}");
        assert!(shown.contains("\\u{202e}") && shown.ends_with("\\u{e0041}z"), "{shown}");
    }

    #[test]
    fn readers_do_not_see_it() {
        let read: String = HOSTILE.chars().filter_map(printable).collect();
        assert_eq!(read, "a   [31m 2J  z");
    }

    #[test]
    fn what_every_script_needs_stays() {
        for text in
            ["Київ: обстріл", "می\u{200c}شود", "क्\u{200d}ष", "👩\u{200d}🚒", "غارة", "空袭", "a b"]
        {
            assert_eq!(shown(text), text);
            assert_eq!(text.chars().filter_map(printable).collect::<String>(), text);
        }
    }

    #[test]
    fn an_endless_text_is_cut_and_says_so() {
        assert_eq!(shown(&"é".repeat(CHARS_MAX)), "é".repeat(CHARS_MAX));
        let long = "é".repeat(1_000_000);
        let cut = shown(&long);
        assert!(cut.ends_with("é… (2000000 bytes)"), "{}", cut.len());
        assert!(cut.chars().count() < CHARS_MAX + 30);
    }

    #[test]
    fn a_line_of_json_says_the_same() {
        let value = serde_json::json!({ "title": HOSTILE, "n": [1, null] });
        let line = serde_json::to_string(&value).unwrap();
        let safe = json_line(&line);
        assert!(!safe.chars().any(is_hidden), "{safe:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let safe = json_line(&pretty);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        assert_eq!(safe.lines().count(), 1);
    }
}
