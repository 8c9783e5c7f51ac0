//! Repairs text whose UTF-8 a publisher read as a code page and wrote again: `army’s` that came as `armyâ€™s`.

use encoding_rs::{Encoding, WINDOWS_1251, WINDOWS_1252};

/// The code pages that publishers take UTF-8 for.
const PAGES: [&Encoding; 2] = [WINDOWS_1252, WINDOWS_1251];

/// The closing quotation mark without its last byte, for which windows-1252 has no character.
const QUOTE_WITHOUT_END: [u8; 2] = [0xE2, 0x80];

/// What the text was before. `None` if it shows no such damage.
///
/// Each run of characters beyond ASCII must come to UTF-8 in one code page, as chance hardly ever does; signs
/// that begin no character of UTF-8 there, such as real quotation marks, may stand beside them. A text that
/// was cut in the middle of a character loses that one.
pub(super) fn repaired(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    PAGES
        .iter()
        .filter(|page| may_be_damaged(text, page))
        .find_map(|page| repaired_from(text, page))
}

/// Whether some character could begin one of UTF-8 in the code page, and another stands behind it: a look that costs
/// little, for most texts are as they should be.
fn may_be_damaged(text: &str, page: &'static Encoding) -> bool {
    let is_lead = |c: char| match page == WINDOWS_1252 {
        true => matches!(c, '\u{C2}'..='\u{F4}'),
        false => matches!(c, '\u{400}'..='\u{45F}'),
    };
    let mut before = ' ';
    text.chars().any(|c| {
        let is_pair = !c.is_ascii() && is_lead(before);
        before = c;
        is_pair
    })
}

fn repaired_from(text: &str, page: &'static Encoding) -> Option<String> {
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_damaged = false;
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
                is_damaged = true;
                repaired.push_str(&whole);
            }
            None if begins_nothing(run, page) => repaired.push_str(run),
            _ => return None,
        }
    }
    is_damaged.then_some(repaired)
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
                if had_errors {
                    return None;
                }
                bytes.extend_from_slice(&encoded);
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
            byte => {
                let (read, _) = page.decode_without_bom_handling(std::slice::from_ref(&byte));
                read.chars().next().filter(|c| *c != '\u{FFFD}').unwrap_or(char::from(byte))
            }
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
                assert_eq!(repaired(&damaged(text, page)).as_deref(), Some(text), "{text}");
            }
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
        ] {
            assert_eq!(repaired(text), None, "{text}");
        }
    }

    #[test]
    fn a_quotation_mark_that_lost_a_byte_is_one() {
        assert_eq!(repaired("â€œnobodyâ€ was hurt").as_deref(), Some("“nobody” was hurt"));
    }

    #[test]
    fn real_marks_may_stand_beside_damage() {
        assert_eq!(repaired("“cafÃ©”").as_deref(), None);
        assert_eq!(repaired("“ cafÃ© ”").as_deref(), Some("“ café ”"));
    }
}
