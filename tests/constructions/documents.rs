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
        let long = "a".repeat(1000);
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

/// Documents that ask much of whoever decodes, checks, mends or parses them.
pub(crate) const DOCUMENTS: &[Construction] = &[
    // Before the first element.
    ("declarations open", |n| many("<![", n)),
    ("subsets that end", |n| format!("{}>", many("<![]", n))),
    ("declarations", |n| many("<!a>", n)),
    ("comments without an end", |n| many("<!--", n)),
    ("instructions without an end", |n| many("<?", n)),
    ("opening brackets", |n| many("<", n)),
    ("words before a feed", |n| format!("{}<rss></rss>", many("a ", n))),
    ("entities declared", |n| format!("<!DOCTYPE a [{}]><rss/>", many("<!ENTITY a \"b\">", n))),
    // Text.
    ("ampersands in a title", |n| rss(&format!("<item><title>{}</title></item>", many("&", n)))),
    ("names of nothing", |n| rss(&format!("<item><title>{}</title></item>", many("&nosuch;", n)))),
    ("sections in a title", |n| {
        rss(&format!("<item><title>{}</title></item>", many("<![CDATA[a]]>", n)))
    }),
    ("control characters", |n| rss(&many("<item><title>&#1;&#2;&#3;</title></item>", n))),
    ("a title and many items", |n| {
        let title = "a".repeat(n / 2);
        rss(&format!("<title>{title}</title>{}", many("<item><title>a</title></item>", n / 2)))
    }),
    ("a link and many items", |n| {
        let link = "a".repeat(n / 2);
        rss(&format!("<link>https://a.example/{link}</link>{}", many("<item/>", n / 2)))
    }),
    // Elements.
    ("elements in elements", |n| rss(&many("<a>", n))),
    ("items without an end", |n| format!("<rss><channel>{}", many("<item>", n))),
    ("items and comments", |n| rss(&many("<item><!-- --></item>", n))),
    ("categories", |n| {
        rss(&many(&format!("<item>{}</item>", "<category>a</category>".repeat(90)), n))
    }),
    ("prefixes", |n| rss(&numbered(|number| format!("<p{number}:a/>"), n))),
    ("prefixes declared", |n| {
        let declared = |number| format!("<a xmlns:p{number}='https://a.example/{number}'>");
        rss(&numbered(declared, n))
    }),
    ("attributes of one element", |n| {
        rss(&format!("<a {}/>", numbered(|number| format!("b{number}='c' "), n)))
    }),
    ("attributes of many elements", |n| {
        let attributes = numbered(|number| format!("b{number}='c' "), 1500);
        rss(&many(&format!("<a {attributes}/>"), n))
    }),
    ("bases of items", |n| rss(&many(&format!("<item xml:base='{}/'/>", "a".repeat(1900)), n))),
    ("bases in bases", |n| rss(&many(&format!("<a xml:base='{}/'>", "a".repeat(100)), n))),
    ("media groups", |n| {
        rss(&many("<item><media:group><media:content url='a'/></media:group></item>", n))
    }),
    // Other formats.
    ("entries of Atom", |n| {
        let entries = many("<entry><content type='xhtml'><div>a<b/></div></content></entry>", n);
        format!("<feed xmlns=\"http://www.w3.org/2005/Atom\">{entries}</feed>")
    }),
    ("addresses of a sitemap", |n| {
        let addresses = many("<url><loc>https://a.example/</loc></url>", n);
        format!(
            "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{addresses}</urlset>"
        )
    }),
    ("lists of JSON", |n| json(&many("[],", n))),
    ("numbers of JSON", |n| json(&many("1,", n))),
    ("texts of JSON", |n| json(&many("\"a\",", n))),
    ("objects of JSON", |n| json(&many("{},", n))),
    ("tags of JSON", |n| json(&format!("{{\"tags\":[{}1]}},", many("\"a\",", n)))),
    ("keys of JSON", |n| json(&format!("{{{}\"b\":1}},", many("\"a\":1,", n)))),
    ("escapes of JSON", |n| json(&format!("{{\"title\":\"{}\"}},", many("\\u0041", n)))),
    ("JSON without an end", |n| many("{\"a\":", n)),
    ("lists in lists", |n| many("[", n)),
];

/// A JSON Feed of these, each with its comma.
fn json(items: &str) -> String {
    format!("{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{items}{{}}]}}")
}
