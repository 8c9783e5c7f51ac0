//! An article stays the same when its publisher changes what it is known by.

use super::*;

fn item(guid: &str, link: &str, title: &str, text: &str, day: u8) -> String {
    format!(
        "<item><title>{title}</title><link>{link}</link><guid isPermaLink=\"false\">{guid}</guid>\
         <description>{text}</description><pubDate>{day:02} Feb 2026 10:00:00 GMT</pubDate></item>"
    )
}

fn document(items: &[String]) -> Answer {
    let items = items.concat();
    body_with(
        &format!("<rss version=\"2.0\"><channel><title>W</title>{items}</channel></rss>"),
        None,
    )
}

#[track_caller]
fn check_same(before: [&str; 2], after: [&str; 2]) {
    let [guid, link] = before;
    let first = document(&[item(guid, link, "One", "x", 1)]);
    let [guid, link] = after;
    let again = document(&[item(guid, link, "One", "x", 1), item("new", "/new", "Two", "y", 2)]);
    let edited = document(&[item(guid, link, "One more", "x", 1)]);
    let outcome = polls(&feed(), &[first.clone(), again.clone()]);
    assert_eq!(titles(&outcome), [("Two".to_owned(), 1)], "{before:?} {after:?}");
    // An edit is a revision of the same article, whatever it is known by now.
    let outcome = polls(&feed(), &[first, again, edited]);
    assert_eq!(titles(&outcome), [("One more".to_owned(), 2)], "{before:?} {after:?}");
}

#[test]
fn marks_that_change_make_no_other_article() {
    let link = "https://wire.example/a";
    for (before, after) in [
        (
            ["http://wire.example/?p=5", "http://wire.example/a"],
            ["https://wire.example/?p=5", link],
        ),
        (
            ["https://wire.example/?p=5", link],
            ["http://wire.example/?p=5", "http://wire.example/a"],
        ),
        (["https://www.wire.example/?p=5", link], ["https://wire.example/?p=5", link]),
        (["https://wire.example/a#0", link], ["https://wire.example/a#3", link]),
        (
            ["https://wire.example/a?utm_source=rss", link],
            ["https://wire.example/a?utm_source=feed", link],
        ),
        // Another scheme of identifiers altogether.
        (["https://wire.example/?p=5", link], ["wire-000-5", link]),
        (["5", link], ["tag:wire.example,2026:5", link]),
    ] {
        check_same(before, after);
    }
}

#[test]
fn one_identifier_on_several_reports_merges_none() {
    let report = |day: u8| item("/updates", "/updates", &format!("Report {day}"), "x", day);
    let outcome = polls(&feed(), &[document(&[report(1), report(2), report(3)])]);
    assert_eq!(outcome.records.len(), 3);
    let next = document(&[report(2), report(3), report(4)]);
    let outcome = polls(&feed(), &[document(&[report(1), report(2), report(3)]), next]);
    assert_eq!(titles(&outcome), [("Report 4".to_owned(), 1)]);
}

#[test]
fn two_reports_with_one_text_are_not_taken_for_each_other() {
    let same = |guid: &str| item(guid, "/updates", "Report", "x", 1);
    let outcome =
        polls(&feed(), &[document(&[same("a"), same("b")]), document(&[same("a"), same("c")])]);
    // "c" is "b" by all it says, and nobody shows "b" any more.
    assert_eq!(titles(&outcome), []);
    let outcome = polls(&feed(), &[document(&[same("a")]), document(&[same("a"), same("c")])]);
    assert_eq!(titles(&outcome), [("Report".to_owned(), 1)]);
}

#[test]
fn of_two_versions_the_one_with_a_text_is_published() {
    let with = |text: &str, day: u8| item("a", "/a", "One", text, day);
    for items in [[with("", 2), with("Text.", 1)], [with("Text.", 1), with("", 2)]] {
        let outcome = polls(&feed(), &[document(&items)]);
        let record = &outcome.records[0].record;
        assert_eq!((outcome.records.len(), record.summary.as_deref()), (1, Some("Text.")));
    }
}

#[test]
fn another_version_of_reading_revises_nothing() {
    let tagger = tagger();
    let first = document(&[item("a", "/a", "One", "x", 1)]);
    let outcome = process(&feed(), &first, &FeedState::default(), &tagger, now());
    // A build that read texts otherwise wrote this state.
    let mut state = outcome.state.unpack();
    assert_eq!(state.memory.reading, READING);
    state.memory.reading = READING - 1;
    let ids: Vec<_> = state.memory.seen.iter().map(|(id, seen)| (*id, *seen)).collect();
    for (id, seen) in ids {
        let digest = cw_model::digest::digest([Some("as it was read then"), None, None, None]);
        state.memory.seen.remember(id, SeenArticle { digest, ..seen });
    }
    let changed = document(&[item("a", "/a", "One", "x", 1), item("b", "/b", "Two", "y", 2)]);
    let outcome = process(&feed(), &changed, &state.pack(), &tagger, now());
    assert_eq!(titles(&outcome), [("Two".to_owned(), 1)]);
    let edited = document(&[item("a", "/a", "One more", "x", 1)]);
    let outcome = process(&feed(), &edited, &outcome.state, &tagger, now());
    assert_eq!(titles(&outcome), [("One more".to_owned(), 2)]);
}

/// A state, and the document it was made from, as the build before the second version of reading wrote them; only the
/// address of the server on loopback was replaced.
#[test]
fn a_state_that_an_earlier_build_wrote_tells_nothing_twice() {
    let state = include_str!("../../../../tests/fixtures/upgrade/reading-1.state.json");
    let read = include_str!("../../../../tests/fixtures/upgrade/reading-1.xml");
    let courier = Feed { id: samples::feed("courier", URL.parse().unwrap()).id, ..feed() };
    let state = FeedState::parse(state.as_bytes()).unwrap();
    let before = state.unpacked_memory();
    assert!(before.reading < READING, "or this test proves nothing");
    let added = item("new", "https://courier.example/new", "New", "x", 3) + "<item>";
    let outcome = process(
        &courier,
        &body_with(&read.replacen("<item>", &added, 1), None),
        &state,
        &tagger(),
        now(),
    );
    assert_eq!(titles(&outcome), [("New".to_owned(), 1)]);
    let after = outcome.state.unpacked_memory();
    for (id, seen) in before.seen.iter() {
        assert_eq!(after.seen.find(*id).map(|own| own.revision), Some(seen.revision));
    }
    // What is edited later is a revision of the same article.
    let edited = read.replace("Convoy arrives", "Convoy leaves");
    let outcome = process(&courier, &body_with(&edited, None), &outcome.state, &tagger(), now());
    assert_eq!(titles(&outcome), [("Convoy leaves".to_owned(), 2)]);
    assert_eq!(outcome.records[0].record.id, "e4bd07ed2a71506f98776c0730e7f766");
}
