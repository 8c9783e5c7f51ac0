//! One number for all that the coder says of many texts: a change that should only make it faster leaves it
//! as it is.

use std::path::Path;

use cw_code::Tagger;
use sha2::{Digest as _, Sha256};

use super::rows::read_folder;

/// Codes every row of the JSON lines in the folders, and prints a digest of what came of it.
pub(crate) fn report<'a>(
    tagger: &Tagger,
    folders: impl Iterator<Item = &'a Path>,
) -> anyhow::Result<()> {
    let mut hash = Sha256::new();
    let mut texts = 0;
    for folder in folders {
        for row in read_folder(folder)? {
            texts += 1;
            // The name of the lexicon has a digest of the rules in it, not of what they say.
            let coding = row
                .code(tagger)
                .map(|coding| cw_model::Coding { lexicon: String::new(), ..coding });
            hash.update(format!("{coding:?}"));
        }
    }
    let hex: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    println!("{hex} of {texts} texts");
    Ok(())
}
