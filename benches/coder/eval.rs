//! Figures, each with how many texts it stands on and its 95 % interval (Wilson).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cw_code::{Tagger, is_or_is_under, top};
use serde_json::Value;

use super::rows::{Row, read, read_files, read_folder};
use super::{cases, reliability, roles};

/// Right, wrong and missed.
#[derive(Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) right: usize,
    pub(crate) wrong: usize,
    pub(crate) missed: usize,
}

impl Count {
    pub(crate) fn add(&mut self, other: Self) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.missed += other.missed;
    }

    pub(crate) fn shown(self) -> String {
        let (found, wanted) = (self.right + self.wrong, self.right + self.missed);
        format!("P {}  R {}", rate(self.right, found), rate(self.right, wanted))
    }
}

/// "0.912 [0.880-0.935] of 412".
#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
pub(crate) fn rate(hits: usize, all: usize) -> String {
    if all == 0 {
        return "- of 0".to_owned();
    }
    let (n, p, z) = (all as f64, hits as f64 / all as f64, 1.96);
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    format!("{p:.3} [{:.3}-{:.3}] of {all}", middle - half, middle + half)
}

/// What a row of headlines says: `None` if it is to be left out.
pub(crate) fn wanted(row: &Row) -> Option<bool> {
    match row.value.get("relevant")? {
        Value::Bool(wanted) => Some(*wanted),
        Value::String(word) if word == "yes" => Some(true),
        Value::String(word) if word == "no" => {
            let flags = row.strings("flags");
            (!flags.iter().any(|flag| flag == "historical" || flag == "anniversary"))
                .then_some(false)
        }
        _ => None,
    }
}

pub(crate) fn headlines(data: &Path) -> anyhow::Result<Vec<Row>> {
    let mut rows = read(&data.join("headlines_dev.jsonl"))?;
    rows.retain(|row| row.value.get("original").and_then(Value::as_bool) == Some(true));
    Ok(rows)
}

fn family(id: &str) -> String {
    top(id).to_owned()
}

/// How good the coder is on rows.
#[derive(Default)]
struct Figures {
    relevance: Count,
    families: BTreeMap<String, Count>,
    /// Of each tag, and not only of its family.
    tags: Count,
}

/// Relevance, families of tags and tags of rows.
fn figures(tagger: &Tagger, rows: &[&Row]) -> Figures {
    let Figures { mut relevance, mut families, mut tags } = Figures::default();
    for row in rows {
        let (Some(wanted), Some(coding)) = (wanted(row), row.code(tagger)) else { continue };
        match (wanted, coding.relevant) {
            (true, true) => relevance.right += 1,
            (true, false) => relevance.missed += 1,
            (false, true) => relevance.wrong += 1,
            (false, false) => {}
        }
        if wanted && row.strings("tags").is_empty() {
            continue;
        }
        let found: Vec<String> = coding.tags.iter().map(|tag| tag.id.as_str().to_owned()).collect();
        tags.add(of_tags(&found, row));
        let found: BTreeSet<String> = found.iter().map(|id| family(id)).collect();
        let right: BTreeSet<String> = row.strings("tags").iter().map(|id| family(id)).collect();
        let may: BTreeSet<String> = row.strings("may").iter().map(|id| family(id)).collect();
        for family in found.union(&right) {
            let count = families.entry(family.clone()).or_default();
            match (right.contains(family), found.contains(family)) {
                (true, true) => count.right += 1,
                (true, false) => count.missed += 1,
                (false, _) if may.contains(family) => {}
                (false, _) => count.wrong += 1,
            }
        }
    }
    Figures { relevance, families, tags }
}

/// A top is right where a tag under it is wanted, and finds nothing; a tag under a top that is wanted is right, and finds it.
fn of_tags(found: &[String], row: &Row) -> Count {
    let (wanted, may) = (row.strings("tags"), row.strings("may"));
    let is_wrong = |id: &&String| {
        let mut fits = wanted.iter().chain(&may);
        !fits.any(|other| is_or_is_under(id, other) || is_or_is_under(other, id))
    };
    let is_found = |id: &&String| found.iter().any(|other| is_or_is_under(other, id));
    let right = wanted.iter().filter(is_found).count();
    let wrong = found.iter().filter(is_wrong).count();
    Count { right, wrong, missed: wanted.len() - right }
}

/// Prints every figure.
pub(crate) fn report(tagger: &Tagger, data: &Path, corpus: Option<&Path>) -> anyhow::Result<()> {
    let all = headlines(data)?;
    for language in ["en", "ru"] {
        let rows: Vec<&Row> = all.iter().filter(|row| row.language == language).collect();
        let figures = figures(tagger, &rows);
        println!("headlines {language:22} {}", figures.relevance.shown());
        if language == "en" || figures.relevance.right > 0 {
            print_tags(&figures);
        }
    }
    let en: Vec<&Row> = all.iter().filter(|row| row.language == "en").collect();
    let is_old = |row: &&&Row| row.strings("flags").iter().any(|flag| flag == "historical");
    let old: Vec<&&Row> = en.iter().filter(is_old).collect();
    let flagged = old.iter().filter(|row| relevant(tagger, row)).count();
    println!("headlines historical flagged     {}", rate(flagged, old.len()));
    for (set, section) in
        [("bbc", "other"), ("bbc", "politics"), ("masakhanews", ""), ("masakhanews", "politics")]
    {
        let rows = read(&data.join(format!("{set}.jsonl")))?;
        let label = |row: &Row| {
            row.value.get("label").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let is_of = |row: &&Row| {
            row.language == "en"
                && if section.is_empty() { label(row) != "politics" } else { label(row) == section }
        };
        let rows: Vec<&Row> = rows.iter().filter(is_of).collect();
        let flagged = rows.iter().filter(|row| relevant(tagger, row)).count();
        println!("{:32} {} flagged", format!("{set} {section}"), rate(flagged, rows.len()));
    }
    cases::classes(tagger, data)?;
    cases::casualties(tagger, data)?;
    cases::coding(tagger, data)?;
    reliability::report(tagger, "English headlines (dev)", &en);
    if let Some(corpus) = corpus {
        for (name, rows) in read_files(&corpus.with_file_name("unseen"))? {
            let name = format!("unseen {name}");
            let rows: Vec<&Row> = rows.iter().collect();
            let figures = figures(tagger, &rows);
            println!("{name:32} {}", figures.relevance.shown());
            print_tags(&figures);
            reliability::report(tagger, &name, &rows);
        }
        let roles = read_folder(&corpus.with_file_name("roles"))?;
        println!("roles                            {}", roles::count(tagger, &roles).shown());
        let rows = read_folder(corpus)?;
        for (name, held_out) in [("corpus dev", false), ("corpus held out", true)] {
            let rows: Vec<&Row> = rows.iter().filter(|row| row.held_out() == held_out).collect();
            let figures = figures(tagger, &rows);
            println!("{name:32} {}", figures.relevance.shown());
            if held_out {
                print_tags(&figures);
            }
        }
    }
    Ok(())
}

fn print_tags(figures: &Figures) {
    let mut whole = Count::default();
    for (family, count) in &figures.families {
        whole.add(*count);
        println!("    {family:28} {}", count.shown());
    }
    println!("    {:28} {}", "all families", whole.shown());
    println!("    {:28} {}", "all tags", figures.tags.shown());
}

fn relevant(tagger: &Tagger, row: &Row) -> bool {
    row.code(tagger).is_some_and(|coding| coding.relevant)
}

/// Prints what is missed and what is wrong in a set: "headlines", the name of a file, or "roles" or "families"
/// of the files of a folder.
pub(crate) fn show(tagger: &Tagger, data: &Path, set: &str) -> anyhow::Result<()> {
    if set == "roles" {
        let rows = read_folder(data)?;
        roles::show(tagger, &rows);
        println!("roles {}", roles::count(tagger, &rows).shown());
        return Ok(());
    }
    if set == "families" {
        return show_families(tagger, data);
    }
    let rows = match set {
        "headlines" => headlines(data)?.into_iter().filter(|row| row.language == "en").collect(),
        _ => read(&data.join(format!("{set}.jsonl")))?,
    };
    for row in &rows {
        let Some(coding) = row.code(tagger) else { continue };
        let ids: Vec<&str> = coding.tags.iter().map(|tag| tag.id.as_str()).collect();
        let wrong = match wanted(row) {
            Some(wanted) => wanted != coding.relevant,
            None => set != "headlines" && coding.relevant,
        };
        if wrong {
            println!("{} {}", if coding.relevant { "WRONG " } else { "MISSED" }, row.id);
            println!("    {} | {}", row.title, row.summary.chars().take(300).collect::<String>());
            for tag in &coding.tags {
                let spans: Vec<&str> = tag.evidence.iter().map(|span| span.text.as_str()).collect();
                println!("      {} {:.2} {spans:?}", tag.id.as_str(), tag.score);
            }
            println!("    wanted {:?} got {ids:?} {:?}", row.strings("tags"), coding.flags);
        }
    }
    Ok(())
}

/// Prints every text of a folder in which a family of tags is wrong or missed.
fn show_families(tagger: &Tagger, folder: &Path) -> anyhow::Result<()> {
    let rows = if folder.join("headlines_dev.jsonl").exists() {
        let mut rows = headlines(folder)?;
        rows.retain(|row| row.language == "en");
        rows
    } else {
        read_folder(folder)?
    };
    for row in &rows {
        let Some(coding) = row.code(tagger) else { continue };
        let found: BTreeSet<String> =
            coding.tags.iter().map(|tag| family(tag.id.as_str())).collect();
        let right: BTreeSet<String> = row.strings("tags").iter().map(|id| family(id)).collect();
        let may: BTreeSet<String> = row.strings("may").iter().map(|id| family(id)).collect();
        let wrong: Vec<&String> =
            found.difference(&right).filter(|family| !may.contains(*family)).collect();
        let missed: Vec<&String> = right.difference(&found).collect();
        if wrong.is_empty() && missed.is_empty() {
            continue;
        }
        println!("wrong {wrong:?} missed {missed:?} | {} | {}", row.title, row.summary);
        for tag in &coding.tags {
            let spans: Vec<&str> = tag.evidence.iter().map(|span| span.text.as_str()).collect();
            println!("      {} {:.2} {spans:?}", tag.id.as_str(), tag.score);
        }
        println!("    wanted {:?}", row.strings("tags"));
    }
    Ok(())
}
