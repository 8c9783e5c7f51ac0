//! What a word or phrase can be to casualties.

use cw_model::CasualtyKind;

/// What a word or phrase of the vocabulary is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    /// It says what happened to people.
    Happening(Happening),
    /// A toll follows.
    Toll,
    /// It says what did not happen to anybody.
    Denied(&'static [CasualtyKind]),
    /// What follows happened to nobody.
    Nobody,
    /// It makes a bound of the number after it.
    Qualifier(Bound),
    /// A vague number: the least that it can mean.
    Vague(u64),
    /// A number of several words.
    Number(u64),
    /// One to ninety.
    Unit(u64),
    /// What multiplies the number before it.
    Multiplier(u64),
    /// It tells the scope of a number.
    Scope(Cue),
    /// It is on a list.
    Listed(List),
}

impl Role {
    pub(super) fn is_listed(self, list: List) -> bool {
        matches!(self, Self::Listed(own) if own == list)
    }
}

/// A word that says what happened to people.
#[derive(Clone, Copy, Debug)]
pub(super) struct Happening {
    /// What.
    pub(super) kind: CasualtyKind,
    /// Where its number stands.
    pub(super) voice: Voice,
    /// What its number counts.
    pub(super) counted: Counted,
}

/// A list of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Words between a number and what happened.
    Auxiliary,
    /// Words with which a noun phrase ends.
    NounEnd,
    /// Words for one person.
    Person,
    /// Words for people.
    People,
    /// Words for what is measured.
    Measure,
    /// Names of months.
    Month,
}

/// What a qualifier makes of the number after it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    /// The number itself.
    Exact,
    /// Or more.
    AtLeast,
    /// Or less.
    AtMost,
}

/// What a cue says of the numbers near it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cue {
    /// It is denied.
    Denial,
    /// It may happen.
    Possibility,
    /// It has grown.
    Rise,
    /// It is a total.
    Total,
    /// It is that of a whole conflict.
    Background,
    /// It happened long ago.
    Past,
}

/// On which side of a word its number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// "43 died".
    Before,
    /// "killing 43".
    After,
    /// "43 killed", "were killed", and "killed 43".
    Either,
}

/// What must be counted for the number to be one of casualties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// Whatever stands there: the word itself speaks of people.
    Anything,
    /// People, or nothing named: things are captured too.
    People,
    /// Lives: much else is claimed.
    Lives,
    /// People in great number: a few who flee are suspects.
    Crowd,
}
