//! Which feeds a page names: its `<link rel="alternate">` of a feed's type.
//!
//! Source: <https://html.spec.whatwg.org/multipage/links.html#rel-alternate>.

use crate::html::{Token, Tokens};
use crate::reference;

/// The most feeds taken from a page: large sites name one for each section.
pub const ALTERNATES_MAX: usize = 32;

/// What feeds are called in the `type` of a link. Pages of WordPress name their JSON interface as
/// `application/json` too, so that is not one of them.
const FEED_TYPES: [&str; 4] =
    ["application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"];

/// A feed that a page names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternate {
    /// Where it is, as written: often relative to the page.
    pub href: String,
    /// What the page calls it; empty if it does not.
    pub title: String,
}

/// The feeds that a page names, in its order, each once.
pub fn alternates(page: &str) -> Vec<Alternate> {
    let mut found: Vec<Alternate> = Vec::new();
    for token in Tokens::new(page) {
        let Token::Open(name, attributes) = token else { continue };
        if !name.eq_ignore_ascii_case("link") && !name.eq_ignore_ascii_case("a") {
            continue;
        }
        let Some(alternate) = alternate(attributes) else { continue };
        if !found.iter().any(|known| known.href == alternate.href) {
            found.push(alternate);
        }
        if found.len() == ALTERNATES_MAX {
            break;
        }
    }
    found
}

/// The feed that a tag leads to, if it does.
fn alternate(attributes: &str) -> Option<Alternate> {
    let rel = attribute(attributes, "rel")?;
    let is_alternate = rel.split_whitespace().any(|word| word.eq_ignore_ascii_case("alternate"));
    let kind = attribute(attributes, "type")?;
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_feed = FEED_TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind));
    let href = attribute(attributes, "href").filter(|href| !href.is_empty())?;
    let title = attribute(attributes, "title").unwrap_or_default();
    (is_alternate && is_feed).then_some(Alternate { href, title })
}

/// The value of an attribute, its references decoded; `None` if the tag does not have it.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let ends = |c: char| c.is_ascii_whitespace() || c == '=' || c == '/';
        // A sign of equality at the beginning is part of a name.
        let end =
            rest.char_indices().skip(1).find(|(_, c)| ends(*c)).map_or(rest.len(), |(at, _)| at);
        let (this, after) = rest.split_at_checked(end)?;
        rest = after.trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            (value, rest) = match after.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let after = after.get(1..).unwrap_or_default();
                    after.split_once(quote).unwrap_or((after, ""))
                }
                _ => after.split_at_checked(
                    after.find(|c: char| c.is_ascii_whitespace()).unwrap_or(after.len()),
                )?,
            };
        }
        if this.eq_ignore_ascii_case(name) {
            return Some(reference::decode(value.trim()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(page: &str, expected: &[(&str, &str)]) {
        let found = alternates(page);
        let found: Vec<_> =
            found.iter().map(|one| (one.href.as_str(), one.title.as_str())).collect();
        assert_eq!(found, expected, "{page}");
    }

    #[test]
    fn a_page_names_its_feeds_in_links() {
        check(
            "<!doctype html><head><link rel=alternate type=application/rss+xml href=/rss title=News>\
             <LINK TYPE='application/atom+xml' REL='Alternate nofollow' HREF='/atom?a=1&amp;b=2'/>\
             <link rel=\"alternate\" type=\"application/rss+xml; charset=utf-8\" href=\"/rss\"></head>\
             <a rel=alternate type=application/feed+json href=feed.json>JSON</a>",
            &[("/rss", "News"), ("/atom?a=1&b=2", ""), ("feed.json", "")],
        );
    }

    #[test]
    fn what_is_no_feed_is_not_named() {
        check(
            "<link rel=stylesheet href=/a.css type=text/css>\
             <link rel=alternate hreflang=de href=/de>\
             <link rel=alternate type=application/json href=/wp-json>\
             <link rel=alternate type=application/rss+xml>\
             <!-- <link rel=alternate type=application/rss+xml href=/hidden> -->\
             <script>'<link rel=alternate type=application/rss+xml href=/script>'</script>\
             <link data-rel=alternate type=application/rss+xml href=/data>",
            &[],
        );
    }

    #[test]
    fn a_page_names_so_many_and_no_more() {
        let link = |number| format!("<link rel=alternate type=application/rss+xml href=/{number}>");
        let page: String = (0..ALTERNATES_MAX + 5).map(link).collect();
        assert_eq!(alternates(&page).len(), ALTERNATES_MAX);
    }

    #[test]
    fn a_broken_tag_ends_the_search_in_it_alone() {
        check("<link = == \" rel=alternate href><link rel='alternate", &[]);
    }
}
