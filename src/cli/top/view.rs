//! Writes the screen into a buffer. Every state has a word and not only a colour.

use std::time::Duration;

use cw_model::Timestamp;
use cw_status::shown::shown;
use cw_status::spans::{distance_text, span_text};
use cw_status::status::REFUSED_TEXT;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Row, Table, Widget as _};
use strum::IntoEnumIterator as _;

use super::answers::{Commit, Feed, Host, Lane, Ledger, Status};
use super::screen::{Rows, Screen, Tab};

/// From so many columns on a terminal has room for everything.
const WIDE_COLUMNS: u16 = 100;

/// Which column of a feed says when it was polled.
const POLLED_COLUMN: usize = 2;

const GOOD: Style = Style::new().fg(Color::Green);
const RISKY: Style = Style::new().fg(Color::Yellow);
const BAD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
const QUIET: Style = Style::new().add_modifier(Modifier::DIM);
const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
const HERE: Style = Style::new().add_modifier(Modifier::REVERSED);

/// Writes the screen.
pub(super) fn draw(screen: &Screen, area: Rect, buffer: &mut Buffer) {
    let head = head(screen);
    let lines = u16::try_from(head.len()).unwrap_or(u16::MAX);
    let parts = [
        Constraint::Length(lines),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ];
    let [head_area, tabs_area, rows_area, keys_area] = Layout::vertical(parts).areas(area);
    for (line, row) in head.into_iter().zip(head_area.rows()) {
        line.render(row, buffer);
    }
    tabs(screen).render(tabs_area, buffer);
    rows(screen, rows_area, buffer);
    keys(screen).render(keys_area, buffer);
}

/// A part of the buffer as text, without the empty lines at its end.
pub(super) fn lines(buffer: &Buffer, area: Rect) -> Vec<String> {
    let mut lines: Vec<String> = area
        .rows()
        .map(|row| {
            let cells = row.columns().filter_map(|cell| buffer.cell((cell.x, cell.y)));
            let line: String = cells.map(ratatui::buffer::Cell::symbol).collect();
            line.trim_end().to_owned()
        })
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// How the whole program stands.
fn head(screen: &Screen) -> Vec<Line<'static>> {
    let Some(answers) = &screen.answers else { return Vec::new() };
    let status = &answers.status;
    let (ready, style) =
        if status.why_not_ready.is_none() { ("ready", GOOD) } else { ("not ready", BAD) };
    let up = span_text(Duration::from_secs(status.uptime_seconds));
    let mut lines = vec![
        Line::from_iter([
            Span::styled("conflictwire ", STRONG),
            Span::raw(format!("{} at {}, ", status.version, screen.address)),
            Span::styled(ready, style),
            Span::raw(format!(", up {up}; {} {}", status.ledger.kind, shown(&status.ledger.place))),
        ]),
        feeds_line(status),
        lately_line(status),
    ];
    lines.extend(replicas_line(&status.ledger));
    let troubles = [
        screen.problem.clone(),
        status.why_not_ready.clone(),
        status.ledger.trouble.clone(),
        (status.configuration == "refused").then(|| REFUSED_TEXT.to_owned()),
    ];
    let lists = status.lists.iter().filter_map(|list| {
        let why = list.why.as_ref()?;
        Some(format!("the list of feeds at {} is not taken, the one before stays: {why}", list.url))
    });
    let mut told: Vec<String> = Vec::new();
    for trouble in troubles.into_iter().flatten().chain(lists) {
        let trouble = shown(&trouble).into_owned();
        if !told.contains(&trouble) {
            lines.push(Line::styled(format!("! {trouble}"), BAD));
            told.push(trouble);
        }
    }
    lines
}

/// Who else shares the lanes: what is shown below is this replica's alone.
fn replicas_line(ledger: &Ledger) -> Option<Line<'static>> {
    let all = ledger.replicas.as_deref().unwrap_or_default();
    let others: Vec<String> = all
        .iter()
        .filter(|one| !one.is_self)
        .map(|one| {
            let place = one.address.as_deref().unwrap_or(&one.name);
            format!("{} ({} lanes)", shown(place), one.lanes.len())
        })
        .collect();
    if all.len() > 1 {
        return Some(Line::raw(format!("{} replicas; also {}", all.len(), others.join(", "))));
    }
    ledger.unseen.as_ref().map(|why| Line::raw(shown(why).into_owned()))
}

fn feeds_line(status: &Status) -> Line<'static> {
    let feeds = &status.feeds;
    let mut spans = vec![Span::raw(format!("{} feeds: ", feeds.total))];
    for (count, name) in [
        (feeds.fine, "fine"),
        (feeds.failing, "failing"),
        (feeds.crashed, "crashed"),
        (feeds.gone, "gone"),
        (feeds.new, "new"),
    ] {
        let style = if count == 0 { QUIET } else { of_state(name) };
        spans.push(Span::styled(format!("{count} {name}  "), style));
    }
    let late = Duration::from_secs(feeds.overdue_seconds);
    let late =
        if late.is_zero() { String::new() } else { format!(", the latest by {}", span_text(late)) };
    spans.push(Span::raw(format!("{} due{late}; {} polling", feeds.due, feeds.polls_in_flight)));
    Line::from(spans)
}

fn lately_line(status: &Status) -> Line<'static> {
    let last = &status.last_minutes;
    let failed = Span::styled(
        format!("{} failed", last.failed),
        if last.failed == 0 { QUIET } else { RISKY },
    );
    Line::from_iter([
        Span::raw(format!("last {} min: {} polls, ", last.minutes, last.polls)),
        failed,
        Span::raw(format!(", {} revisions, {} about conflict", last.records, last.relevant)),
    ])
}

fn tabs(screen: &Screen) -> Line<'static> {
    let wanted = screen.wanted();
    let mut spans = Vec::new();
    for (tab, number) in Tab::iter().zip(1..) {
        let style = if tab == wanted.tab { HERE } else { QUIET };
        spans.push(Span::styled(format!(" {number} {tab} "), style));
        spans.push(Span::raw(" "));
    }
    let mut told = Vec::new();
    told.extend(total(screen).map(|total| format!("{total} in all")));
    told.extend(wanted.sort_name().map(|sort| format!("by {}", sort.replace('_', " "))));
    if !wanted.state_name().is_empty() && wanted.tab == Tab::Feeds {
        told.push(format!("only {}", wanted.state_name()));
    }
    if screen.is_typing || !wanted.search.is_empty() {
        let cursor = if screen.is_typing { "▏" } else { "" };
        told.push(format!("with \"{}{cursor}\"", shown(&wanted.search)));
    }
    spans.push(Span::raw(told.join(", ")));
    Line::from(spans)
}

/// How many rows there are, those that are not shown too.
fn total(screen: &Screen) -> Option<usize> {
    match &screen.answers.as_ref()?.rows {
        Rows::Feeds(feeds) => Some(feeds.total),
        Rows::Hosts(hosts) => Some(hosts.total),
        Rows::Lanes(lanes) => Some(lanes.total),
        Rows::None => None,
    }
}

fn rows(screen: &Screen, area: Rect, buffer: &mut Buffer) {
    let now = screen.answers.as_ref().map(|answers| answers.status.at).unwrap_or_default();
    let tab = screen.wanted().tab;
    match (tab, screen.answers.as_ref().map(|answers| &answers.rows)) {
        (Tab::Feeds, Some(Rows::Feeds(feeds))) => {
            // On a narrow terminal the reason is worth more than when it was polled last.
            let is_narrow = area.width < WIDE_COLUMNS;
            let is_kept = |column: &usize| *column != POLLED_COLUMN || !is_narrow;
            let row = |feed| {
                let cells = feed_cells(feed, now).into_iter().enumerate();
                Row::new(cells.filter(|(column, _)| is_kept(column)).map(|(_, cell)| cell))
            };
            let shown = feeds.feeds.iter().skip(screen.scroll).map(row);
            // No wider than what stands in them, so that the reason keeps most of a narrow terminal.
            let widest = |text: fn(&Feed) -> usize, least: usize, most: usize| {
                let widest = feeds.feeds.iter().map(text).max().unwrap_or(0).clamp(least, most);
                u16::try_from(widest).unwrap_or(u16::MAX)
            };
            let ids = widest(|feed| feed.id.chars().count(), 4, if is_narrow { 18 } else { 26 });
            let states = widest(|feed| state_text(feed).chars().count(), 5, 22);
            let columns = [ids, states, 10, 9].map(Constraint::Max).into_iter().enumerate();
            let columns = columns.filter(|(column, _)| is_kept(column)).map(|(_, width)| width);
            let header = ["feed", "state", "polled", "next", "because"].into_iter().enumerate();
            let header = header.filter(|(column, _)| is_kept(column)).map(|(_, name)| name);
            table(header, columns, shown.collect()).render(area, buffer);
        }
        (Tab::Hosts, Some(Rows::Hosts(hosts))) => {
            let shown = hosts.hosts.iter().skip(screen.scroll).map(|host| host_row(host, now));
            let columns = [36, 7, 7, 7, 7].map(Constraint::Max);
            let header = ["host", "feeds", "fine", "failing", "gone", "next"];
            table(header, columns, shown.collect()).render(area, buffer);
        }
        (Tab::Lanes, Some(Rows::Lanes(lanes))) => {
            let shown = lanes.lanes.iter().skip(screen.scroll).map(lane_row);
            let columns = [6, 14, 8].map(Constraint::Max);
            let header = ["lane", "state", "feeds", "why"];
            table(header, columns, shown.collect()).render(area, buffer);
        }
        (Tab::Commits, _) if screen.commits.is_empty() => {
            Line::styled("nothing was committed since this was opened", QUIET).render(area, buffer);
        }
        (Tab::Commits, _) => {
            let shown = screen.commits.iter().skip(screen.scroll).map(|one| commit_row(one, now));
            let columns = [11, 28, 16, 9, 14].map(Constraint::Max);
            let header = ["when", "feed", "answer", "revisions", "about conflict", "rejects"];
            table(header, columns, shown.collect()).render(area, buffer);
        }
        // The answer is on its way.
        (Tab::Feeds | Tab::Hosts | Tab::Lanes, _) => {}
    }
}

/// A table whose last column takes what is left.
fn table(
    header: impl IntoIterator<Item = &'static str>,
    columns: impl IntoIterator<Item = Constraint>,
    rows: Vec<Row<'static>>,
) -> Table<'static> {
    let columns = columns.into_iter().chain([Constraint::Fill(1)]);
    Table::new(rows, columns).header(Row::new(header).style(QUIET)).column_spacing(1)
}

fn feed_cells(feed: &Feed, now: Timestamp) -> [Span<'static>; 5] {
    let next = if feed.polling { "now".to_owned() } else { distance(feed.next_poll_at, now) };
    let state = state_text(feed);
    let because = feed.because.as_deref().map(shown).unwrap_or_default();
    [
        Span::raw(shown(&feed.id).into_owned()),
        Span::styled(state, of_state(&feed.state)),
        Span::raw(distance(feed.polled_at, now)),
        Span::raw(next),
        Span::styled(because.into_owned(), QUIET),
    ]
}

/// How a feed stands, with why it fails and how often it has.
fn state_text(feed: &Feed) -> String {
    match &feed.failure {
        Some(failure) if feed.failures > 0 => {
            format!("{}: {failure}, {}", feed.state, feed.failures)
        }
        Some(_) | None => feed.state.clone(),
    }
}

fn host_row(host: &Host, now: Timestamp) -> Row<'static> {
    let count = |count: usize, name| {
        let style = if count == 0 { QUIET } else { of_state(name) };
        Span::styled(count.to_string(), style)
    };
    let next = match host.polling {
        0 => distance(host.next_poll_at, now),
        polling => format!("{polling} now"),
    };
    Row::new([
        Span::raw(shown(&host.host).into_owned()),
        Span::raw(host.feeds.to_string()),
        count(host.fine, "fine"),
        count(host.failing, "failing"),
        count(host.gone, "gone"),
        Span::raw(next),
    ])
}

fn lane_row(lane: &Lane) -> Row<'static> {
    let style = if lane.state == "owned" { GOOD } else { RISKY };
    Row::new([
        Span::raw(lane.lane.to_string()),
        Span::styled(lane.state.clone(), style),
        Span::raw(lane.feeds.to_string()),
        Span::raw(lane.why.as_deref().map(shown).unwrap_or_default().into_owned()),
    ])
}

fn commit_row(commit: &Commit, now: Timestamp) -> Row<'static> {
    let answer = commit.class.as_ref().unwrap_or(&commit.result).replace('_', " ");
    let style = if commit.class.is_some() { RISKY } else { Style::new() };
    let count = |count: u64| if count == 0 { String::new() } else { count.to_string() };
    Row::new([
        Span::raw(distance(Some(commit.at), now.max(commit.at))),
        Span::raw(shown(&commit.feed).into_owned()),
        Span::styled(answer, style),
        Span::raw(count(commit.records)),
        Span::styled(count(commit.relevant), STRONG),
        Span::raw(count(commit.rejects)),
    ])
}

fn keys(screen: &Screen) -> Line<'static> {
    let keys = if screen.is_typing {
        "letters of a feed, host or publisher  ⏎ done  Esc leave"
    } else {
        "q quit  Tab view  s order  f state  / find  ↑↓ scroll"
    };
    Line::styled(keys, QUIET)
}

/// How a feed's state is coloured.
fn of_state(state: &str) -> Style {
    match state {
        "fine" => GOOD,
        "failing" => RISKY,
        "crashed" => BAD,
        _ => Style::new(),
    }
}

/// How far a moment is away; empty if there is none.
fn distance(at: Option<Timestamp>, now: Timestamp) -> String {
    at.map_or_else(String::new, |at| distance_text(at, now))
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::{KeyCode, KeyEvent};
    use serde_json::json;

    use super::super::screen::Answers;
    use super::*;

    fn status() -> serde_json::Value {
        json!({
            "version": "1.2.3", "at": "2026-03-02T12:30:00Z", "uptime_seconds": 7300,
            "ready": true, "why_not_ready": null, "configuration": "in_use",
            "feeds": { "total": 3, "new": 0, "fine": 1, "failing": 2, "crashed": 0, "gone": 0,
                       "due": 1, "over_quota": 0, "overdue_seconds": 90, "polls_in_flight": 1 },
            "ledger": { "kind": "sqlite", "place": "/var/lib/x.sqlite", "bytes": 1, "group": null,
                        "trouble": null, "lanes_by_state": {} },
            "last_minutes": { "minutes": 5, "polls": 40, "failed": 2, "records": 12, "relevant": 3 },
        })
    }

    fn feed(id: &str, state: &str, failure: Option<&str>) -> serde_json::Value {
        json!({
            "id": id, "state": state, "polling": false, "next_poll_at": "2026-03-02T12:35:00Z",
            "because": "its interval is over then", "polled_at": "2026-03-02T12:20:00Z",
            "failures": if failure.is_some() { 4 } else { 0 }, "failure": failure,
        })
    }

    fn screen() -> Screen {
        let mut screen = Screen::new("127.0.0.1:9273".to_owned());
        let feeds = json!({ "total": 2, "feeds": [
            feed("harbour", "failing", Some("timeout")), feed("meridian", "fine", None),
        ]});
        let rows = Rows::Feeds(serde_json::from_value(feeds).unwrap());
        let status = serde_json::from_value(status()).unwrap();
        screen.answered(Ok(Answers { status, rows }));
        screen
    }

    fn drawn(screen: &Screen, columns: u16) -> String {
        let area = Rect::new(0, 0, columns, 12);
        let mut buffer = Buffer::empty(area);
        draw(screen, area, &mut buffer);
        lines(&buffer, area).join("\n")
    }

    fn press(screen: &mut Screen, code: KeyCode) -> bool {
        screen.press(KeyEvent::from(code)).is_continue()
    }

    #[test]
    fn one_look_tells_how_all_stands_and_why_a_feed_waits() {
        let text = drawn(&screen(), 100);
        for part in [
            "conflictwire 1.2.3 at 127.0.0.1:9273, ready, up 2 h; sqlite /var/lib/x.sqlite",
            "3 feeds: 1 fine  2 failing  0 crashed  0 gone  0 new  1 due, the latest by 90 s; 1 polling",
            "last 5 min: 40 polls, 2 failed, 12 revisions, 3 about conflict",
            "2 in all, by failures",
            "failing: timeout, 4",
            "its interval is over then",
            "10 min ago",
            "in 5 min",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn other_replicas_and_a_list_that_is_not_taken_are_told() {
        let mut told = status();
        told["lists"] = json!([
            { "url": "https://a.example/fine", "why": null },
            { "url": "https://a.example/list", "why": "it has no feed to poll" },
        ]);
        let replica = |name: &str, address: Option<&str>, is_self: bool, lanes: &[u32]| json!({ "name": name, "address": address, "self": is_self, "lanes": lanes });
        told["ledger"]["replicas"] = json!([
            replica("a", Some("10.0.0.1:9273"), true, &[0]),
            replica("b", Some("10.0.0.2:9273"), false, &[1, 2]),
            replica("c\u{1b}[2J", None, false, &[]),
        ]);
        let drawn_of = |told: &serde_json::Value| {
            let rows =
                Rows::Feeds(serde_json::from_value(json!({ "total": 0, "feeds": [] })).unwrap());
            let status = serde_json::from_value(told.clone()).unwrap();
            let mut screen = screen();
            screen.answered(Ok(Answers { status, rows }));
            drawn(&screen, 120)
        };
        let text = drawn_of(&told);
        for part in [
            "3 replicas; also 10.0.0.2:9273 (2 lanes), c",
            "! the list of feeds at https://a.example/list is not taken, the one before stays: it has no feed",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("a.example/fine") && !text.contains('\u{1b}'), "{text}");
        told["ledger"]["replicas"] = serde_json::Value::Null;
        told["ledger"]["unseen"] = "other replicas are not known: x".into();
        assert!(drawn_of(&told).contains("other replicas are not known: x"));
    }

    #[test]
    fn a_daemon_that_stops_answering_is_told_and_its_last_words_stay() {
        let mut screen = screen();
        screen.answered(Err(anyhow::anyhow!("no daemon answers\u{1b}[2J")));
        let text = drawn(&screen, 80);
        assert!(text.contains("! no daemon answers") && text.contains("harbour"), "{text}");
        assert!(!text.contains('\u{1b}'), "nothing steers the terminal");
    }

    #[test]
    fn a_narrow_terminal_shows_why_before_when() {
        let (narrow, wide) = (drawn(&screen(), 80), drawn(&screen(), 120));
        assert!(
            narrow.contains("its interval is over then") && !narrow.contains("polled  "),
            "{narrow}"
        );
        assert!(wide.contains("its interval is over then") && wide.contains("polled  "), "{wide}");
    }

    #[test]
    fn keys_choose_what_is_asked_for() {
        let mut screen = screen();
        assert_eq!(screen.wanted().sort_name(), Some("failures"));
        assert!(press(&mut screen, KeyCode::Char('s')) && press(&mut screen, KeyCode::Char('f')));
        assert_eq!(
            (screen.wanted().sort_name(), screen.wanted().state_name()),
            (Some("next_poll"), "failing")
        );
        assert!(press(&mut screen, KeyCode::Char('/')) && press(&mut screen, KeyCode::Char('q')));
        assert_eq!(screen.wanted().search, "q", "a letter, and no command");
        assert!(press(&mut screen, KeyCode::Enter) && press(&mut screen, KeyCode::Esc));
        assert_eq!(screen.wanted().search, "", "what was looked for is left first");
        assert!(press(&mut screen, KeyCode::Tab));
        assert_eq!(screen.wanted().tab, Tab::Hosts);
        assert!(!press(&mut screen, KeyCode::Char('q')), "it ends");
    }

    #[test]
    fn any_size_of_a_terminal_is_drawn_on() {
        let mut screen = screen();
        let commit = json!({ "at": "2026-03-02T12:30:01Z", "feed": "harbour", "result": "modified",
            "class": null, "records": 2, "relevant": 1, "rejects": 0 });
        screen.committed(serde_json::from_value(commit).unwrap());
        for tab in ['1', '2', '3', '4'] {
            assert!(press(&mut screen, KeyCode::Char(tab)));
            for (columns, lines) in [(1, 1), (20, 5), (80, 24), (300, 100)] {
                let area = Rect::new(0, 0, columns, lines);
                draw(&screen, area, &mut Buffer::empty(area));
            }
        }
        assert!(drawn(&screen, 100).contains("harbour"), "a commit");
    }
}
