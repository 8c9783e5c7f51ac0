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
pub(crate) const DOCUMENTS: &[&[Construction]] =
    &[BEFORE, TEXTS, NAMES, ELEMENTS, SHARED, OTHER_FORMATS];

/// Before any element: what is recognised, passed over or refused.
const BEFORE: &[Construction] = &[
    ("declarations open", |n| many("<![", n)),
    ("subsets that end", |n| format!("{}>", many("<![]", n))),
    ("declarations", |n| many("<!a>", n)),
    ("comments", |n| format!("{}<rss/>", many("<!-- -->", n))),
    ("comments without an end", |n| many("<!--", n)),
    ("instructions", |n| format!("{}<rss/>", many("<?a?>", n))),
    ("instructions without an end", |n| many("<?", n)),
    ("opening brackets", |n| many("<", n)),
    ("words before a feed", |n| format!("{}<rss></rss>", many("a ", n))),
    ("spaces before a feed", |n| format!("{}<rss></rss>", many(" \n", n))),
    ("HTML before a feed", |n| format!("{}<rss></rss>", many("<br>", n))),
    ("XML declarations", |n| rss(&many("<?xml version='1.0' encoding='koi8-r'?>", n))),
    ("document types", |n| format!("{}<rss/>", many("<!DOCTYPE rss>", n))),
    ("entities declared", |n| format!("<!DOCTYPE a [{}]><rss/>", many("<!ENTITY a \"b\">", n))),
    ("a long root", |n| format!("<{}>", many("a", n))),
];

/// Texts, references and markup in them.
const TEXTS: &[Construction] = &[
    ("ampersands in a title", |n| title(&many("&", n))),
    ("ampersands apart", |n| title(&many("& ", n))),
    ("ampersands and names", |n| title(&many("&a", n))),
    ("ampersands without an end", |n| format!("<rss><channel><title>{}", many("&", n))),
    ("names of nothing", |n| title(&many("&nosuch;", n))),
    ("references of HTML", |n| title(&many("&eacute;", n))),
    ("references escaped twice", |n| title(&format!("&amp;lt;p {}", many("&amp;eacute;", n)))),
    ("numbers of letters", |n| title(&many("&#233;", n))),
    ("halves of pairs", |n| title(&many("&#55357;", n))),
    ("a long reference", |n| title(&format!("&{};", many("a", n)))),
    ("sections in a title", |n| title(&many("<![CDATA[a]]>", n))),
    ("sections with a bracket", |n| title(&many("<![CDATA[<]]>", n))),
    ("sections in an item", |n| item(&many("<![CDATA[a]]>", n))),
    ("ends of sections", |n| title(&format!("<![CDATA[{}]]>", many("]]", n)))),
    ("sections without an end", |n| item(&many("<![CDATA[", n))),
    ("markup not escaped", |n| title(&many("<b>a</b>", n))),
    ("comments in a title", |n| title(&many("a<!-- -->", n))),
    ("control characters", |n| rss(&many("<item><title>&#1;&#2;&#3;</title></item>", n))),
    ("one long XHTML", |n| {
        let div = format!("<div>{}</div>", many("<p a='b'>c</p>", n));
        atom(&format!("<entry><content type='xhtml'>{div}</content></entry>"))
    }),
    ("types of text", |n| atom(&many("<entry><content type='a+xml'>b</content></entry>", n))),
];

/// Names, namespaces and attributes.
const NAMES: &[Construction] = &[
    ("prefixes", |n| rss(&numbered(|number| format!("<p{number}:a/>"), n))),
    ("prefixes declared", |n| {
        let declared = |number| format!("<a xmlns:p{number}='https://a.example/{number}'>");
        rss(&numbered(declared, n))
    }),
    ("one prefix, many namespaces", |n| {
        rss(&numbered(|number| format!("<p:a xmlns:p='urn:{number}'/>"), n))
    }),
    ("many prefixes at once", |n| {
        let declared = numbered(|number| format!("xmlns:p{number}='b' "), 1500);
        rss(&format!("<x {declared}>{}</x>", many("<p0:a/>", n)))
    }),
    ("a long namespace", |n| rss(&format!("<a xmlns:b='{}'/>", many("a", n)))),
    ("long namespaces", |n| rss(&many(&format!("<a xmlns='{}'/>", "a".repeat(1000)), n))),
    ("a long prefix", |n| {
        rss(&format!("<a xmlns:{}='b'>{}</a>", many("a", n / 2), many("<c/>", n / 2)))
    }),
    ("attributes of one element", |n| {
        rss(&format!("<a {}/>", numbered(|number| format!("b{number}='c' "), n)))
    }),
    ("attributes of many elements", |n| {
        let attributes = numbered(|number| format!("b{number}='c' "), 1500);
        rss(&many(&format!("<a {attributes}/>"), n))
    }),
    ("the same attribute", |n| rss(&many(&format!("<a {}/>", "b='c' ".repeat(200)), n))),
    ("a long attribute", |n| rss(&format!("<a b='{}'/>", many("a", n)))),
    ("attributes without quotes", |n| rss(&many("<a b=c d />", n))),
    ("a quote without an end", |n| rss(&format!("<a b='{}", many("<c d='<e f='", n)))),
    ("references in attributes", |n| item(&format!("<guid isPermaLink='{}'/>", many("&amp;", n)))),
];

/// Elements: many, deep, long, too many.
const ELEMENTS: &[Construction] = &[
    ("elements in elements", |n| rss(&many("<a>", n))),
    ("deep elements", |n| item(&many(&format!("{}{}", "<a>".repeat(50), "</a>".repeat(50)), n))),
    ("elements nobody knows", |n| item(&many("<a/>", n))),
    ("end tags", |n| rss(&many("</a>", n))),
    ("items without an end", |n| format!("<rss><channel>{}", many("<item>", n))),
    ("items and comments", |n| rss(&many("<item><!-- --></item>", n))),
    ("items elsewhere", |n| rss(&many("<x><item>a</item></x>", n))),
    ("items in items", |n| item(&many("<item/>", n))),
    ("items named otherwise", |n| rss(&many("<Item>a</Item>", n))),
    ("channels", |n| format!("<rss>{}</rss>", many("<channel><item/></channel>", n))),
    ("categories", |n| {
        rss(&many(&format!("<item>{}</item>", "<category>a</category>".repeat(90)), n))
    }),
    ("categories of one item", |n| item(&many("<category>a</category>", n))),
    ("categories of the feed", |n| rss(&many("<category>a</category>", n))),
    ("links of one item", |n| item(&many("<link>https://a.example/</link>", n))),
    ("authors of one item", |n| item(&many("<author>a@a.example (A)</author>", n))),
    ("dates of one item", |n| item(&many("<pubDate>Tue, 05 Mar 2024 10:15:00 GMT</pubDate>", n))),
    ("media of one item", |n| {
        let media = many("<x:content url='/a'/><x:title>b</x:title>", n);
        item(&format!("<x:g xmlns:x='http://search.yahoo.com/mrss/'>{media}</x:g>"))
    }),
    ("media groups", |n| {
        rss(&many("<item><media:group><media:content url='a'/></media:group></item>", n))
    }),
    ("entries of one id", |n| {
        let entry = |number| format!("<entry><id>a</id><title>{number}</title></entry>");
        atom(&numbered(entry, n))
    }),
    ("entries that were deleted", |n| {
        let deleted = |number| format!("<at:deleted-entry ref='{}{number}'/>", "a".repeat(5000));
        let at = "http://purl.org/atompub/tombstones/1.0";
        format!("<feed xmlns:at='{at}'>{}</feed>", numbered(deleted, n))
    }),
];

/// A long text of the feed, and the many elements that meet it.
const SHARED: &[Construction] = &[
    ("a title and many items", |n| {
        let title = many("a", n / 2);
        rss(&format!("<title>{title}</title>{}", many("<item><title>a</title></item>", n / 2)))
    }),
    ("a link and many items", |n| {
        let link = many("a", n / 2);
        rss(&format!("<link>https://a.example/{link}</link>{}", many("<item/>", n / 2)))
    }),
    ("a language and many items", |n| {
        let language = many("a", n / 2);
        rss(&format!("<language>{language}</language>{}", many("<item/>", n / 2)))
    }),
    ("an author and many entries", |n| {
        let name = many("a", n / 2);
        atom(&format!("<author><name>{name}</name></author>{}", many("<entry/>", n / 2)))
    }),
    ("authors and many entries", |n| {
        let author = format!("<author><name>{}</name></author>", "a".repeat(1000));
        atom(&format!("{}{}", author.repeat(2), many("<entry/>", n)))
    }),
    ("a base and many entries", |n| {
        let entries = many("<entry><link href='b'/></entry>", n);
        format!("<feed xml:base='/{}/'>{entries}</feed>", "a".repeat(2000))
    }),
    ("a base that is too long", |n| {
        let entries = many("<entry><link href='b'/></entry>", n / 2);
        format!("<feed xml:base='/{}/'>{entries}</feed>", many("a", n / 2))
    }),
    ("bases of items", |n| rss(&many(&format!("<item xml:base='{}/'/>", "a".repeat(1900)), n))),
    ("bases in bases", |n| rss(&many(&format!("<a xml:base='{}/'>", "a".repeat(100)), n))),
    ("bases of links", |n| {
        atom(&format!("<entry>{}</entry>", many("<link xml:base='/a/' href='b'/>", n)))
    }),
    ("bases nobody asks for", |n| item(&many("<a xml:base='/b/'/>", n))),
    ("languages of entries", |n| {
        atom(&many(&format!("<entry xml:lang='{}'/>", "a".repeat(100)), n))
    }),
];

/// Atom, RSS 1.0, sitemaps and JSON.
const OTHER_FORMATS: &[Construction] = &[
    ("entries of Atom", |n| {
        atom(&many("<entry><content type='xhtml'><div>a<b/></div></content></entry>", n))
    }),
    ("items of RSS 1.0", |n| {
        format!("<rdf:RDF xmlns='http://purl.org/rss/1.0/'>{}</rdf:RDF>", many("<item/>", n))
    }),
    ("addresses of a sitemap", |n| sitemap(&many("<url><loc>https://a.example/</loc></url>", n))),
    ("pages of a sitemap", |n| sitemap(&many(&page(""), n))),
    ("pages without a headline", |n| sitemap(&format!("{}{}", page(""), many("<url/>", n)))),
    ("keywords of a page", |n| {
        sitemap(&page(&format!("<news:keywords>{}</news:keywords>", many("a,", n))))
    }),
    ("lists of JSON", |n| json(&many("[],", n))),
    ("numbers of JSON", |n| json(&many("1,", n))),
    ("texts of JSON", |n| json(&many("\"a\",", n))),
    ("objects of JSON", |n| json(&many("{},", n))),
    ("broken objects of JSON", |n| json(&many("{1},", n))),
    ("tags of JSON", |n| json(&format!("{{\"tags\":[{}1]}},", many("\"a\",", n)))),
    ("keys of JSON", |n| json(&format!("{{{}\"b\":1}},", many("\"a\":1,", n)))),
    ("one key of JSON", |n| json(&format!("{{{}\"b\":1}},", many("\"title\":\"a\",", n)))),
    ("escapes of JSON", |n| json(&format!("{{\"title\":\"{}\"}},", many("\\u0041", n)))),
    ("halves of JSON's pairs", |n| json(&format!("{{\"title\":\"{}\"}},", many("\\ud83d", n)))),
    ("escapes in keys of JSON", |n| json(&format!("{{{}\"b\":1}},", many("\"\\u0041\":1,", n)))),
    ("a long number of JSON", |n| json(&format!("{{\"id\":{}}},", many("1", n)))),
    ("authors of a JSON Feed", |n| {
        let authors = many("{\"name\":\"a\"},", n / 2);
        json(&many("{},", n / 2)).replacen('{', &format!("{{\"authors\":[{authors}{{}}],"), 1)
    }),
    ("lines of JSON", |n| format!("{}{{\"items\":1", many("\n", n))),
    ("commas of JSON", |n| json(&many(",", n))),
    ("JSON without an end", |n| many("{\"a\":", n)),
    ("lists in lists", |n| many("[", n)),
    ("lists in lists of an item", |n| {
        json(&format!("{{\"tags\":{}{}}},", many("[", n / 2), many("]", n / 2)))
    }),
];

/// An item with this in it.
fn item(inside: &str) -> String {
    rss(&format!("<item>{inside}</item>"))
}

/// An item with this title.
fn title(text: &str) -> String {
    item(&format!("<title>{text}</title>"))
}

fn atom(entries: &str) -> String {
    format!("<feed xmlns=\"http://www.w3.org/2005/Atom\">{entries}</feed>")
}

fn sitemap(pages: &str) -> String {
    format!(
        "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" \
         xmlns:news=\"http://www.google.com/schemas/sitemap-news/0.9\">{pages}</urlset>"
    )
}

fn page(inside: &str) -> String {
    format!("<url><news:news><news:title>A</news:title>{inside}</news:news></url>")
}

/// A JSON Feed of these, each with its comma.
fn json(items: &str) -> String {
    format!("{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{items}{{}}]}}")
}
