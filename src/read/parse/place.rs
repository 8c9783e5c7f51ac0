//! What is an entry, and what only looks like one, by where an element stands.

use super::namespace::{Name, Space};
use super::root::Root;

/// How many elements an entry may lie in: publishers put items beside the channel, or into a list of their own.
const ENTRY_DEPTH_MAX: usize = 3;

/// What an element is to the list of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An entry.
    Entry,
    /// The channel of RSS 0.9x and 2.0: the first one, or one that is read for its entries alone.
    Channel {
        /// Whether it is the first.
        is_first: bool,
    },
    /// Named like an entry, where no reader looks for one; what is wrong.
    Stray(&'static str),
    /// A direct child of an entry, or of the feed.
    Child,
    /// Any other.
    Other,
}

/// Where the walk is.
#[derive(Debug, Default)]
pub(super) struct Places {
    channels: usize,
    is_in_channel: bool,
    /// Where the entry in hand lies.
    entry_depth: Option<usize>,
}

impl Places {
    /// Tells what an element is that opens at this depth.
    pub(super) fn open(&mut self, root: Root, name: &Name<'_>, depth: usize) -> Place {
        if root == Root::Rss
            && depth == 1
            && self.entry_depth.is_none()
            && name.local.eq_ignore_ascii_case("channel")
        {
            self.channels += 1;
            self.is_in_channel = self.channels == 1;
            return Place::Channel { is_first: self.is_in_channel };
        }
        let is_child = match self.entry_depth {
            Some(own) => depth == own + 1,
            // Deletions are counted by whoever keeps them.
            None => matches!(depth, 1 | 2) && name.space != Space::Tombstones,
        };
        let child = if is_child { Place::Child } else { Place::Other };
        let (entry_name, entry_depth) = root.entry();
        let is_at_its_depth = self.entry_depth.is_none() && depth == entry_depth;
        // A sitemap may give its own vocabulary any prefix; its reader looks at names alone.
        let is_of_sitemap = matches!(root, Root::Urlset | Root::SitemapIndex);
        let is_own = is_own(root, name.space) || is_of_sitemap && is_at_its_depth;
        // In an entry it is markup: the walk ends an entry before another one begins.
        let may_be_entry = self.entry_depth.is_none() && (is_own || is_at_its_depth);
        if !is_named_entry(root, name.local) || !may_be_entry {
            return child;
        }
        if !is_own {
            return Place::Stray("its namespace is not that of the feed");
        }
        if !name.local.eq_ignore_ascii_case(entry_name) {
            return Place::Stray("its name is not that of an entry in this format");
        }
        let may_lie_here = match root {
            Root::Rss | Root::Rdf | Root::Atom => (1..=ENTRY_DEPTH_MAX).contains(&depth),
            Root::AtomEntry | Root::DeletedEntry | Root::Urlset | Root::SitemapIndex => {
                is_at_its_depth
            }
        };
        if !may_lie_here {
            return if depth == 0 { child } else { Place::Stray("it lies where no entry belongs") };
        }
        self.entry_depth = Some(depth);
        Place::Entry
    }

    /// Whether the entry in hand, which lies in so many elements, is not where its format has it.
    pub(super) fn is_moved(&self, root: Root, depth: usize) -> bool {
        depth != root.entry().1 || (root == Root::Rss && !self.is_in_channel)
    }

    /// Whether an entry is in hand.
    pub(super) fn is_in_entry(&self) -> bool {
        self.entry_depth.is_some()
    }

    /// The depth of the element that holds what is said of the entry in hand, or of the feed.
    pub(super) fn container(&self, root: Root) -> usize {
        self.entry_depth.unwrap_or(root.entry().1.saturating_sub(1))
    }

    /// An element that began at this depth ends.
    pub(super) fn close(&mut self, depth: usize) {
        if depth == 1 {
            self.is_in_channel = false;
        }
        if self.entry_depth == Some(depth) {
            self.entry_depth = None;
        }
    }
}

/// Whether a vocabulary is that of a document's entries.
fn is_own(root: Root, space: Space) -> bool {
    match root {
        Root::Rss | Root::Rdf => matches!(space, Space::Document | Space::Rss),
        Root::Atom | Root::AtomEntry | Root::DeletedEntry => {
            matches!(space, Space::Document | Space::Atom)
        }
        Root::Urlset | Root::SitemapIndex => space == Space::Document,
    }
}

/// Whether publishers mean an entry by this name.
fn is_named_entry(root: Root, local: &str) -> bool {
    let is = |name: &str| local.eq_ignore_ascii_case(name);
    match root {
        Root::Rss | Root::Rdf | Root::Atom | Root::AtomEntry | Root::DeletedEntry => {
            is("item") || is("entry")
        }
        Root::Urlset => is("url"),
        Root::SitemapIndex => is("sitemap"),
    }
}
