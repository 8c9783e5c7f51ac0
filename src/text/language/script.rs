//! Which script a letter is of, and which script a text is written in.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A script, by its ISO 15924 code.
///
/// Kana stands for both of Japan's syllabaries: a text in either is Japanese.
#[derive(Clone, Copy, Debug, Eq, PartialOrd, Ord)]
pub(super) struct Script(pub(super) &'static str);

impl PartialEq for Script {
    /// A code has four letters, which are compared at once: letters are asked for their script by the thousand.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().first_chunk::<4>() == other.0.as_bytes().first_chunk::<4>()
    }
}

pub(super) const LATIN: Script = Script("Latn");
const HAN: Script = Script("Hani");
const KANA: Script = Script("Kana");

/// Blocks of letters. What stands in none of them says nothing about a language.
const BLOCKS: [(u32, u32, &str); 58] = [
    (0x41, 0x24F, "Latn"),
    (0x250, 0x2AF, "Latn"),
    (0x370, 0x3FF, "Grek"),
    (0x400, 0x52F, "Cyrl"),
    (0x530, 0x58F, "Armn"),
    (0x590, 0x5FF, "Hebr"),
    (0x600, 0x6FF, "Arab"),
    (0x700, 0x74F, "Syrc"),
    (0x750, 0x77F, "Arab"),
    (0x780, 0x7BF, "Thaa"),
    (0x7C0, 0x7FF, "Nkoo"),
    (0x870, 0x8FF, "Arab"),
    (0x900, 0x97F, "Deva"),
    (0x980, 0x9FF, "Beng"),
    (0xA00, 0xA7F, "Guru"),
    (0xA80, 0xAFF, "Gujr"),
    (0xB00, 0xB7F, "Orya"),
    (0xB80, 0xBFF, "Taml"),
    (0xC00, 0xC7F, "Telu"),
    (0xC80, 0xCFF, "Knda"),
    (0xD00, 0xD7F, "Mlym"),
    (0xD80, 0xDFF, "Sinh"),
    (0xE00, 0xE7F, "Thai"),
    (0xE80, 0xEFF, "Laoo"),
    (0xF00, 0xFFF, "Tibt"),
    (0x1000, 0x109F, "Mymr"),
    (0x10A0, 0x10FF, "Geor"),
    (0x1100, 0x11FF, "Hang"),
    (0x1200, 0x139F, "Ethi"),
    (0x13A0, 0x13FF, "Cher"),
    (0x1780, 0x17FF, "Khmr"),
    (0x1800, 0x18AF, "Mong"),
    (0x1C80, 0x1C8F, "Cyrl"),
    (0x1C90, 0x1CBF, "Geor"),
    (0x1E00, 0x1EFF, "Latn"),
    (0x1F00, 0x1FFF, "Grek"),
    (0x2C60, 0x2C7F, "Latn"),
    (0x2D00, 0x2D2F, "Geor"),
    (0x2D30, 0x2D7F, "Tfng"),
    (0x2D80, 0x2DDF, "Ethi"),
    (0x3040, 0x30FF, "Kana"),
    (0x3130, 0x318F, "Hang"),
    (0x31F0, 0x31FF, "Kana"),
    (0x3400, 0x4DBF, "Hani"),
    (0x4E00, 0x9FFF, "Hani"),
    (0xA640, 0xA69F, "Cyrl"),
    (0xA720, 0xA7FF, "Latn"),
    (0xA8E0, 0xA8FF, "Deva"),
    (0xA9E0, 0xA9FF, "Mymr"),
    (0xAA60, 0xAA7F, "Mymr"),
    (0xAB00, 0xAB2F, "Ethi"),
    (0xAC00, 0xD7FF, "Hang"),
    (0xF900, 0xFAFF, "Hani"),
    (0xFB1D, 0xFB4F, "Hebr"),
    (0xFB50, 0xFDFF, "Arab"),
    (0xFE70, 0xFEFC, "Arab"),
    (0xFF66, 0xFF9F, "Kana"),
    (0x20000, 0x323AF, "Hani"),
];

/// The part of a Japanese text that is kana at least, in hundredths: whole headlines of Han
/// characters alone are rare, and a Chinese text holds none but in names of brands.
const KANA_PERCENT_MIN: usize = 8;

/// How many letters of an alphabet a syllable or Han character stands for, in tenths.
const SYLLABLE_TENTHS: usize = 25;

/// The script of a letter.
pub(super) fn script_of(c: char) -> Option<Script> {
    if c.is_ascii() {
        return c.is_ascii_alphabetic().then_some(LATIN);
    }
    if !c.is_alphabetic() {
        return None;
    }
    let code = u32::from(c);
    let (_, last, name) = BLOCKS.get(last_block_to(code)?)?;
    (code <= *last).then_some(Script(name))
}

/// The last block that begins at a code or before it, by its place.
fn last_block_to(code: u32) -> Option<usize> {
    /// Of the codes of most letters, `u8::MAX` where there is none.
    static LOW: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let place = |code| searched(code).and_then(|place| u8::try_from(place).ok());
        (0..LOW_CODES).map(|code| place(code).unwrap_or(u8::MAX)).collect()
    });
    /// Those of two bytes of UTF-8, and those of three up to the scripts of India and their neighbours.
    const LOW_CODES: u32 = 0x1400;

    fn searched(code: u32) -> Option<usize> {
        BLOCKS.partition_point(|(first, _, _)| *first <= code).checked_sub(1)
    }

    match usize::try_from(code).ok().and_then(|code| LOW.get(code)) {
        Some(place) => Some(usize::from(*place)),
        None => searched(code),
    }
}

/// The script most of a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) script: Script,
    /// How many letters of an alphabet that is: a Han character counts as two and a half.
    pub(super) letters: usize,
    /// The part of all letters that is, in hundredths.
    pub(super) percent: usize,
}

fn file_run(tenths: &mut BTreeMap<Script, usize>, run: Option<(Script, usize)>) {
    let Some((script, many)) = run else { return };
    let is_syllable = matches!(script.0, "Hani" | "Kana" | "Hang");
    *tenths.entry(script).or_default() += many * if is_syllable { SYLLABLE_TENTHS } else { 10 };
}

/// `None` for a text without letters.
pub(super) fn written_in(text: &str) -> Option<Written> {
    let mut tenths: BTreeMap<Script, usize> = BTreeMap::new();
    // Letters of one script mostly follow each other: a run is filed at once.
    let mut run: Option<(Script, usize)> = None;
    for script in text.chars().filter_map(script_of) {
        run = match run {
            Some((same, many)) if same == script => Some((same, many + 1)),
            ended => {
                file_run(&mut tenths, ended);
                Some((script, 1))
            }
        };
    }
    file_run(&mut tenths, run);
    let kana = tenths.remove(&KANA).unwrap_or(0);
    if kana > 0 {
        let both = kana + tenths.remove(&HAN).unwrap_or(0);
        let is_japanese = kana * 100 >= both * KANA_PERCENT_MIN;
        tenths.insert(if is_japanese { KANA } else { HAN }, both);
    }
    let all: usize = tenths.values().sum();
    let (script, most) = tenths.into_iter().max_by_key(|(_, many)| *many)?;
    Some(Written { script, letters: most / 10, percent: most * 100 / all })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, script: Option<&'static str>) {
        assert_eq!(written_in(text).map(|written| written.script.0), script, "{text}");
    }

    #[test]
    fn blocks_are_in_order_and_apart() {
        assert!(BLOCKS.windows(2).all(|pair| pair[0].1 < pair[1].0));
        assert!(BLOCKS.iter().all(|(first, last, _)| first <= last));
    }

    #[test]
    fn every_letter_is_of_the_block_it_stands_in() {
        for c in ('\0'..=char::MAX).filter(|c| c.is_alphabetic()) {
            let code = u32::from(c);
            let block = BLOCKS.iter().find(|(first, last, _)| (*first..=*last).contains(&code));
            assert_eq!(script_of(c).map(|script| script.0), block.map(|block| block.2), "{c:?}");
        }
    }

    #[test]
    fn a_text_is_written_in_the_script_of_most_of_it() {
        check("Truce holds", Some("Latn"));
        check("Путин выступил на CNN", Some("Cyrl"));
        check("格林沃尔德（Glenn Greenwald）在德国获奖", Some("Hani"));
        check("停戦が発効した", Some("Kana"));
        check("ユーチューブ", Some("Kana"));
        check("휴전 협정", Some("Hang"));
        check("ଓଡ଼ିଆ", Some("Orya"));
        check("12.5 % – 🙂", None);
        check("", None);
    }
}
