//! How good the coder is, and the model of relevance made anew.
//!
//! ```text
//! cargo bench -p cw-code --bench coder -- eval DATA [CORPUS]   figures of sets of labelled text
//! cargo bench -p cw-code --bench coder -- train LANGUAGE CORPUS FILE [DATA]   writes the tables of weights
//! cargo bench -p cw-code --bench coder -- show SET DATA        what is missed and what is wrong in a set
//! cargo bench -p cw-code --bench coder -- tag                  what is said of JSON lines, as `conflictwire tag` does
//! cargo bench -p cw-code --bench coder -- speed                texts a second
//! cargo bench -p cw-code --bench coder -- digest FOLDER...     one number for all that is said of the texts there
//! ```
//!
//! DATA is a folder of JSON lines, CORPUS the project's own (`tests/corpus/en`). The rules are read from
//! `config`, so that a change of them needs no build.

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::fn_params_excessive_bools,
    reason = "a program for whoever works on the coder: it prints, reads the clock, and may stop"
)]

mod digest;
mod eval;
mod roles;
mod rows;
mod speed;
mod tag;
mod train;

use std::path::Path;

use anyhow::bail;
use cw_code::{Source, Sources, Tagger};

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["eval", data, rest @ ..] => {
            eval::report(&tagger()?, Path::new(data), rest.first().map(Path::new))
        }
        ["show", set, data] => eval::show(&tagger()?, Path::new(data), set),
        ["train", language, corpus, file, data @ ..] => {
            let mut others = Vec::new();
            for data in data {
                others = eval::headlines(Path::new(data))?;
                others.retain(|row| row.language == *language);
            }
            train::train(&tagger()?, language, Path::new(corpus), Path::new(file), &others)
        }
        ["tag"] => tag::answer(&tagger()?, std::io::stdin().lock()),
        ["speed"] => speed::report(&tagger()?),
        ["digest", first, rest @ ..] => {
            let folders = std::iter::once(first).chain(rest).map(Path::new);
            digest::report(&tagger()?, folders)
        }
        _ => bail!(
            "give one of: eval DATA [CORPUS], show SET DATA, train LANGUAGE CORPUS FILE, tag, speed, digest FOLDER..."
        ),
    }
}

/// The coder, with the rules that lie in `config` now.
fn tagger() -> anyhow::Result<Tagger> {
    // Another folder of rules can be tried without a build.
    let config = std::env::var_os("CODER_CONFIG").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config"),
        std::path::PathBuf::from,
    );
    let mut sources = Sources::built_in();
    for source in
        [&mut sources.taxonomy].into_iter().chain(&mut sources.lexicons).chain(&mut sources.actors)
    {
        let name = source.name.trim_start_matches("built-in ");
        let file = config.join(name);
        // What was built in and is gone is no longer part of it.
        source.text = if file.exists() { std::fs::read_to_string(file)? } else { String::new() };
    }
    sources.lexicons.retain(|source| !source.text.is_empty());
    sources.actors.retain(|source| !source.text.is_empty());
    let known: Vec<String> =
        sources.lexicons.iter().chain(&sources.actors).map(|one| one.name.clone()).collect();
    for (folder, list) in [("lexicon", &mut sources.lexicons), ("actors", &mut sources.actors)] {
        for file in files(&config.join(folder))? {
            let name = format!("built-in {}", file.strip_prefix(&config)?.display());
            if !known.contains(&name) {
                list.push(Source { name, text: std::fs::read_to_string(&file)? });
            }
        }
    }
    // What is built in is compiled when a text comes, and a mistake in it is for tests to tell: here it is told.
    sources.taxonomy.name = "taxonomy.toml".to_owned();
    Tagger::new(&sources, 0.5).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })
}

fn files(folder: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "toml")
            && !path.ends_with("casualties.toml")
        {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}
