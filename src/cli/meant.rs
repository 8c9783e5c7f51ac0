//! Whom and what a person means who filters articles: names as they are typed become the ids and codes that records have.
//!
//! Without it a filter takes ids, their beginnings and published names. What is found here is added to what was typed, so
//! that a ledger of another dictionary is searched as before.

use std::collections::BTreeMap;

use cw_code::{KnownActor, KnownPlace, PlaceKind, Places, Sources, known_actors};
use cw_text::likeness::{hint, nearest};
use cw_text::search::search_text;

/// The most ids that one name stands for.
const MEANT_MAX: usize = 50;

/// The actors of this name: by the whole id, its end, or a name in any language, whatever the case.
pub(super) struct ActorNames(Vec<KnownActor>);

impl ActorNames {
    /// Those of a configuration.
    pub(super) fn of(sources: &Sources) -> Self {
        Self(known_actors(&sources.actors))
    }

    /// The ids that are meant.
    pub(super) fn meant(&self, wish: &str) -> Vec<String> {
        let folded = search_text(wish);
        let is_meant = |actor: &&KnownActor| {
            has_end(&actor.id, wish) || actor.names.iter().any(|name| search_text(name) == folded)
        };
        let found = self.0.iter().filter(is_meant).take(MEANT_MAX);
        found.map(|actor| actor.id.clone()).collect()
    }

    /// What is said of somebody who is not there; `None` of one who is.
    pub(super) fn doubt(&self, wish: &str) -> Option<String> {
        let is_kind = |actor: &KnownActor| {
            let beginning = actor.id.get(..wish.len());
            beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(wish))
                && actor.id.get(wish.len()..).is_some_and(|rest| rest.starts_with('.'))
        };
        if !self.meant(wish).is_empty() || self.0.iter().any(is_kind) {
            return None;
        }
        // "hesbollah" is no more unlike "Hezbollah" for its small letter.
        let ids = self.0.iter().map(|actor| &actor.id);
        let all = self.0.iter().flat_map(|actor| &actor.names).chain(ids);
        let mut folded: BTreeMap<String, &str> = BTreeMap::new();
        for name in all {
            // As published, where that is one of its names: those of the dictionary are in small letters.
            let known = folded.entry(name.to_lowercase()).or_insert(name);
            *known = name.as_str().min(known);
        }
        let near = nearest(&wish.to_lowercase(), folded.keys().map(String::as_str));
        let meant = near.and_then(|near| folded.get(near));
        let hint = meant.map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"));
        Some(format!("nobody of the name \"{wish}\" is in the dictionary of actors{hint}"))
    }
}

/// Whether an id ends in these words: "group.hezbollah" in "hezbollah".
fn has_end(id: &str, wish: &str) -> bool {
    let wish = wish.trim().to_lowercase().replace([' ', '-'], "_");
    let id = id.to_lowercase();
    id.strip_suffix(&wish).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        && !wish.is_empty()
}

/// The numbers and codes of the places of this name.
pub(super) fn places_meant(places: &Places, wish: &str) -> Vec<String> {
    let meant = |place: KnownPlace| match place.kind {
        // Any place in it.
        PlaceKind::Country => place.country.map(str::to_owned),
        _ => place.geonames_id.map(|number| number.to_string()),
    };
    places.named(wish).into_iter().take(MEANT_MAX).filter_map(meant).collect()
}

/// What is said of a place that is not there.
pub(super) fn place_doubt(places: &Places, wish: &str) -> Option<String> {
    let is_known = wish.parse::<u32>().is_ok()
        || cw_model::country::is_country(&wish.to_uppercase())
        || !places.named(wish).is_empty();
    (!is_known).then(|| {
        let hint = hint(wish, places.well_known().map(|place| place.name));
        format!("no place of the name \"{wish}\" is in the gazetteer{hint}")
    })
}

/// The codes of the countries of this name.
pub(super) fn countries_meant(places: &Places, wish: &str) -> Vec<String> {
    let is_country = |place: &KnownPlace| place.kind == PlaceKind::Country;
    let found = places.named(wish).into_iter().filter(is_country);
    found.filter_map(|place| place.country.map(str::to_owned)).collect()
}

/// What is said of a country that is none.
pub(super) fn country_doubt(places: &Places, wish: &str) -> Option<String> {
    let is_known = cw_model::country::is_country(&wish.to_uppercase())
        || !countries_meant(places, wish).is_empty();
    (!is_known).then(|| {
        let countries = places.well_known().filter(|place| place.kind == PlaceKind::Country);
        let hint = hint(wish, countries.map(|place| place.name));
        format!("no country has the two letters (ISO 3166-1) or the name \"{wish}\"{hint}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_meant_by_id_its_end_or_any_name_in_any_case() {
        let actors = ActorNames::of(&Sources::built_in());
        let expected = ["group.rapid_support_forces"];
        for wish in [
            "group.rapid_support_forces",
            "rapid_support_forces",
            "Rapid Support Forces",
            "rapid support forces",
            "RSF",
            "rsf",
            "Rapid Support Forces (RSF)",
        ] {
            assert_eq!(actors.meant(wish), expected, "{wish}");
            assert_eq!(actors.doubt(wish), None, "{wish}");
        }
        for nobody in ["", "rapid", "forces", "."] {
            assert!(!actors.meant(nobody).iter().any(|id| id == expected[0]), "{nobody}");
        }
        assert_eq!(actors.doubt("group"), None, "all of a kind");
        let doubt = actors.doubt("hesbollah").unwrap();
        assert!(doubt.ends_with("did you mean \"Hezbollah\"?"), "{doubt}");
        let doubt = actors.doubt("qqqqqqqqqqqq").unwrap();
        assert_eq!(doubt, "nobody of the name \"qqqqqqqqqqqq\" is in the dictionary of actors");
    }

    #[test]
    fn a_place_is_meant_by_any_name_and_a_country_by_its_own() {
        let places = Places::built_in();
        let kyiv = places_meant(&places, "kiev");
        assert!(!kyiv.is_empty() && kyiv == places_meant(&places, "КИЕВ"), "{kyiv:?}");
        assert!(places_meant(&places, "sudan").contains(&"SD".to_owned()));
        assert_eq!(countries_meant(&places, "Sudan"), ["SD"]);
        assert!(countries_meant(&places, "Kharkiv").is_empty());
        for known in ["703448", "sd", "Kyiv"] {
            assert_eq!(place_doubt(&places, known), None, "{known}");
        }
        let doubt = place_doubt(&places, "Khartuom").unwrap();
        assert!(doubt.ends_with("did you mean \"Khartoum\"?"), "{doubt}");
        assert_eq!(country_doubt(&places, "ua"), None);
        let doubt = country_doubt(&places, "Sudna").unwrap();
        assert!(doubt.ends_with("did you mean \"Sudan\"?"), "{doubt}");
        let nothing = country_doubt(&places, "qqqqqqqqqqqq").unwrap();
        assert!(nothing.ends_with("the name \"qqqqqqqqqqqq\""), "{nothing}");
    }
}
