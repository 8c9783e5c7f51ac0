//! Which places a text names, and where on the map they are.
//!
//! [`Places::find`] is a pure function from the words of an article to its places. The places there are come
//! from `config/places/places.bin`, the words that tell a place from a person, a paper or a government from
//! `config/places/words.toml`: no name and no word of any language stands in this code. A name that
//! nothing speaks for becomes no place.
//!
//! What happened there is for `cw-code` to say. Read `gazetteer` first, then `mentions`, `roles`, `resolve`.
//!
//! | file | part |
//! |---|---|
//! | `gazetteer` | the places there are, by name |
//! | `place`, `text` | what is given back, what is read |
//! | `cues` | the words around a name |
//! | `mentions` | names of places in the text, and which places have them |
//! | `roles` | place, person, paper, government |
//! | `resolve` | which place of that name |
//! | `primary` | where it happened |

mod cues;
mod gazetteer;
mod mentions;
mod place;
mod primary;
mod resolve;
mod roles;
mod text;

#[cfg(test)]
extern crate self as cw_places;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use cues::CuesProblem;
use cues::{AllCues, Cues};
use cw_text::words::Words;
pub use gazetteer::{Gazetteer, GazetteerProblem, PlaceKind};
use gazetteer::{NameHash, PlaceId, Row};
use mentions::Mention;
pub use place::{Found, Government, KnownPlace, Place};
use roles::{Role, Setting};
pub use text::{Text, Token};

/// The built-in cues.
const WORDS: &str = include_str!("../../config/places/words.toml");

/// The decimal logarithm of how many live in a city that most people have heard of.
const LARGE: f64 = 5.0;

/// Finds places, by one gazetteer and one file of cues.
#[derive(Debug)]
pub struct Places {
    gazetteer: Gazetteer,
    cues: AllCues,
}

impl Places {
    /// With what is built in.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn built_in() -> Self {
        #[expect(clippy::expect_used, reason = "what is built in is read by a test")]
        Self::new(Gazetteer::built_in(), WORDS).expect("the built-in words are in order")
    }

    /// With a gazetteer and the text of a `words.toml`.
    ///
    /// # Errors
    /// [`CuesProblem`] if the text is none.
    pub fn new(gazetteer: Gazetteer, words: &str) -> Result<Self, CuesProblem> {
        Ok(Self { gazetteer, cues: AllCues::read(words)? })
    }

    /// Every place that has this name, the largest first, however it is written.
    pub fn named(&self, name: &str) -> Vec<KnownPlace> {
        let mut words = Words::new(name);
        let Some(first) = words.next() else { return Vec::new() };
        let hash = words.fold(NameHash::of(&first.plain), |hash, word| hash.and(&word.plain));
        let mut found = Vec::new();
        self.gazetteer.look_up(hash, &mut found);
        let place = |place| Some(self.known(place, &self.gazetteer.row(place)?));
        found.into_iter().filter_map(|name| place(name.place)).collect()
    }

    /// Countries and regions, and cities of a hundred thousand and more.
    pub fn well_known(&self) -> impl Iterator<Item = KnownPlace> {
        let all = (0..u32::try_from(self.gazetteer.len()).unwrap_or(u32::MAX)).map(PlaceId);
        all.filter_map(|place| {
            let row = self.gazetteer.row(place)?;
            let is_large = row.kind != PlaceKind::City || row.size >= LARGE;
            is_large.then(|| self.known(place, &row))
        })
    }

    fn known(&self, place: PlaceId, row: &Row) -> KnownPlace {
        let country = row.country.map(|country| self.gazetteer.code(country));
        let name = self.gazetteer.name(place);
        KnownPlace { name, geonames_id: row.geonames_id, country, kind: row.kind }
    }

    /// The places of an article.
    pub fn find(&self, text: &Text<'_>) -> Found {
        self.seek(text).pinned(text.evidence)
    }

    /// The same before it is known what the event's evidence is, which only says which place is the primary one.
    pub fn seek<'a>(&'a self, text: &Text<'a>) -> Sought<'a> {
        let cues = self.cues.of(text.language);
        let mentions = mentions::mentions(&self.gazetteer, cues, text);
        if mentions.is_empty() {
            let (settings, ids, found) = (Vec::new(), Vec::new(), Found::default());
            return Sought { cues, text: *text, mentions, settings, ids, found };
        }
        let class_of = |word: &str| cues.class(self.gazetteer.class(NameHash::of(word)));
        let settings = roles::settings(cues, text, &mentions, class_of);
        let resolved = resolve::resolve(&self.gazetteer, text, &mentions, &settings);
        let mut found = Found::default();
        let mut ids = Vec::new();
        let all = mentions.iter().zip(&settings).zip(&resolved);
        for ((mention, setting), resolved) in all {
            let Some(resolved) = resolved else { continue };
            let country = resolved.row.country.map(|country| self.gazetteer.code(country));
            let span = mention.tokens.clone();
            if setting.role == Role::Government {
                found.governments.extend(country.map(|country| Government { country, span }));
                continue;
            }
            if let Some(at) = ids.iter().position(|id| *id == resolved.id) {
                if let Some(place) = found.places.get_mut(at) {
                    place.mentions += 1;
                    place.spans.push(span);
                }
                continue;
            }
            ids.push(resolved.id);
            found.places.push(Place {
                name: self.gazetteer.name(resolved.id),
                geonames_id: resolved.row.geonames_id,
                country,
                lat: resolved.row.lat,
                lon: resolved.row.lon,
                kind: resolved.row.kind,
                mentions: 1,
                primary: false,
                spans: vec![span],
            });
        }
        let ids = resolved.iter().map(|resolved| resolved.map(|resolved| resolved.id)).collect();
        Sought { cues, text: *text, mentions, settings, ids, found }
    }
}

/// The places of an article, none of them the primary one yet.
#[derive(Debug)]
pub struct Sought<'a> {
    cues: &'a Cues,
    text: Text<'a>,
    mentions: Vec<Mention>,
    settings: Vec<Setting>,
    ids: Vec<Option<PlaceId>>,
    found: Found,
}

impl Sought<'_> {
    /// What there is.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// With the place where it happened; `evidence`: what the tags rest on, as tokens.
    pub fn pinned(mut self, evidence: &[Range<usize>]) -> Found {
        let text = Text { evidence, ..self.text };
        let Self { cues, mentions, settings, ids, found, .. } = &self;
        let primary = primary::primary(cues, &text, mentions, settings, ids, &found.places);
        if let Some(place) = primary.and_then(|at| self.found.places.get_mut(at)) {
            place.primary = true;
        }
        self.found
    }
}
