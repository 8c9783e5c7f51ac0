//! What a configuration may say, and what is answered to one that may not.

mod feeds;
mod slips;

use std::net::IpAddr;

use cw_decide::lane::wire::PartitionBy;
use cw_model::Backlog;
use cw_status::{LogFormat, LogSettings};
use tracing::level_filters::LevelFilter;

use super::*;
use crate::fetch::PrivateNetworks;
use crate::ledger::kafka::settings::Secret;
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
