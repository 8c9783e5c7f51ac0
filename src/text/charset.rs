//! Bytes to text: byte order mark, HTTP header, XML declaration; which wins, and why.
//!
//! Everything after this file sees UTF-8 and no control characters, so no parser decodes again.
//!
//! 1. A byte order mark, and UTF-16 that shows itself by its zeros, leave no doubt.
//! 2. Bytes that are valid UTF-8 are UTF-8, whatever is declared: text in another encoding is
//!    hardly ever valid UTF-8 by accident, and a wrong declaration is common.
//! 3. The HTTP header, then the declaration (RFC 7303, 3), but a header that says ISO-8859-1 gives
//!    way to a declaration: it is what many servers send for every XML file.
//! 4. Text that is nearly UTF-8 is UTF-8 with stray bytes, each read as windows-1252.
//! 5. Bytes that lie as Cyrillic letters do are windows-1251 or KOI8-R; the rest is windows-1252.

use encoding_rs::{
    Encoding, ISO_2022_JP, KOI8_R, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252,
};

/// How far into a document its encoding may be declared: the declaration is its first line.
const DECLARATION_BYTES: usize = 1024;

/// How much is looked at to guess an encoding; enough for a few headlines.
const SAMPLE_BYTES: usize = 64 * 1024;

/// Decodes a document. Never fails: a byte nobody can read becomes U+FFFD.
pub fn decode(bytes: &[u8], content_type: Option<&str>) -> String {
    without_controls(decode_text(bytes, content_type))
}

fn decode_text(bytes: &[u8], content_type: Option<&str>) -> String {
    if let Some((encoding, mark_bytes)) = Encoding::for_bom(bytes) {
        let text = bytes.get(mark_bytes..).unwrap_or_default();
        return encoding.decode_without_bom_handling(text).0.into_owned();
    }
    if let Some(encoding) = wide_encoding(bytes) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    let declared = declared_encoding(bytes, content_type);
    if let Ok(text) = std::str::from_utf8(bytes) {
        // The one encoding of the web whose text is ASCII to the byte.
        if declared == Some(ISO_2022_JP) {
            return ISO_2022_JP.decode_without_bom_handling(bytes).0.into_owned();
        }
        return text.to_owned();
    }
    if let Some(encoding) = declared
        && encoding != UTF_8
    {
        let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
        if !had_errors || !is_nearly_utf8(bytes) {
            return text.into_owned();
        }
    }
    if is_nearly_utf8(bytes) {
        return decode_nearly_utf8(bytes);
    }
    guessed_encoding(bytes).decode_without_bom_handling(bytes).0.into_owned()
}

/// UTF-16 without a byte order mark: every other byte of markup is zero.
fn wide_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [b'<' | b'{', 0, second, 0, ..] if *second != 0 => Some(UTF_16LE),
        [0, b'<' | b'{', 0, second, ..] if *second != 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// What header and declaration say, if either names an encoding that ASCII markup can be in.
fn declared_encoding(bytes: &[u8], content_type: Option<&str>) -> Option<&'static Encoding> {
    let header = content_type.and_then(header_charset).and_then(known_encoding);
    let document = declaration_charset(bytes).and_then(|label| known_encoding(&label));
    match (header, document) {
        (Some(header), Some(document)) if header == WINDOWS_1252 || header == UTF_8 => {
            Some(document)
        }
        (Some(header), _) => Some(header),
        (None, document) => document,
    }
}

/// The encoding a label stands for, unless the bytes in hand show that it is not that one.
fn known_encoding(label: &str) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(label.trim().as_bytes())?;
    // UTF-16 has been looked for already; a document that says so in ASCII is not in it.
    (encoding != UTF_16LE && encoding != UTF_16BE).then_some(encoding)
}

fn header_charset(content_type: &str) -> Option<&str> {
    let parameters = content_type.split(';').skip(1);
    let mut named = parameters.filter_map(|parameter| parameter.split_once('='));
    let (_, value) = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim().trim_matches(|c| c == '"' || c == '\''))
}

fn declaration_charset(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..DECLARATION_BYTES.min(bytes.len()))?;
    // Latin text or not, the declaration itself is ASCII.
    let head = String::from_utf8_lossy(head);
    let (_, declaration) = head.split_once("<?xml")?;
    let (declaration, _) = declaration.split_once("?>")?;
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest.split(quote).nth(1).map(str::to_owned)
}

/// Whether most characters beyond ASCII are valid UTF-8.
fn is_nearly_utf8(bytes: &[u8]) -> bool {
    let (mut characters, mut strays) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        characters += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        strays += usize::from(!chunk.invalid().is_empty());
    }
    strays < characters
}

fn decode_nearly_utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
    }
    text
}

/// What bytes that nobody named are in.
///
/// Cyrillic text is runs of high bytes; in Western text they stand alone between ASCII letters.
/// Lower-case letters, the bulk of any text, are 0xE0 to 0xFF in windows-1251 and 0xC0 to 0xDF in
/// KOI8-R.
fn guessed_encoding(bytes: &[u8]) -> &'static Encoding {
    let sample = bytes.get(..SAMPLE_BYTES.min(bytes.len())).unwrap_or_default();
    let letter = |byte: u8| byte >= 0xC0;
    let inside = sample.array_windows().filter(|[before, byte]| letter(*before) && letter(*byte));
    let (mut low, mut high) = (0_usize, 0_usize);
    for [_, byte] in inside {
        if *byte < 0xE0 {
            low += 1;
        } else {
            high += 1;
        }
    }
    let letters = sample.iter().filter(|byte| letter(**byte)).count();
    if (low + high) * 2 < letters || letters == 0 {
        WINDOWS_1252
    } else if low > high {
        KOI8_R
    } else {
        WINDOWS_1251
    }
}

/// Control characters have no meaning in any feed and are errors in XML and JSON.
fn without_controls(mut text: String) -> String {
    let unwanted = |c: char| {
        (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}')
    };
    if text.contains(unwanted) {
        text.retain(|c| !unwanted(c));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUSSIAN: &str = "<t>Обстрел города продолжался всю ночь</t>";

    #[track_caller]
    fn check(bytes: &[u8], content_type: Option<&str>, text: &str) {
        assert_eq!(decode(bytes, content_type), text);
    }

    fn encoded(encoding: &'static Encoding, text: &str) -> Vec<u8> {
        encoding.encode(text).0.into_owned()
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn the_declaration_is_followed() {
        for (label, text) in [
            ("windows-1251", "<t>Київ: повітряна тривога</t>"),
            ("koi8-r", "<t>Перемирие</t>"),
            ("gb2312", "<t>停火协议</t>"),
            ("big5", "<t>停火協議</t>"),
            ("Shift_JIS", "<t>停戦合意</t>"),
            ("euc-kr", "<t>휴전 합의</t>"),
            ("windows-1256", "<t>وقف إطلاق النار</t>"),
            ("iso-8859-2", "<t>Żołnierze</t>"),
        ] {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            let text = format!("<?xml version='1.0' encoding='{label}'?>{text}");
            check(&encoded(encoding, &text), None, &text);
            check(&encoded(encoding, &text), Some("text/xml; charset=ISO-8859-1"), &text);
            check(&encoded(encoding, &text), Some("text/xml; charset=utf-8"), &text);
        }
    }

    #[test]
    fn the_header_serves_where_nothing_is_declared() {
        let bytes = encoded(KOI8_R, RUSSIAN);
        check(&bytes, Some("application/rss+xml; charset=\"KOI8-R\""), RUSSIAN);
    }

    #[test]
    fn utf16_is_read_with_and_without_its_mark() {
        for mark in ["", "\u{FEFF}"] {
            let text = format!("<?xml version=\"1.0\" encoding=\"utf-16\"?>{RUSSIAN}");
            let marked = format!("{mark}{text}");
            check(&utf16(&marked, u16::to_le_bytes), None, &text);
            check(&utf16(&marked, u16::to_be_bytes), None, &text);
        }
    }

    #[test]
    fn utf8_wins_over_a_declaration_that_lies() {
        for label in ["windows-1251", "ISO-8859-1", "utf-16", "no-such-thing"] {
            let text = format!("<?xml version=\"1.0\" encoding=\"{label}\"?>{RUSSIAN}");
            check(text.as_bytes(), Some(&format!("text/xml; charset={label}")), &text);
        }
        check("\u{FEFF}<t>é</t>".as_bytes(), None, "<t>é</t>");
    }

    #[test]
    fn undeclared_bytes_are_read_by_how_they_lie() {
        check(&encoded(WINDOWS_1251, RUSSIAN), None, RUSSIAN);
        check(&encoded(KOI8_R, RUSSIAN), None, RUSSIAN);
        let french = "<t>L’armée a été déployée à l’aube</t>";
        check(&encoded(WINDOWS_1252, french), Some("text/xml; charset=utf-8"), french);
    }

    #[test]
    fn a_stray_byte_does_not_spoil_utf8() {
        let mut bytes = RUSSIAN.as_bytes().to_vec();
        bytes.extend_from_slice(b"<t>caf\xe9</t>");
        check(&bytes, None, &format!("{RUSSIAN}<t>café</t>"));
    }

    #[test]
    fn iso_2022_jp_is_not_taken_for_ascii() {
        let text = "<?xml version=\"1.0\" encoding=\"iso-2022-jp\"?><t>停戦</t>";
        check(&encoded(ISO_2022_JP, text), None, text);
    }

    #[test]
    fn control_characters_are_dropped() {
        check(b"<t>a\0b\x0bc\x08d\te</t>", None, "<t>abcd\te</t>");
    }
}
