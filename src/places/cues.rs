//! The words around a name that say what it is: `config/places/words.toml`, whose head describes each list.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use serde::Deserialize;

use crate::gazetteer::WordClass;

/// Words of one list.
pub(crate) type CueWords = HashSet<String, BuildHasherDefault<CueHasher>>;

/// FNV-1a: the lists are ours, so nobody can choose words that collide, and a word is short.
#[derive(Debug)]
pub(crate) struct CueHasher(u64);

impl Default for CueHasher {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for CueHasher {
    fn write(&mut self, bytes: &[u8]) {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        self.0 = bytes.iter().fold(self.0, step);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The cues of one language.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cues {
    pub(crate) has_own_everyday_words: bool,
    pub(crate) locative: CueWords,
    pub(crate) other_before: CueWords,
    pub(crate) article: CueWords,
    pub(crate) part: CueWords,
    pub(crate) person_before: CueWords,
    pub(crate) person_after: CueWords,
    pub(crate) kind_of: CueWords,
    pub(crate) region_after: CueWords,
    pub(crate) region_before: CueWords,
    pub(crate) no_place_after: CueWords,
    pub(crate) treaty_after: CueWords,
    pub(crate) no_place_before: CueWords,
    pub(crate) government_after: CueWords,
    pub(crate) government_before: CueWords,
    pub(crate) attack_after: CueWords,
    pub(crate) and: CueWords,
    pub(crate) acting_after: CueWords,
    pub(crate) clause: CueWords,
    pub(crate) talk: CueWords,
    pub(crate) violence: CueWords,
    pub(crate) never: CueWords,
    /// The first words of those.
    #[serde(skip)]
    pub(crate) never_begins: CueWords,
    pub(crate) agency: CueWords,
    pub(crate) sport: CueWords,
}

impl Cues {
    /// Of what class a word is in this language.
    pub(crate) fn class(&self, word: WordClass) -> WordClass {
        if self.has_own_everyday_words { word } else { word.of_any_language() }
    }
}

/// Why a file of cues cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("words of places: {0}")]
pub struct CuesProblem(#[from] toml::de::Error);

/// The cues of every language that has some.
#[derive(Debug)]
pub(crate) struct AllCues {
    by_language: BTreeMap<String, Cues>,
    none: Cues,
}

impl AllCues {
    /// Reads such a file.
    pub(crate) fn read(toml: &str) -> Result<Self, CuesProblem> {
        let mut by_language: BTreeMap<String, Cues> = toml::from_str(toml)?;
        for cues in by_language.values_mut() {
            let firsts = cues.never.iter().filter_map(|name| name.split(' ').next());
            cues.never_begins = firsts.map(str::to_owned).collect();
        }
        Ok(Self { by_language, none: Cues::default() })
    }

    /// Those of a language.
    pub(crate) fn of(&self, language: &str) -> &Cues {
        self.by_language.get(language).unwrap_or(&self.none)
    }
}

#[cfg(test)]
mod tests {
    use cw_text::words::Words;

    use super::*;
    use crate::WORDS;

    #[test]
    fn every_cue_is_in_plain_form() {
        let languages: BTreeMap<String, BTreeMap<String, toml::Value>> =
            toml::from_str(WORDS).unwrap();
        for (list, cues) in languages.values().flatten() {
            let cues = cues.as_array().into_iter().flatten().filter_map(toml::Value::as_str);
            for cue in cues {
                let words: Vec<String> = Words::new(cue).map(|word| word.plain).collect();
                assert_eq!(words.join(" "), cue, "no text has {cue:?}");
                assert!(
                    words.len() == 1 || list == "never",
                    "{list} has {cue:?}: only one word is compared"
                );
            }
        }
    }

    #[test]
    fn an_unknown_list_is_refused() {
        assert!(AllCues::read("[en]\nlocativ = [\"in\"]").is_err());
    }
}
