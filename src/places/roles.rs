//! What the name of a place stands for in its sentence: the place, a person, a paper, a government.
//!
//! Everything is told from the words beside it, by the lists of `words.toml`.

use std::cell::{Cell, OnceCell};

use cw_model::Field;

use crate::cues::Cues;
use crate::gazetteer::{PlaceKind, WordClass};
use crate::mentions::Mention;
use crate::text::{Text, Token};

/// Words between a preposition and a name that are looked over: "in the south of rural Idlib".
const PARTS_MAX: usize = 4;

/// Words after the verb of a government in which what it attacks is looked for.
const OBJECT_WORDS: usize = 6;

/// Words of a dateline, before its dash or bracket: "DEIR AL-ZOR, eastern Syria (Reuters) -".
const DATELINE_WORDS_MAX: usize = 12;

/// Words of sports in a text that make it one of sports.
const SPORT_WORDS: usize = 3;

/// What a mention stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The place.
    Place,
    /// The place from which the report was sent.
    Dateline,
    /// The government that sits there.
    Government,
    /// A person, a paper, a team, a firm, an everyday word.
    Other,
}

/// How a mention stands in its sentence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) role: Role,
    /// What is before it.
    pub(crate) bearing: Bearing,
    /// Whether it may be no name of a place at all.
    pub(crate) doubt: Doubt,
}

/// What the words before a name say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bearing {
    /// Something is there: "in Aleppo", "the town of Aleppo".
    Locative,
    /// Something else: "from Aleppo".
    Preposition,
    /// Nothing.
    Bare,
}

/// How likely a word is no name of a place here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// It is a name.
    None,
    /// A person may be meant: something else must speak for the place.
    Slight,
    /// An everyday word: it is a place if it is one beyond doubt elsewhere in the text.
    Strong,
}

/// The settings of all mentions, in the same order.
pub(crate) fn settings(
    cues: &Cues,
    text: &Text<'_>,
    mentions: &[Mention],
    class_of: impl Fn(&str) -> WordClass,
) -> Vec<Setting> {
    let reader = Reader {
        cues,
        text,
        mentions,
        class_of,
        sport: OnceCell::new(),
        title_case: Cell::new(None),
        dateline: dateline_ends(cues, text),
    };
    let mut settings: Vec<Setting> =
        (0..mentions.len()).map(|index| reader.setting(index)).collect();
    // Who was introduced with the first name is meant by the last name alone.
    let name = |mention: &Mention| {
        mention
            .tokens
            .clone()
            .next_back()
            .and_then(|last| text.token(last))
            .map(|token| token.plain)
    };
    let persons: Vec<&str> = mentions
        .iter()
        .zip(&settings)
        .filter(|(mention, setting)| setting.role == Role::Other && reader.is_person(mention))
        .filter_map(|(mention, _)| name(mention))
        .collect();
    for (mention, setting) in mentions.iter().zip(&mut settings) {
        let is_one_word = mention.tokens.len() == 1;
        if is_one_word
            && setting.bearing == Bearing::Bare
            && name(mention).is_some_and(|name| persons.contains(&name))
            && !reader.is_followed_by_place(mention)
        {
            setting.role = Role::Other;
        }
    }
    settings
}

struct Reader<'a, F> {
    cues: &'a Cues,
    text: &'a Text<'a>,
    mentions: &'a [Mention],
    class_of: F,
    sport: OnceCell<bool>,
    /// The sentence of the title that was looked at last, and whether its words have capitals anyway.
    title_case: Cell<Option<(usize, bool)>>,
    /// Where the datelines of summary and body end, in tokens.
    dateline: Vec<(usize, usize)>,
}

impl<F: Fn(&str) -> WordClass> Reader<'_, F> {
    fn setting(&self, index: usize) -> Setting {
        let Some(mention) = self.mentions.get(index) else {
            return Setting { role: Role::Other, bearing: Bearing::Bare, doubt: Doubt::None };
        };
        let start = mention.tokens.start;
        let bearing = match self.preposition(start) {
            _ if self.is_named_as_place(start) => Bearing::Locative,
            Some(word) if self.cues.locative.contains(word.plain) => Bearing::Locative,
            Some(_) => Bearing::Preposition,
            None => Bearing::Bare,
        };
        let in_dateline = self.dateline.iter().any(|(from, to)| (*from..*to).contains(&start));
        let role = if in_dateline {
            Role::Dateline
        } else if self.is_person(mention) || self.is_something_else(mention) {
            Role::Other
        } else if bearing != Bearing::Locative && self.is_government(mention) {
            Role::Government
        } else {
            Role::Place
        };
        let doubt = self.doubt(mention, bearing);
        Setting { role, bearing, doubt }
    }

    /// The preposition that a name follows, over an article and words for a part of a place.
    fn preposition(&self, start: usize) -> Option<&Token<'_>> {
        let mut at = start;
        for _ in 0..=PARTS_MAX {
            let word = self.text.before(at)?;
            let gap = self.text.token(at)?.gap;
            // "in Nigeria's Borno"
            if matches!(gap.trim_end(), "'s" | "’s" | "'" | "’") {
                at -= 1;
                continue;
            }
            // "in Homs and Hama", "in Aleppo, Homs": a list goes on.
            if gap.chars().any(|sign| !sign.is_whitespace() && sign != '-') {
                return None;
            }
            if self.cues.locative.contains(word.plain)
                || (self.cues.other_before.contains(word.plain) && word.plain != "of")
            {
                return Some(word);
            }
            if !self.cues.article.contains(word.plain) && !self.cues.part.contains(word.plain) {
                return (word.plain == "of").then_some(word);
            }
            at -= 1;
        }
        None
    }

    /// "the town of Chifra"
    fn is_named_as_place(&self, start: usize) -> bool {
        let noun = || {
            self.text.before(start).filter(|word| word.plain == "of")?;
            self.text.before(start.checked_sub(1)?)
        };
        noun().is_some_and(|noun| self.cues.kind_of.contains(noun.plain))
    }

    fn one_word(&self, mention: &Mention) -> Option<&Token<'_>> {
        (mention.tokens.len() == 1).then(|| self.text.token(mention.tokens.start)).flatten()
    }

    fn has_large_meaning(&self, mention: &Mention, size: f64) -> bool {
        mention.candidates.iter().any(|of| {
            of.row.kind == PlaceKind::Country || (of.name.is_main() && of.row.size >= size)
        })
    }

    fn is_followed_by_place(&self, mention: &Mention) -> bool {
        let end = mention.tokens.end;
        let comma = self.text.next(end).is_some_and(|token| token.gap.trim_end() == ",");
        comma && self.mentions.iter().any(|other| other.tokens.start == end)
    }

    /// A person: a title or first name is before it, or a last name after it.
    fn is_person(&self, mention: &Mention) -> bool {
        let (start, end) = (mention.tokens.start, mention.tokens.end);
        let next = self.text.next(end).filter(|token| token.follows_directly());
        if next.is_some_and(|next| self.cues.person_after.contains(next.plain)) {
            return true;
        }
        if let Some(before) = self.text.before(start)
            && self
                .text
                .token(start)
                .is_some_and(|token| token.follows_directly() || token.gap == ". ")
        {
            let is_first_word = self.text.before(start - 1).is_none();
            // A title has a capital before a name, unless "president Syria chose" left out a comma.
            let is_title = before.has_capital() && !self.is_title_case(start);
            if self.cues.person_before.contains(before.plain)
                && (is_title || !self.has_large_meaning(mention, 6.5))
            {
                return true;
            }
            let of = (self.class_of)(before.plain);
            let is_first_name =
                before.has_capital() && of.is_given_name() && !(is_first_word && of.is_everyday());
            let before_is_place = |size: f64| {
                self.mentions
                    .iter()
                    .any(|other| other.tokens.end == start && self.has_large_meaning(other, size))
            };
            let may_be_last_name =
                mention.class.is_last_name() || !self.has_large_meaning(mention, 5.3);
            if is_first_name
                && !before_is_place(5.8)
                && mention.tokens.len() == 1
                && (may_be_last_name || !self.is_title_case(start))
            {
                return true;
            }
            let in_a_place = before_is_place(5.0);
            // "Raquel T. Henry"
            let is_initial = before.plain.chars().count() == 1 && before.has_capital();
            if is_initial && mention.tokens.len() == 1 && before.plain != "a" && before.plain != "i"
            {
                return true;
            }
            // A capital before it that is no word and no place: an unknown first name.
            let is_unknown = before.has_capital()
                && !before.is_in_capitals()
                && !is_first_word
                && !of.is_everyday()
                && !in_a_place;
            if is_unknown
                && mention.tokens.len() == 1
                && !self.is_title_case(start)
                && !self.has_large_meaning(mention, 5.0)
                && !self.is_followed_by_place(mention)
            {
                return true;
            }
        }
        next.is_some_and(|next| self.is_followed_by_last_name(mention, next))
    }

    /// "Paris Hilton", "Jordan B."
    fn is_followed_by_last_name(&self, mention: &Mention, next: &Token<'_>) -> bool {
        let (start, end) = (mention.tokens.start, mention.tokens.end);
        let is_initial = next.plain.chars().count() == 1
            && next.has_capital()
            && next.plain != "i"
            && next.plain != "a";
        let of = (self.class_of)(next.plain);
        let is_last_name = next.has_capital()
            && !next.is_in_capitals()
            && !of.is_everyday()
            && !self.is_title_case(start);
        // "Lopez Obrador": two last names, unless the first is a place that many know.
        let may_be_person = mention.class.is_given_name()
            || mention.class.is_last_name()
                && self.preposition(start).is_none()
                && !self.has_large_meaning(mention, 5.0)
                && !self.mentions.iter().any(|other| other.tokens.start == end);
        may_be_person && mention.tokens.len() == 1 && (is_initial || is_last_name)
    }

    /// A paper, a team, a treaty; an everyday word.
    fn is_something_else(&self, mention: &Mention) -> bool {
        let (start, end) = (mention.tokens.start, mention.tokens.end);
        let next = self.text.next(end).filter(|token| token.follows_directly());
        if next.is_some_and(|next| self.cues.treaty_after.contains(next.plain)) {
            return true;
        }
        if next.is_some_and(|next| {
            next.has_capital()
                && self.cues.no_place_after.contains(next.plain)
                && !self.is_title_case(start)
        }) {
            return true;
        }
        let before = self.text.before(start).filter(|before| before.has_capital());
        if before.is_some_and(|before| self.cues.no_place_before.contains(before.plain)) {
            return true;
        }
        let of = self.text.before(start).filter(|of| of.plain == "of" && start > 0);
        let noun = of.and_then(|_| self.text.before(start - 1)).filter(|noun| noun.has_capital());
        if noun.is_some_and(|noun| self.cues.no_place_before.contains(noun.plain)) {
            return true;
        }
        mention.class.is_given_name()
            && self.preposition(start).is_none()
            && !self.is_followed_by_place(mention)
            && *self.sport.get_or_init(|| is_about_sport(self.cues, self.text))
    }

    /// The capital of a country that does what governments do, or to which it is done.
    fn is_government(&self, mention: &Mention) -> bool {
        let Some(token) = self.one_word(mention) else { return false };
        if !mention.candidates.iter().any(|of| of.name.is_capital()) || token.gap.contains(',') {
            return false;
        }
        let before = self
            .text
            .before(mention.tokens.start)
            .filter(|_| token.follows_directly() || token.gap == "-");
        (self.acts(mention) || self.acts_with_another(mention))
            && self.preposition(mention.tokens.start).is_none()
            || before.is_some_and(|before| self.cues.government_before.contains(before.plain))
    }

    /// "Moscow said", "Moscow pounds the city of Kharkiv".
    fn acts(&self, mention: &Mention) -> bool {
        let end = mention.tokens.end;
        let next = self.text.next(end).filter(|token| token.follows_directly());
        next.is_some_and(|next| {
            let attacks = || {
                let object = end + 1..end + 1 + OBJECT_WORDS;
                self.mentions.iter().any(|other| object.contains(&other.tokens.start))
                    && self.cues.attack_after.contains(next.plain)
            };
            self.cues.government_after.contains(next.plain) || attacks()
        })
    }

    /// "Paris and Berlin said", "Paris, Kyiv agree".
    fn acts_with_another(&self, mention: &Mention) -> bool {
        let end = mention.tokens.end;
        let other = self.mentions.iter().find(|other| other.tokens.start >= end);
        let Some(other) = other.filter(|other| self.text.next(other.tokens.start).is_some()) else {
            return false;
        };
        let is_listed = match other.tokens.start - end {
            0 => self.text.next(end).is_some_and(|token| token.gap.trim_end() == ","),
            1 => self.text.next(end).is_some_and(|token| self.cues.and.contains(token.plain)),
            _ => false,
        };
        is_listed && other.candidates.iter().any(|of| of.name.is_capital()) && self.acts(other)
    }

    /// Whether it may as well be an everyday word or a person.
    fn doubt(&self, mention: &Mention, bearing: Bearing) -> Doubt {
        let Some(token) = self.one_word(mention) else {
            let words = self.text.tokens.get(mention.tokens.clone()).unwrap_or_default();
            let is_plain = !self.has_large_meaning(mention, 5.3)
                && words.iter().all(|word| (self.class_of)(word.plain).is_everyday());
            return if is_plain && bearing != Bearing::Locative {
                Doubt::Slight
            } else {
                Doubt::None
            };
        };
        let is_country = mention
            .candidates
            .iter()
            .any(|of| of.row.kind == PlaceKind::Country && of.name.is_main());
        // "L.A.", "N.C.": an everyday word is not written so.
        let is_short = mention
            .candidates
            .iter()
            .any(|of| of.name.needs_capitals() || of.name.needs_place_before());
        let is_country = is_country || is_short;
        if bearing == Bearing::Locative || is_country || self.is_followed_by_place(mention) {
            return Doubt::None;
        }
        if mention.class.is_everyday()
            && (token.has_capital() || !self.has_large_meaning(mention, 6.0))
        {
            return Doubt::Strong;
        }
        let is_name = mention.class.is_given_name() || mention.class.is_last_name();
        if is_name && bearing == Bearing::Bare && !self.has_large_meaning(mention, 5.3) {
            return Doubt::Slight;
        }
        Doubt::None
    }

    /// Whether the words of its sentence have capitals anyway.
    fn is_title_case(&self, index: usize) -> bool {
        let Some(token) = self.text.token(index) else { return false };
        if token.field != Field::Title {
            return false;
        }
        if let Some((sentence, known)) = self.title_case.get()
            && sentence == token.sentence
        {
            return known;
        }
        let known = self.sentence_has_capitals(token);
        self.title_case.set(Some((token.sentence, known)));
        known
    }

    fn sentence_has_capitals(&self, token: &Token<'_>) -> bool {
        let words = || {
            self.text
                .tokens
                .iter()
                .take_while(|other| other.field == Field::Title)
                .filter(|other| other.sentence == token.sentence && other.plain.len() > 3)
        };
        words().filter(|word| word.has_capital()).count() * 4 > words().count() * 3
    }
}

fn is_about_sport(cues: &Cues, text: &Text<'_>) -> bool {
    let mut seen: [&str; SPORT_WORDS] = [""; SPORT_WORDS];
    let mut count = 0;
    for token in text.tokens.iter().filter(|token| cues.sport.contains(token.plain)) {
        if seen.contains(&token.plain) {
            continue;
        }
        let Some(slot) = seen.get_mut(count) else { break };
        *slot = token.plain;
        count += 1;
    }
    count >= SPORT_WORDS
}

/// Where datelines are: "ALEPPO, Syria (Reuters) - ", "Aleppo, March 3 — ".
fn dateline_ends(cues: &Cues, text: &Text<'_>) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for field in [Field::Summary, Field::Body] {
        let Some(start) = text.first_of(field) else { continue };
        let words = || {
            text.tokens
                .iter()
                .enumerate()
                .skip(start)
                .take(DATELINE_WORDS_MAX)
                .filter(|(_, token)| token.field == field)
        };
        let ends = |(index, token): &(usize, &Token<'_>)| {
            // Most gaps are one space.
            let dash = || ["—", "–", " - ", "--", ":"].iter().any(|dash| token.gap.contains(dash));
            *index > start && token.gap != " " && dash()
        };
        let Some((end, _)) = words().find(ends) else { continue };
        let by_agency = words()
            .take_while(|(index, _)| *index < end)
            .any(|(_, token)| cues.agency.contains(token.plain));
        let in_capitals = text.token(start).is_some_and(Token::is_in_capitals);
        if by_agency || in_capitals {
            found.push((start, end));
        }
    }
    found
}
