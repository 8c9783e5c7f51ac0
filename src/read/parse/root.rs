//! The root element of a document, which says what its entries are called.

/// The root element, by its local name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// `<rss>`
    Rss,
    /// `<rdf:RDF>`: RSS 0.90 and 1.0
    Rdf,
    /// `<feed>`
    Atom,
    /// `<entry>`: a lone Atom entry
    AtomEntry,
    /// `<at:deleted-entry>`: that a lone Atom entry was deleted
    DeletedEntry,
    /// `<urlset>`
    Urlset,
    /// `<sitemapindex>`
    SitemapIndex,
}

impl Root {
    pub(super) fn from_local_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "rss" => Self::Rss,
            "rdf" => Self::Rdf,
            "feed" => Self::Atom,
            "entry" => Self::AtomEntry,
            "deleted-entry" => Self::DeletedEntry,
            "urlset" => Self::Urlset,
            "sitemapindex" => Self::SitemapIndex,
            _ => return None,
        })
    }

    /// Name of an entry's element, and how many elements it, or that it was deleted, lies in.
    pub(super) fn entry(self) -> (&'static str, usize) {
        match self {
            Self::Rss => ("item", 2),
            Self::Rdf => ("item", 1),
            Self::Atom => ("entry", 1),
            Self::AtomEntry | Self::DeletedEntry => ("entry", 0),
            Self::Urlset => ("url", 1),
            Self::SitemapIndex => ("sitemap", 1),
        }
    }
}
