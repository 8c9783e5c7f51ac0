//! Searches the SQLite ledger, and knows the options that `tail` has in common with it.
//!
//! What is found and in which order is `ledger::sqlite::read`'s; this file reads arguments and
//! prints.

use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style as Paint};
use clap::builder::PossibleValuesParser;
use cw_code::{Places, Sources, Tagger};
use cw_model::{Record, Timestamp};
use cw_status::shown::{Shown, json_line, printable};
use cw_text::likeness::hint;
use jiff::{Span, SpanRelativeTo};

use super::meant::{ActorNames, countries_meant, country_doubt, place_doubt, places_meant};
use super::show::text::Text;
use super::show::{self, Medium, Style};
use super::{Exit, export};
use crate::clock::Clock;
use crate::ledger::LedgerSettings;
use crate::ledger::filter::{Filter, is_below};
use crate::ledger::sqlite::query::{NotAQuery, Query};
use crate::ledger::sqlite::read::{Committed, Order, Reader, Revisions, Search};

/// Words asked for, wherever they stand.
const MATCH: Paint = AnsiColor::Yellow.on_default().bold();

/// The ways in which a tag is said, as records have them.
const CLAIMS: [&str; 9] = [
    "reported",
    "claimed",
    "alleged",
    "denied",
    "foiled",
    "threatened",
    "planned",
    "called_for",
    "hypothetical",
];

/// How much of a text is shown around the first word that was asked for, characters.
const EXCERPT_CHARS: usize = 160;

/// How many of them stand before that word.
const EXCERPT_LEAD_CHARS: usize = 50;

/// What to search for and how to show it; what the command does is said beside its name.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code 0, also if nothing is found.")]
pub struct SearchArgs {
    /// Words to look for; a phrase in quotes is looked for as it stands
    ///
    /// Without any, an option has to say which articles, and the latest come first.
    #[arg(value_name = "WORDS")]
    pub words: Vec<String>,
    /// Which articles
    #[command(flatten)]
    pub only: FilterArgs,
    /// Only articles published since: an age (48h, 7d) or a date (2026-01-31)
    #[arg(long, value_name = "AGE|DATE", value_parser = parse_since)]
    pub since: Option<Timestamp>,
    /// The most articles to show
    #[arg(long, short = 'n', default_value_t = 20, value_name = "COUNT")]
    pub limit: u32,
    /// The latest first instead of the best
    #[arg(long)]
    pub newest: bool,
    /// Earlier revisions too
    #[arg(long)]
    pub all_revisions: bool,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    pub format: Format,
}

/// What findings are printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a person
    Text,
    /// Whole records, one JSON object a line, as --json
    Json,
    /// For a map (RFC 7946): each article at the place where it happened
    Geojson,
    /// For a spreadsheet (RFC 4180): one row for each tag, with who, where and how many
    Csv,
}

impl SearchArgs {
    fn format(&self) -> Format {
        if self.only.json { Format::Json } else { self.format }
    }
}

/// Which articles, from where, and in which form: for `search` and `tail`.
#[derive(Debug, clap::Args)]
pub struct FilterArgs {
    /// Only articles with this tag or one below it: strike finds strike.air; again for another
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// Only this language: en finds en-GB; again for another
    #[arg(long = "language", value_name = "CODE")]
    pub languages: Vec<String>,
    /// Only feeds of this country, by its two letters or name (SY, Syria); again for another
    #[arg(long = "country", value_name = "CODE")]
    pub countries: Vec<String>,
    /// Only articles that name this actor, by id, its beginning or end, or any of its names: state.ru, group, hezbollah, RSF; again for another
    #[arg(long = "actor", value_name = "ACTOR")]
    pub actors: Vec<String>,
    /// Only articles that name this place, by any of its names or GeoNames number, or any place of a country (SY, Syria); again for another
    #[arg(long = "place", value_name = "PLACE")]
    pub places: Vec<String>,
    /// Only articles that say something in this way, the --tag if one is given; again for another
    #[arg(long = "claim", value_name = "STATUS", ignore_case = true, value_parser = PossibleValuesParser::new(CLAIMS))]
    pub claims: Vec<String>,
    /// Only this feed; again for another
    #[arg(long = "feed", value_name = "ID")]
    pub feeds: Vec<String>,
    /// Whole records, one JSON object a line
    #[arg(long)]
    pub json: bool,
    /// The database [default: the one the configuration names]
    #[arg(long, value_name = "FILE")]
    pub database: Option<PathBuf>,
}

impl FilterArgs {
    /// What is wanted. Names are looked up, also in the actors of a configuration.
    pub(super) fn filter(&self, since: Option<Timestamp>, config: Option<&Path>) -> Filter {
        let (mut actors, mut places) = (self.actors.clone(), self.places.clone());
        let mut countries = self.countries.clone();
        if !actors.is_empty() {
            let known = known_actors(config);
            actors.extend(self.actors.iter().flat_map(|wish| known.meant(wish)));
        }
        if !(places.is_empty() && countries.is_empty()) {
            let known = Places::built_in();
            places.extend(self.places.iter().flat_map(|wish| places_meant(&known, wish)));
            countries.extend(self.countries.iter().flat_map(|wish| countries_meant(&known, wish)));
        }
        Filter {
            tags: self.tags.clone(),
            languages: self.languages.clone(),
            countries,
            actors,
            places,
            claims: self.claims.clone(),
            feeds: self.feeds.clone(),
            since,
        }
    }

    /// Says what of the options may be a slip, where nothing fits them: a search would look as if there were no such
    /// articles, and `tail` would wait for good.
    pub(super) fn say_doubts(&self, config: Option<&Path>) {
        for doubt in self.tag_doubts(config) {
            say!("{}", Shown(doubt));
        }
        if !self.actors.is_empty() {
            let known = known_actors(config);
            let doubts = self.actors.iter().filter_map(|wish| known.doubt(wish));
            doubts.for_each(|doubt| say!("{}", Shown(doubt)));
        }
        if !(self.places.is_empty() && self.countries.is_empty()) {
            let known = Places::built_in();
            let doubts = self.places.iter().filter_map(|wish| place_doubt(&known, wish));
            let of_countries = self.countries.iter().filter_map(|wish| country_doubt(&known, wish));
            doubts.chain(of_countries).for_each(|doubt| say!("{}", Shown(doubt)));
        }
    }

    /// The tags that the taxonomy does not have. The ledger may still hold them, of another taxonomy.
    fn tag_doubts(&self, config: Option<&Path>) -> Vec<String> {
        if self.tags.is_empty() {
            return Vec::new();
        }
        // Whoever reads a database elsewhere may have no configuration here.
        let Ok(config) = crate::config::load(config) else { return Vec::new() };
        let Ok(tagger) = Tagger::new(&config.tag.sources, config.tag.threshold) else {
            return Vec::new();
        };
        unknown_tags(&self.tags, tagger.tag_ids())
    }

    /// Opens the database that is named here, or by the configuration.
    pub(super) fn open(&self, config: Option<&Path>) -> anyhow::Result<Reader> {
        open_database(self.database.as_deref(), config)
    }
}

/// The actors of the configuration, or, where there is none, the built-in ones.
fn known_actors(config: Option<&Path>) -> ActorNames {
    let sources = crate::config::load(config).map(|config| config.tag.sources);
    ActorNames::of(&sources.unwrap_or_else(|_| Sources::built_in()))
}

/// What is said of the tags that no id is or is below.
fn unknown_tags<'a>(wishes: &[String], ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    let ids: Vec<&str> = ids.collect();
    let tops = ids.iter().filter_map(|id| id.split('.').next());
    let known: Vec<&str> = ids.iter().copied().chain(tops).collect();
    let is_unknown = |wish: &&String| !known.iter().any(|id| is_below(id, wish, '.'));
    let said = |wish: &String| {
        format!("the taxonomy has no tag \"{wish}\"{}", hint(wish, known.iter().copied()))
    };
    wishes.iter().filter(is_unknown).map(said).collect()
}

/// Opens a database, the one that the configuration names unless another is.
pub(super) fn open_database(
    database: Option<&Path>,
    config: Option<&Path>,
) -> anyhow::Result<Reader> {
    let path = match database {
        Some(path) => path.to_owned(),
        None => match crate::config::load(config)?.ledger {
            LedgerSettings::Sqlite(settings) => settings.path,
            LedgerSettings::Kafka(_) => anyhow::bail!(
                "the configured ledger (ledger.kind = \"kafka\") is no database; name one with \
                 --database, or read the topics with `conflictwire tail`"
            ),
            LedgerSettings::JsonLines => anyhow::bail!(
                "the configured ledger (ledger.kind = \"json_lines\") keeps nothing to read; \
                 name a database with --database"
            ),
        },
    };
    Ok(Reader::open(&path)?)
}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(args: &SearchArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let filter = args.only.filter(args.since, config);
    let query = match Query::parse(&args.words) {
        Ok(query) => Some(query),
        Err(NotAQuery::NoWord) if args.words.is_empty() && !filter.is_empty() => None,
        Err(NotAQuery::NoWord) if args.words.is_empty() => {
            say!(
                "error: nothing to look for; give words, or which articles: --tag strike, --since 24h"
            );
            return Ok(Exit::Usage);
        }
        Err(problem) => {
            say!("error: {problem}");
            return Ok(Exit::Usage);
        }
    };
    let search = Search {
        query,
        filter,
        order: if args.newest { Order::Newest } else { Order::Best },
        revisions: if args.all_revisions { Revisions::All } else { Revisions::Latest },
        limit: args.limit,
    };
    let found = args.only.open(config)?.search(&search)?;
    write_all(&found, args.format(), search.query.as_ref())?;
    if found.is_empty() {
        say!("nothing found; fewer words or options may find more");
        args.only.say_doubts(config);
    } else if found.len() >= usize::try_from(args.limit).unwrap_or(usize::MAX) {
        say!("the first {}; there may be more, --limit shows them", found.len());
    }
    Ok(Exit::Fine)
}

/// Prints what was found.
fn write_all(found: &[Committed], format: Format, query: Option<&Query>) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    let mut records = found.iter().filter_map(|committed| show::readable(&committed.text));
    match format {
        Format::Text => {
            let style = Style::terminal();
            records.try_for_each(|record| write_found(&mut out, &record, query, style))?;
        }
        Format::Json => {
            for committed in found {
                writeln!(out, "{}", json_line(&committed.text))?;
            }
        }
        Format::Geojson => {
            let collection = export::geojson(&records.collect::<Vec<_>>());
            writeln!(out, "{}", json_line(&collection.to_string()))?;
        }
        Format::Csv => export::csv(&mut out, &records.collect::<Vec<_>>())?,
    }
    Ok(out.flush()?)
}

/// A record as one finding: headline, where and when, tags, and the words in the text.
fn write_found(
    out: &mut impl Write,
    record: &Record,
    query: Option<&Query>,
    style: Style,
) -> std::io::Result<()> {
    let title = record.title.as_deref().unwrap_or("(no headline)");
    style.write(out, &isolated(marked(title, query, show::STRONG), style))?;
    let seen = || format!("undated, seen {}", show::to_the_minute(&record.observed.at));
    let date = show::published(record).unwrap_or_else(seen);
    let mut parts = vec![date, record.feed.id.clone()];
    parts.extend(record.language.clone());
    parts.extend(record.url.clone());
    style.write(out, &Text::new(&format!("  {}", parts.join(" · ")), show::QUIET))?;
    let tags = record.conflict.iter().flat_map(|conflict| &conflict.tags);
    let mut line = Text::default();
    for tag in tags {
        line.push(if line.is_empty() { "  " } else { " · " }, show::QUIET);
        line.push(&tag.id, show::tag_paint(&tag.id));
    }
    if !line.is_empty() {
        style.write(out, &line)?;
    }
    let texts = [&record.summary, &record.body];
    if let Some(excerpt) = texts.into_iter().flatten().find_map(|text| excerpt(text, query)) {
        for line in marked(&excerpt, query, Paint::new()).wrap(style.columns().saturating_sub(2)) {
            let mut indented = Text::new("  ", Paint::new());
            indented.append(isolated(line, style));
            style.write(out, &indented)?;
        }
    }
    writeln!(out)
}

/// The text, the words that were asked for in a colour of their own.
fn marked(text: &str, query: Option<&Query>, paint: Paint) -> Text {
    // What is left out would shift the places.
    let text: String = text.chars().filter_map(printable).collect();
    let mut shown = Text::new(&text, paint);
    let characters = |bytes: usize| text.get(..bytes).unwrap_or_default().chars().count();
    for place in query.map(|query| query.places(&text)).unwrap_or_default() {
        shown.restyle(characters(place.start), characters(place.end), MATCH);
    }
    shown
}

/// On a terminal, text that reads from right to left is kept from moving what stands around it.
fn isolated(text: Text, style: Style) -> Text {
    match style.medium {
        Medium::Terminal { .. } => text.isolated(),
        Medium::Pipe => text,
    }
}

/// The words around the first that was asked for; `None` if the text has none of them. Where none was asked for, its
/// beginning.
fn excerpt(text: &str, query: Option<&Query>) -> Option<String> {
    let first = match query {
        Some(query) => query.places(text).into_iter().next()?,
        None => 0..0,
    };
    let (before, after) = text.split_at_checked(first.start)?;
    let skipped = before.chars().count().saturating_sub(EXCERPT_LEAD_CHARS);
    let lead: String = before.chars().skip(skipped).collect();
    let kept: String = after.chars().take(EXCERPT_CHARS - EXCERPT_LEAD_CHARS).collect();
    let is_cut = after.len() > kept.len();
    // Cut at a space, where the script has any: half a word reads like another.
    let lead = match lead.split_once(' ') {
        Some((_, words)) if skipped > 0 => format!("…{words}"),
        None if skipped > 0 => format!("…{lead}"),
        Some(_) | None => lead,
    };
    let kept = match kept.rsplit_once(' ') {
        Some((words, _)) if is_cut && words.len() >= first.len() => format!("{words}…"),
        Some(_) | None if is_cut => format!("{kept}…"),
        Some(_) | None => kept,
    };
    Some(lead + &kept)
}

/// An age before now, or an instant.
fn parse_since(text: &str) -> Result<Timestamp, String> {
    since(text, Clock::System.now()).ok_or_else(|| {
        "use an age (48h, 7d) or a date (2026-01-31, 2026-01-31T06:00:00Z)".to_owned()
    })
}

fn since(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        return Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp());
    }
    let age = text.parse::<Span>().ok()?.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    now.checked_sub(age.abs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_since(text: &str, expected: Option<&str>) {
        let now: Timestamp = "2026-01-10T12:00:00Z".parse().unwrap();
        let expected = expected.map(|at| at.parse().unwrap());
        assert_eq!(since(text, now), expected, "from {text:?}");
    }

    #[test]
    fn since_is_an_age_or_a_date() {
        check_since("48h", Some("2026-01-08T12:00:00Z"));
        check_since("7d", Some("2026-01-03T12:00:00Z"));
        check_since("2w", Some("2025-12-27T12:00:00Z"));
        check_since("2026-01-02", Some("2026-01-02T00:00:00Z"));
        check_since("2026-01-02T03:04:05Z", Some("2026-01-02T03:04:05Z"));
        check_since("yesterday", None);
        check_since("", None);
    }

    #[test]
    fn a_tag_that_the_taxonomy_does_not_have_is_doubted() {
        let doubts = |wish: &str| {
            unknown_tags(&[wish.to_owned()], ["peace.talks", "strike.air"].into_iter())
        };
        for known in ["strike", "strike.air", "peace"] {
            assert_eq!(doubts(known), [""; 0], "{known}");
        }
        assert_eq!(
            doubts("strik"),
            ["the taxonomy has no tag \"strik\"; did you mean \"strike\"?"]
        );
        assert_eq!(
            doubts("strike.a"),
            ["the taxonomy has no tag \"strike.a\"; did you mean \"strike.air\"?"]
        );
        assert_eq!(doubts("weather"), ["the taxonomy has no tag \"weather\""]);
    }

    #[test]
    fn an_excerpt_begins_near_the_first_word_asked_for() {
        let query = Query::parse(&["needle"]).unwrap();
        let text = format!("{} needle {}", "héy ".repeat(100), "sträw ".repeat(100));
        let excerpt = excerpt(&text, Some(&query)).unwrap();
        assert!(excerpt.starts_with("…héy ") && excerpt.ends_with(" sträw…"), "{excerpt}");
        assert!(excerpt.chars().count() <= EXCERPT_CHARS + 2);
        assert!(excerpt.contains(" needle "));
        assert_eq!(super::excerpt("a needle", Some(&query)).unwrap(), "a needle");
        assert_eq!(super::excerpt("hay", Some(&query)), None);
        let beginning = super::excerpt(&text, None).unwrap();
        assert!(beginning.starts_with("héy ") && beginning.ends_with(" héy…"), "{beginning}");
    }

    #[test]
    fn only_the_words_asked_for_are_marked() {
        let query = Query::parse(&["été"]).unwrap();
        let mut expected = Text::new("un ", Paint::new());
        expected.push("Ete", MATCH);
        expected.push("[31m à", Paint::new());
        assert_eq!(marked("un Ete\u{1b}[31m à", Some(&query), Paint::new()), expected);
    }
}
