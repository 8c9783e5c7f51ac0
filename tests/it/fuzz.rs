//! Every fuzz target over seeds changed at random, always the same ones: a short pass. `make fuzz` goes
//! on for as long as asked, and looks for inputs that reach more of the code.

use std::fmt::Write as _;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use conflictwire::fuzz::TARGETS;

use crate::constructions::documents::ENTRIES;
use crate::constructions::texts::TEXTS;
use crate::support::project;

/// How many inputs each target gets. Unoptimised, some seconds.
const INPUTS: u64 = 12_000;

/// The longest seed, bytes: what is short is read often.
const SEED_BYTES_MAX: usize = 4000;

/// What changes most in few bytes.
const TOKENS: &[&str] = &[
    "<item>",
    "</item>",
    "<item/>",
    "<entry>",
    "</entry>",
    "<title>",
    "</title>",
    "<link>",
    "<link href=\"",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<![",
    "<!DOCTYPE r [",
    "<!ENTITY a \"b\">",
    "<?xml version=\"1.0\"?>",
    "<?",
    "?>",
    "&",
    "&#0;",
    "&#x202e;",
    "&amp;",
    "&lt;b&gt;",
    "&nbsp;",
    "&bogus;",
    " xml:base=\"../\"",
    " xmlns:a=\"b\"",
    " xml:lang=\"en\"",
    "a:",
    "\"",
    "'",
    "<",
    ">",
    "/",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "1e999",
    "-1",
    "\\u0000",
    "\\ud800",
    "\u{0}",
    "\u{7}",
    "\u{202e}",
    "\u{feff}",
    "\u{fffd}",
    "\n",
    "\r\n",
    "\t",
    "  ",
    "Tue, 31 Feb 2026 25:61:61 +2500",
    "2026-03-01T12:00:00Z",
    "12 killed",
    "one hundred and ",
    "at least ",
    "killed",
    "ceasefire",
    ".",
    "!",
    "-",
    "999999999999999999999",
    "<outline xmlUrl=\"https://a.example/\"/>",
    "<outline text=\"a\">",
    "</outline>",
    "https://",
    "http://[",
    "%00",
    "//",
    "?",
    "#",
    "<base href=\"x:\">",
    "<table><tr><td>",
    "<script>",
    "<style>",
    "<pre>",
];

/// One way to change an input.
fn change(input: &mut Vec<u8>, other: &[u8], dice: &mut fastrand::Rng) {
    let at = dice.usize(..=input.len());
    let to = at + dice.usize(..=(input.len() - at).min(40));
    match dice.u8(..8) {
        0 => drop(input.drain(at..to)),
        1 => {
            let piece = input[at..to].to_vec();
            let times = dice.usize(1..20);
            drop(input.splice(at..at, piece.repeat(times)));
        }
        2 => input.truncate(at),
        3 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = dice.u8(..);
            }
        }
        4 => {
            let from = dice.usize(..=other.len());
            let until = from + dice.usize(..=(other.len() - from).min(200));
            drop(input.splice(at..to, other[from..until].iter().copied()));
        }
        _ => {
            let token = TOKENS[dice.usize(..TOKENS.len())].repeat(dice.usize(1..4));
            drop(input.splice(at..to, token.into_bytes()));
        }
    }
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// The fixtures, the seeds of `make fuzz` and what is made to be costly, all of them short.
fn seeds() -> Vec<Vec<u8>> {
    let mut files = files_of(&project().join("tests/fixtures/feeds"));
    for (name, _) in TARGETS {
        files.extend(files_of(&project().join("tests/fuzz/seeds").join(name)));
    }
    let files = files.iter().map(|path| std::fs::read(path).unwrap());
    let made = TEXTS.iter().chain(ENTRIES).map(|(_, make)| make(300).into_bytes());
    let mut seeds: Vec<_> = files.chain(made).collect();
    for seed in &mut seeds {
        seed.truncate(SEED_BYTES_MAX);
    }
    seeds
}

/// Runs a target over an input; what it panicked with is on standard error.
fn holds(target: fn(&[u8]), input: &[u8]) -> bool {
    catch_unwind(|| target(input)).is_ok()
}

/// Where what was found in one run is put, to be looked at and kept.
fn keep(name: &str, number: u64, input: &[u8]) -> PathBuf {
    let folder = project().join("target/fuzz-found").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(number.to_string());
    std::fs::write(&path, input).unwrap();
    path
}

#[test]
fn whatever_is_read_breaks_no_promise() {
    let seeds = seeds();
    assert!(seeds.len() > 40, "{} seeds", seeds.len());
    let mut found = String::new();
    for (name, target) in TARGETS {
        for number in 0..INPUTS {
            let mut dice = fastrand::Rng::with_seed(number);
            let mut input = seeds[dice.usize(..seeds.len())].clone();
            let other = &seeds[dice.usize(..seeds.len())];
            for _ in 0..dice.usize(..6) {
                change(&mut input, other, &mut dice);
            }
            if !holds(*target, &input) {
                let path = keep(name, number, &input);
                writeln!(found, "{name}: {}", path.display()).unwrap();
                break;
            }
        }
    }
    assert!(found.is_empty(), "mend it, and keep the input in tests/fuzz/found/:\n{found}");
}

#[test]
fn what_was_found_once_is_not_found_again() {
    let mut found = String::new();
    for (name, target) in TARGETS {
        for path in files_of(&project().join("tests/fuzz/found").join(name)) {
            if !holds(*target, &std::fs::read(&path).unwrap()) {
                writeln!(found, "{name}: {}", path.display()).unwrap();
            }
        }
    }
    assert!(found.is_empty(), "{found}");
}
