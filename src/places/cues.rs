//! The words around a name that say what it is: `config/places/words.toml`, whose head describes each list.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use crate::gazetteer::WordClass;

/// The cues of one language.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cues {
    pub(crate) has_own_everyday_words: bool,
    pub(crate) locative: HashSet<String>,
    pub(crate) other_before: HashSet<String>,
    pub(crate) article: HashSet<String>,
    pub(crate) part: HashSet<String>,
    pub(crate) person_before: HashSet<String>,
    pub(crate) person_after: HashSet<String>,
    pub(crate) kind_of: HashSet<String>,
    pub(crate) region_after: HashSet<String>,
    pub(crate) region_before: HashSet<String>,
    pub(crate) no_place_after: HashSet<String>,
    pub(crate) treaty_after: HashSet<String>,
    pub(crate) no_place_before: HashSet<String>,
    pub(crate) government_after: HashSet<String>,
    pub(crate) government_before: HashSet<String>,
    pub(crate) attack_after: HashSet<String>,
    pub(crate) never: HashSet<String>,
    pub(crate) agency: HashSet<String>,
    pub(crate) sport: HashSet<String>,
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
        Ok(Self { by_language: toml::from_str(toml)?, none: Cues::default() })
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
