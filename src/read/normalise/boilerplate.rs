//! Leaves out the lines that systems for publishing add to a text: "read also", "appeared first on", `null`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::beginnings::Beginnings;

/// The longest line that leads elsewhere, characters: a sentence of the article may begin with the same words.
const LINE_CHARS_MAX: usize = 220;

/// What ends a sentence, and hardly a headline.
const SENTENCE_ENDS: [char; 7] = ['.', '。', '।', '۔', '။', '።', '…'];

/// No text that is none is longer, characters.
const NOTHING_CHARS_MAX: usize = 20;

/// No beginning is longer.
const BEGIN_CHARS_MAX: usize = 40;

static LINES: LazyLock<Lines> =
    LazyLock::new(|| toml::from_str(include_str!("boilerplate.toml")).unwrap_or_default());

/// Beginnings by their first character.
static BEGINS: LazyLock<HashMap<char, Vec<&str>>> = LazyLock::new(|| {
    let mut begins: HashMap<char, Vec<&str>> = HashMap::new();
    for begin in &LINES.begins {
        begins.entry(begin.chars().next().unwrap_or_default()).or_default().push(begin);
    }
    begins
});

/// What stands above a list of other articles, all of it.
static HEADINGS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let begins =
        LINES.begins.iter().map(|begin| begin.trim_end_matches(|c: char| !c.is_alphanumeric()));
    LINES.headings.iter().map(String::as_str).chain(begins).collect()
});

/// How many bytes of what names a site are looked at first; none of it is shorter.
const HOLDS_BYTES: usize = 4;

/// What names a site, and where it may begin.
struct Holds {
    beginnings: Beginnings<HOLDS_BYTES>,
    /// How a last paragraph begins, and what it holds.
    all: Vec<(&'static str, &'static str)>,
}

static HOLDS: LazyLock<Holds> = LazyLock::new(|| {
    let own = |held: &'static String| held.split_once(" … ").unwrap_or(("", held));
    let all: Vec<_> = LINES.holds.iter().map(own).collect();
    Holds { beginnings: Beginnings::of(all.iter().map(|(_, part)| *part)), all }
});

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    /// Beginnings of lines that lead elsewhere.
    begins: Vec<String>,
    /// Parts of a last paragraph that names the site; " … " between how it begins and what it holds.
    holds: Vec<String>,
    /// Whole paragraphs that are a button's words.
    buttons: Vec<String>,
    /// Whole paragraphs above a list of other articles.
    headings: Vec<String>,
    /// Whole texts that are none.
    nothing: Vec<String>,
}

/// The text of an article without such lines; `None` if nothing is left.
pub(crate) fn without(text: String) -> Option<String> {
    if is_nothing(&text) {
        return None;
    }
    let paragraphs: Vec<&str> = text.split("\n\n").collect();
    let last = paragraphs.len().saturating_sub(1);
    let end = own_paragraphs(&paragraphs);
    let is_kept = |(place, paragraph): &(usize, &str)| {
        *place < end && !(leads_elsewhere(paragraph) || (*place == last && names_site(paragraph)))
    };
    let kept: Vec<&str> =
        paragraphs.iter().copied().enumerate().filter(is_kept).map(|(_, own)| own).collect();
    if kept.len() == paragraphs.len() {
        return Some(text);
    }
    (!kept.is_empty()).then(|| kept.join("\n\n"))
}

/// How many paragraphs there are before a heading of other articles with nothing but their headlines behind it.
fn own_paragraphs(paragraphs: &[&str]) -> usize {
    let is_headlines = |paragraph: &&str| {
        let is_sentence = |line: &str| {
            line.trim_end_matches(['"', '”', '»', ')', '’', '」']).ends_with(SENTENCE_ENDS)
        };
        let is_headline = |line: &str| is_short(line) && !is_sentence(line);
        paragraph.lines().all(is_headline)
    };
    let tail = paragraphs.iter().rev().take_while(|paragraph| is_headlines(paragraph)).count();
    let from = paragraphs.len() - tail;
    let heading = paragraphs.iter().skip(from).position(|paragraph| is_heading(paragraph));
    // An article is not all of it.
    heading.map(|at| from + at).filter(|at| *at > 0).unwrap_or(paragraphs.len())
}

/// A paragraph of which all is the heading, or the beginning of a line that leads elsewhere.
fn is_heading(paragraph: &str) -> bool {
    if paragraph.chars().nth(BEGIN_CHARS_MAX).is_some() {
        return false;
    }
    let words = paragraph.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    HEADINGS.contains(words.as_str())
}

/// Whether a text is what templates print where there is none.
pub(super) fn is_nothing(text: &str) -> bool {
    let text = text.trim();
    // In lower case a text has no fewer characters.
    text.chars().nth(NOTHING_CHARS_MAX).is_none() && LINES.nothing.contains(&text.to_lowercase())
}

fn is_short(paragraph: &str) -> bool {
    paragraph.chars().nth(LINE_CHARS_MAX).is_none()
}

fn leads_elsewhere(paragraph: &str) -> bool {
    let has_one = || {
        let text = paragraph.trim_start_matches(|c: char| !c.is_alphanumeric());
        let first = text.chars().next().and_then(|c| c.to_lowercase().next());
        let Some(begins) = first.and_then(|first| BEGINS.get(&first)) else { return false };
        let lower: String =
            text.chars().take(BEGIN_CHARS_MAX).flat_map(char::to_lowercase).collect();
        begins.iter().any(|begin| lower.starts_with(begin))
    };
    is_short(paragraph) && (has_one() || is_button(paragraph))
}

fn is_button(paragraph: &str) -> bool {
    // The longest of them has three words.
    if paragraph.chars().nth(BEGIN_CHARS_MAX).is_some() {
        return false;
    }
    let words = paragraph.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    LINES.buttons.contains(&words)
}

fn names_site(paragraph: &str) -> bool {
    let has_one = || {
        let lower = paragraph.to_lowercase();
        let Holds { beginnings, all } = &*HOLDS;
        beginnings.places(&lower).any(|at| {
            let here = lower.get(at..).unwrap_or_default();
            all.iter().any(|(begin, part)| here.starts_with(part) && lower.starts_with(begin))
        })
    };
    paragraph.chars().nth(2 * LINE_CHARS_MAX).is_none() && has_one()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, kept: Option<&str>) {
        assert_eq!(without(text.to_owned()).as_deref(), kept, "{text}");
    }

    #[test]
    fn the_file_is_read() {
        let lines: Lines = toml::from_str(include_str!("boilerplate.toml")).unwrap();
        assert!(lines.begins.iter().all(|begin| begin.chars().count() <= BEGIN_CHARS_MAX));
        assert!(lines.nothing.iter().all(|own| own.chars().count() <= NOTHING_CHARS_MAX));
        assert!(HOLDS.all.iter().all(|(_, part)| part.len() >= HOLDS_BYTES));
        for list in [&lines.begins, &lines.holds, &lines.nothing, &lines.buttons, &lines.headings] {
            assert!(list.iter().all(|own| *own == own.to_lowercase()), "{list:?}");
        }
    }

    #[test]
    fn lines_that_lead_elsewhere_are_left_out() {
        check(
            "A town was hit.\n\nRead also: Nine dead elsewhere\n\nMore was said.",
            Some("A town was hit.\n\nMore was said."),
        );
        check("Город обстрелян.\n\nЧитайте также: Девять погибших", Some("Город обстрелян."));
        check("→ Continue reading", None);
        check("A town was hit.\n\nRead More »", Some("A town was hit."));
    }

    #[test]
    fn headlines_under_a_heading_of_others_are_left_out() {
        check(
            "A town was hit.\n\nRelated posts\n\nNine dead elsewhere\nA bridge fell",
            Some("A town was hit."),
        );
        check("Город обстрелян.\n\nЧитайте также:\n\nДевять погибших", Some("Город обстрелян."));
        let article = "A town was hit.\n\nLatest news\n\nNine are dead, the mayor said.";
        check(article, Some(article));
        let digest = "Most read\n\nNine dead elsewhere";
        check(digest, Some(digest));
    }

    #[test]
    fn the_site_is_named_at_the_end_only() {
        check(
            "A town was hit.\n\nThe post A town appeared first on Desk.",
            Some("A town was hit."),
        );
        check("城市遭袭。\n\n这篇文章 城市 最先出现在 Desk。", Some("城市遭袭。"));
        let virus = "病毒最先出现在一座城市。";
        check(virus, Some(virus));
        let middle = "The claim appeared first on Telegram.\n\nThe army denied it.";
        check(middle, Some(middle));
    }

    #[test]
    fn each_line_that_names_a_site_is_found_wherever_it_stands() {
        for (begin, part) in &HOLDS.all {
            for paragraph in [format!("{begin}{part}"), format!("{begin} x {part} y")] {
                assert!(names_site(&paragraph), "{paragraph}");
                assert_eq!(names_site(&format!("x{paragraph}")), begin.is_empty(), "{paragraph}");
            }
        }
    }

    #[test]
    fn what_templates_print_for_nothing_is_nothing() {
        check("null", None);
        check("[object Object]", None);
        check("None of the convoys arrived.", Some("None of the convoys arrived."));
    }

    #[test]
    fn a_long_sentence_with_the_same_beginning_stays() {
        let long = format!("Read more about the siege {}", "and its people ".repeat(20));
        check(&long, Some(&long));
    }
}
