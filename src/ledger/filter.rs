//! Which articles a reader wants: one meaning for every ledger.
//!
//! The SQLite ledger asks the same in SQL, for speed; a test holds the two together.

use cw_model::Timestamp;
use serde::Deserialize;

/// Which articles are wanted. Wishes of one kind are alternatives, kinds are all to be met; an
/// empty one is met by any article. A tag, language or actor is wished for by its beginning: "strike" means
/// "strike.air" too, "en" means "en-GB" too, "group" any armed group. Upper and lower case of ASCII letters are the
/// same, but in tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Tag ids or their beginnings.
    pub tags: Vec<String>,
    /// BCP 47 tags or their beginnings.
    pub languages: Vec<String>,
    /// Of the feed; ISO 3166-1 alpha-2.
    pub countries: Vec<String>,
    /// Actors named: ids, their beginnings, or names in the dictionary.
    pub actors: Vec<String>,
    /// Places named: names, GeoNames numbers, or the code of a country (ISO 3166-1 alpha-2) for any place in it.
    pub places: Vec<String>,
    /// How a tag is said ("denied"); of a tag that is wished for, if any is.
    pub claims: Vec<String>,
    /// Feed ids.
    pub feeds: Vec<String>,
    /// Published then or later; observed, if the publisher gave no date.
    pub since: Option<Timestamp>,
}

/// What a filter asks of a record. Reads those of other versions too, as long as these fields are
/// where they were.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Facts {
    feed: FeedFacts,
    language: Option<String>,
    conflict: Option<ConflictFacts>,
    published_at: Option<String>,
    observed: ObservedFacts,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct FeedFacts {
    id: String,
    country: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct ConflictFacts {
    tags: Vec<TagFacts>,
    // Of a version that knew none there are none.
    #[serde(default)]
    actors: Option<Vec<ActorFacts>>,
    #[serde(default)]
    places: Option<Vec<PlaceFacts>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct ActorFacts {
    id: String,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct PlaceFacts {
    name: String,
    geonames_id: Option<u32>,
    country: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct TagFacts {
    id: String,
    #[serde(default)]
    claim: Option<ClaimFacts>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct ClaimFacts {
    status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct ObservedFacts {
    at: String,
}

impl Facts {
    /// Reads them off a record in wire form; `None` if that is no record.
    pub fn of(record: &str) -> Option<Self> {
        serde_json::from_str(record).ok()
    }
}

impl Filter {
    /// Whether every record is wanted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a record is wanted.
    pub fn admits(&self, facts: &Facts) -> bool {
        let conflict = facts.conflict.as_ref();
        let tags = conflict.map_or(&[][..], |conflict| &conflict.tags);
        let actors = conflict.and_then(|conflict| conflict.actors.as_deref()).unwrap_or_default();
        let places = conflict.and_then(|conflict| conflict.places.as_deref()).unwrap_or_default();
        let language = facts.language.as_deref();
        let country = facts.feed.country.as_deref();
        let date = facts.published_at.as_ref().unwrap_or(&facts.observed.at);
        let is_met = |wishes: &[String], met: &dyn Fn(&str) -> bool| {
            wishes.is_empty() || wishes.iter().any(|wish| met(wish))
        };
        let is_wished = |tag: &TagFacts| is_met(&self.tags, &|wish| is_below(&tag.id, wish, '.'));
        let is_said = |tag: &TagFacts| {
            is_met(&self.claims, &|wish| {
                tag.claim.as_ref().is_some_and(|claim| claim.status.eq_ignore_ascii_case(wish))
            })
        };
        (self.tags.is_empty() && self.claims.is_empty()
            || tags.iter().any(|tag| is_wished(tag) && is_said(tag)))
            && is_met(&self.actors, &|wish| actors.iter().any(|actor| actor.is(wish)))
            && is_met(&self.places, &|wish| places.iter().any(|place| place.is(wish)))
            && is_met(&self.languages, &|wish| {
                let wish = wish.to_ascii_lowercase();
                language.is_some_and(|has| is_below(&has.to_ascii_lowercase(), &wish, '-'))
            })
            && is_met(&self.countries, &|wish| {
                country.is_some_and(|has| has.eq_ignore_ascii_case(wish))
            })
            && is_met(&self.feeds, &|wish| facts.feed.id == wish)
            && self.since.is_none_or(|since| {
                date.parse::<Timestamp>().is_ok_and(|published_at| published_at >= since)
            })
    }
}

impl ActorFacts {
    fn is(&self, wish: &str) -> bool {
        let id = self.id.to_ascii_lowercase();
        is_below(&id, &wish.to_ascii_lowercase(), '.') || self.name.eq_ignore_ascii_case(wish)
    }
}

impl PlaceFacts {
    fn is(&self, wish: &str) -> bool {
        self.name.eq_ignore_ascii_case(wish)
            || self.geonames_id.is_some_and(|number| number.to_string() == wish)
            || self.country.as_ref().is_some_and(|country| country.eq_ignore_ascii_case(wish))
    }
}

/// Whether `has` is `wish`, or begins with it up to a mark: "strike.air" is below "strike".
pub fn is_below(has: &str, wish: &str, mark: char) -> bool {
    has.strip_prefix(wish).is_some_and(|rest| rest.is_empty() || rest.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use cw_model::Record;
    use cw_model::samples::{record, tagged};

    use super::*;

    fn facts(record: &Record) -> Facts {
        Facts::of(&serde_json::to_string(record).unwrap()).unwrap()
    }

    fn wish(text: &str) -> Vec<String> {
        vec![text.to_owned()]
    }

    fn is_admitted(filter: &Filter, record: &Record) -> bool {
        filter.admits(&facts(record))
    }

    #[test]
    fn a_tag_means_those_below_it() {
        let record = tagged(1, "x", "strike.air");
        for (text, expected) in [
            ("strike", true),
            ("strike.air", true),
            ("strike.a", false),
            ("stri", false),
            ("strike.air.raid", false),
            ("Strike", false),
        ] {
            let filter = Filter { tags: wish(text), ..Filter::default() };
            assert_eq!(is_admitted(&filter, &record), expected, "{text}");
        }
        let filter = Filter { tags: wish("strike"), ..Filter::default() };
        assert!(!is_admitted(&filter, &self::record(1, "x")));
    }

    #[test]
    fn a_language_means_its_regions_in_any_case() {
        let mut record = record(1, "x");
        record.language = Some("en-GB".to_owned());
        for (text, expected) in [("EN", true), ("en-gb", true), ("e", false), ("en-US", false)] {
            let filter = Filter { languages: wish(text), ..Filter::default() };
            assert_eq!(is_admitted(&filter, &record), expected, "{text}");
        }
    }

    #[test]
    fn all_kinds_are_to_be_met_and_one_wish_of_each() {
        let record = record(1, "x");
        let feeds = vec!["b".to_owned(), "a".to_owned()];
        assert!(is_admitted(&Filter { feeds: feeds.clone(), ..Filter::default() }, &record));
        let here = Filter { feeds, countries: wish("sy"), ..Filter::default() };
        assert!(is_admitted(&here, &record));
        assert!(!is_admitted(&Filter { countries: wish("FR"), ..here }, &record));
    }

    #[test]
    fn without_a_date_of_publication_the_observation_counts() {
        let mut record = record(1, "x");
        let since = |at: &str| Filter { since: Some(at.parse().unwrap()), ..Filter::default() };
        assert!(is_admitted(&since("2026-01-02T03:00:00Z"), &record));
        assert!(!is_admitted(&since("2026-01-02T03:00:01Z"), &record));
        record.published_at = None;
        assert!(is_admitted(&since("2026-01-02T03:00:01Z"), &record));
    }

    #[test]
    fn a_record_of_a_later_version_is_filtered_too() {
        let mut later = serde_json::to_value(record(1, "x")).unwrap();
        later["something_new"] = serde_json::json!({"a": 1});
        assert_eq!(Facts::of(&later.to_string()), Some(facts(&record(1, "x"))));
        assert_eq!(Facts::of("{}"), None);
    }
}
