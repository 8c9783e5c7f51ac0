//! One lane's life in this replica, on a thread of its own: term after term.
//!
//! A thread and not a task: librdkafka's transactional calls block, and one at a time is allowed.
//! The lane lives as long as the group says it is ours; within that it may have several **terms**,
//! each begun by a fence and a restore, each with a lease of its own.

use std::time::Duration;

use tracing::{error, info, warn};

use super::Shared;
use super::board::Life;
use super::lane::{End, Term, WAIT_MAX, WAIT_MIN};
use super::restore::RestoreError;
use super::stop::Stop;
use crate::telemetry::lanes::LaneState;

/// How often a quarantined lane is looked at again, in case somebody has mended it.
const QUARANTINE_WAIT: Duration = Duration::from_secs(30);

/// Lives a lane until told to stop.
pub(super) fn live(shared: &Shared, life: Life, stop: &Stop) {
    let lane = life.lane;
    let mut wait = WAIT_MIN;
    let mut known_sequence = 0;
    let mut told = String::new();
    while !stop.is_told() {
        match Term::begin(shared, life, stop, known_sequence) {
            Ok(mut term) => {
                (wait, told) = (WAIT_MIN, String::new());
                let end = term.serve();
                known_sequence = term.sequence();
                term.give_back();
                drop(term);
                match end {
                    End::Left | End::Lost => break,
                    // At once: it is still ours.
                    End::Changed => {
                        info!(
                            lane.number = lane,
                            "the topics have changed; taking the lane up anew"
                        );
                        continue;
                    }
                    End::Taken(why) => {
                        shared.board.metrics().fenced(lane);
                        shared.board.set(life, LaneState::Fenced, &why);
                        warn!(
                            lane.number = lane,
                            error = why,
                            "another replica has had the lane; asking whether it is still ours"
                        );
                    }
                }
            }
            Err(RestoreError::Told) => break,
            Err(RestoreError::Away(why)) => {
                shared.board.set(life, LaneState::Fencing, &why);
                // Once for each thing that is wrong, however often it is tried.
                if told != why {
                    warn!(
                        lane.number = lane,
                        error = why,
                        "could not take up the lane; trying again"
                    );
                    told = why;
                }
            }
            Err(RestoreError::Contradiction(why)) => {
                shared.board.set(life, LaneState::Quarantined, &why);
                if told != why {
                    error!(
                        lane.number = lane,
                        error = why,
                        "the lane is quarantined: nothing of it is polled"
                    );
                    told = why;
                }
                wait = QUARANTINE_WAIT;
            }
        }
        shared.rest(stop, wait);
        wait = (wait * 2).min(WAIT_MAX);
    }
    shared.board.remove(life);
}
