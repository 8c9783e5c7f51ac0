//! Who and where, in words.

use std::collections::BTreeSet;

use cw_model::record::{RecordConflict, RecordRoleKind};

use super::text::Text;
use super::{QUIET, STRONG};

/// Actors and places shown of one article: those that matter come first.
const SHOWN: usize = 5;

/// "Russia (attacker)": those with a role first, then those who are named most often.
pub(super) fn actors(conflict: &RecordConflict) -> Vec<Text> {
    let roles_of = |id: &str| -> BTreeSet<&'static str> {
        let roles = conflict.tags.iter().filter_map(|tag| tag.roles.as_ref()).flatten();
        roles.filter(|role| role.actor == id).map(|role| role_name(role.role)).collect()
    };
    let mut shown: Vec<(&str, Vec<&str>)> = conflict
        .actors
        .iter()
        .flatten()
        .map(|actor| (actor.name.as_str(), roles_of(&actor.id).into_iter().collect()))
        .collect();
    shown.sort_by_key(|(_name, roles): &(&str, Vec<&str>)| roles.is_empty());
    let text = |(name, roles): (&str, Vec<&str>)| match roles.is_empty() {
        true => Text::new(name, QUIET),
        false => Text::new(&format!("{name} ({})", roles.join(", ")), STRONG),
    };
    shown.into_iter().take(SHOWN).map(text).collect()
}

/// "Aleppo, SY": where it happened first.
pub(super) fn places(conflict: &RecordConflict) -> Vec<Text> {
    let places = conflict.places.iter().flatten().take(SHOWN);
    let text = |place: &cw_model::record::RecordPlace| {
        let country = place.country.as_deref().filter(|_code| place.name.len() > 2);
        let name = match country {
            Some(code) => format!("{}, {code}", place.name),
            None => place.name.clone(),
        };
        Text::new(&name, if place.primary { STRONG } else { QUIET })
    };
    places.map(text).collect()
}

fn role_name(role: RecordRoleKind) -> &'static str {
    match role {
        RecordRoleKind::Attacker => "attacker",
        RecordRoleKind::Target => "target",
        RecordRoleKind::Mediator => "mediator",
        RecordRoleKind::Party => "party",
        RecordRoleKind::Accuser => "accuser",
        RecordRoleKind::VictimsSide => "victims' side",
        RecordRoleKind::Other => "another role",
    }
}
