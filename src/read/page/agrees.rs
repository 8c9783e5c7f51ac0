//! Whether a page is that of the article that the feed has: by headline, teaser, date, language and authors.
//!
//! Texts are compared by runs of letters, which every script has: no words, no spaces, no case.

use std::collections::HashSet;
use std::time::Duration;

use cw_model::PageRefusal;
use cw_text::language::sure;

use super::document::Document;
use super::linked::Linked;
use super::words::WORDS;
use super::{Expected, letters};
use crate::parse::date::{Conventions, read as read_date};

/// Letters in a run.
const RUN: usize = 5;

/// The most letters of the text that is looked for.
const LETTERS_MAX: usize = 2000;

/// A headline of fewer letters is compared as a whole.
const TITLE_MIN: usize = 12;

/// Teasers of fewer letters say too little.
const TEASER_MIN: usize = 40;

/// A headline this much alike is the same, this much may be.
const SAME: f64 = 0.8;
const ALIKE: f64 = 0.5;

/// A teaser of which this much is on the page is of the same article.
const TEASER_FOUND: f64 = 0.5;

/// Dates of one article differ by less: feeds and pages show different changes of it.
const DAYS_APART: Duration = Duration::from_secs(3 * 24 * 3600);

/// What may follow the words of a wall in a title: the name of a site.
const WALL_REST_MAX: usize = 14;

/// A text of fewer letters may be nothing but a notice.
const NOTICE_MAX: usize = 1500;

/// What a page says of itself.
pub(super) struct Claims<'a> {
    pub(super) document: &'a Document,
    pub(super) linked: &'a Linked,
    pub(super) body: &'a str,
}

/// Whether the page is that of the article.
///
/// # Errors
/// [`PageRefusal`] if it is not.
pub(super) fn check(expected: &Expected, claims: &Claims<'_>) -> Result<(), PageRefusal> {
    let Claims { document, linked, body } = claims;
    if is_wall(&document.titles, body) {
        return Err(PageRefusal::Wall);
    }
    let titles = document.titles.iter().chain(&linked.headline);
    let of_title = expected
        .title
        .as_deref()
        .map_or(0.0, |title| titles.map(|own| likeness_of_titles(title, own)).fold(0.0, f64::max));
    let teaser = expected.teaser.as_deref().filter(|teaser| letters(teaser) >= TEASER_MIN);
    let of_teaser = teaser.map_or(0.0, |teaser| {
        let description = document.description.as_deref().unwrap_or_default();
        likeness(teaser, body).max(likeness(teaser, description))
    });
    let is_found = of_teaser >= TEASER_FOUND;
    if of_title < ALIKE && !is_found {
        return Err(PageRefusal::AnotherArticle);
    }
    if is_found {
        return Ok(());
    }
    // The headline alone: nothing else may contradict it.
    let published = linked.published.as_deref().or(document.published.as_deref());
    let published = published.and_then(|raw| read_date(raw, &Conventions::default()));
    if let (Some(own), Some(date)) = (expected.published_at, published)
        && own.duration_since(date.at).unsigned_abs() > DAYS_APART
    {
        return Err(PageRefusal::AnotherDate);
    }
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
    if let (Some(own), Some(found)) = (expected.language.as_deref(), sure(body))
        && primary(own) != primary(&found)
    {
        return Err(PageRefusal::AnotherLanguage);
    }
    let authors: Vec<&String> = linked.authors.iter().chain(&document.author).collect();
    let is_known = |own: &String| authors.iter().any(|author| likeness(own, author) >= SAME);
    if of_title < SAME
        && !authors.is_empty()
        && !expected.authors.is_empty()
        && !expected.authors.iter().any(is_known)
    {
        return Err(PageRefusal::AnotherAuthor);
    }
    Ok(())
}

/// Whether a page stands before the article: it says so in its title, or in a text that is a notice.
pub(super) fn is_wall(titles: &[String], body: &str) -> bool {
    let says = |title: &String| {
        let title = title.trim().to_lowercase();
        let own =
            title.split(['|', '-', '–', '—', '·', ':', '.', '!', '…']).next().unwrap_or_default();
        WORDS.wall_titles.iter().any(|wall| {
            let rest = title.strip_prefix(wall.as_str());
            // A headline may begin with the same words, and goes on.
            own.trim() == wall || rest.is_some_and(|rest| rest.chars().count() <= WALL_REST_MAX)
        })
    };
    if titles.first().is_some_and(says) {
        return true;
    }
    letters(body) <= NOTICE_MAX && {
        let text = body.to_lowercase();
        WORDS.wall_texts.iter().any(|wall| text.contains(wall.as_str()))
    }
}

/// How much of one text is in another, by runs of letters: 0 to 1.
pub(super) fn likeness(text: &str, other: &str) -> f64 {
    let mut wanted = runs(&folded(text, LETTERS_MAX));
    let all = wanted.len();
    if all == 0 {
        return 0.0;
    }
    for run in Runs::of(&folded(other, usize::MAX)) {
        wanted.remove(&run);
        if wanted.is_empty() {
            break;
        }
    }
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    count(all - wanted.len()) / count(all)
}

/// The same of two headlines, of which one may have more than the other: the name of the site, a kicker. Short ones are alike
/// only if they are the same: in a longer one they may be by accident.
fn likeness_of_titles(title: &str, other: &str) -> f64 {
    let of_long = |title: &str, other: &str| match letters(title) >= TITLE_MIN {
        true => likeness(title, other),
        false => 0.0,
    };
    let is_same = folded(title, LETTERS_MAX) == folded(other, LETTERS_MAX);
    if is_same { 1.0 } else { of_long(title, other).max(of_long(other, title)) }
}

fn folded(text: &str, letters_max: usize) -> Vec<char> {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).take(letters_max).collect()
}

fn runs(letters: &[char]) -> HashSet<u64> {
    Runs::of(letters).collect()
}

/// The runs of letters of a text, each as a number; of a text that is shorter than a run, all of it.
struct Runs<'a>(std::slice::Windows<'a, char>);

impl<'a> Runs<'a> {
    fn of(letters: &'a [char]) -> Self {
        Self(letters.windows(RUN.min(letters.len()).max(1)))
    }
}

impl Iterator for Runs<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        // FNV-1a: there is nothing to gain for whoever makes two runs alike.
        let hash =
            |hash: u64, c: &char| (hash ^ u64::from(u32::from(*c))).wrapping_mul(0x0100_0000_01b3);
        self.0.next().map(|run| run.iter().fold(0xcbf2_9ce4_8422_2325, hash))
    }
}
