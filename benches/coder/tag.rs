//! What the coder says of texts, as `conflictwire tag` prints it, by the rules that lie in `config` now.

use std::io::BufRead;

use cw_code::Tagger;
use cw_model::record::RecordConflict;
use serde_json::json;

use super::rows::Row;

/// Reads JSON lines, and prints one answer a line.
pub(crate) fn answer(tagger: &Tagger, input: impl BufRead) -> anyhow::Result<()> {
    for line in input.lines() {
        let row = Row::parse(&line?)?;
        let conflict = row.code(tagger).as_ref().map(RecordConflict::from);
        println!("{}", json!({ "id": row.id, "conflict": conflict }));
    }
    Ok(())
}
