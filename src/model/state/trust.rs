//! How far the validators of a feed are trusted: which of them the next request carries, and why not all.
//!
//! Learning it is `decide::process`'s.

use std::collections::BTreeMap;

use strum::{EnumIter, EnumString, IntoStaticStr};

use crate::{Deltas, Timestamp, Validators};

/// Which validators requests carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Sends {
    /// All that the URL gave.
    #[default]
    All,
    /// `Last-Modified` alone.
    Date,
    /// None.
    Nothing,
}

/// Why not every validator does what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Distrust {
    /// A request that carried it was answered wrongly, and one without it was not.
    Refused,
    /// 304 was answered although there was news.
    Lied,
    /// `ETag` is another one whenever it is given, so that it never earns a 304.
    Changes,
    /// And `Last-Modified` earns none either.
    Useless,
}

/// What the next request is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum NextRequest {
    /// For what is new, if there is anything.
    #[default]
    Conditional,
    /// For the whole document, to see whether the 304s before it were right.
    Audit,
}

/// How far the validators of a feed are trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// Which of them are sent.
    pub sends: Sends,
    /// Why not all, and since when.
    pub distrust: Option<(Distrust, Timestamp)>,
    /// Whether the next request carries them.
    pub next: NextRequest,
    /// 304s since the last document.
    pub unmodified: u32,
    /// When the last document came; `None` in states of programs that did not say.
    pub read_at: Option<Timestamp>,
    /// Audits in a row that found the 304s before them right.
    pub upheld: u8,
    /// Audits in a row that found news.
    pub doubts: u8,
    /// Documents in a row that said nothing new, under another `ETag` and the same `Last-Modified`.
    pub wasted: u8,
    /// Whether what is new is asked for instead of whole documents.
    pub deltas: Deltas,
}

impl Trust {
    /// What a request to a URL with these validators carries of them.
    pub fn carried(&self, known: &Validators) -> Validators {
        match (self.next, self.sends) {
            (NextRequest::Audit, _) | (_, Sends::Nothing) => Validators::default(),
            (NextRequest::Conditional, Sends::All) => known.clone(),
            (NextRequest::Conditional, Sends::Date) => {
                Validators { etag: None, last_modified: known.last_modified.clone() }
            }
        }
    }

    /// The same for each URL of a chain, but those without any.
    pub fn all_carried(
        &self,
        known: &BTreeMap<String, Validators>,
    ) -> BTreeMap<String, Validators> {
        let carried = known.iter().map(|(url, known)| (url.clone(), self.carried(known)));
        carried.filter(|(_, carried)| !carried.is_empty()).collect()
    }
}
