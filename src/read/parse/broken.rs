//! What publishers break, and what is read of it nevertheless: one entry is broken, the others are whole.

use super::*;

fn read(text: &str) -> ParsedFeed {
    let url = Url::parse("https://example.org/feeds/world.xml").unwrap();
    let steps = Steps::for_bytes(text.len());
    parse(text.as_bytes(), None, &url, 2000, &steps)
        .unwrap_or_else(|failure| panic!("{failure:?} of {text:.500}"))
}

fn item(number: usize) -> String {
    format!(
        "<item><title>Report {number}</title><link>https://example.org/{number}</link>\
         <guid>g{number}</guid><description><![CDATA[<p>Text {number}</p>]]></description></item>"
    )
}

/// What is read of a broken item: title, link, guid and text.
type Parts<'t> = (Option<&'t str>, Option<&'t str>, Option<&'t str>, Option<&'t str>);

/// Holds a broken item between two whole ones to what is read of it; the whole ones lose nothing.
#[track_caller]
fn check(broken: &str, expected: Parts<'_>) {
    let text = format!(
        "<rss version=\"2.0\"><channel><title>World</title>{}{broken}{}</channel></rss>",
        item(1),
        item(3)
    );
    let feed = read(&text);
    assert_eq!(feed.title.as_deref(), Some("World"));
    assert_eq!((feed.entries.len(), feed.problems), (3, vec![]), "{broken}");
    for (entry, number) in [(&feed.entries[0], 1), (&feed.entries[2], 3)] {
        let own = format!("Report {number}");
        assert_eq!(entry.title.as_ref().map(|title| &title.value), Some(&own), "{broken}");
        assert_eq!(text.get(entry.span.clone().unwrap()), Some(item(number).as_str()), "{broken}");
        let description = format!("<p>Text {number}</p>");
        assert_eq!(entry.summary.as_ref().map(|text| &text.value), Some(&description), "{broken}");
    }
    let entry = &feed.entries[1];
    let value = |text: &Option<cw_model::EntryText>| text.as_ref().map(|text| text.value.clone());
    let read = (value(&entry.title), entry.link.clone(), entry.guid.clone(), value(&entry.summary));
    let (title, link, guid, summary) = read;
    let read = (title.as_deref(), link.as_deref(), guid.as_deref(), summary.as_deref());
    assert_eq!(read, expected, "{broken}");
}

#[test]
fn a_sign_that_begins_nothing_is_text() {
    check(
        "<item><title>3 < 5 & 6 > 2</title><guid isPermaLink='false'>g2</guid>\
         <description>a <1 b </2 c</description></item>",
        (Some("3 < 5 & 6 > 2"), None, Some("g2"), Some("a <1 b </2 c")),
    );
    check(
        "<item><title>x <y and z</title><guid>g2</guid></item>",
        (Some("x <y and z"), None, Some("g2"), None),
    );
}

#[test]
fn markup_in_a_text_need_not_be_whole() {
    let texts = [
        "one<br>two",
        "one</p>",
        "<p>one<b>two</p>",
        "<img src=\"a\" alt='x'>",
        "</decription>one",
    ];
    for text in texts {
        check(
            &format!(
                "<item><title>B</title><description>{text}</description><guid>g2</guid></item>"
            ),
            (Some("B"), None, Some("g2"), Some(text)),
        );
    }
}

#[test]
fn an_element_without_its_end_ends_where_the_next_begins() {
    for title in ["<title>B", "<title>B</titel>", "<title>B</Titel >"] {
        let broken = format!(
            "<item>{title}<link>https://example.org/2</link><guid>g2</guid>\
             <description>D</description></item>"
        );
        let read = title.strip_prefix("<title>").unwrap();
        check(&broken, (Some(read), Some("https://example.org/2"), Some("g2"), Some("D")));
    }
    check(
        "<item><title>B</title><link>https://example.org/2<guid>g2</guid>\
         <enclosure url='a'><description>D</description></item>",
        (Some("B"), Some("https://example.org/2"), Some("g2"), Some("D")),
    );
    let none = (Some("B"), None, Some("g2"), None);
    check("<item><title>B</title><guid>g2</guid><description>D", (none.0, None, none.2, Some("D")));
    check("<item><title>B</title></p></x><guid>g2</guid></item>", none);
    check("<item><title>B</TITLE><guid>g2</guid></ITEM>", none);
    check("<item><title>B</title<guid>g2</guid></item>", none);
}

#[test]
fn a_section_without_its_end_ends_with_its_element() {
    check(
        "<item><title>B</title><description><![CDATA[<b>D</b></description><guid>g2</guid></item>",
        (Some("B"), None, Some("g2"), Some("<b>D</b>")),
    );
    check(
        "<item><title><![CDATA[B</title><description><![CDATA[D]]></description><guid>g2</guid></item>",
        (Some("B"), None, Some("g2"), Some("D")),
    );
    for comment in ["<!-- a ", "<!-- <item>x</item> -->"] {
        check(
            &format!("<item><title>B</title>{comment}<guid>g2</guid></item>"),
            (Some("B"), None, Some("g2"), None),
        );
    }
}

#[test]
fn a_value_without_its_end_ends_with_its_tag() {
    for file in ["<enclosure url=\"a type=\"b\"/>", "<enclosure url=\"a?b=1&c=2\" type=x/y>"] {
        check(
            &format!("<item><title>B</title>{file}<guid>g2</guid></item>"),
            (Some("B"), None, Some("g2"), None),
        );
    }
    check(
        "<item><title>B</title><description>a <img alt=\"x > <b>\"> c</description>\
         <guid title='>'>g2</guid></item>",
        (Some("B"), None, Some("g2"), Some("a <img alt=\"x > <b>\"> c")),
    );
}

#[test]
fn an_entry_in_which_the_document_ends_is_a_reject_alone() {
    let start = format!("<rss><channel><title>World</title>{}", item(1));
    let whole = item(2);
    for length in ["<item".len() + 1, 20, whole.len() / 2, whole.len() - 2] {
        let cut = whole.get(..length).unwrap();
        let feed = read(&format!("{start}{cut}"));
        assert_eq!(feed.entries.len(), 1);
        let [problem] = <[Problem; 1]>::try_from(feed.problems).unwrap();
        assert_eq!((problem.offset, problem.entries), (Some(start.len() as u64), 1));
        assert_eq!(problem.bytes, cut.as_bytes());
    }
    for end in ["", "\n", "</channel>", "<it", "</channel></rs"] {
        let feed = read(&format!("{start}{whole}{end}"));
        assert_eq!((feed.entries.len(), feed.problems), (2, vec![]), "{end}");
    }
}

#[test]
fn xhtml_need_not_be_whole() {
    let feed = read(
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id><content type='xhtml'>\
         <div>one<br>two <b>three</div></content></entry><entry><id>2</id><content type='xhtml'>\
         <div><p>four<entry/></div></content></entry><entry><title>A<id>3</id></entry></feed>",
    );
    assert_eq!((feed.entries.len(), feed.problems), (3, vec![]));
    assert_eq!(feed.entries[0].content.as_ref().unwrap().value, "one<br></br>two <b>three</b>");
    assert!(feed.entries[1].content.as_ref().unwrap().value.contains("four"));
    assert_eq!(feed.entries[2].guid.as_deref(), Some("3"));
}

#[test]
fn a_page_of_a_sitemap_need_not_be_whole() {
    let page = |title: &str| {
        format!(
            "<url><loc>https://example.org/{title}<lastmod>2024-03-05</lastmod><news:news>\
             <news:title>{title} & co</news:title></url>"
        )
    };
    let feed = read(&format!(
        "<urlset xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'>{}{}</urlset>",
        page("A"),
        page("B")
    ));
    let links: Vec<_> = feed.entries.iter().filter_map(|entry| entry.link.as_deref()).collect();
    assert_eq!(links, ["https://example.org/A", "https://example.org/B"]);
    assert_eq!(feed.entries[1].title.as_ref().unwrap().value, "B & co");
    assert_eq!(feed.entries[1].updated.as_deref(), Some("2024-03-05"));
}

#[test]
fn a_lone_entry_need_not_be_whole() {
    let lone = "<entry xmlns='http://www.w3.org/2005/Atom'><title>A</titel><id>1</id>";
    let feed = read(&format!("{lone}<media:title>x</media:title></entry>"));
    assert_eq!((feed.entries.len(), feed.problems), (1, vec![]));
    assert_eq!(feed.entries[0].guid.as_deref(), Some("1"));
    let url = Url::parse("https://example.org/").unwrap();
    for inside in ["", "<entry>", "<entry><id>2</id></entry>", "<entry/>"] {
        let text = format!("{lone}{inside}");
        let failure = parse(text.as_bytes(), None, &url, 2000, &Steps::new(u64::MAX)).unwrap_err();
        assert_eq!(failure.class, FailureClass::Malformed, "{inside}");
    }
}
