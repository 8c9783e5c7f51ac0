//! Help, error text and exit codes: what a person meets before anything works.

use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::process::Command;

use crate::support::daemon::BINARY;
use crate::support::{snapshots, wait_until};

/// What a command came to.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the program in a folder, with an environment that says nothing but where state may live.
fn conflictwire(folder: &Path, args: &[&str]) -> Ran {
    given(folder, args, "")
}

/// The same with something on its standard input.
fn given(folder: &Path, args: &[&str], input: &str) -> Ran {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(input.as_bytes()).unwrap();
    file.rewind().unwrap();
    let mut command = Command::new(BINARY);
    command.args(args).current_dir(folder).stdin(file);
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

/// A taxonomy, a lexicon and a file of actors, with mistakes of each kind.
const MISTAKEN: [(&str, &str); 3] = [
    (
        "taxonomy.toml",
        "format = 1\n\n[[tag]]\nid = \"strike\"\nlabel = \"Strike\"\n\n[[tag]]\nid = \"strike.balloon\"\n\
         label = \"Balloon\"\nparent = \"strke\"\n\n[[tag]]\nid = \"battle\"\nlable = \"Battle\"\n",
    ),
    (
        "balloons.toml",
        "format = 1\nlanguage = \"xx\"\nversion = 1\n\n[veto]\nresisting = []\nbar = 0.9\n\n[sets]\n\
         balloons = [\"balloon(s\"]\n\n[[tag]]\nid = \"strike.baloon\"\n\n[[tag]]\nid = \"strike\"\nterms = [\n\
         \x20 { wieght = 0.8, any = [\"incendiary balloon(s)\"] },\n\
         \x20 { weight = 8, any = [\"fire kite(s)\", \"fire kites\"] },\n]\ncombinations = [\n\
         \x20 { weight = 0.5, all = [\"@ballons\", \"atacker:@actor\"], within = 3 },\n]\n",
    ),
    (
        "actors.toml",
        "format = 1\nlanguage = \"xx\"\n\n[[actor]]\nid = \"group.kites\"\nkind = \"grup\"\nnames = [\"Kites\"]\n",
    ),
];

#[test]
fn every_mistake_of_a_lexicon_is_named_with_its_file_and_line() {
    let folder = tempfile::TempDir::new().unwrap();
    for (name, text) in MISTAKEN {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let config = "[[feed]]\nurl = \"https://example.org/rss\"\n[tag]\ntaxonomy = \"taxonomy.toml\"\n\
                  lexicons = [\"balloons.toml\"]\nactors = [\"actors.toml\"]\n[log]\nformat = \"text\"\n";
    std::fs::write(folder.path().join("my.toml"), config).unwrap();
    for command in ["check", "run"] {
        let ran = conflictwire(folder.path(), &[command, "--config", "my.toml"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(78), ""), "{}", ran.stderr);
        snapshots().bind(|| insta::assert_snapshot!("error_mistaken_lexicon", ran.stderr));
    }
}

/// A lexicon of a few rules of each kind, so that no better lexicon changes what is said of a text.
const EXPLAINED_LEXICON: &str = r#"format = 1
language = "en"
version = 7
force_nouns = ["troops", "forces"]

[veto]
resisting = []
bar = 0.9

[sets]
ground = ["village(s)", "town"]
crews = ["fire crew(s)"]

[[tag]]
id = "strike.shelling"
without = ["@crews"]
terms = [
  { weight = 0.4, any = ["mortar(s)"] },
  { weight = 0.7, any = ["shell(s,ed,ing)"] },
]
combinations = [
  { weight = 0.8, all = ["attacker:@force", "shell(s,ed,ing)", "@ground"], within = 3, order = "as_written" },
]

[[tag]]
id = "battle"
needs = ["@ground"]
terms = [{ weight = 0.6, any = ["battle(s)"] }]

[[mask]]
terms = ["shell company|companies"]

[[domain]]
flag = "sport"
threshold = 0.6
ratio = 1.0
terms = [{ weight = 0.9, any = ["cup final", "striker"] }]

[[cue]]
flag = "negated"
effect = "negates"
before = 3
terms = ["no", "never"]

[[cue]]
effect = "claims"
claim = "denied"
before = 8
terms = ["denies that", "denied that"]
speaker = { place = "before", within = 4 }
"#;

/// Tags a text with that lexicon.
fn explained(text: &str, args: &[&str]) -> Ran {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("my.toml"), "[tag]\nlexicons = [\"lexicon.toml\"]\n")
        .unwrap();
    std::fs::write(folder.path().join("lexicon.toml"), EXPLAINED_LEXICON).unwrap();
    let tag = ["tag", "--config", "my.toml", "--language", "en", "--explain"];
    given(folder.path(), &[&tag, args].concat(), text)
}

#[test]
fn a_coding_is_explained_by_its_rules_with_file_and_line() {
    let texts = concat!(
        r#"{"title": "Moscow denies that Russian troops shelled a village with mortars"}"#,
        "\n",
        r#"{"title": "No battle in town, police say, but shells from a shell company reach fire crews"}"#,
        "\n",
        r#"{"title": "Striker in shelling of keeper as cup final ends"}"#,
        "\n",
        r#"{"title": "Le maire ouvre la foire aux fromages de la ville", "language": "fr"}"#,
        "\n",
    );
    let ran = explained(texts, &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let wide: Vec<&str> = ran.stdout.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "wider than 80 columns: {wide:#?}");
    // The digest of a lexicon covers the built-in actors too.
    let digest =
        ran.stdout.split("lexicon en/7 ").nth(1).unwrap().split_whitespace().next().unwrap();
    let stdout = ran.stdout.replace(digest, "[digest]");
    snapshots().bind(|| insta::assert_snapshot!("tag_explained", stdout));

    let ran = explained(texts, &["--json"]);
    let answers: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let reason = &answers[0]["explain"]["tags"][0]["reasons"][0];
    let line = usize::try_from(reason["rule"]["line"].as_u64().unwrap()).unwrap();
    let rule = EXPLAINED_LEXICON.lines().nth(line - 1).unwrap();
    assert_eq!(rule.trim().trim_end_matches(','), reason["rule"]["text"], "{reason}");
    assert_eq!(reason["cues"][0]["effect"], "denied", "{reason}");
    assert_eq!(answers[0]["conflict"]["tags"][0]["claim"]["status"], "denied");
    assert_eq!(answers[3]["explain"], serde_json::Value::Null, "no lexicon, no reasons");
}

#[test]
fn a_score_of_the_model_is_taken_apart() {
    let folder = tempfile::TempDir::new().unwrap();
    let text = "Army shells rebels near the border as talks stall";
    let ran = given(folder.path(), &["tag", "--language", "en", "--explain"], text);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for part in ["in log-odds", "any text", "the best score of the rules", "built-in lexicon/en/"] {
        assert!(ran.stdout.contains(part), "{part} is missing in:\n{}", ran.stdout);
    }
}

#[test]
fn the_cases_beside_the_configuration_come_out_as_expected() {
    let cases = crate::support::project().join("config/cases.toml");
    let ran = configured(None, &["test", cases.to_str().unwrap()]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
    assert_eq!(ran.stdout, "5 of 5 cases as expected\n");
}

/// One case that holds, and two in which everything is otherwise.
const CASES: &str = r#"
[[case]]
title = "Russian troops shelled a village"
tags = ["strike"]
roles = ["attacker:state.ru"]

[[case]]
name = "all wrong"
title = "Moscow denies that Russian troops shelled a village with mortars"
relevant = false
tags = ["battle"]
not_tags = ["strike"]
claim = "threatened"
actors = ["state.us"]
not_actors = ["state.ru"]
roles = ["target:state.us"]
places = ["Idlib"]
casualties = [{ kind = "killed", count = 3, scope = "event" }]

[[case]]
title = "Nobody was hurt"
tags = ["strike.shelling"]
"#;

#[test]
fn a_case_that_comes_out_otherwise_is_a_line_with_what_was_expected_and_found() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("my.toml"), "[tag]\nlexicons = [\"lexicon.toml\"]\n")
        .unwrap();
    std::fs::write(folder.path().join("lexicon.toml"), EXPLAINED_LEXICON).unwrap();
    // Texts as short as these show no language.
    let cases = CASES.replace("title =", "language = \"en\"\ntitle =");
    std::fs::write(folder.path().join("cases.toml"), &cases).unwrap();
    let test = ["test", "--config", "my.toml"];
    let ran = conflictwire(folder.path(), &[&test[..], &["cases.toml"]].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    snapshots().bind(|| insta::assert_snapshot!("cases_otherwise", ran.stdout));

    // The same as JSON lines.
    let table: toml::Table = cases.parse().unwrap();
    let lines: Vec<String> = table["case"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| serde_json::to_string(case).unwrap())
        .collect();
    std::fs::write(folder.path().join("cases.jsonl"), lines.join("\n")).unwrap();
    let as_json = conflictwire(folder.path(), &[&test[..], &["cases.jsonl"]].concat());
    let without_line = |text: &str| {
        text.lines()
            .map(|line| line.split_once(", ").map_or(line, |(_line, rest)| rest).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(without_line(&as_json.stdout), without_line(&ran.stdout));
    assert!(as_json.stdout.contains("FAILED line 2, all wrong"), "{}", as_json.stdout);

    let explained =
        conflictwire(folder.path(), &[&test[..], &["cases.toml", "--explain"]].concat());
    assert!(
        explained.stdout.contains("\"Russian troops shelled a village\""),
        "{}",
        explained.stdout
    );
}

#[test]
fn a_mistake_in_a_file_of_cases_exits_with_78_and_names_its_line() {
    let folder = tempfile::TempDir::new().unwrap();
    let toml = "[[case]]\ntitle = \"x\"\ntags = [\"strike.aire\"]\nrelevent = true\n\n[[case]]\nclaim = \"denyed\"\n\
                roles = [\"attaker:state.ru\", \"state.ru\"]\n[[case]]\nbody = 3\ncasualties = [{ kind = \"kiled\", count = 1, low = 2 }]\n";
    let json = "{\"title\": \"x\", \"tags\": [\"strike.aire\"]}\n{\"title\": \"x\", \"relevent\": true}\n{bad\n{\"tags\": null}\n";
    for (file, text, name) in [
        ("cases.toml", toml, "mistaken_cases"),
        ("cases.jsonl", json, "mistaken_lines"),
        ("empty.toml", "", "no_cases"),
    ] {
        std::fs::write(folder.path().join(file), text).unwrap();
        let ran = conflictwire(folder.path(), &["test", file]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(78), ""), "{}", ran.stderr);
        snapshots().bind(|| insta::assert_snapshot!(format!("error_{name}"), ran.stderr));
    }
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
    let config =
        "[fetch]\ncontact = \"ada@example.org\"\n[[feed]]\nurl = \"https://example.org/rss\"\n";
    let ran = configured(Some(config), &["check", "--deny-warnings"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("1 feed on 1 host"), "{}", ran.stdout);
}

/// On a terminal, and nowhere else: `script` gives the daemon one.
#[test]
fn on_a_terminal_one_line_says_how_things_stand() {
    use crate::support::daemon::{Daemon, Setup};
    use crate::support::publisher::{Publisher, Reply};
    use crate::support::run::headlines;
    let publisher = Publisher::start();
    publisher.serve("/rss", [Reply::feed(headlines(&["A"]))]);
    let mut setup = Setup::new();
    setup.set("log.format", "auto").set("log.level", "info").feed("a", &publisher.url("/rss"));
    let (config, seen) = (setup.config(), setup.path("seen"));
    let pid = setup.path("pid");
    let run =
        format!("echo $$ >{}; exec {BINARY} run --config {}", pid.display(), config.display());
    let mut command = setup.command("script");
    command.args(["--quiet", "--flush", "--command", &run]).arg(&seen);
    let mut daemon = Daemon::watch(command);
    wait_until("the line", || {
        let text = std::fs::read_to_string(&seen).unwrap_or_default();
        ["1 feed: 1 fine", " committed ", "http://127.0.0.1:"].iter().all(|it| text.contains(it))
    });
    let stop = format!("kill -TERM $(cat {})", pid.display());
    assert!(Command::new("sh").args(["-c", &stop]).status().unwrap().success());
    daemon.wait_for_end();
    let text = std::fs::read_to_string(&seen).unwrap();
    assert!(text.contains("drained"), "{text}");
}

/// No reason not to run, unless whoever checks says so.
#[test]
fn what_is_perhaps_not_what_was_meant_is_warned_of() {
    let config = "[fetch]\nallow_private_networks = true\n[admin]\nlisten = \"0.0.0.0:9273\"\n\
                  [ledger]\nkind = \"json_lines\"\n\
                  [[feed]]\nurl = \"http://example.org/rss\"\n[[feed]]\nurl = \"http://example.net/rss\"\n";
    let ran = configured(Some(config), &["check"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("2 feeds on 2 hosts"), "{}", ran.stdout);
    snapshots().bind(|| insta::assert_snapshot!("check_warnings", ran.stderr));
    assert_eq!(configured(Some(config), &["check", "--deny-warnings"]).code, Some(78));
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
