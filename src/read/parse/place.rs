//! What is an entry, and what only looks like one, by where an element stands. What the parsers
//! after us take for an entry is exactly what is one here, so that none vanishes between the two.

use super::namespace::{Name, Space};
use super::root::Root;

/// What an element is to the list of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An entry.
    Entry,
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
        let (entry_name, entry_depth) = root.entry();
        if root == Root::Rss && depth == 1 && name.local == "channel" {
            self.channels += 1;
            // The parser reads the first one and no further.
            self.is_in_channel = self.channels == 1;
            return Place::Other;
        }
        let is_child = match self.entry_depth {
            Some(own) => depth == own + 1,
            // Deletions are counted by whoever keeps them.
            None => matches!(depth, 1 | 2) && name.space != Space::Tombstones,
        };
        let child = if is_child { Place::Child } else { Place::Other };
        let is_at_its_depth = self.entry_depth.is_none() && depth == entry_depth;
        // A sitemap may give its own vocabulary any prefix; its reader looks at names alone.
        let is_own = is_own(root, name.space) || root == Root::Urlset && is_at_its_depth;
        let may_stray = is_child || self.entry_depth.is_none();
        if !is_named_entry(root, name.local) || !(is_own || is_at_its_depth) || !may_stray {
            return child;
        }
        if self.entry_depth.is_some() {
            return Place::Stray("it lies in another entry");
        }
        if !is_at_its_depth || (root == Root::Rss && !self.is_in_channel) {
            return if depth == 0 { child } else { Place::Stray("it lies where no entry belongs") };
        }
        if name.local != entry_name {
            return Place::Stray("its name is not that of an entry in this format");
        }
        if !is_own {
            return Place::Stray("its namespace is not that of the feed");
        }
        self.entry_depth = Some(depth);
        Place::Entry
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
        // None of it is read.
        Root::SitemapIndex => false,
    }
}
