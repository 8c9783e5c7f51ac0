//! Labelled texts.

use std::path::Path;

use anyhow::Context as _;
use cw_code::{Tagger, Texts};
use cw_model::{Coding, Steps};
use serde_json::Value;

/// One labelled text.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) summary: String,
    pub(crate) body: String,
    pub(crate) language: String,
    pub(crate) value: Value,
}

impl Row {
    /// A line of JSON.
    pub(crate) fn parse(line: &str) -> anyhow::Result<Self> {
        Ok(Self::read(serde_json::from_str(line)?))
    }

    fn read(value: Value) -> Self {
        let text =
            |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (summary, body) = match value.get("summary") {
            Some(_) => (text("summary"), text("body")),
            None if value.get("text").is_none() => (String::new(), text("body")),
            // A short text is a teaser, a long one an article.
            None if text("text").chars().count() < 700 => (text("text"), String::new()),
            None => (String::new(), text("text")),
        };
        let language = [text("language"), text("lang"), "en".to_owned()];
        let language = language.into_iter().find(|one| !one.is_empty()).unwrap_or_default();
        Self { id: text("id"), title: text("title"), summary, body, language, value }
    }

    pub(crate) fn texts(&self) -> Texts<'_> {
        Texts { title: &self.title, summary: &self.summary, body: &self.body, feed_country: None }
    }

    pub(crate) fn code(&self, tagger: &Tagger) -> Option<Coding> {
        tagger.code(self.texts(), Some(&self.language), &Steps::new(u64::MAX)).ok().flatten()
    }

    pub(crate) fn strings(&self, key: &str) -> Vec<String> {
        let list = self.value.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Whether the corpus keeps it apart from what it is trained on: one in ten, by a hash of the text.
    pub(crate) fn held_out(&self) -> bool {
        let text = format!("{}{}{}", self.title, self.summary, self.body);
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        (hash >> 17).is_multiple_of(10)
    }
}

/// Every row of a file of JSON lines.
pub(crate) fn read(file: &Path) -> anyhow::Result<Vec<Row>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(Row::parse).collect()
}

/// Every row of every file of a folder.
pub(crate) fn read_folder(folder: &Path) -> anyhow::Result<Vec<Row>> {
    Ok(read_files(folder)?.into_iter().flat_map(|(_, rows)| rows).collect())
}

/// The rows of each file of a folder, with its name without the ending.
pub(crate) fn read_files(folder: &Path) -> anyhow::Result<Vec<(String, Vec<Row>)>> {
    let files = std::fs::read_dir(folder)?.map(|file| Ok(file?.path()));
    let mut files: Vec<_> = files.collect::<std::io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|one| one == "jsonl"));
    files.sort();
    let named = |file: std::path::PathBuf| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, read(&file)?))
    };
    files.into_iter().map(named).collect()
}
