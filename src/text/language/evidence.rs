//! What a text itself says about its language: script, common words, letters, and trigrams.
//!
//! Trigrams alone (whatlang's, after Cavnar and Trenkle, 1994) take one in ten headlines for another
//! language, and give each text to one of the languages they know. The common words of a
//! language, counted, are sure of a few words more often, and say when nothing is known. Each
//! kind of evidence adds to one score a language, in words: a word that only one language has is 1.

use std::collections::HashMap;

use super::known::{KNOWN, Place};
use super::script::{Script, Written, script_of, written_in};
use crate::lower::lower;

/// How often one word of a text counts.
const WORD_REPEATS_MAX: u32 = 2;

/// How many of a language's own letters count, each as a word.
const LETTERS_MAX: usize = 3;

/// What an ending that few other languages have counts, what a word counts against a language that lacks one of its
/// letters, and how many of each count.
const ENDING_SCORE: f64 = 0.7;
const LACKED_SCORE: f64 = 0.75;
const FORMS_MAX: usize = 4;

/// What trigrams count at most, in words.
const TRIGRAMS_SCORE: f64 = 2.0;

/// The fewest letters, and the part of all letters (hundredths), of a text that is sure.
const SURE_LETTERS_MIN: usize = 10;
const SURE_SCRIPT_PERCENT_MIN: usize = 60;

/// The least score that is sure, its least distance from the next, and the part of it that is.
const SURE_SCORE_MIN: f64 = 2.5;
const SURE_LEAD_MIN: f64 = 1.0;
const SURE_LEAD_PART_MIN: f64 = 0.25;

/// The least part of a text's words that are common ones: in any language it is a third in running
/// text and half of that in headlines. Less of them with a clear lead, or very few, is chance:
/// the text is in a language not known here.
const SURE_COMMON_PART_MIN: f64 = 0.15;
const CLEAR_LEAD: f64 = 2.5;
const CLEAR_COMMON_PART_MIN: f64 = 0.10;

/// The fewest words in lower case that speak against a language, the shortest that count, and the
/// part of all such words (hundredths). What begins with a capital letter may be a name.
const UNLIKE_WORDS_MIN: usize = 3;
const UNLIKE_LETTERS_MIN: usize = 4;
const UNLIKE_PERCENT_MIN: usize = 50;

/// What a text says about its language.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// What it is written in, if there are letters.
    pub(super) written: Option<Written>,
    /// At each language's place; none for those that the text cannot be in by its script.
    scores: Vec<Option<f64>>,
    /// Of all words; those that are common, at each language's place.
    words: usize,
    common: Vec<usize>,
    /// The text without addresses.
    sample: String,
}

/// The language with the best score.
#[derive(Clone, Copy, Debug)]
pub(super) struct Best {
    pub(super) place: Place,
    pub(super) score: f64,
    /// Before the next.
    pub(super) lead: f64,
}

impl Evidence {
    /// Reads a text, which the caller has cut.
    pub(super) fn of(text: &str) -> Self {
        let sample = without_addresses(text);
        let Some(written) = written_in(&sample) else { return Self::default() };
        let mut evidence = Self {
            written: Some(written),
            scores: KNOWN.each(None),
            words: 0,
            common: KNOWN.each(0),
            sample,
        };
        let candidates = KNOWN.of_script(written.script);
        if let [only] = candidates {
            evidence.vote(*only, SURE_SCORE_MIN);
            return evidence;
        }
        for place in candidates {
            evidence.vote(*place, 0.0);
        }
        let lower = lower(&evidence.sample);
        evidence.count_words(&lower, written.script);
        evidence.find_letters(&lower);
        evidence
    }

    /// The score of a language that the text can be in.
    fn score(&mut self, place: Place) -> Option<&mut f64> {
        self.scores.get_mut(place.0)?.as_mut()
    }

    fn count_words(&mut self, lower: &str, script: Script) {
        let mut counts: HashMap<&str, u32> = HashMap::new();
        for word in words(lower).filter(|word| word.chars().any(|c| script_of(c) == Some(script))) {
            self.words += 1;
            let languages = KNOWN.with_word(word);
            if languages.is_empty() {
                continue;
            }
            let times = counts.entry(word).or_default();
            *times += 1;
            // A word of many languages says less of each.
            let score = if *times > WORD_REPEATS_MAX { 0.0 } else { rarity(languages.len()) };
            for place in languages {
                if let Some(own) = self.score(*place) {
                    *own += score;
                }
                if let Some(common) = self.common.get_mut(place.0) {
                    *common += 1;
                }
            }
        }
    }

    fn find_letters(&mut self, lower: &str) {
        let mut letters: Vec<char> = lower.chars().filter(|c| !c.is_ascii()).collect();
        letters.sort_unstable();
        letters.dedup();
        let mut found = KNOWN.each(0);
        for place in letters.into_iter().flat_map(|letter| KNOWN.with_letter(letter)) {
            let Some(times) = found.get_mut(place.0) else { continue };
            *times += 1;
            if let Some(own) = self.score(*place).filter(|_| *times <= LETTERS_MAX) {
                *own += 1.0;
            }
        }
    }

    /// Adds what costs more: what the forms of words say, and trigrams.
    pub(super) fn look_closer(&mut self) {
        self.look_at_forms();
        self.ask_trigrams();
    }

    /// Adds what words say by their endings, and against languages that lack their letters.
    fn look_at_forms(&mut self) {
        let sample = std::mem::take(&mut self.sample);
        let mut endings = KNOWN.each(0);
        let mut lacked = KNOWN.each(0);
        for word in words(&sample) {
            let lower = word.to_lowercase();
            let mut met: Vec<Place> = Vec::new();
            for places in KNOWN.with_ending_of(&lower) {
                for place in places {
                    // A longer ending of the same word says no more, nor does one of a common word.
                    if !met.contains(place) && !KNOWN.with_word(&lower).contains(place) {
                        met.push(*place);
                        self.count_form(&mut endings, *place, ENDING_SCORE * rarity(places.len()));
                        if let Some(common) = self.common.get_mut(place.0) {
                            *common += 1;
                        }
                    }
                }
            }
            // A word with a capital may be a foreign name.
            if word.chars().any(char::is_uppercase) {
                continue;
            }
            let mut met: Vec<Place> = Vec::new();
            for place in lower.chars().flat_map(|letter| KNOWN.without_letter(letter)) {
                if !met.contains(place) {
                    met.push(*place);
                    self.count_form(&mut lacked, *place, -LACKED_SCORE);
                }
            }
        }
        self.sample = sample;
    }

    /// Adds to the score of a language, unless that was done often enough.
    fn count_form(&mut self, counts: &mut [usize], place: Place, score: f64) {
        let Some(times) = counts.get_mut(place.0).filter(|times| **times < FORMS_MAX) else {
            return;
        };
        if let Some(own) = self.score(place) {
            *times += 1;
            *own += score;
        }
    }

    /// Adds what trigrams say, which costs ten times as much as the rest.
    fn ask_trigrams(&mut self) {
        let Some(info) = whatlang::detect(&self.sample) else { return };
        let Some(tag) = KNOWN.primary(info.lang().code()) else { return };
        let score = info.confidence() * TRIGRAMS_SCORE;
        for place in KNOWN.may_be_called(tag) {
            if let Some(own) = self.score(place) {
                *own += score;
            }
        }
    }

    /// Adds what somebody says of the text, whatever its script.
    pub(super) fn vote(&mut self, place: Place, score: f64) {
        if let Some(own) = self.scores.get_mut(place.0) {
            *own = Some(own.unwrap_or(0.0) + score);
        }
    }

    /// Whether the text looks as none in that language does.
    pub(super) fn is_unlike(&self, place: Place) -> bool {
        let Some(language) = KNOWN.get(place) else { return false };
        let (mut counted, mut unlike) = (0, 0);
        for word in words(&self.sample) {
            let is_lower = word.chars().all(|c| !c.is_uppercase());
            let is_own = KNOWN.with_word(word).contains(&place);
            if !is_lower || is_own || word.chars().count() < UNLIKE_LETTERS_MIN {
                continue;
            }
            counted += 1;
            let is_foreign = |c: char| {
                let owners = KNOWN.with_letter(c);
                !owners.is_empty() && !owners.contains(&place)
            };
            if language.has_no_word_like(word) || word.chars().any(is_foreign) {
                unlike += 1;
            }
        }
        unlike >= UNLIKE_WORDS_MIN && unlike * 100 >= counted * UNLIKE_PERCENT_MIN
    }

    /// The best language, if any has a score.
    pub(super) fn best(&self) -> Option<Best> {
        let mut best: Option<Best> = None;
        for (at, score) in self.scores.iter().enumerate() {
            let Some(score) = *score else { continue };
            best = Some(match best {
                Some(best) if score <= best.score => {
                    Best { lead: best.lead.min(best.score - score), ..best }
                }
                Some(Best { score: next, .. }) => {
                    Best { place: Place(at), score, lead: score - next }
                }
                None => Best { place: Place(at), score, lead: score },
            });
        }
        best.filter(|best| best.score > 0.0)
    }

    /// The best language with its lead before the next that is not as good as the same: what a text alone does not tell
    /// apart, as Croatian and Serbian.
    pub(super) fn best_of_kin(&self) -> Option<Best> {
        let best = self.best().filter(|best| best.lead > 0.0)?;
        let own = KNOWN.get(best.place)?;
        let is_kin = |at: usize| {
            let other = KNOWN.get(Place(at));
            other.is_some_and(|other| own.may_be_called(&other.tag))
        };
        let others = self.scores.iter().enumerate().filter(|(at, _)| !is_kin(*at));
        let next = others.filter_map(|(_, score)| *score).fold(0.0, f64::max);
        Some(Best { lead: best.score - next, ..best })
    }

    /// The language of the text if the text leaves no doubt.
    pub(super) fn sure(&self) -> Option<Place> {
        let written = self.written?;
        let is_enough =
            written.letters >= SURE_LETTERS_MIN && written.percent >= SURE_SCRIPT_PERCENT_MIN;
        let best = self.best()?;
        let is_ahead = best.score >= SURE_SCORE_MIN
            && best.lead >= SURE_LEAD_MIN
            && best.lead >= best.score * SURE_LEAD_PART_MIN;
        (is_enough && is_ahead && self.is_running_text(best)).then_some(best.place)
    }

    /// Whether enough of the words are common ones of the language.
    fn is_running_text(&self, best: Best) -> bool {
        if !KNOWN.get(best.place).is_some_and(|language| language.has_words) {
            return true;
        }
        let part_min =
            if best.lead >= CLEAR_LEAD { CLEAR_COMMON_PART_MIN } else { SURE_COMMON_PART_MIN };
        let common = self.common.get(best.place.0).copied().unwrap_or(0);
        // Neither count comes near 2^52.
        #[expect(clippy::cast_precision_loss, reason = "both are at most the sample's length")]
        let is_enough = common as f64 >= self.words as f64 * part_min;
        is_enough
    }
}

/// What a word says of each language that has it.
fn rarity(languages: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most the number of languages")]
    let languages = languages.max(1) as f64;
    languages.sqrt().recip()
}

/// A text without what is in no language: addresses, sites, handles and hashtags.
fn without_addresses(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for word in text.split_whitespace().filter(|word| !is_address(word)) {
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.push_str(word);
    }
    kept
}

fn is_address(word: &str) -> bool {
    // Every address has one of them, and few words do.
    if !word.bytes().any(|byte| matches!(byte, b'#' | b'@' | b':' | b'.')) {
        return false;
    }
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '@' | '#'));
    word.starts_with('#') || word.contains('@') || word.contains("://") || is_site(word)
}

/// "bbc.co.uk", "www.example.org/a"; not "U.S." and not "end.Next", where a space is missing.
fn is_site(word: &str) -> bool {
    let host = word.split('/').next().unwrap_or_default();
    let Some((name, top)) = host.rsplit_once('.') else { return false };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let is_top = top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_lowercase());
    is_top && name.len() >= 2 && name.chars().all(is_name)
}

/// Runs of letters and their marks, in lower case.
pub(super) fn words(lower: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| match c.is_ascii() {
        true => c.is_ascii_alphabetic(),
        false => c.is_alphabetic() || is_mark(c),
    };
    lower.split(move |c: char| !is_part(c)).filter(|word| !word.is_empty())
}

/// Marks that belong to a letter before them, such as the signs that kill a vowel in Indian scripts.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}
