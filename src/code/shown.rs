//! The words of headline and lead, as the model of relevance is shown them.

use std::ops::Range;

use cw_model::ActorKind;

use super::lexicon::Lexicon;
use super::segment::{Document, Prominence};
use super::spans::Sorted;

/// Words of headline and lead that are looked at: what comes later is background.
const WORDS_MAX: usize = 120;

/// What is shown for a number.
pub(super) const NUMBER: &str = "0";

/// A word of headline or lead, or what stands for it.
pub(super) struct Shown<'a> {
    pub(super) text: &'a str,
    /// None for the beginning of a sentence.
    pub(super) tokens: Range<usize>,
    pub(super) sentence: usize,
}

/// The words of headline and lead, with what stands for actors and numbers.
pub(super) fn words<'a>(
    document: &'a Document<'_>,
    sorted: &Sorted,
    lexicon: &Lexicon,
) -> Vec<Shown<'a>> {
    let mut words: Vec<Shown<'a>> = Vec::with_capacity(WORDS_MAX);
    let mut mentions = sorted.mentions.iter().peekable();
    for (number, sentence) in document.sentences.iter().enumerate() {
        if sentence.prominence == Prominence::Rest || words.len() >= WORDS_MAX {
            continue;
        }
        let mut index = sentence.tokens.start;
        words.push(Shown { text: ".", tokens: index..index, sentence: number });
        while index < sentence.tokens.end && words.len() < WORDS_MAX {
            while mentions.peek().is_some_and(|mention| mention.tokens.start < index) {
                mentions.next();
            }
            let mention = mentions.peek().filter(|mention| mention.tokens.start == index);
            let (text, end) = match mention {
                Some(mention) => {
                    let entry =
                        lexicon.dictionary.as_ref().and_then(|all| all.entries.get(mention.entry));
                    (
                        entry.map_or("§", |entry| shown(entry.kind)),
                        mention.tokens.end.max(index + 1),
                    )
                }
                None => place_at(&sorted.places, index).map_or_else(
                    || {
                        let word = document.word(index);
                        let is_number = word.starts_with(|sign: char| sign.is_ascii_digit());
                        (if is_number { NUMBER } else { word }, index + 1)
                    },
                    |end| ("§place", end),
                ),
            };
            words.push(Shown { text, tokens: index..end, sentence: number });
            index = end;
        }
    }
    words
}

/// Where the place ends that begins at a word.
fn place_at(places: &[Range<usize>], index: usize) -> Option<usize> {
    let at = places.partition_point(|place| place.start < index);
    places.get(at).filter(|place| place.start == index).map(|place| place.end)
}

fn shown(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::State | ActorKind::Region | ActorKind::People => "§state",
        ActorKind::Force | ActorKind::Service | ActorKind::Ministry => "§force",
        ActorKind::Group => "§group",
        ActorKind::Gang => "§gang",
        ActorKind::Alliance | ActorKind::Agency | ActorKind::Organisation => "§body",
        ActorKind::Office => "§office",
    }
}
