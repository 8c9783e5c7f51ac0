//! The hub that a document names, as a feed's state keeps it.

use cw_model::state::Offer;
use cw_model::{Body, HUB_URL_BYTES_MAX, HubLinks};
use cw_text::web::{has_login, is_web};
use url::Url;

/// The hub that an answer names, and what the feed is called there, if it says both: without its own word for the topic,
/// ours would be the URL that we ask, and that may hold a token.
pub(super) fn offer(body: &Body, of_document: &HubLinks) -> Option<Offer> {
    let HubLinks { hub, topic } = body.links.clone().or(of_document.clone());
    let resolved = |target: String| {
        let url = body.final_url.join(&target).ok()?;
        let fits = is_web(&url) && !has_login(&url) && url.as_str().len() <= HUB_URL_BYTES_MAX;
        fits.then_some(url)
    };
    let hub = resolved(hub?)?;
    // A topic is compared byte for byte with what the hub says of it.
    let topic = topic?;
    let topic = if Url::parse(&topic).is_ok() {
        resolved(topic.clone()).map(|_| topic)
    } else {
        resolved(topic).map(String::from)
    }?;
    Some(Offer { hub: hub.into(), topic })
}
