//! What is asked for behind the `?` of a path: which feeds or hosts, in which order, how many.

use cw_decide::scheduler::Stand;
use url::form_urlencoded;

/// The most rows of one answer.
pub(super) const LIMIT_MAX: usize = 500;

/// How many rows there are if nobody says.
pub(super) const LIMIT: usize = 50;

/// The longest value, characters: longer than any feed's id or host.
const VALUE_CHARS_MAX: usize = 260;

/// What is wrong with a question, for whoever asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum QueryProblem {
    #[error("no such parameter here; there are {0}")]
    Unknown(String),
    #[error("\"{0}\" is given twice")]
    Twice(&'static str),
    #[error("\"{0}\" is longer than {VALUE_CHARS_MAX} characters")]
    TooLong(&'static str),
    #[error("\"{name}\" is none of {allowed}")]
    Choice { name: &'static str, allowed: String },
    #[error("\"limit\" is no number from 1 to {LIMIT_MAX}")]
    Limit,
    #[error("\"after\" is nothing that \"next\" of an answer was")]
    Cursor,
}

/// The order of rows: by a number, and among equals by a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cursor {
    pub(super) number: i64,
    pub(super) name: String,
}

impl Cursor {
    /// As `next` of an answer.
    pub(super) fn text(number: i64, name: &str) -> String {
        format!("{number}~{name}")
    }

    fn read(text: &str) -> Option<Self> {
        let (number, name) = text.split_once('~')?;
        Some(Self { number: number.parse().ok()?, name: name.to_owned() })
    }
}

/// Parameters, each known and given once.
pub(super) struct Parameters(Vec<(&'static str, String)>);

impl Parameters {
    /// Reads a query that may have these.
    pub(super) fn read(query: &str, known: &[&'static str]) -> Result<Self, QueryProblem> {
        let mut read: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(name) = known.iter().copied().find(|known| *known == name) else {
                return Err(QueryProblem::Unknown(known.join(", ")));
            };
            if read.iter().any(|(before, _)| *before == name) {
                return Err(QueryProblem::Twice(name));
            }
            if value.chars().count() > VALUE_CHARS_MAX {
                return Err(QueryProblem::TooLong(name));
            }
            // A form sends the fields that nobody filled in.
            if !value.is_empty() {
                read.push((name, value.into_owned()));
            }
        }
        Ok(Self(read))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    fn choice<T: Copy>(
        &self,
        name: &'static str,
        choices: &[(&'static str, T)],
    ) -> Result<Option<T>, QueryProblem> {
        let Some(given) = self.get(name) else { return Ok(None) };
        let chosen = choices.iter().find(|(choice, _)| *choice == given);
        let allowed = || choices.iter().map(|(choice, _)| *choice).collect::<Vec<_>>().join(", ");
        let chosen = chosen.ok_or_else(|| QueryProblem::Choice { name, allowed: allowed() })?;
        Ok(Some(chosen.1))
    }

    fn limit(&self) -> Result<usize, QueryProblem> {
        let Some(given) = self.get("limit") else { return Ok(LIMIT) };
        let limit = given.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        limit.ok_or(QueryProblem::Limit)
    }

    fn after(&self) -> Result<Option<Cursor>, QueryProblem> {
        let Some(given) = self.get("after") else { return Ok(None) };
        Cursor::read(given).map(Some).ok_or(QueryProblem::Cursor)
    }
}

/// Feeds to be counted and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FeedState {
    /// How they stand.
    Stand(Stand),
    /// Due and not started.
    Due,
    /// A poll is under way.
    Polling,
}

/// The order of feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FeedSort {
    /// By id.
    Id,
    /// Those first that are polled first.
    NextPoll,
    /// Those first that have failed most often.
    Failures,
    /// Those first that were polled last.
    Polled,
}

/// The orders of feeds by name.
pub(super) const FEED_SORTS: [(&str, FeedSort); 4] = [
    ("id", FeedSort::Id),
    ("next_poll", FeedSort::NextPoll),
    ("failures", FeedSort::Failures),
    ("polled", FeedSort::Polled),
];

/// Which feeds, in which order, how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FeedQuery {
    pub(super) state: Option<FeedState>,
    pub(super) host: Option<String>,
    /// As the configuration has it.
    pub(super) label: Option<String>,
    /// Lower-case; stands in the id, host, title or publisher.
    pub(super) q: Option<String>,
    pub(super) sort: FeedSort,
    pub(super) limit: usize,
    pub(super) after: Option<Cursor>,
}

impl FeedQuery {
    pub(super) fn read(query: &str) -> Result<Self, QueryProblem> {
        let known = ["state", "host", "label", "q", "sort", "limit", "after"];
        let parameters = Parameters::read(query, &known)?;
        let stands = Stand::ALL.map(|stand| (stand.name(), FeedState::Stand(stand)));
        let states: Vec<_> = stands
            .into_iter()
            .chain([("due", FeedState::Due), ("polling", FeedState::Polling)])
            .collect();
        Ok(Self {
            state: parameters.choice("state", &states)?,
            host: parameters.get("host").map(str::to_lowercase),
            label: parameters.get("label").map(str::to_owned),
            q: parameters.get("q").map(str::to_lowercase),
            sort: parameters.choice("sort", &FEED_SORTS)?.unwrap_or(FeedSort::Id),
            limit: parameters.limit()?,
            after: parameters.after()?,
        })
    }
}

/// The order of hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostSort {
    /// Those first that have most feeds.
    Feeds,
    /// Those first that have most feeds that are not well.
    Trouble,
    /// By name.
    Host,
}

/// Which hosts, in which order, how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostQuery {
    pub(super) q: Option<String>,
    pub(super) sort: HostSort,
    pub(super) limit: usize,
    pub(super) after: Option<Cursor>,
}

impl HostQuery {
    pub(super) fn read(query: &str) -> Result<Self, QueryProblem> {
        let parameters = Parameters::read(query, &["q", "sort", "limit", "after"])?;
        let sorts =
            [("feeds", HostSort::Feeds), ("trouble", HostSort::Trouble), ("host", HostSort::Host)];
        Ok(Self {
            q: parameters.get("q").map(str::to_lowercase),
            sort: parameters.choice("sort", &sorts)?.unwrap_or(HostSort::Feeds),
            limit: parameters.limit()?,
            after: parameters.after()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_understood_whole_or_not_at_all() {
        let read = |query: &str| FeedQuery::read(query).map_err(|problem| problem.to_string());
        let query = read("state=failing&host=News.example&q=%D0%9A&sort=failures&limit=7").unwrap();
        assert_eq!(query.state, Some(FeedState::Stand(Stand::Failing)));
        assert_eq!((query.host.as_deref(), query.q.as_deref()), (Some("news.example"), Some("к")));
        assert_eq!((query.sort, query.limit), (FeedSort::Failures, 7));
        assert_eq!(read("q=&state=").unwrap(), read("").unwrap(), "an empty form");
        for (query, problem) in [
            (
                "stat=fine",
                "no such parameter here; there are state, host, label, q, sort, limit, after",
            ),
            ("q=a&q=b", "\"q\" is given twice"),
            ("sort=age", "\"sort\" is none of id, next_poll, failures, polled"),
            ("limit=0", "\"limit\" is no number from 1 to 500"),
            ("limit=501", "\"limit\" is no number from 1 to 500"),
            ("limit=-1", "\"limit\" is no number from 1 to 500"),
            ("after=x", "\"after\" is nothing that \"next\" of an answer was"),
        ] {
            assert_eq!(read(query).unwrap_err(), problem, "{query}");
        }
        let long = format!("q={}", "x".repeat(VALUE_CHARS_MAX + 1));
        assert_eq!(read(&long).unwrap_err(), "\"q\" is longer than 260 characters");
    }

    #[test]
    fn a_cursor_reads_back() {
        for cursor in [(0, "a-feed"), (i64::MIN, ""), (-7, "host~with.example")] {
            let read = Cursor::read(&Cursor::text(cursor.0, cursor.1)).unwrap();
            assert_eq!((read.number, read.name.as_str()), cursor);
        }
    }
}
