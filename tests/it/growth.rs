//! Twice the text takes twice the steps, whatever it is made of. What a step is worth in processor time
//! is for the benchmark to say (`benches/README.md`).

use conflictwire::model::{Entry, EntryText, Feed, Quota, Steps, TextKind};
use conflictwire::normalise::{Context, normalise};
use conflictwire::pipeline::process::process_within;
use conflictwire::state::FeedState;
use conflictwire::tag::{Tagger, Texts};

use crate::constructions::documents::{DOCUMENTS, ENTRIES};
use crate::constructions::texts::TEXTS;
use crate::records::{self, answer, now, tagger};

/// The length of the first of three texts, each twice as long as the one before: longer than the longest
/// sentence.
const TEXT_BYTES: usize = 10_000;

/// The same of documents: some of their pieces have thousands of bytes.
const DOCUMENT_BYTES: usize = 20_000;

/// Times that steps may grow when a text doubles.
const GROWTH_MAX: f64 = 2.2;

/// One of which nothing is cut, so that nothing grows less than it would.
fn feed() -> Feed {
    Feed {
        language: Some("en".to_owned()),
        entries_max: usize::MAX,
        text_chars_max: usize::MAX,
        body_limit: 1 << 40,
        quota: Quota { articles: u64::MAX, bytes: u64::MAX },
        ..records::feed("wire")
    }
}

/// The steps of normalising an entry with this text for everything, and of coding the article.
fn steps_of_text(text: &str, feed: &Feed, tagger: &Tagger) -> u64 {
    let steps = Steps::new(u64::MAX);
    let none = std::collections::HashSet::new();
    let context = Context {
        feed,
        base: &feed.url,
        language: None,
        shown_language: None,
        repeated_guids: &none,
        now: now(),
    };
    let html = |value: &str| Some(EntryText { kind: TextKind::Html, value: value.to_owned() });
    let entry = Entry {
        guid: Some("a".to_owned()),
        title: html(text),
        content: html(text),
        ..Entry::default()
    };
    let article = normalise(&context, &entry, &steps).unwrap();
    let texts = Texts {
        title: article.title.as_deref().unwrap_or_default(),
        summary: "",
        body: article.body.as_deref().unwrap_or_default(),
    };
    tagger.code(texts, Some("en"), &steps).unwrap();
    steps.spent()
}

fn steps_of_document(
    document: &str,
    state: &FeedState,
    feed: &Feed,
    tagger: &Tagger,
) -> (u64, FeedState) {
    let steps = Steps::new(u64::MAX);
    let answer = answer(feed, document.as_bytes().to_vec());
    let outcome = process_within(feed, &answer, state, tagger, now(), &steps);
    (steps.spent(), FeedState::clone(&outcome.state))
}

/// Fails for each name whose steps grow more than they may from one length to the next.
#[track_caller]
fn check(all: impl Iterator<Item = (&'static str, [u64; 3])>) {
    let mut grown = Vec::new();
    for (name, steps) in all {
        for pair in steps.windows(2) {
            #[expect(clippy::cast_precision_loss, reason = "a ratio of small numbers")]
            let growth = pair[1] as f64 / pair[0] as f64;
            if growth > GROWTH_MAX {
                grown.push(format!("{name}: {growth:.2} times, {steps:?}"));
            }
        }
    }
    assert!(grown.is_empty(), "more than {GROWTH_MAX} times the steps:\n{}", grown.join("\n"));
}

#[test]
fn twice_the_text_takes_twice_the_steps() {
    let (feed, tagger) = (feed(), tagger());
    assert!(TEXTS.len() >= 25);
    check(TEXTS.iter().map(|(name, make)| {
        let steps = |times| steps_of_text(&make(TEXT_BYTES * times), &feed, &tagger);
        (*name, [1, 2, 4].map(steps))
    }));
}

#[test]
fn twice_the_document_takes_twice_the_steps() {
    let (feed, tagger) = (feed(), tagger());
    check(DOCUMENTS.iter().chain(ENTRIES).map(|(name, make)| {
        let steps = |times| {
            let document = make(DOCUMENT_BYTES * times);
            steps_of_document(&document, &FeedState::default(), &feed, &tagger).0
        };
        (*name, [1, 2, 4].map(steps))
    }));
}

/// What a feed has shown before costs no more the more there is of it: ten thousand articles are found
/// again one by one.
#[test]
fn what_was_seen_before_is_found_again_in_as_many_steps() {
    let (feed, tagger) = (feed(), tagger());
    let document = |entries: usize, rest: &str| {
        let item = |number| {
            format!("<item><guid>{number}</guid><title>An air strike on {number}</title></item>")
        };
        let items: String = (0..entries).map(item).collect();
        crate::constructions::documents::rss(&format!("{items}{rest}"))
    };
    let steps = |times: usize| {
        let entries = 2500 * times;
        let first = document(entries, "");
        let (_, seen) = steps_of_document(&first, &FeedState::default(), &feed, &tagger);
        assert_eq!(seen.seen.len(), entries);
        steps_of_document(
            &document(entries, "<item><guid>new</guid></item>"),
            &seen,
            &feed,
            &tagger,
        )
        .0
    };
    check(std::iter::once(("articles seen before", [1, 2, 4].map(steps))));
}
