//! The dictionary of actors: states, forces, armed groups, organisations, and the names that texts in
//! one language have for them.
//!
//! Data (`config/actors/*.toml`), read strictly: unknown keys and kinds, ids and names given twice are
//! problems, and all are reported. A name's case is meant: "Chad" is a state only with a capital,
//! "RSF" a force only in capitals.

use std::collections::{BTreeMap, BTreeSet};

use cw_model::ActorKind;
use cw_text::likeness::hint;
use serde::Deserialize;
use strum::VariantNames as _;
use toml::Spanned;

use super::file::{self, Read};
use super::source::{LexiconProblem, Source};
use super::taxonomy::FORMAT;
use super::term::expand;

/// One entry, whatever the language.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// "state.ua".
    pub(super) id: String,
    /// As published.
    pub(super) name: String,
    /// What sort.
    pub(super) kind: ActorKind,
    /// ISO 3166-1 alpha-2.
    pub(super) country: Option<String>,
    /// Whether it is called by what it is and not by a name: "police", "the governor". Patterns do not speak of it;
    /// it is who says something.
    pub(super) is_unnamed: bool,
}

/// What sort of name it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Its own.
    Name,
    /// "Ukrainian", which goes before a noun.
    Demonym,
    /// A capital or a seat that stands for a government.
    Metonym,
}

/// How it must be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Every letter a capital.
    Capitals,
    /// The first letter a capital, in scripts that have them.
    Capital,
    /// Anyhow.
    Any,
}

/// A name for an entry, in plain form.
#[derive(Clone, Debug)]
pub(super) struct Alias {
    /// Index into [`Dictionary::entries`].
    pub(super) entry: usize,
    pub(super) form: Form,
    pub(super) spelling: Spelling,
    pub(super) phrase: String,
}

/// The actors that texts in one language can name.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    pub(super) entries: Vec<Entry>,
    pub(super) aliases: Vec<Alias>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    format: u32,
    language: String,
    #[serde(default)]
    actor: Vec<Spanned<RawActor>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawActor {
    id: String,
    kind: Option<String>,
    name: Option<String>,
    country: Option<String>,
    #[serde(default)]
    unnamed: bool,
    #[serde(default)]
    names: Vec<Spanned<String>>,
    #[serde(default)]
    demonyms: Vec<Spanned<String>>,
    #[serde(default)]
    metonyms: Vec<Spanned<String>>,
}

/// Every file of every language, checked.
#[derive(Debug, Default)]
pub(super) struct Actors {
    /// By id: kind, name and country as the first file that gives them says.
    entries: BTreeMap<String, Entry>,
    /// By language and id.
    names: BTreeMap<String, BTreeMap<String, Named>>,
    /// What was read, in order.
    sources: Vec<Source>,
}

/// What an entry is called, and where that is written.
#[derive(Debug)]
struct Named {
    actor: RawActor,
    /// Index into `Actors::sources`.
    source: usize,
}

impl Actors {
    /// Reads every file; what could be read comes with what is wrong.
    pub(super) fn read(sources: &[Source]) -> (Self, Vec<LexiconProblem>) {
        let mut actors = Self::default();
        let mut problems = Vec::new();
        // What an entry is called in English is what is published.
        let is_english = |source: &&Source| source.language().as_deref() == Some("en");
        let (english, others): (Vec<_>, Vec<_>) = sources.iter().partition(is_english);
        for source in english.into_iter().chain(others) {
            let Read { raw, problems: mut found } = file::read::<RawFile>(source);
            problems.append(&mut found);
            if let Some(raw) = raw {
                actors.add(raw, source, &mut problems);
            }
        }
        (actors, problems)
    }

    fn add(&mut self, file: RawFile, source: &Source, problems: &mut Vec<LexiconProblem>) {
        if file.format != FORMAT {
            let detail = format!("format: {} is not known; use {FORMAT}", file.format);
            problems.push(source.problem(&detail));
        }
        self.sources.push(source.clone());
        let mut here = BTreeSet::new();
        for actor in file.actor {
            let at = actor.span().start;
            let actor = actor.into_inner();
            let key = format!("actor \"{}\"", actor.id);
            let mut report =
                |detail: &str| problems.push(source.problem_at(at, &format!("{key}: {detail}")));
            if !here.insert(actor.id.clone()) {
                report("is given twice in this file");
                continue;
            }
            let kind = actor.kind.as_deref().map(|name| (name, name.parse::<ActorKind>()));
            let known = self.entries.get(&actor.id);
            match (kind, known) {
                (Some((name, Err(_))), _) => {
                    let kinds = ActorKind::VARIANTS.iter().copied();
                    report(&format!("kind: \"{name}\" is not known{}", hint(name, kinds)));
                    continue;
                }
                (None, None) => {
                    report("give \"kind\" and \"name\": no file before this one has the id");
                    continue;
                }
                (Some((_name, Ok(kind))), None) => {
                    let name = actor.name.clone().unwrap_or_else(|| actor.id.clone());
                    let (id, country) = (actor.id.clone(), actor.country.clone());
                    let is_unnamed = actor.unnamed;
                    let entry = Entry { id: id.clone(), name, kind, country, is_unnamed };
                    self.entries.insert(id, entry);
                }
                (_, Some(_)) => {}
            }
            let of_language = self.names.entry(file.language.clone()).or_default();
            let source = self.sources.len() - 1;
            of_language.insert(actor.id.clone(), Named { actor, source });
        }
    }

    /// The dictionary of a language; `None` if no file names actors in it.
    pub(super) fn dictionary(&self, language: &str) -> Option<(Dictionary, Vec<LexiconProblem>)> {
        let names = self.names.get(language)?;
        let mut dictionary = Dictionary::default();
        let mut problems = Vec::new();
        for (id, Named { actor, source }) in names {
            let Some(entry) = self.entries.get(id) else { continue };
            let index = dictionary.entries.len();
            dictionary.entries.push(entry.clone());
            let forms = [
                (Form::Name, &actor.names),
                (Form::Demonym, &actor.demonyms),
                (Form::Metonym, &actor.metonyms),
            ];
            for (form, written) in
                forms.into_iter().flat_map(|(form, all)| all.iter().map(move |one| (form, one)))
            {
                match expand(written.get_ref()) {
                    Ok(phrases) => dictionary.aliases.extend(phrases.into_iter().map(|phrase| {
                        let spelling = spelling(written.get_ref());
                        Alias { entry: index, form, spelling, phrase }
                    })),
                    Err(error) => problems.extend(self.sources.get(*source).map(|source| {
                        let detail = format!("actor \"{id}\": {error}");
                        source.problem_at(written.span().start, &detail)
                    })),
                }
            }
        }
        Some((dictionary, problems))
    }
}

/// An actor as people may call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownActor {
    /// `group.rapid_support_forces`.
    pub id: String,
    /// The published one first; then its names in every language there is a file of, and a government's seats, in plain form.
    pub names: Vec<String>,
}

/// Everybody in these files; what cannot be read is left out.
pub fn known_actors(sources: &[Source]) -> Vec<KnownActor> {
    let (actors, _problems) = Actors::read(sources);
    let named = |(id, entry): (String, Entry)| {
        let called = actors.names.values().filter_map(|of_language| of_language.get(&id));
        let written =
            called.flat_map(|Named { actor, .. }| actor.names.iter().chain(&actor.metonyms));
        let names = written.flat_map(|name| expand(name.get_ref()).unwrap_or_default());
        KnownActor { names: std::iter::once(entry.name).chain(names).collect(), id }
    };
    actors.entries.clone().into_iter().map(named).collect()
}

/// How a name written so in a file must be written in a text.
fn spelling(written: &str) -> Spelling {
    let letters = || written.chars().filter(|letter| letter.is_alphabetic());
    let is_cased = |letter: char| letter.is_uppercase() || letter.is_lowercase();
    if !letters().next().is_some_and(char::is_uppercase) {
        return Spelling::Any;
    }
    let all = letters().filter(|letter| is_cased(*letter)).all(char::is_uppercase);
    if all && letters().count() > 1 { Spelling::Capitals } else { Spelling::Capital }
}
