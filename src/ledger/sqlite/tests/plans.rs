//! What is written of polls that found nothing.

use cw_model::state::{FeedState, SeenArticle};
use cw_model::{ArticleId, Changed, Digest, Urgency};

use super::*;

/// The outcome of a poll that found nothing, by what the poll before has left.
fn nothing_new(before: &Outcome) -> Outcome {
    let mut state = FeedState::clone(&before.state);
    state.plan.sequence += 1;
    let (urgency, changed) = (Urgency::Lazy, Changed::Plan);
    Outcome {
        state: state.into(),
        records: Vec::new(),
        rejects: Vec::new(),
        urgency,
        changed,
        ..before.clone()
    }
}

/// An outcome of a feed that remembers so many articles.
fn remembering(feed: &str, articles: u16) -> Outcome {
    let made = outcome(feed, 1, vec![record(1, "one")]);
    let mut state = made.state.unpack();
    for number in 0..articles {
        let seen = SeenArticle {
            digest: Digest([1; 8]),
            revision: 1,
            last_seen: 1,
            relevant: None,
            updated: None,
            content: None,
            source: None,
        };
        state
            .memory
            .seen
            .remember(ArticleId([number.to_be_bytes(); 8].concat().try_into().unwrap()), seen);
    }
    Outcome { state: state.pack().into(), ..made }
}

/// Reopens a ledger and says what it then has of a feed.
async fn reopened(ledger: SqliteLedger, settings: &SqliteSettings, feed: &str) -> Arc<FeedState> {
    ledger.close().await.unwrap();
    let (ledger, states, _past) = SqliteLedger::open(settings).unwrap();
    ledger.close().await.unwrap();
    Arc::clone(states.get(&id(feed)).unwrap())
}

#[tokio::test]
async fn a_poll_that_finds_nothing_writes_a_plan_whose_size_knows_nothing_of_the_articles() {
    for articles in [30, 530] {
        let folder = TempDir::new().unwrap();
        let settings = settings(&folder);
        let ledger = open(&settings);
        let first = remembering("a", articles);
        let second = nothing_new(&first);
        ledger.commit(Arc::new(first)).await.unwrap();
        ledger.commit(Arc::new(second.clone())).await.unwrap();
        assert_eq!(reopened(ledger, &settings, "a").await, second.state);
        let connection = look(&settings.path);
        assert_eq!(number(&connection, "SELECT sequence FROM feed_state"), 1);
        assert_eq!(number(&connection, "SELECT builds_on FROM feed_plan"), 1);
        assert!(number(&connection, "SELECT length(state) FROM feed_plan") < 1000, "{articles}");
    }
}

#[tokio::test]
async fn every_plan_that_was_put_off_is_there_after_a_clean_end() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder);
    let ledger = open(&settings);
    let firsts: Vec<Outcome> =
        (0..1200).map(|n| outcome(&format!("feed-{n}"), 1, Vec::new())).collect();
    let nothings: Vec<Outcome> = firsts.iter().map(nothing_new).collect();
    for outcomes in [firsts, nothings] {
        let commits = outcomes.into_iter().map(|outcome| ledger.commit(Arc::new(outcome)));
        for committed in join_all(commits).await {
            committed.unwrap();
        }
    }
    ledger.close().await.unwrap();
    let (_ledger, states, _past) = SqliteLedger::open(&settings).unwrap();
    assert_eq!(states.len(), 1200);
    assert!(states.values().all(|state| state.plan.sequence == 2));
}

#[tokio::test]
async fn a_plan_of_a_feed_without_a_state_is_written_as_one() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder);
    let ledger = open(&settings);
    let failed = nothing_new(&outcome("a", 0, Vec::new()));
    ledger.commit(Arc::new(failed.clone())).await.unwrap();
    assert_eq!(reopened(ledger, &settings, "a").await, failed.state);
    assert_eq!(count(&settings.path, "feed_plan"), 0);
}

/// A version that knows nothing of plans goes on with the state.
#[tokio::test]
async fn a_plan_counts_for_no_state_but_the_one_it_was_made_for() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder);
    let ledger = open(&settings);
    let first = remembering("a", 3);
    let found_nothing = nothing_new(&nothing_new(&first));
    ledger.commit(Arc::new(first)).await.unwrap();
    ledger.commit(Arc::new(found_nothing)).await.unwrap();
    ledger.close().await.unwrap();
    let other = outcome("a", 2, Vec::new());
    let replaced = look(&settings.path).execute(
        "UPDATE feed_state SET sequence = 2, state = ?1",
        [other.state.written().unwrap()],
    );
    assert_eq!(replaced.unwrap(), 1);
    assert_eq!(reopened(open(&settings), &settings, "a").await, other.state);
}

#[tokio::test]
async fn a_later_outcome_takes_the_place_of_a_plan_that_waits() {
    let folder = TempDir::new().unwrap();
    let settings = settings(&folder);
    let ledger = open(&settings);
    let first = outcome("a", 1, Vec::new());
    let third = outcome("a", 3, vec![record(1, "one")]);
    let outcomes = vec![first.clone(), nothing_new(&first), third.clone()];
    for committed in commit_together(&ledger, outcomes).await {
        committed.unwrap();
    }
    assert_eq!(reopened(ledger, &settings, "a").await, third.state);
}
