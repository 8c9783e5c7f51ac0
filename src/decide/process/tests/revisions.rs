//! What is no news of an article, though its text is another.

use super::*;

/// A document of one item with this text.
fn saying(text: &str) -> Answer {
    let body = rss(&[("1", "Market day")]);
    body_with(
        &body.replace("<pubDate>", &format!("<description>{text}</description><pubDate>")),
        None,
    )
}

/// The texts that are published of these, one each quarter of an hour.
/// The same, where other articles come with each document.
fn published_beside(texts: &[String]) -> Vec<String> {
    let tagger = tagger();
    let mut state = Arc::new(FeedState::default());
    let mut told = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let Answer::Body(body) = saying(text) else { unreachable!() };
        let other =
            format!("<item><title>T{number}</title><guid>o{number}</guid></item></channel>");
        let document = String::from_utf8(body.bytes).unwrap().replace("</channel>", &other);
        let outcome = process(&feed(), &body_with(&document, None), &state, &tagger, now());
        state = outcome.state;
        told.extend(outcome.records.into_iter().filter_map(|routed| routed.record.summary));
    }
    told
}

fn published(texts: &[String]) -> Vec<String> {
    let tagger = tagger();
    let mut state = Arc::new(FeedState::default());
    let mut now = now();
    let mut told = Vec::new();
    for text in texts {
        let outcome = process(&feed(), &saying(text), &state, &tagger, now);
        let written = outcome.state.written().unwrap();
        state = Arc::new(FeedState::parse(written.as_bytes()).unwrap());
        told.extend(outcome.records.into_iter().filter_map(|routed| routed.record.summary));
        now += Duration::from_secs(900);
    }
    told
}

fn texts(texts: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
}

#[test]
fn two_copies_of_a_document_in_turn_are_two_revisions_and_no_more() {
    let copies = ["The road is open.", "The road is closed, the police say."];
    let polls = texts((0..34).map(|poll| copies[poll % 2]));
    assert_eq!(published(&polls), copies);
    let copies = ["One.", "Two, later.", "Three, later still."];
    let polls = texts((0..33).map(|poll| copies[poll % 3]));
    assert_eq!(published(&polls), copies);
}

#[test]
fn an_edit_that_is_taken_back_is_told_once_it_stands() {
    let mut polls = texts(["First words.", "Second words."]);
    // The number of entries beside it makes each document another one.
    polls.extend((0..4).map(|_| "First words.".to_owned()));
    assert_eq!(published_beside(&polls), ["First words.", "Second words.", "First words."]);
    assert_eq!(published_beside(&polls[..5]), ["First words.", "Second words."]);
}

/// 82
#[test]
fn an_edit_is_published_after_copies_came_in_turn() {
    let mut polls = texts((0..9).map(|poll| ["First words.", "Second words."][poll % 2]));
    polls.push("Third words.".to_owned());
    assert_eq!(published(&polls), ["First words.", "Second words.", "Third words."]);
}

fn counted(readers: usize, text: &str) -> String {
    format!("{text} Traders met at the old bridge this morning. Read {readers} times.")
}

/// 83
#[test]
fn a_number_that_grows_at_every_poll_is_published_until_it_is_known_and_not_after() {
    let polls = texts((0..20).map(|poll| counted(1000 + poll, "It rains.")));
    assert_eq!(published(&polls).len(), 3);
}

/// 83
#[test]
fn an_edit_beside_a_number_that_grows_is_published_at_once() {
    let polls = texts((0..20).map(|poll| {
        counted(1000 + poll, if poll < 10 { "It rains." } else { "It rains no more." })
    }));
    let told = published(&polls);
    // And once more, for it may have been part of what changes.
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told[3].starts_with("It rains no more. Traders met"), "{told:?}");
    assert!(told[3].contains("1010"), "{told:?}");
}

#[test]
fn a_toll_that_rises_at_every_poll_is_news_each_time() {
    let polls = texts((3..12).map(|dead| {
        format!("Shelling of the town of Harn killed {dead} civilians, the mayor said on Monday.")
    }));
    assert_eq!(published(&polls).len(), 9);
}

#[test]
fn what_changes_by_itself_is_told_once_a_day() {
    let polls = texts((0..96 * 2).map(|poll| counted(1000 + poll, "It rains.")));
    let count = published(&polls).len();
    assert!((4..=5).contains(&count), "{count}");
}

#[test]
fn edits_in_different_places_are_no_pattern() {
    let word = |place: usize, poll: usize| if poll > place { "new" } else { "old" };
    let polls = texts((0..9).map(|poll| {
        let words: Vec<String> = (0..9)
            .map(|place| format!("{}{place} stays{place} here{place}", word(place, poll)))
            .collect();
        words.join(" ")
    }));
    assert_eq!(published(&polls).len(), 9);
}

#[test]
fn what_was_taken_back_and_is_shown_again_is_news_also_in_words_of_before() {
    let entry = |title: &str| {
        format!(
            "<entry><id>urn:1</id><title>{title}</title><updated>2026-03-01T10:00:00Z</updated></entry>"
        )
    };
    let atom = |members: &str| {
        let text = format!(
            "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:at=\"http://purl.org/atompub/tombstones/1.0\">\
             <title>Wire</title>{members}</feed>"
        );
        body_with(&text, None)
    };
    let deleted = "<at:deleted-entry ref=\"urn:1\" when=\"2026-03-01T11:00:00Z\"/>";
    let answers = [atom(&entry("One")), atom(&entry("Two")), atom(deleted), atom(&entry("One"))];
    assert_eq!(titles(&polls(&feed(), &answers)), [("One".to_owned(), 4)]);
}

#[test]
fn what_is_remembered_of_revisions_is_bounded_and_goes_with_the_article() {
    let long = |poll: usize| {
        let words: Vec<String> =
            (0..3000).map(|word| format!("w{word}-{}", poll / (word + 1))).collect();
        words.join(" ")
    };
    let tagger = tagger();
    let feed = Feed { text_chars_max: 100_000, ..feed() };
    let mut state = Arc::new(FeedState::default());
    for poll in 0..5 {
        state = process(&feed, &saying(&long(poll)), &state, &tagger, now()).state;
    }
    let revisions = state.unpacked_memory().revisions;
    assert!(revisions.values().all(|one| one.words.is_empty() && one.earlier.len() == 4));
    assert_eq!(revisions.len(), 1);
}
