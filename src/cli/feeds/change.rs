//! Changes the configured feeds: adds, imports, removes, renames, moves, enables and disables them.
//!
//! Each change is made in the file in which the feed stands, and nothing else in it is touched. What would
//! not be read is not written. Then the running daemon is told.
//!
//! A feed keeps its id whatever else is changed: its state and its articles are kept under it.

use std::collections::HashSet;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cw_model::{Feed, FeedId, PrivateNetworks};
use cw_status::shown::Shown;
use ipnet::IpNet;
use url::Host;

use super::super::check::{counted, print_problems, progress, spinner};
use super::super::reload::came_of;
use super::super::running::Running;
use super::super::{Exit, runtime};
use super::file::FeedFile;
use super::finding::{Found, FoundFeed, find};
use super::hint;
use crate::clock::Clock;
use crate::config::{
    self, Config, ConfigError, FeedDefaults, ImportedFeeds, ListForm, RawFeed, duration_text,
    feed_table, import_opml,
};
use crate::fetch::{Connections, Fetcher};

/// What a problem names as its file if the command line is wrong.
const COMMAND_LINE: &str = "the command line";

#[derive(Debug, clap::Args)]
pub(super) struct AddArgs {
    /// Where the feed is, or a page that names it
    pub(super) url: String,
    /// What its state is kept under [default: made from host and path]
    #[arg(long)]
    pub(super) id: Option<String>,
    /// Who publishes it
    #[arg(long)]
    pub(super) publisher: Option<String>,
    /// Where the publisher is: ISO 3166-1 alpha-2
    #[arg(long)]
    pub(super) country: Option<String>,
    /// The language it is in: BCP 47
    #[arg(long)]
    pub(super) language: Option<String>,
    /// The file of feeds it is added to [default: the first that the configuration names]
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) trial: Trial,
}

/// Whether an address is asked before it is written down.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct Trial {
    /// Do not ask the address first
    #[arg(long)]
    pub(super) untried: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// The OPML file, as feed readers export it
    pub(super) file: PathBuf,
    /// The file of feeds they are added to [default: the first that the configuration names]
    #[arg(long, value_name = "FILE")]
    pub(super) into: Option<PathBuf>,
    /// Add those that can be used, though others cannot
    #[arg(long)]
    pub(super) partly: bool,
}

pub(super) fn add(args: &AddArgs, config: &Config) -> anyhow::Result<Exit> {
    let raw = RawFeed {
        id: args.id.clone(),
        url: Some(args.url.clone()),
        publisher: args.publisher.clone(),
        country: args.country.clone(),
        language: args.language.clone(),
        ..RawFeed::default()
    };
    let mut feed = match config::read_feed(COMMAND_LINE, raw, &config.feed_defaults) {
        Ok(feed) => feed,
        Err(problems) => {
            print_problems(&problems);
            return Ok(Exit::Usage);
        }
    };
    let mut target = Target::find(args.file.as_deref(), config)?;
    target.refuse_known_url(&feed)?;
    let mut out = anstream::stdout();
    if !args.trial.untried {
        let Some(found) = tried(&feed, config)? else { return Ok(Exit::Failed) };
        writeln!(out, "found {}", Shown(found_text(&found, &feed)))?;
        if feed.url != found.url {
            if args.id.is_none() {
                feed.id = FeedId::from_url(&found.url);
            }
            feed.url = found.url;
            target.refuse_known_url(&feed)?;
        }
    }
    if let Some(known) = target.known.iter().find(|known| known.id == feed.id) {
        let there = known.shown(&known.url);
        bail!("\"{}\" is the id of {there}; give another with --id", feed.id);
    }
    target.append(&[&feed], &config.feed_defaults)?;
    target.file.write()?;
    writeln!(out, "added \"{}\" to {}", feed.id, Shown(target.file.path.display()))?;
    target.end(&mut out, config)
}

/// The feed as it is written down if it may be asked where it is, outside the public internet.
fn admitted(feed: &Feed, config: &Config) -> String {
    let range = match feed.url.host() {
        Some(Host::Ipv4(address)) => IpNet::from(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => IpNet::from(IpAddr::V6(address)),
        Some(Host::Domain("localhost")) => IpNet::from(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        // What it is called says nothing of where it is; the reason has said it.
        Some(Host::Domain(_)) | None => {
            let all = PrivateNetworks::Allowed;
            let feed = Feed { private_networks: Some(all), ..feed.clone() };
            return feed_table(&feed, &config.feed_defaults);
        }
    };
    let private_networks = Some(PrivateNetworks::Ranges(vec![range]));
    feed_table(&Feed { private_networks, ..feed.clone() }, &config.feed_defaults)
}

/// The feed at an address, or the only one of the page there; `None` after saying why there is none to add.
fn tried(feed: &Feed, config: &Config) -> anyhow::Result<Option<FoundFeed>> {
    let fetcher = Fetcher::new(&config.fetch, Connections::within_limits(), Clock::System)?;
    let trying = spinner("trying the address");
    let runtime = runtime().context("could not start the runtime")?;
    let found = runtime.block_on(find(feed, &fetcher, config.politeness.host_gap));
    trying.finish_and_clear();
    let shown = feed.shown(&feed.url);
    let all_the_same = "nothing was written; to add it all the same, give --untried";
    match found {
        Found::Feed(found) => return Ok(Some(found)),
        Found::Nothing(why) => say!("error: {shown} gives no feed: {why}; {all_the_same}"),
        Found::Blocked(why) => {
            say!("error: {shown} was not asked, and nothing was written: {why}");
            say!("if this machine is to ask there, write it to a file of feeds by hand:");
            for line in admitted(feed, config).lines() {
                say!("{line}");
            }
        }
        Found::Page(mut feeds) if feeds.len() == 1 => return Ok(feeds.pop()),
        Found::Page(feeds) if feeds.is_empty() => {
            say!("error: {shown} is a page, and no feed was found by it; {all_the_same}");
        }
        Found::Page(feeds) => {
            say!("error: {shown} is a page with {} feeds; add the one you want:", feeds.len());
            for found in feeds {
                say!("  {}", found_text(&found, feed));
            }
        }
    }
    Ok(None)
}

/// A feed that was found, on one line.
fn found_text(found: &FoundFeed, feed: &Feed) -> String {
    let title = found.title.as_ref().map(|title| format!(" \"{title}\"")).unwrap_or_default();
    let headline = found.headline.as_ref().map(|text| format!(", \"{text}\"")).unwrap_or_default();
    let articles = counted(found.entries, "article");
    format!("{}: {}{title}, {articles}{headline}", feed.shown(&found.url), found.format)
}

pub(super) fn import(args: &ImportArgs, config: &Config) -> anyhow::Result<Exit> {
    let file = &args.file;
    let bytes =
        std::fs::read(file).with_context(|| format!("could not read \"{}\"", file.display()))?;
    let name = file.display().to_string();
    let ImportedFeeds { feeds: found, disabled, problems } =
        import_opml(&name, &bytes, &config.feed_defaults);
    let mut target = Target::find(args.into.as_deref(), config)?;
    print_problems(&problems);
    if !problems.is_empty() && !args.partly {
        say!("nothing was written; mend the list, or give --partly to add the other feeds");
        return Ok(Exit::Failed);
    }
    let (added, skipped) = target.news(found);
    let mut out = anstream::stdout();
    let (count, path) = (counted(added.len(), "feed"), target.file.path.display().to_string());
    if !added.is_empty() {
        target.append(&added.iter().collect::<Vec<_>>(), &config.feed_defaults)?;
        for feed in added.iter().filter(|feed| disabled.contains(feed.url.as_str())) {
            target.file.disable(&feed.id);
        }
        target.file.write()?;
    }
    // A feed may have several, and a file that ends early has one for all that it leaves out.
    let (path, wrong) = (Shown(path), counted(problems.len(), "problem"));
    writeln!(out, "added {count} to {path}; skipped {skipped} listed already; {wrong}")?;
    let told = if added.is_empty() { Exit::Fine } else { target.end(&mut out, config)? };
    Ok(if problems.is_empty() { told } else { Exit::Failed })
}

pub(super) fn remove(ids: &[String], config: &Config) -> anyhow::Result<Exit> {
    change(ids, config, "removed", |file, index| file.remove(index))?;
    let mut out = anstream::stdout();
    writeln!(
        out,
        "the ledger keeps what it remembers: added again under its id, a feed goes on from there"
    )?;
    tell(&mut out, config)
}

pub(super) fn enable(ids: &[String], config: &Config) -> anyhow::Result<Exit> {
    change(ids, config, "enabled", |file, index| file.set(index, "enabled", None))?;
    tell(&mut anstream::stdout(), config)
}

pub(super) fn disable(ids: &[String], config: &Config) -> anyhow::Result<Exit> {
    change(ids, config, "disabled", FeedFile::disable_at)?;
    tell(&mut anstream::stdout(), config)
}

pub(super) fn rename(id: &str, publisher: &str, config: &Config) -> anyhow::Result<Exit> {
    let known = known(id, config)?;
    let raw = RawFeed {
        url: Some(known.url.to_string()),
        publisher: Some(publisher.to_owned()),
        ..RawFeed::default()
    };
    let feed = match config::read_feed(COMMAND_LINE, raw, &config.feed_defaults) {
        Ok(feed) => feed,
        Err(problems) => {
            print_problems(&problems);
            return Ok(Exit::Usage);
        }
    };
    let publisher = feed.publisher.unwrap_or_default();
    let ids = [id.to_owned()];
    change(&ids, config, "renamed the publisher of", |file, index| {
        file.set(index, "publisher", Some(publisher.clone().into()));
    })?;
    tell(&mut anstream::stdout(), config)
}

pub(super) fn relocate(id: &str, url: &str, trial: Trial, config: &Config) -> anyhow::Result<Exit> {
    let known = known(id, config)?;
    let raw = RawFeed { url: Some(url.to_owned()), ..RawFeed::default() };
    let read = match config::read_feed(COMMAND_LINE, raw, &config.feed_defaults) {
        Ok(read) => read,
        Err(problems) => {
            print_problems(&problems);
            return Ok(Exit::Usage);
        }
    };
    let mut feed = Feed { url: read.url, ..known.clone() };
    let mut out = anstream::stdout();
    if !trial.untried {
        let Some(found) = tried(&feed, config)? else { return Ok(Exit::Failed) };
        writeln!(out, "found {}", Shown(found_text(&found, &feed)))?;
        feed.url = found.url;
    }
    let others = config.feeds.iter().chain(&config.disabled).filter(|other| other.id != feed.id);
    if let Some(other) = others.into_iter().find(|other| other.url == feed.url) {
        bail!("{} is the address of \"{}\" already", feed.shown(&feed.url), other.id);
    }
    let ids = [id.to_owned()];
    change(&ids, config, "moved", |file, index| {
        // Without one, it would be another feed under another address.
        if !file.has(index, "id") {
            file.set(index, "id", Some(feed.id.as_str().into()));
        }
        file.set(index, "url", Some(feed.url.as_str().into()));
    })?;
    tell(&mut out, config)
}

/// The configured feed with this id, enabled or not.
fn known<'a>(id: &str, config: &'a Config) -> anyhow::Result<&'a Feed> {
    let mut feeds = config.feeds.iter().chain(&config.disabled);
    let Some(feed) = feeds.find(|feed| feed.id.as_str() == id) else {
        bail!("no feed has the id \"{id}\"; {}", hint(id, &config.feeds));
    };
    Ok(feed)
}

/// Changes each of these feeds where it stands; all of them or none, as far as one file goes.
fn change(
    ids: &[String],
    config: &Config,
    done: &str,
    change: impl Fn(&mut FeedFile, usize),
) -> anyhow::Result<()> {
    let feeds = ids.iter().map(|id| known(id, config)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut files = Vec::new();
    let mut opml = None;
    for path in config.feeds_from.iter().chain(&config.path) {
        if ListForm::of_file(&path.display().to_string()) == ListForm::Toml {
            files.push((FeedFile::read(path)?, Vec::new()));
        } else {
            opml = opml.or(Some(path));
        }
    }
    for feed in feeds {
        let found = files
            .iter_mut()
            .find_map(|(file, changed)| file.find(&feed.id).map(|index| (file, changed, index)));
        let Some((file, changed, index)) = found else {
            let by_url = config
                .lists
                .iter()
                .find(|list| list.feeds.as_ref().is_some_and(|feeds| feeds.contains(&feed.id)));
            if let Some(list) = by_url {
                bail!(
                    "\"{}\" stands in the list at {}, and is changed by whoever writes that",
                    feed.id,
                    list.shown()
                );
            }
            match opml {
                Some(path) => bail!(
                    "\"{}\" stands in no TOML file, perhaps in \"{}\"; change it there, or import that \
                     list with `conflictwire feeds import`",
                    feed.id,
                    path.display()
                ),
                None => bail!(
                    "\"{}\" stands in a list in brackets, `feed = [...]`; write each feed as a \
                     [[feed]] table",
                    feed.id
                ),
            }
        };
        change(file, index);
        changed.push(&feed.id);
    }
    let mut out = anstream::stdout();
    for (file, changed) in files.iter().filter(|(_, changed)| !changed.is_empty()) {
        file.write()?;
        for id in changed {
            writeln!(out, "{done} \"{id}\" in {}", Shown(file.path.display()))?;
        }
    }
    Ok(())
}

/// Tells the running daemon, and says what came of it.
fn tell(out: &mut impl Write, config: &Config) -> anyhow::Result<Exit> {
    // What it would refuse is said with its place; then it need not be asked.
    match config::load(config.path.as_deref()).and_then(Config::with_feeds) {
        Ok(_) => {}
        Err(ConfigError(problems)) => {
            print_problems(&problems);
            return Ok(Exit::Config);
        }
    }
    let Ok(running) = Running::of(config) else {
        writeln!(
            out,
            "a daemon that runs reads it {}, and `conflictwire run` starts one",
            when_read(config)
        )?;
        return Ok(Exit::Fine);
    };
    let Ok(answer) = running.reload() else {
        writeln!(
            out,
            "no daemon answers at admin.listen; one that runs reads it {}, and `conflictwire run` starts \
             one",
            when_read(config)
        )?;
        return Ok(Exit::Fine);
    };
    match came_of(&answer) {
        Some(Ok(text)) => writeln!(out, "{}", Shown(text))?,
        Some(Err(problems)) => {
            for problem in problems {
                say!("error: the daemon refuses the configuration: {problem}");
            }
            return Ok(Exit::Failed);
        }
        None => writeln!(out, "the daemon lets nobody ask; it reads it {}", when_read(config))?,
    }
    Ok(Exit::Fine)
}

fn when_read(config: &Config) -> String {
    match config.watch {
        Some(every) => format!("within {}", duration_text(every * 3)),
        None => "at SIGHUP".to_owned(),
    }
}

/// The file that feeds are added to.
#[derive(Debug)]
struct Target {
    file: FeedFile,
    /// Every feed that is configured or in the file.
    known: Vec<Feed>,
}

impl Target {
    /// The file that was named, else the first that the configuration names, else the
    /// configuration itself.
    fn find(named: Option<&Path>, config: &Config) -> anyhow::Result<Self> {
        let is_toml =
            |path: &&PathBuf| ListForm::of_file(&path.display().to_string()) == ListForm::Toml;
        let configured = config.feeds_from.iter().find(is_toml).or(config.path.as_ref());
        let Some(path) = named.or(configured.map(PathBuf::as_path)) else {
            bail!("{}", config::no_file_text());
        };
        let path = path.to_owned();
        let shown = path.display().to_string();
        if !is_toml(&&path) {
            let form = ListForm::of_file(&shown).name();
            bail!("\"{shown}\" is {form}; feeds are added to a TOML file");
        }
        let known = config.feeds.iter().chain(&config.disabled).cloned().collect();
        let mut target = Self { file: FeedFile::read(&path)?, known };
        if let Some(text) = target.file.before()
            && !target.is_listed(config)
        {
            let found = config::read_feeds(&shown, text.as_bytes(), &config.feed_defaults);
            target.known.extend(found.map_err(ConfigError)?);
        }
        Ok(target)
    }

    /// Whether the configuration reads the file.
    fn is_listed(&self, config: &Config) -> bool {
        let real = |path: &Path| path.canonicalize().ok();
        let here = real(&self.file.path);
        here.is_some()
            && config.feeds_from.iter().chain(&config.path).any(|path| real(path) == here)
    }

    fn refuse_known_url(&self, feed: &Feed) -> anyhow::Result<()> {
        match self.known.iter().find(|known| known.url == feed.url) {
            Some(known) => {
                bail!(
                    "{} is listed already, as \"{}\"; to change what it says, edit that entry",
                    feed.shown(&feed.url),
                    known.id
                )
            }
            None => Ok(()),
        }
    }

    /// What is not known yet, each once and with an id of its own, and how many were.
    fn news(&self, found: Vec<Feed>) -> (Vec<Feed>, usize) {
        let mut urls: HashSet<String> =
            self.known.iter().map(|feed| feed.url.to_string()).collect();
        let mut ids: HashSet<FeedId> = self.known.iter().map(|feed| feed.id.clone()).collect();
        let bar = progress(found.len(), "adding feeds");
        let total = found.len();
        let mut added = Vec::new();
        for feed in found {
            bar.inc(1);
            if !urls.insert(feed.url.to_string()) {
                continue;
            }
            let id = free_id(&feed.id, &ids);
            ids.insert(id.clone());
            added.push(Feed { id, ..feed });
        }
        bar.finish_and_clear();
        let skipped = total - added.len();
        (added, skipped)
    }

    /// Appends feeds to the text of the file; what is there stays as it is.
    fn append(&mut self, feeds: &[&Feed], defaults: &FeedDefaults) -> anyhow::Result<()> {
        let tables: String = feeds.iter().map(|feed| feed_table(feed, defaults)).collect();
        self.file.append(&tables)
    }

    /// Tells the daemon, or says what is left to do first.
    fn end(&self, out: &mut impl Write, config: &Config) -> anyhow::Result<Exit> {
        if self.is_listed(config) {
            return tell(out, config);
        }
        let configured = match &config.path {
            Some(path) => path.display().to_string(),
            None => "the configuration".to_owned(),
        };
        let path = Shown(self.file.path.display());
        writeln!(out, "add \"{path}\" to feeds_from in {}", Shown(configured))?;
        Ok(Exit::Fine)
    }
}

/// The id, or the first of `id-2`, `id-3`, … that is free.
fn free_id(id: &FeedId, taken: &HashSet<FeedId>) -> FeedId {
    if !taken.contains(id) {
        return id.clone();
    }
    let numbered = |number: usize| {
        let ending = format!("-{number}");
        let stem: String = id.as_str().chars().take(FeedId::LENGTH_MAX - ending.len()).collect();
        FeedId::parse(&format!("{stem}{ending}")).ok()
    };
    let free = (2..=taken.len() + 2).filter_map(numbered).find(|id| !taken.contains(id));
    free.expect("more numbers are tried than ids are taken")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{FEEDS, configured, reload};
    use super::*;
    use crate::config::export_opml;

    fn add_args(url: &str, id: Option<&str>) -> AddArgs {
        AddArgs {
            url: url.to_owned(),
            id: id.map(str::to_owned),
            publisher: Some("B \"and\" C".to_owned()),
            country: None,
            language: Some("uk".to_owned()),
            file: None,
            trial: Trial { untried: true },
        }
    }

    fn import_args(file: &Path) -> ImportArgs {
        ImportArgs { file: file.to_owned(), into: None, partly: false }
    }

    #[test]
    fn adding_keeps_what_is_there() {
        let (directory, config) = configured();
        assert_eq!(add(&add_args("https://b.example/rss", None), &config).unwrap(), Exit::Fine);
        let text = std::fs::read_to_string(directory.path().join("feeds.toml")).unwrap();
        let expected = "\n\n[[feed]]\nid = \"b.example-rss\"\nurl = \"https://b.example/rss\"\n\
                        publisher = 'B \"and\" C'\nlanguage = \"uk\"\n";
        assert_eq!(text, format!("{FEEDS}{expected}"));
        assert_eq!(reload(&directory).feeds.len(), 2);
    }

    #[test]
    fn what_is_listed_already_is_not_added() {
        let (directory, config) = configured();
        for args in [
            add_args("https://a.example/rss#top", None),
            add_args("https://b.example/rss", Some("a")),
        ] {
            assert!(add(&args, &config).is_err(), "{args:?}");
        }
        assert_eq!(add(&add_args("htp://b.example", None), &config).unwrap(), Exit::Usage);
        let text = std::fs::read_to_string(directory.path().join("feeds.toml")).unwrap();
        assert_eq!(text, FEEDS);
    }

    #[test]
    fn a_file_that_does_not_exist_is_made() {
        let (directory, config) = configured();
        let file = directory.path().join("more.toml");
        let args = AddArgs { file: Some(file.clone()), ..add_args("https://b.example/rss", None) };
        add(&args, &config).unwrap();
        // Not configured yet, and known all the same.
        assert!(add(&args, &config).is_err());
        assert!(std::fs::read_to_string(file).unwrap().starts_with("[[feed]]\n"));
    }

    #[test]
    fn feeds_are_not_added_to_what_would_not_be_toml_any_more() {
        let (directory, _) = configured();
        let main = directory.path().join("conflictwire.toml");
        std::fs::write(
            &main,
            "feed = [{ url = \"https://a.example/rss\" }]\n[admin]\nlisten = \"off\"",
        )
        .unwrap();
        let config = reload(&directory);
        let error = add(&add_args("https://b.example/rss", None), &config).unwrap_err();
        assert!(error.to_string().contains("would not be TOML"), "{error}");
        assert_eq!(reload(&directory).feeds.len(), 1);
    }

    #[test]
    fn what_is_exported_is_imported_once() {
        let (directory, config) = configured();
        let opml = directory.path().join("a.opml");
        let outlines: String = (0..5000)
            .map(|n| format!("<outline text=\"{n}\" xmlUrl=\"https://h{n}.example/rss\"/>\n"))
            .collect();
        let twice = "<outline xmlUrl=\"https://a.example/rss\"/><outline xmlUrl=\"htp://x\"/>";
        let text = format!("<opml><body>{outlines}{twice}{twice}</body></opml>");
        std::fs::write(&opml, text).unwrap();
        // Two cannot be read: nothing is written, unless that is what is asked for.
        assert_eq!(import(&import_args(&opml), &config).unwrap(), Exit::Failed);
        assert_eq!(reload(&directory).feeds.len(), 1);
        let partly = ImportArgs { partly: true, ..import_args(&opml) };
        assert_eq!(import(&partly, &config).unwrap(), Exit::Failed);
        let config = reload(&directory);
        assert_eq!(config.feeds.len(), 5001);

        std::fs::write(
            &opml,
            export_opml(config.feeds.iter().map(|feed| (feed, true)), &config.feed_defaults),
        )
        .unwrap();
        assert_eq!(import(&import_args(&opml), &config).unwrap(), Exit::Fine);
        assert_eq!(reload(&directory).feeds, config.feeds);

        let other = directory.path().join("other.toml");
        let bytes = std::fs::read(&opml).unwrap();
        let found = import_opml("a.opml", &bytes, &config.feed_defaults).feeds;
        let mut target = Target { file: FeedFile::read(&other).unwrap(), known: Vec::new() };
        let (news, skipped) = target.news(found);
        assert_eq!((&news, skipped), (&config.feeds, 0));
        target.append(&news.iter().collect::<Vec<_>>(), &config.feed_defaults).unwrap();
        target.file.write().unwrap();
        let bytes = std::fs::read(&other).unwrap();
        let read = config::read_feeds("other.toml", &bytes, &config.feed_defaults).unwrap();
        assert_eq!(read, config.feeds);
    }

    #[test]
    fn an_id_that_is_taken_gets_a_number() {
        let id = |text: &str| FeedId::parse(text).unwrap();
        let taken: HashSet<FeedId> = [id("a"), id("a-2"), id(&"x".repeat(128))].into();
        assert_eq!(free_id(&id("b"), &taken), id("b"));
        assert_eq!(free_id(&id("a"), &taken), id("a-3"));
        let cut = free_id(&id(&"x".repeat(128)), &taken);
        assert_eq!(cut, id(&format!("{}-2", "x".repeat(126))));
    }
}
