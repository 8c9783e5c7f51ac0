//! Where hubs call: the `[websub]` table.

use core::net::SocketAddr;

use cw_text::web::{has_login, is_web};
use url::Url;

use super::raw::RawWebSub;
use super::units::{Unfit, quoted};

/// Feed, number and token are added; hubs keep URLs of some 2,000 bytes.
const CALLBACK_BYTES_MAX: usize = 512;

/// What is wrong with the table, by key. `listen` is its own address if it is on, `admin` that of the admin server.
pub(super) fn problems(
    raw: &RawWebSub,
    listen: Option<SocketAddr>,
    admin: Option<SocketAddr>,
) -> Vec<(&'static str, Unfit)> {
    let mut found = Vec::new();
    // Looked at in any case: a mistake must not wait until it is switched on.
    if !raw.callback.is_empty()
        && let Err(problem) = read_callback(&raw.callback)
    {
        found.push(("websub.callback", problem));
    }
    let Some(listen) = listen else { return found };
    if Some(listen) == admin && listen.port() != 0 {
        let text = format!("{listen} is that of admin.listen too; use another port");
        found.push(("websub.listen", Unfit::from(text)));
    }
    if raw.callback.is_empty() {
        let text = "empty; give the URL under which hubs reach websub.listen, such as \
                    \"https://news.example/websub\"";
        found.push(("websub.callback", Unfit::from(text.to_owned())));
    }
    if raw.key_file.is_empty() {
        let text = "empty; name a file that holds what `openssl rand -hex 32` prints";
        found.push(("websub.key_file", Unfit::from(text.to_owned())));
    }
    found
}

/// The URL under which hubs reach us, without a slash at its end. It stands in the state of each feed.
pub(super) fn read_callback(text: &str) -> Result<Url, Unfit> {
    let url = Url::parse(text.trim_end_matches('/')).ok().filter(|url| {
        let is_plain = url.query().is_none() && url.fragment().is_none();
        is_web(url) && is_plain && !has_login(url) && text.len() <= CALLBACK_BYTES_MAX
    });
    url.ok_or_else(|| {
        let given = quoted(text);
        Unfit::from(format!(
            "{given} is no http or https URL of at most {CALLBACK_BYTES_MAX} bytes without login, query and \
             fragment; use for example \"https://news.example/websub\""
        ))
    })
}
