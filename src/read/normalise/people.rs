//! Names of authors, apart: `Jane Doe and John Roe` are two.

use std::collections::HashSet;

use super::LIST_MAX;

/// What stands between two names on one line.
const BETWEEN: [&str; 14] = [
    " and ", " & ", "; ", " / ", " und ", " et ", " y ", " e ", " и ", " та ", " і ", " و ",
    " ve ", " dan ",
];

/// Words of names of organisations.
const ORGANISATIONS: [&str; 32] = [
    "Agency",
    "Association",
    "Bureau",
    "Center",
    "Centre",
    "Commission",
    "Committee",
    "Council",
    "Crescent",
    "Cross",
    "Data",
    "Department",
    "Desk",
    "Federation",
    "Foundation",
    "Fund",
    "Group",
    "Institute",
    "Media",
    "Ministry",
    "Movement",
    "News",
    "Office",
    "Press",
    "Program",
    "Programme",
    "Project",
    "Service",
    "Society",
    "Team",
    "University",
    "گروه",
];

/// The most words of a name of a person.
const NAME_WORDS_MAX: usize = 4;

/// Each author once, whatever the case. A line is taken apart only if all its parts look like names of people: two words
/// or more, each with a capital letter where the script has them.
pub(super) fn apart(lines: Vec<String>) -> Vec<String> {
    let mut people: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    for line in lines {
        let names = names(&line).filter(|names| people.len() + names.len() <= LIST_MAX);
        for name in names.unwrap_or_else(|| vec![line.clone()]) {
            if known.insert(name.to_lowercase()) {
                people.push(name);
            }
        }
    }
    people
}

fn names(line: &str) -> Option<Vec<String>> {
    let mut parts = vec![line];
    for between in BETWEEN {
        parts = parts.into_iter().flat_map(|part| part.split(between)).collect();
    }
    if parts.len() < 2 {
        return None;
    }
    if line.split_whitespace().any(|word| ORGANISATIONS.contains(&word.trim_end_matches(','))) {
        return None;
    }
    // A comma alone may stand before a place or a newspaper, and in lists of surnames before the other names.
    let comma = if line.contains("; ") { "; " } else { ", " };
    let parts: Vec<&str> = parts.into_iter().flat_map(|part| part.split(comma)).collect();
    parts
        .iter()
        .all(|part| is_name(part))
        .then(|| parts.iter().map(|part| part.trim().to_owned()).collect())
}

fn is_name(part: &str) -> bool {
    let words: Vec<&str> = part.split_whitespace().collect();
    let is_proper = |word: &&str| {
        word.chars().next().is_some_and(|c| c.is_alphabetic() && !c.is_lowercase())
            && !word.contains(|c: char| c.is_numeric())
    };
    (2..=NAME_WORDS_MAX).contains(&words.len()) && words.iter().all(is_proper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], people: &[&str]) {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(apart(lines), people);
    }

    #[test]
    fn names_on_one_line_are_taken_apart() {
        check(&["Jane Doe and John Roe"], &["Jane Doe", "John Roe"]);
        check(&["Jane Doe, Ann Poe & John Roe"], &["Jane Doe", "Ann Poe", "John Roe"]);
        check(&["Jane Doe; John Roe"], &["Jane Doe", "John Roe"]);
        check(&["Олена Гриб та Іван Петренко"], &["Олена Гриб", "Іван Петренко"]);
        check(&["أحمد علي و محمد حسن"], &["أحمد علي", "محمد حسن"]);
    }

    #[test]
    fn what_may_be_one_stays_one() {
        for line in [
            "Jane & Co",
            "Armed Conflict Location & Event Data Project",
            "Doe, Jane",
            "Jane Doe, Kyiv Post",
            "Staff and agencies",
            "Jane Doe",
        ] {
            check(&[line], &[line]);
        }
    }

    #[test]
    fn an_author_is_named_once() {
        check(&["Jane Doe", "JANE DOE", "Jane Doe and John Roe"], &["Jane Doe", "John Roe"]);
    }
}
