//! How the lists of feeds stand that are asked for by URL.

use cw_model::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use strum::{EnumIter, IntoEnumIterator as _, IntoStaticStr};

/// What the last request for a list came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ListAnswer {
    /// It is the list that is in use.
    Unchanged,
    /// It is another one, which is taken into use.
    Taken,
    /// It has mistakes, or the whole configuration with it; the one before stays.
    Refused,
    /// It has lost so many feeds that it is not believed yet; the one before stays.
    HeldBack,
    /// There was no answer; the one before stays.
    Failed,
}

impl ListAnswer {
    /// As metrics and the API call it.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether what is in use is what the server has.
    pub fn is_current(self) -> bool {
        match self {
            Self::Unchanged | Self::Taken => true,
            Self::Refused | Self::HeldBack | Self::Failed => false,
        }
    }
}

/// How one list stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListStatus {
    /// Where it is asked for, as it may be shown.
    pub url: String,
    /// How many feeds of it are polled.
    pub feeds: usize,
    /// What it was answered last, and when; `None`: not asked for since the start.
    pub last: Option<(ListAnswer, Timestamp)>,
    /// Why what was answered is not in use.
    pub why: Option<String>,
}

impl ListStatus {
    /// Whether something is wrong with it.
    pub fn is_in_trouble(&self) -> bool {
        self.last.is_some_and(|(answer, _)| !answer.is_current())
    }
}

/// What is counted of lists.
#[derive(Debug)]
pub struct ListMetrics {
    asked: Family<[(&'static str, String); 1], Counter>,
    not_current: Gauge,
}

impl ListMetrics {
    /// Registers them.
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (asked, not_current) = (Family::default(), Gauge::default());
        registry.register(
            "feed_list_requests",
            "Requests for lists of feeds that feeds_from names by URL: outcome = unchanged, taken, refused, \
             held_back, failed",
            Family::clone(&asked),
        );
        registry.register(
            "feed_lists_not_current",
            "Lists of feeds by URL whose last answer is not in use, an older list is",
            Gauge::clone(&not_current),
        );
        let metrics = Self { asked, not_current };
        for answer in ListAnswer::iter() {
            metrics.counter(answer).inc_by(0);
        }
        metrics
    }

    /// A list was asked for.
    pub fn asked(&self, answer: ListAnswer) {
        self.counter(answer).inc();
    }

    pub(super) fn show(&self, lists: &[ListStatus]) {
        let count = lists.iter().filter(|list| list.is_in_trouble()).count();
        self.not_current.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    fn counter(&self, answer: ListAnswer) -> Counter {
        self.asked.get_or_create(&[("outcome", answer.name().to_owned())]).clone()
    }
}
