//! SECURITY.md names the test beside each threat, and where each limit stands: they are there, and the
//! limits are as large as it says.

use std::collections::BTreeSet;

use crate::support::{files_below, project};

/// The texts between backticks.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

/// Whether a file has a test of this name.
fn has_test(file: &str, name: &str) -> bool {
    let text = std::fs::read_to_string(project().join(file)).unwrap_or_default();
    let (head, rest) = match text.split_once(&format!("fn {name}()")) {
        Some(parts) => parts,
        None => return false,
    };
    let attributes = head.rsplit("\n\n").next().unwrap_or_default();
    !rest.is_empty() && (attributes.contains("#[test]") || attributes.contains("::test"))
}

#[test]
fn every_threat_has_a_test_that_is_there() {
    let document = std::fs::read_to_string(project().join("SECURITY.md")).unwrap();
    let named = quoted(&document).into_iter().filter_map(|word| word.split_once(".rs::"));
    let named: Vec<(String, &str)> =
        named.map(|(file, name)| (format!("{file}.rs"), name)).collect();
    assert!(!named.is_empty());
    let missing: Vec<_> = named.into_iter().filter(|(file, name)| !has_test(file, name)).collect();
    assert!(missing.is_empty(), "SECURITY.md names tests that are not there: {missing:#?}");
    // A threat is a row of three cells; those of whom we trust say so in their second.
    let threats = document.split("\n## Threats").nth(1).unwrap();
    for row in threats.lines().filter(|line| line.starts_with("| ")) {
        let proof = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let is_head = ["test", "proof"].contains(&proof);
        assert!(is_head || proof.contains('`'), "no proof: {row}");
    }
}

#[test]
fn every_limit_is_there() {
    let document = std::fs::read_to_string(project().join("SECURITY.md")).unwrap();
    let sources: String = files_below("src", "rs")
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let is_constant = |word: &&str| {
        word.contains('_') && word.chars().all(|char| char.is_ascii_uppercase() || char == '_')
    };
    let constants = quoted(&document).into_iter().filter(is_constant);
    let missing: Vec<_> =
        constants.filter(|name| !sources.contains(&format!("const {name}:"))).collect();
    assert!(missing.is_empty(), "SECURITY.md names constants that are not there: {missing:?}");

    let full = std::fs::read_to_string(project().join("config/conflictwire.toml")).unwrap();
    let full: toml::Table = full.parse().unwrap();
    let missing: Vec<_> = quoted(&document)
        .into_iter()
        .filter_map(|word| word.split_once('.'))
        .filter_map(|(table, key)| Some((full.get(table)?.as_table()?, table, key)))
        .filter(|(keys, _, key)| !keys.contains_key(*key))
        .map(|(_, table, key)| format!("{table}.{key}"))
        .collect();
    assert!(missing.is_empty(), "SECURITY.md names keys that are not there: {missing:?}");
}

/// What an expression of numbers comes to: `64 << 20`, `16 * 1024`, `Duration::from_secs(5)`.
fn value(expression: &str) -> Option<u64> {
    let inner =
        expression.strip_prefix("Duration::from_secs(").and_then(|rest| rest.strip_suffix(')'));
    let expression = inner.unwrap_or(expression);
    if let Some((number, bits)) = expression.split_once("<<") {
        return value(number)?.checked_shl(value(bits)?.try_into().ok()?);
    }
    let factors = expression.split('*').map(|factor| factor.trim().replace('_', "").parse::<u64>());
    factors.map(Result::ok).product()
}

/// The number that a text begins with, with its unit of bytes if it has one: "64 KiB", "100,000".
fn begins_with(text: &str) -> Option<u64> {
    let mut words = text.split([' ', ';', '|']);
    let number = words.next()?.trim_end_matches([',', ')']).replace(',', "").parse::<u64>().ok()?;
    let unit = match words.next().unwrap_or_default().trim_end_matches([',', ')']) {
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        _ => 1,
    };
    Some(number * unit)
}

#[test]
fn every_limit_is_as_large_as_it_says() {
    let document = std::fs::read_to_string(project().join("SECURITY.md")).unwrap();
    let sources: Vec<String> = files_below("src", "rs")
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let full = std::fs::read_to_string(project().join("config/conflictwire.toml")).unwrap();
    let mut wrong = Vec::new();
    let mut checked = 0;
    let parts: Vec<&str> = document.lines().flat_map(|line| line.split('`')).collect();
    for pair in parts.windows(2) {
        let (name, after) = (pair[0], pair[1].trim_start_matches([' ', '(']));
        let Some(said) = begins_with(after) else { continue };
        let lines = sources.iter().flat_map(|source| source.lines());
        let starts = format!("const {name}: ");
        let there: Vec<u64> = lines
            .filter_map(|line| line.split_once(starts.as_str())?.1.split_once(" = "))
            .filter_map(|(_type, expression)| value(expression.trim_end_matches(';')))
            .collect();
        if there.is_empty() {
            continue;
        }
        checked += 1;
        if !there.contains(&said) {
            wrong.push(format!("{name}: {said} is said, {there:?} is there"));
        }
    }
    assert!(wrong.is_empty(), "SECURITY.md says other limits than the code has: {wrong:#?}");
    assert!(checked > 10, "only {checked} limits were found with their numbers");
    // The one key whose default it repeats.
    assert!(document.contains("`fetch.body_limit` (16 MiB)"));
    assert!(full.contains("body_limit = \"16MiB\""), "the default of fetch.body_limit is another");
}
