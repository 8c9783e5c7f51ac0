//! Bytes to text: byte order mark, HTTP header, XML declaration; which wins, and why.
//!
//! Everything after this file sees UTF-8 and no control characters, so no parser decodes again.
//!
//! 1. A byte order mark, and UTF-16 that shows itself by its zeros, leave no doubt.
//! 2. Bytes that are valid UTF-8 are UTF-8, whatever is declared: text in another encoding is
//!    hardly ever valid UTF-8 by accident, and a wrong declaration is common.
//! 3. The HTTP header, then the declaration (RFC 7303, 3), but a header that says ISO-8859-1 gives
//!    way to a declaration: it is what many servers send for every XML file. An encoding whose bytes
//!    these cannot be, and a Western one for text that lies as another script does, is not believed.
//! 4. Elsewhere each text between two tags is read by itself: UTF-8 if it is valid, or nearly;
//!    what is left is in the encoding that a detector hears in all of it together.
//! 5. C1 controls are what windows-1252 has in their places: nobody writes them.

use std::ops::Range;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, KOI8_R, KOI8_U, SHIFT_JIS, UTF_8,
    UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252,
};

use crate::reference;

/// How far into a document its encoding may be declared: the declaration is its first line.
const DECLARATION_BYTES: usize = 1024;

/// How much is looked at to guess an encoding; enough for a few headlines.
const SAMPLE_BYTES: usize = 64 * 1024;

/// The country whose sites are mostly in a language: the detector knows countries. Languages whose own
/// country would not do are named; of others the code is tried.
const COUNTRIES: [(&str, &str); 24] = [
    ("ar", "sa"),
    ("be", "by"),
    ("cs", "cz"),
    ("da", "dk"),
    ("el", "gr"),
    ("et", "ee"),
    ("fa", "ir"),
    ("he", "il"),
    ("iw", "il"),
    ("ja", "jp"),
    ("ko", "kr"),
    ("ps", "af"),
    ("sl", "si"),
    ("sq", "al"),
    ("sr", "rs"),
    ("sv", "se"),
    ("uk", "ua"),
    ("ur", "pk"),
    ("vi", "vn"),
    ("zh", "cn"),
    ("zh-hk", "hk"),
    ("zh-hant", "tw"),
    ("zh-mo", "mo"),
    ("zh-tw", "tw"),
];

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
        let is_escaped = || {
            let escapes = [&b"\x1b$B"[..], b"\x1b$@"];
            escapes.iter().any(|escape| bytes.windows(escape.len()).any(|window| window == *escape))
        };
        if declared == Some(ISO_2022_JP) || (bytes.contains(&0x1B) && is_escaped()) {
            return ISO_2022_JP.decode_without_bom_handling(bytes).0.into_owned();
        }
        return text.to_owned();
    }
    if let Some(encoding) = declared
        && encoding != UTF_8
        && (encoding != WINDOWS_1252 || is_western(bytes))
    {
        let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
        if !had_errors || !is_nearly_utf8(bytes) {
            if let Some(other) = mistaken_for(encoding).filter(|_| is_in_turned_case(&text)) {
                return other.decode_without_bom_handling(bytes).0.into_owned();
            }
            return text.into_owned();
        }
    }
    decode_by_texts(bytes)
}

/// The other of the two encodings of Russian in which capitals stand where this one has small letters.
fn mistaken_for(encoding: &'static Encoding) -> Option<&'static Encoding> {
    if encoding == WINDOWS_1251 {
        Some(KOI8_R)
    } else if encoding == KOI8_R || encoding == KOI8_U {
        Some(WINDOWS_1251)
    } else {
        None
    }
}

/// Whether most words begin with a small letter and go on in capitals, as `бТНЙС` does.
fn is_in_turned_case(text: &str) -> bool {
    let (mut turned, mut words) = (0_usize, 0_usize);
    let beginning = text.get(..text.floor_char_boundary(SAMPLE_BYTES)).unwrap_or(text);
    for word in beginning.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_ascii()) {
        let capitals = word.chars().skip(1).filter(|c| c.is_uppercase()).count();
        let letters = word.chars().count();
        if letters >= 3 {
            words += 1;
            // A word without a capital at its beginning is in capitals as a whole.
            turned += usize::from(capitals + 1 == letters);
        }
    }
    let begins_small = |word: &str| {
        let mut chars = word.chars();
        chars.next().is_some_and(char::is_lowercase) && chars.next().is_some_and(char::is_uppercase)
    };
    let has_turned = beginning.split(|c: char| !c.is_alphabetic()).any(begins_small);
    has_turned && words >= 3 && turned * 10 >= words * 9
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
    let label = label.trim();
    let encoding = Encoding::for_label(label.as_bytes()).or_else(|| unlisted_encoding(label))?;
    // UTF-16 has been looked for already; a document that says so in ASCII is not in it.
    (encoding != UTF_16LE && encoding != UTF_16BE).then_some(encoding)
}

/// Labels that the web's list lacks: numbers of code pages, and other spellings.
fn unlisted_encoding(label: &str) -> Option<&'static Encoding> {
    let label = label.to_ascii_lowercase().replace('_', "-");
    let label = label.strip_prefix("x-").unwrap_or(&label);
    if label.starts_with("utf8") || label.starts_with("utf-8") {
        return Some(UTF_8);
    }
    let prefix = ["windows-", "windows", "win-", "win", "cp-", "cp", "ms-", "ms", "ibm-", "ibm"];
    let number = prefix.iter().find_map(|prefix| label.strip_prefix(prefix))?;
    match number {
        "932" | "31j" | "943" => Some(SHIFT_JIS),
        "936" | "54936" | "1386" => Some(GBK),
        "949" | "970" | "51949" => Some(EUC_KR),
        "950" | "1370" => Some(BIG5),
        "20866" => Some(KOI8_R),
        "21866" => Some(KOI8_U),
        "65001" => Some(UTF_8),
        "28591" => Some(WINDOWS_1252),
        number => Encoding::for_label(format!("windows-{number}").as_bytes()),
    }
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

/// Reads each text between two tags by itself: one entry may be in another encoding than its neighbours.
fn decode_by_texts(bytes: &[u8]) -> String {
    let foreign: Vec<Range<usize>> = texts(bytes)
        .filter(|text| {
            let text = bytes.get(text.clone()).unwrap_or_default();
            std::str::from_utf8(text).is_err() && !is_nearly_utf8(text)
        })
        .collect();
    let encoding = guessed_encoding(bytes, &foreign);
    let mut text = String::with_capacity(bytes.len() * 2);
    let mut at = 0;
    for range in foreign {
        push_nearly_utf8(&mut text, bytes.get(at..range.start).unwrap_or_default());
        at = range.end;
        let foreign = bytes.get(range).unwrap_or_default();
        text.push_str(&encoding.decode_without_bom_handling(foreign).0);
    }
    push_nearly_utf8(&mut text, bytes.get(at..).unwrap_or_default());
    text
}

/// Where each text between two tags, or between two quotes of JSON, stands.
fn texts(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let is_end = |byte: &u8| matches!(byte, b'<' | b'>' | b'"');
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(is_end).map_or(rest.len(), |end| end + 1);
        let text = at..at + length;
        at += length;
        Some(text)
    })
}

/// Adds UTF-8 with stray bytes, each read as windows-1252.
fn push_nearly_utf8(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
    }
}

/// What texts are in that nobody named an encoding for, by all of them together.
fn guessed_encoding(bytes: &[u8], texts: &[Range<usize>]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut left = SAMPLE_BYTES;
    for text in texts {
        let text = bytes.get(text.clone()).unwrap_or_default();
        let text = text.get(..left.min(text.len())).unwrap_or_default();
        left -= text.len();
        detector.feed(text, false);
        detector.feed(b" ", false);
    }
    detector.feed(b"", true);
    let country = declared_language(bytes).and_then(|language| country(&language));
    let guess = detector.guess(country.as_deref().map(str::as_bytes), Utf8Detection::Deny);
    // The one is the other but for four letters of Ukrainian, which it has as signs for drawing tables.
    if guess == KOI8_R { KOI8_U } else { guess }
}

/// The language a document says it is in, in lower case.
fn declared_language(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(bytes.get(..SAMPLE_BYTES.min(bytes.len()))?);
    let after = |mark: &str| head.split_once(mark).map(|(_, rest)| rest);
    let rest =
        after("<language>").or_else(|| after("<dc:language>")).or_else(|| after("xml:lang="))?;
    let rest = rest.trim_start().trim_start_matches(['"', '\'']);
    let tag: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    (!tag.is_empty()).then(|| tag.to_ascii_lowercase())
}

/// The country that stands for a language: by its tag, by its first subtag, or of the same letters.
fn country(language: &str) -> Option<String> {
    let primary = language.split('-').next().unwrap_or_default();
    let known =
        |tag: &str| COUNTRIES.iter().find(|(own, _)| *own == tag).map(|(_, country)| *country);
    let country = known(language).or_else(|| known(primary)).unwrap_or(primary);
    // English is written everywhere, and "en" is no country.
    (country.len() == 2 && country != "en").then(|| country.to_owned())
}

/// Whether bytes that are said to be in windows-1252 are. Servers and templates say so of everything.
fn is_western(bytes: &[u8]) -> bool {
    let whole = 0..bytes.len();
    let has_country = declared_language(bytes).and_then(|language| country(&language)).is_some();
    if lies_as_another_script(bytes) {
        return false;
    }
    if !has_country && !lies_in_runs(bytes) {
        return true;
    }
    let guess = guessed_encoding(bytes, &[whole]);
    // Without a language, the detector is believed where two bytes make a character: chance does not.
    let of_two = [BIG5, EUC_JP, EUC_KR, GB18030, GBK, SHIFT_JIS];
    guess == WINDOWS_1252 || (!has_country && !of_two.contains(&guess))
}

/// Whether many bytes beyond ASCII stand beside one another, as those of Chinese, Japanese and Korean do.
fn lies_in_runs(bytes: &[u8]) -> bool {
    let sample = bytes.get(..SAMPLE_BYTES.min(bytes.len())).unwrap_or_default();
    let beyond = sample.iter().filter(|byte| !byte.is_ascii()).count();
    let pairs = sample.array_windows().filter(|[one, other]| !one.is_ascii() && !other.is_ascii());
    beyond >= 16 && pairs.count() * 2 >= beyond
}

/// Whether letters beyond ASCII stand in runs, as in Cyrillic, Greek, Arabic and Chinese; in Western text they
/// stand alone between ASCII letters.
fn lies_as_another_script(bytes: &[u8]) -> bool {
    let sample = bytes.get(..SAMPLE_BYTES.min(bytes.len())).unwrap_or_default();
    let letter = |byte: u8| byte >= 0xC0;
    let inside = sample.array_windows().filter(|[before, byte]| letter(*before) && letter(*byte));
    let letters = sample.iter().filter(|byte| letter(**byte)).count();
    letters >= 20 && inside.count() * 2 >= letters
}

/// Control characters have no meaning in any feed and are errors in XML and JSON; those that windows-1252 has
/// as characters are meant as these.
fn without_controls(mut text: String) -> String {
    if !holds_controls(text.as_bytes()) {
        return text;
    }
    let unwanted = |c: char| {
        (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}')
    };
    if text.contains(|c: char| matches!(c, '\u{80}'..='\u{9F}')) {
        let meant = |c: char| match c {
            // Those that it lacks too may be parts of a text that was read in the wrong encoding before it came.
            '\u{80}'..='\u{9F}' => reference::character(u32::from(c)).unwrap_or(c),
            other => other,
        };
        text = text.chars().map(meant).collect();
    }
    if text.contains(unwanted) {
        text.retain(|c| !unwanted(c));
    }
    text
}

/// Whether UTF-8 has a control character that is not white space, a C1 control, or U+FFFE or U+FFFF.
fn holds_controls(text: &[u8]) -> bool {
    const BYTES: usize = 64;
    let is_control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    // U+0080 to U+009F begin with one of these, the two others with the other.
    let may_be = |byte: u8| is_control(byte) || byte == 0xC2 || byte == 0xEF;
    text.chunks(BYTES).enumerate().any(|(place, chunk)| {
        // All bytes of it are looked at, which a processor does at once.
        let is_suspect = chunk.iter().fold(false, |any, byte| any | may_be(*byte));
        is_suspect && {
            let from = text.get(place * BYTES..).unwrap_or_default();
            from.iter().take(chunk.len()).enumerate().any(|(at, byte)| match byte {
                0xC2 => from.get(at + 1).is_some_and(|next| *next < 0xA0),
                0xEF => matches!(from.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])),
                byte => is_control(*byte),
            })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_found_wherever_they_stand() {
        for (text, kept) in [
            ("a\u{0}b", "ab"),
            ("a\u{1F}b", "ab"),
            ("a\u{85}b", "a…b"),
            ("a\u{81}b", "a\u{81}b"),
            ("a\u{FFFE}b", "ab"),
            ("a\u{FFFF}b", "ab"),
            ("a\t\n\r\u{7F}\u{A0}é\u{FFFD}\u{FEFF}，b", "a\t\n\r\u{7F}\u{A0}é\u{FFFD}\u{FEFF}，b"),
        ] {
            for before in (0..3).chain(60..66) {
                let before = "x".repeat(before);
                let text = format!("{before}{text}");
                assert_eq!(without_controls(text.clone()), format!("{before}{kept}"), "{text:?}");
            }
        }
    }

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
    fn a_detector_reads_what_nobody_named() {
        for (label, language, text) in [
            ("windows-1256", "ar", "قصفت الطائرات مواقع شمال المدينة وقتل خمسة أشخاص في الغارة"),
            ("windows-1255", "he", "הצבא הודיע כי שלושה חיילים נהרגו בקרב בצפון הרצועה"),
            ("windows-1253", "el", "Τρεις στρατιώτες σκοτώθηκαν σε επίθεση κοντά στα σύνορα"),
            (
                "windows-1254",
                "tr",
                "Sınırdaki saldırıda üç asker öldü, çatışmalar gece boyunca sürdü",
            ),
            (
                "iso-8859-2",
                "pl",
                "Żołnierze ostrzelali wieś przy granicy, zginęło pięć osób, ośmioro rannych",
            ),
            ("gbk", "zh-cn", "停火协议在边境地区生效，联合国呼吁各方保持克制"),
            ("big5", "zh-tw", "停火協議在邊境地區生效，聯合國呼籲各方保持克制"),
            ("shift_jis", "ja", "国境地帯で停戦合意が発効し、国連は自制を求めた"),
            ("euc-kr", "ko", "국경 지역에서 휴전 합의가 발효되었고 유엔은 자제를 촉구했다"),
            ("koi8-u", "uk", "Унаслідок обстрілу міста загинули троє людей, є поранені"),
        ] {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            let text = format!("<rss><language>{language}</language><title>{text}</title></rss>");
            check(&encoded(encoding, &text), None, &text);
            check(&encoded(encoding, &text), Some("text/xml; charset=iso-8859-1"), &text);
        }
    }

    #[test]
    fn one_text_may_be_in_another_encoding_than_its_neighbours() {
        let other = "<t>Обстрел деревни у границы, пятеро раненых в больнице</t>";
        let mut bytes = "<?xml version='1.0' encoding='UTF-8'?>".as_bytes().to_vec();
        bytes.extend_from_slice(RUSSIAN.as_bytes());
        bytes.extend_from_slice(&encoded(WINDOWS_1251, other));
        bytes.extend_from_slice(&encoded(WINDOWS_1251, other));
        let text = format!("<?xml version='1.0' encoding='UTF-8'?>{RUSSIAN}{other}{other}");
        check(&bytes, None, &text);
    }

    #[test]
    fn labels_that_the_web_does_not_list_are_known() {
        for (label, text) in [
            ("cp949", "<t>휴전 합의</t>"),
            ("CP936", "<t>停火协议</t>"),
            ("x-windows-950", "<t>停火協議</t>"),
            ("win-1251", "<t>Перемирие</t>"),
            ("cp1256", "<t>وقف إطلاق النار</t>"),
        ] {
            let encoding = known_encoding(label).unwrap();
            let text = format!("<?xml version='1.0' encoding='{label}'?>{text}");
            check(&encoded(encoding, &text), None, &text);
        }
        assert_eq!(known_encoding("no-such-thing"), None);
    }

    #[test]
    fn controls_that_are_characters_in_windows_1252_are_those() {
        check(
            "<t>The army\u{92}s \u{93}answer\u{94}</t>".as_bytes(),
            None,
            "<t>The army’s “answer”</t>",
        );
        // What is a character there neither may be part of one that was read in the wrong encoding before.
        check("<t>a\u{81}b</t>".as_bytes(), None, "<t>a\u{81}b</t>");
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
