//! SECURITY.md names the test beside each threat, and where each limit stands: they are there.

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
