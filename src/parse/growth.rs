//! What a document takes grows with its length and no faster: constructions, each in two sizes.

use super::*;

/// A name, and how a text of so many pieces is made.
type Construction = (&'static str, fn(usize) -> String);

/// The steps that a text takes to be read or refused.
fn steps_of(text: &str) -> u64 {
    let steps = Steps::new(u64::MAX);
    let url = Url::parse("https://example.org/feeds/world.xml").unwrap();
    let _either = parse(text.as_bytes(), None, &url, 2000, &steps);
    steps.spent()
}

fn rss(inside: &str) -> String {
    format!("<rss version='2.0'><channel>{inside}</channel></rss>")
}

fn item(inside: &str) -> String {
    rss(&format!("<item>{inside}</item>"))
}

fn atom(inside: &str) -> String {
    format!("<feed xmlns='http://www.w3.org/2005/Atom'>{inside}</feed>")
}

fn rdf(inside: &str) -> String {
    format!("<rdf:RDF xmlns='http://purl.org/rss/1.0/'>{inside}</rdf:RDF>")
}

fn json(items: &str) -> String {
    format!("{{\"version\": \"https://jsonfeed.org/version/1.1\", \"items\": [{items}]}}")
}

fn sitemap(inside: &str) -> String {
    format!("<urlset xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'>{inside}</urlset>")
}

fn page(inside: &str) -> String {
    format!("<url><news:news><news:title>A</news:title>{inside}</news:news></url>")
}

/// So many bytes of a long string, for where one meets many elements.
fn long(n: usize) -> String {
    "a".repeat(n * 10)
}

/// Before any element: what is recognised, passed over or refused.
const BEFORE: [Construction; 14] = [
    ("subsets that end", |n| format!("{}>", "<![]".repeat(n))),
    ("subsets that do not", |n| "<![".repeat(n)),
    ("declarations", |n| "<!a>".repeat(n)),
    ("comments", |n| format!("{}<rss/>", "<!-- -->".repeat(n))),
    ("comments never closed", |n| "<!--".repeat(n)),
    ("instructions", |n| format!("{}<rss/>", "<?a?>".repeat(n))),
    ("instructions never closed", |n| "<?".repeat(n)),
    ("less-than signs", |n| "<".repeat(n)),
    ("words before a feed", |n| format!("{}<rss></rss>", "a ".repeat(n))),
    ("spaces before a feed", |n| format!("{}<rss></rss>", " \n".repeat(n))),
    ("XML declarations", |n| rss(&"<?xml version='1.0' encoding='koi8-r'?>".repeat(n))),
    ("a long root", |n| format!("<{}>", long(n))),
    ("HTML before a feed", |n| format!("{}<rss></rss>", "<br>".repeat(n))),
    ("document types", |n| format!("{}<rss/>", "<!DOCTYPE rss>".repeat(n))),
];

/// Texts, references and markup in them.
const TEXTS: [Construction; 17] = [
    ("bare ampersands", |n| item(&format!("<title>{}</title>", "&".repeat(n)))),
    ("bare ampersands apart", |n| item(&format!("<title>{}</title>", "& ".repeat(n)))),
    ("ampersands and names", |n| item(&format!("<title>{}</title>", "&a".repeat(n)))),
    ("ampersands never closed", |n| format!("<rss><channel><title>{}", "&".repeat(n))),
    ("unknown references", |n| item(&format!("<title>{}</title>", "&nosuch;".repeat(n)))),
    ("references of HTML", |n| item(&format!("<title>{}</title>", "&eacute;".repeat(n)))),
    ("references escaped twice", |n| {
        item(&format!("<title>&amp;lt;p {}</title>", "&amp;eacute;".repeat(n)))
    }),
    ("numbers", |n| item(&format!("<title>{}</title>", "&#233;".repeat(n)))),
    ("halves of pairs", |n| item(&format!("<title>{}</title>", "&#55357;".repeat(n)))),
    ("a long reference", |n| item(&format!("<title>&{};</title>", long(n)))),
    ("CDATA", |n| item(&"<![CDATA[a]]>".repeat(n))),
    ("CDATA in a text", |n| item(&format!("<title>{}</title>", "<![CDATA[<]]>".repeat(n)))),
    ("ends of CDATA", |n| item(&format!("<title><![CDATA[{}]]></title>", "]]".repeat(n)))),
    ("CDATA never closed", |n| item(&"<![CDATA[".repeat(n))),
    ("markup not escaped", |n| item(&format!("<title>{}</title>", "<b>a</b>".repeat(n)))),
    ("comments in a text", |n| item(&format!("<title>{}</title>", "a<!-- -->".repeat(n)))),
    ("XHTML", |n| {
        atom(&format!(
            "<entry><content type='xhtml'><div>{}</div></content></entry>",
            "<p a='b'>c</p>".repeat(n)
        ))
    }),
];

/// Names, namespaces and attributes.
const NAMES: [Construction; 14] = [
    ("prefixes never declared", |n| {
        rss(&(0..n).map(|at| format!("<p{at}:a/>")).collect::<String>())
    }),
    ("prefixes declared", |n| {
        rss(&(0..n).map(|at| format!("<p:a xmlns:p='urn:{at}'/>")).collect::<String>())
    }),
    ("many prefixes at once", |n| {
        rss(&format!(
            "<x {}>{}</x>",
            (0..100).map(|at| format!("xmlns:p{at}='b' ")).collect::<String>(),
            "<p0:a/>".repeat(n)
        ))
    }),
    ("a long namespace", |n| rss(&format!("<a xmlns:b='{}'/>", long(n)))),
    ("long namespaces", |n| rss(&format!("<a xmlns='{}'/>", "a".repeat(1000)).repeat(n / 100))),
    ("a long prefix", |n| rss(&format!("<a xmlns:{}='b'>{}</a>", long(n), "<c/>".repeat(n)))),
    ("the same attribute", |n| rss(&format!("<a {}/>", "b='c' ".repeat(200)).repeat(n / 200))),
    ("other attributes", |n| {
        rss(&format!("<a {}/>", (0..200).map(|at| format!("b{at}='c' ")).collect::<String>())
            .repeat(n / 200))
    }),
    ("more attributes than are allowed", |n| rss(&format!("<a {}/>", "b='c' ".repeat(n)))),
    ("a long attribute", |n| rss(&format!("<a b='{}'/>", long(n)))),
    ("attributes without quotes", |n| rss(&"<a b=c d />".repeat(n))),
    ("a quote never closed", |n| rss(&format!("<a b='{}", "<c d='".repeat(n)))),
    ("references in attributes", |n| item(&format!("<guid isPermaLink='{}'/>", "&amp;".repeat(n)))),
    ("types of text", |n| atom(&"<entry><content type='a+xml'>b</content></entry>".repeat(n))),
];

/// Elements: many, deep, long, too many.
const ELEMENTS: [Construction; 18] = [
    ("items", |n| rss(&"<item/>".repeat(n))),
    ("items past the limit", |n| rss(&"<item>a</item>".repeat(3000 + n))),
    ("items elsewhere", |n| rss(&"<x><item>a</item></x>".repeat(n))),
    ("items in items", |n| item(&"<item/>".repeat(n))),
    ("items of RSS 1.0", |n| rdf(&"<item/>".repeat(n))),
    ("entries", |n| atom(&"<entry><id>a</id></entry>".repeat(n))),
    ("channels", |n| format!("<rss>{}</rss>", "<channel><item/></channel>".repeat(n))),
    ("elements nobody knows", |n| item(&"<a/>".repeat(n))),
    ("deep elements", |n| {
        item(&format!("{}{}", "<a>".repeat(50), "</a>".repeat(50)).repeat(n / 50))
    }),
    ("elements too deep", |n| item(&"<a>".repeat(n))),
    ("end tags", |n| rss(&"</a>".repeat(n))),
    ("categories", |n| item(&"<category>a</category>".repeat(n))),
    ("links", |n| item(&"<link>https://example.org/</link>".repeat(n))),
    ("authors", |n| item(&"<author>a@example.org (A)</author>".repeat(n))),
    ("dates", |n| item(&"<pubDate>Tue, 05 Mar 2024 10:15:00 GMT</pubDate>".repeat(n))),
    ("enclosures", |n| item(&"<enclosure url='/a' type='image/png'/>".repeat(n))),
    ("media", |n| {
        item(&format!(
            "<x:g xmlns:x='http://search.yahoo.com/mrss/'>{}</x:g>",
            "<x:content url='/a'/><x:title>b</x:title>".repeat(n)
        ))
    }),
    ("categories of the feed", |n| rss(&"<category>a</category>".repeat(n))),
];

/// A long string of the feed, and the many elements that meet it.
const SHARED: [Construction; 10] = [
    ("the title of a feed", |n| rss(&format!("<title>{}</title>{}", long(n), "<item/>".repeat(n)))),
    ("the language of a feed", |n| {
        rss(&format!("<language>{}</language>{}", long(n), "<item/>".repeat(n)))
    }),
    ("the author of a feed", |n| {
        atom(&format!("<author><name>{}</name></author>{}", long(n), "<entry/>".repeat(n)))
    }),
    ("the authors of a feed", |n| {
        atom(&format!("{}{}", "<author><name>a</name></author>".repeat(n), "<entry/>".repeat(n)))
    }),
    ("the base of a feed", |n| {
        format!(
            "<feed xml:base='/{}/'>{}</feed>",
            "a".repeat(2000),
            "<entry><link href='b'/></entry>".repeat(n)
        )
    }),
    ("too long a base of a feed", |n| {
        format!(
            "<feed xml:base='/{}/'>{}</feed>",
            long(n),
            "<entry><link href='b'/></entry>".repeat(n)
        )
    }),
    ("bases of entries", |n| {
        rss(&format!("<item xml:base='{}/'/>", "a".repeat(1000)).repeat(n / 100))
    }),
    ("bases of links", |n| {
        atom(&format!("<entry>{}</entry>", "<link xml:base='/a/' href='b'/>".repeat(n)))
    }),
    ("bases nobody asks for", |n| item(&"<a xml:base='/b/'/>".repeat(n))),
    ("the languages of entries", |n| {
        atom(&format!("<entry xml:lang='{}'/>", "a".repeat(100)).repeat(n / 10))
    }),
];

/// JSON and sitemaps.
const OTHERS: [Construction; 16] = [
    ("JSON items", |n| json(&format!("{}{{}}", "{},".repeat(n)))),
    ("JSON items past the limit", |n| json(&format!("{}{{}}", "{},".repeat(3000 + n)))),
    ("JSON items that are lists", |n| json(&format!("{}1", "[],".repeat(n)))),
    ("JSON items that are strings", |n| json(&format!("{}{{}}", "\"a\",".repeat(n)))),
    ("JSON never closed", |n| "{\"a\":".repeat(n)),
    ("JSON too deep", |n| json(&format!("{}{}", "[".repeat(n), "]".repeat(n)))),
    ("JSON escapes", |n| json(&format!("{{\"title\": \"{}\"}}", "\\u00e9\\\"".repeat(n)))),
    ("JSON keys", |n| json(&format!("{{{}\"id\": 1}}", "\"a\": 1,".repeat(n)))),
    ("the same JSON key", |n| json(&format!("{{{}\"id\": 1}}", "\"title\": \"a\",".repeat(n)))),
    ("JSON tags", |n| json(&format!("{{\"tags\": [{}1]}}", "\"a\",".repeat(n)))),
    ("JSON numbers", |n| json(&format!("{{\"tags\": [{}1]}}", "1e300,".repeat(n)))),
    ("the authors of a JSON feed", |n| {
        format!(
            "{{\"authors\": [{}{{}}], {}",
            "{\"name\": \"a\"},".repeat(n),
            json(&format!("{}{{}}", "{},".repeat(n))).trim_start_matches('{')
        )
    }),
    ("JSON lines", |n| format!("{}{{\"items\": 1", "\n".repeat(n))),
    ("sitemap pages", |n| sitemap(&page("").repeat(n))),
    ("sitemap keywords", |n| {
        sitemap(&page(&format!("<news:keywords>{}</news:keywords>", "a,".repeat(n))))
    }),
    ("sitemap pages without news", |n| sitemap(&format!("{}{}", page(""), "<url/>".repeat(n)))),
];

#[test]
fn twice_the_document_takes_twice_the_steps() {
    let groups: [&[Construction]; 6] = [&BEFORE, &TEXTS, &NAMES, &ELEMENTS, &SHARED, &OTHERS];
    let mut failures = Vec::new();
    for (name, make) in groups.into_iter().flatten() {
        let [small, large] = [4_000, 8_000].map(make);
        let (few, many) = (steps_of(&small), steps_of(&large));
        let allowed = Steps::for_bytes(large.len()).allowed();
        if many * 10 > few * 22 || many > allowed {
            failures.push(format!("{name}: {few} steps, then {many} of {allowed}"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn there_are_many_constructions_and_each_grows() {
    let groups: [&[Construction]; 6] = [&BEFORE, &TEXTS, &NAMES, &ELEMENTS, &SHARED, &OTHERS];
    for (name, make) in groups.into_iter().flatten() {
        assert!(make(8_000).len() > make(4_000).len() * 3 / 2, "{name}");
    }
}
