//! Whole documents: what each format comes to, what is mended, what is refused.

use cw_model::TextKind;

use super::*;

fn read(text: &str) -> Result<ParsedFeed, ParseFailure> {
    let url = Url::parse("https://example.org/feeds/world.xml").unwrap();
    parse(text.as_bytes(), None, &url, 2000, &Steps::for_bytes(text.len()))
}

fn rss(items: &str) -> String {
    format!("<rss version=\"2.0\"><channel><title>World</title>{items}</channel></rss>")
}

fn atom(entries: &str) -> String {
    format!("<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>World</title>{entries}</feed>")
}

#[track_caller]
fn entries(text: &str) -> Vec<Entry> {
    let feed = read(text).unwrap_or_else(|failure| panic!("{failure:?} of {text:.500}"));
    assert_eq!(feed.problems, []);
    feed.entries
}

#[track_caller]
fn only(text: &str) -> Entry {
    let mut entries = entries(text);
    assert_eq!(entries.len(), 1, "{text}");
    entries.pop().unwrap()
}

#[track_caller]
fn check_titles(text: &str, titles: &[&str]) {
    let entries = entries(text);
    let read: Vec<&str> = entries
        .iter()
        .map(|entry| entry.title.as_ref().map_or("", |title| title.value.as_str()))
        .collect();
    assert_eq!(read, titles, "{text:.500}");
}

#[track_caller]
fn check_refused(text: &str, class: FailureClass) -> ParseFailure {
    let failure = read(text).expect_err("should be refused");
    assert_eq!(failure.class, class, "{failure:?} of {text:.200}");
    failure
}

/// The most elements that a parser without limits finds open at once.
fn depth_of(xml: &str) -> usize {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut depth, mut deepest) = (0_usize, 0);
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Start(_)) => depth += 1,
            Ok(quick_xml::events::Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(quick_xml::events::Event::Eof) | Err(_) => return deepest,
            Ok(_) => {}
        }
        deepest = deepest.max(depth);
    }
}

#[test]
fn parsers_see_no_elements_that_stand_in_a_value() {
    let deep = "<m:content xmlns:m='http://search.yahoo.com/mrss/'>".repeat(200);
    let documents = [
        // A name with a quotation mark, in the root's tag, which is always written anew.
        format!(
            "<rss a\"=1\"><channel><item x=\"><channel><item>{deep}\" y=\"\"></item></channel></rss>"
        ),
        format!(
            "<rss a'=1'><channel><item x='><channel><item>{}' y=''></item></channel></rss>",
            deep.replace('\'', "\"")
        ),
        format!(
            "<rss><channel><item><link xml:base='/' a\"=1\"/><link x=\">{deep}\" y=\"\"/></item></channel></rss>"
        ),
        // The name of an element.
        format!("<a\"b:rss x=\"><channel><item y=\">{deep}\"></item></channel></a\"b:rss>"),
        // Markup that somebody forgot to escape.
        format!(
            "<rss><channel><item><title><b x=\"</title>{deep}\">A</b></title></item></channel></rss>"
        ),
    ];
    let url = Url::parse("https://example.org/").unwrap();
    let seen = documents.iter().filter_map(|text| {
        let cut = cut::cut(text, 0, &url, 10, &Steps::new(u64::MAX)).ok()?;
        Some((depth_of(&cut.xml()), text))
    });
    let deep: Vec<_> = seen.filter(|(depth, _)| *depth > 64).collect();
    assert!(deep.is_empty(), "{deep:.300?}");
}

#[test]
fn an_rss_item_keeps_all_it_says() {
    let entry = only(&rss(
        "<item><title>Shelling &amp;amp; reply</title><link>https://example.org/a?x=1&amp;y=2</link>
         <guid isPermaLink='false'>a-1</guid><pubDate>Tue, 05 Mar 2024 10:15:00 MSK</pubDate>
         <description>&lt;p&gt;Teaser&lt;/p&gt;</description>
         <content:encoded xmlns:content='http://purl.org/rss/1.0/modules/content/'>
           <![CDATA[<p>Body</p>]]></content:encoded>
         <author>desk@example.org (The Desk)</author>
         <dc:creator>A. Writer</dc:creator><category>World</category>
         <enclosure url='/p.jpg' type='image/jpeg' length='9'/></item>",
    ));
    assert_eq!(entry.guid.as_deref(), Some("a-1"));
    assert_eq!(entry.link.as_deref(), Some("https://example.org/a?x=1&y=2"));
    let title = entry.title.unwrap();
    assert_eq!((title.kind, title.value.as_str()), (TextKind::Html, "Shelling &amp; reply"));
    assert_eq!(entry.summary.unwrap().kind, TextKind::Html);
    assert_eq!(entry.content.unwrap().value.trim(), "<p>Body</p>");
    assert_eq!(entry.authors, ["The Desk", "A. Writer"]);
    assert_eq!(entry.categories, ["World"]);
    assert_eq!(entry.published.as_deref(), Some("Tue, 05 Mar 2024 10:15:00 MSK"));
    assert_eq!(entry.updated, None);
    assert_eq!(entry.media.len(), 1);
    assert_eq!(entry.media[0].url, "/p.jpg");
    assert!(entry.span.is_some());
}

#[test]
fn an_atom_entry_keeps_all_it_says() {
    let entry = only(&atom(
        "<author><name>Desk</name></author>
         <entry xml:lang='uk' xml:base='https://example.org/news/'><id> urn:1 </id>
         <title type='html'>A &amp;lt;b&gt;bold&lt;/b&gt; move</title>
         <link rel='self' href='https://example.org/1.atom'/><link href='1.html'/>
         <link rel='enclosure' href='p.jpg' type='image/jpeg'/>
         <published>2024-03-05T10:15:00Z</published><updated>2024-03-05T11:00:00Z</updated>
         <summary>plain &lt;text></summary>
         <content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>One</p></div></content>
         <category term='w' label='World'/></entry>",
    ));
    assert_eq!(entry.guid.as_deref(), Some("urn:1"));
    assert_eq!(entry.link.as_deref(), Some("1.html"));
    assert_eq!(entry.base.as_deref().map(Url::as_str), Some("https://example.org/news/"));
    assert_eq!(entry.title.unwrap().kind, TextKind::Html);
    let summary = entry.summary.unwrap();
    assert_eq!((summary.kind, summary.value.as_str()), (TextKind::Plain, "plain <text>"));
    let content = entry.content.unwrap();
    assert_eq!((content.kind, content.value.as_str()), (TextKind::Html, "<p>One</p>"));
    assert_eq!(entry.authors, ["Desk"]);
    assert_eq!(entry.language.as_deref(), Some("uk"));
    assert_eq!(entry.categories, ["World"]);
    assert_eq!(entry.published.as_deref(), Some("2024-03-05T10:15:00Z"));
    assert_eq!(entry.updated.as_deref(), Some("2024-03-05T11:00:00Z"));
    assert_eq!(entry.media.len(), 1);
}

#[test]
fn a_json_feed_is_read_as_publishers_write_it() {
    let feed = read(
        r#"{"version": "http://jsonfeed.org/version/1", "title": "W", "language": "en",
            "authors": {"name": "Desk"}, "items": [
            {"id": 7, "url": "https://example.org/7", "content_html": "<p>x</p>",
             "tags": "war", "date_published": "2024-03-05", "image": "https://example.org/p.jpg",
             "attachments": [{"url": "a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 12.5}]},
            null,
            {"id": "8", "title": "T", "content_text": "a < b", "author": {"name": "A"}}]}"#,
    )
    .unwrap();
    assert_eq!(feed.format, FeedFormat::Json);
    assert_eq!(feed.problems.len(), 1);
    assert_eq!(feed.entries.len(), 2);
    let first = &feed.entries[0];
    assert_eq!(first.guid.as_deref(), Some("7"));
    assert_eq!(first.authors, ["Desk"]);
    assert_eq!(first.categories, ["war"]);
    assert_eq!(first.media.len(), 2);
    assert_eq!(feed.entries[1].content.as_ref().unwrap().kind, TextKind::Plain);
    assert_eq!(feed.entries[1].authors, ["A"]);
}

#[test]
fn a_news_sitemap_is_a_feed() {
    let feed = read(
        "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'
            xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'
            xmlns:image='http://www.google.com/schemas/sitemap-image/1.1'>
         <url><loc>https://example.org/about</loc></url>
         <url><loc>https://example.org/a?x=1&amp;y=2</loc><lastmod>2024-03-06</lastmod>
         <news:news><news:publication><news:name>Daily</news:name><news:language>en</news:language>
         </news:publication><news:publication_date>2024-03-05</news:publication_date>
         <news:title>Truce &amp; talks</news:title></news:news>
         <image:image><image:loc>https://example.org/p.jpg</image:loc></image:image></url></urlset>",
    )
    .unwrap();
    let [entry] = <[Entry; 1]>::try_from(feed.entries).unwrap();
    assert_eq!(entry.link.as_deref(), Some("https://example.org/a?x=1&y=2"));
    assert_eq!(entry.title.unwrap().value, "Truce & talks");
    assert_eq!(entry.published.as_deref(), Some("2024-03-05"));
    assert_eq!(entry.updated.as_deref(), Some("2024-03-06"));
    assert_eq!(entry.language.as_deref(), Some("en"));
    assert_eq!(entry.media.len(), 1);
}

#[test]
fn a_sitemap_may_give_its_own_vocabulary_a_prefix() {
    let feed = read(
        "<s:urlset xmlns:s='http://www.sitemaps.org/schemas/sitemap/0.9'
            xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'
            xmlns:video='http://www.google.com/schemas/sitemap-video/1.1'>
         <s:url><s:loc>https://example.org/b</s:loc><news:news><news:title>Truce</news:title>
         </news:news><video:url>https://example.org/film</video:url></s:url></s:urlset>",
    )
    .unwrap();
    assert_eq!(feed.entries[0].link.as_deref(), Some("https://example.org/b"));
    assert!(feed.problems.is_empty(), "{:?}", feed.problems);
}

#[test]
fn a_sitemap_without_news_says_what_it_is() {
    let plain = check_refused(
        "<urlset><url><loc>https://example.org/</loc></url></urlset>",
        FailureClass::NotAFeed,
    );
    assert!(plain.detail.contains("without news tags"), "{}", plain.detail);
    let index = check_refused(
        "<sitemapindex><sitemap><loc>https://example.org/s.xml</loc></sitemap></sitemapindex>",
        FailureClass::NotAFeed,
    );
    assert!(index.detail.contains("index of sitemaps"), "{}", index.detail);
}

#[test]
fn every_version_of_rss_and_atom_is_read() {
    let item = "<item><title>A</title><link>https://example.org/a</link></item>";
    for start in [
        "<rss version='0.91'>",
        "<rss version='0.92'>",
        "<rss version='0.93'>",
        "<rss version='2'>",
        "<rss version='2.00'>",
        "<rss version='2.0 '>",
        "<rss>",
        "<rss xmlns='http://backend.userland.com/rss2'>",
        "<rss xmlns='http://www.w3.org/2005/Atom'>",
    ] {
        check_titles(&format!("{start}<channel>{item}</channel></rss>"), &["A"]);
    }
    check_titles(&format!("<RSS version='2.0'><channel>{item}</channel></RSS>"), &["A"]);
    for space in [
        "http://purl.org/rss/1.0/",
        "http://purl.org/rss/1.0",
        "http://my.netscape.com/rdf/simple/0.9/",
        "http://channel.netscape.com/rdf/simple/0.9/",
    ] {
        let rdf = format!(
            "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='{space}'>
             <channel><title>W</title></channel>{item}</rdf:RDF>"
        );
        check_titles(&rdf, &["A"]);
    }
    let entry = "<entry><title>A</title><id>1</id></entry>";
    for space in [
        "xmlns='http://www.w3.org/2005/Atom'",
        "xmlns='https://www.w3.org/2005/Atom/'",
        "xmlns='http://purl.org/atom/ns#'",
        "",
    ] {
        check_titles(&format!("<feed {space}>{entry}</feed>"), &["A"]);
    }
}

#[test]
fn the_dates_of_atom_0_3_are_read() {
    let entry = only(
        "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><title>A</title>
         <issued>2004-03-05T10:15:00Z</issued><modified>2004-03-06T10:15:00Z</modified></entry></feed>",
    );
    assert_eq!(entry.published.as_deref(), Some("2004-03-05T10:15:00Z"));
    assert_eq!(entry.updated.as_deref(), Some("2004-03-06T10:15:00Z"));
}

#[test]
fn an_entry_without_a_guid_has_none() {
    let entry = only(&rss("<item><title>A</title><guid></guid></item>"));
    assert_eq!((entry.guid, entry.link), (None, None));
    let entry = only(&atom("<entry><title>A</title></entry>"));
    assert_eq!((entry.guid, entry.link), (None, None));
}

#[test]
fn a_guid_is_the_link_unless_it_says_not() {
    let entry = only(&rss("<item><guid>https://example.org/a</guid></item>"));
    assert_eq!(entry.link.as_deref(), Some("https://example.org/a"));
    let entry = only(&rss("<item><guid isPermaLink='false'>https://example.org/a</guid></item>"));
    assert_eq!(entry.link, None);
    let entry = only(&rss("<item><guid>urn:uuid:1</guid></item>"));
    assert_eq!(entry.link, None);
}

#[test]
fn a_bare_ampersand_loses_nothing() {
    check_titles(
        &rss("<item><title>A</title></item>
              <item><title>AT&T & co; R&D</title><link>https://e.org/?a=1&b=2</link>
              <description>x & y</description></item><item><title>C</title></item>"),
        &["A", "AT&T & co; R&D", "C"],
    );
}

#[test]
fn names_of_html_are_known_without_a_dtd() {
    check_titles(
        &rss("<item><title>caf&eacute;&nbsp;&rsquo;x&rsquo; &nosuch;</title></item>"),
        &["café\u{A0}’x’ &nosuch;"],
    );
}

#[test]
fn references_to_no_character_go() {
    check_titles(
        &rss("<item><title>a&#0;b&#8;c&#x1F;d&#xFFFFFFFFF;e</title></item>
              <item><title>&#146;&#55357;&#56832;&#55357;x</title></item>"),
        &["abcde", "’😀x"],
    );
}

#[test]
fn junk_around_the_document_is_passed_over() {
    let document = rss("<item><title>A</title></item>");
    for before in [
        "",
        "\n\n",
        "\u{FEFF}\n",
        "<!-- served by x -->",
        "hello",
        "<br />\n<b>Warning</b>: include(): failed in <b>/x.php</b> on line <b>3</b><br />\n",
    ] {
        for after in
            ["", "<!-- x -->", "0", "<script>x</script>", "</div>", "<?xml version='1.0'?>"]
        {
            check_titles(
                &format!("{before}<?xml version='1.0' encoding='utf-16'?>{document}{after}"),
                &["A"],
            );
        }
    }
}

#[test]
fn a_second_declaration_is_passed_over() {
    check_titles(
        &rss(
            "<item><title>A</title></item><?xml version='1.0' encoding='koi8-r'?><item><title>Б</title></item>",
        ),
        &["A", "Б"],
    );
}

#[test]
fn markup_that_is_not_escaped_belongs_to_the_text() {
    let entry = only(&rss(
        "<item><title>A <b>bold</b> move</title><description>One <p class='x'>two &amp; <br/>three
         &nbsp;<author>x</author></p> four</description><author>B</author></item>",
    ));
    assert_eq!(entry.title.unwrap().value, "A <b>bold</b> move");
    let summary = entry.summary.unwrap();
    assert_eq!(summary.kind, TextKind::Html);
    assert!(summary.value.starts_with("One <p class='x'>two &amp; <br/>three"), "{summary:?}");
    assert!(summary.value.ends_with("&nbsp;<author>x</author></p> four"), "{summary:?}");
    assert_eq!(entry.authors, ["B"]);
    let entry = only(&atom("<entry><content type='html'>One <p>two</p></content></entry>"));
    assert_eq!(entry.content.unwrap().value, "One <p>two</p>");
}

#[test]
fn markup_escaped_twice_is_markup() {
    let twice =
        only(&rss("<item><description>&amp;lt;p&amp;gt;x&amp;lt;/p&amp;gt;</description></item>"));
    assert_eq!(twice.summary.unwrap().value, "<p>x</p>");
    let once = only(&rss("<item><description>on &amp;lt;p&amp;gt; in HTML</description></item>"));
    assert_eq!(once.summary.unwrap().value, "on &lt;p&gt; in HTML");
}

#[test]
fn an_undeclared_prefix_overwrites_nothing() {
    let entry = only(&rss(
        "<item><title>A</title><link>https://example.org/a</link><media:title>B</media:title>
         <foo:link>https://example.org/b</foo:link><foo:pubDate>never</foo:pubDate></item>",
    ));
    assert_eq!(entry.title.unwrap().value, "A");
    assert_eq!(entry.link.as_deref(), Some("https://example.org/a"));
    assert_eq!(entry.published, None);
}

#[test]
fn media_are_kept_and_a_film_has_its_description() {
    let entry = only(&atom(
        "<entry xmlns:media='http://search.yahoo.com/mrss/'><title>A</title><media:group>
         <media:title>Cap</media:title><media:content url='https://example.org/v.mp4' type='video/mp4'
          width='640' height='360'><media:title>Film</media:title></media:content>
         <media:thumbnail url='https://example.org/t.jpg'/>
         <media:description>What happened</media:description></media:group></entry>",
    ));
    assert_eq!(entry.summary.unwrap().value, "What happened");
    assert_eq!(entry.media.len(), 1);
    assert_eq!(entry.media[0].title.as_deref(), Some("Film"));
    assert_eq!((entry.media[0].width, entry.media[0].height), (Some(640), Some(360)));
    let entry = only(&rss(
        "<item xmlns:m='http://search.yahoo.com/mrss'><m:thumbnail url='t.jpg' width='x'/></item>",
    ));
    assert_eq!(entry.media.len(), 1);
}

#[test]
fn odd_types_and_bases_do_not_lose_a_feed() {
    check_titles(
        &atom("<entry><title type='text/plain'>A</title><content type='unknown/x y'>z</content></entry>
               <entry><title type='bogus'>B</title><content src='x.html'>z</content></entry>
               <entry xml:base='http://['><title>C</title><content type='application/pdf'/></entry>"),
        &["A", "B", "C"],
    );
    check_titles(
        &rss("<item xmlns:media='http://search.yahoo.com/mrss/'><title>A</title><media:title/>
              <media:description type='x'></media:description></item>"),
        &["A"],
    );
}

#[test]
fn names_that_feed_rs_panics_on_are_read() {
    let entry = only(&rss("<item xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'>
         <author>Сводная редакция «Дня»desk@example.org</author>
         <itunes:duration>99999999999999999999999999:00:00</itunes:duration></item>"));
    assert_eq!(entry.authors, ["Сводная редакция «Дня»desk@example.org"]);
}

#[test]
fn unquoted_and_repeated_attributes_keep_the_entry() {
    check_titles(
        &rss("<item><title>A</title><enclosure url=https://example.org/p.jpg type=image/jpeg />
              <guid isPermaLink='false' isPermaLink='true'>x</guid></item>"),
        &["A"],
    );
}

#[test]
fn what_is_no_feed_is_named() {
    for (text, class) in [
        ("", FailureClass::Empty),
        (" \r\n\t ", FailureClass::Empty),
        ("<!DOCTYPE html><html><body>x</body></html>", FailureClass::Html),
        ("<html lang='en'><head></head></html>", FailureClass::Html),
        ("<p>Service unavailable</p>", FailureClass::Html),
        ("Service unavailable", FailureClass::NotAFeed),
        ("%PDF-1.4 binary", FailureClass::NotAFeed),
        ("<opml version='2.0'><body/></opml>", FailureClass::NotAFeed),
        ("<error>no</error>", FailureClass::NotAFeed),
        ("{\"status\": \"ok\"}", FailureClass::NotAFeed),
        ("[1, 2]", FailureClass::NotAFeed),
        ("{\"version\": ", FailureClass::Malformed),
    ] {
        check_refused(text, class);
    }
}

#[test]
fn a_document_that_ends_before_an_entry_does_says_where() {
    for text in
        ["<!-- x --><rss version='2.0'><channel><item><title>A", "<rss><channel><title>W", "<rss"]
    {
        let failure = check_refused(text, FailureClass::Malformed);
        assert_eq!(failure.offset, Some(text.len() as u64));
    }
}

#[test]
fn entities_are_never_expanded() {
    let bomb = "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>";
    let failure =
        check_refused(&format!("{bomb}{}", rss("<item>&b;</item>")), FailureClass::Entities);
    assert!(failure.offset.is_some());
    let external = "<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>";
    check_refused(&format!("{external}{}", rss("&x;")), FailureClass::Entities);
}

#[test]
fn an_entity_that_is_a_short_plain_text_is_read() {
    let item = rss("<item><title>D&acute1;luge &nosuch; &nbsp;x</title></item>");
    let doctype = "<!DOCTYPE rss [<!ENTITY acute1 \"&#233;\"><!ENTITY nbsp '_'>\
                   <!ENTITY % x SYSTEM 'http://example.org/x.dtd'> %x;]>";
    check_titles(&format!("{doctype}{item}"), &["Déluge &nosuch; _x"]);
}

#[test]
fn a_document_type_without_entities_is_inert() {
    let doctype = "<!DOCTYPE rss PUBLIC \"-//Netscape Communications//DTD RSS 0.91//EN\"
        \"http://my.netscape.com/publish/formats/rss-0.91.dtd\">";
    check_titles(&format!("{doctype}{}", rss("<item><title>A</title></item>")), &["A"]);
}

#[test]
fn what_nests_too_deep_is_refused() {
    for name in ["media:content", "media:group", "b"] {
        for depth in [2_000, 100_000] {
            let (open, close) = (format!("<{name}>"), format!("</{name}>"));
            let deep = format!(
                "<item xmlns:media='http://search.yahoo.com/mrss/'>{}{}</item>",
                open.repeat(depth),
                close.repeat(depth)
            );
            check_refused(&rss(&deep), FailureClass::TooDeep);
        }
    }
    // JSON that nobody reads is passed over without recursion.
    let deep = format!("{{\"items\": [], \"x\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(entries(&deep), []);
}

#[test]
fn what_is_too_wide_is_refused() {
    let many: String = (0..200_000).map(|place| format!(" a{place}=''")).collect();
    check_refused(&rss(&format!("<item{many}/>")), FailureClass::Malformed);
    let many: String = (0..200).map(|place| format!(" xmlns:a{place}='b'")).collect();
    check_refused(&rss(&format!("<item{many}/>")), FailureClass::Malformed);
}

#[test]
fn bare_ampersands_read_as_they_stand_however_many() {
    for run in ["&".repeat(100_000), "& ".repeat(100_000), "&a".repeat(100_000)] {
        // Not as a headline, which is cut.
        let entry = only(&rss(&format!("<item><description>a {run} b</description></item>")));
        let summary = entry.summary.unwrap().value;
        assert!(summary == format!("a {run} b"), "{summary:.100}");
    }
}

#[test]
fn a_document_that_takes_too_many_steps_is_refused() {
    for text in [rss("<item><title>a</title></item>"), "{\"items\": []}".to_owned()] {
        let url = Url::parse("https://example.org/feeds/world.xml").unwrap();
        let failure = parse(text.as_bytes(), None, &url, 2000, &Steps::new(10)).unwrap_err();
        assert_eq!(failure.class, FailureClass::TooCostly);
    }
}
