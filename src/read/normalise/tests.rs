//! What an entry becomes, part by part and whole; what must hold for any text and any link.

use std::collections::HashSet;

use cw_model::{DateQuality, FeedId, IdentityRule, Steps, samples};
use proptest::prelude::*;

use super::*;

fn base() -> Url {
    Url::parse("https://example.org/feeds/world.xml").unwrap()
}

fn feed() -> Feed {
    Feed { text_chars_max: 100, ..samples::feed("example", base()) }
}

fn article_of(feed: &Feed, repeated: &[&str], entry: &Entry) -> Article {
    let context = Context {
        feed,
        base: &base(),
        language: None,
        shown_language: None,
        dates: &Conventions::default(),
        seen: None,
        now: "2024-03-05T12:00:00Z".parse().unwrap(),
        repeated_guids: &repeated.iter().map(|guid| (*guid).to_owned()).collect::<HashSet<_>>(),
    };
    normalise(&context, entry, &Steps::new(u64::MAX)).unwrap()
}

fn article(entry: &Entry) -> Article {
    article_of(&feed(), &[], entry)
}

fn html(value: &str) -> EntryText {
    EntryText { kind: TextKind::Html, value: value.to_owned() }
}

fn plain(value: &str) -> EntryText {
    EntryText { kind: TextKind::Plain, value: value.to_owned() }
}

fn entry() -> Entry {
    Entry {
        guid: Some("a-1".to_owned()),
        link: Some("https://example.org/a".to_owned()),
        title: Some(plain("Truce holds")),
        ..Entry::default()
    }
}

mod links {
    use super::*;

    #[track_caller]
    fn check(sent: &str, canonical: Option<&str>) {
        let link = link::canonical(&base(), sent);
        assert_eq!(link.as_ref().map(Url::as_str), canonical, "{sent}");
    }

    #[test]
    fn a_link_becomes_absolute() {
        check("a.html", Some("https://example.org/feeds/a.html"));
        check("/a", Some("https://example.org/a"));
        check("//other.example/a", Some("https://other.example/a"));
        check(" https://EXAMPLE.org:443/a/../b ", Some("https://example.org/b"));
        check(
            "https://пример.рф/новость",
            Some("https://xn--e1afmkfd.xn--p1ai/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D1%8C"),
        );
        check("https://user:pass@example.org/a", Some("https://example.org/a"));
    }

    #[test]
    fn what_only_counts_readers_goes() {
        for tracking in [
            "?utm_source=rss&UTM_Medium=x",
            "?fbclid=1#top",
            "?gclid=1&mc_cid=2&at_medium=RSS",
            "?",
            "?&",
            "#xtor=RSS-1",
            "?partner=rss&emc=rss",
            "?traffic_source=rss",
        ] {
            check(&format!("https://example.org/a{tracking}"), Some("https://example.org/a"));
        }
        check("/a?id=7&utm_campaign=x&p=%20", Some("https://example.org/a?id=7&p=%20"));
        check("/a?partner=army", Some("https://example.org/a?partner=army"));
    }

    #[test]
    fn what_is_no_page_is_no_link() {
        for sent in
            ["", " ", "mailto:a@example.org", "javascript:x()", "file:///etc/passwd", "http://"]
        {
            check(sent, None);
        }
        check(&format!("/{}", "a".repeat(10_000)), None);
        for host in ["一".repeat(400), "a".repeat(1100), "a:b".repeat(400)] {
            for before in ["https://", "//", "http:\\\\", "https:///"] {
                check(&format!("{before}{host}/a"), None);
            }
        }
        for path in ["/", "a/", "?", "/a:", "https://example.org/", "//example.org?"] {
            let link = format!("{path}{}", "a".repeat(2000));
            assert!(link::canonical(&base(), &link).is_some(), "{link}");
        }
    }
}

mod identities {
    use super::*;

    #[test]
    fn the_guid_outranks_the_link_and_the_link_the_text() {
        let by_guid = article(&entry());
        assert_eq!(by_guid.identity, IdentityRule::Guid);
        let by_link = article(&Entry { guid: None, ..entry() });
        assert_eq!(by_link.identity, IdentityRule::Link);
        let by_text = article(&Entry { guid: None, link: None, ..entry() });
        assert_eq!(by_text.identity, IdentityRule::Content);
        assert_eq!(HashSet::from([by_guid.id, by_link.id, by_text.id]).len(), 3);
    }

    #[test]
    fn an_edited_headline_is_the_same_article_with_another_digest() {
        for guid in [Some("a-1".to_owned()), None] {
            let first = article(&Entry { guid: guid.clone(), ..entry() });
            let edited = Entry { guid, title: Some(plain("Truce broken")), ..entry() };
            let edited = article(&edited);
            assert_eq!(first.id, edited.id);
            assert_ne!(first.digest, edited.digest);
        }
    }

    #[test]
    fn a_guid_that_many_share_identifies_nothing() {
        let shared = article_of(&feed(), &["a-1"], &entry());
        assert_eq!(shared.identity, IdentityRule::Link);
        assert_eq!(shared.guid.as_deref(), Some("a-1"));
    }

    #[test]
    fn a_page_of_many_articles_does_not_make_them_one() {
        let on_page = |guid: Option<&str>, link: &str, title: &str| Entry {
            guid: guid.map(str::to_owned),
            link: Some(link.to_owned()),
            title: Some(plain(title)),
            ..Entry::default()
        };
        for entries in [
            [on_page(None, "/live#1", "One"), on_page(None, "/live#2", "Two")],
            [on_page(None, "/live#1", "Live"), on_page(None, "/live#2", "Live")],
            [on_page(None, "/live", "One"), on_page(None, "/live", "Two")],
            [on_page(Some("0"), "/1", "One"), on_page(Some("0"), "/2", "Two")],
            [on_page(Some("0"), "", "One"), on_page(Some("0"), "", "Two")],
        ] {
            let repeated = repeated_marks(&base(), &entries, &Steps::new(u64::MAX)).unwrap();
            let repeated: Vec<&str> = repeated.iter().map(String::as_str).collect();
            let ids = entries.each_ref().map(|entry| article_of(&feed(), &repeated, entry).id);
            assert_ne!(ids[0], ids[1], "{entries:?}");
        }
        let versions = [on_page(Some("a"), "/a", "One"), on_page(Some("a"), "/a", "Two")];
        assert_eq!(
            repeated_marks(&base(), &versions, &Steps::new(u64::MAX)).unwrap(),
            HashSet::new()
        );
    }

    #[test]
    fn churn_in_a_link_makes_no_new_article() {
        let plain = article(&Entry { guid: None, ..entry() });
        for link in ["http://example.org/a", "https://example.org/a?utm_source=x#y", "/a"] {
            let other = Entry { guid: None, link: Some(link.to_owned()), ..entry() };
            assert_eq!(article(&other).id, plain.id, "{link}");
        }
    }

    #[test]
    fn the_same_news_in_two_feeds_is_two_articles() {
        let other = Feed { id: FeedId::parse("other").unwrap(), ..feed() };
        assert_ne!(article(&entry()).id, article_of(&other, &[], &entry()).id);
    }

    #[test]
    fn an_id_stays_what_it_was() {
        assert_eq!(article(&entry()).id.to_string(), "ceebe22286b838f0ac2fd7c5133fe47d");
    }
}

mod believed_dates {
    use super::*;

    #[track_caller]
    fn check(published: Option<&str>, at: Option<&str>, quality: &[DateQuality]) {
        let now = "2024-03-05T12:00:00Z".parse().unwrap();
        let dates = dates::believe(published, None, &Conventions::default(), now);
        let at = at.map(|at| at.parse::<Timestamp>().unwrap());
        assert_eq!((dates.published_at, dates.quality.as_slice()), (at, quality), "{published:?}");
    }

    #[test]
    fn a_past_date_is_believed() {
        check(Some("2024-03-05T11:00:00Z"), Some("2024-03-05T11:00:00Z"), &[]);
        check(Some("2024-03-05T12:59:00Z"), Some("2024-03-05T12:59:00Z"), &[]);
    }

    #[test]
    fn a_future_date_is_not_believed() {
        check(Some("2024-03-05T13:01:00Z"), None, &[DateQuality::Future]);
        check(Some("2041-01-01"), None, &[DateQuality::Future, DateQuality::DateOnly]);
    }

    #[test]
    fn a_date_before_there_were_feeds_is_not_believed() {
        check(Some("Thu, 01 Jan 1970 00:00:00 GMT"), None, &[DateQuality::Unparsed]);
        check(Some("soon"), None, &[DateQuality::Unparsed]);
    }

    #[test]
    fn what_is_missing_or_assumed_is_told() {
        check(None, None, &[DateQuality::Missing]);
        check(Some(" "), None, &[DateQuality::Missing]);
        check(Some("2024-03-05 10:00"), Some("2024-03-05T10:00:00Z"), &[DateQuality::ZoneAssumed]);
    }
}

#[test]
fn a_teaser_that_repeats_the_body_is_dropped() {
    let body = Some(html("<p>Shells fell on the market at noon.</p><p>Nobody was hurt.</p>"));
    for (teaser, kept) in [
        ("Shells fell on the market at noon.", false),
        ("Shells fell on the mar…", false),
        ("<p>Shells fell on the market [...]</p>", false),
        ("Shells fell on the town", true),
        ("A market was hit", true),
    ] {
        let entry = Entry { summary: Some(html(teaser)), content: body.clone(), ..entry() };
        assert_eq!(article(&entry).summary.is_some(), kept, "{teaser}");
    }
    let alone = article(&Entry { summary: Some(html("<p>Teaser</p>")), ..entry() });
    assert_eq!((alone.summary.as_deref(), alone.body), (Some("Teaser"), None));
}

#[test]
fn a_long_body_is_cut_and_told() {
    let long = Entry { content: Some(plain(&"word ".repeat(100))), ..entry() };
    let article = article(&long);
    assert!(article.truncated);
    assert!(article.body.unwrap().chars().count() <= 100);
}

#[test]
fn whatever_of_an_entry_is_left_out_is_told() {
    let many = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>();
    let files = |count: usize| many(count).into_iter().map(Media::at).collect::<Vec<_>>();
    let file =
        |title: &str| vec![Media { title: Some(title.to_owned()), ..Media::at("/a".to_owned()) }];
    let long = "x".repeat(1001);
    // As written it fits; in ASCII it is longer than any URL.
    let foreign = format!("/{}", "ж".repeat(2047));
    let cut = [
        Entry { title: Some(plain(&long)), ..entry() },
        Entry { title: Some(html(&"a ".repeat(1000))), ..entry() },
        Entry { summary: Some(plain(&long)), content: None, ..entry() },
        Entry { published: Some(long.clone()), ..entry() },
        Entry { authors: vec![long.clone()], ..entry() },
        Entry { authors: many(101), ..entry() },
        Entry { categories: vec!["a".to_owned(), long.clone()], ..entry() },
        Entry { categories: many(101), ..entry() },
        Entry { media: files(101), ..entry() },
        Entry { media: file(&long), ..entry() },
        Entry { media: vec![Media::at(format!("/{}", "a".repeat(4096)))], ..entry() },
        Entry { link: Some(format!("/{}", "a".repeat(4096))), ..entry() },
        Entry { link: Some(foreign), ..entry() },
        Entry { link: Some(format!("https://{}/", "a".repeat(1100))), ..entry() },
        Entry { cut: true, ..entry() },
    ];
    for (place, entry) in cut.iter().enumerate() {
        assert!(article(entry).truncated, "the one at {place}");
    }
    let whole = [
        Entry {
            title: Some(plain(&"x".repeat(1000))),
            published: Some("x".repeat(1000)),
            ..entry()
        },
        Entry { authors: [many(100), many(100)].concat(), categories: many(100), ..entry() },
        Entry { media: [files(100), files(100)].concat(), ..entry() },
        Entry { media: file(&"x".repeat(1000)), ..entry() },
        Entry { media: vec![Media::at("data:x".to_owned())], ..entry() },
        Entry { link: Some("mailto:a@example.org".to_owned()), ..entry() },
    ];
    for (place, entry) in whole.iter().enumerate() {
        assert!(!article(entry).truncated, "the one at {place}");
    }
}

#[test]
fn a_title_is_one_line_and_escaped_once_too_often_is_read() {
    let title = |text| article(&Entry { title: Some(text), ..entry() }).title.unwrap();
    assert_eq!(title(html("A <b>bold</b>\n<br>move &amp; more")), "A bold move & more");
    assert_eq!(title(plain("It&#8217;s a < b")), "It’s a < b");
}

#[test]
fn a_media_type_is_a_type_and_a_subtype() {
    for (sent, kept) in [
        (" audio/mpeg; x=y ", Some("audio/mpeg")),
        ("image/svg+xml", Some("image/svg+xml")),
        ("image", None),
        ("image/a b", None),
        ("/png", None),
    ] {
        // As the readers of RSS and of Atom take it.
        let url = base();
        let steps = Steps::new(u64::MAX);
        for text in [
            format!(
                "<rss><channel><item><enclosure url='/a' type='{sent}'/></item></channel></rss>"
            ),
            format!("<feed><entry><link rel='enclosure' href='/a' type='{sent}'/></entry></feed>"),
        ] {
            let feed = crate::parse::parse(text.as_bytes(), None, &url, 2000, &steps).unwrap();
            let article = article(&feed.entries[0]);
            assert_eq!(article.media[0].media_type.as_deref(), kept, "{text}");
        }
    }
}

#[test]
fn names_and_media_are_clean_and_come_once() {
    let media = |url: &str| Media {
        url: url.to_owned(),
        media_type: None,
        width: None,
        height: None,
        title: Some("A\n picture".to_owned()),
    };
    let article = article(&Entry {
        authors: vec![" A  Writer".to_owned(), "A Writer".to_owned(), String::new()],
        categories: vec!["War &amp; peace".to_owned()],
        media: vec![media("/p.jpg"), media("https://example.org/p.jpg"), media("data:x")],
        ..entry()
    });
    assert_eq!(article.authors, ["A Writer"]);
    assert_eq!(article.categories, ["War & peace"]);
    assert_eq!(article.media.len(), 1);
    assert_eq!(article.media[0].url, "https://example.org/p.jpg");
    assert_eq!(article.media[0].title.as_deref(), Some("A picture"));
}

proptest! {
    #[test]
    fn a_canonical_link_is_its_own_canonical_link(path in "[a-zа-я0-9/._%?&=#+-]{0,60}") {
        if let Some(link) = link::canonical(&base(), &path) {
            prop_assert_eq!(link::canonical(&base(), link.as_str()), Some(link));
        }
    }

    #[test]
    fn plain_text_is_its_own_plain_text(sent in "\\PC{0,80}|([a-z<>&;/ \n\u{200C}\u{200D}\u{301}\u{AD}]|<p>|<br>){0,60}") {
        if let Some(once) = plain::plain_text(&html(&sent), Layout::Paragraphs) {
            prop_assert_eq!(plain::plain_text(&plain(&once), Layout::Paragraphs), Some(once));
        }
    }

    #[test]
    fn an_id_depends_on_the_guid_and_nothing_else(guid in "\\PC{1,40}", other in "\\PC{1,40}", title in "\\PC{0,40}") {
        let of = |guid: &str, title: &str| article(&Entry {
            guid: Some(guid.to_owned()), title: Some(plain(title)), ..entry()
        }).id;
        prop_assert_eq!(of(&guid, &title), of(&guid, "another"));
        if guid.trim() != other.trim() && !guid.trim().is_empty() && !other.trim().is_empty() {
            prop_assert_ne!(of(&guid, &title), of(&other, &title));
        }
    }

    #[test]
    fn nothing_a_publisher_sends_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,200}|[<>&;!/a-z\"'= \\[\\]-]{0,200}") {
        let _refused = crate::parse::parse(&bytes, None, &base(), 2000, &Steps::new(u64::MAX));
        for document in [
            text.clone(),
            format!("<rss><channel><item><title>{text}</title></item></channel></rss>"),
            format!("<feed><entry {text}><author>{text}</author></entry></feed>"),
            format!("{{\"items\": [{{\"id\": {text:?}}}]}}"),
        ] {
            if let Ok(feed) = crate::parse::parse(document.as_bytes(), None, &base(), 2000, &Steps::new(u64::MAX)) {
                for entry in &feed.entries {
                    article(entry);
                }
            }
        }
        crate::parse::date::read(&text, &Conventions::default());
    }
}
