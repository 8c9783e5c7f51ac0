//! The house has a direction: which crates below `src` may name which, what they may depend on, and in
//! which order the modules of each crate stand. A room that is added, renamed or moved has no place until
//! it is given one here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::architecture::{Source, sources};
use crate::support::project;

/// One crate of the house.
pub(crate) struct Crate {
    name: &'static str,
    /// Below the project.
    pub(crate) folder: &'static str,
    /// The crates of ours that it names: its Cargo.toml lists exactly these.
    knows: &'static [&'static str],
    /// Its modules, lowest first. Each names only those before it.
    modules: &'static [&'static str],
    /// Whether it is pure: no I/O, no clock, no waiting, no log.
    pub(crate) is_core: bool,
}

/// The crates, lowest first.
pub(crate) const HOUSE: [Crate; 8] = [
    Crate {
        name: "cw-model",
        folder: "src/model",
        knows: &[],
        modules: &[
            "time", "steps", "quota", "skips", "counts", "country", "lane", "ids", "entry",
            "evidence", "actor", "place", "tag", "article", "digest", "request", "feed", "record",
            "reject", "route", "answer", "page", "state", "outcome", "samples",
        ],
        is_core: true,
    },
    Crate {
        name: "cw-text",
        folder: "src/text",
        knows: &["cw-model"],
        modules: &[
            "lower",
            "reference",
            "charset",
            "html",
            "alternates",
            "mojibake",
            "lines",
            "plain",
            "language",
            "words",
            "search",
            "fingerprint",
            "likeness",
            "web",
        ],
        is_core: true,
    },
    Crate {
        name: "cw-places",
        folder: "src/places",
        knows: &["cw-model", "cw-text"],
        modules: &["gazetteer", "place", "cues", "text", "mentions", "roles", "resolve", "primary"],
        is_core: true,
    },
    Crate {
        name: "cw-status",
        folder: "src/status",
        knows: &["cw-model"],
        modules: &[
            "fields",
            "shown",
            "spans",
            "text",
            "live",
            "log",
            "lanes",
            "ledger",
            "lists",
            "recent",
            "status",
            "process",
            "trial",
            "traces",
            "prometheus_text",
            "metrics",
        ],
        is_core: false,
    },
    Crate {
        name: "cw-read",
        folder: "src/read",
        knows: &["cw-model", "cw-text"],
        modules: &["beginnings", "parse", "normalise", "page"],
        is_core: true,
    },
    Crate {
        name: "cw-code",
        folder: "src/code",
        knows: &["cw-model", "cw-places", "cw-text"],
        modules: &[
            "texts",
            "source",
            "file",
            "hash",
            "bits",
            "segment",
            "taxonomy",
            "term",
            "actors",
            "matcher",
            "lexicon",
            "names",
            "sets",
            "spans",
            "combinations",
            "cues",
            "claims",
            "clauses",
            "rules",
            "shown",
            "vectors",
            "features",
            "gate",
            "whereabouts",
            "casualties",
            "explain",
        ],
        is_core: true,
    },
    Crate {
        name: "cw-decide",
        folder: "src/decide",
        knows: &["cw-code", "cw-model", "cw-read", "cw-text"],
        modules: &[
            "time",
            "backoff",
            "lease",
            "subscription",
            "dedupe",
            "feed_list",
            "schedule",
            "robots",
            "process",
            "lane",
            "scheduler",
            "brokers",
        ],
        is_core: true,
    },
    Crate {
        name: "conflictwire",
        folder: "src",
        knows: &["cw-code", "cw-decide", "cw-model", "cw-read", "cw-status", "cw-text"],
        modules: &[
            "clock",
            "host_port",
            "process",
            "fault",
            "reload",
            "shutdown",
            "publisher",
            "server",
            "memory",
            "fetch",
            "traces",
            "websub",
            "ledger",
            "config",
            "admin",
            "pipeline",
            "demo",
            "cli",
            "fuzz",
        ],
        is_core: false,
    },
];

/// What no core crate depends on: all that does I/O, waits, logs, or has a clock or dice.
const NEVER_IN_CORE: [&str; 16] = [
    "fastrand",
    "futures-util",
    "hyper",
    "hyper-util",
    "prometheus-client",
    "rand",
    "rdkafka",
    "reqwest",
    "rusqlite",
    "rustix",
    "rustls",
    "tempfile",
    "tokio",
    "tokio-util",
    "tracing",
    "tracing-subscriber",
];

/// Nor does what says how the program stands, but for the log.
const NEVER_IN_STATUS: [&str; 7] =
    ["hyper", "rdkafka", "reqwest", "rusqlite", "rustix", "tokio", "tokio-util"];

/// What Cargo makes of the Cargo.toml files.
fn packages() -> Vec<Value> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let answer = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"])
        .current_dir(project())
        .output()
        .unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let metadata: Value = serde_json::from_slice(&answer.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// The members of the workspace: name, folder, and the names of what is built in.
fn members() -> Vec<(String, PathBuf, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let member = |package: &Value| {
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let built_in = package["dependencies"].as_array().unwrap().iter();
        let built_in = built_in.filter(|of| of["kind"] != "dev").map(|of| text(&of["name"]));
        (text(&package["name"]), manifest.parent().unwrap().to_owned(), built_in.collect())
    };
    packages().iter().map(member).collect()
}

/// Samples and simulated brokers are features of our crates, for tests. Only dev-dependencies ask for
/// them, and no feature of a crate brings those of another.
#[test]
fn nothing_that_is_for_tests_is_built_in() {
    for package in packages() {
        let name = &package["name"];
        for of in package["dependencies"].as_array().unwrap() {
            let is_ours = of["name"].as_str().unwrap().starts_with("cw-");
            let is_plain = of["features"].as_array().unwrap().is_empty();
            assert!(!is_ours || is_plain || of["kind"] == "dev", "{name}: {of}");
        }
        let features = package["features"].to_string();
        assert!(!features.contains("cw-"), "{name}: {features}");
    }
}

#[test]
fn a_crate_depends_on_those_below_it_and_no_other() {
    let members = members();
    assert_eq!(members.len(), HOUSE.len(), "a member of the workspace has no place in the house");
    let mut below = BTreeSet::new();
    for of in &HOUSE {
        let (_, folder, built_in) = members.iter().find(|(name, ..)| name == of.name).unwrap();
        let code = if folder == project() { "src".into() } else { folder.clone() };
        assert_eq!(project().join(code), project().join(of.folder), "{}", of.name);
        let ours = built_in.iter().map(String::as_str).filter(|name| name.starts_with("cw-"));
        let ours: BTreeSet<&str> = ours.collect();
        assert_eq!(ours, of.knows.iter().copied().collect(), "what {} depends on", of.name);
        assert!(ours.is_subset(&below), "{} depends on what is not below it", of.name);
        below.insert(of.name);
    }
}

#[test]
fn a_core_crate_depends_on_nothing_that_reads_writes_waits_or_logs() {
    for (name, _, built_in) in members() {
        let of = HOUSE.iter().find(|of| of.name == name).unwrap();
        let never: &[&str] = match of.name {
            _ if of.is_core => &NEVER_IN_CORE,
            "cw-status" => &NEVER_IN_STATUS,
            _ => &[],
        };
        let broken: Vec<_> = built_in.iter().filter(|it| never.contains(&it.as_str())).collect();
        assert!(broken.is_empty(), "{name} depends on {broken:?}");
    }
}

/// The crate whose code a file is, and its path in there.
fn place(name: &str) -> (&'static Crate, String) {
    let path = format!("src/{name}");
    let holds = |of: &&Crate| path.starts_with(&format!("{}/", of.folder));
    let of = HOUSE.iter().filter(holds).max_by_key(|of| of.folder.len()).unwrap();
    (of, path[of.folder.len() + 1..].to_owned())
}

#[test]
fn a_module_names_only_modules_before_it() {
    let sources = sources();
    for of in &HOUSE {
        let code = |file: &Source| {
            let (found, path) = place(&file.name);
            (found.name == of.name).then(|| (path, file.code()))
        };
        let files: Vec<(String, String)> = sources.iter().filter_map(code).collect();
        // A build script is a program of its own.
        let is_root = |path: &str| ["lib.rs", "main.rs", "build.rs"].contains(&path);
        let root = files.iter().find(|(path, _)| path == "lib.rs").unwrap();
        let exports = exports(&root.1);
        let found: BTreeSet<&str> =
            files.iter().filter(|(path, _)| !is_root(path)).map(|(path, _)| module(path)).collect();
        assert_eq!(found, of.modules.iter().copied().collect(), "the modules of {}", of.name);
        let height = |module: &str| of.modules.iter().position(|it| *it == module);
        for (path, code) in files.iter().filter(|(path, _)| !is_root(path)) {
            let own = module(path);
            for name in named(path, code) {
                let other = exports.iter().find(|(item, _)| *item == name);
                let other = other.map_or(name.as_str(), |(_, module)| module);
                assert!(
                    other == own || height(other) < height(own) && height(other).is_some(),
                    "{}: {path} names \"{name}\", which is not before {own}",
                    of.name
                );
            }
        }
    }
}

/// In each folder of modules, the modules form no circle: none names one that names it back, directly or
/// by others. What a folder's own file defines counts as nobody's.
#[test]
fn no_folder_has_a_circle() {
    let sources = sources();
    let mut edges: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for file in &sources {
        let (of, path) = place(&file.name);
        let own = module_path(&path);
        let code = file.code();
        for target in (0..own.len()).flat_map(|depth| targets(&own, depth, &code)) {
            let shared = own.iter().zip(&target).take_while(|(own, other)| own == other).count();
            if let (Some(from), Some(to)) = (own.get(shared), target.get(shared)) {
                let folder = format!("{}/{}", of.folder, own[..shared].join("/"));
                edges.entry(folder).or_default().insert((from.clone(), to.clone()));
            }
        }
    }
    assert!(edges.len() > 20, "paths are not found any more: {edges:?}");
    for (folder, mut edges) in edges {
        // Whoever names nobody that is left stands in no circle.
        while let Some(free) =
            edges.iter().map(|(_, to)| to).find(|to| edges.iter().all(|(from, _)| from != *to))
        {
            let free = free.clone();
            edges.retain(|(_, to)| *to != free);
        }
        assert!(edges.is_empty(), "a circle in {folder}: {edges:?}");
    }
}

/// Type names that two files of one crate give to others, with why that is no trouble. It only gets shorter.
const NAMED_TWICE: [(&str, &str); 15] = [
    // The two machines say in the same words what happened, what is to be done, and what is logged.
    ("cw-decide", "Event"),
    ("cw-decide", "Effect"),
    ("cw-decide", "Notice"),
    // What a poll says of a feed's pace, and of its host: never in one file.
    ("cw-decide", "Heard"),
    ("cw-decide", "Next"),
    // The one is a simulated broker's.
    ("cw-decide", "Refused"),
    ("cw-model", "Claim"),
    ("cw-text", "Token"),
    ("cw-code", "Cue"),
    ("cw-code", "Form"),
    ("cw-code", "Spelling"),
    ("conflictwire", "Gate"),
    ("conflictwire", "Reply"),
    ("conflictwire", "Rows"),
    ("conflictwire", "Wanted"),
];

/// A type that other files can name has a name of its own in its crate. What `top` reads of `/api` is named as it is
/// there.
#[test]
fn no_type_name_has_two_meanings() {
    let mut homes: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
    // With a feature and without it, the same.
    let other_forms = ["cli/top/answers.rs", "traces/off.rs"];
    for file in sources().iter().filter(|file| !other_forms.contains(&file.name.as_str())) {
        let (of, path) = place(&file.name);
        for name in shown_types(&file.code()) {
            homes.entry((of.name, name)).or_default().push(path.clone());
        }
    }
    assert!(homes.len() > 400, "types are not found any more: {}", homes.len());
    homes.retain(|_, files| files.len() > 1);
    let allowed: BTreeSet<(&str, &str)> = NAMED_TWICE.into_iter().collect();
    let found: BTreeSet<(&str, &str)> =
        homes.keys().map(|(of, name)| (*of, name.as_str())).collect();
    let new: Vec<_> =
        homes.iter().filter(|((of, name), _)| !allowed.contains(&(*of, name.as_str()))).collect();
    assert!(new.is_empty(), "name one of each otherwise: {new:#?}");
    let over: Vec<_> = allowed.difference(&found).collect();
    assert!(over.is_empty(), "these are told apart now, take them out of the list: {over:?}");
}

/// The types of a file that others can name.
fn shown_types(code: &str) -> Vec<String> {
    let of_line = |line: &str| {
        let line = line.strip_prefix("pub")?;
        let item = if line.starts_with('(') { line.split_once(") ")?.1 } else { line.trim_start() };
        let (kind, rest) = item.split_once(' ')?;
        let is_type = ["struct", "enum", "trait", "type"].contains(&kind);
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        is_type.then(|| rest[..end].to_owned())
    };
    code.lines().filter_map(of_line).collect()
}

#[test]
fn types_that_others_can_name_are_found() {
    let code = "pub struct A;\npub(super) enum B<T> {\n    pub type C = u8;\nstruct D;\npub(crate) type E = u8;\n\
                pub fn f() {}\npub trait G: H {}";
    assert_eq!(shown_types(code), ["A", "B", "E", "G"]);
}

/// The modules that a file lies in, its own last; none for the root of a crate.
fn module_path(path: &str) -> Vec<String> {
    let modules = path.trim_end_matches(".rs").split('/').map(str::to_owned);
    modules.filter(|module| !["mod", "lib", "main"].contains(&module.as_str())).collect()
}

/// What a file names by a path from the module `depth` levels below the root: first steps of the way.
fn targets(own: &[String], depth: usize, code: &str) -> Vec<Vec<String>> {
    let up = "super::".repeat(own.len() - depth);
    let mut targets = names_after(&up, code);
    if depth == 0 {
        targets.extend(names_after("crate::", code));
    } else {
        // The same by the way from the root.
        targets.extend(names_after(&format!("crate::{}::", own[..depth].join("::")), code));
    }
    let below = |name: String| own[..depth].iter().cloned().chain([name]).collect();
    targets.into_iter().map(below).collect()
}

/// The module of a crate that a file belongs to.
fn module(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

/// What the root of a crate shows of its modules: item, module.
fn exports(root: &str) -> Vec<(String, String)> {
    let mut exports = Vec::new();
    for shown in root.split("pub use ").skip(1) {
        let shown = shown.split(';').next().unwrap().trim_start_matches("self::");
        let (module, items) = shown.split_once("::").unwrap();
        let items = items.trim_matches(['{', '}']).split(',').map(str::trim);
        let items = items.filter(|item| !item.is_empty());
        exports.extend(items.map(|item| (item.to_owned(), module.to_owned())));
    }
    exports
}

/// The names that a file takes from the root of its crate: after `crate::`, or after as many `super::`
/// as lead there.
fn named(path: &str, code: &str) -> BTreeSet<String> {
    let depth = path.split('/').count() - usize::from(path.ends_with("/mod.rs"));
    let mut names = names_after("crate::", code);
    names.extend(names_after(&"super::".repeat(depth), code));
    names
}

/// The names that stand after a path, or in the list that does.
fn names_after(path: &str, code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(path) {
        let is_part = |c: char| c.is_alphanumeric() || "_:$".contains(c);
        let rest = &code[at + path.len()..];
        if code[..at].ends_with(is_part) || rest.starts_with("super::") {
            continue;
        }
        let word = |text: &str| {
            let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*');
            text[..end.unwrap_or(text.len())].to_owned()
        };
        match rest.strip_prefix('{') {
            Some(list) => names.extend(items(list).into_iter().map(word)),
            None => {
                names.insert(word(rest));
            }
        }
    }
    names
}

/// The items of a list in braces, without those inside inner braces.
fn items(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0_i32, 0, Vec::new());
    for (at, c) in list.char_indices() {
        let ends = depth == 0 && matches!(c, ',' | '}');
        if ends {
            items.push(list[start..at].trim());
            start = at + 1;
        }
        if ends && c == '}' {
            break;
        }
        depth += i32::from(c == '{') - i32::from(c == '}');
    }
    items.into_iter().filter(|item| !item.is_empty()).collect()
}

#[test]
fn a_path_to_the_root_is_found_however_it_is_written() {
    #[track_caller]
    fn check(path: &str, code: &str, names: &[&str]) {
        let names: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(named(path, code), names, "{path}: {code}");
    }
    check("a.rs", "use crate::b::C; fn f() { crate::d::g() }", &["b", "d"]);
    check("a.rs", "use super::{b::{C, D}, e, F as G};", &["b", "e", "F"]);
    check("a/mod.rs", "use super::b::C; use self::d::E;", &["b"]);
    check("a/b.rs", "use super::c; use super::super::{d, e};", &["d", "e"]);
    check("a/b/mod.rs", "super::super::f(); other_crate::g::h(); $crate::m!()", &["f"]);
    check("a.rs", "use super::*;", &["*"]);
    assert_eq!(
        exports("pub use b::C;\npub use d::{\n    E,\n    F,\n};"),
        [("C", "b"), ("E", "d"), ("F", "d")].map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
    assert_eq!(place("model/state/mod.rs").1, "state/mod.rs");
    assert_eq!(place("cli/mod.rs").1, "cli/mod.rs");
    let (of, path) = place("decide/lane/mod.rs");
    assert_eq!((of.name, path.as_str()), ("cw-decide", "lane/mod.rs"));
}
