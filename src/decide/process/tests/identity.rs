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

/// What a publisher changes of all marks of its articles, without another article or another text.
#[derive(Clone, Copy, Debug)]
enum Move {
    Nothing,
    Https,
    Www,
    Campaign,
    Counter,
    Guids,
}

/// How a publisher marks its articles now.
#[derive(Clone, Debug, Default)]
struct Marking {
    is_https: bool,
    is_www: bool,
    campaign: u8,
    counter: u8,
    guids: u8,
}

impl Marking {
    fn change(&mut self, by: Move) {
        match by {
            Move::Nothing => {}
            Move::Https => self.is_https = !self.is_https,
            Move::Www => self.is_www = !self.is_www,
            Move::Campaign => self.campaign += 1,
            Move::Counter => self.counter = (self.counter + 1) % 10,
            Move::Guids => self.guids += 1,
        }
    }

    fn item(&self, number: usize, headline: u32) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        let www = if self.is_www { "www." } else { "" };
        let campaign = match self.campaign {
            0 => String::new(),
            campaign => format!("?utm_campaign=c{campaign}"),
        };
        let link = format!("{scheme}://{www}wire.example/a/{number}{campaign}");
        let guid = match self.guids {
            0 => format!("{link}#{}", self.counter),
            guids => format!("wire-{guids}-{number}"),
        };
        let title = format!("Report {number}, version {headline}");
        item(&guid, &link, &title, &format!("Text of report {number}."), 1)
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(8))]

    /// Whatever a publisher does to its marks, and whenever the program is restarted: every article is told once, every
    /// edited headline once more, and no two articles are taken for one.
    #[test]
    fn a_publisher_that_migrates_is_told_once(
        steps in proptest::collection::vec((0_usize..6, proptest::option::of(0_usize..4), proptest::bool::ANY), 1..7),
    ) {
        const MOVES: [Move; 6] =
            [Move::Nothing, Move::Https, Move::Www, Move::Campaign, Move::Counter, Move::Guids];
        let tagger = tagger();
        let mut marking = Marking::default();
        let mut headlines = vec![1_u32; 4];
        let show = |marking: &Marking, headlines: &[u32]| {
            let items: Vec<String> =
                headlines.iter().enumerate().map(|(number, own)| marking.item(number, *own)).collect();
            document(&items)
        };
        let first = process(&feed(), &show(&marking, &headlines), &FeedState::default(), &tagger, now());
        let mut told: Vec<(String, u32)> =
            first.records.iter().map(|own| (own.record.id.clone(), own.record.revision)).collect();
        let mut state = first.state;
        for (by, edited, is_restarted) in steps {
            marking.change(MOVES[by]);
            // Whoever changes all identifiers and a headline at once gives nobody a way to tell.
            if let Some(edited) = edited.filter(|_| !matches!(MOVES[by], Move::Guids)) {
                headlines[edited] += 1;
            }
            headlines.push(1);
            if is_restarted {
                state = FeedState::parse(state.written().unwrap().as_bytes()).unwrap().into();
            }
            let outcome = process(&feed(), &show(&marking, &headlines), &state, &tagger, now());
            told.extend(outcome.records.iter().map(|own| (own.record.id.clone(), own.record.revision)));
            state = outcome.state;
        }
        let ids: std::collections::HashSet<&String> = told.iter().map(|(id, _)| id).collect();
        proptest::prop_assert_eq!(ids.len(), headlines.len());
        proptest::prop_assert_eq!(told.len() as u32, headlines.iter().sum::<u32>());
    }
}
