//! Help, error text and exit codes: what a person meets before anything works.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::daemon::BINARY;
use crate::support::snapshots;

/// What a command came to.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the program in a folder, with an environment that says nothing but where state may live.
fn conflictwire(folder: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(BINARY);
    command.args(args).current_dir(folder).stdin(Stdio::null());
    command.env_clear().env("XDG_STATE_HOME", folder.join("state"));
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| {
        // The folder has another name on every run.
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.replace(folder.to_str().unwrap(), "[folder]")
    };
    Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// The same in an empty folder, but for this configuration.
fn configured(config: Option<&str>, args: &[&str]) -> Ran {
    let folder = tempfile::TempDir::new().unwrap();
    if let Some(config) = config {
        std::fs::create_dir(folder.path().join("config")).unwrap();
        std::fs::write(folder.path().join("config/conflictwire.toml"), config).unwrap();
    }
    conflictwire(folder.path(), args)
}

#[track_caller]
fn check_help(name: &str, args: &[&str]) {
    let ran = configured(None, args);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    snapshots().bind(|| insta::assert_snapshot!(format!("help_{name}"), ran.stdout));
}

/// The commands that the help of a command lists.
fn listed(command: &[String]) -> Vec<Vec<String>> {
    let args: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
    let help = configured(None, &args).stdout;
    let list = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").map(|name| [command, &[name]].concat()).collect()
}

/// Every command and command of a command, by its words; the program itself has none.
pub(crate) fn commands() -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut at = 0;
    while let Some(command) = commands.get(at) {
        let more = listed(command);
        commands.extend(more);
        at += 1;
    }
    assert!(commands.len() > 1, "no command was found in the help");
    commands
}

#[test]
fn the_help_of_each_command_is_the_manual() {
    for command in commands() {
        let name = if command.is_empty() { "conflictwire".to_owned() } else { command.join("_") };
        let args: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        check_help(&name, &args);
    }
}

/// What goes to standard error, and the exit code.
#[track_caller]
fn check_error(name: &str, config: Option<&str>, args: &[&str], code: i32) {
    let ran = configured(config, args);
    assert_eq!(ran.code, Some(code), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stdout, "", "data only on standard output");
    snapshots().bind(|| insta::assert_snapshot!(format!("error_{name}"), ran.stderr));
}

#[test]
fn a_command_line_that_makes_no_sense_exits_with_2() {
    check_error("unknown_command", None, &["pol"], 2);
    check_error("unknown_option", None, &["run", "--confg", "x"], 2);
    check_error("nothing_to_poll", None, &["poll"], 2);
}

#[test]
fn a_configuration_that_cannot_be_used_exits_with_78() {
    check_error("no_such_file", None, &["check", "--config", "nowhere.toml"], 78);
    check_error("not_toml", Some("[schedule\ninterval_min = 5"), &["check"], 78);
    let no_feeds = "[schedule]\ninterval_min = \"10m\"\n";
    check_error("no_feeds", Some(&format!("{no_feeds}{LOG_FOR_PEOPLE}")), &["run"], 78);
    // A check that passes what `run` refuses would be worth little.
    check_error("no_feeds", Some(no_feeds), &["check"], 78);
}

/// Whatever a newcomer tries first, they are sent to the one command that writes a configuration.
#[test]
fn without_a_configuration_every_command_that_needs_one_names_init() {
    for (args, code) in [
        (&["run"] as &[&str], 78),
        (&["check"], 78),
        (&["feeds", "add", "https://a.example/rss"], 1),
        (&["feeds", "list"], 0),
    ] {
        let ran = configured(None, args);
        assert_eq!(ran.code, Some(code), "{args:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("conflictwire init"), "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn init_writes_what_loads_and_writes_over_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let ran = conflictwire(folder.path(), &["init"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    snapshots().bind(|| insta::assert_snapshot!("written_by_init", ran.stdout));
    let checked = conflictwire(folder.path(), &["check"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);

    std::fs::write(folder.path().join("config/conflictwire.toml"), "# mine\n").unwrap();
    std::fs::remove_file(folder.path().join("config/feeds.toml")).unwrap();
    let again = conflictwire(folder.path(), &["init"]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("is there already and stays as it is"), "{}", again.stderr);
    assert_eq!(read("config/conflictwire.toml"), "# mine\n");
    assert!(!folder.path().join("config/feeds.toml").exists(), "nothing is written by halves");

    let elsewhere = conflictwire(folder.path(), &["init", "my news", "--empty"]);
    assert_eq!(elsewhere.code, Some(0), "{}", elsewhere.stderr);
    let named = "conflictwire run --config 'my news/conflictwire.toml'";
    assert!(elsewhere.stdout.contains(named), "{}", elsewhere.stdout);
    assert!(!read("my news/feeds.toml").contains("\n[[feed]]"));
}

/// A daemon whose standard error is no terminal logs as JSON, unless it is told otherwise.
const LOG_FOR_PEOPLE: &str = "\n[log]\nformat = \"text\"\n";

#[test]
fn what_ends_the_daemon_is_logged_in_the_format_of_the_log() {
    let mistakes = configured(Some(TEN_MISTAKES), &["run"]);
    assert_eq!(mistakes.code, Some(78), "{}", mistakes.stderr);
    let taken = "[[feed]]\nurl = \"https://a.example/\"\n[sqlite]\npath = \"/dev/null\"\n";
    let fatal = configured(Some(taken), &["run"]);
    assert_eq!(fatal.code, Some(1), "{}", fatal.stderr);
    for ran in [&mistakes, &fatal] {
        for line in ran.stderr.lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect(line);
            assert!(line["level"].is_string(), "{line}");
        }
    }
    assert!(mistakes.stderr.contains("\\\"listen\\\""), "{}", mistakes.stderr);
    assert!(fatal.stderr.contains("/dev/null"), "{}", fatal.stderr);
}

/// Ten mistakes of ten kinds.
const TEN_MISTAKES: &str = r#"
feeds_from = ["nowhere.toml"]

[schedule]
interval_min = "2h"
interval_max = "1h"
backlog = "some"

[fetch]
timeout = 20
body_limit = "16 lemons"
redirects_max = -1
allow_private_networks = ["10.0.0.0/33"]

[ledger]
kind = "postgres"

[admin]
lisen = "127.0.0.1:9273"

[[feed]]
id = "Not An Id"
url = "htp://example.org/rss"
"#;

#[test]
fn every_mistake_of_a_configuration_is_named_at_once() {
    let for_people = format!("{TEN_MISTAKES}{LOG_FOR_PEOPLE}");
    for (command, config) in [("check", TEN_MISTAKES), ("run", &for_people)] {
        let ran = configured(Some(config), &[command]);
        assert_eq!(ran.code, Some(78), "{}", ran.stderr);
        for key in [
            "feeds_from",
            "schedule.interval_min",
            "schedule.backlog",
            "fetch.timeout",
            "fetch.body_limit",
            "fetch.redirects_max",
            "fetch.allow_private_networks",
            "ledger.kind",
            "admin.lisen",
            "feed[0].url",
            "feed[0].id",
        ] {
            assert!(ran.stderr.contains(key), "{key} is missing in:\n{}", ran.stderr);
        }
        assert!(ran.stderr.contains("\"listen\""), "names the nearest key:\n{}", ran.stderr);
    }
    check_error("ten_mistakes", Some(TEN_MISTAKES), &["check"], 78);
}

#[test]
fn what_does_not_work_exits_with_1_and_says_why() {
    check_error("no_such_feed", None, &["poll", "no-such-file.xml"], 1);
    check_error("no_ledger", None, &["search", "shelling"], 1);
}

#[test]
fn a_file_that_is_a_feed_is_read_and_one_that_is_not_is_refused() {
    let fixtures = crate::support::project().join("tests/fixtures/feeds");
    let ran = conflictwire(&fixtures, &["poll", "rss-2.0.xml"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for line in ran.stdout.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["schema"], "conflictwire.article/1");
    }
    let ran = conflictwire(&fixtures, &["poll", "README.md"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("not_a_feed"), "{}", ran.stderr);
}

#[test]
fn a_good_configuration_is_summed_up_on_standard_output() {
    let config = "[[feed]]\nurl = \"https://example.org/rss\"\n";
    let ran = configured(Some(config), &["check"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("1 feed on 1 host"), "{}", ran.stdout);
}

/// Kafka where nothing listens: the port of no service, below those that are given out.
const KAFKA: &str = "[ledger]\nkind = \"kafka\"\n[kafka]\nbrokers = [\"127.0.0.1:1\"]\nlanes = 5\n";

#[test]
fn the_topics_are_described_as_configured() {
    let ran = configured(Some(KAFKA), &["schema", "asyncapi"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["asyncapi"], "3.0.0");
    assert_eq!(document["servers"]["broker0"]["host"], "127.0.0.1:1");
    assert_eq!(document["channels"]["articles"]["address"], "news.articles.v1");
    assert_eq!(document["channels"]["state"]["bindings"]["kafka"]["partitions"], 5);
    let ran = configured(None, &["schema", "asyncapi"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stderr.contains("CONFLICTWIRE__LEDGER__KIND=kafka"), "{}", ran.stderr);
}

#[test]
fn topics_are_planned_without_kafka_and_not_applied() {
    let ran = configured(Some(KAFKA), &["topics", "plan", "--partitions", "3"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for part in ["news.feed-state.v1", "kafka.lanes", "compact", "Kafka did not answer"] {
        assert!(ran.stdout.contains(part), "{part} is missing in:\n{}", ran.stdout);
    }
    let ran = configured(Some(KAFKA), &["topics", "apply"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("nothing was created"), "{}", ran.stderr);
    assert!(ran.stderr.contains("connection refused"), "{}", ran.stderr);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let script = format!("{BINARY} schema article | head -n 1; exit ${{PIPESTATUS:-0}}");
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
}
