//! What the coder is made of, as written, and what is wrong with it.

use std::collections::BTreeMap;

/// A mistake in a taxonomy, a lexicon or a dictionary of actors.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub struct LexiconProblem {
    /// Which file, as the caller named it.
    pub file: String,
    /// The line in it, from 1; `None` if the file as a whole is wrong.
    pub line: Option<usize>,
    /// What is wrong, what is allowed.
    pub detail: String,
}

impl std::fmt::Display for LexiconProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, line, detail } = self;
        match line {
            Some(line) => write!(f, "{file}:{line}: {detail}"),
            None => write!(f, "{file}: {detail}"),
        }
    }
}

/// A file's name, for problems, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name or path.
    pub name: String,
    /// TOML.
    pub text: String,
}

/// How the names of built-in files begin.
const BUILT_IN: &str = "built-in ";

impl Source {
    /// A problem of the file as a whole.
    pub(super) fn problem(&self, detail: &str) -> LexiconProblem {
        let detail = detail.trim_end().to_owned();
        LexiconProblem { file: self.name.clone(), line: None, detail }
    }

    /// A problem of what stands at a byte of the text.
    pub(super) fn problem_at(&self, at: usize, detail: &str) -> LexiconProblem {
        LexiconProblem { line: Some(self.line(at)), ..self.problem(detail) }
    }

    /// The line, from 1, that a byte of the text stands in.
    pub(super) fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// Whether it comes with the program, maybe changed since.
    pub(super) fn is_built_in(&self) -> bool {
        self.name.starts_with(BUILT_IN)
    }

    /// The language that a lexicon or a dictionary says it is for; `None` if it cannot be read.
    pub fn language(&self) -> Option<String> {
        // Only the head is read: a dictionary may be long.
        let end = self.text.find("\n[").unwrap_or(self.text.len());
        let table: toml::Table = self.text.get(..end)?.parse().ok()?;
        table.get("language")?.as_str().map(str::to_owned)
    }
}

/// The model of relevance for a language; `None` if there is none.
pub(super) fn gate(language: &str) -> Option<&'static [u8]> {
    built_in::GATES.iter().find(|(known, _bytes)| *known == language).map(|(_known, bytes)| *bytes)
}

/// The word vectors of a language; `None` if there are none.
pub(super) fn vectors(language: &str) -> Option<&'static [u8]> {
    let known = built_in::VECTORS.iter().find(|(known, _bytes)| *known == language);
    known.map(|(_known, bytes)| *bytes)
}

/// The grammar of casualties for a language that comes with the program.
pub(super) fn casualties(language: &str) -> Option<Source> {
    let (_language, text) =
        built_in::CASUALTIES.iter().find(|(known, _text)| *known == language)?;
    let name = format!("{BUILT_IN}lexicon/{language}/casualties.toml");
    Some(Source { name, text: (*text).to_owned() })
}

/// Everything the coder is made of.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The tags there are.
    pub taxonomy: Source,
    /// The rules; the files of one language together are its lexicon.
    pub lexicons: Vec<Source>,
    /// The dictionary of actors; a later file's entry takes the place of an earlier one's of the same id
    /// and language.
    pub actors: Vec<Source>,
}

impl Sources {
    /// What comes with the program: `config/taxonomy.toml`, `config/lexicon` and `config/actors`.
    pub fn built_in() -> Self {
        let source = |(name, text): &(&str, &str)| Source {
            name: format!("{BUILT_IN}{name}"),
            text: (*text).to_owned(),
        };
        Self {
            taxonomy: source(&("taxonomy.toml", include_str!("../../config/taxonomy.toml"))),
            lexicons: built_in::LEXICONS.iter().map(source).collect(),
            actors: built_in::ACTORS.iter().map(source).collect(),
        }
    }

    /// For each language that has a lexicon, what it is made of: its own files, and of the actors also the
    /// English ones, which say what an actor is.
    pub(super) fn by_language(&self) -> BTreeMap<String, Self> {
        let mut packs: BTreeMap<String, Self> = BTreeMap::new();
        for lexicon in &self.lexicons {
            let language = lexicon.language().unwrap_or_default();
            let pack = packs.entry(language).or_insert_with_key(|language| {
                let is_of = |actors: &&Source| {
                    actors.language().is_none_or(|own| own == *language || own == "en")
                };
                let actors = self.actors.iter().filter(is_of).cloned().collect();
                Self { taxonomy: self.taxonomy.clone(), lexicons: Vec::new(), actors }
            });
            pack.lexicons.push(lexicon.clone());
        }
        packs
    }

    /// Whether all of it comes with the program.
    pub(super) fn are_built_in(&self) -> bool {
        let all = [&self.taxonomy].into_iter().chain(&self.lexicons).chain(&self.actors);
        all.into_iter().all(Source::is_built_in)
    }

    /// Puts files of lexicons in the place of those of the same languages.
    pub fn replace_lexicons(&mut self, lexicons: Vec<Source>) {
        let languages: Vec<Option<String>> = lexicons.iter().map(Source::language).collect();
        self.lexicons.retain(|known| !languages.contains(&known.language()));
        self.lexicons.extend(lexicons);
    }
}

/// The files under `config/lexicon` and `config/actors`, listed by `build.rs`: a language or a file
/// more needs no line of code.
mod built_in {
    include!(concat!(env!("OUT_DIR"), "/built_in.rs"));
}
