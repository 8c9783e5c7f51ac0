//! Who has which role: what the coder says against what a reader says.
//!
//! A role is written `attacker RU`: a country, or the end of the id of an actor (`eln`, or either of several, `un|united_nations`).
//! `roles` are wanted; `roles_may` can be defended and neither help nor hurt.

use std::collections::BTreeSet;

use cw_code::Tagger;
use cw_model::Coding;

use super::eval::Count;
use super::rows::Row;

/// What is right, wrong and missed in one text.
pub(crate) struct Compared {
    pub(crate) count: Count,
    pub(crate) wrong: Vec<String>,
    pub(crate) missed: Vec<String>,
}

/// Holds the roles of a coding against those of its row.
pub(crate) fn compare(row: &Row, coding: &Coding) -> Compared {
    let country = |id: &str| {
        let actor = coding.actors.iter().flatten().find(|actor| actor.id == id);
        actor.and_then(|actor| actor.country.clone()).unwrap_or_default()
    };
    let found: BTreeSet<(&str, &str)> = coding
        .tags
        .iter()
        .flat_map(|tag| tag.roles.iter().flatten())
        .map(|role| (role.role.into(), role.actor.as_str()))
        .collect();
    let is_meant = |wanted: &str, (role, id): (&str, &str)| {
        let Some((kind, actor)) = wanted.split_once(' ') else { return false };
        let slug = id.split_once('.').map_or(id, |(_kind, slug)| slug);
        kind == role && actor.split('|').any(|one| one == country(id) || one == slug)
    };
    let (wanted, may) = (row.strings("roles"), row.strings("roles_may"));
    let missed: Vec<String> = wanted
        .iter()
        .filter(|one| !found.iter().any(|role| is_meant(one, *role)))
        .cloned()
        .collect();
    let is_wrong =
        |role: &&(&str, &str)| !wanted.iter().chain(&may).any(|one| is_meant(one, **role));
    let wrong: Vec<String> =
        found.iter().filter(is_wrong).map(|(role, id)| format!("{role} {id}")).collect();
    let right = wanted.len() - missed.len();
    Compared { count: Count { right, wrong: wrong.len(), missed: missed.len() }, wrong, missed }
}

/// All texts together.
pub(crate) fn count(tagger: &Tagger, rows: &[Row]) -> Count {
    let mut whole = Count::default();
    for row in rows {
        let Some(coding) = row.code(tagger) else { continue };
        whole.add(compare(row, &coding).count);
    }
    whole
}

/// Prints every text in which a role is wrong or missed.
pub(crate) fn show(tagger: &Tagger, rows: &[Row]) {
    for row in rows {
        let Some(coding) = row.code(tagger) else { continue };
        let compared = compare(row, &coding);
        if compared.wrong.is_empty() && compared.missed.is_empty() {
            continue;
        }
        println!("{} {}", row.title, row.summary);
        for tag in &coding.tags {
            let spans: Vec<&str> = tag.evidence.iter().map(|span| span.text.as_str()).collect();
            let roles: Vec<String> = tag
                .roles
                .iter()
                .flatten()
                .map(|one| format!("{} {}", <&str>::from(one.role), one.actor))
                .collect();
            println!("      {} {:.2} {spans:?} {roles:?}", tag.id.as_str(), tag.score);
        }
        println!(
            "    wrong {:?} missed {:?} of {:?}",
            compared.wrong,
            compared.missed,
            row.strings("tags")
        );
    }
}
