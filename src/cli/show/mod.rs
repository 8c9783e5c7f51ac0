//! How a record looks to a person: `tail`, `demo`, and `poll` on a terminal.
//!
//! ```text
//! ● Moscow offers a Syria truce from 1 March, Washington wants it now
//!   2016-02-11 18:42 · meridian-world · en · http://wire.meridian.example/world/2016/02/11/syria
//!   strike.air       In Aleppo, “air strikes” hit two hospitals in the northern districts…
//!   killed 12+ (event) · killed 250,000+ (background)
//! ```
//!
//! The layout is the same everywhere; colour, cutting to the width and isolation of text that reads
//! from right to left are for terminals only. Whoever gives the writer decides about colour:
//! through `anstream` it vanishes where it is not wanted.

mod casualties;
mod who;
mod snippet;
pub mod text;

use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style as Paint};
use cw_model::Record;
use cw_model::record::{RecordChange, RecordConflict, RecordDateQuality, RecordField, RecordTag};
use cw_status::shown::printable;

use self::casualties::casualties_text;
use self::snippet::{Look, snippet};
use self::text::Text;

/// Columns where nobody says how many there are.
const COLUMNS: usize = 100;

/// Narrower terminals are written to as if they had this many: below it nothing lines up anyway.
const COLUMNS_MIN: usize = 40;

/// Tags shown with their words in [`Detail::Brief`]; the rest are named.
const BRIEF_TAGS: usize = 3;

/// Pieces of evidence shown for each tag in [`Detail::Full`].
const FULL_EVIDENCE: usize = 3;

/// Room for a tag's id; more where a record has a longer one, so that its words line up.
const TAG_COLUMNS: usize = 18;

/// Quiet text.
pub const QUIET: Paint = Paint::new().dimmed();

/// Headlines.
pub const STRONG: Paint = Paint::new().bold();

/// What is being written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// A screen of so many columns.
    Terminal {
        /// Its width.
        columns: usize,
    },
    /// A pipe or file: no escapes, whole headlines, the same bytes every time.
    Pipe,
}

/// How much of a record is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// One line.
    Line,
    /// The best tags with their words, the other tags by name.
    Brief,
    /// Every tag with its words, and the teaser.
    Full,
}

/// How a record is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Where.
    pub medium: Medium,
    /// How much.
    pub detail: Detail,
}

impl Medium {
    /// Standard output as it is.
    pub fn of_stdout() -> Self {
        if !std::io::stdout().is_terminal() {
            return Self::Pipe;
        }
        let columns = terminal_size::terminal_size()
            .map_or(COLUMNS, |(width, _height)| usize::from(width.0).max(COLUMNS_MIN));
        Self::Terminal { columns }
    }

    /// Writes a line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(self, out: &mut impl Write, text: &Text) -> std::io::Result<()> {
        match self {
            Self::Terminal { .. } => text.write(out)?,
            Self::Pipe => out.write_all(text.plain().as_bytes())?,
        }
        writeln!(out)
    }
}

impl Style {
    /// For standard output as it is, in brief.
    pub fn terminal() -> Self {
        Self { medium: Medium::of_stdout(), detail: Detail::Brief }
    }

    /// The same with more or less.
    #[must_use]
    pub fn with_detail(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }

    /// The width to lay out for.
    pub fn columns(self) -> usize {
        match self.medium {
            Medium::Terminal { columns } => columns,
            Medium::Pipe => COLUMNS,
        }
    }

    fn isolate(self, text: Text) -> Text {
        match self.medium {
            Medium::Terminal { .. } => text.isolated(),
            Medium::Pipe => text,
        }
    }

    /// Writes a line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(self, out: &mut impl Write, text: &Text) -> std::io::Result<()> {
        self.medium.write(out, text)
    }
}

/// A committed record, to be shown. One that this version cannot show is left out and named, and those
/// around it are shown.
pub fn readable(text: &str) -> Option<Record> {
    match serde_json::from_str(text) {
        Ok(record) => Some(record),
        Err(err) => {
            say!(
                "left out a record that this version of conflictwire cannot show ({err}); --json \
                 prints it as it is"
            );
            None
        }
    }
}

/// Writes a record for a person; all but [`Detail::Line`] end with an empty line.
///
/// # Errors
/// Those of `out`.
pub fn write_record(out: &mut impl Write, record: &Record, style: Style) -> std::io::Result<()> {
    if style.detail == Detail::Line {
        return style.write(out, &one_line(record, style));
    }
    write_headline(out, record, style)?;
    write_meta(out, record, style)?;
    if style.detail == Detail::Full
        && let Some(summary) = &record.summary
    {
        let wrapped = Text::new(summary, Paint::new()).wrap(style.columns().saturating_sub(2));
        for line in wrapped {
            let mut indented = Text::new("  ", Paint::new());
            indented.append(style.isolate(line));
            style.write(out, &indented)?;
        }
    }
    match &record.conflict {
        Some(conflict) => write_conflict(out, record, conflict, style)?,
        // Of what was taken back there is nothing to look at.
        None if record.change == RecordChange::Withdrawn => {}
        None => style.write(out, &Text::new("  not looked at for conflict", QUIET))?,
    }
    writeln!(out)
}

/// When it was published, to the minute, which is enough for a person; to the day if its publisher said
/// no more.
pub fn published(record: &Record) -> Option<String> {
    let date = record.published_at.as_ref()?;
    let is_day = record.dates.quality.contains(&RecordDateQuality::DateOnly);
    Some(to_the_minute(date).chars().take(if is_day { 10 } else { usize::MAX }).collect())
}

/// "2026-01-02T03:04:05Z" as "2026-01-02 03:04".
pub fn to_the_minute(date: &str) -> String {
    date.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// The colour of a tag: that of its top in the taxonomy.
pub fn tag_paint(id: &str) -> Paint {
    let top = id.split('.').next().unwrap_or(id);
    let colour = match top {
        "battle" | "strike" | "civilian" | "terror" => AnsiColor::Red,
        "territory" | "unrest" => AnsiColor::Yellow,
        "peace" => AnsiColor::Green,
        "humanitarian" => AnsiColor::Cyan,
        "justice" | "pressure" => AnsiColor::Blue,
        "posture" | "hybrid" => AnsiColor::Magenta,
        _ => return Paint::new(),
    };
    colour.on_default()
}

fn tags(record: &Record) -> &[RecordTag] {
    record.conflict.as_ref().map_or(&[], |conflict| conflict.tags.as_slice())
}

fn flags(record: &Record) -> &[String] {
    let flags = record.conflict.as_ref().and_then(|conflict| conflict.flags.as_deref());
    flags.unwrap_or_default()
}

/// "● rev 2 " with the colour of the best tag, or a hollow circle if there is none.
fn marker(record: &Record) -> Text {
    let mut text = match tags(record).first() {
        Some(tag) => Text::new("● ", tag_paint(&tag.id)),
        None => Text::new("○ ", QUIET),
    };
    let note = match record.change {
        RecordChange::Withdrawn => "withdrawn ".to_owned(),
        RecordChange::Created if record.revision <= 1 => String::new(),
        RecordChange::Created | RecordChange::Updated | RecordChange::Other => {
            format!("rev {} ", record.revision)
        }
    };
    text.push(&note, AnsiColor::Yellow.on_default().bold());
    text
}

/// The headline, its evidence in the colours of the tags.
fn headline(record: &Record, paint: Paint) -> Text {
    let Some(title) = &record.title else {
        // All that is left of what was withdrawn is what its publisher called it.
        let guid = record.guid.as_ref().filter(|_| record.change == RecordChange::Withdrawn);
        return Text::new(guid.map_or("(no headline)", String::as_str), QUIET);
    };
    let mut text = Text::new(title, paint);
    let chars: Vec<char> = title.chars().collect();
    // Offsets count the characters of the record; they are those of the text only if every one of
    // them is shown.
    if chars.iter().any(|char| printable(*char).is_none()) {
        return text;
    }
    for tag in tags(record).iter().rev() {
        for evidence in tag.evidence.iter().filter(|one| one.field == RecordField::Title) {
            let place = |offset| usize::try_from(offset).unwrap_or(usize::MAX);
            let (start, end) = (place(evidence.start), place(evidence.end));
            let words = chars.get(start..end).unwrap_or_default();
            if words.iter().copied().eq(evidence.text.chars()) {
                text.restyle(start, end, tag_paint(&tag.id).bold());
            }
        }
    }
    text
}

/// Flags, so many tags, feed and language.
fn line_end(record: &Record, tags_max: usize) -> Text {
    let mut end = Text::default();
    let mut push = |text: &str, paint| {
        end.push(" · ", QUIET);
        end.push(text, paint);
    };
    for flag in flags(record) {
        push(flag, AnsiColor::Yellow.on_default());
    }
    for tag in tags(record).iter().take(tags_max) {
        push(&tag.id, tag_paint(&tag.id));
    }
    push(&record.feed.id, QUIET);
    if let Some(language) = &record.language {
        push(language, QUIET);
    }
    end
}

fn one_line(record: &Record, style: Style) -> Text {
    let mut line = marker(record);
    let mut title = headline(record, Paint::new());
    let mut end = line_end(record, BRIEF_TAGS);
    if let Medium::Terminal { columns } = style.medium {
        // The headline is worth more than the tags, and they more than its last words.
        let taken = line.columns() + title.columns();
        let fitting = (0..=BRIEF_TAGS)
            .rev()
            .map(|tags_max| line_end(record, tags_max))
            .find(|end| taken + end.columns() <= columns);
        end = fitting.unwrap_or_else(|| line_end(record, 0));
        let room = columns.saturating_sub(line.columns() + end.columns());
        title = title.cut(room.max(columns / 2));
    }
    line.append(style.isolate(title));
    line.append(end);
    match style.medium {
        Medium::Terminal { columns } => line.cut(columns),
        Medium::Pipe => line,
    }
}

fn write_headline(out: &mut impl Write, record: &Record, style: Style) -> std::io::Result<()> {
    let mut start = marker(record);
    let title = headline(record, STRONG);
    let lines = match style.medium {
        Medium::Terminal { columns } => title.wrap(columns.saturating_sub(start.columns())),
        Medium::Pipe => vec![title],
    };
    for line in lines {
        start.append(style.isolate(line));
        style.write(out, &start)?;
        start = Text::new("  ", Paint::new());
    }
    Ok(())
}

/// When, where, in which language, and the link, which is never cut: it is there to be followed.
fn write_meta(out: &mut impl Write, record: &Record, style: Style) -> std::io::Result<()> {
    let when = published(record).unwrap_or_else(|| "undated".to_owned());
    let mut parts = vec![when, record.feed.id.clone()];
    parts.extend(record.language.clone());
    let mut meta = Text::new(&format!("  {}", parts.join(" · ")), QUIET);
    if let Some(url) = &record.url {
        let link = Text::new(&format!(" · {url}"), QUIET);
        match style.medium {
            Medium::Terminal { columns } if meta.columns() + link.columns() > columns => {
                style.write(out, &meta)?;
                meta = Text::new(&format!("  {url}"), QUIET);
            }
            Medium::Terminal { .. } | Medium::Pipe => meta.append(link),
        }
    }
    style.write(out, &meta)
}

fn write_conflict(
    out: &mut impl Write,
    record: &Record,
    conflict: &RecordConflict,
    style: Style,
) -> std::io::Result<()> {
    let shown = match style.detail {
        Detail::Full => conflict.tags.len(),
        Detail::Line | Detail::Brief => BRIEF_TAGS,
    };
    let id_columns = conflict
        .tags
        .iter()
        .take(shown)
        .map(|tag| Text::new(&tag.id, QUIET).columns())
        .max()
        .unwrap_or(0)
        .max(TAG_COLUMNS);
    for tag in conflict.tags.iter().take(shown) {
        write_tag(out, record, tag, id_columns, style)?;
    }
    let others = conflict.tags.iter().skip(shown);
    let others = others.map(|tag| Text::new(&tag.id, tag_paint(&tag.id))).collect();
    write_list(out, "  also ", others, ", ", style)?;
    let casualties = conflict.casualties.iter().flatten().map(casualties_text).collect();
    write_list(out, "  ", casualties, " · ", style)?;
    if !conflict.tags.is_empty() {
        write_list(out, "  who ", who::actors(conflict), " · ", style)?;
        write_list(out, "  where ", who::places(conflict), " · ", style)?;
    }
    if conflict.casualties.is_none() && !conflict.tags.is_empty() {
        style.write(out, &Text::new("  not looked at for casualties", QUIET))?;
    }
    if !flags(record).is_empty() {
        let mut line = Text::new("  flagged as ", QUIET);
        line.push(&flags(record).join(", "), AnsiColor::Yellow.on_default());
        style.write(out, &line)?;
    }
    if !conflict.tags.is_empty() && !conflict.relevant {
        style.write(out, &Text::new("  not counted as conflict", QUIET))?;
    }
    Ok(())
}

/// Items on one line; on a terminal on as many as it takes, broken between items.
fn write_list(
    out: &mut impl Write,
    start: &str,
    items: Vec<Text>,
    separator: &str,
    style: Style,
) -> std::io::Result<()> {
    let mut line = Text::new(start, QUIET);
    let indent = line.columns();
    // What stays at the end of a line if another follows.
    let end_columns = Text::new(separator.trim_end(), QUIET).columns();
    let mut has_items = false;
    for item in items {
        if has_items {
            line.push(separator, QUIET);
            if let Medium::Terminal { columns } = style.medium
                && line.columns() + item.columns() + end_columns > columns
            {
                style.write(out, &line.without_end())?;
                line = Text::default().pad(indent);
            }
        }
        line.append(item);
        has_items = true;
    }
    if has_items { style.write(out, &line) } else { Ok(()) }
}

/// A tag and the sentences that say so. The headline stands above with its words in colour, so
/// words of the text come first.
fn write_tag(
    out: &mut impl Write,
    record: &Record,
    tag: &RecordTag,
    id_columns: usize,
    style: Style,
) -> std::io::Result<()> {
    let paint = tag_paint(&tag.id);
    let look = Look { words: paint.bold(), around: Paint::new() };
    let wanted = match style.detail {
        Detail::Full => FULL_EVIDENCE,
        Detail::Line | Detail::Brief => 1,
    };
    let in_title = |field: RecordField| field == RecordField::Title;
    let text_first = tag
        .evidence
        .iter()
        .filter(|one| !in_title(one.field))
        .chain(tag.evidence.iter().filter(|one| in_title(one.field)));
    let mut start = Text::new("  ", Paint::new());
    if style.detail == Detail::Full {
        start.push(&format!("{:.2} ", tag.score), QUIET);
    }
    let words_column = start.columns() + id_columns + 2;
    start.push(&tag.id, paint);
    let mut start = start.pad(words_column);
    for evidence in text_first.take(wanted) {
        let room = style.columns().saturating_sub(start.columns());
        let words = snippet(record, evidence, room, look);
        start.append(style.isolate(words));
        style.write(out, &start)?;
        start = Text::default().pad(words_column);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
