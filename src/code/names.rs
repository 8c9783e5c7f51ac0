//! Which actors a text names, and where: the matches of the dictionary that are written as they must be,
//! the longest first, none over another; and with the noun of a force after a people's name
//! ("Ukrainian troops") that noun too.

use std::ops::Range;

use cw_model::ActorKind;

use super::actors::{Alias, Dictionary, Form, Spelling};
use super::lexicon::Lexicon;
use super::segment::Document;

/// An actor named in a text.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    /// Index into the entries of the dictionary.
    pub(super) entry: usize,
    /// What sort of name it is called by.
    pub(super) form: Form,
    /// The words.
    pub(super) tokens: Range<usize>,
    /// Index into the aliases of the dictionary.
    pub(super) alias: usize,
    /// Whether name and noun after it mean forces of a state or people ("Ukrainian troops").
    pub(super) is_force: bool,
}

/// Who is named, and who is called by what it is, each in order; no two overlap.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    pub(super) named: Vec<Mention>,
    pub(super) unnamed: Vec<Mention>,
}

/// The mentions among matches of aliases. `nouns` are the matches of force nouns, in order.
pub(super) fn mentions(
    lexicon: &Lexicon,
    document: &Document<'_>,
    found: Vec<(usize, Range<usize>)>,
    nouns: &[Range<usize>],
) -> Mentions {
    let Some(dictionary) = &lexicon.dictionary else { return Mentions::default() };
    let is_unnamed = |(alias, _tokens): &(usize, Range<usize>)| {
        let entry =
            dictionary.aliases.get(*alias).and_then(|one| dictionary.entries.get(one.entry));
        entry.is_some_and(|entry| entry.is_unnamed)
    };
    let (unnamed, named): (Vec<_>, Vec<_>) = found.into_iter().partition(is_unnamed);
    let named = longest(dictionary, document, named, nouns);
    let mut unnamed = longest(dictionary, document, unnamed, &[]);
    // Who has a name is known better: "Kenyan police".
    unnamed.retain(|mention| {
        let at = named.partition_point(|one| one.tokens.end <= mention.tokens.start);
        named.get(at).is_none_or(|one| one.tokens.start >= mention.tokens.end)
    });
    Mentions { named, unnamed }
}

/// Of matches of aliases the longest, none over another.
fn longest(
    dictionary: &Dictionary,
    document: &Document<'_>,
    mut found: Vec<(usize, Range<usize>)>,
    nouns: &[Range<usize>],
) -> Vec<Mention> {
    found.sort_by_key(|(alias, tokens)| (tokens.start, std::cmp::Reverse(tokens.end), *alias));
    let mut mentions: Vec<Mention> = Vec::new();
    let mut end = 0;
    for (index, tokens) in found {
        let Some(alias) = dictionary.aliases.get(index) else { continue };
        if tokens.start < end || !is_written_so(alias, document, &tokens) {
            continue;
        }
        let noun = match alias.form {
            Form::Demonym | Form::Name => noun_at(nouns, tokens.end, document),
            Form::Metonym => None,
        };
        end = noun.as_ref().map_or(tokens.end, |noun| noun.end);
        mentions.push(Mention {
            entry: alias.entry,
            form: alias.form,
            tokens: tokens.start..end,
            alias: index,
            // "M23 rebels" are nobody's army.
            is_force: noun.is_some() && !is_group(dictionary, alias.entry),
        });
    }
    mentions
}

fn is_group(dictionary: &Dictionary, entry: usize) -> bool {
    let kind = dictionary.entries.get(entry).map(|entry| entry.kind);
    matches!(kind, Some(ActorKind::Group | ActorKind::Gang))
}

/// The longest noun that begins at a word, in the same clause as the word before it.
fn noun_at(nouns: &[Range<usize>], at: usize, document: &Document<'_>) -> Option<Range<usize>> {
    let clause = |index: usize| document.tokens.get(index).map(|token| token.clause);
    if clause(at) != clause(at.checked_sub(1)?) {
        return None;
    }
    let first = nouns.partition_point(|noun| noun.start < at);
    let here = nouns.get(first..)?.iter().take_while(|noun| noun.start == at);
    here.max_by_key(|noun| noun.end).cloned()
}

fn is_written_so(alias: &Alias, document: &Document<'_>, tokens: &Range<usize>) -> bool {
    let is_all_capitals = |index: usize| {
        let mut letters = document.written(index).chars().filter(|sign| sign.is_alphabetic());
        letters.all(|letter| !letter.is_lowercase())
    };
    match alias.spelling {
        Spelling::Any => true,
        Spelling::Capital => {
            let first = document.written(tokens.start).chars().find(|sign| sign.is_alphabetic());
            first.is_none_or(|letter| !letter.is_lowercase())
        }
        Spelling::Capitals => tokens.clone().all(is_all_capitals),
    }
}
