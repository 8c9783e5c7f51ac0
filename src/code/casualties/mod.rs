//! How many people, of what, in which scope.
//!
//! Knows no language: words, numerals and cues are those of a [`Grammar`], which is data. Read in this
//! order:
//!
//! | file | part |
//! |---|---|
//! | `role`, `grammar` | what words can be for; the file that says it, read and checked |
//! | `text` | a document, its words looked up |
//! | `number` | quantities |
//! | `people` | who is counted, in one sentence |
//! | `group` | who stands where a happening can take them |
//! | `claim` | which people belong to which happening |
//! | `scope` | what a number counts: the event, a running toll, the past, a fear, nothing |
//! | `total` | what is given twice, and what is a part of what |

mod claim;
mod grammar;
mod group;
mod number;
mod people;
mod role;
mod scope;
mod text;
mod total;

use cw_model::{Casualties, CasualtyScope, Steps, TooCostly};

use self::claim::{Count, counts_of};
pub(super) use self::grammar::Grammar;
use self::scope::{Scopes, scope_of};
use self::text::Text;
use self::total::{Told, Totals};
use super::segment::Document;

/// Every number of casualties in a document, in order of appearance.
///
/// # Errors
/// [`TooCostly`] if there are no steps left.
pub(super) fn read(
    grammar: &Grammar,
    document: &Document<'_>,
    steps: &Steps,
) -> Result<Vec<Casualties>, TooCostly> {
    let text = Text::new(document, grammar, steps)?;
    let mut totals = Totals::default();
    for (index, sentence) in document.sentences.iter().enumerate() {
        // A sentence has a bound, so it is enough to ask between two.
        steps.check()?;
        if !text.tells_of_casualties(&sentence.tokens) {
            continue;
        }
        let counts = counts_of(&text, &sentence.tokens);
        if counts.is_empty() {
            continue;
        }
        let scopes = Scopes::of(&text, &sentence.tokens);
        let mut scoped: Vec<(Count, CasualtyScope)> = Vec::new();
        for count in counts {
            let whole = count.part_of.and_then(|whole| scoped.get(whole));
            let scope = whole.map(|(_whole, scope)| *scope);
            let scope = scope.unwrap_or_else(|| scope_of(&text, &scopes, &count));
            scoped.push((count, scope));
        }
        let is_sum = scoped.iter().any(|(count, _scope)| scopes.is_sum(count));
        totals.add(
            &text,
            &scoped,
            Told { index, field: sentence.field, adds: scopes.adds(), is_sum },
        );
    }
    Ok(totals.finish())
}

#[cfg(test)]
mod tests;
