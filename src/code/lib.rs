//! What does an article say about conflict?
//!
//! [`Tagger::code`] is a pure function from texts to a [`Coding`]. The rules are data: a taxonomy and
//! one lexicon a language, both TOML, both built in and both replaceable. There is no model and no
//! chance in it, so the same text and lexicon give the same coding anywhere.
//!
//! Which texts an article has is for `cw-read` to say, and what follows from a coding for `cw-decide`. Read
//! `segment` first, then `rules`.
//!
//! | file | part |
//! |---|---|
//! | `segment` | words, clauses, sentences, and the way back to the original |
//! | `taxonomy` | the tags there are |
//! | `term`, `lexicon` | the rules of one language, read and checked |
//! | `matcher` | every term, in one pass |
//! | `rules` | from matches to tags |
//! | `casualties` | how many people, of what, in which scope |

mod casualties;
mod lexicon;
mod matcher;
mod rules;
mod segment;
mod source;
mod taxonomy;
mod term;
mod texts;

use std::collections::BTreeMap;

use cw_model::{Coding, Steps, TooCostly};
use lexicon::{Kept, Lexicon};
use segment::Document;
use sha2::{Digest as _, Sha256};
pub use source::{LexiconProblem, Source};
use taxonomy::Taxonomy;
pub use texts::Texts;

/// Hex digits of the digest in a lexicon's name: enough to tell versions, short enough to read.
const DIGEST_DIGITS: usize = 12;

/// Puts tags on articles, by the rules of one lexicon a language.
#[derive(Debug)]
pub struct Tagger {
    threshold: f64,
    by_language: BTreeMap<String, Language>,
}

#[derive(Debug)]
struct Language {
    /// As published: "en/1 3f2a…".
    name: String,
    lexicon: Lexicon,
}

impl Tagger {
    /// Compiles a taxonomy and lexicons. `threshold` is 0 to 1.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn new(
        taxonomy: &Source,
        lexicons: &[Source],
        threshold: f64,
    ) -> Result<Self, Vec<LexiconProblem>> {
        let (tags, mut problems) = Taxonomy::read(taxonomy);
        let mut by_language = BTreeMap::new();
        // With an unreadable taxonomy every tag of a lexicon would be reported as unknown.
        let readable = tags.ids().next().is_some();
        for source in lexicons.iter().filter(|_source| readable) {
            let lexicon = match Lexicon::read(source, &tags) {
                Ok(lexicon) => lexicon,
                Err(more) => {
                    problems.extend(more);
                    continue;
                }
            };
            let language = lexicon.language.clone();
            let name = lexicon_name(&lexicon, taxonomy, source);
            if by_language.insert(language.clone(), Language { name, lexicon }).is_some() {
                let detail = format!("language: there is another lexicon for \"{language}\"");
                problems.push(source.problem(&detail));
            }
        }
        if problems.is_empty() { Ok(Self { threshold, by_language }) } else { Err(problems) }
    }

    /// The taxonomy and lexicons that come with the program.
    pub fn built_in_sources() -> (Source, Vec<Source>) {
        let source = |name: &str, text: &str| Source {
            name: format!("built-in {name}"),
            text: text.to_owned(),
        };
        let taxonomy = source("taxonomy.toml", include_str!("../../config/taxonomy.toml"));
        let english = source("lexicon/en.toml", include_str!("../../config/lexicon/en.toml"));
        (taxonomy, vec![english])
    }

    /// Says what a text says about conflict; `None` if there is no lexicon for its language.
    ///
    /// # Errors
    /// [`TooCostly`] if that takes more steps than are left.
    pub fn code(
        &self,
        texts: Texts<'_>,
        language: Option<&str>,
        steps: &Steps,
    ) -> Result<Option<Coding>, TooCostly> {
        let language = language.map(primary_subtag).unwrap_or_default();
        let Some(Language { name, lexicon }) = self.by_language.get(&language) else {
            return Ok(None);
        };
        let document = Document::new(texts, &lexicon.abbreviations, steps)?;
        let findings = rules::apply(lexicon, &document, self.threshold, steps)?;
        let casualties = match findings.casualties {
            Kept::Kept => casualties::read(&language, &document, steps)?,
            Kept::Dropped => None,
        };
        Ok(Some(Coding {
            relevant: !findings.tags.is_empty(),
            tags: findings.tags,
            casualties,
            flags: lexicon.knows_flags().then(|| findings.flags.into_iter().collect()),
            lexicon: name.clone(),
        }))
    }
}

/// "en" of "en-GB".
fn primary_subtag(language: &str) -> String {
    language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

fn lexicon_name(lexicon: &Lexicon, taxonomy: &Source, source: &Source) -> String {
    let mut hash = Sha256::new();
    hash.update(&taxonomy.text);
    hash.update(&source.text);
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let short: String = hex.chars().take(DIGEST_DIGITS).collect();
    format!("{}/{} {short}", lexicon.language, lexicon.version)
}

#[cfg(test)]
mod tests;
