//! What a publisher takes back (RFC 6721), and shows again.

use cw_model::ArticleId;
use cw_model::record::RecordChange;

use super::*;

/// An Atom feed of these members.
fn atom(members: &[String]) -> Answer {
    let text = format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" \
         xmlns:at=\"http://purl.org/atompub/tombstones/1.0\"><title>Wire</title>{}</feed>",
        members.concat()
    );
    body_with(&text, None)
}

fn entry(guid: &str, title: &str, updated: &str) -> String {
    format!(
        "<entry><id>urn:{guid}</id><title>{title}</title><updated>{updated}</updated>\
         <link href=\"https://wire.example/{guid}\"/></entry>"
    )
}

fn deleted(guid: &str, when: &str) -> String {
    format!(
        "<at:deleted-entry ref=\"urn:{guid}\" when=\"{when}\"><at:comment>Wrong.</at:comment>\
         <at:by><name>Desk</name></at:by></at:deleted-entry>"
    )
}

const STRIKE: &str = "Warplanes bombed the town on Monday";
const BEFORE: &str = "2026-03-01T08:00:00Z";
const LATER: &str = "2026-03-01T09:00:00Z";
const LAST: &str = "2026-03-01T10:00:00Z";

/// Revision, change and route of what the last poll published.
#[track_caller]
fn check(answers: &[Answer], expected: &[(u32, RecordChange, Route)]) -> Outcome {
    let outcome = polls(&feed(), answers);
    let told: Vec<_> = outcome
        .records
        .iter()
        .map(|Routed { record, route }| (record.revision, record.change, *route))
        .collect();
    assert_eq!(told, expected, "{:?}", outcome.result);
    outcome
}

fn counts(outcome: &Outcome) -> EntryCounts {
    let PollResult::Modified(counts) = outcome.result else { panic!("{:?}", outcome.result) };
    counts
}

#[test]
fn what_a_publisher_takes_back_is_withdrawn_once() {
    let first = atom(&[entry("1", STRIKE, BEFORE), entry("2", "Two", BEFORE)]);
    let gone = atom(&[entry("2", "Two", BEFORE), deleted("1", LATER)]);
    let withdrawn = (2, RecordChange::Withdrawn, Route::Correction);
    let outcome = check(&[first.clone(), gone.clone()], &[withdrawn]);
    let record = &outcome.records[0].record;
    let created = polls(&feed(), std::slice::from_ref(&first));
    let created = created.records.iter().find(|one| one.record.id == record.id).unwrap();
    assert_eq!(record.guid, created.record.guid);
    assert_eq!(
        (record.url.as_ref(), record.title.as_ref(), record.body.as_ref()),
        (None, None, None)
    );
    assert_eq!((record.conflict.as_ref(), record.fingerprint.as_ref()), (None, None));
    assert_eq!(record.updated_at.as_deref(), Some(LATER));
    let again = atom(&[entry("2", "Two", BEFORE), deleted("1", LATER), deleted("1", LAST)]);
    let outcome = check(&[first, gone, again], &[]);
    assert_eq!(counts(&outcome).unchanged, 2);
}

#[test]
fn only_readers_who_were_told_of_an_article_are_told_that_it_is_gone() {
    let first = atom(&[entry("1", "The museum opens late", BEFORE)]);
    let gone = atom(&[deleted("1", LATER)]);
    check(&[first, gone], &[(2, RecordChange::Withdrawn, Route::Articles)]);
}

#[test]
fn what_is_shown_again_is_the_next_revision_also_with_the_same_words() {
    let shown = || atom(&[entry("1", STRIKE, BEFORE)]);
    let gone = || atom(&[deleted("1", LATER)]);
    let back = (3, RecordChange::Updated, Route::Relevant);
    check(&[shown(), gone(), shown()], &[back]);
    let withdrawn = (4, RecordChange::Withdrawn, Route::Correction);
    check(&[shown(), gone(), shown(), gone()], &[withdrawn]);
}

#[test]
fn of_an_entry_and_its_deletion_the_later_counts() {
    let first = || atom(&[entry("1", STRIKE, BEFORE)]);
    let both = |updated, when| atom(&[deleted("1", when), entry("1", STRIKE, updated)]);
    let withdrawn = (2, RecordChange::Withdrawn, Route::Correction);
    check(&[first(), both(BEFORE, LATER)], &[withdrawn]);
    // The same one after the other: nothing flaps.
    check(&[first(), both(BEFORE, LATER), both(BEFORE, LAST)], &[]);
    for when in [BEFORE, LATER, "yesterday", ""] {
        check(&[first(), both(LATER, when)], &[]);
    }
    check(&[both(BEFORE, LATER)], &[]);
}

#[test]
fn what_was_never_published_cannot_be_taken_back_and_is_counted() {
    let deletions =
        atom(&[deleted("1", LATER), deleted("2", LATER), "<at:deleted-entry/>".to_owned()]);
    let outcome = check(&[deletions], &[]);
    assert_eq!(counts(&outcome), EntryCounts { withdrawal_ignored: 3, ..EntryCounts::default() });
    let unpublished = Feed { backlog: Backlog::None, ..feed() };
    let answers = [atom(&[entry("1", STRIKE, BEFORE)]), atom(&[deleted("1", LATER)])];
    assert!(polls(&unpublished, &answers).records.is_empty());
}

#[test]
fn an_entry_with_a_very_long_id_is_taken_back_by_it() {
    let guid = |end: char| format!("{}{end}", "x".repeat(10_000));
    let first = || atom(&[entry(&guid('1'), STRIKE, BEFORE)]);
    let withdrawn = (2, RecordChange::Withdrawn, Route::Correction);
    let outcome = check(&[first(), atom(&[deleted(&guid('1'), LATER)])], &[withdrawn]);
    let created = polls(&feed(), &[first()]);
    assert_eq!(outcome.records[0].record.guid, created.records[0].record.guid);
    check(&[first(), atom(&[deleted(&guid('2'), LATER)])], &[]);
}

#[test]
fn a_deletion_with_a_very_long_date_is_one_with_a_date_that_nobody_can_read() {
    let first = atom(&[entry("1", STRIKE, BEFORE)]);
    let gone = atom(&[deleted("1", &"1".repeat(10_000))]);
    let outcome = check(&[first, gone], &[(2, RecordChange::Withdrawn, Route::Correction)]);
    let dates = &outcome.records[0].record.dates;
    assert_eq!(dates.quality, [cw_model::record::RecordDateQuality::Unparsed]);
}

#[test]
fn a_guid_that_identifies_nothing_takes_nothing_back() {
    let one = |title: &str| entry("1", title, BEFORE).replace("/1\"", &format!("/{title}\""));
    let first = || atom(&[one("One"), one("Two")]);
    check(&[first(), atom(&[one("One"), one("Two"), deleted("1", LATER)])], &[]);
    check(&[first(), atom(&[deleted("1", LATER)])], &[]);
}

#[test]
fn deletions_stand_where_entries_do_and_nowhere_else() {
    let first = || atom(&[entry("1", STRIKE, BEFORE)]);
    let inside = entry("2", "Two", BEFORE).replace("</entry>", &(deleted("1", LATER) + "</entry>"));
    let deeper = format!("<at:x>{}</at:x>", deleted("1", LATER));
    for elsewhere in [inside, deeper] {
        let outcome = polls(&feed(), &[first(), atom(&[elsewhere])]);
        assert!(outcome.records.iter().all(|one| one.record.change == RecordChange::Created));
    }
    // Under another prefix, and undeclared.
    let other = deleted("1", LATER).replace("at:", "gone:");
    let declared = other.replace(
        "<gone:deleted-entry",
        "<gone:deleted-entry \
        xmlns:gone=\"https://purl.org/atompub/tombstones/1.0/\"",
    );
    let withdrawn = (2, RecordChange::Withdrawn, Route::Correction);
    check(&[first(), atom(&[declared])], &[withdrawn]);
    check(&[first(), atom(&[other])], &[]);
}

/// RFC 6721 has a media type for it: `application/atomdeleted+xml`.
#[test]
fn a_deleted_entry_may_be_the_whole_document() {
    let first = || atom(&[entry("1", STRIKE, BEFORE)]);
    let namespace = "xmlns:t=\"http://purl.org/atompub/tombstones/1.0\"";
    let alone = |namespace: &str| {
        let open = format!("<t:deleted-entry {namespace}");
        let text = deleted("1", LATER).replace("<at:deleted-entry", &open).replace("at:", "t:");
        body_with(&text, None)
    };
    let withdrawn = (2, RecordChange::Withdrawn, Route::Correction);
    let outcome = check(&[first(), alone(namespace)], &[withdrawn]);
    assert_eq!(counts(&outcome), EntryCounts { withdrawn: 1, ..EntryCounts::default() });
    // Of another vocabulary it is no feed.
    let outcome = polls(&feed(), &[first(), alone("xmlns:t=\"urn:t\"")]);
    assert!(
        matches!(&outcome.result, PollResult::Failed(failure) if failure.class == FailureClass::NotAFeed)
    );
}

#[test]
fn a_deletion_from_before_the_last_update_takes_nothing_back_also_when_the_entry_is_not_shown() {
    let shown = |updated| atom(&[entry("1", STRIKE, updated)]);
    let withdrawn = (2, RecordChange::Withdrawn, Route::Correction);
    for when in [BEFORE, LATER] {
        let outcome = check(&[shown(LATER), atom(&[deleted("1", when)])], &[]);
        assert_eq!(counts(&outcome).withdrawal_ignored, 1);
    }
    check(&[shown(LATER), atom(&[deleted("1", LAST)])], &[withdrawn]);
    // It was put right and left the feed before its tombstone did.
    let back = shown(LAST);
    check(&[shown(BEFORE), atom(&[deleted("1", LATER)]), back, atom(&[deleted("1", LATER)])], &[]);
    // A date of which nothing can be said is none.
    check(&[shown(LATER), atom(&[deleted("1", "yesterday")])], &[withdrawn]);
}

/// States are read by the versions before, which know neither of withdrawals nor of updates.
#[test]
fn what_was_taken_back_stays_so_through_versions_that_know_nothing_of_it() {
    let first =
        polls(&feed(), &[atom(&[entry("1", STRIKE, BEFORE)]), atom(&[deleted("1", LATER)])]);
    let mut before = serde_json::to_value(StateRecord::from(first.state.as_ref())).unwrap();
    before.as_object_mut().unwrap().remove("knows_relevance");
    for seen in before["seen"].as_object_mut().unwrap().values_mut() {
        seen.as_object_mut()
            .unwrap()
            .retain(|key, _| ["digest", "revision", "last_seen"].contains(&key.as_str()));
    }
    let before = FeedState::parse(before.to_string().as_bytes()).unwrap();
    let poll = |members: &[String]| process(&feed(), &atom(members), &before, &tagger(), now());
    assert!(poll(&[deleted("1", LAST)]).records.is_empty());
    let back = poll(&[entry("1", STRIKE, BEFORE)]);
    assert_eq!(
        (back.records[0].record.revision, back.records[0].record.change),
        (3, RecordChange::Updated)
    );
}

#[test]
fn an_article_of_nothing_but_a_guid_is_not_taken_for_one_that_was_taken_back() {
    let bare = || atom(&["<entry><id>urn:1</id></entry>".to_owned()]);
    let gone = || atom(&[deleted("1", LATER)]);
    check(&[bare(), gone()], &[(2, RecordChange::Withdrawn, Route::Articles)]);
    check(&[bare(), gone(), bare()], &[(3, RecordChange::Updated, Route::Articles)]);
}

#[test]
fn what_is_taken_back_counts_for_the_quota_and_waits_for_the_next_day() {
    let quota = cw_model::Quota { articles: 1, ..feed().quota };
    let one_a_day = Feed { quota, ..feed() };
    let tagger = tagger();
    let first = process(
        &one_a_day,
        &atom(&[entry("1", STRIKE, BEFORE)]),
        &FeedState::default(),
        &tagger,
        now(),
    );
    let gone = atom(&[deleted("1", LATER)]);
    let same_day = process(&one_a_day, &gone, &first.state, &tagger, now());
    assert!(same_day.records.is_empty());
    assert_eq!(counts(&same_day).over_quota, 1);
    let next_day = now() + Duration::from_hours(24);
    let later = process(&one_a_day, &gone, &same_day.state, &tagger, next_day);
    assert_eq!(later.records[0].record.change, RecordChange::Withdrawn);
}

#[test]
fn deletions_without_end_are_read_up_to_a_limit_and_cost_what_they_are_long() {
    let gone = |number: usize| deleted(&format!("x{number}"), LATER);
    let first = atom(&[entry("x7", STRIKE, BEFORE)]);
    let many = atom(&(0..100_000).map(gone).collect::<Vec<_>>());
    let outcome = check(&[first, many], &[(2, RecordChange::Withdrawn, Route::Correction)]);
    assert_eq!(counts(&outcome).withdrawal_ignored, 99_999);
    assert_eq!(outcome.state.unpacked_memory().seen.len(), 1);
}

/// What no topic takes waits for room; taken back, it waits for nothing.
#[test]
fn what_waits_for_room_and_is_taken_back_is_withdrawn_once_if_it_was_published() {
    use cw_model::state::Room;
    let shown = |title| atom(&[entry("1", title, BEFORE)]);
    let gone = || atom(&[deleted("1", LATER)]);
    let room = Room { bytes: 2, limit: 1 };
    for (published, expected) in [(vec![], 0), (vec![shown("One")], 1)] {
        let before = polls(&feed(), &[published, vec![shown(STRIKE)]].concat());
        let id = ArticleId::parse(&before.records[0].record.id).unwrap();
        let mut state = before.state.unpack();
        assert!(state.leave_unpublished(id, Route::Relevant, room) && state.try_again(|_| true));
        let after = process(&feed(), &gone(), &state.pack(), &tagger(), now());
        assert_eq!(after.records.len(), expected);
        assert!(after.records.iter().all(|one| one.record.revision == 2));
        let again = process(&feed(), &atom(&[deleted("1", LAST)]), &after.state, &tagger(), now());
        assert!(again.records.is_empty());
        assert!(expected > 0 || after.state.unpacked_memory().unpublished.is_empty());
    }
}

#[test]
fn a_later_mark_of_an_article_takes_it_back() {
    let withdrawn = (2, RecordChange::Withdrawn, Route::Correction);
    let rest = entry("2", "Two", BEFORE);
    for (first_id, later_id) in [
        ("urn:1", "urn:moved-1"),
        ("http://wire.example/1", "https://www.wire.example/1"),
        ("https://wire.example/1", "https://wire.example/1?utm_source=feed"),
    ] {
        let with =
            |id: &str| entry("1", STRIKE, BEFORE).replace("<id>urn:1<", &format!("<id>{id}<"));
        let first = atom(&[with(first_id), rest.clone()]);
        let moved = atom(&[with(later_id), rest.clone(), entry("3", "Three", BEFORE)]);
        let gone = deleted("1", LATER).replace("urn:1", later_id);
        let outcome = check(&[first.clone(), moved, atom(&[rest.clone(), gone])], &[withdrawn]);
        let told = polls(&feed(), &[first]);
        let id = told.records.iter().find(|routed| routed.record.title.as_deref() == Some(STRIKE));
        assert_eq!(id.map(|routed| &routed.record.id), Some(&outcome.records[0].record.id));
    }
}
