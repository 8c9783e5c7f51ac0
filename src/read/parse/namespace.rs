//! Which vocabulary an element's name belongs to, as publishers write namespaces: with another
//! scheme, without the last slash, under the usual prefix but undeclared.

use std::borrow::Cow;

/// The most declarations in force at one place. Feeds declare up to thirty.
const BINDINGS_MAX: usize = 128;

/// The most undeclared prefixes that are mended; the rest is the parsers' to judge.
const UNDECLARED_MAX: usize = 64;

/// A namespace nobody reads.
pub(super) const IGNORED: &str = "urn:conflictwire:ignored";

/// The prefix under which `repair` declares [`IGNORED`].
pub(super) const IGNORED_PREFIX: &str = "conflictwire-ignored";

/// A vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// No prefix and no declaration: that of the document.
    Document,
    /// RSS, under any of its names.
    Rss,
    /// Atom 0.3 or 1.0.
    Atom,
    /// `content:encoded`
    Content,
    /// Dublin Core.
    Dc,
    /// The terms of Dublin Core.
    DcTerms,
    /// MediaRSS.
    Media,
    /// Apple's podcasts.
    Itunes,
    /// XHTML.
    Xhtml,
    /// What Atom says of entries that are gone (RFC 6721).
    Tombstones,
    /// How often a feed changes, by its own word: a module of RSS 1.0.
    Syndication,
    /// Any other.
    Other,
}

/// Every name of a vocabulary that we know, without scheme, final slash and number sign; and the
/// one that feed-rs knows it by. It is not to see MediaRSS, in which it recurses, nor the
/// vocabularies of podcasts, in which it panics on long numbers.
const KNOWN: [(&str, Space, &str); 21] = [
    ("purl.org/rss/1.0", Space::Rss, "http://purl.org/rss/1.0/"),
    ("my.netscape.com/rdf/simple/0.9", Space::Rss, "http://purl.org/rss/1.0/"),
    ("channel.netscape.com/rdf/simple/0.9", Space::Rss, "http://purl.org/rss/1.0/"),
    ("backend.userland.com/rss", Space::Rss, "http://purl.org/rss/1.0/"),
    ("backend.userland.com/rss2", Space::Rss, "http://purl.org/rss/1.0/"),
    ("backend.userland.com/rss091", Space::Rss, "http://purl.org/rss/1.0/"),
    ("blogs.law.harvard.edu/tech/rss", Space::Rss, "http://purl.org/rss/1.0/"),
    ("cyber.harvard.edu/rss", Space::Rss, "http://purl.org/rss/1.0/"),
    ("cyber.law.harvard.edu/rss", Space::Rss, "http://purl.org/rss/1.0/"),
    ("www.w3.org/2005/atom", Space::Atom, "http://www.w3.org/2005/Atom"),
    ("purl.org/atom/ns", Space::Atom, "http://www.w3.org/2005/Atom"),
    (
        "purl.org/rss/1.0/modules/content",
        Space::Content,
        "http://purl.org/rss/1.0/modules/content/",
    ),
    ("purl.org/rss/1.0/modules/syndication", Space::Syndication, IGNORED),
    ("purl.org/dc/elements/1.0", Space::Dc, "http://purl.org/dc/elements/1.1/"),
    ("purl.org/dc/elements/1.1", Space::Dc, "http://purl.org/dc/elements/1.1/"),
    ("purl.org/dc/terms", Space::DcTerms, IGNORED),
    ("search.yahoo.com/mrss", Space::Media, IGNORED),
    ("www.itunes.com/dtds/podcast-1.0.dtd", Space::Itunes, IGNORED),
    ("podcastindex.org/namespace/1.0", Space::Other, IGNORED),
    ("purl.org/atompub/tombstones/1.0", Space::Tombstones, IGNORED),
    ("www.w3.org/1999/xhtml", Space::Xhtml, "http://www.w3.org/1999/xhtml"),
];

/// What the usual prefixes stand for where nobody declared them.
const USUAL: [(&str, Space, &str); 10] = [
    ("atom", Space::Atom, "http://www.w3.org/2005/Atom"),
    ("content", Space::Content, "http://purl.org/rss/1.0/modules/content/"),
    ("dc", Space::Dc, "http://purl.org/dc/elements/1.1/"),
    ("dcterms", Space::DcTerms, IGNORED),
    ("a10", Space::Atom, "http://www.w3.org/2005/Atom"),
    ("media", Space::Media, IGNORED),
    ("itunes", Space::Itunes, IGNORED),
    ("at", Space::Tombstones, IGNORED),
    ("sy", Space::Syndication, IGNORED),
    ("rdf", Space::Other, "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
];

/// A name, resolved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    /// Its vocabulary.
    pub(super) space: Space,
    /// As written; empty if there is none.
    pub(super) prefix: &'a str,
    /// Without the prefix.
    pub(super) local: &'a str,
}

/// An attribute: name and value as written, references and all.
pub(super) type Attribute<'a> = (&'a str, Cow<'a, str>);

/// The declarations in force.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    bindings: Vec<Binding>,
    undeclared: Vec<String>,
}

#[derive(Debug)]
struct Binding {
    prefix: String,
    space: Space,
    /// As feed-rs is to see it.
    uri: String,
    depth: usize,
}

impl Namespaces {
    /// Takes in the declarations of an element. `None` if there are too many.
    pub(super) fn open(&mut self, attributes: &[Attribute<'_>], depth: usize) -> Option<()> {
        for (key, uri) in attributes {
            let Some(prefix) = declared_prefix(key) else { continue };
            let space = match known(uri) {
                // Whatever the root calls its own vocabulary, it is the document's.
                Some((space, _)) if prefix.is_empty() && depth <= 1 && space != Space::Xhtml => {
                    Space::Document
                }
                None if prefix.is_empty() && depth <= 1 => Space::Document,
                Some((space, _)) => space,
                None => Space::Other,
            };
            let uri = known(uri).map_or(uri.as_ref(), |(_, canonical)| canonical).to_owned();
            self.bindings.push(Binding { prefix: prefix.to_owned(), space, uri, depth });
        }
        (self.bindings.len() <= BINDINGS_MAX).then_some(())
    }

    /// How many declarations are in force.
    pub(super) fn len(&self) -> usize {
        self.bindings.len() + self.undeclared.len()
    }

    /// Forgets the declarations of an element that ends.
    pub(super) fn close(&mut self, depth: usize) {
        while self.bindings.last().is_some_and(|binding| binding.depth >= depth) {
            self.bindings.pop();
        }
    }

    /// Resolves an element's name.
    pub(super) fn resolve<'n>(&mut self, qualified: &'n str) -> Name<'n> {
        let (prefix, local) = qualified.split_once(':').unwrap_or(("", qualified));
        let bound = self.bindings.iter().rev().find(|binding| binding.prefix == prefix);
        let space = match bound {
            Some(binding) => binding.space,
            None if prefix.is_empty() => Space::Document,
            None => {
                let is_new = !self.undeclared.iter().any(|seen| seen == prefix);
                let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
                let is_name = prefix.chars().all(plain) && !matches!(prefix, "xml" | "xmlns");
                if is_new && is_name && self.undeclared.len() < UNDECLARED_MAX {
                    self.undeclared.push(prefix.to_owned());
                }
                let usual = USUAL.iter().find(|(usual, _, _)| *usual == prefix);
                usual.map_or(Space::Other, |(_, space, _)| *space)
            }
        };
        Name { space, prefix, local }
    }

    /// The declarations of prefixes in force around an element at this depth, each prefix once.
    pub(super) fn around(&self, depth: usize) -> impl Iterator<Item = (&str, &str)> {
        let around = self.bindings.iter().filter(move |binding| binding.depth < depth);
        around.enumerate().filter_map(move |(place, binding)| {
            let mut after = self.bindings.iter().skip(place + 1);
            let is_hidden =
                after.any(|other| other.depth < depth && other.prefix == binding.prefix);
            (!binding.prefix.is_empty() && !is_hidden)
                .then_some((binding.prefix.as_str(), binding.uri.as_str()))
        })
    }

    /// Declarations for the prefixes that were used without one.
    pub(super) fn missing_declarations(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.undeclared.iter().map(|prefix| {
            let usual = USUAL.iter().find(|(usual, _, _)| usual == prefix);
            (prefix.as_str(), usual.map_or(IGNORED, |(_, _, uri)| *uri))
        })
    }
}

/// The prefix that an attribute declares: empty for `xmlns`.
pub(super) fn declared_prefix(attribute: &str) -> Option<&str> {
    match attribute.strip_prefix("xmlns")? {
        "" => Some(""),
        rest => rest.strip_prefix(':'),
    }
}

/// The vocabulary of a URI, and the URI that feed-rs is to see.
pub(super) fn known(uri: &str) -> Option<(Space, &'static str)> {
    let uri = uri.trim().to_ascii_lowercase();
    let uri = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://")).unwrap_or(&uri);
    let uri = uri.trim_end_matches(['/', '#']);
    let entry = KNOWN.iter().find(|(known, _, _)| *known == uri);
    entry.map(|(_, space, canonical)| (*space, *canonical))
}
