//! The running daemon on a terminal: what the status page shows, for whoever is logged in.
//!
//! ```text
//! asker ─┐ answers of /api, every two seconds and when the view changes
//! follower ─┤ commits of /api/events                                    ──▶ Screen ──▶ view ──▶ terminal
//! terminal ─┘ keys
//! ```
//!
//! The screen (`screen`) is a value that answers and keys change; `view` writes it into a buffer. Neither
//! asks anybody, so a daemon that hangs never holds up a key.

mod answers;
mod screen;
mod view;

use std::io::{IsTerminal as _, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::{Context as _, bail};
use cw_status::shown::Shown;
use ratatui::DefaultTerminal;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::layout::Rect;

use self::screen::{Answers, Screen, Wanted};
use super::Exit;
use super::running::Running;
use super::show::Medium;
use crate::config;

/// How often the daemon is asked: its own look at its feeds is kept for a second.
const INTERVAL: Duration = Duration::from_secs(2);

/// How long a key is waited for before the screen is drawn again: times on it count down.
const TURN: Duration = Duration::from_millis(250);

/// How long to wait before commits are followed again after the stream has broken.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Lines that `--once` writes at most: a screen on paper.
const ONCE_LINES: u16 = 40;

/// Shows the running daemon on the terminal.
#[derive(Debug, clap::Args)]
pub struct TopArgs {
    /// Print one look as text and end: for a pipe, or a terminal that is none
    #[arg(long)]
    once: bool,
}

/// What has happened.
enum Happening {
    Answered(Box<anyhow::Result<Answers>>),
    Committed(answers::Commit),
}

/// Runs the command.
///
/// # Errors
/// Nobody answers at the configured address, none is configured, or there is no terminal.
pub fn run(args: &TopArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let daemon = Running::of(&config::load(config)?)?;
    let mut screen = Screen::new(daemon.address().to_string());
    // The first look is waited for: what is wrong then is an error of the command.
    screen.answered(Ok(Answers::ask(&daemon, &screen.wanted())?));
    if args.once {
        return print(&screen);
    }
    if !std::io::stdout().is_terminal() {
        bail!(
            "standard output is no terminal; `conflictwire top --once` prints one look, and \
             http://{}/api/status has it as JSON",
            daemon.address()
        );
    }
    let terminal = ratatui::try_init().context("the terminal cannot be set up")?;
    let ended = show(terminal, screen, &daemon);
    ratatui::restore();
    ended.map(|()| Exit::Fine)
}

/// One look, as text.
fn print(screen: &Screen) -> anyhow::Result<Exit> {
    let columns = match Medium::of_stdout() {
        Medium::Terminal { columns } => u16::try_from(columns).unwrap_or(u16::MAX),
        Medium::Pipe => 100,
    };
    let area = Rect::new(0, 0, columns, ONCE_LINES);
    let mut buffer = Buffer::empty(area);
    view::draw(screen, area, &mut buffer);
    // Nobody presses a key on paper.
    let without_keys = Rect { height: ONCE_LINES - 1, ..area };
    let mut out = anstream::stdout().lock();
    for line in view::lines(&buffer, without_keys) {
        writeln!(out, "{line}")?;
    }
    Ok(Exit::Fine)
}

/// Draws the screen and takes keys until somebody quits.
fn show(mut terminal: DefaultTerminal, mut screen: Screen, daemon: &Running) -> anyhow::Result<()> {
    let (tell, happenings) = channel();
    let (want, wanted) = channel();
    let asker = (daemon.clone(), tell.clone());
    std::thread::spawn(move || ask_on(&asker.0, &wanted, &asker.1));
    let follower = daemon.clone();
    std::thread::spawn(move || follow_on(&follower, &tell));
    loop {
        for happening in happenings.try_iter() {
            match happening {
                Happening::Answered(answers) => screen.answered(*answers),
                Happening::Committed(commit) => screen.committed(commit),
            }
        }
        terminal.draw(|frame| view::draw(&screen, frame.area(), frame.buffer_mut()))?;
        if !event::poll(TURN)? {
            continue;
        }
        let before = screen.wanted();
        if let Event::Key(key) = event::read()?
            && key.kind != KeyEventKind::Release
            && screen.press(key).is_break()
        {
            return Ok(());
        }
        if screen.wanted() != before {
            // Whoever asks ends with the process.
            let _unheard = want.send(screen.wanted());
        }
    }
}

/// Asks again and again, at once when something else is wanted.
fn ask_on(daemon: &Running, wanted: &Receiver<Wanted>, tell: &Sender<Happening>) {
    let mut now = Wanted::default();
    loop {
        match wanted.recv_timeout(INTERVAL) {
            // Keys come faster than answers: only the last counts.
            Ok(first) => now = wanted.try_iter().last().unwrap_or(first),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let answers = Box::new(Answers::ask(daemon, &now));
        if tell.send(Happening::Answered(answers)).is_err() {
            return;
        }
    }
}

/// Follows commits, again whenever the stream has ended.
#[expect(
    clippy::disallowed_methods,
    reason = "a thread of this command, which waits for nothing else"
)]
fn follow_on(daemon: &Running, tell: &Sender<Happening>) {
    loop {
        let mut is_over = false;
        // That nobody answers is seen where the daemon is asked.
        let _ended = daemon.follow("/api/events", |data| {
            let Ok(commit) = serde_json::from_str(data) else { return ControlFlow::Continue(()) };
            is_over = tell.send(Happening::Committed(commit)).is_err();
            if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if is_over {
            return;
        }
        std::thread::sleep(AGAIN_AFTER);
    }
}

/// An error for the screen, which has one line for it.
fn in_a_line(error: &anyhow::Error) -> String {
    Shown(format_args!("{error:#}")).to_string()
}
