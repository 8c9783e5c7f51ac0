//! What comes of the page of an article.

use strum::{EnumIter, IntoStaticStr};

use crate::TooCostly;

/// Why an article has no text from its page. Every reason has a counter under its `name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum PageRefusal {
    /// The robots.txt of its host does not allow it, or could not be had.
    Disallowed,
    /// Its host did not answer with it.
    Failed,
    /// It was not asked for: the poll had asked for as many as it may, its time was over, or its host had failed before.
    LeftOut,
    /// It is no HTML.
    NotAPage,
    /// No text of any length was found in it.
    NoText,
    /// Its text is hardly longer than what the feed gave.
    NotLonger,
    /// It asks for consent, a login or a subscription, or whether we are human.
    Wall,
    /// Neither headline nor teaser are on it.
    AnotherArticle,
    /// It was published at another time, and only the headline agrees.
    AnotherDate,
    /// It is in another language, and only the headline agrees.
    AnotherLanguage,
    /// Others wrote it, and the headline is only alike.
    AnotherAuthor,
    /// Reading it takes more steps than a page of its size may take.
    TooCostly,
}

impl PageRefusal {
    /// Its name in metrics and logs.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl From<TooCostly> for PageRefusal {
    fn from(_: TooCostly) -> Self {
        Self::TooCostly
    }
}
