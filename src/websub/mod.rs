//! Hubs (W3C WebSub): what is asked of them, and the server at which they call back.
//!
//! What is asked when, and what is answered, is decided by `cw_decide::subscription` in the scheduler. Here: the form of
//! both, signatures, and who may say anything at all.

mod callback;
mod key;

use core::net::SocketAddr;

pub use callback::{Callbacks, HubMessage, start};
use cw_decide::subscription::{HubRequest, LEASE_ASKED, Mode};
use cw_model::FeedId;
pub use key::{Key, NotAKey};
use url::Url;
use url::form_urlencoded::Serializer;

/// The `[websub]` table, checked.
#[derive(Clone, Debug)]
pub struct WebSubSettings {
    /// Where hubs are listened to.
    pub listen: SocketAddr,
    /// The URL under which the world reaches that, without a slash at its end.
    pub callback: Url,
    /// What callback URLs and secrets are made from.
    pub key: Key,
}

impl WebSubSettings {
    /// Tells apart the callbacks under which subscriptions were asked for. It stands in states.
    pub fn label(&self) -> String {
        format!("{} {}", self.callback, self.key.label())
    }

    /// The body of a request to a hub (WebSub, 5.1).
    pub fn form(&self, feed: &FeedId, request: &HubRequest) -> String {
        let HubRequest { mode, offer, generation } = request;
        let token = self.key.token(feed, *generation);
        let prefix = self.callback.as_str().trim_end_matches('/');
        let callback = format!("{prefix}/{feed}.{generation}.{token}");
        let mut form = Serializer::new(String::new());
        form.append_pair("hub.callback", &callback)
            .append_pair("hub.mode", mode.name())
            .append_pair("hub.topic", &offer.topic);
        if *mode == Mode::Subscribe {
            form.append_pair("hub.lease_seconds", &LEASE_ASKED.as_secs().to_string())
                .append_pair("hub.secret", &self.key.secret(feed, *generation));
        }
        form.finish()
    }
}
