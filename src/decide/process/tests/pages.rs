//! Full text from pages: what is wanted, and what the texts change and do not.

use cw_model::FullText;
use cw_read::page::PageText;

use super::*;

const LONG: &str = "Shells hit the market of Karsk on Sunday, and nine people were killed. Doctors counted thirty-one wounded.";

fn wanting() -> Feed {
    Feed { full_text: FullText::Page, ..feed() }
}

fn described(description: &str) -> Answer {
    let text = format!(
        "<rss version=\"2.0\"><channel><title>Wire</title><item><title>Report from Karsk</title>\
         <link>https://wire.example/karsk</link><description>{description}</description></item></channel></rss>"
    );
    body_with(&text, None)
}

/// A first poll with the text of the page, if there is one.
fn poll(answer: &Answer, state: &FeedState, page: Option<&str>) -> Outcome {
    let tagger = tagger();
    let first = process(&wanting(), answer, state, &tagger, now());
    let text = |body: &str| PageText { body: body.to_owned(), is_cut: false };
    let wanted = wanted_pages(&wanting(), &first);
    let pages: Pages =
        wanted.into_iter().filter_map(|wanted| Some((wanted.article, text(page?)))).collect();
    process_with(&wanting(), answer, state, Reader { tagger: &tagger, pages: &pages }, now())
}

#[test]
fn only_what_is_published_with_a_teaser_wants_its_page() {
    let wanted = |feed: &Feed, answer: &Answer, state: &FeedState| {
        let outcome = process(feed, answer, state, &tagger(), now());
        wanted_pages(feed, &outcome)
            .into_iter()
            .map(|page| page.url.to_string())
            .collect::<Vec<_>>()
    };
    let (none, teaser) = (FeedState::default(), described("A teaser."));
    assert_eq!(wanted(&wanting(), &teaser, &none), ["https://wire.example/karsk"]);
    assert!(wanted(&feed(), &teaser, &none).is_empty());
    let full = described(&"A long report. ".repeat(TEASER_CHARS_MAX / 10));
    assert!(wanted(&wanting(), &full, &none).is_empty());
    // Nothing is published of what is unchanged.
    let after = process(&wanting(), &teaser, &none, &tagger(), now());
    assert!(wanted(&wanting(), &teaser, &after.state).is_empty());
    // The newest first, and no more than a poll may ask for.
    let guids: Vec<String> = (0..50).map(|number| format!("g{number}")).collect();
    let items: Vec<(&str, &str)> =
        guids.iter().map(|guid| (guid.as_str(), guid.as_str())).collect();
    let urls = wanted(&wanting(), &body(&items), &none);
    assert_eq!(urls.len(), PAGES_MAX);
    assert_eq!(urls[0], "https://wire.example/g0");
}

#[test]
fn a_page_that_two_articles_share_is_wanted_for_neither() {
    let item = |title: &str, place: &str| {
        format!(
            "<item><title>{title}</title><guid isPermaLink=\"false\">{title}</guid><link>https://wire.example/live{place}\
             </link></item>"
        )
    };
    let wanted = |items: &[String]| {
        let text = format!(
            "<rss version=\"2.0\"><channel><title>Wire</title>{}</channel></rss>",
            items.concat()
        );
        let outcome =
            process(&wanting(), &body_with(&text, None), &FeedState::default(), &tagger(), now());
        (outcome.records.len(), wanted_pages(&wanting(), &outcome).len())
    };
    assert_eq!(wanted(&[item("One", "#1"), item("Two", "#2")]), (2, 0));
    assert_eq!(wanted(&[item("One", ""), item("Two", "/2")]), (2, 2));
}

#[test]
fn a_text_tells_the_language_that_a_headline_does_not() {
    let feed = Feed { language: None, ..wanting() };
    let answer = body(&[("a", "Karsk")]);
    let tagger = tagger();
    let first = process(&feed, &answer, &FeedState::default(), &tagger, now());
    assert_eq!(first.records[0].record.language, None);
    let article = wanted_pages(&feed, &first)[0].article;
    let pages: Pages = [(article, PageText { body: LONG.to_owned(), is_cut: false })].into();
    let reader = Reader { tagger: &tagger, pages: &pages };
    let full = process_with(&feed, &answer, &FeedState::default(), reader, now());
    assert_eq!(full.records[0].record.language.as_deref(), Some("en"));
}

#[test]
fn a_text_from_a_page_is_coded_and_changes_no_identity_and_no_digest() {
    let (answer, none) = (described("A teaser."), FeedState::default());
    let (plain, full) = (poll(&answer, &none, None), poll(&answer, &none, Some(LONG)));
    let [before, after] = [&plain, &full].map(|outcome| outcome.records[0].record.clone());
    assert_eq!(after.body.as_deref(), Some(LONG));
    assert_eq!(after.body_source, Some(cw_model::record::RecordBodySource::Page));
    assert_eq!((before.body, before.body_source), (None, None));
    assert_eq!((after.id, after.revision), (before.id, before.revision));
    assert_eq!(after.summary.as_deref(), Some("A teaser."));
    let is_relevant = |outcome: &Outcome| outcome.records[0].route == Route::Relevant;
    assert!(is_relevant(&full) && !is_relevant(&plain));
    let digests = |outcome: &Outcome| {
        let memory = outcome.state.unpacked_memory();
        memory.seen.iter().map(|(_, seen)| seen.digest).collect::<Vec<_>>()
    };
    assert_eq!(digests(&full), digests(&plain));
    // The page is another one now, and the feed is not.
    let again = poll(&answer, &full.state, Some("Quite another text of the page."));
    assert_eq!(again.records.len(), 0);
}

#[test]
fn an_edit_of_the_feed_is_a_revision_with_or_without_its_page() {
    let first = poll(&described("A teaser."), &FeedState::default(), Some(LONG));
    let edited = described("A teaser that says quite another thing than it did before.");
    let with = poll(&edited, &first.state, Some(LONG));
    assert_eq!(titles(&with), [("Report from Karsk".to_owned(), 2)]);
    assert_eq!(with.records[0].record.body.as_deref(), Some(LONG));
    let without = poll(&edited, &first.state, None);
    assert_eq!(titles(&without), [("Report from Karsk".to_owned(), 2)]);
    assert_eq!(without.records[0].record.body, None);
    // Those who read what is relevant learn that this revision says less.
    assert_eq!(without.records[0].route, Route::Correction);
}

#[test]
fn a_teaser_that_the_page_begins_with_is_no_summary() {
    let outcome =
        poll(&described("Shells hit the market of Karsk"), &FeedState::default(), Some(LONG));
    assert_eq!(outcome.records[0].record.summary, None);
}
