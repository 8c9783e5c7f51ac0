//! What the references of HTML stand for: `&eacute;`, `&#233;`, `&#xE9;`.
//!
//! Source: HTML Living Standard, 13.2.5.72 to 13.2.5.80; the table of names is html5ever's.

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// The longest name in the table has 31 characters; a number needs fewer.
const REFERENCE_BYTES_MAX: usize = 33;

/// The longest of the names that do without `;` (`frac12`, `Aacute`) has six characters.
const OLD_NAME_BYTES_MAX: usize = 6;

/// The text of a name, with or without what `&` and `;` enclose it.
pub fn named(name: &str) -> Option<String> {
    if name.len() > REFERENCE_BYTES_MAX {
        return None;
    }
    let (first, second) = NAMED_ENTITIES.get(format!("{name};").as_str())?;
    // The table holds the beginnings of names too, with nothing for a text.
    let text: String = [*first, *second].into_iter().filter_map(character).collect();
    (!text.is_empty()).then_some(text)
}

/// The code of a number: decimal, or hexadecimal after `x`. `None` if it is no number or too large
/// for one.
pub fn number(digits: &str) -> Option<u32> {
    match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok(),
    }
}

/// The character of a code, as browsers see it: C1 controls are windows-1252; other controls, the
/// halves of surrogate pairs and what lies beyond Unicode are nothing.
pub fn character(code: u32) -> Option<char> {
    let c = match code {
        0x80..=0x9F => {
            let place = usize::try_from(code - 0x80).ok()?;
            C1_REPLACEMENTS.get(place).copied().flatten()?
        }
        code => char::from_u32(code)?,
    };
    let is_text = !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    (is_text && !matches!(c, '\u{FFFE}' | '\u{FFFF}')).then_some(c)
}

/// The same, but that the C1 controls that windows-1252 lacks too are themselves: they may be bytes of a text that was
/// read in the wrong encoding.
pub fn character_or_byte(code: u32) -> Option<char> {
    let byte = || char::from_u32(code).filter(|c| matches!(c, '\u{80}'..='\u{9F}'));
    character(code).or_else(byte)
}

/// Decodes all references in a text, once. What is no reference stays.
pub fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let head = after
            .char_indices()
            .nth(REFERENCE_BYTES_MAX)
            .map_or(after, |(end, _)| after.split_at(end).0);
        match first_reference(head, character) {
            Some((text, length)) => {
                decoded.push_str(&text);
                rest = after.get(length..).unwrap_or_default();
            }
            None => {
                decoded.push('&');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// Decodes the references in a text that stand for characters beyond ASCII, once: what is markup stays markup.
pub fn decode_beyond_ascii(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let end = after.ceil_char_boundary(REFERENCE_BYTES_MAX.min(after.len()));
        match first_reference(after.get(..end).unwrap_or_default(), character_or_byte) {
            Some((text, length)) if !text.is_ascii() => {
                decoded.push_str(&text);
                rest = after.get(length..).unwrap_or_default();
            }
            _ => {
                decoded.push('&');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// The text of the reference that `head`, what follows an `&`, begins with, and its length.
fn first_reference(head: &str, of_code: fn(u32) -> Option<char>) -> Option<(String, usize)> {
    if let Some(number_text) = head.strip_prefix('#') {
        let is_hex = number_text.starts_with(['x', 'X']);
        let digits = number_text.strip_prefix(['x', 'X']).unwrap_or(number_text);
        let belongs = |c: char| if is_hex { c.is_ascii_hexdigit() } else { c.is_ascii_digit() };
        let end = digits.find(|c| !belongs(c)).unwrap_or(digits.len());
        let (digits, after) = digits.split_at(end);
        if digits.is_empty() {
            return None;
        }
        let code = u32::from_str_radix(digits, if is_hex { 16 } else { 10 }).ok();
        let text = code.and_then(of_code).map(String::from).unwrap_or_default();
        let length = 1 + usize::from(is_hex) + end + usize::from(after.starts_with(';'));
        return Some((text, length));
    }
    let end = head.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(head.len());
    let (name, after) = head.split_at(end);
    if after.starts_with(';') {
        return Some((named(name)?, end + 1));
    }
    // A few old names do without `;`: the longest beginning that is one, as browsers do.
    let (length, text) = (2..=end.min(OLD_NAME_BYTES_MAX)).rev().find_map(|length| {
        let (first, second) = NAMED_ENTITIES.get(name.get(..length)?)?;
        let text: String = [*first, *second].into_iter().filter_map(character).collect();
        (!text.is_empty()).then_some((length, text))
    })?;
    Some((text, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, decoded: &str) {
        assert_eq!(decode(text), decoded, "{text}");
    }

    #[test]
    fn references_are_decoded_once() {
        check("caf&eacute; &amp;amp; &#233;&#xE9; &lt;b&gt;", "café &amp; éé <b>");
        check("&rsquo;&nbsp;&hellip;", "’\u{A0}…");
        check("&NotEqualTilde;", "≂\u{338}");
    }

    #[test]
    fn markup_may_stay_as_it_is() {
        let text = decode_beyond_ascii("&lt;b&gt; &amp;eacute; &eacute;&#153;&#x41; &x");
        assert_eq!(text, "&lt;b&gt; &amp;eacute; é™&#x41; &x");
        assert_eq!(decode_beyond_ascii("&#209;&#129;"), "Ñ\u{81}");
        check("&#209;&#129;", "Ñ");
    }

    #[test]
    fn windows_references_are_what_their_writers_meant() {
        check("&#146;&#147;&#x94;", "’“”");
    }

    #[test]
    fn references_to_no_character_are_nothing() {
        check("a&#0;b&#xD800;c&#99999999999;d&#8;e", "abcde");
    }

    #[test]
    fn what_is_no_reference_stays() {
        check("AT&T & co &; &# &#x; &nosuch; &", "AT&T & co &; &# &#x; &nosuch; &");
        check("&", "&");
    }

    #[test]
    fn old_names_do_without_a_semicolon() {
        check("caf&eacute, AT&amp T, &copy2024", "café, AT& T, ©2024");
    }
}
