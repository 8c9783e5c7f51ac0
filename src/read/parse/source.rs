//! By which bytes an entry is told to be as it was, so that its text need not be read again.
//!
//! Most entries of a document stood in the one before. The source of an entry is a digest of its bytes, of the document up
//! to its root's tag (entities, namespaces, a base), of the address and of the settings that texts are read by. Whoever knows
//! a source knows the article. Only what is small is read of such an entry: what it is known by, its headline, teaser and
//! dates.
//!
//! An entry has a source if it ends with its own end tag and no other entry begins in it.

use std::collections::HashSet;

use cw_model::digest::bytes_digest;
use cw_model::{Digest, Entry, Steps, TooCostly};
use url::Url;

use super::ahead::Ahead;
use super::guard::BYTE_STEPS;

/// A shorter text is read: no less would be done without it, bytes.
const TEXT_BYTES_MIN: usize = 256;

/// What stands in place of a text that is left out. Not nothing: whoever reads it would look for another text.
pub(super) const LEFT_OUT: &str = "unread";

/// Sources of entries that need not be read.
#[derive(Clone, Debug, Default)]
pub struct KnownSources {
    settings: Digest,
    known: HashSet<Digest>,
}

impl KnownSources {
    /// Those, of entries that were read by these settings.
    pub fn new(settings: Digest, known: impl IntoIterator<Item = Digest>) -> Self {
        Self { settings, known: known.into_iter().collect() }
    }
}

/// An entry that is open.
#[derive(Debug)]
pub(super) struct EntryInHand<'t> {
    /// How many elements are open around it.
    pub(super) depth: usize,
    /// As written.
    name: &'t str,
    /// Where it begins.
    begin: usize,
    /// What its base adds to its source.
    base: Digest,
    /// Where it ends and its source, if that is known.
    known: Option<(usize, Digest)>,
}

impl EntryInHand<'_> {
    /// Whether its source is known.
    pub(super) fn is_known(&self) -> bool {
        self.known.is_some()
    }
}

/// Makes the sources of a document's entries.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    xml: &'a str,
    known: &'a KnownSources,
    url: &'a Url,
    /// Of what all entries depend on.
    document: Digest,
}

impl<'a> Sources<'a> {
    pub(super) fn new(xml: &'a str, known: &'a KnownSources, url: &'a Url) -> Self {
        Self { xml, known, url, document: Digest::default() }
    }

    /// The root's tag ends here.
    pub(super) fn begin(&mut self, root_end: usize) {
        let head = self.xml.get(..root_end).unwrap_or_default();
        let url = bytes_digest(self.url.as_str().as_bytes());
        self.document = both(both(bytes_digest(head.as_bytes()), url), self.known.settings);
    }

    /// An entry begins, and its tag ends at `tag_end`.
    pub(super) fn open(
        &self,
        name: &'a str,
        at: std::ops::Range<usize>,
        (depth, base): (usize, Option<&Url>),
        ahead: &mut Ahead<'a>,
    ) -> EntryInHand<'a> {
        let base = base.map_or(Digest::default(), |base| bytes_digest(base.as_str().as_bytes()));
        let mut entry = EntryInHand { depth, name, begin: at.start, base, known: None };
        if !self.known.known.is_empty() {
            entry.known = self.ahead_of(&entry, at.end, ahead);
        }
        entry
    }

    /// Where an entry will most likely end and its source, if that is known. No byte is looked at for two entries.
    fn ahead_of(
        &self,
        entry: &EntryInHand<'a>,
        from: usize,
        ahead: &mut Ahead<'a>,
    ) -> Option<(usize, Digest)> {
        if !ahead.closes(entry.name, from) {
            return None;
        }
        let end_tag = format!("</{}", entry.name);
        let end = ahead.next(&end_tag, from)? + end_tag.len() + 1;
        let source = self.of(entry, end, ahead)?;
        self.known.known.contains(&source).then_some((end, source))
    }

    /// The source of an entry that has ended here. `None` if it ended elsewhere than it seemed, or without its end tag.
    pub(super) fn close(
        &self,
        entry: &EntryInHand<'a>,
        to: usize,
        ahead: &mut Ahead<'a>,
    ) -> Option<Digest> {
        match entry.known {
            Some((end, source)) => (end == to).then_some(source),
            None => self.of(entry, to, ahead),
        }
    }

    fn of(&self, entry: &EntryInHand<'a>, to: usize, ahead: &mut Ahead<'a>) -> Option<Digest> {
        let bytes = self.xml.get(entry.begin..to)?;
        let inside = bytes.strip_suffix('>')?.strip_suffix(entry.name)?;
        if !inside.ends_with("</") {
            return None;
        }
        ahead.pay_for(bytes.len());
        Some(both(both(bytes_digest(bytes.as_bytes()), self.document), entry.base))
    }
}

/// Gives the items of a JSON Feed their sources: nothing else in the document is part of what they say.
pub(super) fn of_items(
    text: &str,
    url: &Url,
    known: &KnownSources,
    items: &mut [Entry],
    steps: &Steps,
) -> Result<(), TooCostly> {
    let document = both(bytes_digest(url.as_str().as_bytes()), known.settings);
    for item in items {
        let bytes = item.span.clone().and_then(|span| text.get(span)).unwrap_or_default();
        steps.spend(bytes.len().saturating_mul(BYTE_STEPS))?;
        item.source = Some(both(bytes_digest(bytes.as_bytes()), document));
    }
    Ok(())
}

/// The text of an element that begins at `from`, if it is long and ends with the element: nothing but text, or one CDATA
/// section.
pub(super) fn text_end(xml: &str, from: usize, name: &str, ahead: &mut Ahead<'_>) -> Option<usize> {
    let after_spaces = |at: usize| {
        let rest = xml.get(at..)?;
        Some(at + rest.len() - rest.trim_start().len())
    };
    let begin = after_spaces(from)?;
    let end = match xml.get(begin..)?.starts_with("<![CDATA[") {
        true => after_spaces(ahead.next("]]>", begin)? + "]]>".len())?,
        false => ahead.next("<", begin)?,
    };
    let is_end = xml.get(end..)?.strip_prefix("</")?.strip_prefix(name)?.starts_with('>');
    (is_end && end - begin >= TEXT_BYTES_MIN).then_some(end)
}

/// A digest of two digests that tells which they were.
fn both(one: Digest, other: Digest) -> Digest {
    let number = |Digest(bytes)| u64::from_be_bytes(bytes);
    // Rotated, so that the order counts and equal ones are not nothing.
    Digest((number(one).rotate_left(1) ^ number(other)).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::parse_with;
    use super::*;

    fn read(text: &str, known: &KnownSources) -> Vec<Entry> {
        let url = Url::parse("https://example.org/feed").unwrap();
        let steps = Steps::new(u64::MAX);
        parse_with(text.as_bytes(), None, &url, 10, known, &steps).unwrap().entries
    }

    /// Reads a document of one item with this inside, and again with its source known.
    fn twice(inside: &str) -> [Entry; 2] {
        let text = format!(
            "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel>{inside}</channel></rss>"
        );
        let mut first = read(&text, &KnownSources::default());
        let settings = Digest::default();
        let known = KnownSources::new(settings, first.iter().filter_map(|entry| entry.source));
        [first.remove(0), read(&text, &known).remove(0)]
    }

    #[test]
    fn a_text_is_left_out_only_where_it_is_plainly_the_whole_of_its_element() {
        let long = "word ".repeat(100);
        for (text, is_unread) in [
            (format!("<![CDATA[{long}<p>&]]>"), true),
            (format!("\n <![CDATA[{long}]]> \n"), true),
            (long.replace(' ', "&lt;br&gt;"), true),
            (format!("<![CDATA[{long}]]> and more"), false),
            (format!("{long}<br>{long}"), false),
            (format!("<![CDATA[{long}]]><![CDATA[{long}]]>"), false),
            ("<![CDATA[short]]>".to_owned(), false),
        ] {
            let item = format!(
                "<item><title>A</title><content:encoded>{text}</content:encoded><guid>1</guid></item>"
            );
            let [first, again] = twice(&item);
            assert!(!first.is_unread && first.source.is_some(), "{text}");
            assert_eq!(again.is_unread, is_unread, "{text}");
            let content = if is_unread { again.content.clone() } else { first.content.clone() };
            // All else is as it was, what follows the text too.
            assert_eq!(again, Entry { is_unread, content, ..first }, "{text}");
            assert!(again.content.is_some_and(|text| !text.value.is_empty()));
        }
    }

    #[test]
    fn an_entry_has_a_source_if_it_ends_with_its_own_end_tag() {
        for (items, has_source) in [
            ("<item><guid>1</guid></item>", true),
            ("<item><guid>1</guid><item><guid>2</guid></item>", false),
            ("<item><guid>1</guid></ITEM>", false),
            ("<item><guid>1</guid></item ><item><guid>2</guid></item>", false),
            ("<item><guid>1</guid>", false),
        ] {
            let [first, _] = twice(&format!("{items}<item><guid>3</guid></item>"));
            assert_eq!(first.source.is_some(), has_source, "{items}");
        }
    }
}
