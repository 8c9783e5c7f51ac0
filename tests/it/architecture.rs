//! The walls of the source that `Cargo.toml` files are not, as `src/README.md` states them: what pure code
//! does not say, and what one file alone may say. They are held by reading the source as text. Which room
//! may name which is in `house`.

use std::collections::BTreeSet;
use std::path::Path;

use crate::cli::commands;
use crate::house::HOUSE;
use crate::support::{files_below, project};

/// Pure files of the shell.
const CORE_FILES: [&str; 9] = [
    "ledger/filter.rs",
    "ledger/kafka/owners.rs",
    "ledger/kafka/topics.rs",
    "config/check.rs",
    "fetch/address.rs",
    "fetch/decode.rs",
    "fetch/outcome.rs",
    "fetch/redirect.rs",
    "memory/shares.rs",
];

/// What pure code does not say.
const IMPURE: [&str; 15] = [
    ".await",
    "async fn",
    "tokio",
    "reqwest",
    "rdkafka",
    "rusqlite",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "fastrand",
    "tracing",
];

/// The files of the core and of the poll whose types are written somewhere.
const SERIALISED: [&str; 11] = [
    "decide/lane/copied.rs",
    "decide/lane/wire.rs",
    "model/answer.rs",
    "model/ids.rs",
    "model/record/conflict.rs",
    "model/record/mod.rs",
    "model/state/habits.rs",
    "model/state/moves_record.rs",
    "model/state/subscription_record.rs",
    "model/state/record.rs",
    "pipeline/trial/wire.rs",
];

/// No file is longer than this without its tests: longer ones want to be two.
const FILE_LINES_MAX: usize = 600;

/// One source file, named by its path below `src`.
pub(crate) struct Source {
    pub(crate) name: String,
    text: String,
}

impl Source {
    /// The code a reader runs: without the tests at its end, without comments.
    pub(crate) fn code(&self) -> String {
        let code = self.without_tests();
        let lines = code.lines().map(|line| match line.find("//") {
            // "://" is a URL in a text, not a comment.
            Some(start) if !line[..start].ends_with(':') => &line[..start],
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn without_tests(&self) -> &str {
        let inline = ["mod tests {", "pub(crate) mod tests {"];
        let begin = |open: &str| self.text.find(&format!("#[cfg(test)]\n{open}"));
        let inline = inline.into_iter().filter_map(begin).min();
        &self.text[..inline.unwrap_or(self.text.len())]
    }
}

/// Every source file but those that are tests throughout.
pub(crate) fn sources() -> Vec<Source> {
    let source = project().join("src");
    let is_test = |name: &str| Path::new(name).file_name().is_some_and(|file| file == "tests.rs");
    files_below("src", "rs")
        .into_iter()
        .map(|path| Source {
            name: path.strip_prefix(&source).unwrap().to_str().unwrap().to_owned(),
            text: std::fs::read_to_string(&path).unwrap(),
        })
        .filter(|source| !is_test(&source.name))
        .filter(|source| !["/tests/", "/simulation/"].iter().any(|of| source.name.contains(of)))
        .collect()
}

/// Fails if a word stands in the code of a file that `is_free` does not allow it.
#[track_caller]
fn check(words: &[&str], is_free: impl Fn(&str) -> bool) {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !is_free(&source.name)) {
        let code = source.code();
        for word in words.iter().filter(|word| code.contains(**word)) {
            broken.push(format!("src/{}: {word}", source.name));
        }
    }
    assert!(broken.is_empty(), "not here:\n{}", broken.join("\n"));
}

fn is_core(name: &str) -> bool {
    let path = format!("src/{name}");
    let is_below = |folder: &str| path.starts_with(&format!("{folder}/"));
    CORE_FILES.contains(&name) || HOUSE.iter().any(|of| of.is_core && is_below(of.folder))
}

#[test]
fn the_core_does_no_io() {
    check(&IMPURE, |name| !is_core(name));
}

/// What the log and the metrics are made by waits for nobody, and asks no network and no file.
#[test]
fn what_says_how_the_program_stands_does_no_io_of_its_own() {
    let words = [".await", "async fn", "tokio", "std::fs", "std::net", "std::env"];
    check(&words, |name| !name.starts_with("status/"));
}

/// A file that is renamed takes its place in a list with it.
#[test]
fn every_file_that_a_wall_names_is_there() {
    let files = ["read/parse/adapter.rs", "fetch/client.rs", "clock.rs", "main.rs", "shutdown.rs"];
    for name in CORE_FILES.iter().chain(&SERIALISED).chain(&files) {
        assert!(project().join("src").join(name).exists(), "there is no src/{name}");
    }
}

#[test]
fn only_the_adapter_names_feed_rs() {
    check(&["feed_rs"], |name| name == "read/parse/adapter.rs");
}

#[test]
fn only_the_sqlite_ledger_names_rusqlite() {
    check(&["rusqlite"], |name| name.starts_with("ledger/sqlite"));
}

#[test]
fn only_the_kafka_ledger_names_rdkafka() {
    check(&["rdkafka"], |name| name.starts_with("ledger/kafka"));
}

#[test]
fn only_one_file_builds_an_http_client() {
    check(&["Client::builder", "ClientBuilder", "Client::new"], |name| name == "fetch/client.rs");
}

#[test]
fn only_config_reads_the_environment() {
    let words = ["env::var", "env::vars", "option_env!", "env::set_var"];
    // What the build of cw-code reads is where to write, of Cargo.
    check(&words, |name| name.starts_with("config/") || name == "code/build.rs");
}

#[test]
fn only_clock_reads_the_time() {
    let words = ["SystemTime::now", "Timestamp::now", "Zoned::now", "Utc::now", "Local::now"];
    check(&words, |name| name == "clock.rs");
}

#[test]
fn only_main_and_a_second_signal_end_the_process() {
    check(&["process::exit", "process::abort"], |name| name == "main.rs" || name == "shutdown.rs");
}

#[test]
fn tasks_are_spawned_in_one_place() {
    check(&["tokio::spawn"], |_| false);
}

/// A serialised type is a promise: only the record makes one to consumers. State, the plan in it
/// and what it holds, and what a lane says of itself, are promises to ourselves, with a version of
/// their own.
#[test]
fn nothing_but_the_record_and_the_state_is_serialised() {
    check(&["Serialize,", "Serialize)", "impl Serialize"], |name| {
        // `Deserialize` alone reads a configuration or a lexicon, and promises nothing.
        SERIALISED.contains(&name) || !is_core(name) && !name.starts_with("pipeline/")
    });
    let article = std::fs::read_to_string(project().join("src/model/article.rs")).unwrap();
    let derive = article.lines().zip(article.lines().skip(1));
    for (derive, item) in derive.filter(|(_, item)| item.starts_with("pub struct Article ")) {
        assert!(!derive.contains("Serialize"), "{item} must not be serialisable");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "))
        .filter(|source| !source.text.starts_with("#![doc = include_str!(\"README.md\")]"))
        .map(|source| source.name)
        .collect();
    assert!(silent.is_empty(), "no `//!` at the top of {silent:?}");
}

#[test]
fn the_tests_say_what_they_are_for_too() {
    let silent: Vec<_> = files_below("tests", "rs")
        .into_iter()
        .filter(|path| !std::fs::read_to_string(path).unwrap().starts_with("//! "))
        .collect();
    assert!(silent.is_empty(), "no `//!` at the top of {silent:?}");
}

/// A snapshot that no test compares with is a promise that nobody keeps.
#[test]
fn every_snapshot_is_compared_with() {
    let tests: String = files_below("tests/it", "rs")
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let commands = commands();
    let left_over: Vec<String> = files_below("tests/snapshots", "snap")
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| match name.split_once('_') {
            Some(("records", fixture)) => {
                !project().join("tests/fixtures/feeds").join(fixture).exists()
            }
            Some(("help", command)) => {
                command != "conflictwire"
                    && !commands.iter().any(|known| known.join("_") == command)
            }
            Some((_, rest)) => {
                ![name.as_str(), rest].iter().any(|it| tests.contains(&format!("\"{it}\"")))
            }
            None => true,
        })
        .collect();
    assert!(left_over.is_empty(), "no test compares with {left_over:?}");
}

#[test]
fn no_file_is_too_long_to_read() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|source| (source.without_tests().lines().count(), source.name))
        .filter(|(lines, _)| *lines > FILE_LINES_MAX)
        .map(|(lines, name)| format!("src/{name}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "longer than {FILE_LINES_MAX} lines without tests:\n{long:#?}");
}

/// Log fields are dotted names ("feed.id"). Whoever searches logs finds them all in one list.
#[test]
fn every_log_field_is_listed() {
    let listed = project().join("src/status/fields.rs");
    let listed = std::fs::read_to_string(listed).unwrap_or_default();
    let unlisted: BTreeSet<String> = sources()
        .iter()
        .filter(|source| source.name != "status/fields.rs")
        .flat_map(|source| log_fields(&source.code()))
        .filter(|field| !listed.contains(&format!("\"{field}\"")))
        .collect();
    assert!(unlisted.is_empty(), "not in status/fields.rs: {unlisted:?}");
}

/// The dotted names that are given a value inside the log and span macros.
fn log_fields(code: &str) -> BTreeSet<String> {
    const MACROS: [&str; 10] = [
        "error!(",
        "warn!(",
        "info!(",
        "debug!(",
        "trace!(",
        "error_span!(",
        "warn_span!(",
        "info_span!(",
        "debug_span!(",
        "trace_span!(",
    ];
    let mut fields = BTreeSet::new();
    for start in MACROS.iter().flat_map(|name| code.match_indices(name)) {
        let call = balanced(&code[start.0..]);
        for piece in call.split(['(', ',']) {
            let Some((name, _)) = piece.split_once('=') else { continue };
            let name = name.trim();
            let is_dotted = name.contains('.') && !name.ends_with('.');
            if is_dotted && name.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c)) {
                fields.insert(name.to_owned());
            }
        }
    }
    fields
}

/// A macro call up to the parenthesis that closes it; texts with parentheses end it early or late,
/// which only ever widens or narrows the search by a line.
fn balanced(text: &str) -> &str {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth == 0 && c == ')' {
            return &text[..at];
        }
    }
    text
}

#[test]
fn a_log_field_is_found_wherever_it_stands() {
    let code = "warn!(feed.id = %feed.id,\n    error.type = err.kind(), n = 1,\n \"x\"); a.b = 2;";
    assert_eq!(log_fields(code), ["error.type", "feed.id"].map(String::from).into());
}
