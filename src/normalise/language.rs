//! Which language an article is in: whom to believe.
//!
//! The entry's word, then the configuration's, then the document's, each only if the text is in a
//! script that the language is written in; then what the text looks like, if there is enough of it.

use whatlang::{Lang, Script};

/// The fewest letters of a text whose language is guessed.
const DETECT_CHARS_MIN: usize = 40;

/// The fewest letters that can contradict a declaration.
const CONTRADICT_CHARS_MIN: usize = 20;

/// How much of a text is looked at; more says nothing new.
const SAMPLE_CHARS: usize = 2000;

/// The language of a text by the first declaration it does not contradict, else by the text.
pub fn language<'a>(declared: impl IntoIterator<Item = &'a str>, text: &str) -> Option<String> {
    let sample: String = text.chars().take(SAMPLE_CHARS).collect();
    let letters = sample.chars().filter(|c| c.is_alphabetic()).count();
    let script = whatlang::detect_script(&sample).filter(|_| letters >= CONTRADICT_CHARS_MIN);
    let mut tags = declared.into_iter().filter_map(tag);
    tags.find(|tag| is_written_in(tag, script)).or_else(|| {
        let info = whatlang::detect(&sample)?;
        let is_enough = letters >= DETECT_CHARS_MIN && info.is_reliable();
        is_enough.then(|| short_code(info.lang()).to_owned())
    })
}

/// A BCP 47 tag in its usual case, from what publishers write: `en-us`, `ru_RU`, `eng`.
pub fn tag(text: &str) -> Option<String> {
    let text = text.trim();
    let mut subtags = text.split(['-', '_']);
    let primary = subtags.next()?.to_ascii_lowercase();
    let is_primary =
        matches!(primary.len(), 2 | 3) && primary.bytes().all(|byte| byte.is_ascii_lowercase());
    if !is_primary || text.len() > 35 {
        return None;
    }
    let mut tag = usual_primary(&primary).to_owned();
    for subtag in subtags {
        let is_subtag = matches!(subtag.len(), 1..=8)
            && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_subtag {
            break;
        }
        tag.push('-');
        match subtag.len() {
            // The country's code is GB, whatever its people say.
            2 if subtag.eq_ignore_ascii_case("uk") => tag.push_str("GB"),
            2 => tag.push_str(&subtag.to_ascii_uppercase()),
            4 if subtag.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                let (first, rest) = subtag.split_at(1);
                tag.push_str(&first.to_ascii_uppercase());
                tag.push_str(&rest.to_ascii_lowercase());
            }
            _ => tag.push_str(&subtag.to_ascii_lowercase()),
        }
    }
    Some(tag)
}

/// Three letters where two are usual, codes withdrawn, and countries taken for languages.
fn usual_primary(primary: &str) -> &str {
    match primary {
        "eng" => "en",
        "rus" => "ru",
        "ukr" | "ua" => "uk",
        "ara" => "ar",
        "fas" | "per" => "fa",
        "fra" | "fre" => "fr",
        "deu" | "ger" => "de",
        "spa" => "es",
        "por" => "pt",
        "ita" => "it",
        "tur" => "tr",
        "zho" | "chi" | "cn" => "zh",
        "jpn" | "jp" => "ja",
        "kor" => "ko",
        "heb" | "iw" => "he",
        "ind" | "in" => "id",
        "ji" => "yi",
        "cz" => "cs",
        "gr" => "el",
        other => other,
    }
}

/// Whether a language is written in a script. Unknown languages and scripts may be.
fn is_written_in(tag: &str, script: Option<Script>) -> bool {
    let Some(script) = script else { return true };
    // A tag may name its script ("sr-Latn"); then whoever wrote it knows.
    if tag.split('-').skip(1).any(|subtag| subtag.len() == 4) {
        return true;
    }
    let primary = tag.split('-').next().unwrap_or_default();
    match primary {
        "ru" | "uk" | "be" | "bg" | "mk" | "ky" | "tg" | "mn" | "ab" | "os" | "ce" => {
            script == Script::Cyrillic
        }
        "sr" | "kk" | "uz" | "az" | "bs" | "tt" | "crh" => {
            matches!(script, Script::Cyrillic | Script::Latin | Script::Arabic)
        }
        "ar" | "fa" | "ps" | "ur" | "ug" | "sd" | "ckb" | "prs" => script == Script::Arabic,
        "ku" => matches!(script, Script::Arabic | Script::Latin | Script::Cyrillic),
        "he" | "yi" => script == Script::Hebrew,
        "hi" | "ne" | "mr" => script == Script::Devanagari,
        "bn" | "as" => script == Script::Bengali,
        "zh" => script == Script::Mandarin,
        "ja" => matches!(script, Script::Hiragana | Script::Katakana | Script::Mandarin),
        "ko" => matches!(script, Script::Hangul | Script::Mandarin),
        "am" | "ti" => script == Script::Ethiopic,
        "el" => script == Script::Greek,
        "hy" => script == Script::Armenian,
        "ka" => script == Script::Georgian,
        "th" => script == Script::Thai,
        "my" => script == Script::Myanmar,
        "km" => script == Script::Khmer,
        "ta" => script == Script::Tamil,
        "te" => script == Script::Telugu,
        "si" => script == Script::Sinhala,
        "en" | "fr" | "de" | "es" | "pt" | "it" | "nl" | "pl" | "cs" | "sk" | "hu" | "ro"
        | "sv" | "da" | "no" | "nb" | "nn" | "fi" | "et" | "lv" | "lt" | "tr" | "id" | "ms"
        | "vi" | "sw" | "so" | "ha" | "yo" | "ig" | "om" | "rw" | "sq" | "hr" | "sl" | "ca"
        | "eu" | "gl" | "af" | "tl" | "ht" => script == Script::Latin,
        _ => true,
    }
}

/// The shortest code of a language (BCP 47 wants two letters where there are two).
fn short_code(language: Lang) -> &'static str {
    const SHORT: &str = "epo-eo eng-en rus-ru cmn-zh spa-es por-pt ita-it ben-bn fra-fr deu-de ukr-uk kat-ka \
        ara-ar hin-hi jpn-ja heb-he yid-yi pol-pl amh-am jav-jv kor-ko nob-nb dan-da swe-sv \
        fin-fi tur-tr nld-nl hun-hu ces-cs ell-el bul-bg bel-be mar-mr kan-kn ron-ro slv-sl \
        hrv-hr srp-sr mkd-mk lit-lt lav-lv est-et tam-ta vie-vi urd-ur tha-th guj-gu uzb-uz \
        pan-pa aze-az ind-id tel-te pes-fa mal-ml ori-or mya-my nep-ne sin-si khm-km tuk-tk \
        aka-ak zul-zu sna-sn afr-af lat-la slk-sk cat-ca hye-hy";
    let code = language.code();
    let mut pairs = SHORT.split(' ').filter_map(|pair| pair.split_once('-'));
    pairs.find(|(long, _)| *long == code).map_or(code, |(_, short)| short)
}
