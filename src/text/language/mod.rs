//! Which language an article is in: what the text shows where it is sure, else whom to believe.
//!
//! What publishers and configurations declare is a hint: many feeds say `en` over Spanish text,
//! because their software does. The text decides alone where its script or its words leave no
//! doubt. A text that is too short for that is given to the language for which most speaks: its own
//! words, what all texts of the feed together show, and what is declared.

mod evidence;
mod known;
mod script;
mod tag;

use self::evidence::{Best, Evidence};
use self::known::KNOWN;
use self::script::LATIN;
pub use self::tag::{primary, tag};

/// How much of an article is looked at; more says nothing new.
const SAMPLE_CHARS_MAX: usize = 400;

/// What the language of all texts of a feed counts for one that is not sure, in words.
const FEED_SCORE: f64 = 2.0;

/// The least score that a text itself gives to the language of its feed, in words, for no more to be asked.
const AS_SHOWN_SCORE_MIN: f64 = 1.0;

/// What the first declaration counts, and any other.
const FIRST_HINT_SCORE: f64 = 1.5;
const HINT_SCORE: f64 = 1.0;

/// The least score of a language that nobody declared, and its least distance from the next.
const LIKELY_SCORE_MIN: f64 = 1.5;
const LIKELY_LEAD_MIN: f64 = 1.0;

/// From how many letters on a text in Latin script contradicts another one: names and brands are
/// written in it everywhere.
const LATIN_LETTERS_MIN: usize = 20;

/// What is said of a text's language by others than the text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// What the entry, the configuration and the document declare, in this order.
    pub declared: [Option<&'a str>; 3],
    /// What all texts of the feed together show, from [`sure`].
    pub shown: Option<&'a str>,
}

/// The language of a text; BCP 47, with the region of a declaration that agrees. `None` if too
/// little speaks for any.
pub fn language(hints: &Hints<'_>, text: &str) -> Option<String> {
    let mut evidence = Evidence::of(beginning(text));
    let declared: Vec<String> = hints.declared.into_iter().flatten().filter_map(tag).collect();
    // A text without letters contradicts nobody.
    if evidence.written.is_none() {
        return declared.into_iter().next();
    }
    let shown = hints.shown.and_then(|shown| KNOWN.called(shown));
    // What a text says that is not sure is what its feed shows: that is enough.
    let is_as_shown = |best: Best| {
        best.score >= AS_SHOWN_SCORE_MIN && shown.is_some_and(|(place, _)| place == best.place)
    };
    let as_shown = evidence.best().filter(|best| is_as_shown(*best)).map(|best| best.place);
    if let Some(place) = evidence.sure().or(as_shown).or_else(|| {
        evidence.look_closer();
        evidence.sure()
    }) {
        return KNOWN.get(place).map(|language| with_region(language, &declared));
    }
    // What is declared for all of a feed is worth nothing where its texts show another language;
    // what an entry says of itself may hold all the same.
    let of_entry = hints.declared[0].and_then(tag);
    let is_credible = |tag: &&String| {
        shown.is_none_or(|(_, shown)| shown.may_be_called(primary(tag)))
            || of_entry.as_ref() == Some(*tag)
    };
    let fitting: Vec<&String> =
        declared.iter().filter(|tag| may_be(tag, &evidence)).filter(is_credible).collect();
    for (rank, tag) in fitting.iter().enumerate() {
        let is_repeated = fitting.iter().take(rank).any(|other| primary(other) == primary(tag));
        let score = if rank == 0 { FIRST_HINT_SCORE } else { HINT_SCORE };
        if let Some((place, _)) = KNOWN.called(primary(tag)).filter(|_| !is_repeated) {
            evidence.vote(place, score);
        }
    }
    if let Some((place, shown)) = shown
        && may_be(&shown.tag, &evidence)
    {
        evidence.vote(place, FEED_SCORE);
    }
    let likely = evidence.best().and_then(|best| {
        let language = KNOWN.get(best.place)?;
        let is_said = shown.is_some_and(|(place, _)| place == best.place)
            || fitting.iter().any(|tag| language.may_be_called(primary(tag)));
        let is_likely = best.score >= LIKELY_SCORE_MIN && best.lead >= LIKELY_LEAD_MIN;
        (is_said || is_likely).then(|| with_region(language, &declared))
    });
    // Whichever of its kin a text is in, it is none of the others.
    let likely = likely.or_else(|| {
        let best = evidence.best_of_kin()?;
        let is_likely = best.score >= LIKELY_SCORE_MIN && best.lead >= LIKELY_LEAD_MIN;
        KNOWN.get(best.place).filter(|_| is_likely).map(|language| with_region(language, &declared))
    });
    // A declared language of which nothing is known here can only be believed.
    likely.or_else(|| {
        let unknown = fitting.iter().find(|tag| KNOWN.called(primary(tag)).is_none());
        unknown.map(|tag| (*tag).clone())
    })
}

/// The part of a text that is looked at.
pub fn beginning(text: &str) -> &str {
    let end = text.char_indices().nth(SAMPLE_CHARS_MAX).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// The language of a text that leaves no doubt of it. All of the text is read.
pub fn sure(text: &str) -> Option<String> {
    let mut evidence = Evidence::of(text);
    let place = evidence.sure().or_else(|| {
        evidence.look_closer();
        evidence.sure()
    })?;
    KNOWN.get(place).map(|language| language.tag.clone())
}

/// A declaration that agrees says more than the text: "en-GB", "bs".
fn with_region(language: &known::Language, declared: &[String]) -> String {
    let agreeing = declared.iter().find(|tag| language.may_be_called(primary(tag)));
    agreeing.unwrap_or(&language.tag).clone()
}

/// Whether a text can be in a declared language, by its script and by its words.
fn may_be(tag: &str, evidence: &Evidence) -> bool {
    let is_unlike = KNOWN.called(primary(tag)).is_some_and(|(place, _)| evidence.is_unlike(place));
    !is_unlike && may_be_written(tag, evidence)
}

/// Whether the text is in a script that a declared language is written in.
fn may_be_written(tag: &str, evidence: &Evidence) -> bool {
    let Some(written) = evidence.written else { return true };
    if written.script == LATIN && written.letters < LATIN_LETTERS_MIN {
        return true;
    }
    // Whoever names the script ("ru-Latn") knows.
    tag::script(tag) == Some(written.script.0)
        || KNOWN.called(primary(tag)).is_none_or(|(_, language)| language.uses(written.script))
}

#[cfg(test)]
mod tests;
