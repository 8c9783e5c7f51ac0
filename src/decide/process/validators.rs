//! The validators of a feed after a document: they belong to the URL that served it.

use std::collections::BTreeMap;

use cw_model::state::{FeedPlan, FeedState};
use cw_model::{Body, Timestamp, Validators};

use super::answered::remembered;
use super::trust::{Came, News, after_document};

/// How many URLs of redirect chains keep validators: a chain is ten long at most, and a feed that
/// moves daily must not grow its state.
const VALIDATOR_URLS_MAX: usize = 12;

/// What a document says about the validators that it was asked for with.
pub(super) fn trust_after(
    next: &mut FeedPlan,
    body: &Body,
    before: &FeedState,
    news: News,
    now: Timestamp,
) {
    let known = before.memory.validators().remove(body.final_url.as_str());
    next.trust = after_document(next.trust, &Came { body, known, news }, now);
}

/// A document was answered whose validators may be other ones: they belong to the URL that served it.
pub(super) fn keep_validators(next: &mut FeedState, body: &Body) {
    let known = next.memory.validators();
    let mut validators = known.clone();
    remember_validators(&mut validators, body);
    // Packing again makes another allocation, and the ledger would write the whole memory for
    // nothing.
    if validators != known {
        let mut unpacked = next.unpack();
        unpacked.memory.validators = validators;
        *next = unpacked.pack();
    }
}

pub(super) fn remember_validators(validators: &mut BTreeMap<String, Validators>, body: &Body) {
    // Also where the answer gives none: what an earlier answer gave would ask for a document that
    // is not there any more.
    validators.remove(body.final_url.as_str());
    if let Some(url) = remembered(&body.final_url).filter(|_| !body.validators.is_empty()) {
        if validators.len() >= VALIDATOR_URLS_MAX {
            // All of them, not the oldest: a feed that led to twelve places leads to a new one each
            // time, and none is asked again.
            validators.clear();
        }
        validators.insert(url, body.validators.clone());
    }
}
