//! What a configuration may say, and what is answered to one that may not.

use std::net::IpAddr;

use cw_decide::lane::wire::PartitionBy;
use cw_model::Backlog;
use cw_status::{LogFormat, LogSettings};
use tracing::level_filters::LevelFilter;

use super::*;
use crate::fetch::PrivateNetworks;
use crate::ledger::sqlite::SqliteSettings;

const HOME: (&str, &str) = ("HOME", "/home/ada");

/// A directory with the files of a configuration; the first is the one that is loaded.
struct Written {
    directory: tempfile::TempDir,
    main: PathBuf,
}

fn written(files: &[(&str, &str)]) -> Written {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let main = directory.path().join(files[0].0);
    Written { directory, main }
}

impl Written {
    fn load(&self, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let environment = variables.iter().copied().chain([HOME]).collect();
        load_with(Some(&self.main), &environment, built_in(), &FilesRead::default(), None)
    }
}

fn built_in() -> Sources {
    let source = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    Sources {
        taxonomy: source("taxonomy", ""),
        lexicons: vec![source("en", "language = \"en\""), source("ar", "language = \"ar\"")],
        actors: Vec::new(),
    }
}

fn load_text(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    written(&[("a.toml", text)]).load(variables)
}

#[track_caller]
fn fine(text: &str) -> Config {
    load_text(text, &[]).unwrap_or_else(|error| panic!("{text:?}: {error:#?}"))
}

/// The problems as "key: text".
#[track_caller]
fn problems(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let error = load_text(text, variables).expect_err(text);
    error.0.iter().map(|problem| format!("{}: {}", problem.key, problem.text)).collect()
}

#[track_caller]
fn check_problem(text: &str, expected: &str) {
    assert_eq!(problems(text, &[]), [expected], "of {text:?}");
}

/// `key = value` in its table.
fn setting(key: &str, value: &str) -> String {
    let (table, key) = key.split_once('.').unwrap();
    format!("[{table}]\n{key} = {value}\n")
}

#[test]
fn an_empty_file_is_the_defaults() {
    let config = fine("");
    assert!(config.feeds.is_empty());
    assert_eq!(config.fetch.timeout, Duration::from_secs(30));
    assert_eq!(config.fetch.body_limit, 16 << 20);
    assert_eq!(config.fetch.private_networks, PrivateNetworks::Refused);
    assert!(config.fetch.user_agent.starts_with("conflictwire/"));
    assert_eq!(config.concurrency, 32);
    assert_eq!(config.admin_listen, Some("127.0.0.1:9273".parse().unwrap()));
    assert_eq!(config.log, LogSettings { level: LevelFilter::INFO, format: LogFormat::Auto });
    assert_eq!(config.feed_defaults.backlog, Backlog::All);
    let path = "/home/ada/.local/state/conflictwire/conflictwire.sqlite".into();
    let sqlite = SqliteSettings { path, keep_age: None, keep_bytes: None };
    assert_eq!(config.ledger, LedgerSettings::Sqlite(sqlite));
}

#[test]
fn without_a_file_there_are_the_defaults() {
    let config =
        load_with(None, &[HOME].into_iter().collect(), built_in(), &FilesRead::default(), None)
            .unwrap();
    assert_eq!(config.path, None);
}

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
fn a_dozen_mistakes_of_a_dozen_kinds_are_a_dozen_problems() {
    let text = r#"
feeds_from = ["missing.toml"]
[schedule]
interval_min = "5 parsecs"
backlog = "48"
[fetch]
timeout = 30
body_limit = "2GiB"
concurency = 4
[ledger]
kind = "kafca"
[tag
[colour]
[[feed]]
url = "htp://example.org/rss"
country = "UK"
"#;
    let written = written(&[("a.toml", text)]);
    let variables = [("CONFLICTWIRE__FETCH__TIMOUT", "20s")];
    let ConfigError(found) = written.load(&variables).unwrap_err();
    let directory = format!("{}/", written.directory.path().display());
    let lines: Vec<String> = found
        .iter()
        .map(|problem| {
            let place = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
            format!("{}{place} {}: {}", problem.file, problem.key, problem.text)
                .replace(&directory, "")
        })
        .collect();
    let expected = [
        "a.toml:2 feeds_from[0]: \"missing.toml\" cannot be read: No such file or directory (os error 2)",
        "a.toml:4 schedule.interval_min: \"5 parsecs\" is not a duration; use for example \"20s\", \"5m\", \"1h 30m\" or \"2d\"",
        "a.toml:5 schedule.backlog: \"48\" is no backlog; use \"all\", \"none\" or an age such as \"48h\"",
        "a.toml:7 fetch.timeout: 30 is a number; use text in quotes, for example \"30s\"",
        "a.toml:8 fetch.body_limit: 2GiB is too large; use 1KiB to 1GiB",
        "a.toml:9 fetch.concurency: is not a known key; did you mean \"concurrency\"?",
        "a.toml:11 ledger.kind: \"kafca\" is not known; use \"sqlite\", \"kafka\" or \"json_lines\"",
        "a.toml:12 : column 5 is not TOML: unclosed table, expected `]`",
        "a.toml:13 colour: is not a known key; known here: admin, feed, feeds_from, fetch, kafka, ledger, log, normalise, parse, run, schedule, sqlite, tag, telemetry, websub",
        "a.toml:15 feed[0].url: \"htp://example.org/rss\" has scheme \"htp\"; use http or https",
        "a.toml:16 feed[0].country: \"UK\" is not a country code; the United Kingdom is \"GB\"",
        "environment CONFLICTWIRE__FETCH__TIMOUT: is not a known key; did you mean CONFLICTWIRE__FETCH__TIMEOUT?",
    ];
    assert_eq!(lines, expected, "{lines:#?}");
}

/// Whether a mistake in the URL or what the program lacks is told: the mistake first.
#[test]
fn traces_need_a_program_that_can_send_them() {
    let wrong = problems(&setting("telemetry.otlp_endpoint", "\"localhost\""), &[]);
    assert!(wrong.len() == 1 && wrong[0].contains("is no http or https URL"), "{wrong:?}");
    let right = setting("telemetry.otlp_endpoint", "\"http://127.0.0.1:4318\"");
    if cfg!(feature = "otlp") {
        let traces = fine(&right).traces.unwrap();
        assert_eq!(traces.endpoint.as_str(), "http://127.0.0.1:4318/v1/traces");
    } else {
        check_problem(
            &right,
            "telemetry.otlp_endpoint: this program was built without the feature \"otlp\" and sends no \
             traces; build one with `cargo build --release --features otlp`, or use \"off\"",
        );
    }
    assert_eq!(fine("").traces, None);
}

/// Just under, at and over both ends of a key's range.
#[track_caller]
fn check_range(key: &str, under: &str, least: &str, most: &str, over: &str) {
    for value in [least, most] {
        // A bound of one may lie beyond the default of the other.
        let partner = match key {
            "schedule.interval_min" => "interval_max = \"30d\"\n",
            "schedule.interval_max" => "interval_min = \"1s\"\n",
            "fetch.body_limit" => "[run]\nmemory = \"1TiB\"\n",
            "run.memory" => "[fetch]\nbody_limit = \"1KiB\"\n",
            _ => "",
        };
        fine(&format!("{}{partner}", setting(key, value)));
    }
    for value in [under, over] {
        let found = problems(&setting(key, value), &[]);
        let is_range = found.len() == 1 && found[0].starts_with(key) && found[0].contains("use ");
        assert!(is_range, "{key} = {value}: {found:#?}");
    }
}

#[test]
fn every_range_ends_where_it_says() {
    for (key, under, least, most, over) in [
        ("schedule.interval_min", "999ms", "1s", "7d", "169h"),
        ("schedule.interval_max", "999ms", "1s", "30d", "721h"),
        ("schedule.retry_after_max", "59s", "1m", "30d", "721h"),
        ("schedule.backlog", "59s", "1m", "3650d", "3651d"),
        ("fetch.timeout", "999ms", "1s", "10m", "601s"),
        ("fetch.connect_timeout", "99ms", "100ms", "1m", "61s"),
        ("fetch.body_limit", "1023B", "1KiB", "1GiB", "1025MiB"),
        ("fetch.host_gap", "-1s", "0s", "10m", "601s"),
        ("sqlite.keep_age", "59m", "1h", "36500d", "36501d"),
        ("sqlite.keep_size", "1023KiB", "1MiB", "16TiB", "17TiB"),
        ("run.drain_timeout", "999ms", "1s", "10m", "601s"),
        ("run.memory", "63MiB", "64MiB", "1TiB", "1025GiB"),
        ("schedule.bytes_per_day", "1023KiB", "1MiB", "1TiB", "1025GiB"),
        ("schedule.list_interval", "999ms", "1s", "7d", "169h"),
    ] {
        let quoted = [under, least, most, over].map(|value| format!("\"{value}\""));
        check_range(key, &quoted[0], &quoted[1], &quoted[2], &quoted[3]);
    }
    for (key, under, least, most, over) in [
        ("fetch.redirects_max", "-1", "0", "50", "51"),
        ("fetch.concurrency", "0", "1", "1000", "1001"),
        ("fetch.host_concurrency", "0", "1", "100", "101"),
        ("parse.entries_max", "0", "1", "100000", "100001"),
        ("schedule.articles_per_day", "0", "1", "10000000", "10000001"),
        ("normalise.text_chars_max", "99", "100", "10000000", "10000001"),
        ("tag.threshold", "-0.1", "0", "1", "1.1"),
    ] {
        check_range(key, under, least, most, over);
    }
}

#[test]
fn the_bounds_of_the_interval_are_in_order() {
    fine("[schedule]\ninterval_min = \"1h\"\ninterval_max = \"1h\"");
    check_problem(
        "[schedule]\ninterval_min = \"2h\"\ninterval_max = \"1h\"",
        "schedule.interval_min: 2h is longer than schedule.interval_max (1h); lower it, or raise schedule.interval_max",
    );
}

#[test]
fn a_document_of_the_largest_size_fits_the_memory() {
    fine("[fetch]\nbody_limit = \"2MiB\"\n[run]\nmemory = \"128MiB\"");
    check_problem(
        "[fetch]\nbody_limit = \"4MiB\"\n[run]\nmemory = \"128MiB\"",
        "fetch.body_limit: 4MiB needs run.memory to be 256MiB or more, and it is 128MiB; lower the \
         one or raise the other",
    );
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
fn one_mistake_is_one_problem() {
    check_problem(
        "[schedule]\ninterval_min = 7200\ninterval_max = \"1m\"",
        "schedule.interval_min: 7200 is a number; use text in quotes, for example \"5m\"",
    );
    check_problem(
        "[schedule]\ninterval_max = \"soon\"",
        "schedule.interval_max: \"soon\" is not a duration; use for example \"20s\", \"5m\", \
         \"1h 30m\" or \"2d\"",
    );
    check_problem("[[feed]]\nurl = 7", "feed[0].url: 7 is a number; use text in quotes");
    check_problem("feed = [5]", "feed[0]: 5 is a number; use a table in braces");
    check_problem(
        "[fetch]\nconcurrency = 99999999999999999999",
        "fetch.concurrency: 99999999999999999999 is beyond any number here; use less",
    );
    check_problem("[tag]\nthreshold = nan", "tag.threshold: NaN is out of range; use 0 to 1");
}

#[test]
fn every_slip_of_syntax_is_reported_at_its_place() {
    let text = "[fetch]\ntimeout = 30s\n[tag]\nthreshold = 0.5\nthreshold = 0.6\n";
    let ConfigError(found) = load_text(text, &[]).unwrap_err();
    let lines: Vec<_> = found.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [Some(2), Some(5)], "{found:#?}");
    assert!(found[1].text.contains("duplicate key"), "{}", found[1].text);
}

#[test]
fn what_follows_from_a_slip_is_not_reported() {
    let text = "feeds_from = [\"a.toml\"\n[fetch]\ntimeout = \"1x\"\n";
    let ConfigError(found) = load_text(text, &[]).unwrap_err();
    assert_eq!((found.len(), found[0].line), (1, Some(2)), "{found:#?}");
    let ConfigError(found) = load_text(&format!("a = {}", "[".repeat(10_000)), &[]).unwrap_err();
    assert!(found.len() <= 3, "{found:#?}");
}

#[test]
fn one_table_and_many_are_told_apart() {
    check_problem(
        "[feed]\nurl = \"https://a.b/\"",
        "feed: [feed] is a table; use [[feed]] for each",
    );
    check_problem("[[fetch]]", "fetch: [[fetch]] is a list; use one table, [fetch]");
}

#[test]
fn a_file_may_be_so_large_and_no_larger() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(FILE_BYTES_MAX).unwrap();
    assert!(read_file(file.path(), &FilesRead::default()).is_ok());
    file.as_file().set_len(FILE_BYTES_MAX + 1).unwrap();
    assert_eq!(
        read_file(file.path(), &FilesRead::default()).unwrap_err().to_string(),
        "is larger than 64MiB; split it"
    );
}

#[test]
fn a_file_that_is_no_text_is_one_problem() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.toml");
    std::fs::write(&path, b"[fetch]\n\xff\xfe").unwrap();
    let home = [HOME].into_iter().collect();
    let ConfigError(found) =
        load_with(Some(&path), &home, built_in(), &FilesRead::default(), None).unwrap_err();
    assert_eq!((found.len(), found[0].line), (1, Some(2)), "{found:#?}");
    let missing = directory.path().join("b.toml");
    let ConfigError(found) =
        load_with(Some(&missing), &home, built_in(), &FilesRead::default(), None).unwrap_err();
    assert!(found.len() == 1 && found[0].text.starts_with("cannot be read"), "{found:#?}");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read_over() {
    let config = fine("\u{feff}[fetch]\r\ntimeout = \"5s\"\r\n");
    assert_eq!(config.fetch.timeout, Duration::from_secs(5));
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    for (text, hint) in [
        ("[fetch]\ntimout = \"1s\"", "fetch.timout: is not a known key; did you mean \"timeout\"?"),
        ("timeout = \"1s\"", "timeout: is not a known key; did you mean \"fetch.timeout\"?"),
        ("[shedule]", "shedule: is not a known key; did you mean \"schedule\"?"),
        ("[log]\ncolour = 1", "log.colour: is not a known key; known here: format, level"),
        (
            "[[feed]]\nurl = \"https://a.b/\"\nlang = \"en\"",
            "feed[0].lang: is not a known key; known here: allow_private_networks, articles_per_day, backlog, bytes_per_day, country, enabled, fulltext, id, interval, labels, language, proxy, publisher, query, url",
        ),
    ] {
        check_problem(text, hint);
    }
}

#[test]
fn the_environment_beats_the_file() {
    let text = "[fetch]\ntimeout = \"5s\"\nconcurrency = 4\n[log]\nlevel = \"warn\"";
    let variables = [
        ("CONFLICTWIRE__FETCH__TIMEOUT", "7s"),
        ("CONFLICTWIRE__LOG__LEVEL", "\"debug\""),
        ("CONFLICTWIRE__TAG__THRESHOLD", "1"),
        ("CONFLICTWIRE__FETCH__ALLOW_PRIVATE_NETWORKS", "[\"10.0.0.0/8\"]"),
        ("CONFLICTWIRE__FETCH__RESOLVE", "{ \"a.example\" = \"10.0.0.1\" }"),
    ];
    let config = load_text(text, &variables).unwrap();
    assert_eq!(config.fetch.timeout, Duration::from_secs(7));
    assert_eq!(config.concurrency, 4);
    assert_eq!(config.log.level, LevelFilter::DEBUG);
    assert!((config.tag.threshold - 1.0).abs() < f64::EPSILON);
    let ranges = vec!["10.0.0.0/8".parse().unwrap()];
    assert_eq!(config.fetch.private_networks, PrivateNetworks::Ranges(ranges));
    let address: IpAddr = "10.0.0.1".parse().unwrap();
    assert_eq!(config.fetch.resolve.get("a.example"), Some(&address));
}

#[test]
fn a_variable_that_is_wrong_is_named() {
    for (name, value, problem) in [
        ("FETCH__TIMEOUT", "11m", "11m is too long; use 1s to 10m"),
        (
            "FETCH__CONCURRENCY",
            "many",
            "many is text; use a whole number without quotes, for example 32",
        ),
        ("FETCH", "1", "is a table; set its keys one by one, as CONFLICTWIRE__FETCH__KEY"),
        ("FETCH__TIMOUT", "1s", "is not a known key; did you mean CONFLICTWIRE__FETCH__TIMEOUT?"),
        ("TIMEOUT", "1s", "is not a known key; did you mean CONFLICTWIRE__FETCH__TIMEOUT?"),
        (
            "ZZZ",
            "1",
            "is not a known key; the form is CONFLICTWIRE__TABLE__KEY, for example \
         CONFLICTWIRE__FETCH__TIMEOUT",
        ),
    ] {
        let name = format!("CONFLICTWIRE__{name}");
        let found = problems("", &[(&name, value)]);
        assert_eq!(found, [format!("{name}: {problem}")]);
    }
}

#[test]
fn a_variable_does_not_hide_a_mistake_in_the_file() {
    let found = problems("[fetch]\ntimeout = 5", &[("CONFLICTWIRE__FETCH__TIMEOUT", "11m")]);
    assert_eq!(found.len(), 2, "{found:#?}");
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
fn the_user_agent_says_who_and_where() {
    let agent = |text: &str| fine(&format!("[fetch]\n{text}")).fetch.user_agent;
    let ours = concat!("conflictwire/", env!("CARGO_PKG_VERSION"));
    assert_eq!(agent(""), ours);
    assert_eq!(agent("user_agent = \"desk/1\""), "desk/1");
    assert_eq!(agent("contact = \"ada@example.org\""), format!("{ours} (+ada@example.org)"));
    assert_eq!(agent("contact = \"https://a.b/c\""), format!("{ours} (+https://a.b/c)"));
    for text in [
        "user_agent = \"a\\nb\"",
        "user_agent = \"дім\"",
        "contact = \"ada\"",
        "contact = \"a@b.c)(\"",
    ] {
        assert_eq!(problems(&format!("[fetch]\n{text}"), &[]).len(), 1, "{text}");
    }
}

#[test]
fn choices_are_listed() {
    check_problem(
        "[log]\nlevel = \"loud\"",
        "log.level: \"loud\" is not known; use one of \"error\", \"warn\", \"info\", \"debug\", \"trace\"",
    );
    check_problem(
        "[ledger]\nkind = \"redis\"",
        "ledger.kind: \"redis\" is not known; use \"sqlite\", \"kafka\" or \"json_lines\"",
    );
    let json_lines = fine("[ledger]\nkind = \"json_lines\"").ledger;
    assert_eq!(json_lines, LedgerSettings::JsonLines);
}

#[test]
fn the_admin_server_listens_or_does_not() {
    assert_eq!(fine("[admin]\nlisten = \"off\"").admin_listen, None);
    let any = fine("[admin]\nlisten = \"[::1]:0\"").admin_listen;
    assert_eq!(any, Some("[::1]:0".parse().unwrap()));
    check_problem(
        "[admin]\nlisten = \"localhost:80\"",
        "admin.listen: \"localhost:80\" is no IP address with a port; use for example \
         \"127.0.0.1:9273\", or \"off\"",
    );
}

#[test]
fn without_a_home_the_database_must_be_named() {
    let nowhere = Environment::default();
    let ConfigError(found) =
        load_with(None, &nowhere, built_in(), &FilesRead::default(), None).unwrap_err();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].key, "sqlite.path");
    let named = [("CONFLICTWIRE__SQLITE__PATH", "/tmp/a.sqlite")].into_iter().collect();
    load_with(None, &named, built_in(), &FilesRead::default(), None).unwrap();
    let none = [("CONFLICTWIRE__LEDGER__KIND", "json_lines")].into_iter().collect();
    load_with(None, &none, built_in(), &FilesRead::default(), None).unwrap();
}

#[test]
fn a_lexicon_takes_the_place_of_its_language() {
    let written = written(&[("t.toml", "# ours"), ("en.toml", "language = \"en\" # ours")]);
    let directory = written.directory.path();
    let origins = Origins::new("a.toml");
    let read = &FilesRead::default();
    let files = Files { directory, origins: &origins, read, kept_lists: None, instead: None };
    let raw = RawTag {
        taxonomy: "t.toml".to_owned(),
        lexicons: vec!["en.toml".to_owned()],
        ..RawTag::default()
    };
    let tag = files.tag_settings(&raw, built_in(), &mut Vec::new());
    assert_eq!(tag.sources.taxonomy.text, "# ours");
    let texts: Vec<&str> =
        tag.sources.lexicons.iter().map(|lexicon| lexicon.text.as_str()).collect();
    assert_eq!(texts, ["language = \"ar\"", "language = \"en\" # ours"]);
}

#[test]
fn the_kafka_ledger_is_told_all_it_needs() {
    let written = written(&[
        (
            "a.toml",
            "[ledger]\nkind = \"kafka\"\n[kafka]\nbrokers = [\"kafka-1.example:9093\", \"[::1]:9092\"]\n\
             deployment = \"wire\"\nlanes = 4\ncommit_interval = \"200ms\"\npartition_by = \"key\"\n\
             [kafka.topics]\narticles = \"a\"\n[kafka.properties]\n\"security.protocol\" = \"SSL\"\n\
             [kafka.secret_files]\n\"sasl.password\" = \"password\"\n",
        ),
        ("password", "hunter2\n"),
    ]);
    let config = written.load(&[]).unwrap();
    let LedgerSettings::Kafka(kafka) = &config.ledger else { panic!("{:?}", config.ledger) };
    assert_eq!(kafka.shown_brokers(), "kafka-1.example:9093,[::1]:9092");
    assert_eq!(kafka.transactional_id(3), "wire.lane.3");
    assert_eq!((kafka.lanes, kafka.commit_interval), (4, Duration::from_millis(200)));
    assert_eq!((kafka.topics.articles.as_str(), kafka.partition_by), ("a", PartitionBy::Key));
    assert_eq!(kafka.secrets["sasl.password"], Secret::new("hunter2".to_owned()));
    assert!(!format!("{config:?}").contains("hunter2"), "a secret is shown");
}

#[test]
fn every_mistake_over_kafka_is_named() {
    check_problem(
        "[kafka]\nbrokers = []\n",
        "kafka.brokers: empty; where Kafka answers, for example [\"127.0.0.1:9092\"]",
    );
    check_problem(
        "[kafka]\nbrokers = [\"kafka\"]\n",
        "kafka.brokers[0]: \"kafka\" is no host and port; use for example \"127.0.0.1:9092\"",
    );
    check_problem("[kafka]\nlanes = 257\n", "kafka.lanes: 257 is out of range; use 1 to 256");
    check_problem(
        "[kafka]\ndeployment = \"a b\"\n",
        "kafka.deployment: \"a b\" is not 1 to 200 characters of a-z, A-Z, 0-9, \".\", \"_\" and \"-\"",
    );
    check_problem(
        "[kafka.topics]\nconflict = \"news.articles.v1\"\n",
        "kafka.topics.conflict: \"news.articles.v1\" is another topic already; each has its own",
    );
    check_problem(
        "[kafka.properties]\n\"group.id\" = \"mine\"\n",
        "kafka.properties.\"group.id\": it is set by the ledger itself (it is kafka.deployment); remove it",
    );
    let missing = problems("[kafka.secret_files]\n\"sasl.password\" = \"nowhere\"\n", &[]);
    assert!(missing[0].contains("nowhere\" cannot be read"), "{missing:?}");
}

/// From a file, a file of secrets or the environment: librdkafka loads the library at the moment the
/// property is set, so it must never see it.
#[test]
fn what_would_load_code_into_the_process_is_refused_wherever_it_stands() {
    const WHY: &str = "it is refused (it loads code into the process); remove it";
    check_problem(
        "[kafka.properties]\n\"plugin.library.paths\" = \"evil\"\n",
        &format!("kafka.properties.\"plugin.library.paths\": {WHY}"),
    );
    let variables = [("CONFLICTWIRE__KAFKA__PROPERTIES", "{ \"ssl.engine.location\" = \"evil\" }")];
    let found = problems("", &variables);
    assert!(found.iter().any(|problem| problem.contains(WHY)), "{found:?}");
    let written = written(&[
        ("a.toml", "[kafka.secret_files]\n\"ssl.providers\" = \"secret\"\n"),
        ("secret", "evil"),
    ]);
    let refused = written.load(&[]).unwrap_err();
    assert!(refused.0.iter().any(|problem| problem.text == WHY), "{refused:?}");
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
