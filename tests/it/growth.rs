//! Twice the text takes twice the steps, whatever it is made of. What a step is worth in processor time
//! is for the benchmark to say (`benches/README.md`).

use cw_code::{Tagger, Texts};
use cw_decide::process::process_within;
use cw_model::state::{FeedState, SeenArticle};
use cw_model::{ArticleId, Digest, Entry, EntryText, Feed, Quota, Steps, TextKind};
use cw_read::normalise::{Context, normalise};
use cw_read::parse::date::Conventions;
use cw_read::parse::parse;

use crate::constructions::Construction;
use crate::constructions::documents::{DOCUMENTS, ENTRIES, rss};
use crate::constructions::texts::TEXTS;
use crate::records::{self, answer, now, tagger};

/// The length of the first of three texts, each twice as long as the one before: longer than the longest
/// sentence.
const TEXT_BYTES: usize = 10_000;

/// The same of documents: some of their pieces have thousands of bytes.
const DOCUMENT_BYTES: usize = 20_000;

/// Times that steps may grow when a text doubles.
const GROWTH_MAX: f64 = 2.2;

/// Fewer entries than most of them have, so that some are past the limit.
const ENTRIES_PARSED: usize = 500;

/// Every document.
fn documents() -> impl Iterator<Item = &'static Construction> {
    DOCUMENTS.iter().copied().chain([ENTRIES]).flatten()
}

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
        dates: &Conventions::default(),
        seen: None,
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
        feed_country: None,
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

/// The length of something, and the steps that it takes.
type Cost = (usize, u64);

/// Fails for each name whose steps grow more than they may from one length to the next. What is made of
/// long pieces is not quite twice as long: its growth is that of as much as it is longer.
#[track_caller]
fn check(all: impl Iterator<Item = (&'static str, [Cost; 3])>) {
    let mut grown = Vec::new();
    for (name, costs) in all {
        for pair in costs.windows(2) {
            let [(bytes, steps), (more_bytes, more_steps)] = [pair[0], pair[1]];
            #[expect(clippy::cast_precision_loss, reason = "a ratio of small numbers")]
            let growth = 2.0 * more_steps as f64 / steps as f64 * bytes as f64 / more_bytes as f64;
            if growth > GROWTH_MAX {
                grown.push(format!("{name}: {growth:.2} times, {costs:?}"));
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
        let cost = |times| {
            let text = make(TEXT_BYTES * times);
            (text.len(), steps_of_text(&text, &feed, &tagger))
        };
        (*name, [1, 2, 4].map(cost))
    }));
}

#[test]
fn twice_the_document_takes_twice_the_steps() {
    let (feed, tagger) = (feed(), tagger());
    check(documents().map(|(name, make)| {
        let cost = |times| {
            let document = make(DOCUMENT_BYTES * times);
            let (steps, _) = steps_of_document(&document, &FeedState::default(), &feed, &tagger);
            (document.len(), steps)
        };
        (*name, [1, 2, 4].map(cost))
    }));
}

/// What is done with entries takes most steps; beside it a reader that grows faster would not show.
#[test]
fn twice_the_document_takes_twice_the_steps_to_parse() {
    let url = feed().url;
    check(documents().map(|(name, make)| {
        let cost = |times| {
            let document = make(DOCUMENT_BYTES * times);
            let steps = Steps::new(u64::MAX);
            let _either = parse(document.as_bytes(), None, &url, ENTRIES_PARSED, &steps);
            assert!(steps.spent() <= Steps::for_bytes(document.len()).allowed(), "{name}");
            (document.len(), steps.spent())
        };
        (*name, [1, 2, 4].map(cost))
    }));
}

/// What a feed has shown before costs no more the more there is of it: articles are found again one by
/// one among ten thousand in as many steps as among themselves.
#[test]
fn what_was_seen_before_is_found_again_in_as_many_steps() {
    let (feed, tagger) = (feed(), tagger());
    let item = |number| {
        format!("<item><guid>{number}</guid><title>An air strike on {number}</title></item>")
    };
    let items: String = (0..100).map(item).collect();
    let (_, shown) = steps_of_document(&rss(&items), &FeedState::default(), &feed, &tagger);
    assert_eq!(shown.memory.articles(), 100);
    let again = rss(&format!("{items}<item><guid>new</guid></item>"));
    let steps = |others: u128| {
        let mut state = shown.unpack();
        let known = SeenArticle {
            digest: Digest::WITHDRAWN,
            revision: 1,
            last_seen: shown.plan.sequence,
            relevant: None,
            updated: None,
            content: None,
            source: None,
        };
        for number in 0..others {
            state.memory.seen.remember(ArticleId(number.to_be_bytes()), known);
        }
        let (steps, after) = steps_of_document(&again, &state.pack(), &feed, &tagger);
        assert!(after.memory.articles() > 100, "the new one is not remembered");
        steps
    };
    assert_eq!(steps(10_000), steps(0));
}
