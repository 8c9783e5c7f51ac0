//! The places of a document: what `cw-places` finds in its words.

use std::ops::Range;

use cw_model::{ActorKind, Place, PlaceKind, Steps, TooCostly};
use cw_places::{Found, Places, Sought, Text, Token};

use super::actors::Form;
use super::lexicon::Lexicon;
use super::names::Mention;
use super::rules::EVIDENCE_MAX;
use super::segment::Document;

/// Steps for each word that is looked at.
const WORD_STEPS: usize = 40;

/// The words of a document as `cw-places` reads them, and what is known of them.
pub(super) struct Words<'a> {
    tokens: Vec<Token<'a>>,
    taken: Vec<Range<usize>>,
    countries: Vec<&'a str>,
    language: &'a str,
    feed_country: Option<&'a str>,
}

impl<'a> Words<'a> {
    /// What there is to look at.
    ///
    /// # Errors
    /// [`TooCostly`] if there are no steps left.
    pub(super) fn new(
        document: &'a Document<'_>,
        mentions: &[Mention],
        lexicon: &'a Lexicon,
        feed_country: Option<&'a str>,
        steps: &Steps,
    ) -> Result<Self, TooCostly> {
        steps.spend(document.tokens.len().saturating_mul(WORD_STEPS))?;
        let mut tokens = Vec::with_capacity(document.tokens.len());
        document.words().for_each(|(plain, written, gap, field, sentence)| {
            tokens.push(Token { plain, written, gap, field, sentence });
        });
        let (mut taken, mut countries) = (Vec::new(), Vec::new());
        for mention in mentions {
            let entry = lexicon.dictionary.as_ref().and_then(|all| all.entries.get(mention.entry));
            let Some(entry) = entry else { continue };
            // That Tripoli may be a government says nothing of which Tripoli it is.
            if mention.form != Form::Metonym {
                countries.extend(entry.country.as_deref());
            }
            // A state or region is a place too.
            if !matches!(entry.kind, ActorKind::State | ActorKind::Region) {
                taken.push(mention.tokens.clone());
            }
        }
        countries.sort_unstable();
        countries.dedup();
        Ok(Self { tokens, taken, countries, language: &lexicon.language, feed_country })
    }

    /// The places.
    pub(super) fn seek<'s>(&'s self, places: &'s Places) -> Sought<'s> {
        places.seek(&Text {
            language: self.language,
            tokens: &self.tokens,
            evidence: &[],
            taken: &self.taken,
            feed_country: self.feed_country,
            demonyms: &self.countries,
        })
    }
}

/// The places as they are published: most often named first.
pub(super) fn published(found: &Found, document: &Document<'_>) -> Vec<Place> {
    let one = |place: &cw_places::Place| Place {
        name: place.name.to_owned(),
        geonames_id: place.geonames_id,
        country: place.country.map(str::to_owned),
        lat: place.lat,
        lon: place.lon,
        kind: match place.kind {
            cw_places::PlaceKind::Country => PlaceKind::Country,
            cw_places::PlaceKind::Region => PlaceKind::Region,
            cw_places::PlaceKind::City => PlaceKind::City,
            cw_places::PlaceKind::Other => PlaceKind::Other,
        },
        mentions: place.mentions,
        primary: place.primary,
        evidence: place
            .spans
            .iter()
            .take(EVIDENCE_MAX)
            .filter_map(|span| document.evidence(span))
            .collect(),
    };
    let mut places: Vec<Place> = found.places.iter().map(one).collect();
    places.sort_by_key(|place| (!place.primary, std::cmp::Reverse(place.mentions)));
    places
}
