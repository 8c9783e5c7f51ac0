//! Where an article happens, and where else it leads.

use crate::evidence::Evidence;

/// What sort of place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlaceKind {
    /// A country or dependency.
    Country,
    /// A part of one, or land that several claim.
    Region,
    /// A town, village or quarter.
    City,
    /// Anything else with a name: a strait, a dam, a camp.
    Other,
}

/// A place that an article names.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Its name in the gazetteer, mostly in English.
    pub name: String,
    /// Its number at GeoNames; `None` if it is not known.
    pub geonames_id: Option<u32>,
    /// ISO 3166-1 alpha-2; `None` for what lies in no country, as a sea.
    pub country: Option<String>,
    /// Degrees north, WGS 84.
    pub lat: f64,
    /// Degrees east, WGS 84.
    pub lon: f64,
    /// What sort.
    pub kind: PlaceKind,
    /// How often it is named.
    pub mentions: usize,
    /// What the article tells happened here. At most one place is.
    pub primary: bool,
    /// Where it is named, in order; at most as many as a record keeps.
    pub evidence: Vec<Evidence>,
}
