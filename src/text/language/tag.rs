//! BCP 47 tags, from what publishers write where one should stand.

use cw_model::country;

use super::known::KNOWN;

/// The longest tag that occurs in practice has five parts.
const TAG_BYTES_MAX: usize = 35;

/// A tag in its usual case; `None` if no language is meant.
///
/// `en-us`, `ru_RU`, `eng` and `Deutsch` are understood; `us`, `rss` and `x-default` are no languages.
pub fn tag(text: &str) -> Option<String> {
    // Where several are listed, or a charset is added ("en_US.UTF-8"), the first is meant.
    let first = text.split([',', ';', '/', '.', '@', '|']).next()?.trim();
    let mut subtags = first.split(|c: char| matches!(c, '-' | '_') || c.is_whitespace());
    let written = subtags.next()?.to_lowercase();
    let mut tag = KNOWN.primary(&written)?.to_owned();
    for subtag in subtags {
        let Some(subtag) = usual_case(subtag) else { break };
        if tag.len() + 1 + subtag.len() > TAG_BYTES_MAX {
            break;
        }
        tag.push('-');
        tag.push_str(&subtag);
    }
    Some(tag)
}

/// The primary subtag: "en" of "en-GB".
pub fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

/// The script a tag names: "Latn" of "sr-Latn".
pub(super) fn script(tag: &str) -> Option<&str> {
    let is_script =
        |subtag: &&str| subtag.len() == 4 && subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
    tag.split('-').skip(1).find(is_script)
}

/// `None` for what is no subtag, and for two letters that are no country ("en-EN").
fn usual_case(subtag: &str) -> Option<String> {
    let is_subtag =
        matches!(subtag.len(), 2..=8) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_subtag {
        return None;
    }
    match subtag.len() {
        2 => {
            let upper = subtag.to_ascii_uppercase();
            // The country's code is GB, whatever its people say.
            let code = if upper == "UK" { "GB".to_owned() } else { upper };
            country::is_country(&code).then_some(code)
        }
        4 if subtag.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            let (first, rest) = subtag.split_at_checked(1)?;
            Some(format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase()))
        }
        _ => Some(subtag.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &[&str], expected: Option<&str>) {
        for text in written {
            assert_eq!(tag(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn tags_are_written_as_is_usual() {
        check(&["en", "EN", " en ", "eng", "English", "en-", "en,fr", "en;q=0.9"], Some("en"));
        check(&["en-us", "EN_us", "en_US.UTF-8", "eng-US", "English-US", "en US"], Some("en-US"));
        check(&["en-uk", "en-GB", "EN-gb"], Some("en-GB"));
        check(&["ZH-hans-cn", "cn-Hans-CN", "zho_Hans_CN"], Some("zh-Hans-CN"));
        check(&["es-419"], Some("es-419"));
        check(&["sr-latn"], Some("sr-Latn"));
        check(&["zh-cmn-hans"], Some("zh-cmn-Hans"));
    }

    #[test]
    fn a_subtag_that_is_none_ends_the_tag() {
        check(&["en-EN", "en-xx", "en-!", "en-us1234567", "English (United States)"], Some("en"));
    }

    #[test]
    fn withdrawn_codes_names_and_countries_that_are_no_language_are_understood() {
        for (written, expected) in [
            ("iw", "he"),
            ("in", "id"),
            ("ji", "yi"),
            ("mo", "ro"),
            ("jw", "jv"),
            ("cn", "zh"),
            ("jp", "ja"),
            ("ua", "uk"),
            ("cz", "cs"),
            ("gr", "el"),
            ("dk", "da"),
            ("vn", "vi"),
            ("tgl", "tl"),
            ("fil", "fil"),
            ("per", "fa"),
            ("farsi", "fa"),
            ("Українська", "uk"),
            ("العربية", "ar"),
            ("中文", "zh"),
            ("chi", "zh"),
            ("alb", "sq"),
            ("Bahasa Indonesia", "id"),
            ("no", "no"),
            ("uk", "uk"),
            ("se-SE", "se-SE"),
        ] {
            check(&[written], Some(expected));
        }
    }

    #[test]
    fn what_is_no_language_is_none() {
        check(
            &["us", "US", "gb", "usa", "rss", "xml", "x-default", "und", "mul", "zxx", "root", "c"],
            None,
        );
        check(&["", " ", "-", "en1", "12", "e", "😀"], None);
    }
}
