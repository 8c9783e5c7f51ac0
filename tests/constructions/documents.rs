//! Whole documents.

use super::{Construction, many, numbered};

/// An RSS document with these items.
pub(crate) fn rss(items: &str) -> String {
    let head = "<title>a</title><language>en</language>";
    format!("<rss version=\"2.0\"><channel>{head}{items}</channel></rss>")
}

/// The same, with a base for all of its links.
pub(crate) fn rss_at(base: &str, items: &str) -> String {
    rss(items).replacen("<rss ", &format!("<rss xml:base='{base}' "), 1)
}

/// Documents that ask much of what is done with their entries.
pub(crate) const ENTRIES: &[Construction] = &[
    ("items with nothing in them", |n| rss(&many("<item/>", n))),
    ("items alike", |n| rss(&many("<item><title>An air strike</title></item>", n))),
    ("items nearly alike", |n| {
        let item = |number| {
            format!(
                "<item><guid>{number}</guid><title>An air strike killed {number} people in the village \
                 on Tuesday</title></item>"
            )
        };
        rss(&numbered(item, n))
    }),
    ("one guid, many links", |n| {
        let item =
            |number| format!("<item><guid>a</guid><link>https://a.example/{number}</link></item>");
        rss(&numbered(item, n))
    }),
    ("one link, many titles", |n| {
        let item = |number| {
            format!("<item><title>{number}</title><link>https://a.example/#{number}</link></item>")
        };
        rss(&numbered(item, n))
    }),
    ("one long guid and title", |n| {
        let long = "a".repeat(3000);
        rss(&many(&format!("<item><guid>{long}</guid><title>{long}</title></item>"), n))
    }),
    ("long guids", |n| {
        let item = |number| {
            format!("<item><guid>{}{number}</guid><title>a</title></item>", "a".repeat(4000))
        };
        rss(&numbered(item, n))
    }),
    ("parameters of links", |n| {
        let parameters = "utm_a=b&amp;a&amp;".repeat(180);
        let item =
            |number| format!("<item><link>https://a.example/?{parameters}{number}</link></item>");
        rss(&numbered(item, n))
    }),
    ("hosts in other scripts", |n| {
        let host: String = ('\u{4E00}'..).take(900).collect();
        let item = |number| format!("<item><link>https://{host}/{number}</link></item>");
        rss(&numbered(item, n))
    }),
    ("links that go up", |n| {
        let up = "../".repeat(1300);
        let item = |number| format!("<item><link>{up}{number}</link></item>");
        rss(&numbered(item, n))
    }),
    ("files on a long base", |n| {
        let file = |number| format!("<enclosure url='{number}' type='image/png'/>");
        let files = numbered(file, 4000);
        let base = format!("https://a.example/{}/", "a".repeat(4000));
        rss(&many(&format!("<item xml:base='{base}'><title>a</title>{files}</item>"), n))
    }),
    ("files on a long base of all", |n| {
        let file = |number| format!("<enclosure url='{number}' type='image/png'/>");
        let item = |number| format!("<item><guid>{number}</guid>{}</item>", numbered(file, 4000));
        rss_at(&format!("https://a.example/{}/", "a".repeat(4000)), &numbered(item, n))
    }),
    ("files of one entry", |n| {
        let file =
            |number| format!("<enclosure url='https://a.example/{number}' type='image/png'/>");
        rss(&format!("<item><title>a</title>{}</item>", numbered(file, n)))
    }),
    ("categories of one entry", |n| {
        let category = |number| format!("<category>{number}</category>");
        rss(&format!("<item><title>a</title>{}</item>", numbered(category, n)))
    }),
    ("categories of many entries", |n| {
        let categories = numbered(|number| format!("<category>{number}</category>"), 2300);
        rss(&many(&format!("<item>{categories}</item>"), n))
    }),
    ("dates that nobody can read", |n| {
        let date = "1 January of the year after that in which ".repeat(2);
        rss(&many(&format!("<item><title>a</title><pubDate>{date}</pubDate></item>"), n))
    }),
];
