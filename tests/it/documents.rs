//! The documents say what is there: links, commands, flags, targets of make, configuration keys, metrics,
//! failure classes and the messages that the runbook explains. And the first of them is short.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use conflictwire::config;
use cw_model::FailureClass;
use strum::IntoEnumIterator as _;

use crate::support::daemon::BINARY;
use crate::support::{files_below, project};

/// Folders with documents that belong to us; the top of the project is looked at beside them.
const FOLDERS: [&str; 5] = ["benches", "config", "deploy", "src", "tests"];

/// A document, and where it is from the top of the project.
struct Document {
    path: PathBuf,
    text: String,
}

/// A piece of code in a document: a span between backticks, or a line of a block.
struct Code<'a> {
    text: &'a str,
    is_span: bool,
}

impl Document {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        Self { path: path.strip_prefix(project()).unwrap().to_owned(), text }
    }

    /// Its lines outside and inside blocks of code. A block is fenced, or indented after an empty line.
    fn lines(&self) -> (Vec<&str>, Vec<&str>) {
        let (mut prose, mut code) = (Vec::new(), Vec::new());
        let (mut is_fenced, mut was_empty, mut was_indented) = (false, true, false);
        for line in self.text.lines() {
            let is_indented = line.starts_with("    ") && (was_empty || was_indented) && !is_fenced;
            if line.starts_with("```") {
                is_fenced = !is_fenced;
            } else if is_fenced || is_indented {
                code.push(line.trim());
            } else {
                prose.push(line);
            }
            (was_empty, was_indented) = (line.is_empty(), is_indented);
        }
        (prose, code)
    }

    /// Every piece of code in it.
    fn code(&self) -> Vec<Code<'_>> {
        let (prose, block) = self.lines();
        let spans = prose.into_iter().flat_map(|line| line.split('`').skip(1).step_by(2));
        let spans = spans.map(|text| Code { text, is_span: true });
        spans.chain(block.into_iter().map(|text| Code { text, is_span: false })).collect()
    }

    /// The blocks of code in this language.
    fn blocks(&self, language: &str) -> Vec<&str> {
        let start = format!("\n```{language}\n");
        let blocks = self.text.split(start.as_str()).skip(1);
        blocks.map(|rest| rest.split("\n```").next().unwrap()).collect()
    }

    /// Where its links lead: the parts in round brackets after a square one, outside of code.
    fn links(&self) -> Vec<&str> {
        let (prose, _) = self.lines();
        let outside = prose.into_iter().flat_map(|line| line.split('`').step_by(2));
        // A link around a piece of code has its brackets in two parts, each of which is whole.
        outside
            .flat_map(|text| text.split("](").skip(1))
            .filter_map(|rest| rest.split(')').next())
            .collect()
    }

    /// The anchors of its headings, as GitHub makes them.
    fn anchors(&self) -> BTreeSet<String> {
        let (prose, _) = self.lines();
        let headings = prose.into_iter().filter(|line| line.starts_with('#'));
        headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
    }
}

/// "On Kafka: `run`" is "on-kafka-run".
fn anchor(heading: &str) -> String {
    let lower = heading.to_lowercase().replace(' ', "-");
    lower.chars().filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter)).collect()
}

fn documents() -> Vec<Document> {
    let top = std::fs::read_dir(project()).unwrap().map(|entry| entry.unwrap().path());
    let top = top.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let below = FOLDERS.into_iter().flat_map(|folder| files_below(folder, "md"));
    let documents: Vec<_> = top.chain(below).map(|path| Document::read(&path)).collect();
    assert!(documents.iter().any(|document| document.path == Path::new("README.md")));
    documents
}

/// Looks at something of every document, and names what is wrong with the place of it.
#[track_caller]
fn check(what: &str, look: impl Fn(&Document, &mut dyn FnMut(&str)) -> usize) {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for document in documents() {
        let mut report = |fault: &str| wrong.push(format!("{}: {fault}", document.path.display()));
        seen += look(&document, &mut report);
    }
    assert!(seen > 0, "no document names any {what}: this test sees nothing");
    assert!(wrong.is_empty(), "{what}: {wrong:#?}");
}

/// A path without "." and "..".
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{} leaves the project", path.display()),
            Component::CurDir => {}
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => plain.push(part),
        }
    }
    plain
}

#[test]
fn the_readme_is_read_at_once() {
    let readme = Document::read(&project().join("README.md"));
    let lines = readme.text.lines().count();
    assert!(
        lines <= 200,
        "README.md has {lines} lines; what has another reader has another document"
    );
}

#[test]
fn every_link_leads_somewhere() {
    let by_path: BTreeMap<PathBuf, BTreeSet<String>> =
        documents().iter().map(|one| (one.path.clone(), one.anchors())).collect();
    check("links", |document, report| {
        let links = document.links();
        for link in links.iter().filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = document.path.parent().unwrap();
            let target =
                if path.is_empty() { document.path.clone() } else { plain(&folder.join(path)) };
            if !project().join(&target).exists() {
                report(&format!("{link} is not there"));
            }
            if !anchor.is_empty()
                && !by_path.get(&target).is_some_and(|anchors| anchors.contains(anchor))
            {
                report(&format!("{link}: no heading has this anchor"));
            }
        }
        links.len()
    });
}

/// `tests/run.sh`, `src/fetch/`, not `src/*.rs`.
#[test]
fn every_path_leads_somewhere() {
    check("paths", |document, report| {
        let mut seen = 0;
        for code in document.code().iter().filter(|code| code.is_span) {
            let first = code.text.split('/').next().unwrap();
            let is_plain = |letter: char| letter.is_alphanumeric() || "/._-".contains(letter);
            let is_ours = FOLDERS.contains(&first) && code.text.contains('/');
            // A test is named by its file and function.
            let path = code.text.split("::").next().unwrap();
            if !is_ours || !path.chars().all(is_plain) {
                continue;
            }
            seen += 1;
            let folder = document.path.parent().unwrap();
            if !project().join(path).exists() && !project().join(folder).join(path).exists() {
                report(&format!("{path} is not there"));
            }
        }
        seen
    });
}

/// The words of a command line before its comment, or of a span.
fn words<'a>(code: &Code<'a>) -> Vec<&'a str> {
    let is_comment = |word: &&str| word.starts_with('#');
    code.text.split_whitespace().take_while(|word| !is_comment(word)).collect()
}

#[test]
fn every_target_of_make_is_there() {
    let makefile = std::fs::read_to_string(project().join("Makefile")).unwrap();
    check("targets of make", |document, report| {
        let mut seen = 0;
        for code in document.code() {
            let words = words(&code);
            let Some(make) = words.iter().position(|word| *word == "make") else { continue };
            // Else make is an argument: of a package manager, say.
            if !words.iter().take(make).all(|word| word.contains('=')) {
                continue;
            }
            for word in words.iter().skip(make + 1) {
                let is_there = match word.split_once('=') {
                    Some((variable, _)) => makefile.contains(&format!("$({variable})")),
                    None => makefile.contains(&format!("\n{word}:")),
                };
                seen += 1;
                if !is_there {
                    report(&format!("make {word}: the Makefile has no such thing"));
                }
            }
        }
        seen
    });
}

/// What a command says of itself; `None` if there is no such command.
fn help(command: &[&str]) -> Option<String> {
    let output = Command::new(BINARY).args(command).arg("--help").env_clear().output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// The commands that a help lists.
fn listed(help: &str) -> BTreeSet<&str> {
    let list = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

/// `feeds list|add` are two commands.
fn each(word: &str) -> impl Iterator<Item = &str> {
    word.split('|').map(|one| one.trim_matches(['[', ']', '\\', '…', ',']))
}

/// Every command of the program by its words, with its help.
static COMMANDS: LazyLock<BTreeMap<Vec<String>, String>> = LazyLock::new(|| {
    let mut commands = BTreeMap::new();
    let mut left = vec![Vec::new()];
    // There, and not listed.
    left.push(vec!["try-documents".to_owned()]);
    while let Some(command) = left.pop() {
        let args: Vec<&str> = command.iter().map(String::as_str).collect();
        let help = help(&args).unwrap();
        let more = listed(&help).into_iter().filter(|word| *word != "help");
        left.extend(more.map(|word| [command.clone(), vec![word.to_owned()]].concat()));
        commands.insert(command, help);
    }
    commands
});

/// Checks a command line after the name of the program.
fn check_command(words: &[&str], report: &mut dyn FnMut(&str)) {
    let words = words.strip_prefix(&["help"]).unwrap_or(words);
    let mut commands = vec![Vec::new()];
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let before = commands.last().unwrap();
        let has_more =
            COMMANDS.keys().any(|key| key.len() > before.len() && key.starts_with(before));
        if !has_more
            || word.starts_with('-')
            || !word.starts_with(|letter: char| letter.is_ascii_lowercase())
        {
            break;
        }
        let longer: Vec<Vec<String>> =
            each(word).map(|one| [before.clone(), vec![one.to_owned()]].concat()).collect();
        for command in &longer {
            if !COMMANDS.contains_key(command) {
                report(&format!("{}: no such command", command.join(" ")));
                return;
            }
        }
        commands = longer;
        at += 1;
    }
    for command in commands {
        let help = &COMMANDS[&command];
        let flags = words.iter().skip(at).flat_map(|word| each(word));
        for flag in flags.filter(|word| word.starts_with("--")) {
            let flag = flag.split('=').next().unwrap();
            if !help.split([' ', '\n', ',']).any(|word| word == flag) {
                report(&format!("{} has no {flag}", command.join(" ")));
            }
        }
    }
}

#[test]
fn every_command_and_flag_is_there() {
    check("commands", |document, report| {
        let mut seen = 0;
        for code in document.code() {
            let words = words(&code);
            let is_program =
                |word: &&str| *word == "conflictwire" || word.ends_with("/conflictwire");
            let is_command =
                |word: &&str| COMMANDS.contains_key(&vec![each(word).next().unwrap().to_owned()]);
            let after = match words.iter().rposition(is_program) {
                Some(program) => &words[program + 1..],
                // `check --connect`, without the program's name.
                None if code.is_span && words.len() > 1 && is_command(&words[0]) => &words[..],
                None => continue,
            };
            seen += 1;
            check_command(after, report);
        }
        seen
    });
}

/// Whether the schema of the configuration has a key with these names.
fn has_key(names: &[&str]) -> bool {
    let schema = config::schema();
    let mut at = &schema;
    for name in names {
        // A map of properties of librdkafka, addresses or files has any name.
        let Some(keys) = at.get("properties") else {
            return at.get("additionalProperties").is_some_and(|open| *open != false);
        };
        let Some(key) = keys.get(name) else { return false };
        at = key;
    }
    true
}

/// `fetch.timeout` between backticks, and `CONFLICTWIRE__FETCH__TIMEOUT` anywhere in code.
#[test]
fn every_configuration_key_is_there() {
    let schema = config::schema();
    let tables = schema["properties"].as_object().unwrap();
    check("configuration keys", |document, report| {
        let mut seen = 0;
        for code in document.code() {
            let text = code.text.split([' ', '=']).next().unwrap();
            let names: Vec<&str> = text.split('.').collect();
            let is_name = |name: &&str| {
                name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
            };
            let is_file = ["rs", "sh", "toml", "md"].contains(names.last().unwrap());
            let is_key = code.is_span && names.len() > 1 && names.iter().all(is_name) && !is_file;
            if is_key && tables.contains_key(names[0]) {
                seen += 1;
                if !has_key(&names) {
                    report(&format!("{text} is no key of the configuration"));
                }
            }
            let variables =
                code.text.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_');
            for variable in variables.filter_map(|word| word.strip_prefix("CONFLICTWIRE__")) {
                seen += 1;
                let lower = variable.to_lowercase();
                if !has_key(&lower.split("__").collect::<Vec<_>>()) {
                    report(&format!("CONFLICTWIRE__{variable} sets no key of the configuration"));
                }
            }
        }
        seen
    });
}

/// Blocks of TOML are pieces of a configuration; those of a taxonomy or a lexicon begin with `format`.
#[test]
fn every_piece_of_configuration_is_taken() {
    let schema = config::schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    check("configurations", |document, report| {
        let blocks = document.blocks("toml");
        for block in &blocks {
            let table: toml::Table = match block.parse() {
                Ok(table) => table,
                Err(error) => {
                    report(&error.to_string());
                    continue;
                }
            };
            if table.contains_key("format") || table.get("tag").is_some_and(toml::Value::is_array) {
                continue;
            }
            let value = serde_json::to_value(table).unwrap();
            for error in validator.iter_errors(&value) {
                report(&format!("{error} in\n{block}"));
            }
        }
        blocks.len()
    });
}

/// Whether something is registered under this name, with or without what the format puts behind it.
fn is_metric(name: &str, status: &str) -> bool {
    let bare = name.strip_prefix("conflictwire_").unwrap();
    let without = |suffix: &str| bare.strip_suffix(suffix).unwrap_or(bare).to_owned();
    let total = without("_total");
    let ends = ["_seconds", "_bytes", "_info"].map(without);
    let names = [bare.to_owned(), total.clone()].into_iter().chain(ends);
    let of_total = total.strip_suffix("_bytes").map(str::to_owned);
    let mut names = names.chain(of_total);
    names.any(|name| status.contains(&format!("\"{name}\"")))
}

#[test]
fn every_metric_is_there() {
    let mut status = String::new();
    for path in files_below("src", "rs") {
        if path.components().any(|part| part.as_os_str() == "status") {
            status.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    check("metrics", |document, report| {
        let mut seen = 0;
        for code in document.code() {
            let is_letter = |letter: char| letter.is_ascii_lowercase() || letter == '_';
            let words = code.text.split(|letter: char| !is_letter(letter));
            for metric in words.filter(|word| word.starts_with("conflictwire_")) {
                seen += 1;
                // A volume of the compose file has a name like that.
                if metric != "conflictwire_kafka" && !is_metric(metric, &status) {
                    report(&format!("{metric} is no metric"));
                }
            }
        }
        seen
    });
}

/// The schema of what is published, as the program prints it.
fn schema(form: &str) -> serde_json::Value {
    let output = Command::new(BINARY).args(["schema", form]).env_clear().output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_record_shown_is_of_the_schema() {
    let schema = schema("article");
    let validator = jsonschema::validator_for(&schema).unwrap();
    check("records", |document, report| {
        let blocks = document.blocks("json");
        for block in &blocks {
            let record: serde_json::Value = serde_json::from_str(block).unwrap();
            for error in validator.iter_errors(&record) {
                report(&error.to_string());
            }
        }
        blocks.len()
    });
}

/// What the table of the first document repeats, the document of the figures says too.
#[test]
fn every_figure_of_the_readme_is_in_the_table_of_all() {
    let readme = Document::read(&project().join("README.md"));
    let all = Document::read(&project().join("benches/README.md"));
    let short = rows(&readme, "\n## Figures\n");
    assert!(!short.is_empty());
    for cells in short {
        let [label, value] = cells.as_slice() else { panic!("{cells:?}") };
        let row = all.text.lines().find(|line| line.starts_with(&format!("| {label} |")));
        let row = row.unwrap_or_else(|| panic!("benches/README.md does not have {label:?}"));
        // The unit may be in the head of the table there.
        let number = value.split(' ').next().unwrap();
        let is_there =
            row.contains(&format!("| {value} |")) || row.contains(&format!("| {number} |"));
        assert!(is_there, "{label}: {value} is not in {row}");
    }
}

/// Variables that only the tests, benches and scripts read.
#[test]
fn every_variable_is_read_by_something() {
    let mut sources = std::fs::read_to_string(project().join("Makefile")).unwrap();
    for (folder, extension) in [("tests", "rs"), ("tests", "sh"), ("benches", "rs"), ("src", "rs")]
    {
        for path in files_below(folder, extension) {
            sources.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    check("variables", |document, report| {
        let mut seen = 0;
        for code in document.code() {
            let words =
                code.text.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_');
            let is_ours = |word: &&str| {
                word.starts_with("CONFLICTWIRE_") && !word.starts_with("CONFLICTWIRE__")
            };
            for variable in words.filter(is_ours) {
                seen += 1;
                if !sources.contains(variable) {
                    report(&format!("nothing reads {variable}"));
                }
            }
        }
        seen
    });
}

/// The rows of the table below a heading, by their cells.
fn rows(document: &Document, heading: &str) -> Vec<Vec<String>> {
    let part = document.text.split(heading).nth(1);
    let part = part.unwrap_or_else(|| panic!("no {heading:?}")).split("\n#").next().unwrap();
    // The head is before the line of dashes.
    let rows = part.lines().skip_while(|line| !line.starts_with("|--")).skip(1);
    rows.take_while(|line| line.starts_with('|'))
        .map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// The texts between backticks.
fn spans(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_failure_class_is_explained() {
    let runbook = Document::read(&project().join("deploy/README.md"));
    let rows = rows(&runbook, "\n### When a feed fails\n");
    let explained: BTreeSet<&str> = rows.iter().flat_map(|cells| spans(&cells[0])).collect();
    let classes: BTreeSet<&str> = FailureClass::iter().map(FailureClass::name).collect();
    assert_eq!(
        explained, classes,
        "the classes that deploy/README.md explains, and those there are"
    );
}

/// The table of behaviours claims nothing for which there is no test.
#[test]
fn every_behaviour_that_holds_is_held_by_a_test_that_is_there() {
    let document = Document::read(&project().join("tests/README.md"));
    let files = ["src", "tests/it"].into_iter().flat_map(|folder| files_below(folder, "rs"));
    let code: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let rows = rows(&document, "\n## Polling behaviours\n");
    let numbers: Vec<&str> = rows.iter().map(|cells| cells[0].as_str()).collect();
    let all: Vec<String> = (1..=100).map(|number: u32| number.to_string()).collect();
    assert_eq!(numbers, all);
    for cells in &rows {
        let tests: Vec<&str> = spans(cells.get(3).map_or("", String::as_str)).collect();
        let is_claimed = cells[2] == "yes" || cells[2] == "in part";
        assert!(!is_claimed || !tests.is_empty(), "{cells:?} names no test");
        for test in tests {
            assert!(code.contains(&format!("fn {test}(")), "{test} of {cells:?} is not there");
        }
    }
}

/// The runbook quotes what the program says, with "…" for what differs.
#[test]
fn every_message_of_the_runbook_is_one_of_the_program() {
    let runbook = Document::read(&project().join("deploy/README.md"));
    let kafka = Document::read(&project().join("deploy/kafka/README.md"));
    let mut sources = String::new();
    for path in files_below("src", "rs") {
        let text = std::fs::read_to_string(path).unwrap();
        // A text in two lines of the source is one, and a quotation mark in it is escaped.
        let lines = text.lines().map(|line| line.trim_start().trim_end_matches('\\'));
        sources.push_str(&lines.collect::<String>().replace("\\\"", "\""));
    }
    for rows in [
        rows(&runbook, "\n### Why it is not ready\n"),
        rows(&kafka, "\n### What it says, and what to do\n"),
    ] {
        assert!(!rows.is_empty());
        for cells in rows {
            for message in spans(&cells[0]) {
                for part in message.split('…') {
                    assert!(
                        sources.contains(part.trim()),
                        "nothing says {part:?} (of {message:?})"
                    );
                }
            }
        }
    }
}
