//! Repairs text whose UTF-8 a publisher read as a code page and wrote again: `army’s` that came as `armyâ€™s`.

use std::sync::LazyLock;

use encoding_rs::{
    Encoding, IBM866, KOI8_R, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254,
    WINDOWS_1255, WINDOWS_1256, WINDOWS_1257,
};

/// The code pages that publishers take UTF-8 for.
const PAGES: [&Encoding; 10] = [
    WINDOWS_1252,
    WINDOWS_1251,
    WINDOWS_1254,
    WINDOWS_1250,
    WINDOWS_1253,
    WINDOWS_1255,
    WINDOWS_1256,
    WINDOWS_1257,
    KOI8_R,
    IBM866,
];

/// So many characters must be mended in a page before a text is believed to be damaged: a word of an honest one may
/// come to a character of UTF-8 by chance ("Рі", "ÚŽASNÉ").
fn least(page: &'static Encoding) -> usize {
    if page == WINDOWS_1252 {
        1
    } else if page == WINDOWS_1251 {
        3
    } else {
        8
    }
}

/// The bit of windows-1252 among the code pages: it is the first.
const WESTERN: u16 = 1;

/// How often a text may have been damaged.
const TIMES_MAX: usize = 3;

/// No page has a character at or past this code, but for a few that begin and continue none of UTF-8.
const CODES: usize = 0x2600;

/// In which code pages a character could begin one of UTF-8, and in which it could continue one: a bit for each, by
/// the code of the character.
static PARTS: LazyLock<Vec<(u16, u16)>> = LazyLock::new(|| {
    let mut parts = vec![(0, 0); CODES];
    for (place, page) in PAGES.iter().enumerate() {
        // In the page of DOS, the letters past these are also what begins no damaged text.
        let last = if *page == IBM866 { 0xDF } else { 0xF4 };
        for byte in (0x80..=0xBF).chain(0xC2..=last) {
            for c in [*page, WINDOWS_1252].map(|page| character(byte, page)).into_iter().flatten() {
                let Some((leads, tails)) = parts.get_mut(code(c)) else { continue };
                let parts = if byte < 0xC0 { tails } else { leads };
                *parts |= 1 << place;
                if byte >= 0xC0 || character(byte, page).is_some() {
                    break;
                }
            }
        }
    }
    parts
});

fn code(c: char) -> usize {
    usize::try_from(u32::from(c)).unwrap_or(CODES)
}

/// What a page has for a byte.
fn character(byte: u8, page: &'static Encoding) -> Option<char> {
    let (text, _) = page.decode_without_bom_handling(std::slice::from_ref(&byte));
    text.chars().next().filter(|c| *c != '\u{FFFD}')
}

/// The closing quotation mark without its last byte, for which windows-1252 has no character.
const QUOTE_WITHOUT_END: [u8; 2] = [0xE2, 0x80];

/// What the text was before. `None` if it shows no such damage.
///
/// Each run of characters beyond ASCII must come to UTF-8 in one code page, as chance hardly ever does; signs
/// that begin no character of UTF-8 there, such as real quotation marks, may stand beside them. A text that
/// was cut in the middle of a character loses that one.
pub(super) fn repaired(text: &str) -> Option<String> {
    let mut repaired = repaired_once(text)?;
    for _ in 1..TIMES_MAX {
        let Some(again) = repaired_once(&repaired) else { break };
        repaired = again;
    }
    Some(repaired)
}

/// The same for a text of which only parts were read so: each between two marks of HTML, or on a line, by itself. Only
/// of what was read as windows-1252, whose damage no honest text looks like.
pub(super) fn repaired_in_parts(text: &str) -> Option<String> {
    if suspects(text) & WESTERN == 0 {
        return None;
    }
    let mut whole = String::with_capacity(text.len());
    let mut is_repaired = false;
    for part in text.split_inclusive(['<', '>', '\n']) {
        let part_repaired = (suspects(part) & WESTERN != 0)
            .then(|| repaired_from(part, WINDOWS_1252))
            .flatten()
            .map(|(repaired, _)| repaired);
        is_repaired |= part_repaired.is_some();
        whole.push_str(part_repaired.as_deref().unwrap_or(part));
    }
    is_repaired.then_some(whole)
}

fn repaired_once(text: &str) -> Option<String> {
    let suspects = suspects(text);
    if suspects == 0 {
        return None;
    }
    let pages = PAGES.iter().enumerate().filter(|(place, _)| suspects & (1 << place) != 0);
    let read = pages.filter_map(|(_, page)| repaired_from(text, page));
    // The page in which most of it makes sense; of several, the first.
    let best = read.reduce(|best, other| if other.1 > best.1 { other } else { best });
    best.map(|(repaired, _)| repaired)
}

/// Whether some character could begin one of UTF-8 in a code page, and another stands behind it: a look that costs
/// little, for most texts are as they should be.
pub(super) fn may_be_damaged(text: &str) -> bool {
    suspects(text) != 0
}

/// The code pages in which that is so: a bit for each.
fn suspects(text: &str) -> u16 {
    let mut suspects = 0;
    let mut rest = text;
    // ASCII begins and continues nothing.
    while let Some(after) = rest.get(ascii_bytes(rest)..).filter(|after| !after.is_empty()) {
        let mut before = 0;
        let mut chars = after.chars();
        for c in chars.by_ref().take_while(|c| !c.is_ascii()) {
            let (leads, tails) = PARTS.get(code(c)).copied().unwrap_or_default();
            suspects |= before & tails;
            before = leads;
        }
        rest = chars.as_str();
    }
    suspects
}

/// How many bytes of ASCII a text begins with.
fn ascii_bytes(text: &str) -> usize {
    const BYTES: usize = 32;
    let bytes = text.as_bytes();
    let whole = bytes.chunks_exact(BYTES).take_while(|chunk| chunk.is_ascii()).count() * BYTES;
    whole + bytes.iter().skip(whole).take_while(|byte| byte.is_ascii()).count()
}

/// A text as it was before it was read in a code page, and how many of its characters were mended.
fn repaired_from(text: &str, page: &'static Encoding) -> Option<(String, usize)> {
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text;
    let mut mended = 0;
    while !rest.is_empty() {
        let ascii = rest.find(|c: char| !c.is_ascii()).unwrap_or(rest.len());
        let (before, after) = rest.split_at_checked(ascii)?;
        repaired.push_str(before);
        let end = after.find(|c: char| c.is_ascii()).unwrap_or(after.len());
        let (run, after) = after.split_at_checked(end)?;
        rest = after;
        if run.is_empty() {
            continue;
        }
        match repaired_run(run, page) {
            // Only the end of a text may lack the rest of a character.
            Some((whole, is_all)) if is_all || after.is_empty() => {
                mended += run.chars().count();
                repaired.push_str(&whole);
            }
            None if begins_nothing(run, page) => repaired.push_str(run),
            _ => return None,
        }
    }
    (mended >= least(page)).then_some((repaired, mended))
}

/// A run as it was before, if it is UTF-8 in the code page, and whether its last character has all its bytes.
fn repaired_run(run: &str, page: &'static Encoding) -> Option<(String, bool)> {
    let bytes = bytes(run, page)?;
    match std::str::from_utf8(&bytes) {
        Ok(whole) => Some((whole.to_owned(), true)),
        Err(error) if error.error_len().is_none() => {
            let (whole, rest) = bytes.split_at_checked(error.valid_up_to())?;
            let whole = String::from_utf8_lossy(whole);
            if rest == QUOTE_WITHOUT_END {
                return Some((format!("{whole}”"), true));
            }
            (!whole.is_empty()).then(|| (whole.into_owned(), false))
        }
        Err(_) => None,
    }
}

/// The bytes of a run in a code page; controls, which it lacks, are themselves.
fn bytes(run: &str, page: &'static Encoding) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(run.len());
    for c in run.chars() {
        match u8::try_from(u32::from(c)) {
            Ok(byte) if (0x80..0xA0).contains(&byte) => bytes.push(byte),
            _ => {
                let mut buffer = [0; 4];
                let (encoded, _, had_errors) = page.encode(c.encode_utf8(&mut buffer));
                if !had_errors {
                    bytes.extend_from_slice(&encoded);
                    continue;
                }
                // What a page has no character for was a control, which came here as windows-1252 has it.
                let (encoded, _, had_errors) = WINDOWS_1252.encode(c.encode_utf8(&mut buffer));
                match encoded.first() {
                    Some(byte @ 0x80..=0x9F) if !had_errors => bytes.push(*byte),
                    _ => return None,
                }
            }
        }
    }
    Some(bytes)
}

/// Whether no character of the run could begin one of UTF-8.
fn begins_nothing(run: &str, page: &'static Encoding) -> bool {
    run.chars().all(|c| {
        let mut buffer = [0; 4];
        let lead = bytes(c.encode_utf8(&mut buffer), page);
        lead.is_none_or(|bytes| bytes.iter().all(|byte| !(0xC2..=0xF4).contains(byte)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn damaged(text: &str, page: &'static Encoding) -> String {
        let read = |byte: &u8| match *byte {
            byte if byte.is_ascii() => char::from(byte),
            byte => character(byte, page).unwrap_or(char::from(byte)),
        };
        text.as_bytes().iter().map(read).collect()
    }

    #[test]
    fn what_was_read_as_a_code_page_is_read_again() {
        for text in [
            "The army’s answer: “nobody” was hurt – yet",
            "Le maire a été tué à l’aube près du café",
            "Обстрел Николаева: повреждена больница",
            "الجيش يعلن وقف إطلاق النار",
        ] {
            for page in PAGES {
                let damaged_once = damaged(text, page);
                // A byte that the page has no character for was lost; the pages of Russian are taken for Russian.
                if [KOI8_R, IBM866].contains(&page) && !text.contains('О') {
                    continue;
                }
                if text.bytes().any(|byte| byte >= 0xA0 && character(byte, page).is_none()) {
                    continue;
                }
                assert_eq!(repaired(&damaged_once).as_deref(), Some(text), "{}", page.name());
            }
            let twice = damaged(&damaged(text, WINDOWS_1252), WINDOWS_1252);
            assert_eq!(repaired(&twice).as_deref(), Some(text), "twice");
        }
        let cut: String = damaged("Обстріл Миколаєва", WINDOWS_1251).chars().take(18).collect();
        assert_eq!(repaired(&cut).as_deref(), Some("Обстріл М"));
    }

    #[test]
    fn what_is_as_it_should_be_stays() {
        for text in [
            "",
            "plain",
            "été à l’aube, “vite”",
            "Обстріл Миколаєва: є поранені",
            "وقف إطلاق النار",
            "Ünal Çeviköz",
            "São Tomé: ÂNGELO",
            "停火协议",
            "20 °C – 5 £ • “x”",
            "ÚŽASNÉ: ŽÁDNÍ MRTVÍ",
            "Сі Цзіньпін прибув",
            "Рі вибухи",
            "پاکستان کا اعلان",
            "اک",
            "Ο στρατός ανακοίνωσε",
            "הצבא הודיע",
            "İŞÇİLER GREVDE",
            "ĄŽUOLAS",
        ] {
            assert_eq!(repaired(text), None, "{text}");
        }
    }

    #[test]
    fn a_quotation_mark_that_lost_a_byte_is_one() {
        assert_eq!(repaired("â€œnobodyâ€ was hurt").as_deref(), Some("“nobody” was hurt"));
    }

    #[test]
    fn one_part_of_a_text_is_repaired_alone() {
        let text = "<p>Los niÃ±os</p><p>Café</p>\nLâ€™armÃ©e";
        assert_eq!(repaired(text), None);
        let parts = "<p>Los niños</p><p>Café</p>\nL’armée";
        assert_eq!(repaired_in_parts(text).as_deref(), Some(parts));
        for text in ["<p>Café</p><p>naïve</p>", "Обстріл", "<p>SÃO</p>", ""] {
            assert_eq!(repaired_in_parts(text), None, "{text}");
        }
    }

    #[test]
    fn real_marks_may_stand_beside_damage() {
        assert_eq!(repaired("“cafÃ©”").as_deref(), None);
        assert_eq!(repaired("“ cafÃ© ”").as_deref(), Some("“ café ”"));
    }
}
