//! Lists of feeds, from TOML or OPML, and what each feed must be. Pure: files are read by `load`.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use cw_model::country::is_country;
use cw_model::{
    Backlog, Feed, FeedId, FeedProxy, FullText, PrivateNetworks, Quota, UrlQuery, without_query,
};
use cw_text::language::tag as language_tag;
use url::Url;

use super::Problem;
use super::feed_url::read_url;
use super::label::{LABEL_CHARS_MAX, LABELS_MAX, is_label, plain};
use super::list_forms::{ListForm, read_json, read_lines};
use super::networks::{read_networks, written_networks};
use super::opml::{attribute_name, read_opml, write_opml};
use super::origin::Origins;
use super::raw::{RawFeed, RawFeeds, RawPrivateNetworks};
use super::read::TomlReader;
use super::requests::{FeedFiles, SPEAKS_FOR_US, refused_by_url};
use super::units::{
    Unfit, backlog_text, duration_text, read_backlog, read_duration, read_size_in, size_text,
};
use super::walk::shown;
use crate::fetch::{NotAProxy, Proxy};

/// The most feeds of one configuration: each one's state is held in memory.
pub const FEEDS_MAX: usize = 100_000;

/// Fewer than one would be no feed; ten million are more than all newsrooms of the world write.
const ARTICLES_PER_DAY: RangeInclusive<i64> = 1..=10_000_000;

/// An article and a reject fit into 1 MiB; a TiB a day is a disk a day.
pub(super) const BYTES_PER_DAY: RangeInclusive<u64> = 1 << 20..=1 << 40;

/// The longest name of a publisher: it is on every record.
const PUBLISHER_CHARS_MAX: usize = 200;

/// What a feed is where its own table is silent.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedDefaults {
    /// `schedule.interval_min`.
    pub interval_min: Duration,
    /// `schedule.interval_max`.
    pub interval_max: Duration,
    /// `schedule.retry_after_max`.
    pub retry_after_max: Duration,
    /// `schedule.backlog`.
    pub backlog: Backlog,
    /// `parse.entries_max`.
    pub entries_max: usize,
    /// `normalise.text_chars_max`.
    pub text_chars_max: usize,
    /// `fetch.body_limit`.
    pub body_limit: u64,
    /// `schedule.articles_per_day`, `schedule.bytes_per_day`.
    pub quota: Quota,
}

impl FeedDefaults {
    /// A feed of which only id and URL are known.
    pub fn feed(&self, id: FeedId, url: Url) -> Feed {
        Feed {
            id,
            url,
            publisher: None,
            country: None,
            language: None,
            private_networks: None,
            interval: None,
            interval_min: self.interval_min,
            interval_max: self.interval_max,
            retry_after_max: self.retry_after_max,
            backlog: self.backlog,
            entries_max: self.entries_max,
            text_chars_max: self.text_chars_max,
            body_limit: self.body_limit,
            quota: self.quota,
            query: UrlQuery::Hidden,
            proxy: FeedProxy::AsConfigured,
            request: None,
            labels: Vec::new(),
            full_text: FullText::Feed,
        }
    }
}

/// A list of feeds as written.
#[derive(Clone, Debug)]
pub(super) struct FeedList {
    pub(super) form: ListForm,
    pub(super) feeds: Vec<RawFeed>,
    pub(super) origins: Origins,
    /// Whether it came from a URL, and others may write it.
    pub(super) is_by_url: bool,
}

impl FeedList {
    pub(super) fn new(form: ListForm, feeds: Vec<RawFeed>, origins: Origins) -> Self {
        Self { form, feeds, origins, is_by_url: false }
    }

    /// Reads a file of feeds, and what is wrong with it before any feed is looked at.
    pub(super) fn read(file: &str, bytes: &[u8]) -> (Self, Vec<Problem>) {
        Self::read_as(ListForm::of_file(file), file, bytes)
    }

    /// The same of what came from a URL, which stands in the place of the file's name.
    pub(super) fn read_from_url(url: &str, bytes: &[u8]) -> (Self, Vec<Problem>) {
        let (list, problems) = Self::read_as(ListForm::of_content(bytes), url, bytes);
        (Self { is_by_url: true, ..list }, problems)
    }

    fn read_as(form: ListForm, file: &str, bytes: &[u8]) -> (Self, Vec<Problem>) {
        let (feeds, origins, problems) = match form {
            ListForm::Opml => read_opml(file, bytes),
            ListForm::Json => read_json(file, bytes),
            ListForm::Lines => read_lines(file, bytes),
            ListForm::Toml => {
                let mut reader = TomlReader::new::<RawFeeds>(file);
                reader.read_bytes(bytes);
                let (raw, origins, problems) = reader.finish::<RawFeeds>();
                (raw.feed, origins, problems)
            }
        };
        (Self::new(form, feeds, origins), problems)
    }

    /// The ids of those that are to be polled, as far as they have any.
    pub(super) fn polled(&self) -> HashSet<FeedId> {
        let polled = self.feeds.iter().filter(|raw| raw.enabled != Some(false));
        let id = |raw: &RawFeed| match &raw.id {
            Some(id) => FeedId::parse(id).ok(),
            None => read_url(raw.url.as_deref()?).ok().map(|url| FeedId::from_url(&url)),
        };
        polled.filter_map(id).collect()
    }

    fn place(&self, index: usize) -> String {
        let line = self.origins.line(&format!("feed[{index}]"));
        match line {
            Some(line) => format!("{} line {line}", self.origins.file()),
            None => format!("{} feed[{index}]", self.origins.file()),
        }
    }
}

/// The feeds of a configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CheckedFeeds {
    /// Those to poll.
    pub(super) enabled: Vec<Feed>,
    /// Those that are only kept.
    pub(super) disabled: Vec<Feed>,
}

/// Turns lists of feeds into feeds, each id and each URL once.
///
/// Problems go to `problems`; a feed with one is left out.
pub(super) fn check_feeds(
    lists: &[FeedList],
    files: &FeedFiles,
    defaults: &FeedDefaults,
    problems: &mut Vec<Problem>,
) -> CheckedFeeds {
    let count = lists.iter().map(|list| list.feeds.len()).sum();
    if let Some(text) = too_many(count) {
        let file = lists.first().map(|list| list.origins.file()).unwrap_or_default().to_owned();
        problems.push(Problem { file, line: None, key: "feed".to_owned(), text });
        return CheckedFeeds::default();
    }
    let mut feeds = CheckedFeeds::default();
    let mut ids: HashMap<FeedId, String> = HashMap::new();
    let mut urls: HashMap<String, String> = HashMap::new();
    for list in lists {
        for (index, raw) in list.feeds.iter().enumerate() {
            let mut check = FeedCheck { list, index, problems: Vec::new() };
            let feed = check.feed(raw, files, defaults);
            if let Some(feed) = &feed {
                let here = list.place(index);
                if let Some(there) = urls.insert(feed.url.to_string(), here.clone()) {
                    let shown = without_query(&feed.url);
                    let text = format!("{shown} is listed before, at {there}; remove one");
                    check.report("url", text);
                    urls.insert(feed.url.to_string(), there);
                } else if let Some(there) = ids.insert(feed.id.clone(), here) {
                    let text = match raw.id {
                        Some(_) => "give one of them another",
                        None => "made from host and path; give one of them an `id`",
                    };
                    let text = format!("\"{}\" is the id of the feed at {there}; {text}", feed.id);
                    check.report("id", text);
                    ids.insert(feed.id.clone(), there);
                }
            }
            let is_fine = check.problems.is_empty();
            problems.append(&mut check.problems);
            let kept = match raw.enabled {
                None | Some(true) => &mut feeds.enabled,
                Some(false) => &mut feeds.disabled,
            };
            kept.extend(feed.filter(|_| is_fine));
        }
    }
    feeds
}

/// How many articles a feed may add in a day.
///
/// # Errors
/// What is allowed.
pub(super) fn read_articles_per_day(given: i64) -> Result<u64, Unfit> {
    let (min, max) = (ARTICLES_PER_DAY.start(), ARTICLES_PER_DAY.end());
    let fits = if ARTICLES_PER_DAY.contains(&given) { u64::try_from(given).ok() } else { None };
    fits.ok_or_else(|| format!("{given} is out of range; use {min} to {max}").into())
}

fn too_many(feeds: usize) -> Option<String> {
    (feeds > FEEDS_MAX)
        .then(|| format!("{feeds} feeds are listed; use at most {FEEDS_MAX}, or a second daemon"))
}

struct FeedCheck<'a> {
    list: &'a FeedList,
    index: usize,
    problems: Vec<Problem>,
}

impl FeedCheck<'_> {
    fn feed(&mut self, raw: &RawFeed, files: &FeedFiles, defaults: &FeedDefaults) -> Option<Feed> {
        let url = self.url(raw.url.as_deref());
        let id = match (&raw.id, &url) {
            (Some(id), _) => match FeedId::parse(id) {
                Ok(id) => Some(id),
                Err(_not_an_id) => {
                    let text = format!(
                        "{id:?} is not an id; use 1 to {} characters of a-z, 0-9, \".\", \"_\" \
                         and \"-\"",
                        FeedId::LENGTH_MAX
                    );
                    self.report("id", text);
                    None
                }
            },
            (None, Some(url)) => Some(FeedId::from_url(url)),
            (None, None) => None,
        };
        let publisher = self.checked("publisher", raw.publisher.as_deref(), read_publisher);
        let country = self.checked("country", raw.country.as_deref(), read_country);
        let language = self.checked("language", raw.language.as_deref(), read_language);
        let range = defaults.interval_min..=defaults.interval_max;
        let interval =
            self.checked("interval", raw.interval.as_deref(), |text| read_interval(text, &range));
        let backlog = self.checked("backlog", raw.backlog.as_deref(), read_backlog);
        let query = self.checked("query", raw.query.as_deref(), read_query).unwrap_or_default();
        let proxy = self.checked("proxy", raw.proxy.as_deref(), read_proxy).unwrap_or_default();
        let request = files.request(raw, |key, text| self.report(key, text));
        let labels = raw.labels.as_deref().map(|labels| self.labels(labels)).unwrap_or_default();
        let quota = self.quota(raw, defaults.quota);
        let networks = raw.allow_private_networks.as_ref().map(|raw| self.networks(raw));
        if self.list.is_by_url {
            self.refuse_what_only_files_may_say(raw);
        }
        let feed = defaults.feed(id?, url?);
        let backlog = backlog.unwrap_or(feed.backlog);
        let feed = Feed { private_networks: networks, interval, backlog, quota, request, ..feed };
        let full_text = if raw.fulltext == Some(true) { FullText::Page } else { FullText::Feed };
        Some(Feed { publisher, country, language, query, proxy, labels, full_text, ..feed })
    }

    /// Whoever writes a list at a URL is not whoever runs this machine, and the way from there may be open.
    fn refuse_what_only_files_may_say(&mut self, raw: &RawFeed) {
        let text = "a list by URL may not say it: it would open this machine's network to whoever writes the \
                    list; say it in a file, or in [fetch]";
        if raw.allow_private_networks.is_some() {
            self.report("allow_private_networks", text.to_owned());
        }
        if raw.proxy.is_some() {
            self.report("proxy", text.to_owned());
        }
        for key in refused_by_url(raw) {
            self.report(key, SPEAKS_FOR_US.to_owned());
        }
    }

    fn labels(&mut self, given: &[String]) -> Vec<String> {
        let mut labels: Vec<String> = given.iter().map(|label| plain(label)).collect();
        labels.sort();
        labels.dedup();
        if labels.len() > LABELS_MAX || !labels.iter().all(|label| is_label(label)) {
            let text = format!(
                "use at most {LABELS_MAX} labels of 1 to {LABEL_CHARS_MAX} characters, without commas and \
                 control characters"
            );
            self.report("labels", text);
        }
        labels
    }

    fn networks(&mut self, raw: &RawPrivateNetworks) -> PrivateNetworks {
        let (networks, problems) = read_networks(raw);
        for (index, text) in problems {
            self.report(&format!("allow_private_networks[{index}]"), text);
        }
        networks
    }

    fn url(&mut self, text: Option<&str>) -> Option<Url> {
        let read = match text {
            Some(text) => read_url(text),
            None => Err("missing; the address of the feed, for example \
                         \"https://example.org/rss.xml\""
                .to_owned()
                .into()),
        };
        read.map_err(|unfit| self.report("url", unfit.to_string())).ok()
    }

    /// What it may add in a day: its own word, else that of `[schedule]`.
    fn quota(&mut self, raw: &RawFeed, default: Quota) -> Quota {
        let articles = raw.articles_per_day.map(read_articles_per_day);
        let articles = articles.and_then(|read| {
            read.map_err(|unfit| self.report("articles_per_day", unfit.to_string())).ok()
        });
        let bytes = self.checked("bytes_per_day", raw.bytes_per_day.as_deref(), |text| {
            read_size_in(text, &BYTES_PER_DAY)
        });
        Quota {
            articles: articles.unwrap_or(default.articles),
            bytes: bytes.unwrap_or(default.bytes),
        }
    }

    fn checked<T>(
        &mut self,
        key: &str,
        text: Option<&str>,
        read: impl FnOnce(&str) -> Result<T, Unfit>,
    ) -> Option<T> {
        let read = read(text?);
        read.map_err(|unfit| self.report(key, unfit.to_string())).ok()
    }

    fn report(&mut self, key: &str, text: String) {
        let full = format!("feed[{}].{key}", self.index);
        if self.list.origins.is_reported(&full) {
            return;
        }
        let mut problem = self.list.origins.problem(&full, text);
        if self.list.form == ListForm::Opml {
            problem.key = attribute_name(key);
        }
        self.problems.push(problem);
    }
}

/// Reads through what a feed is asked.
fn read_proxy(text: &str) -> Result<FeedProxy, Unfit> {
    if text == "off" {
        return Ok(FeedProxy::Direct);
    }
    // Not shown if it holds a password.
    let given =
        if text.contains('@') { "the text".to_owned() } else { format!("\"{}\"", shown(text)) };
    let unfit = |no: NotAProxy| Unfit::from(format!("{given} {no}, or \"off\""));
    Proxy::read(text).map_err(unfit)?;
    Url::parse(text).map(FeedProxy::Through).map_err(|_not_a_url| unfit(NotAProxy))
}

/// What `query` says of a feed whose URL is published whole.
const PUBLISH_QUERY: &str = "publish";

/// Reads whether the query of a feed's URL is published.
fn read_query(text: &str) -> Result<UrlQuery, Unfit> {
    match text {
        "hide" => Ok(UrlQuery::Hidden),
        PUBLISH_QUERY => Ok(UrlQuery::Published),
        _ => Err(format!("\"{}\" is not known; use \"hide\" or \"publish\"", shown(text)).into()),
    }
}

/// Reads a publisher's name.
fn read_publisher(text: &str) -> Result<String, Unfit> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.chars().any(char::is_control) {
        return Err("empty or with control characters; leave the key out or give a name"
            .to_owned()
            .into());
    }
    if trimmed.chars().count() > PUBLISHER_CHARS_MAX {
        let start = shown(trimmed);
        return Err(format!("\"{start}\" is longer than {PUBLISHER_CHARS_MAX} characters").into());
    }
    Ok(trimmed.to_owned())
}

/// Reads a country.
fn read_country(text: &str) -> Result<String, Unfit> {
    if is_country(text) {
        return Ok(text.to_owned());
    }
    let upper = text.to_uppercase();
    let hint = match upper.as_str() {
        "UK" => "the United Kingdom is \"GB\"".to_owned(),
        code if is_country(code) => format!("write \"{code}\""),
        _ => "use ISO 3166-1 alpha-2 such as \"UA\", or leave the key out".to_owned(),
    };
    Err(format!("\"{}\" is not a country code; {hint}", shown(text)).into())
}

/// Reads a language: a BCP 47 tag whose first part is one.
fn read_language(text: &str) -> Result<String, Unfit> {
    let meant = language_tag(text);
    // Case says nothing in a tag; a region that is none, an underscore or a name is a mistake.
    let is_tag = |tag: &String| tag.eq_ignore_ascii_case(text);
    if let Some(tag) = meant.clone().filter(is_tag) {
        return Ok(tag);
    }
    let hint = meant.map_or_else(
        || "use BCP 47 such as \"ar\" or \"pt-BR\", or leave the key out".to_owned(),
        |tag| format!("write \"{tag}\""),
    );
    Err(format!("\"{}\" is not a language; {hint}", shown(text)).into())
}

fn read_interval(text: &str, range: &RangeInclusive<Duration>) -> Result<Duration, Unfit> {
    let interval = read_duration(text)?;
    if interval < *range.start() {
        let bound = duration_text(*range.start());
        return Err(
            format!("{text} is shorter than schedule.interval_min ({bound}); raise it, or lower schedule.interval_min").into()
        );
    }
    if interval > *range.end() {
        let bound = duration_text(*range.end());
        return Err(
            format!("{text} is longer than schedule.interval_max ({bound}); lower it, or raise schedule.interval_max").into()
        );
    }
    Ok(interval)
}

/// The feeds as OPML, each with whether it is enabled; read back they are the same feeds, but for how they are asked
/// (headers, authorities and the like): a list for others names nothing of that.
pub fn export_opml<'a>(
    feeds: impl IntoIterator<Item = (&'a Feed, bool)>,
    defaults: &FeedDefaults,
) -> String {
    let feeds = feeds.into_iter().map(|(feed, is_enabled)| RawFeed {
        enabled: (!is_enabled).then_some(false),
        ..written(feed, defaults)
    });
    write_opml(&feeds.collect::<Vec<_>>())
}

/// What an OPML document holds.
#[derive(Clone, Debug, Default)]
pub struct ImportedFeeds {
    /// The feeds that can be used, some perhaps more than once.
    pub feeds: Vec<Feed>,
    /// The URLs of those that are not to be polled.
    pub disabled: HashSet<String>,
    /// What is wrong with the others.
    pub problems: Vec<Problem>,
}

/// Reads the feeds of an OPML document.
pub fn import_opml(file: &str, bytes: &[u8], defaults: &FeedDefaults) -> ImportedFeeds {
    let (feeds, origins, mut problems) = read_opml(file, bytes);
    let list = FeedList::new(ListForm::Opml, feeds, origins);
    let (mut fine, mut disabled) = (Vec::new(), HashSet::new());
    for (index, raw) in list.feeds.iter().enumerate() {
        let mut check = FeedCheck { list: &list, index, problems: Vec::new() };
        let feed =
            check.feed(raw, &FeedFiles::default(), defaults).filter(|_| check.problems.is_empty());
        if let Some(feed) = feed.as_ref().filter(|_| raw.enabled == Some(false)) {
            disabled.insert(feed.url.to_string());
        }
        fine.extend(feed);
        problems.append(&mut check.problems);
    }
    ImportedFeeds { feeds: fine, disabled, problems }
}

/// The feeds of a file, each once, those that are disabled last.
///
/// # Errors
/// Every problem.
pub fn read_feeds(
    file: &str,
    bytes: &[u8],
    defaults: &FeedDefaults,
) -> Result<Vec<Feed>, Vec<Problem>> {
    let (list, mut problems) = FeedList::read(file, bytes);
    let CheckedFeeds { mut enabled, disabled } =
        check_feeds(&[list], &FeedFiles::default(), defaults, &mut problems);
    enabled.extend(disabled);
    if problems.is_empty() { Ok(enabled) } else { Err(problems) }
}

/// The feeds of a list that came from a URL, each once, those that are disabled last.
///
/// # Errors
/// Every problem.
pub fn read_list(
    url: &str,
    bytes: &[u8],
    defaults: &FeedDefaults,
) -> Result<Vec<Feed>, Vec<Problem>> {
    let (list, mut problems) = FeedList::read_from_url(url, bytes);
    let CheckedFeeds { mut enabled, disabled } =
        check_feeds(&[list], &FeedFiles::default(), defaults, &mut problems);
    enabled.extend(disabled);
    if problems.is_empty() { Ok(enabled) } else { Err(problems) }
}

/// One feed, given in parts by `file`; problems have bare keys ("url").
///
/// # Errors
/// Every problem.
pub fn read_feed(file: &str, raw: RawFeed, defaults: &FeedDefaults) -> Result<Feed, Vec<Problem>> {
    let list = FeedList::new(ListForm::Toml, vec![raw], Origins::new(file));
    let mut problems = Vec::new();
    let feeds = check_feeds(&[list], &FeedFiles::default(), defaults, &mut problems);
    for problem in &mut problems {
        if let Some((_, key)) = problem.key.split_once('.') {
            problem.key = key.to_owned();
        }
    }
    feeds.enabled.into_iter().next().filter(|_| problems.is_empty()).ok_or(problems)
}

/// A feed as a `[[feed]]` table, to be appended to a file.
pub fn feed_table(feed: &Feed, defaults: &FeedDefaults) -> String {
    let raw = written(feed, defaults);
    let keys = [
        ("id", raw.id),
        ("url", raw.url),
        ("publisher", raw.publisher),
        ("country", raw.country),
        ("language", raw.language),
        ("interval", raw.interval),
        ("backlog", raw.backlog),
        ("bytes_per_day", raw.bytes_per_day),
        ("query", raw.query),
        ("proxy", raw.proxy),
    ];
    let networks = raw.allow_private_networks.map(|networks| match networks {
        RawPrivateNetworks::AllOrNone(all) => all.into(),
        RawPrivateNetworks::Ranges(ranges) => ranges.into(),
    });
    let others = [
        ("articles_per_day", raw.articles_per_day.map(toml::Value::from)),
        ("allow_private_networks", networks),
        ("labels", raw.labels.map(toml::Value::from)),
    ];
    let texts = keys.map(|(key, value)| (key, value.map(toml::Value::from)));
    let line = |(key, value): (&str, Option<toml::Value>)| Some(format!("{key} = {}\n", value?));
    std::iter::once("\n[[feed]]\n".to_owned())
        .chain(texts.into_iter().chain(others).filter_map(line))
        .collect()
}

/// A feed as it would be written down.
fn written(feed: &Feed, defaults: &FeedDefaults) -> RawFeed {
    let quota = feed.quota;
    RawFeed {
        id: Some(feed.id.to_string()),
        url: Some(feed.url.to_string()),
        publisher: feed.publisher.clone(),
        country: feed.country.clone(),
        language: feed.language.clone(),
        interval: feed.interval.map(duration_text),
        backlog: (feed.backlog != defaults.backlog).then(|| backlog_text(feed.backlog)),
        articles_per_day: (quota.articles != defaults.quota.articles)
            .then(|| i64::try_from(quota.articles).unwrap_or(i64::MAX)),
        bytes_per_day: (quota.bytes != defaults.quota.bytes).then(|| size_text(quota.bytes)),
        allow_private_networks: feed.private_networks.as_ref().map(written_networks),
        query: (feed.query == UrlQuery::Published).then(|| PUBLISH_QUERY.to_owned()),
        fulltext: (feed.full_text == FullText::Page).then_some(true),
        enabled: None,
        // They are in the file that it is from, and OPML has no attributes for them.
        user_agent: None,
        headers: None,
        headers_file: None,
        roots_file: None,
        redirects: None,
        http: None,
        proxy: match &feed.proxy {
            FeedProxy::AsConfigured => None,
            FeedProxy::Direct => Some("off".to_owned()),
            FeedProxy::Through(url) => Some(url.to_string()),
        },
        labels: (!feed.labels.is_empty()).then(|| feed.labels.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_ends_where_it_says() {
        assert!(read_publisher(&"д".repeat(PUBLISHER_CHARS_MAX)).is_ok());
        assert!(read_publisher(&"д".repeat(PUBLISHER_CHARS_MAX + 1)).is_err());
        assert_eq!(too_many(FEEDS_MAX), None);
        assert!(too_many(FEEDS_MAX + 1).is_some());
    }

    #[test]
    fn more_feeds_than_are_taken_are_not_looked_at() {
        let feeds = vec![RawFeed::default(); FEEDS_MAX + 1];
        let list = FeedList::new(ListForm::Toml, feeds, Origins::new("a.toml"));
        let defaults = FeedDefaults {
            interval_min: Duration::from_secs(300),
            interval_max: Duration::from_secs(3600),
            retry_after_max: Duration::from_secs(3600),
            backlog: Backlog::All,
            entries_max: 1,
            text_chars_max: 100,
            body_limit: 1024,
            quota: Quota { articles: 1, bytes: 1 << 20 },
        };
        let mut problems = Vec::new();
        assert_eq!(
            check_feeds(&[list], &FeedFiles::default(), &defaults, &mut problems),
            CheckedFeeds::default()
        );
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn languages_are_tags_of_bcp_47() {
        for text in ["en", "pt-BR", "zh-Hant-TW", "sr-Latn", "es-419", "ckb", "de-1996"] {
            assert_eq!(read_language(text).as_deref(), Ok(text));
        }
        assert_eq!(read_language("EN-gb").as_deref(), Ok("en-GB"));
        for text in
            ["", "e", "en-", "en_GB", "english!", "en--GB", "42", "en-toolongpart", "US", "eng"]
        {
            assert!(read_language(text).is_err(), "{text}");
        }
    }

    #[test]
    fn countries_are_two_upper_case_letters_that_are_assigned() {
        for text in ["UA", "GB", "XK"] {
            assert!(read_country(text).is_ok(), "{text}");
        }
        for text in ["", "UK", "ua", "ZZ", "U", "UKR", "A ", " "] {
            assert!(read_country(text).is_err(), "{text}");
        }
    }
}
