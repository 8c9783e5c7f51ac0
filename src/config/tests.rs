//! What a configuration may say, and what is answered to one that may not.

use std::net::IpAddr;

use super::*;
use crate::commit::sqlite::SqliteSettings;
use crate::fetch::PrivateNetworks;
use crate::model::Backlog;

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
        load_with(Some(&self.main), &environment, built_in())
    }
}

fn built_in() -> (Source, Vec<Source>) {
    let source = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    (
        source("taxonomy", ""),
        vec![source("en", "language = \"en\""), source("ar", "language = \"ar\"")],
    )
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
    let config = load_with(None, &[HOME].into_iter().collect(), built_in()).unwrap();
    assert_eq!(config.path, None);
    assert_eq!(config.files, Vec::<PathBuf>::new());
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
    assert_eq!(config.files.len(), 3);
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
kind = "kafka"
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
        "a.toml:11 ledger.kind: \"kafka\" is not in this version; use \"sqlite\", or pipe what \"json_lines\" writes to a Kafka producer",
        "a.toml:12 : column 5 is not TOML: unclosed table, expected `]`",
        "a.toml:13 colour: is not a known key; known here: admin, feed, feeds_from, fetch, ledger, log, normalise, parse, run, schedule, sqlite, tag",
        "a.toml:15 feed[0].url: \"htp://example.org/rss\" has scheme \"htp\"; use http or https",
        "a.toml:16 feed[0].country: \"UK\" is not a country code; the United Kingdom is \"GB\"",
        "environment CONFLICTWIRE__FETCH__TIMOUT: is not a known key; did you mean CONFLICTWIRE__FETCH__TIMEOUT?",
    ];
    assert_eq!(lines, expected, "{lines:#?}");
}
