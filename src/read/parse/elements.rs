//! The names of the formats' own elements. Publishers write them in any case, and forget to close what is before
//! them.

use super::root::Root;
use super::scan::local_name;

/// Of an item or a channel of RSS.
const RSS: [&str; 10] = [
    "title",
    "link",
    "description",
    "guid",
    "pubDate",
    "author",
    "category",
    "comments",
    "enclosure",
    "source",
];

/// Of an entry or a feed of Atom.
const ATOM: [&str; 9] =
    ["title", "link", "id", "author", "category", "content", "published", "updated", "summary"];

/// Of the modules that feeds of both have, and of a channel.
const MODULES: [&str; 5] = ["encoded", "creator", "date", "language", "ttl"];

/// Of a sitemap's `url`.
const SITEMAP: [&str; 4] = ["loc", "lastmod", "changefreq", "priority"];

/// Those whose case matters to nobody: what is not read, and dates of Atom 0.3, which `fields` knows in any case.
const UNREAD_RSS: [&str; 1] = ["image"];
const UNREAD_ATOM: [&str; 5] = ["contributor", "rights", "issued", "modified", "created"];

/// A local name of RSS, Atom or their modules in the case in which its format has it; any other as it is.
pub(super) fn in_its_case(local: &str) -> &str {
    let mut known = RSS.iter().chain(&ATOM).chain(&MODULES);
    if known.clone().any(|name| *name == local) {
        return local;
    }
    known.find(|name| name.eq_ignore_ascii_case(local)).copied().unwrap_or(local)
}

/// Whether an element of this name, as written, most likely is a child of an entry or of the feed itself,
/// rather than markup in a text: HTML has no prefixes.
pub(super) fn is_child_name(root: Root, name: &str) -> bool {
    let local = local_name(name);
    let is_among = |names: &[&str]| names.iter().any(|own| local.eq_ignore_ascii_case(own));
    name.contains(':')
        || match root {
            Root::Rss | Root::Rdf => is_among(&RSS) || is_among(&UNREAD_RSS),
            Root::Atom | Root::AtomEntry | Root::DeletedEntry => {
                is_among(&ATOM) || is_among(&UNREAD_ATOM)
            }
            Root::Urlset | Root::SitemapIndex => is_among(&SITEMAP),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_brought_into_its_case_if_it_is_read() {
        for (written, expected) in [
            ("PUBDATE", "pubDate"),
            ("pubDate", "pubDate"),
            ("Title", "title"),
            ("Updated", "updated"),
            ("Creator", "creator"),
            ("Image", "Image"),
            ("Headline", "Headline"),
        ] {
            assert_eq!(in_its_case(written), expected);
        }
    }

    #[test]
    fn markup_in_a_text_is_told_from_what_follows_it() {
        for (root, name, expected) in [
            (Root::Rss, "GUID", true),
            (Root::Rss, "image", true),
            (Root::Rss, "dc:creator", true),
            (Root::Rss, "summary", false),
            (Root::Rss, "p", false),
            (Root::Atom, "summary", true),
            (Root::Atom, "rights", true),
            (Root::Atom, "guid", false),
            (Root::Urlset, "loc", true),
            (Root::Urlset, "title", false),
        ] {
            assert_eq!(is_child_name(root, name), expected, "{name}");
        }
    }
}
