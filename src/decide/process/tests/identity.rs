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
        state.memory.seen.remember(id, SeenArticle { digest, source: None, ..seen });
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

/// One of the articles of a publisher that moves: its headline, its text, and on which day of February.
type Said<'a> = (&'a str, &'a str, u8);

/// A document whose articles have these identifiers and pages.
fn marked(mark: &str, said: &[Said<'_>]) -> Answer {
    let items = said.iter().enumerate().map(|(at, (title, text, day))| {
        item(&format!("{mark}-{at}"), &format!("/{mark}/{at}"), title, text, *day)
    });
    document(&items.collect::<Vec<_>>())
}

const CONVOY: Said<'static> =
    ("Convoy is ambushed on the coast road", "Six drivers are missing.", 3);
const TRUCE: Said<'static> = ("Truce in the valley holds for a week", "Markets are open.", 4);
const BRIDGE: Said<'static> = ("Bridge over the river is open again", "It was hit in May.", 5);
const BRIEFING: Said<'static> = ("Daily briefing", "What you need to know today.", 5);

/// What the poll publishes in which the publisher has moved.
#[track_caller]
fn check_moved(before: &[Said<'_>], after: &[Said<'_>], expected: &[(&str, u32)]) {
    let outcome = polls(&feed(), &[marked("old", before), marked("new", after)]);
    let mut published = titles(&outcome);
    published.sort();
    let expected: Vec<_> =
        expected.iter().map(|(title, revision)| ((*title).to_owned(), *revision)).collect();
    assert_eq!(published, expected);
}

#[test]
fn a_publisher_that_moves_to_other_software_tells_nothing_twice() {
    let all = [CONVOY, TRUCE, BRIDGE, BRIEFING];
    check_moved(&all, &all, &[]);
    let news = ("Depot burns near the port", "Nobody was hurt.", 6);
    check_moved(&all, &[news, BRIDGE, TRUCE, CONVOY], &[("Depot burns near the port", 1)]);
    // A document of one article moves too.
    check_moved(&[TRUCE], &[TRUCE], &[]);
    // Its identifiers are known from then on, whatever it says.
    let edited = [("Convoy reaches the port", "Nobody is missing.", 3), TRUCE, BRIDGE];
    let first = [CONVOY, TRUCE, BRIDGE];
    let documents = [marked("old", &first), marked("new", &first), marked("new", &edited)];
    let outcome = polls(&feed(), &documents);
    assert_eq!(titles(&outcome), [("Convoy reaches the port".to_owned(), 2)]);
    let outcome =
        polls(&feed(), &[marked("old", &first), marked("new", &first), marked("newer", &first)]);
    assert_eq!(titles(&outcome), []);
}

#[test]
fn what_is_edited_while_its_publisher_moves_is_a_revision() {
    let all = [CONVOY, TRUCE, BRIDGE];
    let text = (CONVOY.0, "All drivers are free.", CONVOY.2);
    check_moved(&all, &[text, TRUCE, BRIDGE], &[(CONVOY.0, 2)]);
    let long = "The army says that it has found six trucks and no driver, and is looking for them.";
    let (before, after) = (("Trucks are found", long, 3), ("Army finds trucks", long, 3));
    check_moved(&[before, TRUCE, BRIDGE], &[after, TRUCE, BRIDGE], &[("Army finds trucks", 2)]);
}

#[test]
fn a_publisher_that_moves_may_write_its_dates_in_another_zone() {
    let long = "The army says that it has found six trucks and no driver.";
    let at = |mark: &str, hour: u8| {
        let said = [("Convoy is ambushed", 3), ("Truce holds", 4), ("Bridge is open", 5)];
        let items = said.iter().map(|(title, day)| {
            item(
                &format!("{mark}-{day}"),
                &format!("/{mark}/{day}"),
                title,
                &format!("{title}. {long}"),
                *day,
            )
            .replace("10:00:00", &format!("{hour:02}:00:00"))
        });
        document(&items.collect::<Vec<_>>())
    };
    assert_eq!(titles(&polls(&feed(), &[at("old", 10), at("new", 7)])), []);
}

#[test]
fn what_is_said_each_day_under_the_same_headline_is_news_each_day() {
    let alarm =
        "Go to a shelter and stay there until the signal that ends the alarm. This is no exercise.";
    let day = |day: u8| {
        [
            ("Weather", "Sunny.", day),
            ("Daily briefing", "What you need to know today.", day),
            ("Air alarm in the eastern region", alarm, day),
            ("Stock exchange closing prices of the day", "Up and down.", day),
        ]
    };
    let expected = [
        ("Air alarm in the eastern region", 1),
        ("Daily briefing", 1),
        ("Stock exchange closing prices of the day", 1),
        ("Weather", 1),
    ];
    check_moved(&day(3), &day(4), &expected);
    // Nor is one of them another article of a publisher that moves.
    let before = [CONVOY, TRUCE, BRIDGE, BRIEFING];
    let after = [("Daily briefing", "What you need to know today.", 6), CONVOY, TRUCE, BRIDGE];
    check_moved(&before, &after, &[("Daily briefing", 1)]);
    // One article alone that comes under other marks is told as another: nobody moved.
    let one = item("again", "/again", CONVOY.0, CONVOY.1, CONVOY.2);
    let others = [TRUCE, BRIDGE].map(|(title, text, day)| item(title, title, title, text, day));
    let first = document(&[&others[..], &[item("a", "/a", CONVOY.0, CONVOY.1, CONVOY.2)]].concat());
    let outcome = polls(&feed(), &[first, document(&[&others[..], &[one]].concat())]);
    assert_eq!(titles(&outcome), [(CONVOY.0.to_owned(), 1)]);
}

#[test]
fn a_publisher_that_moves_in_parts_tells_nothing_twice() {
    let tale = |day: u8| {
        let title = format!("Convoy {day} is ambushed on the coast road");
        let text = format!("Drivers of {day} trucks are missing since the morning of that day.");
        (title, text, day)
    };
    let all: Vec<_> = (1..=9).map(tale).collect();
    let marked = |moved: usize| {
        let items = all.iter().enumerate().map(|(at, (title, text, day))| {
            let mark = if at < moved { "new" } else { "old" };
            item(&format!("{mark}-{at}"), &format!("/{mark}/{at}"), title, text, *day)
        });
        document(&items.collect::<Vec<_>>())
    };
    assert_eq!(titles(&polls(&feed(), &[marked(0), marked(3), marked(6), marked(9)])), []);
    // Two may be others.
    assert_eq!(titles(&polls(&feed(), &[marked(0), marked(2)])).len(), 2);
}

#[test]
fn two_articles_that_say_the_same_are_not_told_apart_by_what_they_say() {
    let twice = [CONVOY, CONVOY, TRUCE, BRIDGE];
    check_moved(&twice, &twice, &[(CONVOY.0, 1), (CONVOY.0, 1)]);
}
