//! How often the language of a text is told, without any hint: `cargo bench -p cw-text --bench language -- FILE...`.
//!
//! A file has a JSON object a line with `lang` (BCP 47, the first subtag counts), `title` and `text`; either may be
//! empty. Prints Markdown: for each language headlines alone, headlines with their texts, and texts alone, which are
//! teasers and single sentences; told, of how many, and how many were told wrongly. What is not told is left open, not
//! guessed. With `--wrong`, what was told wrongly as well.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::BTreeMap;

use cw_text::language::{Hints, beginning, language};

/// Rows of these are right as the other: a text alone does not tell them apart.
const TOLD_AS: [(&str, &str); 1] = [("prs", "fa")];

/// Of one language: told, told wrongly, all.
#[derive(Default)]
struct Tally {
    told: u32,
    wrong: u32,
    all: u32,
}

impl Tally {
    /// Counts a text; what it was told as, if that is wrong.
    fn add(&mut self, expected: &str, text: &str) -> Option<String> {
        let hints = Hints { declared: [None; 3], shown: None };
        self.all += 1;
        let found = language(&hints, text)?;
        let primary = found.split('-').next();
        let is_right = primary == Some(expected)
            || primary.is_some_and(|it| TOLD_AS.contains(&(expected, it)));
        *if is_right { &mut self.told } else { &mut self.wrong } += 1;
        (!is_right).then_some(found)
    }

    fn cell(&self) -> String {
        match self.all {
            0 => "-".to_owned(),
            all => format!("{} % of {all}, {} wrong", 100 * self.told / all, self.wrong),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let shows_wrong = std::env::args().any(|argument| argument == "--wrong");
    if files.is_empty() {
        println!("nothing measured: name a file");
        return Ok(());
    }
    let mut languages: BTreeMap<String, [Tally; 3]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in files {
        for line in std::fs::read_to_string(file)?.lines() {
            let row: serde_json::Value = serde_json::from_str(line)?;
            let field =
                |name: &str| row.get(name).and_then(|value| value.as_str()).unwrap_or_default();
            let (title, text) = (field("title"), beginning(field("text")));
            let expected = field("lang").split('-').next().unwrap_or_default();
            let [headlines, whole, alone] = languages.entry(expected.to_owned()).or_default();
            let both = format!("{title}\n{text}");
            for (tally, sample, is_there) in [
                (headlines, title, !title.is_empty()),
                (whole, &both, !title.is_empty() && !text.is_empty()),
                (alone, text, !text.is_empty()),
            ] {
                let found = if is_there { tally.add(expected, sample) } else { None };
                wrong.extend(found.map(|found| format!("{expected} as {found}: {sample}")));
            }
        }
    }
    println!(
        "| language | headlines alone | headlines with texts | texts alone |\n|---|---|---|---|"
    );
    for (language, [headlines, whole, alone]) in languages {
        println!("| {language} | {} | {} | {} |", headlines.cell(), whole.cell(), alone.cell());
    }
    if shows_wrong {
        wrong.iter().for_each(|line| println!("\n{line}"));
    }
    Ok(())
}
