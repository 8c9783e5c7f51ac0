//! Feeds and lists of feeds as they are written.

use super::*;

#[test]
fn a_feed_knows_all_its_poll_needs() {
    let config = fine(
        "[schedule]\ninterval_min = \"1m\"\nbacklog = \"none\"\n\
         [[feed]]\nurl = \"https://www.example.org/rss.xml#top\"\n\
         [[feed]]\nid = \"b\"\nurl = \"http://example.org/b\"\npublisher = \"B\"\ncountry = \"UA\"\n\
         language = \"uk\"\ninterval = \"30m\"\nbacklog = \"48h\"\n",
    );
    let [first, second] = config.feeds.try_into().unwrap();
    assert_eq!(first.id.as_str(), "example.org-rss.xml");
    assert_eq!(first.url.as_str(), "https://www.example.org/rss.xml");
    assert_eq!((first.interval_min, first.backlog), (Duration::from_secs(60), Backlog::None));
    assert_eq!((first.entries_max, first.text_chars_max), (2000, 100_000));
    assert_eq!(second.id.as_str(), "b");
    assert_eq!(second.publisher.as_deref(), Some("B"));
    assert_eq!(second.country.as_deref(), Some("UA"));
    assert_eq!(second.language.as_deref(), Some("uk"));
    assert_eq!(second.interval, Some(Duration::from_secs(1800)));
    assert_eq!(second.backlog, Backlog::Within(Duration::from_secs(48 * 3600)));
}

#[test]
fn files_of_feeds_are_found_beside_the_configuration() {
    let feeds = "[[feed]]\nurl = \"https://example.org/a\"\n";
    let opml = "<opml version=\"2.0\"><body><outline text=\"B\" \
                xmlUrl=\"https://example.org/b\"/></body></opml>";
    let written = written(&[
        ("etc/a.toml", "feeds_from = [\"feeds.toml\", \"../b.opml\"]\n[sqlite]\npath = \"x.db\""),
        ("etc/feeds.toml", feeds),
        ("b.opml", opml),
    ]);
    let config = written.load(&[]).unwrap();
    let ids: Vec<&str> = config.feeds.iter().map(|feed| feed.id.as_str()).collect();
    assert_eq!(ids, ["example.org-a", "example.org-b"]);
    let LedgerSettings::Sqlite(sqlite) = config.ledger else { panic!("{:?}", config.ledger) };
    assert_eq!(sqlite.path, written.directory.path().join("etc/x.db"));
}

#[test]
fn a_feed_has_a_quota_of_its_own_or_that_of_all() {
    let config = fine(
        "[schedule]\narticles_per_day = 7\nbytes_per_day = \"2MiB\"\n\
         [[feed]]\nurl = \"https://a.b/1\"\n\
         [[feed]]\nurl = \"https://a.b/2\"\narticles_per_day = 9\nbytes_per_day = \"3MiB\"",
    );
    let quotas: Vec<_> =
        config.feeds.iter().map(|feed| (feed.quota.articles, feed.quota.bytes >> 20)).collect();
    assert_eq!(quotas, [(7, 2), (9, 3)]);
    check_problem(
        "[[feed]]\nurl = \"https://a.b/\"\narticles_per_day = 0",
        "feed[0].articles_per_day: 0 is out of range; use 1 to 10000000",
    );
    check_problem(
        "[[feed]]\nurl = \"https://a.b/\"\nbytes_per_day = \"1B\"",
        "feed[0].bytes_per_day: 1B is too small; use 1MiB to 1TiB",
    );
}

#[test]
fn a_feed_with_a_mistake_is_told_what_to_write() {
    for (keys, problem) in [
        ("", "url: missing; the address of the feed, for example \"https://example.org/rss.xml\""),
        ("url = \"htp://a.b/\"", "url: \"htp://a.b/\" has scheme \"htp\"; use http or https"),
        (
            "url = \"a.b/rss\"",
            "url: \"a.b/rss\" is not a URL (relative URL without a base); begin it with https:// or http://",
        ),
        (
            "url = \"https:///\"",
            "url: \"https:///\" is not a URL (empty host); use the form https://host/path",
        ),
        (
            "url = \"https://ada:secret@a.b/\"",
            "url: the address at \"a.b\" carries a user name or password; take them out, conflictwire reads public feeds",
        ),
        (
            "id = \"A b\"\nurl = \"https://a.b/\"",
            "id: \"A b\" is not an id; use 1 to 128 characters of a-z, 0-9, \".\", \"_\" and \"-\"",
        ),
        (
            "url = \"https://a.b/\"\ncountry = \"uk\"",
            "country: \"uk\" is not a country code; the United Kingdom is \"GB\"",
        ),
        (
            "url = \"https://a.b/\"\ncountry = \"ua\"",
            "country: \"ua\" is not a country code; write \"UA\"",
        ),
        (
            "url = \"https://a.b/\"\ncountry = \"Kenya\"",
            "country: \"Kenya\" is not a country code; use ISO 3166-1 alpha-2 such as \"UA\", or leave the key out",
        ),
        (
            "url = \"https://a.b/\"\nlanguage = \"en_GB\"",
            "language: \"en_GB\" is not a language; write \"en-GB\"",
        ),
        (
            "url = \"https://a.b/\"\nlanguage = \"e\"",
            "language: \"e\" is not a language; use BCP 47 such as \"ar\" or \"pt-BR\", or leave the key out",
        ),
        (
            "url = \"https://a.b/\"\ninterval = \"1m\"",
            "interval: 1m is shorter than schedule.interval_min (5m); raise it, or lower schedule.interval_min",
        ),
        (
            "url = \"https://a.b/\"\ninterval = \"1d\"",
            "interval: 1d is longer than schedule.interval_max (4h); lower it, or raise schedule.interval_max",
        ),
        ("url = \"https://a.b/\"\nbacklog = \"1s\"", "backlog: 1s is too short; use 1m to 3650d"),
        (
            "url = \"https://a.b/\"\npublisher = \" \"",
            "publisher: empty or with control characters; leave the key out or give a name",
        ),
    ] {
        check_problem(&format!("[[feed]]\n{keys}"), &format!("feed[0].{problem}"));
    }
}

/// Nor in the query, whatever is wrong with the address.
#[test]
fn a_token_in_an_address_is_not_repeated() {
    let long = format!("https://a.b/{}?token=hunter2", "x".repeat(5000));
    let urls = ["htp://a.b/?token=hunter2", "a.b/?token=hunter2", "http://?token=hunter2", &long];
    for url in urls {
        let found = problems(&format!("[[feed]]\nurl = \"{url}\""), &[]).concat();
        assert!(!found.contains("hunter2"), "{found}");
    }
    let twice = "[[feed]]\nurl = \"https://a.b/?token=hunter2\"\n".repeat(2);
    let found = problems(&twice, &[]).concat();
    assert!(found.contains("https://a.b/?… is listed before"), "{found}");
    assert!(!found.contains("hunter2"), "{found}");
}

#[test]
fn whether_a_query_is_published_is_said_for_each_feed() {
    let config = fine(
        "[[feed]]\nurl = \"https://a.b/?x=1\"\n[[feed]]\nurl = \"https://a.b/?x=2\"\nquery = \
         \"publish\"\n",
    );
    let published: Vec<String> =
        config.feeds.iter().map(|feed| feed.published(&feed.url)).collect();
    assert_eq!(published, ["https://a.b/", "https://a.b/?x=2"]);
    check_problem(
        "[[feed]]\nurl = \"https://a.b/\"\nquery = \"yes\"\n",
        "feed[0].query: \"yes\" is not known; use \"hide\" or \"publish\"",
    );
}

#[test]
fn a_secret_in_an_address_is_not_repeated() {
    let found = problems("[[feed]]\nurl = \"https://ada:secret@a.b/\"", &[]);
    assert!(!found.concat().contains("secret"), "{found:?}");
}

#[test]
fn each_address_and_each_id_is_there_once_across_files() {
    let main =
        "feeds_from = [\"b.toml\", \"c.opml\"]\n[[feed]]\nid = \"x\"\nurl = \"https://a.b/1\"\n";
    let toml =
        "[[feed]]\nurl = \"https://a.b/1#top\"\n[[feed]]\nid = \"x\"\nurl = \"https://a.b/2\"\n";
    let opml = "<opml><body>\n<outline xmlUrl=\"https://a.b/1\"/>\n<outline xmlUrl=\"htp://a.b\"/>\n\
                <outline xmlUrl=\"https://a.b/3\" language=\"e\"/></body></opml>";
    let written = written(&[("a.toml", main), ("b.toml", toml), ("c.opml", opml)]);
    let ConfigError(found) = written.load(&[]).unwrap_err();
    let directory = format!("{}/", written.directory.path().display());
    let lines: Vec<_> =
        found.iter().map(|problem| problem.to_string().replace(&directory, "")).collect();
    assert_eq!(
        lines,
        [
            "b.toml:2: feed[0].url: https://a.b/1 is listed before, at a.toml line 2; remove one",
            "b.toml:4: feed[1].id: \"x\" is the id of the feed at a.toml line 2; give one of them another",
            "c.opml:2: xmlUrl: https://a.b/1 is listed before, at a.toml line 2; remove one",
            "c.opml:3: xmlUrl: \"htp://a.b\" has scheme \"htp\"; use http or https",
            "c.opml:4: language: \"e\" is not a language; use BCP 47 such as \"ar\" or \"pt-BR\", or leave the key out",
        ],
        "{lines:#?}"
    );
}

#[test]
fn a_list_by_url_is_kept_beside_a_named_database_or_in_the_state_folder() {
    let kept = |database: &str, variables: &[(&str, &str)]| {
        let text =
            format!("feeds_from = [\"https://a.b/list?token=x\"]\n[sqlite]\npath = \"{database}\"");
        load_text(&text, variables).unwrap().lists.remove(0)
    };
    let list = kept("/data/x.db", &[]);
    assert_eq!(list.kept.parent(), Some(Path::new("/data")));
    assert_eq!((list.shown().as_str(), list.feeds), ("https://a.b/list?…", None));
    let list = kept("", &[("STATE_DIRECTORY", "/var/lib/x")]);
    assert_eq!(list.kept.parent(), Some(Path::new("/var/lib/x")));
    let nowhere: Environment = [("A", "b")].into_iter().collect();
    let written =
        written(&[("a.toml", "feeds_from = [\"https://a.b/\"]\n[ledger]\nkind = \"kafka\"")]);
    let read = &FilesRead::default();
    let ConfigError(found) =
        load_with(Some(&written.main), &nowhere, built_in(), read, None).unwrap_err();
    assert!(found[0].text.starts_with("there is no folder to keep the list in"), "{found:#?}");
    assert_eq!(found[0].line, Some(1));
}

#[test]
fn a_url_in_feeds_from_is_read_as_that_of_a_feed() {
    check_problem(
        "feeds_from = [\"https://u:p@a.b/list\"]",
        "feeds_from[0]: the address at \"a.b\" carries a user name or password; take them out, \
         conflictwire reads public feeds",
    );
}

#[test]
fn feeds_over_http_are_warned_of_where_they_stand_and_not_those_of_this_machine() {
    let list = "[[feed]]\nurl = \"https://a.b/\"\n[[feed]]\nurl = \"http://a.b/1\"\nid = \"plain\"\n\
                [[feed]]\nurl = \"http://a.b/2\"\nenabled = false\n[[feed]]\nurl = \"http://a.b/3\"\n";
    let main = "feeds_from = [\"b.toml\", \"http://c.d/list\", \"http://127.0.0.1:1/list\"]\n\
                [fetch]\ncontact = \"a@b.c\"\n[[feed]]\nurl = \"http://127.0.0.1:8000/\"\n\
                [[feed]]\nurl = \"http://localhost/\"\n[[feed]]\nurl = \"http://[::1]/\"\n";
    let written = written(&[("a.toml", main), ("b.toml", list)]);
    let warnings = written.load(&[]).unwrap().warnings;
    let places: Vec<_> = warnings
        .iter()
        .map(|one| {
            let file = Path::new(&one.file).file_name().unwrap().to_str().unwrap();
            (file, one.line, one.key.as_str())
        })
        .collect();
    let expected = [("a.toml", Some(1), "feeds_from[1]"), ("b.toml", Some(4), "feed[1].url")];
    assert_eq!(places, expected, "{warnings:#?}");
    assert!(warnings[1].text.starts_with("\"plain\" and 1 more are asked over http"));
}
