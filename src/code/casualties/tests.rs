//! Counts and scopes, from sentences of our own.

use std::collections::HashSet;

use super::*;
use crate::Texts;

/// Writes counts as "killed 43..43 event".
#[track_caller]
fn check(body: &str, expected: &[&str]) {
    let steps = Steps::new(u64::MAX);
    let texts = Texts { body, ..Texts::default() };
    let document = Document::new(texts, &HashSet::new(), &steps).unwrap();
    let found: Vec<String> = read("en", &document, &steps)
        .unwrap()
        .unwrap()
        .iter()
        .map(|count| {
            let bound = |bound: Option<u64>| bound.map_or(String::new(), |bound| bound.to_string());
            let (low, high) = (bound(count.low), bound(count.high));
            format!("{:?} {low}..{high} {:?}", count.kind, count.scope).to_lowercase()
        })
        .collect();
    assert_eq!(found, expected, "in {body:?}");
}

#[test]
fn a_number_stands_before_or_after_what_happened() {
    check("At least 43 people were killed.", &["killed 43.. event"]);
    check("43 dead in market blast", &["killed 43..43 event"]);
    check("A mortar round landed on a queue, killing six shoppers.", &["killed 6..6 event"]);
    check("The bomb killed 12 and wounded 20.", &["killed 12..12 event", "wounded 20..20 event"]);
    check(
        "Nine soldiers were killed and dozens wounded.",
        &["killed 9..9 event", "wounded 24.. event"],
    );
    check("Two villagers lost their lives.", &["killed 2..2 event"]);
    check("The raid claimed 15 lives.", &["killed 15..15 event"]);
    check("Five porters suffered injuries.", &["wounded 5..5 event"]);
    check("Between 10 and 15 fighters died.", &["killed 10..15 event"]);
    check("Up to 30 people are missing.", &["missing ..30 event"]);
    check("More than 250,000 people have fled their homes.", &["displaced 250000.. event"]);
    check("Police arrested 14 suspects.", &["detained 14..14 event"]);
}

#[test]
fn one_person_counts() {
    check(
        "A soldier was killed and three others were wounded.",
        &["killed 1..1 event", "wounded 3..3 event"],
    );
    check("The shell hit a car, killing a nurse.", &["killed 1..1 event"]);
}

#[test]
fn a_number_is_the_least_where_somebody_is_joined_to_it_whom_no_list_has() {
    check("Two teachers and a beekeeper were killed.", &["killed 2.. event"]);
    check("Two teachers and another beekeeper were wounded.", &["wounded 2.. event"]);
    check("Two teachers were killed and a barn burned down.", &["killed 2..2 event"]);
}

#[test]
fn those_joined_by_and_are_added() {
    check("Gunmen killed a guard and two drivers.", &["killed 3..3 event"]);
    check("Three soldiers and a civilian were killed.", &["killed 4..4 event"]);
    check("Two teachers and a pupil were killed.", &["killed 3..3 event"]);
}

#[test]
fn a_part_is_not_counted_again() {
    check("Eleven people, including three children, were killed.", &["killed 11..11 event"]);
    check("The attack left seven people dead, including two nurses.", &["killed 7..7 event"]);
}

#[test]
fn other_numbers_are_not_people() {
    check("The 25-year-old was killed on 3 May, 20 km north of the town.", &[]);
    check("12 per cent of the herd died.", &[]);
    check("Troops captured 12 villages.", &[]);
    check("Abel Torn (25) was shot dead.", &[]);
    check("Abel Torn, 25, was shot dead.", &[]);
}

#[test]
fn a_new_total_is_an_update() {
    check("The death toll rose to 43 from 38.", &["killed 43..43 update"]);
}

#[test]
fn a_toll_of_the_whole_conflict_is_background() {
    check(
        "More than a quarter of a million people have died in five years of war.",
        &["killed 250000.. background"],
    );
    check(
        "The conflict has killed at least 9,000 people since 2014.",
        &["killed 9000.. background"],
    );
    check(
        "Some 400 people have been killed since the uprising began.",
        &["killed 400..400 background"],
    );
}

#[test]
fn the_past_is_historical() {
    check("The bombing of 1996 killed 21 people.", &["killed 21..21 historical"]);
    check("Two years ago a bomb killed 30 people there.", &["killed 30..30 historical"]);
}

#[test]
fn what_may_happen_is_hypothetical() {
    check("An assault could kill thousands of people.", &["killed 2000.. hypothetical"]);
    check("They planned to kill 50 people.", &["killed 50..50 hypothetical"]);
}

#[test]
fn what_did_not_happen_is_denied() {
    check("No one was hurt.", &["wounded 0..0 denied"]);
    check("There were no casualties.", &["killed 0..0 denied", "wounded 0..0 denied"]);
    check("The army denied that its shells had killed 12 people.", &["killed 12..12 denied"]);
}

#[test]
fn the_same_count_is_given_once() {
    check("Six people were killed. The six killed were cooks.", &["killed 6..6 event"]);
}
