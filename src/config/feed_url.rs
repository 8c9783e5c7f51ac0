//! What the address of a feed may be, and that of a list of feeds.

use cw_text::web::{has_login, is_web};
use url::Url;

use super::units::Unfit;
use super::walk::shown;

/// The longest URL, in bytes: what browsers and caches agree on is less.
const URL_BYTES_MAX: usize = 4096;

/// Reads the address of a feed, or of a list of them.
pub(super) fn read_url(text: &str) -> Result<Url, Unfit> {
    // What a mistake names has no query: that may hold a token.
    let named = text.split('?').next().unwrap_or_default();
    let too_long = || {
        let start = shown(named);
        Err(format!("\"{start}\" is longer than {URL_BYTES_MAX} bytes; use the short form").into())
    };
    if text.len() > URL_BYTES_MAX {
        return too_long();
    }
    let mut url = Url::parse(text).map_err(|error| {
        let hint = if text.contains("://") {
            "use the form https://host/path"
        } else {
            "begin it with https:// or http://"
        };
        format!("\"{}\" is not a URL ({error}); {hint}", shown(named))
    })?;
    if !is_web(&url) {
        let scheme = url.scheme();
        return Err(
            format!("\"{}\" has scheme \"{scheme}\"; use http or https", shown(named)).into()
        );
    }
    if has_login(&url) {
        // Not shown: it is a secret in the wrong place.
        let host = url.host_str().unwrap_or_default();
        return Err(format!(
            "the address at \"{host}\" carries a user name or password; take them out, \
             conflictwire reads public feeds"
        )
        .into());
    }
    // Never sent to a server, so two that differ in it are the same feed.
    url.set_fragment(None);
    // Percent-encoded it may be three times as long, and so it is written: to a configuration too, which
    // must be read again.
    if url.as_str().len() > URL_BYTES_MAX { too_long() } else { Ok(url) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_be_so_long_and_no_longer() {
        let url = |bytes: usize| format!("https://a.b/{}", "x".repeat(bytes - 12));
        assert!(read_url(&url(URL_BYTES_MAX)).is_ok());
        assert!(read_url(&url(URL_BYTES_MAX + 1)).is_err());
        let accents = format!("https://example.org/{}", "\u{e9}".repeat(1000));
        assert!(accents.len() < URL_BYTES_MAX, "but not once it is percent-encoded");
        assert!(read_url(&accents).is_err());
    }
}
