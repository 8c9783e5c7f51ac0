//! Local time that a feed calls UTC is told from dates that are announced, and mended.

use cw_model::record::RecordDateQuality;

use super::*;

/// Items of (guid, time of the first of March as written).
fn listed(items: &[(&str, &str)]) -> Answer {
    let item = |(guid, time): &(&str, &str)| {
        format!(
            "<item><title>Report {guid}</title><link>/{guid}</link><guid isPermaLink=\"false\">{guid}</guid>\
             <pubDate>Sun, 01 Mar 2026 {time} GMT</pubDate></item>"
        )
    };
    let items: String = items.iter().map(item).collect();
    let text = format!("<rss version=\"2.0\"><channel><title>W</title>{items}</channel></rss>");
    body_with(&text, None)
}

/// Polls at these times of the first of March, each listing what came since; of each, the dates of its records as
/// `HH:MM:SS`, and whether the offset is known now.
fn dated(polls: &[(&str, &[(&str, &str)])]) -> Vec<(Vec<Option<String>>, bool)> {
    let tagger = tagger();
    let mut state = Arc::new(FeedState::default());
    let mut all = Vec::new();
    let mut dated = Vec::new();
    for (at, items) in polls {
        all.splice(0..0, items.iter().copied());
        let now = format!("2026-03-01T{at}Z").parse().unwrap();
        let outcome = process(&feed(), &listed(&all), &state, &tagger, now);
        state = outcome.state;
        let records = outcome.records.iter().rev();
        let dates = records.map(|routed| {
            let at = routed.record.published_at.as_deref()?;
            Some(at.get(11..19)?.to_owned())
        });
        dated.push((dates.collect(), state.plan.local_time.learned().is_some()));
    }
    dated
}

/// Of each poll: the dates of its records, and whether the offset is known then.
#[track_caller]
fn check(polls: &[(&str, &[(&str, &str)])], expected: &[(&[Option<&str>], bool)]) {
    let expected: Vec<(Vec<Option<String>>, bool)> = expected
        .iter()
        .map(|(dates, known)| (dates.iter().map(|at| at.map(str::to_owned)).collect(), *known))
        .collect();
    assert_eq!(dated(polls), expected);
}

#[test]
fn a_first_document_of_local_time_is_mended_by_the_poll_that_reads_it() {
    let items = [("d", "17:22:13"), ("c", "16:41:47"), ("b", "15:03:09"), ("a", "12:10:02")];
    let outcome = polls(&feed(), &[listed(&items)]);
    let dates: Vec<_> = outcome.records.iter().rev().map(|routed| &routed.record).collect();
    let at: Vec<_> = dates.iter().map(|record| record.published_at.as_deref().unwrap()).collect();
    assert_eq!(
        at,
        [
            "2026-03-01T11:52:13Z",
            "2026-03-01T11:11:47Z",
            "2026-03-01T09:33:09Z",
            "2026-03-01T06:40:02Z"
        ]
    );
    let (future, learned) = (RecordDateQuality::Future, RecordDateQuality::ZoneLearned);
    assert_eq!(dates[0].dates.quality, [future]);
    assert_eq!(dates[3].dates.quality, [learned]);
    let written = outcome.state.written().unwrap();
    let read = FeedState::parse(written.as_bytes()).unwrap();
    assert_eq!(read.plan.local_time.learned(), Some(Duration::from_secs(330 * 60)));
}

#[test]
fn the_poll_that_learns_an_offset_mends_its_own_records_and_revises_none() {
    check(
        &[
            ("12:00:00", &[("a", "10:00:00")]),
            ("12:15:00", &[("b", "20:10:31")]),
            ("12:30:00", &[("c", "20:22:05")]),
            ("12:45:00", &[("d", "20:41:00")]),
            ("13:00:00", &[("f", "20:58:59"), ("e", "20:50:00")]),
        ],
        &[
            (&[Some("10:00:00")], false),
            (&[None], false),
            (&[None], false),
            (&[Some("12:41:00")], true),
            (&[Some("12:58:59"), Some("12:50:00")], true),
        ],
    );
}

#[test]
fn an_offset_that_was_taken_too_small_grows() {
    // Nepal's at first, for nothing was newer than that.
    check(
        &[
            ("12:00:00", &[("a", "10:00:00")]),
            ("12:30:00", &[("d", "18:15:00"), ("c", "18:14:00"), ("b", "18:13:00")]),
            ("12:45:00", &[("e", "18:44:00")]),
        ],
        &[
            (&[Some("10:00:00")], false),
            (&[Some("12:30:00"), Some("12:29:00"), Some("12:28:00")], true),
            (&[Some("12:44:00")], true),
        ],
    );
}

#[test]
fn announced_entries_mend_nothing() {
    // Beside such that are dated as they come.
    let polls: &[(&str, &[(&str, &str)])] = &[
        ("12:00:00", &[("a", "10:00:00")]),
        ("12:15:00", &[("c", "20:14:00"), ("b", "12:14:00")]),
        ("12:30:00", &[("e", "20:29:00"), ("d", "12:29:00")]),
        ("12:45:00", &[("g", "20:44:00"), ("f", "12:44:00")]),
        ("13:00:00", &[("i", "20:59:00"), ("h", "12:59:00")]),
    ];
    assert!(dated(polls).iter().all(|(_, known)| !known), "{:?}", dated(polls));
    // Alone, by times that are not one offset.
    let polls: &[(&str, &[(&str, &str)])] = &[
        ("12:00:00", &[("a", "10:00:00")]),
        ("12:15:00", &[("b", "20:00:00")]),
        ("12:30:00", &[("c", "21:30:00")]),
        ("12:45:00", &[("d", "23:00:00")]),
    ];
    assert!(dated(polls).iter().all(|(_, known)| !known), "{:?}", dated(polls));
    // In a first document: a programme, too few, and such as end nowhere near an offset.
    for items in [
        [("a", "20:00:00"), ("b", "19:00:00"), ("c", "18:00:00")],
        [("a", "19:58:31"), ("b", "19:13:10"), ("c", "11:00:00")],
        [("a", "19:38:31"), ("b", "19:13:10"), ("c", "18:01:07")],
    ] {
        let polls: &[(&str, &[(&str, &str)])] = &[("12:00:00", &items)];
        assert!(!dated(polls)[0].1, "{items:?}");
    }
}

#[test]
fn a_feed_whose_dates_become_right_is_believed_at_once() {
    let items = [("c", "19:55:13"), ("b", "19:41:47"), ("a", "18:03:09")];
    check(
        &[("12:00:00", &items), ("12:15:00", &[("d", "12:11:00")])],
        &[
            (&[Some("11:55:13"), Some("11:41:47"), Some("10:03:09")], true),
            (&[Some("12:11:00")], false),
        ],
    );
}

#[test]
fn dates_that_name_another_zone_than_utc_are_left_alone() {
    let items = [("c", "19:55:13"), ("b", "19:41:47"), ("a", "18:03:09")];
    let Answer::Body(mut of_its_own) = listed(&items) else { unreachable!("it is a document") };
    let text = String::from_utf8(of_its_own.bytes).unwrap();
    of_its_own.bytes = text.replacen("18:03:09 GMT", "10:03:09 +0000", 1).into_bytes();
    let outcome = polls(&feed(), &[Answer::Body(of_its_own.clone())]);
    assert_eq!(outcome.state.plan.local_time, cw_model::state::LocalTime::default());
    of_its_own.bytes = text.replace("GMT", "+0800").into_bytes();
    let outcome = polls(&feed(), &[Answer::Body(of_its_own)]);
    assert_eq!(outcome.state.plan.local_time, cw_model::state::LocalTime::default());
    let at = outcome.records[0].record.published_at.as_deref();
    assert_eq!(at, Some("2026-03-01T10:03:09Z"));
}
