//! What a person sees, as text.

use std::sync::Arc;

use cw_model::record::{
    RecordCasualties, RecordCasualtyKind, RecordCasualtyScope, RecordConflict, RecordDates,
    RecordEvidence, RecordFeed, RecordObserved, RecordRelated, SCHEMA_VERSION,
};

use super::*;

const BODY: &str = "MUNICH — Russia proposed a ceasefire that would begin in March. In Aleppo, air \
     strikes hit two hospitals on Thursday.\n\nThe war has killed more than 250,000 people.";

/// An article that speaks of an air strike and a ceasefire.
pub(super) fn record() -> Record {
    let title = "Moscow offers a Syria truce from 1 March";
    Record {
        schema: SCHEMA_VERSION.to_owned(),
        id: "0".repeat(32),
        revision: 1,
        change: RecordChange::Created,
        feed: Arc::new(RecordFeed {
            id: "meridian-world".to_owned(),
            url: "http://wire.meridian.example/world.rss".to_owned(),
            title: None,
            publisher: None,
            country: None,
            language: None,
        }),
        url: Some("http://wire.meridian.example/truce".to_owned()),
        guid: None,
        title: Some(title.to_owned()),
        summary: Some("Ministers meet in Munich.".to_owned()),
        body: Some(BODY.to_owned()),
        body_source: None,
        truncated: false,
        repaired: false,
        authors: Vec::new(),
        categories: Vec::new(),
        language: Some("en".to_owned()),
        media: Vec::new(),
        published_at: Some("2016-02-11T18:42:00Z".to_owned()),
        updated_at: None,
        dates: RecordDates { published_raw: None, quality: Vec::new() },
        observed: RecordObserved { after: None, at: "2016-02-11T18:50:00Z".to_owned() },
        fingerprint: Some("0".repeat(16)),
        conflict: Some(RecordConflict {
            relevant: true,
            score: None,
            actors: None,
            places: None,
            tags: vec![
                tag(
                    "peace.ceasefire",
                    &[(RecordField::Title, title, "truce"), (RecordField::Body, BODY, "ceasefire")],
                ),
                tag("strike.air", &[(RecordField::Body, BODY, "air strikes")]),
                tag("civilian.health", &[(RecordField::Body, BODY, "hit two hospitals")]),
                tag("humanitarian.toll", &[(RecordField::Body, BODY, "more than 250,000")]),
            ],
            casualties: Some(vec![
                number(RecordCasualtyKind::Killed, Some(12), None, RecordCasualtyScope::Event),
                number(RecordCasualtyKind::Wounded, Some(37), Some(37), RecordCasualtyScope::Event),
                number(
                    RecordCasualtyKind::Killed,
                    Some(250_000),
                    None,
                    RecordCasualtyScope::Background,
                ),
            ]),
            flags: Some(Vec::new()),
            lexicon: "en/1".to_owned(),
        }),
    }
}

fn tag(id: &str, evidence: &[(RecordField, &str, &str)]) -> RecordTag {
    let related = RecordRelated { acled: None, plover: None, cameo: None, iptc: None, gdelt: None };
    let evidence = evidence.iter().map(|(field, text, words)| span(*field, text, words)).collect();
    let (id, label) = (id.to_owned(), id.to_owned());
    RecordTag { id, label, score: 0.9, related, claim: None, roles: None, evidence }
}

fn span(field: RecordField, text: &str, words: &str) -> RecordEvidence {
    let (before, _) = text.split_once(words).unwrap();
    let start = before.chars().count() as u64;
    let end = start + words.chars().count() as u64;
    RecordEvidence { field, start, end, text: words.to_owned() }
}

fn number(
    kind: RecordCasualtyKind,
    low: Option<u64>,
    high: Option<u64>,
    scope: RecordCasualtyScope,
) -> RecordCasualties {
    RecordCasualties {
        kind,
        low,
        high,
        scope,
        side: None,
        part_of: None,
        supersedes: None,
        evidence: Vec::new(),
    }
}

fn shown(record: &Record, medium: Medium, detail: Detail) -> String {
    let mut out = Vec::new();
    write_record(&mut out, record, Style { medium, detail }).unwrap();
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn check(record: &Record, detail: Detail, expected: &str) {
    assert_eq!(shown(record, Medium::Pipe, detail), expected);
}

#[test]
fn in_brief_the_best_tags_have_their_words_and_the_rest_their_names() {
    check(
        &record(),
        Detail::Brief,
        "\
● Moscow offers a Syria truce from 1 March
  2016-02-11 18:42 · meridian-world · en · http://wire.meridian.example/truce
  peace.ceasefire     MUNICH — Russia proposed a “ceasefire” that would begin in March.
  strike.air          In Aleppo, “air strikes” hit two hospitals on Thursday.
  civilian.health     In Aleppo, air strikes “hit two hospitals” on Thursday.
  also humanitarian.toll
  killed 12+ (event) · wounded 37 (event) · killed 250,000+ (background)

",
    );
}

#[test]
fn in_full_every_piece_of_evidence_is_shown() {
    check(
        &record(),
        Detail::Full,
        "\
● Moscow offers a Syria truce from 1 March
  2016-02-11 18:42 · meridian-world · en · http://wire.meridian.example/truce
  Ministers meet in Munich.
  0.90 peace.ceasefire     MUNICH — Russia proposed a “ceasefire” that would begin in March.
                           Moscow offers a Syria “truce” from 1 March
  0.90 strike.air          In Aleppo, “air strikes” hit two hospitals on Thursday.
  0.90 civilian.health     In Aleppo, air strikes “hit two hospitals” on Thursday.
  0.90 humanitarian.toll   The war has killed “more than 250,000” people.
  killed 12+ (event) · wounded 37 (event) · killed 250,000+ (background)

",
    );
}

#[test]
fn a_line_is_a_line() {
    check(
        &record(),
        Detail::Line,
        "● Moscow offers a Syria truce from 1 March · peace.ceasefire · strike.air · \
         civilian.health · meridian-world · en\n",
    );
}

#[test]
fn an_article_without_tags_has_a_hollow_mark_and_says_what_it_was_flagged_as() {
    let mut record = record();
    record.title = Some("Late strike ends siege".to_owned());
    if let Some(conflict) = &mut record.conflict {
        conflict.tags.clear();
        conflict.casualties = None;
        conflict.flags = Some(vec!["sport".to_owned()]);
        conflict.relevant = false;
    }
    check(&record, Detail::Line, "○ Late strike ends siege · sport · meridian-world · en\n");
    check(
        &record,
        Detail::Brief,
        "\
○ Late strike ends siege
  2016-02-11 18:42 · meridian-world · en · http://wire.meridian.example/truce
  flagged as sport

",
    );
}

#[test]
fn a_later_revision_says_so() {
    let record = Record { revision: 2, change: RecordChange::Updated, ..record() };
    assert!(shown(&record, Medium::Pipe, Detail::Line).starts_with("● rev 2 Moscow offers"));
}

#[test]
fn what_is_missing_is_said_or_left_out() {
    let record = Record {
        title: None,
        published_at: None,
        language: None,
        url: None,
        conflict: None,
        ..record()
    };
    let expected = "○ (no headline)\n  undated · meridian-world\n  not looked at for conflict\n\n";
    check(&record, Detail::Brief, expected);
    let taken_back = Record { change: RecordChange::Withdrawn, ..record };
    let text = shown(&taken_back, Medium::Pipe, Detail::Brief);
    assert!(!text.contains("not looked at"), "{text}");
}

#[test]
fn no_time_of_day_is_shown_that_nobody_gave() {
    let dates = RecordDates { published_raw: None, quality: vec![RecordDateQuality::DateOnly] };
    let record =
        Record { dates, published_at: Some("2016-02-11T00:00:00Z".to_owned()), ..record() };
    let text = shown(&record, Medium::Pipe, Detail::Brief);
    assert!(text.contains("\n  2016-02-11 · meridian-world"), "{text}");
}

#[test]
fn casualties_that_nobody_looked_for_are_not_none() {
    let mut record = record();
    if let Some(conflict) = &mut record.conflict {
        conflict.casualties = None;
    }
    let text = shown(&record, Medium::Pipe, Detail::Brief);
    assert!(text.contains("\n  not looked at for casualties\n"), "{text}");
}

#[test]
fn a_pipe_gets_no_escapes_and_no_isolates() {
    let mut record = record();
    record.title = Some("غارات \u{1b}[31mجوية\u{202e}".to_owned());
    for detail in [Detail::Line, Detail::Brief, Detail::Full] {
        let text = shown(&record, Medium::Pipe, detail);
        let steers =
            |c: char| c.is_control() && c != '\n' || ('\u{2066}'..='\u{2069}').contains(&c);
        assert!(!text.chars().any(steers), "{text:?}");
    }
}

#[test]
fn a_terminal_gets_colour_that_can_be_taken_away_again() {
    let terminal = shown(&record(), Medium::Terminal { columns: 100 }, Detail::Brief);
    assert!(terminal.contains('\u{1b}'));
    let stripped = anstream::adapter::strip_str(&terminal).to_string();
    assert_eq!(stripped, shown(&record(), Medium::Pipe, Detail::Brief));
}

#[test]
fn no_line_is_wider_than_the_terminal_but_for_links() {
    let mut record = record();
    if let Some(conflict) = &mut record.conflict {
        let others = ["humanitarian.displacement", "territory.siege", "strike.shelling"];
        conflict.tags.extend(others.map(|id| tag(id, &[(RecordField::Body, BODY, "war")])));
    }
    for columns in [40, 60, 80, 120] {
        for detail in [Detail::Line, Detail::Brief, Detail::Full] {
            let text = shown(&record, Medium::Terminal { columns }, detail);
            let text = anstream::adapter::strip_str(&text).to_string();
            for line in text.lines().filter(|line| !line.contains("http://")) {
                let width = Text::new(line, Paint::new()).columns();
                assert!(width <= columns, "{width} in {columns}: {line}");
            }
        }
    }
}

#[test]
fn tags_and_casualties_break_between_one_and_the_next_on_a_terminal() {
    let text = shown(&record(), Medium::Terminal { columns: 50 }, Detail::Brief);
    let text = anstream::adapter::strip_str(&text).to_string();
    let expected = "  killed 12+ (event) · wounded 37 (event) ·\n  killed 250,000+ (background)\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn what_reads_leftwards_is_isolated_on_a_terminal() {
    let record = Record { title: Some("غارات جوية".to_owned()), ..record() };
    let text = shown(&record, Medium::Terminal { columns: 100 }, Detail::Line);
    let text = anstream::adapter::strip_str(&text).to_string();
    assert!(text.starts_with("● \u{2068}غارات جوية\u{2069} · "), "{text:?}");
}

#[test]
fn a_line_names_as_many_tags_as_leave_the_headline_whole() {
    let line = |columns| {
        let text = shown(&record(), Medium::Terminal { columns }, Detail::Line);
        anstream::adapter::strip_str(&text).to_string()
    };
    assert_eq!(
        line(83),
        "● Moscow offers a Syria truce from 1 March · peace.ceasefire · meridian-world · en\n"
    );
    assert_eq!(line(64), "● Moscow offers a Syria truce from 1 March · meridian-world · en\n");
    assert_eq!(line(50), "● Moscow offers a Syria tru… · meridian-world · en\n");
}

#[test]
fn words_that_do_not_stand_in_the_headline_colour_nothing() {
    let record =
        Record { title: Some("Another headline altogether, longer".to_owned()), ..record() };
    let text = shown(&record, Medium::Terminal { columns: 100 }, Detail::Line);
    assert!(text.contains("Another headline altogether, longer"), "{text:?}");
}
