//! What is no news of an article, though its text is another: what was published of it before, and what
//! changes by itself at every poll.
//!
//! Two copies of a document behind one name, of different times, show every edited article in two versions
//! in turn. A number of readers or the time of day within a text is another one at every poll. Either would
//! make a revision of each poll.

use std::collections::HashMap;
use std::time::Duration;

use cw_model::digest::{bytes_digest, word_hash};
use cw_model::record::RecordConflict;
use cw_model::state::{Revisions, SeenArticle, UnpackedState};
use cw_model::{Article, Digest, Routed, Steps, TooCostly};
use serde_json::Value;

use super::Source;

/// Documents in a row that show an earlier text, before it is what the article says again: copies in turn
/// do not show one for so long.
const BACK_AFTER: u32 = 4;

/// The most words that change by themselves: a number, a time, a token, perhaps each twice.
const CHANGING_MAX: usize = 8;

/// At least so many times as many stay.
const STEADY_SHARE: usize = 2;

/// The most words of an article that are compared; a longer one is published whenever it changes.
const WORDS_MAX: usize = 2000;

/// The most words that a feed's state keeps, 4 bytes each.
const FEED_WORDS_MAX: usize = 16_384;

/// What changes by itself is published after so long all the same: what is masked is not lost.
const MASKED: Duration = Duration::from_secs(24 * 3600);

/// Steps for each word: it is hashed and sorted.
const WORD_STEPS: usize = 200;

impl Source<'_> {
    /// Whether this text of an article was published before, by an earlier revision, and has not been shown
    /// for long enough to be taken for what the article says again.
    pub(super) fn is_told(
        &self,
        article: &Article,
        seen: SeenArticle,
        next: &mut UnpackedState,
    ) -> bool {
        let Some(revisions) = next.memory.revisions.get_mut(&article.id) else { return false };
        // What was taken back and is shown again is news, whatever it says.
        let is_earlier = revisions.earlier.contains(&article.digest);
        if seen.digest == Digest::WITHDRAWN || !is_earlier {
            revisions.back = None;
            return false;
        }
        // Counted only while it is the same earlier text in a row; another one begins anew.
        let before = revisions.back.filter(|(digest, _)| *digest == article.digest);
        let times = before.map_or(1, |(_, times)| times.saturating_add(1));
        revisions.back = Some((article.digest, times));
        times < BACK_AFTER
    }

    /// Whether nothing changed but what changes by itself, in the words and in what they were found to say.
    pub(super) fn is_masked(
        &self,
        article: &Article,
        routed: &Routed,
        next: &UnpackedState,
    ) -> Result<bool, TooCostly> {
        let Some(revisions) = next.memory.revisions.get(&article.id) else { return Ok(false) };
        let until = revisions.at.checked_add(MASKED);
        if revisions.changing == 0 || until.is_ok_and(|until| until <= self.now) {
            return Ok(false);
        }
        let words = words(article, self.steps)?;
        // `revisions.words` are the words that stay, without those that change: so many more there
        // may be, and each that stays must be there.
        let others = words.len().saturating_sub(revisions.words.len());
        let stays = others <= revisions.changing as usize
            && common(&revisions.words, &words).len() == revisions.words.len();
        Ok(stays && revisions.said == said(routed.record.conflict.as_ref()))
    }

    /// Remembers a revision that is published in place of another.
    pub(super) fn remember_revision(
        &self,
        article: &Article,
        routed: &Routed,
        seen: SeenArticle,
        next: &mut UnpackedState,
    ) -> Result<(), TooCostly> {
        let sequence = next.plan.sequence;
        let all = &mut next.memory.revisions;
        let kept: usize = all.values().map(|revisions| revisions.words.len()).sum();
        let revisions = all.entry(article.id).or_default();
        if seen.digest != Digest::WITHDRAWN && seen.revision > 0 {
            revisions.replace(seen.digest);
        }
        revisions.earlier.retain(|earlier| *earlier != article.digest);
        let words = words(article, self.steps)?;
        // Two revisions in polls that follow each other are how a counter looks. An edit an hour
        // later is an edit.
        let is_next = revisions.published_in > 0
            && revisions.published_in == self.state.plan.sequence
            && !revisions.words.is_empty();
        let (words, changing) = match is_next.then(|| mask(revisions, &words)).flatten() {
            Some(mask) => mask,
            // Without words nothing is masked later: too many revisions rather than one that is
            // lost.
            None if words.len() > WORDS_MAX || kept + words.len() > FEED_WORDS_MAX => (vec![], 0),
            None => (words, 0),
        };
        *revisions = Revisions {
            earlier: std::mem::take(&mut revisions.earlier),
            back: None,
            at: self.now,
            published_in: sequence,
            said: said(routed.record.conflict.as_ref()),
            words,
            changing,
        };
        Ok(())
    }
}

/// The words that stayed and how many did not, if that is how a text looks of which a little changes by
/// itself.
fn mask(before: &Revisions, words: &[u32]) -> Option<(Vec<u32>, u32)> {
    let steady = common(&before.words, words);
    let changed = words.len().saturating_sub(steady.len());
    let gone = before.words.len().saturating_sub(steady.len());
    let is_little = (1..=CHANGING_MAX).contains(&changed) && gone <= CHANGING_MAX;
    let changing = u32::try_from(changed).ok().filter(|_| is_little)?;
    (steady.len() >= changed * STEADY_SHARE).then_some((steady, changing))
}

/// The hashes of the words of an article, sorted; a word that stands in it twice has two.
fn words(article: &Article, steps: &Steps) -> Result<Vec<u32>, TooCostly> {
    let url = article.url.as_ref().map(url::Url::as_str);
    let texts =
        [article.title.as_deref(), article.summary.as_deref(), article.body.as_deref(), url];
    let mut times: HashMap<&str, u32> = HashMap::new();
    let mut hashes = Vec::new();
    for word in texts.into_iter().flatten().flat_map(str::split_whitespace) {
        steps.spend(WORD_STEPS + word.len())?;
        let nth = times.entry(word).or_default();
        // With its number, so that a second "the" is another word than the first: as a set, a text
        // would not change when a word is repeated.
        hashes.push(word_hash(word, *nth));
        *nth += 1;
    }
    hashes.sort_unstable();
    hashes.dedup();
    Ok(hashes)
}

/// What two sorted lists have in common.
fn common(these: &[u32], those: &[u32]) -> Vec<u32> {
    these.iter().filter(|word| those.binary_search(word).is_ok()).copied().collect()
}

/// Digest of what an article was found to say, without the words that say so and how sure that is.
fn said(conflict: Option<&RecordConflict>) -> Option<Digest> {
    let mut value = serde_json::to_value(conflict?).ok()?;
    strip(&mut value);
    Some(bytes_digest(value.to_string().as_bytes()))
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // Evidence is the changing words themselves, and the score moves with them by a
            // hundredth.
            fields.retain(|name, _| !matches!(name.as_str(), "evidence" | "score"));
            fields.values_mut().for_each(strip);
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
