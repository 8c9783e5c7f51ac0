//! What is told of what was committed.

use super::super::history::{ARTICLES_MAX, REJECTS_MAX};
use super::*;

#[tokio::test]
async fn what_was_committed_before_the_start_is_told_and_no_more() {
    let tagged_ones = (1..=3).map(|number| tagged(number, "old", "strike.air"));
    let (folder, ledger) = holding(tagged_ones.chain([record(9, "other")]).collect()).await;
    ledger.close().await.unwrap();
    let ledger = open(&settings(&folder));
    let later = outcome("a", 7, vec![tagged(4, "later", "strike.air")]);
    ledger.commit(Arc::new(later)).await.unwrap();
    let hour_ago = Clock::System.now() - Duration::from_secs(3600);
    let lately = ledger.history().lately(hour_ago, 2).unwrap();
    let ids: Vec<&str> = lately.articles.iter().map(|(_, record)| record.id.as_str()).collect();
    let expected = [3, 2].map(|number| tagged(number, "", "unrest").id);
    assert_eq!(ids, expected, "the newest first, of those about conflict");
    let count: u64 = lately.tags.iter().map(|(_, _, count)| count).sum();
    assert_eq!(count, 3, "{:?}", lately.tags);
    let ahead = Clock::System.now() + Duration::from_secs(3600);
    assert!(ledger.history().lately(ahead, 2).unwrap().tags.is_empty());
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn the_newest_of_a_feed_are_told_up_to_a_bound() {
    let (folder, ledger) = holding((1..=30).map(|n| record(n, &"x".repeat(1000))).collect()).await;
    let rejects = (0..9).map(reject).collect();
    ledger.commit(Arc::new(Outcome { rejects, ..outcome("a", 7, Vec::new()) })).await.unwrap();
    let newest = ledger.history().of_feed("a").unwrap();
    assert_eq!(newest.articles.len(), usize::try_from(ARTICLES_MAX).unwrap());
    assert_eq!(newest.rejects.len(), usize::try_from(REJECTS_MAX).unwrap());
    assert!(newest.articles[0].title.as_ref().unwrap().len() < 1000);
    let other = ledger.history().of_feed("b").unwrap();
    assert!(other.articles.is_empty() && other.rejects.is_empty());
    ledger.close().await.unwrap();
    // Nothing there is no panic.
    let history = open(&settings(&folder)).history();
    std::fs::remove_file(&settings(&folder).path).unwrap();
    assert!(matches!(history.of_feed("a"), Err(ReadError::Missing { .. })));
}
