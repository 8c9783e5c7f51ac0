//! What a word or phrase of a grammar can be to casualties.

use cw_model::{CasualtyKind, CasualtySide};
use serde::Deserialize;

/// What a word or phrase is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It says what happened to people.
    Happening(Happening),
    /// A total follows, or stands right before it.
    Toll(Toll),
    /// It says what did not happen to anybody.
    NoneOf(What),
    /// It makes a bound of the number after it.
    Bound(Bound),
    /// A vague number: the least that it can mean, if it says that much.
    Vague(Option<u64>),
    /// A number that takes no part in another ("half a million").
    Whole(u64),
    /// A number that others are made of.
    Unit(u64),
    /// What multiplies the number before it.
    Multiplier(u64),
    /// It names people.
    Noun(Noun),
    /// It tells the scope of a number.
    Cue(Cue),
    /// It is on a list.
    Listed(List),
}

impl Role {
    /// Whether a count may begin with it: of a sentence without such a word nothing is counted.
    pub(super) fn begins_a_count(self) -> bool {
        Kinds::of(self).meet(Kinds::BEGIN_A_COUNT)
    }
}

/// Of what kinds some roles are, a bit each: most of what is asked of a word is answered by one look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kinds(u64);

impl Kinds {
    pub(super) const HAPPENING: Self = Self(1);
    pub(super) const TOLL: Self = Self(1 << 1);
    pub(super) const NONE_OF: Self = Self(1 << 2);
    pub(super) const BOUND: Self = Self(1 << 3);
    pub(super) const VAGUE: Self = Self(1 << 4);
    pub(super) const WHOLE: Self = Self(1 << 5);
    pub(super) const UNIT: Self = Self(1 << 6);
    pub(super) const MULTIPLIER: Self = Self(1 << 7);
    pub(super) const NOUN: Self = Self(1 << 8);
    /// A count may begin with one.
    pub(super) const BEGIN_A_COUNT: Self =
        Self::HAPPENING.or(Self::TOLL).or(Self::NONE_OF).or_lists([List::Nobody]);

    /// That of a cue.
    pub(super) const fn cue(cue: Cue) -> Self {
        Self(1 << (9 + cue as u32))
    }

    /// That of a list. The last of them has the last bit but four.
    pub(super) const fn list(list: List) -> Self {
        Self(1 << (10 + Cue::Perfect as u32 + list as u32))
    }

    /// That of a role.
    pub(super) const fn of(role: Role) -> Self {
        match role {
            Role::Happening(_) => Self::HAPPENING,
            Role::Toll(_) => Self::TOLL,
            Role::NoneOf(_) => Self::NONE_OF,
            Role::Bound(_) => Self::BOUND,
            Role::Vague(_) => Self::VAGUE,
            Role::Whole(_) => Self::WHOLE,
            Role::Unit(_) => Self::UNIT,
            Role::Multiplier(_) => Self::MULTIPLIER,
            Role::Noun(_) => Self::NOUN,
            Role::Cue(cue) => Self::cue(cue),
            Role::Listed(list) => Self::list(list),
        }
    }

    /// These and others.
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These, and those of some lists.
    pub(super) const fn or_lists<const COUNT: usize>(self, lists: [List; COUNT]) -> Self {
        let mut all = self;
        let mut rest: &[List] = &lists;
        while let [first, others @ ..] = rest {
            all = all.or(Self::list(*first));
            rest = others;
        }
        all
    }

    /// Whether some are of both.
    pub(super) const fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What happened; the form in which a grammar writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// They died.
    Killed,
    /// They were hurt.
    Wounded,
    /// Some of them died and the others were hurt; how many of each is not said.
    KilledOrWounded,
    /// Nobody knows where they are.
    Missing,
    /// They lost their homes.
    Displaced,
    /// They are held.
    Detained,
}

impl What {
    /// The kinds of count it makes.
    pub(super) fn kinds(self) -> &'static [CasualtyKind] {
        match self {
            Self::Killed => &[CasualtyKind::Killed],
            Self::Wounded => &[CasualtyKind::Wounded],
            Self::KilledOrWounded => &[CasualtyKind::Killed, CasualtyKind::Wounded],
            Self::Missing => &[CasualtyKind::Missing],
            Self::Displaced => &[CasualtyKind::Displaced],
            Self::Detained => &[CasualtyKind::Detained],
        }
    }

    /// "dead" and "wounded" of the same people.
    pub(super) fn jointly_with(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Killed, Self::Wounded) | (Self::Wounded, Self::Killed) => {
                Some(Self::KilledOrWounded)
            }
            _ if self == other => Some(self),
            _ => None,
        }
    }
}

/// A word that says what happened to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Happening {
    /// What.
    pub(super) what: What,
    /// Where those stand to whom it happened.
    pub(super) victims: Victims,
    /// What its number counts.
    pub(super) counts: Counted,
}

/// Where those stand to whom something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Victims {
    /// Before it.
    Before,
    /// Right before it, as adjectives stand before a noun ("12 deaths").
    RightBefore,
    /// After it.
    After,
    /// After it; before it if it is passive, or if nobody stands after it.
    AfterUnlessPassive,
    /// On either side; after it if both are possible.
    Either,
}

/// What must be counted for a number to be one of casualties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Counted {
    /// Anything that is not known as a thing: the word itself speaks of people. Names too.
    #[default]
    Anything,
    /// People by name or noun, or nothing named: things are taken too.
    Persons,
    /// People by noun, or nothing named: places are taken too.
    People,
    /// People by noun: so is much else.
    Nouns,
    /// Lives: much else is lost.
    Lives,
    /// People in great number: a few who flee are suspects.
    Crowd,
}

/// Words before a total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Toll {
    /// What it counts.
    pub(super) what: What,
    /// What must be counted.
    pub(super) counts: Counted,
}

/// What a bound makes of the number after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// The number itself.
    Exact,
    /// Or more.
    AtLeast,
    /// Or less.
    AtMost,
}

/// A word for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Noun {
    /// For one of them.
    pub(super) is_one: bool,
    /// Also an adjective ("general", "major"): a noun only where no noun follows.
    pub(super) is_rank: bool,
    /// Their side, if the word says it.
    pub(super) side: Option<CasualtySide>,
}

/// What a cue says of the numbers near it. The format in `grammar` says how far each reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cue {
    /// It is denied.
    Denied,
    /// What comes before is denied.
    DeniedAfter,
    /// What follows directly did not happen.
    NotSo,
    /// It is a new assertion: no denial reaches across it.
    Asserted,
    /// It may happen.
    Possible,
    /// It has grown.
    Rise,
    /// It is a total.
    Total,
    /// It adds to what was told before.
    Also,
    /// It is a conflict as a whole.
    Conflict,
    /// It is a cause that ends with the day.
    Sudden,
    /// What follows began long ago, if a conflict or a year comes soon.
    Since,
    /// It counts over a long time.
    Running,
    /// It is compared with what happened before.
    Compared,
    /// It happened now.
    Fresh,
    /// It happened long ago.
    Past,
    /// What follows in its clause happened long ago.
    PastBefore,
    /// It is told again: a court, a memorial.
    Retold,
    /// A year follows in which it happened.
    YearAfter,
    /// A long time ("months").
    Span,
    /// The perfect tense.
    Perfect,
}

/// A list of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Words between people and what happened to them.
    Auxiliary,
    /// Auxiliaries that make it passive.
    Passive,
    /// Auxiliaries of one subject.
    OneSubject,
    /// Words with which a noun phrase ends.
    NounEnd,
    /// Words before people who are no subject.
    Preposition,
    /// Words before one person who is new.
    OneArticle,
    /// Words before a person who is known.
    Determiner,
    /// One person without a noun.
    OnePronoun,
    /// Before one person who is nobody in particular.
    AnyOne,
    /// "and".
    And,
    /// "or".
    Or,
    /// "of".
    Of,
    /// "who".
    Relative,
    /// "by".
    Agent,
    /// After these comes a part of those before.
    PartBegin,
    /// Before these stands a part of those after.
    PartAmong,
    /// Things, no people.
    Thing,
    /// Lives.
    Life,
    /// Between an age and whose it is ("year-old").
    AgeAfter,
    /// Before ages ("aged").
    AgeBefore,
    /// Months.
    Month,
    /// What is numbered ("No. 4").
    Numbered,
    /// Particles inside names.
    NameParticle,
    /// Before the new total.
    TollNew,
    /// Before the old total.
    TollOld,
    /// Inside a number ("two hundred and six").
    NumberAnd,
    /// Between the ends of a range.
    NumberTo,
    /// Before the ends of a range.
    NumberBetween,
    /// After a number that is the least.
    NumberOrMore,
    /// Nothing happened to anybody.
    Nobody,
    /// Looks like a happening and is none.
    Nothing,
}
