//! One request for a list of feeds, and what comes of it.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cw_decide::feed_list::{Guard, HeldBack};
use cw_model::digest::bytes_digest;
use cw_model::{Answer, FeedId, Validators};
use cw_status::ListAnswer;
use tokio::task::spawn_blocking;

use super::kept::Kept;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, FeedDefaults, ListByUrl, in_a_sentence, load_trying};
use crate::fetch::{Connections, FetchSetupError, Fetcher};

/// Asks for lists, as the configuration says that feeds are asked.
#[derive(Clone, Debug)]
pub struct Asker {
    fetcher: Arc<Fetcher>,
    defaults: FeedDefaults,
    /// The configuration that a list must fit into.
    path: Option<PathBuf>,
}

/// A list that can be taken into use.
#[derive(Debug)]
pub struct NewList {
    /// Those of its feeds that are polled.
    pub feeds: HashSet<FeedId>,
    bytes: Vec<u8>,
    validators: BTreeMap<String, Validators>,
}

/// What a request for a list came to.
#[derive(Debug)]
pub enum Came {
    /// It is the one that is kept.
    Unchanged,
    /// It is another one, with which the configuration is right.
    New(NewList),
    /// Why the configuration would be wrong with it.
    Refused(String),
    /// It is not believed yet.
    HeldBack(HeldBack),
    /// Why there is no answer.
    Failed(String),
}

impl Came {
    /// As it is counted and shown.
    pub(super) fn answer(&self) -> ListAnswer {
        match self {
            Self::Unchanged => ListAnswer::Unchanged,
            Self::New(_) => ListAnswer::Taken,
            Self::Refused(_) => ListAnswer::Refused,
            Self::HeldBack(_) => ListAnswer::HeldBack,
            Self::Failed(_) => ListAnswer::Failed,
        }
    }

    /// Why it is not taken, if so.
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Unchanged | Self::New(_) => None,
            Self::Refused(why) | Self::Failed(why) => Some(why.clone()),
            Self::HeldBack(held) => Some(held.to_string()),
        }
    }
}

/// What a request came to, and how long the server asks to wait.
#[derive(Debug)]
pub struct AskedList {
    /// What.
    pub came: Came,
    /// `Retry-After` and its like, not yet capped.
    pub wait: Option<Duration>,
}

impl Asker {
    /// Asks by this fetcher, for lists of this configuration.
    pub fn new(fetcher: Arc<Fetcher>, config: &Config) -> Self {
        let (defaults, path) = (config.feed_defaults.clone(), config.path.clone());
        Self { fetcher, defaults, path }
    }

    /// Asks for a list, and keeps it if it is another one that can be used. What was kept stays otherwise.
    ///
    /// Cancel safety: either list is kept, whole.
    pub(super) async fn ask(&self, list: &ListByUrl, guard: &mut Guard) -> AskedList {
        let AskedList { came, wait } = self.look(list, guard).await;
        let Came::New(new) = came else { return AskedList { came, wait } };
        let path = list.kept.clone();
        let kept = spawn_blocking(move || {
            Kept::write(&path, &new.bytes, &new.validators)
                .map(|()| new)
                .map_err(|error| format!("it cannot be kept in \"{}\": {error}", path.display()))
        });
        let came = match kept.await {
            Ok(Ok(new)) => Came::New(new),
            Ok(Err(why)) => Came::Failed(why),
            Err(panic) => Came::Failed(panic.to_string()),
        };
        AskedList { came, wait }
    }

    /// Asks for a list and says what would come of it; keeps nothing.
    pub async fn look(&self, list: &ListByUrl, guard: &mut Guard) -> AskedList {
        let path = list.kept.clone();
        let kept = spawn_blocking(move || Kept::read(&path)).await.unwrap_or_default();
        let feed = self.defaults.feed(FeedId::from_url(&list.url), list.url.clone());
        // The list may have been removed since the configuration was read.
        let is_whole = list.feeds.is_some();
        let validators = if is_whole { kept.validators } else { BTreeMap::new() };
        let body = match self.fetcher.fetch_list(&feed, validators).await {
            Answer::Body(body) => body,
            Answer::NotModified(answer) => {
                guard.reset();
                return AskedList { came: Came::Unchanged, wait: answer.wait };
            }
            Answer::Failed(failure) => {
                let why = format!("{}: {}", failure.class.name(), failure.detail);
                return AskedList { came: Came::Failed(why), wait: failure.retry_after };
            }
        };
        let (wait, digest) = (body.wait, bytes_digest(&body.bytes));
        if is_whole && kept.digest == Some(digest) {
            guard.reset();
            return AskedList { came: Came::Unchanged, wait };
        }
        let validators = BTreeMap::from([(body.final_url.to_string(), body.validators)]);
        let came = match self.tried(list, body.bytes).await {
            Err(why) => {
                guard.reset();
                Came::Refused(why)
            }
            Ok((bytes, feeds)) => {
                let old = list.feeds.as_ref();
                match guard.weigh(old.unwrap_or(&HashSet::new()), &feeds, digest) {
                    Ok(()) => Came::New(NewList { feeds, bytes, validators }),
                    Err(held) => Came::HeldBack(held),
                }
            }
        };
        AskedList { came, wait }
    }

    /// The list, and its feeds, if the whole configuration is right with it.
    async fn tried(
        &self,
        list: &ListByUrl,
        bytes: Vec<u8>,
    ) -> Result<(Vec<u8>, HashSet<FeedId>), String> {
        let (path, list) = (self.path.clone(), list.clone());
        let tried = spawn_blocking(move || {
            let config = load_trying(path.as_deref(), &list, &bytes);
            let config = config.map_err(|ConfigError(problems)| {
                in_a_sentence(&problems.iter().map(ToString::to_string).collect::<Vec<_>>())
            })?;
            let found = config.lists.into_iter().find(|found| found.kept == list.kept);
            let feeds = found.and_then(|found| found.feeds);
            let feeds = feeds.ok_or_else(|| "the configuration names it no more".to_owned())?;
            Ok((bytes, feeds))
        });
        tried.await.unwrap_or_else(|panic| Err(panic.to_string()))
    }
}

/// Why a list that was never fetched could not be now.
#[derive(Debug, thiserror::Error)]
pub enum ListMissing {
    /// The HTTP client.
    #[error(transparent)]
    Setup(#[from] FetchSetupError),
    /// The list.
    #[error(
        "the list of feeds at {url} could not be fetched, and there is no earlier one in \"{kept}\": {why}"
    )]
    Unusable {
        /// Where it was asked for.
        url: String,
        /// Where it would be kept.
        kept: String,
        /// Why.
        why: String,
    },
}

/// Fetches the lists of a configuration that were never fetched. Then it is to be read once more.
///
/// # Errors
/// [`ListMissing`] for the first that cannot be had.
pub async fn fetch_missing(
    config: &Config,
    connections: Connections,
    clock: Clock,
) -> Result<(), ListMissing> {
    let fetcher = Arc::new(Fetcher::new(&config.fetch, connections, clock)?);
    let asker = Asker::new(fetcher, config);
    for list in config.unfetched() {
        let AskedList { came, .. } = asker.ask(list, &mut Guard::default()).await;
        if let Some(why) = came.trouble() {
            let (url, kept) = (list.shown(), list.kept.display().to_string());
            return Err(ListMissing::Unusable { url, kept, why });
        }
    }
    Ok(())
}
