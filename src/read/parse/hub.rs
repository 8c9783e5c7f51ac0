//! The hub that a feed names in itself: `<atom:link rel="hub">`, and `self`, what the feed is called there (WebSub, 4).

use cw_model::HubLinks;

use super::extras::value;
use super::namespace::{Attribute, Name, Space};

/// Takes in an element that lies in no entry. RSS has no such links of its own, and some write them without the prefix.
pub(super) fn add(links: &mut HubLinks, name: &Name<'_>, attributes: &[Attribute<'_>]) {
    let may_be = matches!(name.space, Space::Atom | Space::Document | Space::Rss);
    if !may_be || !name.local.eq_ignore_ascii_case("link") {
        return;
    }
    let (Some(relations), Some(target)) = (value(attributes, "rel"), value(attributes, "href"))
    else {
        return;
    };
    relations.split_ascii_whitespace().for_each(|relation| links.add(relation, &target));
}

#[cfg(test)]
mod tests {
    use cw_model::Steps;

    use super::*;
    use crate::parse::parse;

    #[track_caller]
    fn check(document: &str, hub: Option<&str>, topic: Option<&str>) {
        let url = "https://a.example/feed".parse().unwrap();
        let links =
            parse(document.as_bytes(), None, &url, 10, &Steps::new(u64::MAX)).unwrap().links;
        let expected = HubLinks { hub: hub.map(str::to_owned), topic: topic.map(str::to_owned) };
        assert_eq!(links, expected, "{document}");
    }

    fn atom(links: &str) -> String {
        format!(
            "<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title>{links}<entry><id>1</id><title>A</title>\
                 <link rel='hub' href='https://entry.example/'/></entry></feed>"
        )
    }

    fn rss(links: &str) -> String {
        format!(
            "<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'><channel><title>T</title>{links}<item>\
                 <title>A</title><link>https://a.example/1</link></item></channel></rss>"
        )
    }

    #[test]
    fn a_feed_names_its_hub_in_every_format() {
        let both = "<link rel='hub' href='https://h.example/?a=1&amp;b=2'/><link rel='self' href='https://a.example/f'/>";
        check(&atom(both), Some("https://h.example/?a=1&b=2"), Some("https://a.example/f"));
        check(&atom("<link REL='HUB' rel='Hub' href=' /hub '/>"), Some("/hub"), None);
        check(
            &atom("<link rel='self hub' href='https://x.example/'/>"),
            Some("https://x.example/"),
            Some("https://x.example/"),
        );
        check(&atom(""), None, None);
        let prefixed = "<atom:link rel='hub' href='https://h.example/'/><link>https://a.example/</link>\
                        <atom:link rel='self' href='https://a.example/f'/><atom:link rel='hub' href='https://2.example/'/>";
        check(&rss(prefixed), Some("https://h.example/"), Some("https://a.example/f"));
        check(
            &rss("<link rel='hub' href='https://h.example/'/>"),
            Some("https://h.example/"),
            None,
        );
        check(&rss("<x:link xmlns:x='urn:x' rel='hub' href='https://h.example/'/>"), None, None);
        let long = format!("<atom:link rel='hub' href='https://h.example/{}'/>", "x".repeat(2048));
        check(&rss(&long), None, None);
    }

    #[test]
    fn a_json_feed_names_its_hub() {
        let feed = |more: &str| {
            format!(
                r#"{{"version":"https://jsonfeed.org/version/1.1","title":"T","items":[]{more}}}"#
            )
        };
        let hubs = r#","feed_url":"https://a.example/f","hubs":[{"type":"rssCloud","url":"https://c.example/"},
            {"type":"WebSub","url":"https://h.example/"}]"#;
        check(&feed(hubs), Some("https://h.example/"), Some("https://a.example/f"));
        check(&feed(r#","hubs":7"#), None, None);
        check(
            &feed(r#","hubs":[null,{"type":"pubsubhubbub","url":"https://h.example/"}]"#),
            Some("https://h.example/"),
            None,
        );
    }
}
