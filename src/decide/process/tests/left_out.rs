//! What is left out of a document is said: with a reject, once, and a count.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// An item of one guid and link with this text and date.
fn item(guid: &str, title: &str, minute: u32) -> String {
    format!(
        "<item><guid isPermaLink=\"false\">{guid}</guid><link>https://wire.example/{guid}</link>\
         <title>{title}</title><pubDate>Sun, 01 Mar 2026 10:00:00 GMT</pubDate>\
         <dc:date>2026-03-01T10:{minute:02}:00Z</dc:date></item>"
    )
}

fn channel(members: &[String]) -> Answer {
    let text = format!(
        "<rss version=\"2.0\"><channel><title>Wire</title>{}</channel></rss>",
        members.concat()
    );
    body_with(&text, None)
}

fn rejected(outcome: &Outcome) -> u64 {
    let PollResult::Modified(counts) = outcome.result else { panic!("{:?}", outcome.result) };
    counts.rejected
}

/// Reason and bytes of each reject.
fn rejects(outcome: &Outcome) -> Vec<(String, String)> {
    let of = |reject: &Reject| {
        let bytes = STANDARD.decode(&reject.bytes).unwrap();
        (reject.reason.clone(), String::from_utf8(bytes).unwrap())
    };
    outcome.rejects.iter().map(of).collect()
}

/// Holds a document to the titles it publishes and the entries that gave way.
#[track_caller]
fn check(items: &[String], published: &[&str], gave_way: &[&String]) {
    let outcome = polls(&feed(), &[channel(items)]);
    let shown: Vec<String> = titles(&outcome).into_iter().map(|(title, _)| title).collect();
    assert_eq!(shown, published);
    let expected: Vec<(String, String)> =
        gave_way.iter().map(|item| ("entry".to_owned(), (*item).clone())).collect();
    assert_eq!(rejects(&outcome), expected);
    assert_eq!(rejected(&outcome), gave_way.len() as u64);
}

#[test]
fn of_entries_with_one_id_those_whose_text_is_lost_are_rejects() {
    let [one, two, three] = ["One", "Two", "Three"].map(|title| item("a", title, 0));
    check(&[one.clone(), two.clone()], &["One"], &[&two]);
    check(&[two.clone(), one.clone(), three.clone()], &["Two"], &[&one, &three]);
    // The one that is shown in the end loses nothing, nor does what is lost once already.
    check(&[one.clone(), two.clone(), one.clone(), two.clone()], &["One"], &[&two]);
    check(&[one.clone(), one.clone(), item("b", "Two", 0)], &["Two", "One"], &[]);
}

#[test]
fn entries_of_one_text_lose_nothing_whatever_else_differs() {
    let plain = item("a", "One", 0);
    let other = plain.replace("</item>", "<category>War</category></item>");
    check(&[plain.clone(), other.clone()], &["One"], &[]);
    check(&[plain.replace("10:00:00 GMT", "11:00:00 GMT"), plain], &["One"], &[]);
}

#[test]
fn an_entry_that_gives_way_is_rejected_once_while_it_stays_the_same() {
    let (one, two) = (item("a", "One", 0), item("a", "Two", 0));
    let first = channel(&[one.clone(), two.clone()]);
    let grown = channel(&[item("b", "New", 0), one, two]);
    let outcome = polls(&feed(), &[first, grown]);
    assert_eq!((rejects(&outcome), rejected(&outcome)), (vec![], 1));
    assert_eq!(titles(&outcome), [("New".to_owned(), 1)]);
}

#[test]
fn of_json_items_with_one_id_the_other_is_a_reject_too() {
    let two = r#"{"id": "a", "url": "/a", "title": "Two"}"#;
    let text = format!(
        r#"{{"version": "https://jsonfeed.org/version/1.1", "items": [
            {{"id": "a", "url": "/a", "title": "One"}}, {two}]}}"#
    );
    let outcome = polls(&feed(), &[body_with(&text, None)]);
    assert_eq!(titles(&outcome), [("One".to_owned(), 1)]);
    assert_eq!(rejects(&outcome), [("entry".to_owned(), two.to_owned())]);
    assert_eq!(outcome.rejects[0].offset, text.find(two).map(|at| at as u64));
}

#[test]
fn what_was_taken_back_gives_way_to_nobody() {
    let entry = |title: &str| {
        format!(
            "<entry><id>a</id><title>{title}</title><link href='/a'/>\
             <updated>2026-03-01T08:00:00Z</updated></entry>"
        )
    };
    let text = format!(
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:at='http://purl.org/atompub/tombstones/1.0'>\
         {}{}<at:deleted-entry ref='a' when='2026-03-01T09:00:00Z'/></feed>",
        entry("One"),
        entry("Two")
    );
    let outcome = polls(&feed(), &[body_with(&text, None)]);
    assert_eq!((outcome.records.len(), rejects(&outcome)), (0, vec![]));
}

/// More than a state could remember as refused would be rejected anew at every poll.
#[test]
fn as_much_as_one_document_can_have_rejected_is_written_once() {
    let twice = |at: usize| [item(&format!("a{at}"), "One", 0), item(&format!("a{at}"), "Two", 0)];
    let mut members: Vec<String> = (0..150).flat_map(twice).collect();
    members.extend((0..150).map(|at| format!("<entry>{at}</entry>")));
    members.extend(vec!["<category>a</category>".to_owned(); 2001]);
    members.push("<item/>".to_owned());
    let feed = Feed { entries_max: 300, ..feed() };
    let first = channel(&members);
    members.insert(0, "<description>Another document</description>".to_owned());
    let outcome = polls(&feed, std::slice::from_ref(&first));
    let reasons = |reason: &str| outcome.rejects.iter().filter(|one| one.reason == reason).count();
    assert_eq!((reasons("entry"), reasons("feed"), reasons("over_limit")), (200, 1, 1));
    assert_eq!(rejected(&outcome), 300);
    let again = polls(&feed, &[first, channel(&members)]);
    assert_eq!((again.rejects.len(), rejected(&again)), (0, 300));
}

#[test]
fn a_title_of_a_feed_that_is_cut_is_a_reject() {
    // Cut where it is read, cut where it is published, and not at all.
    for (title, is_cut) in
        [("x".repeat(5000), true), ("x".repeat(2000), true), ("x".repeat(1000), false)]
    {
        let text = rss(&[("1", "One")]).replace(">Wire<", &format!(">{title}<"));
        let outcome = polls(&feed(), &[body_with(&text, None)]);
        let expected = is_cut.then(|| ("feed".to_owned(), title.clone()));
        assert_eq!(rejects(&outcome), expected.into_iter().collect::<Vec<_>>());
        assert_eq!((outcome.records.len(), rejected(&outcome)), (1, 0));
        assert_eq!(outcome.records[0].record.feed.title, Some("x".repeat(1000)));
    }
}

#[test]
fn every_byte_of_a_reject_takes_steps() {
    let tagger = tagger();
    let spent = |bytes: usize, failures: u32| {
        let text = rss(&[])
            .replace("</channel>", &format!("<entry>{}</entry></channel>", "x".repeat(bytes)));
        let mut state = FeedState::default();
        state.plan.failures = failures;
        let steps = Steps::new(u64::MAX);
        let outcome =
            process_within(&feed(), &body_with(&text, None), &state, &tagger, now(), &steps);
        assert_eq!(outcome.rejects.len(), usize::from(failures == 0));
        steps.spent()
    };
    // What is rejected no more costs less; a byte, whether or not, more than it costs the parser.
    assert!(spent(10_000, 0) > spent(10_000, FAILURES_REJECTED_MAX) + 10_000);
    let parse = |bytes: usize| {
        let text = rss(&[])
            .replace("</channel>", &format!("<entry>{}</entry></channel>", "x".repeat(bytes)));
        let steps = Steps::new(u64::MAX);
        cw_read::parse::parse(text.as_bytes(), None, &URL.parse().unwrap(), 100, &steps).unwrap();
        steps.spent()
    };
    let of_process = spent(110_000, FAILURES_REJECTED_MAX) - spent(10_000, FAILURES_REJECTED_MAX);
    assert!(of_process >= parse(110_000) - parse(10_000) + 100_000);
}
