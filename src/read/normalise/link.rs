//! Canonical links: absolute, without what only counts readers.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use cw_text::web::is_web;
use url::Url;

use crate::parse::LINK_BYTES_MAX;

/// Query parameters that name a campaign, a reader or the feed itself, never the article: they
/// change from poll to poll or from feed to feed while the page stays the same.
const TRACKING: [&str; 4] = [
    // Advertisers' click identifiers.
    "fbclid gclid gclsrc dclid gbraid wbraid srsltid msclkid yclid twclid ttclid igshid igsh \
     li_fat_id epik _openstat ysclid",
    // Mail campaigns.
    "mc_cid mc_eid _hsenc _hsmi mkt_tok vero_id vero_conv oly_enc_id oly_anon_id wickedid s_cid \
     emci emdi ceid",
    // Social networks.
    "fb_action_ids fb_action_types fb_ref fb_source action_object_map ref_src ref_url \
     __twitter_impression soc_src soc_trk sr_share guccounter guce_referrer guce_referrer_sig",
    // Publishers' own marks of where a reader came from.
    "at_medium at_campaign at_format at_link_origin traffic_source maca xtor ocid cmpid smid",
];

/// The same, by how they begin.
const TRACKING_PREFIXES: [&str; 8] =
    ["utm_", "pk_", "piwik_", "mtm_", "matomo_", "hsa_", "ns_", "at_custom"];

/// Parameters that are tracking with one value only.
const TRACKING_PAIRS: [&str; 6] =
    ["cmp=rss", "partner=rss", "emc=rss", "ref=rss", "source=rss", "from=rss"];

/// The longest URL that a link may come to: what is no ASCII is three times as long in it, and the base
/// it is joined with may be long.
const URL_BYTES_MAX: usize = 3 * LINK_BYTES_MAX;

/// The longest host, user and port of a link as written: what a name of 253 bytes (RFC 1035) may be in
/// another script. Writing a longer one in ASCII takes time that grows with its square (RFC 3492).
const AUTHORITY_BYTES_MAX: usize = 4 * 253;

/// Resolves a reference as sent. `None` unless it comes to `http` or `https` with a host.
pub fn absolute(base: &Url, link: &str) -> Option<Url> {
    let link = link.trim();
    let unfolded;
    let link = match link.contains(['\n', '\r']) {
        // Broken over lines, with what indents them.
        true => {
            unfolded = link.lines().map(str::trim).collect::<String>();
            unfolded.as_str()
        }
        false => link,
    };
    if link.is_empty() || link.len() > LINK_BYTES_MAX || authority(link) > AUTHORITY_BYTES_MAX {
        return None;
    }
    let link = without_second_scheme(link);
    let url = match link.as_ref() {
        link if lacks_scheme(base, link) => {
            Url::parse(&format!("{}://{link}", base.scheme())).ok()?
        }
        link => base.join(link).ok()?,
    };
    (is_web(&url) && url.as_str().len() <= URL_BYTES_MAX).then_some(url)
}

/// `https://https://…`, of a template that adds a scheme to what has one; whoever read it before may have taken the
/// second for a host.
fn without_second_scheme(link: &str) -> Cow<'_, str> {
    let Some((_, rest)) = link.split_once("://") else { return Cow::Borrowed(link) };
    for second in ["http", "https"] {
        let after = rest.strip_prefix(second).unwrap_or_default();
        if after.starts_with("://") {
            return Cow::Borrowed(rest);
        }
        if let Some(page) = after.strip_prefix("//") {
            return Cow::Owned(format!("{second}://{page}"));
        }
    }
    Cow::Borrowed(link)
}

/// Whether a reference begins with a host and not with a folder: with `www.`, or with the host that it would be
/// resolved against.
fn lacks_scheme(base: &Url, link: &str) -> bool {
    let Some((host, _)) = link.split_once('/') else { return false };
    let bare = |host: &str| host.strip_prefix("www.").unwrap_or(host).to_ascii_lowercase();
    let is_base = base.host_str().is_some_and(|own| host.contains('.') && bare(own) == bare(host));
    is_base || (host.starts_with("www.") && host.len() > "www.".len())
}

/// Whether a reference for which [`absolute`] has no URL is longer, or comes to more, than is read.
pub fn is_too_long(base: &Url, link: &str) -> bool {
    let link = link.trim();
    link.len() > LINK_BYTES_MAX
        || authority(link) > AUTHORITY_BYTES_MAX
        || base.join(link).is_ok_and(|url| url.as_str().len() > URL_BYTES_MAX)
}

/// The bytes of a link's host, with user and port; 0 if it names none.
fn authority(link: &str) -> usize {
    let is_slash = |c: char| matches!(c, '/' | '\\');
    let (scheme, rest) = link.split_once(':').unwrap_or(("", link));
    let rest = if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) { rest } else { link };
    if !rest.starts_with(is_slash) {
        return 0;
    }
    let host = rest.trim_start_matches(is_slash);
    let is_named = rest.len() > host.len() + 1 || rest.len() < link.len();
    let end = host.find(|c| is_slash(c) || matches!(c, '?' | '#')).unwrap_or(host.len());
    if is_named { end } else { 0 }
}

/// The canonical form of an article's link: case and encoding of the host, default ports and dots
/// are the parser's doing; fragment, user-info and tracking parameters go.
pub fn canonical(base: &Url, link: &str) -> Option<Url> {
    canonical_with_fragment(base, link).map(without_fragment)
}

/// The page that holds a place.
pub fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

/// The same, fragment and all, for where it tells articles on one page apart.
pub fn canonical_with_fragment(base: &Url, link: &str) -> Option<Url> {
    let mut url = absolute(base, link)?;
    // Neither can fail: there is a host.
    let _no_host = url.set_username("").and_then(|()| url.set_password(None));
    Some(without_tracking(url))
}

/// A URL without parameters that only count readers.
pub(super) fn without_tracking(mut url: Url) -> Url {
    let Some(query) = url.query() else { return url };
    let kept: Vec<&str> =
        query.split('&').filter(|pair| !pair.is_empty() && !is_tracking(pair)).collect();
    let kept = kept.join("&");
    url.set_query(Some(kept.as_str()).filter(|query| !query.is_empty()));
    url
}

/// The page that a redirector leads to, if its URL says so: it is not asked.
pub(super) fn unwrapped(url: &Url) -> Option<Url> {
    let host = url.host_str()?;
    let host = host.strip_prefix("www.").unwrap_or(host);
    let target = |names: &[&str]| {
        let (_, value) = url.query_pairs().find(|(name, _)| names.contains(&name.as_ref()))?;
        absolute(url, &value)
    };
    let by_path = |begin: &str| {
        let rest = url.path().strip_prefix(begin)?;
        let (scheme, rest) = match rest.strip_prefix("s/") {
            Some(rest) => ("https", rest),
            None => ("http", rest),
        };
        absolute(url, &format!("{scheme}://{rest}"))
    };
    let page = match host {
        "google.com" if url.path() == "/url" => target(&["url", "q"]),
        "google.com" => by_path("/amp/"),
        "l.facebook.com" | "lm.facebook.com" | "l.instagram.com" => target(&["u"]),
        "t.umblr.com" | "out.reddit.com" => target(&["z", "url"]),
        "bing.com" if url.path().starts_with("/news/apiclick") => target(&["url"]),
        "vk.com" if url.path() == "/away.php" => target(&["to"]),
        host if host.ends_with(".cdn.ampproject.org") => by_path("/c/").or_else(|| by_path("/v/")),
        _ => None,
    };
    page.map(|page| without_fragment(without_tracking(page)))
}

/// A link without its scheme: a site's move to `https` makes neither another article nor a
/// revision of one.
pub(super) fn without_scheme(link: &Url) -> &str {
    link.as_str().split_once(':').map_or(link.as_str(), |(_, rest)| rest)
}

/// A link without its scheme and `www.`: where it leads to, however its site is called.
pub fn place(link: &Url) -> &str {
    let rest = without_scheme(link).trim_start_matches('/');
    rest.strip_prefix("www.").unwrap_or(rest)
}

pub(super) fn is_tracking(pair: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> =
        LazyLock::new(|| TRACKING.iter().flat_map(|names| names.split_whitespace()).collect());
    let pair = pair.to_ascii_lowercase();
    let name = pair.split('=').next().unwrap_or_default();
    NAMES.contains(name)
        || TRACKING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || TRACKING_PAIRS.contains(&pair.as_str())
}
