//! One feed, one publisher, one daemon: what most tests need.

use cw_model::state::FeedState;

use super::audit::Row;
use super::daemon::{Daemon, Setup};
use super::ledger::Ledger;
use super::publisher::{Publisher, Reply, Request};

/// The path of the one feed.
pub(crate) const PATH: &str = "/feed.xml";

/// The id of the one feed.
pub(crate) const FEED: &str = "feed";

/// A daemon that polls one feed.
pub(crate) struct Run {
    /// Serves the feed at [`PATH`].
    pub(crate) publisher: Publisher,
    /// Configured with the feed under the id [`FEED`].
    pub(crate) setup: Setup,
    /// What it commits to.
    pub(crate) ledger: Ledger,
    /// Running.
    pub(crate) daemon: Daemon,
}

impl Run {
    /// Polls a feed that answers with these in turn, and with the last for ever.
    #[track_caller]
    pub(crate) fn serving(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::configured(replies, |_, _| {})
    }

    /// The same, with more said about daemon and publisher before it starts.
    #[track_caller]
    pub(crate) fn configured(
        replies: impl IntoIterator<Item = Reply>,
        configure: impl FnOnce(&mut Setup, &Publisher),
    ) -> Self {
        let publisher = Publisher::start();
        publisher.serve(PATH, replies);
        let mut setup = Setup::new();
        setup.feed(FEED, &publisher.url(PATH));
        configure(&mut setup, &publisher);
        let ledger = Ledger::at(&setup.database());
        let daemon = setup.start();
        Self { publisher, setup, ledger, daemon }
    }

    /// The first `count` requests for the feed, once they have come.
    #[track_caller]
    pub(crate) fn requests(&self, count: usize) -> Vec<Request> {
        self.publisher.wait_for_requests(PATH, count)
    }

    /// The feed's state, once so many polls are committed.
    #[track_caller]
    pub(crate) fn state_after(&self, polls: u64) -> FeedState {
        self.ledger.wait_for_state(FEED, |state| state.plan.sequence >= polls)
    }

    /// Every row, once so many polls are committed.
    #[track_caller]
    pub(crate) fn rows_after(&self, polls: u64) -> Vec<Row> {
        self.state_after(polls);
        self.ledger.rows()
    }

    /// Stops the daemon and starts it again.
    #[track_caller]
    pub(crate) fn restart(self) -> Self {
        let Self { publisher, setup, ledger, daemon } = self;
        daemon.stop();
        let daemon = setup.start();
        Self { publisher, setup, ledger, daemon }
    }
}

/// An RSS document with these items.
pub(crate) fn rss(items: &[&str]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\"><channel><title>Wire\
         </title><link>https://wire.example/</link><description>News</description>{}</channel>\
         </rss>",
        items.concat(),
    )
}

/// An RSS item with guid, link and headline.
pub(crate) fn item(guid: &str, title: &str) -> String {
    format!(
        "<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title>\
         <link>https://wire.example/{guid}</link>\
         <pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate></item>"
    )
}

/// A document of one item for each headline.
pub(crate) fn headlines(titles: &[&str]) -> String {
    let items: Vec<String> =
        titles.iter().map(|title| item(&title.to_lowercase(), title)).collect();
    rss(&items.iter().map(String::as_str).collect::<Vec<_>>())
}

/// An Atom document of these members.
pub(crate) fn atom_feed(members: &str) -> String {
    format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:at=\"http://purl.org/atompub/tombstones/1.0\" \
         xml:lang=\"en\"><title>Wire</title>{members}</feed>"
    )
}

/// An Atom entry with id, link and headline.
pub(crate) fn entry(guid: &str, title: &str) -> String {
    format!(
        "<entry><id>urn:{guid}</id><title>{title}</title><link href=\"https://wire.example/{guid}\"/></entry>"
    )
}

/// What takes an Atom entry back (RFC 6721).
pub(crate) fn deleted_entry(guid: &str) -> String {
    format!("<at:deleted-entry ref=\"urn:{guid}\" when=\"2026-03-01T09:00:00Z\"/>")
}
