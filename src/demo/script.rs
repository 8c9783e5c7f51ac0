//! What the demo serves, and what each feed is expected to come to: data, no behaviour.
//!
//! The documents are in `feeds/`; their README says what each shows.

use std::time::Duration;

use cw_model::FailureClass;

/// How a page is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// Whole, every time, without validators.
    Plain,
    /// With `ETag` and `Last-Modified`; 304 to whoever brings them back.
    Conditional,
    /// As [`Serving::Conditional`], and from the second request on with `to` in the place of `from`.
    Edited {
        /// In the document exactly once.
        from: &'static str,
        /// What the publisher made of it.
        to: &'static str,
    },
    /// The first answer ends half-way; later ones are whole.
    CutOnce,
    /// Chunked, with a pause before each piece.
    Slow {
        /// How many.
        pieces: usize,
        /// Before each.
        pause: Duration,
    },
    /// Compressed for whoever accepts gzip.
    Gzip,
    /// 301 to another page.
    Moved {
        /// Its host.
        host: &'static str,
        /// Its path.
        path: &'static str,
    },
}

/// One address of the demo's web.
#[derive(Clone, Copy, Debug)]
pub struct DemoPage {
    /// As in the `Host` header, without the port.
    pub host: &'static str,
    /// With its first slash.
    pub path: &'static str,
    /// `Content-Type`, as sent.
    pub content_type: &'static str,
    /// Exact bytes; empty if the page redirects.
    pub document: &'static [u8],
    /// How it is answered.
    pub serving: Serving,
}

/// What must be seen before a feed has shown what it is there to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// At least so many records.
    Records(usize),
    /// A record in this language.
    Language(&'static str),
    /// A record with this tag.
    Tag(&'static str),
    /// No record has a tag.
    NoTag,
    /// A poll answered with 304.
    NotModified,
    /// A second revision of an article.
    Revision,
    /// A permanent redirect was noticed.
    Moved,
    /// A poll failed with this class.
    Fails(FailureClass),
    /// No record came from it.
    NoRecord,
}

/// A feed of the demo.
#[derive(Clone, Copy, Debug)]
pub struct DemoFeed {
    /// Its id in the configuration.
    pub id: &'static str,
    /// Where it is.
    pub host: &'static str,
    /// Where it is, with the first slash.
    pub path: &'static str,
    /// Who publishes it.
    pub publisher: &'static str,
    /// What it shows, for a person.
    pub shows: &'static str,
    /// All of these must be seen.
    pub expected: &'static [Expected],
}

macro_rules! document {
    ($name:literal) => {
        include_bytes!(concat!("feeds/", $name))
    };
}

const RSS: &str = "application/rss+xml; charset=utf-8";
const ATOM: &str = "application/atom+xml";
const XML: &str = "text/xml";
const HTML: &str = "text/html; charset=utf-8";

/// Six pieces, three seconds: slow enough to see, far under any sensible `fetch.timeout`.
const SLOW: Serving = Serving::Slow { pieces: 6, pause: Duration::from_millis(500) };

const EDITED: Serving = Serving::Edited {
    from: "Blast at Port Senna market: at least nine dead",
    to: "Car bomb at Port Senna market kills at least 14",
};

const fn page(
    address: (&'static str, &'static str),
    content_type: &'static str,
    document: &'static [u8],
    serving: Serving,
) -> DemoPage {
    DemoPage { host: address.0, path: address.1, content_type, document, serving }
}

const MERIDIAN: &str = "wire.meridian.example";
const HARBOUR: &str = "harbourpost.example";
const CINDERHILL: (&str, &str) = ("www.cinderhill.example", "/feed.xml");

/// Every address that is answered; any other is 404.
#[rustfmt::skip]
pub const PAGES: &[DemoPage] = &[
    page((MERIDIAN, "/world.rss"), RSS, document!("meridian-world.rss"), Serving::Conditional),
    page((MERIDIAN, "/sport.rss"), RSS, document!("meridian-sport.rss"), Serving::Conditional),
    page((MERIDIAN, "/business.rss"), RSS, document!("meridian-business.rss"), Serving::Conditional),
    page((HARBOUR, "/feed"), RSS, document!("harbourpost-front.rss"), EDITED),
    page((HARBOUR, "/islands.atom"), ATOM, document!("harbourpost-islands.atom"), Serving::Plain),
    page(("kestrel-dispatch.example", "/feed.atom"), ATOM, document!("kestrel.atom"), Serving::Gzip),
    page(("oldlantern.example", "/rss.xml"), XML, document!("oldlantern.rss"), Serving::Plain),
    page(("rdf.northquay.example", "/index.rdf"), "application/rdf+xml", document!("northquay.rdf"), Serving::Conditional),
    page(("fieldnotes.example", "/feed.json"), "application/feed+json", document!("fieldnotes.json"), Serving::Conditional),
    page(("news.palisade.example", "/news-sitemap.xml"), XML, document!("palisade-news.xml"), Serving::Plain),
    page(("gazette.brackwater.example", "/rss"), RSS, document!("brackwater.rss"), Serving::CutOnce),
    page(("relay.tidewatch.example", "/feed.rss"), RSS, document!("tidewatch.rss"), SLOW),
    page(("old.cinderhill.example", "/feed"), HTML, b"", Serving::Moved { host: CINDERHILL.0, path: CINDERHILL.1 }),
    page(CINDERHILL, RSS, document!("cinderhill.rss"), Serving::Plain),
    page(("sada-alwadi.example", "/rss"), RSS, document!("sada-alwadi.rss"), Serving::Conditional),
    page(("zarechny-listok.example", "/news.rss"), XML, document!("zarechny-listok.rss"), Serving::Plain),
    page(("stepovyi-holos.example", "/feed.atom"), ATOM, document!("stepovyi-holos.atom"), Serving::Conditional),
    page(("valmer-matin.example", "/rss/monde"), RSS, document!("valmer-matin.rss"), Serving::Gzip),
    page(("cuaderno-austral.example", "/rss.xml"), RSS, document!("cuaderno-austral.rss"), Serving::Plain),
    page(("quillford.example", "/rss"), HTML, document!("quillford.html"), Serving::Plain),
    page(("echo-chamber.example", "/rss"), XML, document!("echo-chamber.rss"), Serving::Plain),
];

const fn feed(
    id: &'static str,
    address: (&'static str, &'static str),
    publisher: &'static str,
    shows: &'static str,
    expected: &'static [Expected],
) -> DemoFeed {
    DemoFeed { id, host: address.0, path: address.1, publisher, shows, expected }
}

use Expected::{Fails, Language, Moved, NoRecord, NoTag, NotModified, Records, Revision, Tag};

/// The guid of the article that is shown in full at the end.
pub const SHOWCASE: &str = "meridian:world:20160211:0417";

/// Every feed that is polled.
#[rustfmt::skip]
pub const FEEDS: &[DemoFeed] = &[
    feed("meridian-world", (MERIDIAN, "/world.rss"), "Meridian Wire",
        "RSS 2.0; then 304 Not Modified",
        &[Records(5), Tag("peace.ceasefire"), Tag("peace.talks"), Tag("strike.air"), Tag("civilian.health"),
          Tag("humanitarian.aid"), NotModified]),
    feed("meridian-sport", (MERIDIAN, "/sport.rss"), "Meridian Wire",
        "strike, siege, shot: sport, no tag",
        &[Records(5), NoTag]),
    feed("meridian-business", (MERIDIAN, "/business.rss"), "Meridian Wire",
        "pilots strike, price war: no tag",
        &[Records(3), NoTag]),
    feed("harbourpost", (HARBOUR, "/feed"), "The Harbour Post",
        "an edited headline: revision 2",
        &[Records(5), Tag("strike.bombing"), Revision]),
    feed("harbourpost-islands", (HARBOUR, "/islands.atom"), "The Harbour Post",
        "Atom with relative links",
        &[Records(3)]),
    feed("harbourpost-archive", (HARBOUR, "/archive.rss"), "The Harbour Post",
        "404 Not Found",
        &[Fails(FailureClass::NotFound), NoRecord]),
    feed("kestrel", ("kestrel-dispatch.example", "/feed.atom"), "Kestrel Dispatch",
        "Atom, compressed with gzip",
        &[Records(4), Tag("strike.drone")]),
    feed("oldlantern", ("oldlantern.example", "/rss.xml"), "The Old Lantern",
        "RSS 0.91 in ISO-8859-1, no dates",
        &[Records(3)]),
    feed("northquay", ("rdf.northquay.example", "/index.rdf"), "North Quay Review",
        "RSS 1.0 (RDF)",
        &[Records(4), Tag("justice.war_crimes"), NotModified]),
    feed("fieldnotes", ("fieldnotes.example", "/feed.json"), "Fieldnotes",
        "JSON Feed 1.1",
        &[Records(4), NotModified]),
    feed("palisade", ("news.palisade.example", "/news-sitemap.xml"), "Palisade",
        "a news sitemap",
        &[Records(5), Tag("strike.suicide")]),
    feed("brackwater", ("gazette.brackwater.example", "/rss"), "The Brackwater Gazette",
        "cut half-way, whole the next time",
        &[Fails(FailureClass::Cut), Records(3)]),
    feed("tidewatch", ("relay.tidewatch.example", "/feed.rss"), "Tidewatch Relay",
        "arrives in pieces over 3 s",
        &[Records(3)]),
    feed("cinderhill", ("old.cinderhill.example", "/feed"), "Cinderhill Observer",
        "301 Moved Permanently",
        &[Records(3), Moved]),
    feed("sada-alwadi", ("sada-alwadi.example", "/rss"), "صدى الوادي",
        "Arabic",
        &[Records(3), Language("ar"), NotModified]),
    feed("zarechny-listok", ("zarechny-listok.example", "/news.rss"), "Заречный листок",
        "Russian in windows-1251",
        &[Records(3), Language("ru")]),
    feed("stepovyi-holos", ("stepovyi-holos.example", "/feed.atom"), "Степовий голос",
        "Ukrainian",
        &[Records(3), Language("uk"), NotModified]),
    feed("valmer-matin", ("valmer-matin.example", "/rss/monde"), "Valmer Matin",
        "French, compressed with gzip",
        &[Records(3), Language("fr")]),
    feed("cuaderno-austral", ("cuaderno-austral.example", "/rss.xml"), "Cuaderno Austral",
        "Spanish",
        &[Records(3), Language("es")]),
    feed("quillford", ("quillford.example", "/rss"), "Quillford Courier",
        "a web page where a feed was",
        &[Fails(FailureClass::Html), NoRecord]),
    feed("echo-chamber", ("echo-chamber.example", "/rss"), "The Echo Chamber",
        "an entity bomb: 1 kB for 500 MB",
        &[Fails(FailureClass::Entities), NoRecord]),
];
