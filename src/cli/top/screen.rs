//! What the terminal shows, and what answers and keys do to it. Pure.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use url::form_urlencoded::byte_serialize;

use super::answers::{Commit, Feeds, Hosts, Lanes, Status};
use super::in_a_line;
use crate::cli::running::Running;

/// Commits that are kept to be shown.
const COMMITS_MAX: usize = 200;

/// Rows that are asked for: more than any terminal has lines for.
const ROWS: usize = 200;

/// The longest text to look for, characters.
const SEARCH_CHARS_MAX: usize = 60;

/// What fills the screen below its head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumIter, strum::Display)]
pub(super) enum Tab {
    #[default]
    Feeds,
    Hosts,
    Lanes,
    Commits,
}

impl Tab {
    fn next(self) -> Self {
        match self {
            Self::Feeds => Self::Hosts,
            Self::Hosts => Self::Lanes,
            Self::Lanes => Self::Commits,
            Self::Commits => Self::Feeds,
        }
    }

    /// Sort orders of its rows, as the API names them.
    fn sorts(self) -> &'static [&'static str] {
        match self {
            Self::Feeds => &["failures", "next_poll", "polled", "id"],
            Self::Hosts => &["trouble", "feeds", "host"],
            Self::Lanes | Self::Commits => &[],
        }
    }
}

/// The states by which feeds are picked, in the order of the key.
const STATES: [&str; 8] = ["", "failing", "crashed", "gone", "new", "fine", "due", "polling"];

/// What the daemon is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) tab: Tab,
    pub(super) sort: usize,
    pub(super) state: usize,
    pub(super) search: String,
}

impl Wanted {
    /// The name of the order of rows, if there is a choice.
    pub(super) fn sort_name(&self) -> Option<&'static str> {
        let sorts = self.tab.sorts();
        sorts.get(self.sort % sorts.len().max(1)).copied()
    }

    /// The state by which feeds are picked; empty for all.
    pub(super) fn state_name(&self) -> &'static str {
        STATES.get(self.state % STATES.len()).copied().unwrap_or_default()
    }

    /// The path of the API that has its rows; `None` for commits, which come by themselves.
    fn path(&self) -> Option<String> {
        let sort = self.sort_name().unwrap_or_default();
        let search: String = byte_serialize(self.search.as_bytes()).collect();
        match self.tab {
            Tab::Feeds => {
                let state = self.state_name();
                Some(format!("/api/feeds?limit={ROWS}&sort={sort}&state={state}&q={search}"))
            }
            Tab::Hosts => Some(format!("/api/hosts?limit={ROWS}&sort={sort}&q={search}")),
            Tab::Lanes => Some("/api/lanes".to_owned()),
            Tab::Commits => None,
        }
    }
}

/// Rows of a tab.
#[derive(Clone, Debug)]
pub(super) enum Rows {
    Feeds(Feeds),
    Hosts(Hosts),
    Lanes(Lanes),
    None,
}

/// What the daemon answered.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) status: Status,
    pub(super) rows: Rows,
}

impl Answers {
    /// Asks for what is wanted.
    ///
    /// # Errors
    /// See [`Running::api`].
    pub(super) fn ask(daemon: &Running, wanted: &Wanted) -> anyhow::Result<Self> {
        let status = daemon.api("/api/status")?;
        let rows = match (wanted.tab, wanted.path()) {
            (Tab::Feeds, Some(path)) => Rows::Feeds(daemon.api(&path)?),
            (Tab::Hosts, Some(path)) => Rows::Hosts(daemon.api(&path)?),
            (Tab::Lanes, Some(path)) => Rows::Lanes(daemon.api(&path)?),
            (Tab::Feeds | Tab::Hosts | Tab::Lanes | Tab::Commits, _) => Rows::None,
        };
        Ok(Self { status, rows })
    }
}

/// The screen.
#[derive(Clone, Debug)]
pub(super) struct Screen {
    /// Where the daemon answers.
    pub(super) address: String,
    wanted: Wanted,
    /// The first row that is shown.
    pub(super) scroll: usize,
    /// Whether keys are letters of what is looked for.
    pub(super) is_typing: bool,
    /// The last answers; older than `problem`, if there is one.
    pub(super) answers: Option<Answers>,
    /// Why the last question was not answered.
    pub(super) problem: Option<String>,
    /// The newest first.
    pub(super) commits: VecDeque<Commit>,
}

impl Screen {
    /// A screen before anybody was asked.
    pub(super) fn new(address: String) -> Self {
        Self {
            address,
            wanted: Wanted::default(),
            scroll: 0,
            is_typing: false,
            answers: None,
            problem: None,
            commits: VecDeque::new(),
        }
    }

    /// What the daemon is to be asked for.
    pub(super) fn wanted(&self) -> Wanted {
        self.wanted.clone()
    }

    /// The daemon was asked.
    pub(super) fn answered(&mut self, answers: anyhow::Result<Answers>) {
        match answers {
            Ok(answers) => {
                self.answers = Some(answers);
                self.problem = None;
            }
            Err(error) => self.problem = Some(in_a_line(&error)),
        }
    }

    /// Something was committed.
    pub(super) fn committed(&mut self, commit: Commit) {
        self.commits.push_front(commit);
        self.commits.truncate(COMMITS_MAX);
    }

    /// A key was pressed; breaks if it ends the program.
    pub(super) fn press(&mut self, key: KeyEvent) -> ControlFlow<()> {
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return ControlFlow::Break(());
        }
        if self.is_typing {
            self.type_key(key.code);
            return ControlFlow::Continue(());
        }
        match key.code {
            KeyCode::Char('q') => return ControlFlow::Break(()),
            KeyCode::Esc if self.wanted.search.is_empty() => return ControlFlow::Break(()),
            KeyCode::Esc => self.wanted.search.clear(),
            KeyCode::Tab => self.turn_to(self.wanted.tab.next()),
            KeyCode::Char('1') => self.turn_to(Tab::Feeds),
            KeyCode::Char('2') => self.turn_to(Tab::Hosts),
            KeyCode::Char('3') => self.turn_to(Tab::Lanes),
            KeyCode::Char('4') => self.turn_to(Tab::Commits),
            KeyCode::Char('s') => self.wanted.sort = self.wanted.sort.wrapping_add(1),
            KeyCode::Char('f') if self.wanted.tab == Tab::Feeds => {
                self.wanted.state = self.wanted.state.wrapping_add(1);
                self.scroll = 0;
            }
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Up | KeyCode::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.scroll_down(1),
            KeyCode::PageUp => self.scroll = self.scroll.saturating_sub(20),
            KeyCode::PageDown => self.scroll_down(20),
            KeyCode::Home => self.scroll = 0,
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn turn_to(&mut self, tab: Tab) {
        self.wanted = Wanted { tab, ..Wanted::default() };
        self.scroll = 0;
    }

    fn type_key(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Esc => {
                self.is_typing = false;
                self.wanted.search.clear();
            }
            KeyCode::Backspace => {
                self.wanted.search.pop();
            }
            KeyCode::Char(char) if self.wanted.search.chars().count() < SEARCH_CHARS_MAX => {
                self.wanted.search.push(char);
            }
            _ => {}
        }
        self.scroll = 0;
    }

    fn scroll_down(&mut self, rows: usize) {
        self.scroll = (self.scroll + rows).min(self.rows().saturating_sub(1));
    }

    /// How many rows the tab has.
    fn rows(&self) -> usize {
        match self.answers.as_ref().map(|answers| &answers.rows) {
            _ if self.wanted.tab == Tab::Commits => self.commits.len(),
            Some(Rows::Feeds(feeds)) => feeds.feeds.len(),
            Some(Rows::Hosts(hosts)) => hosts.hosts.len(),
            Some(Rows::Lanes(lanes)) => lanes.lanes.len(),
            Some(Rows::None) | None => 0,
        }
    }
}
