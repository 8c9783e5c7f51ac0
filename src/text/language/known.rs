//! The languages there are, and what their texts look like: `languages.toml`, read once.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use super::script::Script;

/// What comes with the program. A test reads it, so that no start can fail on it.
pub(super) static KNOWN: LazyLock<Known> =
    LazyLock::new(|| Known::read(include_str!("languages.toml")).unwrap_or_default());

/// A language that texts can be told to be in, by its place in [`Known`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(pub(super) usize);

/// How long endings are, letters.
const ENDING_CHARS_MIN: usize = 2;
const ENDING_CHARS_MAX: usize = 5;

/// What is known of one language.
#[derive(Debug)]
pub(super) struct Language {
    /// BCP 47 primary subtag.
    pub(super) tag: String,
    scripts: Vec<String>,
    also: Vec<String>,
    /// Whether common words can tell it: not where there are no spaces, or only one language.
    pub(super) has_words: bool,
    unlike: Vec<String>,
}

impl Language {
    /// Whether it is written in this script.
    pub(super) fn uses(&self, script: Script) -> bool {
        self.scripts.iter().any(|own| own == script.0)
    }

    /// Whether a word in lower case has letters that its own words have not.
    pub(super) fn has_no_word_like(&self, word: &str) -> bool {
        self.unlike.iter().any(|group| match group.strip_suffix('$') {
            Some(end) => word.ends_with(end),
            None => word.contains(group.as_str()),
        })
    }

    /// Whether a text in this language may bear a tag with this primary subtag.
    pub(super) fn may_be_called(&self, primary: &str) -> bool {
        self.tag == primary || self.also.iter().any(|also| also == primary)
    }
}

/// Every language.
#[derive(Debug, Default)]
pub(super) struct Known {
    languages: Vec<Language>,
    by_script: HashMap<String, Vec<Place>>,
    by_word: HashMap<String, Vec<Place>>,
    by_letter: HashMap<char, Vec<Place>>,
    by_ending: HashMap<String, Vec<Place>>,
    by_lacked: HashMap<char, Vec<Place>>,
    /// From what is written to a primary subtag.
    primaries: HashMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownFile {
    tags: String,
    long: String,
    language: BTreeMap<String, LanguageTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LanguageTable {
    script: String,
    #[serde(default)]
    names: String,
    #[serde(default)]
    also: String,
    #[serde(default)]
    words: String,
    #[serde(default)]
    letters: String,
    #[serde(default)]
    endings: String,
    #[serde(default)]
    lacks: String,
    #[serde(default)]
    unlike: String,
}

impl Known {
    fn read(text: &str) -> Result<Self, toml::de::Error> {
        let file: KnownFile = toml::from_str(text)?;
        let mut known = Self::default();
        for tag in file.tags.split_whitespace() {
            known.primaries.insert(tag.to_owned(), tag.to_owned());
        }
        for (long, tag) in file.long.split_whitespace().filter_map(|pair| pair.split_once('-')) {
            known.primaries.insert(long.to_owned(), tag.to_owned());
        }
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        for (tag, table) in file.language {
            let place = Place(known.languages.len());
            for name in table.names.split_whitespace() {
                known.primaries.insert(name.to_owned(), tag.clone());
            }
            for word in table.words.split_whitespace() {
                known.by_word.entry(word.to_owned()).or_default().push(place);
            }
            for letter in table.letters.chars().filter(|c| !c.is_whitespace()) {
                known.by_letter.entry(letter).or_default().push(place);
            }
            for ending in table.endings.split_whitespace() {
                known.by_ending.entry(ending.to_owned()).or_default().push(place);
            }
            for letter in table.lacks.chars().filter(|c| !c.is_whitespace()) {
                known.by_lacked.entry(letter).or_default().push(place);
            }
            for script in table.script.split_whitespace() {
                known.by_script.entry(script.to_owned()).or_default().push(place);
            }
            known.languages.push(Language {
                tag,
                scripts: list(&table.script),
                also: list(&table.also),
                has_words: !table.words.trim().is_empty(),
                unlike: list(&table.unlike),
            });
        }
        Ok(known)
    }

    /// The primary subtag for what is written in its place, in lower case.
    pub(super) fn primary(&self, written: &str) -> Option<&str> {
        self.primaries.get(written).map(String::as_str)
    }

    pub(super) fn get(&self, place: Place) -> Option<&Language> {
        self.languages.get(place.0)
    }

    /// Those written in a script.
    pub(super) fn of_script(&self, script: Script) -> &[Place] {
        self.by_script.get(script.0).map(Vec::as_slice).unwrap_or_default()
    }

    /// Those whose texts may bear a tag with this primary subtag.
    pub(super) fn may_be_called(&self, primary: &str) -> impl Iterator<Item = Place> {
        let all = self.languages.iter().enumerate();
        all.filter(move |(_, language)| language.may_be_called(primary)).map(|(at, _)| Place(at))
    }

    /// A value for each language, at its place.
    pub(super) fn each<T: Clone>(&self, value: T) -> Vec<T> {
        vec![value; self.languages.len()]
    }

    /// Those in which a word is common.
    pub(super) fn with_word(&self, word: &str) -> &[Place] {
        self.by_word.get(word).map(Vec::as_slice).unwrap_or_default()
    }

    /// Those with a letter that few others of their script use.
    pub(super) fn with_letter(&self, letter: char) -> &[Place] {
        self.by_letter.get(&letter).map(Vec::as_slice).unwrap_or_default()
    }

    /// Those in which few other words end so, for each ending of a word that leaves a stem.
    pub(super) fn with_ending_of(&self, word: &str) -> impl Iterator<Item = &[Place]> {
        let starts = word.char_indices().rev().map(|(at, _)| at);
        let endings = starts.skip(ENDING_CHARS_MIN - 1).take_while(|at| *at > 0);
        let endings = endings.take(ENDING_CHARS_MAX + 1 - ENDING_CHARS_MIN);
        let endings = endings.filter_map(|at| word.get(at..));
        endings.filter_map(|ending| self.by_ending.get(ending)).map(Vec::as_slice)
    }

    /// Those whose own words do not have a letter.
    pub(super) fn without_letter(&self, letter: char) -> &[Place] {
        self.by_lacked.get(&letter).map(Vec::as_slice).unwrap_or_default()
    }

    /// The one that a declared primary subtag means.
    pub(super) fn called(&self, primary: &str) -> Option<(Place, &Language)> {
        let all = || self.languages.iter().enumerate();
        all()
            .find(|(_, language)| language.tag == primary)
            .or_else(|| all().find(|(_, language)| language.may_be_called(primary)))
            .map(|(place, language)| (Place(place), language))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::evidence::words;

    #[test]
    fn what_comes_with_the_program_reads() {
        let known = Known::read(include_str!("languages.toml")).unwrap();
        for language in &known.languages {
            assert_eq!(known.primary(&language.tag), Some(language.tag.as_str()));
            for also in &language.also {
                assert_eq!(known.primary(also), Some(also.as_str()), "of {}", language.tag);
            }
            assert!(language.scripts.iter().all(|script| script.len() == 4), "{}", language.tag);
        }
        for word in known.by_word.keys() {
            let parts: Vec<&str> = words(word).collect();
            assert_eq!(parts, [word], "a word is letters only, in lower case");
        }
        for (written, primary) in &known.primaries {
            assert_eq!(known.primary(primary), Some(primary.as_str()), "{written}");
            assert_eq!(&written.to_lowercase(), written);
        }
    }

    #[test]
    fn an_ending_is_as_long_as_is_looked_for() {
        for ending in KNOWN.by_ending.keys() {
            let chars = ending.chars().count();
            assert!((ENDING_CHARS_MIN..=ENDING_CHARS_MAX).contains(&chars), "{ending}");
            assert!(KNOWN.with_ending_of(&format!("xx{ending}")).next().is_some(), "{ending}");
            assert!(KNOWN.with_ending_of(ending).all(|places| !places.is_empty()), "{ending}");
        }
    }

    #[test]
    fn no_language_lacks_its_own_letters() {
        for (letter, places) in &KNOWN.by_lacked {
            let owners = KNOWN.with_letter(*letter);
            let both: Vec<_> = places.iter().filter(|place| owners.contains(place)).collect();
            assert!(both.is_empty(), "{letter}: {both:?}");
        }
    }

    #[test]
    fn languages_that_share_a_script_have_words() {
        for language in &KNOWN.languages {
            let Some(script) = language.scripts.first() else { continue };
            let shares =
                KNOWN.languages.iter().filter(|other| other.scripts.first() == Some(script));
            let has_no_spaces = matches!(script.as_str(), "Hani" | "Kana");
            assert!(language.has_words || has_no_spaces || shares.count() == 1, "{}", language.tag);
        }
    }
}
