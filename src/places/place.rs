//! What is found in a text.

use std::ops::Range;

use crate::gazetteer::PlaceKind;

/// A place that an article names.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Its name in the gazetteer, mostly in English.
    pub name: &'static str,
    /// Its number at GeoNames; `None` if it is not known.
    pub geonames_id: Option<u32>,
    /// Two letters (ISO 3166-1, and XK); `None` for what lies in no country, as a sea.
    pub country: Option<&'static str>,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// What sort of place it is.
    pub kind: PlaceKind,
    /// How often it is named.
    pub mentions: usize,
    /// What the article tells happened here. At most one place is.
    pub primary: bool,
    /// Where it is named, as tokens, in the order of the text.
    pub spans: Vec<Range<usize>>,
}

/// A place of the gazetteer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownPlace {
    /// Its name in the gazetteer.
    pub name: &'static str,
    /// Its number at GeoNames.
    pub geonames_id: Option<u32>,
    /// Two letters.
    pub country: Option<&'static str>,
    /// What sort of place it is.
    pub kind: PlaceKind,
}

/// A capital that stands for the government in it: "Moscow said".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Government {
    /// Two letters.
    pub country: &'static str,
    /// Where it is named, as tokens.
    pub span: Range<usize>,
}

/// What was found in a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Each place once, in the order in which they are first named.
    pub places: Vec<Place>,
    /// Governments by the names of their capitals; these are no places.
    pub governments: Vec<Government>,
}
