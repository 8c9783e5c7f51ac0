//! How often the language of a text is told, without any hint: `cargo bench -p cw-text --bench language -- FILE`.
//!
//! FILE has a JSON object a line with `lang` (BCP 47, the first subtag counts), `title` and `text`; either may be
//! empty. Prints Markdown: for each language headlines alone, and headline and text together; told, of how many,
//! and how many were told wrongly. What is not told is left open, not guessed.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::BTreeMap;

use cw_text::language::{Hints, beginning, language};

/// Of one language: told, told wrongly, all.
#[derive(Default)]
struct Tally {
    told: u32,
    wrong: u32,
    all: u32,
}

impl Tally {
    fn add(&mut self, expected: &str, text: &str) {
        let hints = Hints { declared: [None; 3], shown: None };
        self.all += 1;
        if let Some(found) = language(&hints, text) {
            let is_right = found.split('-').next() == Some(expected);
            *if is_right { &mut self.told } else { &mut self.wrong } += 1;
        }
    }

    fn cell(&self) -> String {
        match self.all {
            0 => "-".to_owned(),
            all => format!("{} % of {all}, {} wrong", 100 * self.told / all, self.wrong),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let Some(file) = file else {
        println!("nothing measured: name a file");
        return Ok(());
    };
    let mut languages: BTreeMap<String, [Tally; 2]> = BTreeMap::new();
    for line in std::fs::read_to_string(file)?.lines() {
        let row: serde_json::Value = serde_json::from_str(line)?;
        let field = |name: &str| row.get(name).and_then(|value| value.as_str()).unwrap_or_default();
        let (title, text) = (field("title"), field("text"));
        let expected = field("lang").split('-').next().unwrap_or_default();
        let [headlines, whole] = languages.entry(expected.to_owned()).or_default();
        if !title.is_empty() {
            headlines.add(expected, title);
        }
        whole.add(expected, &format!("{title}\n{}", beginning(text)));
    }
    println!("| language | headlines alone | headline and text, or a sentence |\n|---|---|---|");
    for (language, [headlines, whole]) in languages {
        println!("| {language} | {} | {} |", headlines.cell(), whole.cell());
    }
    Ok(())
}
