//! No entry vanishes: each is an article, or a counted problem with its bytes.

use cw_model::reject::DETAIL_BYTES_MAX;

use super::*;

fn read(text: &str, entries_max: usize) -> ParsedFeed {
    let url = Url::parse("https://example.org/feeds/world.xml").unwrap();
    let steps = Steps::for_bytes(text.len());
    parse(text.as_bytes(), None, &url, entries_max, &steps)
        .unwrap_or_else(|failure| panic!("{failure:?} of {text:.500}"))
}

fn rss(inside: &str) -> String {
    format!("<rss version='2.0'><channel>{inside}</channel></rss>")
}

fn rdf(inside: &str) -> String {
    format!(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' \
         xmlns='http://purl.org/rss/1.0/'><channel><title>W</title></channel>{inside}</rdf:RDF>"
    )
}

fn atom(inside: &str) -> String {
    format!("<feed xmlns='http://www.w3.org/2005/Atom'>{inside}</feed>")
}

fn json(items: &str) -> String {
    format!("{{\"version\": \"https://jsonfeed.org/version/1.1\", \"items\": [{items}]}}")
}

fn sitemap(inside: &str) -> String {
    format!(
        "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' \
         xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'>{inside}</urlset>"
    )
}

/// Holds a document to how many entries it has, and to the bytes of those that are left out.
#[track_caller]
fn check(text: &str, entries: usize, left_out: &[&str]) {
    let feed = read(text, 2000);
    assert_eq!(feed.entries.len(), entries, "{text:.500}");
    let shown: Vec<&str> =
        feed.problems.iter().map(|problem| std::str::from_utf8(&problem.bytes).unwrap()).collect();
    assert_eq!(shown, left_out, "{text:.500}");
    for (problem, bytes) in feed.problems.iter().zip(left_out) {
        let offset = usize::try_from(problem.offset.unwrap()).unwrap();
        assert_eq!(text.get(offset..offset + bytes.len()), Some(*bytes), "{text:.500}");
        assert_eq!(problem.entries, 1, "{text:.500}");
    }
    assert_eq!(feed.over_limit, None);
}

#[test]
fn items_that_are_no_objects_are_shown() {
    check(
        &json("{\"id\": 1}, null, \"a \\\"]\", [1, {}], {\"id\": 2}, -1.5e3, true"),
        2,
        &["null", "\"a \\\"]\"", "[1, {}]", "-1.5e3", "true"],
    );
    check(&json("null"), 0, &["null"]);
}

#[test]
fn an_item_with_odd_fields_is_an_article() {
    check(&json("{\"id\": {\"a\": 1}, \"title\": [1], \"url\": null, \"tags\": 7}, {}"), 2, &[]);
    let twice =
        json("{\"title\": \"A\", \"title\": \"B\", \"author\": {\"name\": 1, \"name\": \"C\"}}");
    check(&twice, 1, &[]);
    let feed = read(&twice, 2000);
    assert_eq!(feed.entries[0].title.as_ref().unwrap().value, "B");
    assert_eq!(feed.entries[0].authors, ["C"]);
}

#[test]
fn a_bad_value_in_one_json_item_costs_no_other_item() {
    // Of these nothing is lost but what is no text.
    for (value, title) in [
        (r#""a\ud800""#, Some("a")),
        (r#""a\udc00b""#, Some("ab")),
        (r#""a\ud83d\ude00""#, Some("a😀")),
        (r#""a\xb""#, Some("axb")),
        ("\"a\u{1}\nb\"", Some("a\nb")),
        ("1e999", Some("1e999")),
        ("-1e999", Some("-1e999")),
        ("NaN", None),
        ("undefined", None),
        ("{\"a\": [1, {}], \"a\": 2}", None),
    ] {
        let text =
            json(&format!("{{\"id\": 1}}, {{\"id\": 2, \"title\": {value}}}, {{\"id\": 3}}"));
        check(&text, 3, &[]);
        let second = read(&text, 2000).entries.remove(1);
        assert_eq!(second.guid.as_deref(), Some("2"));
        assert_eq!(second.title.map(|title| title.value).as_deref(), title, "{value}");
    }
    for key in [r#""\ud800""#, "\"a\nb\"", r#""\x""#] {
        check(&json(&format!("{{{key}: {{}}}}, {{}}")), 2, &[]);
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    check(&json(&format!("{{\"tags\": {deep}}}, {{\"x\": {deep}}}, {{\"id\": {deep}}}")), 3, &[]);
    check(&json("{\"tags\": [1, 2, ],}, {},"), 2, &[]);
    // Of these an item is lost.
    for item in [
        r#"{"title": "a" "b"}"#,
        r#"{"title": }"#,
        r#"{"title": 'a b'}"#,
        r#"{title: "a"}"#,
        r#"{"tags": ["a" "b"]}"#,
        r#"{"authors": [{"name" "b"}]}"#,
    ] {
        check(&json(&format!("{{}}, {item}, {{}}")), 2, &[item]);
    }
}

#[test]
fn a_json_feed_whose_items_cannot_be_told_apart_is_refused() {
    let url = Url::parse("https://example.org/").unwrap();
    let text = json("{\"title\": \"a}, {}");
    let failure = parse(text.as_bytes(), None, &url, 1, &Steps::new(u64::MAX)).unwrap_err();
    assert_eq!(failure.class, FailureClass::Malformed);
    assert_eq!(failure.offset, Some(text.len() as u64));
}

#[test]
fn a_json_feed_that_is_cut_keeps_the_items_before() {
    let whole = json("{\"title\": \"a\"}, {\"title\": \"b\"}");
    let cut = |mark: &str| whole.split_inclusive(mark).next().unwrap().to_owned();
    for text in [cut("\"b\"}"), cut("\"b\"}]"), format!("{whole} x"), whole.replace("}, {", "} {")]
    {
        check(&text, 2, &[]);
    }
    check(&cut("\"b"), 1, &["{\"title\": \"b"]);
    check(&cut("}, {"), 1, &["{"]);
}

#[test]
fn an_entry_is_read_wherever_it_lies() {
    let item = "<item><title>A &amp; B</title></item>";
    let rdf = |inside: &str| {
        format!("<rdf:RDF xmlns='http://purl.org/rss/1.0/'><channel>{inside}</channel></rdf:RDF>")
    };
    for (text, entries) in [
        (format!("<rss>{item}</rss>"), 1),
        (format!("<rss><channel>{item}</channel>{item}</rss>"), 2),
        (format!("<rss>{item}<channel>{item}</channel></rss>"), 2),
        (format!("<rss><channel>{item}</channel><channel>{item}{item}</channel></rss>"), 3),
        (format!("<rss><channel/>{item}</rss>"), 1),
        (rss(&format!("<items>{item}</items>{item}")), 2),
        (rss(&format!("<item><title>B</title>{item}</item>")), 2),
        (rss(&format!("<Item/>{item}<ITEM a='b'></ITEM>")), 3),
        (atom("<entry/><x><entry/></x>"), 2),
        (atom("<entry><id>1</id><entry/></entry>"), 2),
        (rdf(item), 1),
    ] {
        check(&text, entries, &[]);
        let titles = read(&text, 2000).entries.into_iter().filter_map(|entry| entry.title);
        assert!(titles.into_iter().all(|title| ["A & B", "B"].contains(&title.value.as_str())));
    }
}

#[test]
fn an_entry_keeps_its_namespaces_wherever_it_lies() {
    let names = "<rss xmlns:c='http://purl.org/rss/1.0/modules/content/'><channel/><x \
                 xmlns:d='http://purl.org/dc/elements/1.1/'><item><d:creator>Ann</d:creator>\
                 <c:encoded>Body</c:encoded></item></x></rss>";
    let feed = read(names, 2000);
    assert_eq!(feed.entries[0].authors, ["Ann"]);
    assert_eq!(feed.entries[0].content.as_ref().unwrap().value, "Body");
}

#[test]
fn what_is_named_like_an_entry_of_another_format_is_shown() {
    check(&rss("<entry><title>A</title></entry>"), 0, &["<entry><title>A</title></entry>"]);
    check(&atom("<item/><entry/>"), 1, &["<item/>"]);
}

#[test]
fn an_entry_of_another_vocabulary_is_shown() {
    check(&rss("<item xmlns='urn:x'/><item/>"), 1, &["<item xmlns='urn:x'/>"]);
    check(&rss("<x:item xmlns:x='urn:x'>a</x:item>"), 0, &["<x:item xmlns:x='urn:x'>a</x:item>"]);
    check(&rss("<x:item/>"), 0, &["<x:item/>"]);
    check(&atom("<x:entry xmlns:x='urn:x'/>"), 0, &["<x:entry xmlns:x='urn:x'/>"]);
    // Deeper, it is that vocabulary's business.
    check(&rss("<item><x:y><x:item/></x:y></item><x:items><x:item/></x:items>"), 1, &[]);
    // Under a prefix of its own, the feed's vocabulary is the feed's.
    check(
        "<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:entry><a:title>A</a:title></a:entry></a:feed>",
        1,
        &[],
    );
}

#[test]
fn markup_in_a_text_is_no_entry() {
    check(
        &rss("<description>a <item>b</item></description><item><title><item/></title></item>"),
        1,
        &[],
    );
    check(&atom("<entry><content type='xhtml'><div><entry/></div></content></entry>"), 1, &[]);
}

#[test]
fn an_item_of_rss_1_0_without_a_link_is_an_article() {
    let items = "<item rdf:about='https://example.org/a'><title>A</title><dc:creator>C</dc:creator>\
                 </item><item/><item a='b'/><item><title>B</title>\
                 <link>https://example.org/b</link></item>";
    check(&rdf(items), 4, &[]);
    let feed = read(&rdf(items), 2000);
    let links: Vec<Option<&str>> = feed.entries.iter().map(|entry| entry.link.as_deref()).collect();
    assert_eq!(links, [Some("https://example.org/a"), None, None, Some("https://example.org/b")]);
    assert_eq!(feed.entries[0].authors, ["C"]);
    assert_eq!(feed.entries[3].title.as_ref().unwrap().value, "B");
}

#[test]
fn what_stands_beside_a_stray_keeps_what_it_says() {
    let feed = read(
        &rss("<x:item>a</x:item><item><title>A</title><author>a@example.org (Ann)</author></item>"),
        2000,
    );
    assert_eq!(feed.entries[0].authors, ["Ann"]);
    assert!(feed.entries[0].span.is_some());
}

#[test]
fn pages_of_a_sitemap_without_a_headline_are_counted_and_the_first_is_shown() {
    let news = "<url><loc>https://example.org/a</loc><news:news><news:title>A</news:title>\
                </news:news></url>";
    let text = sitemap(&format!("{news}<url><loc>/b</loc></url><url/>{news}"));
    let feed = read(&text, 2000);
    assert_eq!(feed.entries.len(), 2);
    assert_eq!(feed.problems.len(), 1);
    assert_eq!(feed.problems[0].entries, 2);
    assert_eq!(feed.problems[0].bytes, b"<url><loc>/b</loc></url>");
    // Without `loc` it is an article still.
    check(&sitemap("<url><news:news><news:title>A</news:title></news:news></url>"), 1, &[]);
    check(&sitemap(&format!("{news}<x>{news}</x>")), 1, &[news]);
}

#[test]
fn entries_past_the_limit_are_counted_and_the_first_is_shown() {
    let page =
        |title: char| format!("<url><news:news><news:title>{title}</news:title></news:news></url>");
    for (text, shown) in [
        (rss("<item>A</item><item/><item>C</item><x/><item/>"), "<item>C</item>"),
        (rdf("<item>A</item><item/><item>C</item><item/>"), "<item>C</item>"),
        (atom("<entry>A</entry><entry/><entry>C</entry><entry/>"), "<entry>C</entry>"),
        (json("{\"id\": 1}, {}, {\"id\": 3}, {}"), "{\"id\": 3}"),
        (sitemap(&['A', 'B', 'C', 'D'].map(page).concat()), &page('C')),
    ] {
        let feed = read(&text, 2);
        assert_eq!((feed.entries.len(), feed.problems), (2, vec![]), "{text}");
        let over_limit = feed.over_limit.unwrap();
        assert_eq!(over_limit.entries, 2, "{text}");
        assert_eq!(String::from_utf8(over_limit.bytes).unwrap(), shown);
        assert_eq!(over_limit.offset, text.find(shown).map(|offset| offset as u64));
        assert_eq!(read(&text, 4).over_limit, None);
    }
    // An item that is no object takes no other's place.
    let feed = read(&json("null, {}, null, {}, {\"id\": 3}"), 2);
    assert_eq!((feed.entries.len(), feed.problems.len()), (2, 2));
    assert_eq!(feed.over_limit.unwrap().bytes, b"{\"id\": 3}");
}

#[test]
fn however_high_the_limit_fifty_thousand_are_read() {
    let items = format!("{}{}", "<item/>".repeat(50_000), "<item>x</item>".repeat(3));
    let objects = format!("{}{}", "{},".repeat(50_000), "{\"id\":1},{},{}");
    for (text, shown) in [(rss(&items), "<item>x</item>"), (json(&objects), "{\"id\":1}")] {
        let feed = read(&text, 100_000);
        assert_eq!(feed.entries.len(), 50_000);
        let over_limit = feed.over_limit.unwrap();
        assert_eq!((over_limit.entries, over_limit.bytes.as_slice()), (3, shown.as_bytes()));
    }
}

#[test]
fn a_hundred_problems_are_shown_and_the_others_counted() {
    for text in [json(&vec!["1"; 1000].join(",")), rss(&"<entry/>".repeat(1000))] {
        let feed = read(&text, 2000);
        assert_eq!(feed.problems.len(), 100);
        assert_eq!(feed.problems.iter().map(|problem| problem.entries).sum::<u64>(), 1000);
        assert!(feed.problems[99].detail.contains("900 more"), "{}", feed.problems[99].detail);
    }
}

#[test]
fn more_children_than_anybody_sends_are_left_out_and_the_cut_is_said() {
    let text = format!("<item><title>A</title>{}</item><item/>", "<link>/a</link>".repeat(3000));
    let feed = read(&rss(&text), 2000);
    assert_eq!(feed.entries[0].title.as_ref().unwrap().value, "A");
    assert!(feed.entries[0].cut && !feed.entries[1].cut);
    assert_eq!(feed.feed_problems, []);
}

#[test]
fn more_children_of_a_feed_than_anybody_sends_are_counted_and_the_first_is_shown() {
    // Those of the feed itself take nothing from its entries.
    let category = "<category>a</category>";
    let text = |first: &str| {
        rss(&format!("{}{first}{}<item/>", category.repeat(2000), category.repeat(1000)))
    };
    let text = text("<category>b</category>");
    let feed = read(&text, 2000);
    assert_eq!((feed.entries.len(), feed.entries[0].cut), (1, false));
    let [problem] = <[Problem; 1]>::try_from(feed.feed_problems).unwrap();
    assert_eq!(problem.bytes, b"<category>b</category>");
    assert_eq!(problem.offset, text.find("<category>b").map(|at| at as u64));
    assert_eq!(problem.entries, 0);
    assert!(problem.detail.starts_with("1001 children"), "{}", problem.detail);
    let fits = read(&rss(&format!("{}<item/>", category.repeat(2000))), 2000);
    assert_eq!(fits.feed_problems, []);
}

#[test]
fn a_title_or_language_of_a_feed_that_is_too_long_is_shown() {
    for longer in [0, 1] {
        let (long, name) = ("ж".repeat(2048) + &"x".repeat(longer), "x".repeat(512 + longer));
        for text in [
            rss(&format!("<title>{long}</title><language>{name}</language>")),
            atom(&format!("<title>{long}</title><id>a</id>")).replacen(
                "<feed ",
                &format!("<feed xml:lang='{name}' "),
                1,
            ),
            json("").replacen(
                '{',
                &format!("{{\"title\": \"{long}\", \"language\": \"{name}\","),
                1,
            ),
        ] {
            let feed = read(&text, 2000);
            assert_eq!(feed.title.unwrap().len(), 4096);
            assert_eq!(feed.language.is_some(), longer == 0, "{text:.200}");
            let shown: Vec<&[u8]> =
                feed.feed_problems.iter().map(|problem| problem.bytes.as_slice()).collect();
            let too_long = [long.as_bytes(), name.as_bytes()];
            assert_eq!(shown, too_long[..2 * longer], "{text:.200}");
        }
    }
}

#[test]
fn an_entry_under_a_base_that_is_too_long_is_said_to_be_cut() {
    let long = format!("/{}/", "a".repeat(3000));
    for (text, cut) in [
        (format!("<feed xml:base='{long}'><entry/></feed>"), vec![true]),
        (atom(&format!("<entry xml:base='{long}'/><entry xml:base='/a/'/>")), vec![true, false]),
        (
            atom(&format!("<entry><link xml:base='{long}' href='a'/></entry><entry/>")),
            vec![true, false],
        ),
        (atom(&format!("<entry><title xml:base='{long}'>A</title></entry>")), vec![false]),
        (
            format!(
                "<feed xml:base='/{}/'><entry xml:base='{}/'/><entry/></feed>",
                "a".repeat(1500),
                "b".repeat(1500)
            ),
            vec![true, false],
        ),
    ] {
        let feed = read(&text, 2000);
        let said: Vec<bool> = feed.entries.iter().map(|entry| entry.cut).collect();
        assert_eq!(said, cut, "{text:.100}");
    }
}

#[test]
fn lists_longer_than_is_kept_are_said_to_be_cut() {
    for text in [
        rss(&format!("<item>{}</item>", "<enclosure url='/a'/>".repeat(501))),
        rss(&format!("<item>{}</item>", "<category>a</category>".repeat(501))),
        rss(&format!("<item>{}</item>", "<author>a</author>".repeat(501))),
        atom(&format!("<entry>{}</entry>", "<link rel='enclosure' href='/a'/>".repeat(501))),
        json(&format!("{{\"tags\": [\"a\"{}]}}", ",\"a\"".repeat(500))),
        sitemap(&format!(
            "<url><news:news><news:title>A</news:title><news:keywords>{}</news:keywords>\
             </news:news></url>",
            "a,".repeat(501)
        )),
    ] {
        let feed = read(&text, 2000);
        assert!(feed.entries[0].cut, "{text:.300}");
        assert!(feed.entries[0].categories.len() <= 500 && feed.entries[0].media.len() <= 500);
    }
}

#[test]
fn texts_of_a_failure_and_a_feed_are_bounded() {
    let url = Url::parse("https://example.org/").unwrap();
    let title = "x".repeat(1 << 20);
    let feed = read(&rss(&format!("<title>{title}</title><language>{title}</language>")), 2000);
    assert_eq!((feed.title.unwrap().len(), feed.language), (4096, None));
    let foreign = format!("<{}/>", "x".repeat(250));
    let failure = parse(foreign.as_bytes(), None, &url, 1, &Steps::new(u64::MAX)).unwrap_err();
    assert!(failure.detail.len() <= DETAIL_BYTES_MAX, "{}", failure.detail.len());
}

#[test]
fn a_link_with_a_base_of_its_own_resolves_against_it() {
    let feed = read(
        &atom(
            "<entry xml:base='https://example.org/a/'><link xml:base='b/' href='c?d&amp;e'/>
             <link rel='enclosure' xml:base='/f/' href='g'/></entry>",
        ),
        2000,
    );
    assert_eq!(feed.entries[0].link.as_deref(), Some("https://example.org/a/b/c?d&e"));
    assert_eq!(feed.entries[0].media[0].url, "https://example.org/f/g");
}
