//! Tags texts from standard input: one document of plain text, or JSON lines.
//!
//! Only the tagger runs: nothing is fetched, cleaned or stored, and evidence counts code points of
//! the texts exactly as they were given.

use std::io::{BufRead, Read, Write};
use std::path::Path;

use anyhow::Context;
use cw_code::{Explanation, Tagger, Texts};
use cw_model::Steps;
use cw_model::record::RecordConflict;
use cw_status::shown::{Shown, json_line};
use cw_text::language::{Hints, language};
use serde::{Deserialize, Serialize};

use super::check::counted;
use super::explain::ExplanationWriter;
use super::show::{Medium, QUIET, STRONG};
use super::{Exit, explain};
use crate::config::load;

/// Longest line, and longest document of plain text, that is read.
///
/// Far above any article (feeds are cut at 16 MiB as a whole), and it keeps a file without line ends
/// from filling the memory.
const INPUT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Characters of a text that stand over its explanation: enough to know it again.
const HEAD_CHARS_MAX: usize = 150;

/// How standard input is read; what the command does is said beside its name.
#[derive(Debug, clap::Args)]
pub struct TagArgs {
    /// What is claimed of texts that claim no language
    ///
    /// As with feeds a claim is a hint: the text decides, and the claim where it is too short to tell.
    #[arg(long, short, value_name = "CODE")]
    pub language: Option<String>,
    /// What standard input is
    #[arg(long, value_enum, default_value_t = InputFormat::Auto)]
    pub format: InputFormat,
    /// Say why: each rule that spoke with its file and line, what did not count, and what would change it
    ///
    /// For a person. The score is taken apart into what each word adds, in log-odds: 0 is even, +1
    /// multiplies the odds by 2.7. "What would change the verdict" is tried: each phrase that plays a
    /// part is left out in its turn.
    #[arg(long)]
    pub explain: bool,
    /// With --explain: the answers as JSON lines, with one key more, "explain"
    ///
    /// What stands under it may change with any version.
    #[arg(long, requires = "explain")]
    pub json: bool,
}

impl TagArgs {
    fn answers(&self) -> Answers {
        match (self.explain, self.json) {
            (false, _) => Answers::Short,
            (true, true) => Answers::ExplainedAsJson,
            (true, false) => Answers::Explained(Medium::of_stdout()),
        }
    }
}

/// How a text is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    /// A line of JSON.
    Short,
    /// The same with the reasons.
    ExplainedAsJson,
    /// The reasons, for a person.
    Explained(Medium),
}

/// What standard input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum InputFormat {
    /// JSON lines if it begins with "{", else text
    Auto,
    /// One document of plain text
    Text,
    /// One JSON object a line
    #[value(name = "json_lines")]
    JsonLines,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(args: &TagArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let config = load(config)?;
    let tag = &config.tag;
    let tagger =
        Tagger::new(&tag.sources, tag.threshold).map_err(crate::pipeline::BuildError::Tagger)?;
    let mut streams = Streams {
        input: std::io::stdin().lock(),
        output: std::io::BufWriter::new(anstream::stdout().lock()),
        errors: anstream::stderr().lock(),
    };
    tag_input(&mut streams, &tagger, args)
}

/// Where the texts come from and where the answers and complaints go.
struct Streams<I, O, E> {
    input: I,
    output: O,
    errors: E,
}

/// One line of JSON lines. Keys that are not ours are ignored.
#[derive(Debug, Default, Deserialize)]
struct Input {
    #[serde(default)]
    id: serde_json::Value,
    title: Option<String>,
    summary: Option<String>,
    body: Option<String>,
    language: Option<String>,
}

/// One line of the answer.
#[derive(Debug, Serialize)]
struct Answer {
    id: serde_json::Value,
    /// That the text shows, or that is claimed of one too short to tell; `None`: not known.
    language: Option<String>,
    conflict: Option<RecordConflict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<serde_json::Value>,
}

fn tag_input<I: BufRead, O: Write, E: Write>(
    streams: &mut Streams<I, O, E>,
    tagger: &Tagger,
    args: &TagArgs,
) -> anyhow::Result<Exit> {
    let format = match args.format {
        InputFormat::Auto if begins_with_brace(&mut streams.input)? => InputFormat::JsonLines,
        InputFormat::Auto => InputFormat::Text,
        format => format,
    };
    if format == InputFormat::JsonLines {
        return tag_lines(streams, tagger, args);
    }
    let mut bytes = Vec::new();
    let mut limited = streams.input.by_ref().take(INPUT_BYTES_MAX + 1);
    limited.read_to_end(&mut bytes).context("could not read standard input")?;
    if bytes.len() as u64 > INPUT_BYTES_MAX {
        writeln!(streams.errors, "error: the text is longer than {INPUT_BYTES_MAX} bytes")?;
        return Ok(Exit::Failed);
    }
    let body = String::from_utf8_lossy(&bytes).into_owned();
    if body.as_bytes() != bytes {
        let note = "the text is not UTF-8; evidence counts a mark for what cannot be read";
        writeln!(streams.errors, "{note}")?;
    }
    let input = Input { body: Some(body), ..Input::default() };
    let looked = write_answer(&mut streams.output, tagger, input, args)?;
    streams.output.flush()?;
    note_unknown(&mut streams.errors, usize::from(looked == Looked::LanguageUnknown))?;
    Ok(Exit::Fine)
}

/// Looks at the first byte that is not white space. A byte-order mark says nothing.
fn begins_with_brace(input: &mut impl BufRead) -> anyhow::Result<bool> {
    loop {
        let buffer = input.fill_buf().context("could not read standard input")?;
        let blank = |byte: &u8| byte.is_ascii_whitespace() || b"\xef\xbb\xbf".contains(byte);
        if let Some(first) = buffer.iter().find(|byte| !blank(byte)) {
            return Ok(*first == b'{');
        }
        let length = buffer.len();
        if length == 0 {
            return Ok(false);
        }
        input.consume(length);
    }
}

fn tag_lines<I: BufRead, O: Write, E: Write>(
    streams: &mut Streams<I, O, E>,
    tagger: &Tagger,
    args: &TagArgs,
) -> anyhow::Result<Exit> {
    let mut exit = Exit::Fine;
    let mut unknown = 0;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let mut limited = streams.input.by_ref().take(INPUT_BYTES_MAX);
        let length =
            limited.read_until(b'\n', &mut line).context("could not read standard input")?;
        if length == 0 {
            break;
        }
        if length as u64 == INPUT_BYTES_MAX && line.last() != Some(&b'\n') {
            skip_line(&mut streams.input)?;
            writeln!(streams.errors, "error: line {number}: longer than {INPUT_BYTES_MAX} bytes")?;
            exit = Exit::Failed;
            continue;
        }
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        match read_line(line) {
            Ok(input) => {
                let looked = write_answer(&mut streams.output, tagger, input, args)?;
                unknown += usize::from(looked == Looked::LanguageUnknown);
            }
            Err(problem) => {
                writeln!(streams.errors, "error: line {number}: {}", Shown(problem))?;
                exit = Exit::Failed;
            }
        }
    }
    streams.output.flush()?;
    note_unknown(&mut streams.errors, unknown)?;
    Ok(exit)
}

/// Says that nobody looked at some texts, and what would help.
fn note_unknown(errors: &mut impl Write, texts: usize) -> anyhow::Result<()> {
    if texts > 0 {
        let texts = counted(texts, "text");
        writeln!(
            errors,
            "the language of {texts} is not known, so nobody looked for conflict there; --language \
             says what to believe of such"
        )?;
    }
    Ok(())
}

fn skip_line(input: &mut impl BufRead) -> anyhow::Result<()> {
    loop {
        let buffer = input.fill_buf().context("could not read standard input")?;
        let length = buffer.len();
        let end = buffer.iter().position(|byte| *byte == b'\n');
        input.consume(end.map_or(length, |end| end + 1));
        if end.is_some() || length == 0 {
            return Ok(());
        }
    }
}

fn read_line(line: &[u8]) -> Result<Input, String> {
    let input: Input = serde_json::from_slice(line).map_err(|err| {
        // The library counts lines in what it was given, which is always the first.
        let text = err.to_string();
        let column = err.column();
        let what = text.split(" at line ").next().unwrap_or_default().to_owned();
        format!("{what} at column {column}")
    })?;
    if [&input.title, &input.summary, &input.body].iter().all(|text| text.is_none()) {
        return Err("no text; give \"title\", \"summary\" or \"body\"".to_owned());
    }
    Ok(input)
}

/// Whether anybody looked at a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    /// As far as there is a text, and a lexicon for its language.
    AsFarAsPossible,
    /// No: its language is not known.
    LanguageUnknown,
}

/// Writes the answer.
fn write_answer(
    output: &mut impl Write,
    tagger: &Tagger,
    input: Input,
    args: &TagArgs,
) -> anyhow::Result<Looked> {
    let texts = Texts {
        title: input.title.as_deref().unwrap_or_default(),
        summary: input.summary.as_deref().unwrap_or_default(),
        body: input.body.as_deref().unwrap_or_default(),
        feed_country: None,
    };
    let claimed = input.language.as_deref().or(args.language.as_deref());
    let language = language_of(texts, claimed);
    let is_unknown = language.is_none() && !all_text(texts).trim().is_empty();
    // Whoever asks may wait for the answer.
    let steps = Steps::new(u64::MAX);
    let explained = match args.answers() {
        Answers::Short => None,
        Answers::ExplainedAsJson | Answers::Explained(_) => {
            Some(tagger.explain(texts, language.as_deref(), &steps)?)
        }
    };
    if let (Answers::Explained(medium), Some(explained)) = (args.answers(), &explained) {
        write_explained(output, medium, texts, language.as_deref(), explained.as_ref())?;
    } else {
        let coding = match &explained {
            Some(explained) => explained.as_ref().map(|one| one.coding.clone()),
            None => tagger.code(texts, language.as_deref(), &steps)?,
        };
        let conflict = coding.as_ref().map(RecordConflict::from);
        let explain = explained.flatten().as_ref().map(explain::as_json);
        let answer = Answer { id: input.id, language, conflict, explain };
        writeln!(output, "{}", json_line(&serde_json::to_string(&answer)?))?;
    }
    Ok(if is_unknown { Looked::LanguageUnknown } else { Looked::AsFarAsPossible })
}

/// As with articles: of a headline and the text, or its teaser.
fn all_text(texts: Texts<'_>) -> String {
    let text = if texts.body.is_empty() { texts.summary } else { texts.body };
    format!("{}\n{text}", texts.title)
}

/// The language that a text shows, or that is claimed of one too short to tell.
pub(super) fn language_of(texts: Texts<'_>, claimed: Option<&str>) -> Option<String> {
    let all_text = all_text(texts);
    let declared = [claimed, None, None];
    let is_empty = all_text.trim().is_empty();
    language(&Hints { declared, shown: None }, &all_text).filter(|_| !is_empty)
}

/// Writes why a text is coded as it is, under its first words.
fn write_explained(
    output: &mut impl Write,
    medium: Medium,
    texts: Texts<'_>,
    language: Option<&str>,
    explained: Option<&Explanation>,
) -> anyhow::Result<()> {
    let mut page = ExplanationWriter::new(output, medium);
    let first = [texts.title, texts.summary, texts.body].into_iter().find(|text| !text.is_empty());
    let head: String = first.unwrap_or("no text").chars().take(HEAD_CHARS_MAX).collect();
    page.line(0, &head, STRONG)?;
    match (explained, language) {
        (Some(explained), _) => page.explain(explained)?,
        (None, Some(code)) => {
            page.line(2, &format!("not looked at: there is no lexicon for \"{code}\""), QUIET)?;
        }
        (None, None) => page.line(2, "not looked at: its language is not known", QUIET)?,
    }
    writeln!(output)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_on(input: &[u8]) -> (Exit, Vec<serde_json::Value>, String) {
        let tagger = Tagger::new(&cw_code::Sources::built_in(), 0.5).unwrap();
        let (language, format) = (None, InputFormat::Auto);
        let args = TagArgs { language, format, explain: false, json: false };
        let mut streams = Streams { input, output: Vec::new(), errors: Vec::new() };
        let exit = tag_input(&mut streams, &tagger, &args).unwrap();
        let output = String::from_utf8(streams.output).unwrap();
        let lines = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (exit, lines, String::from_utf8(streams.errors).unwrap())
    }

    #[test]
    fn plain_text_is_one_document() {
        let (exit, lines, errors) =
            run_on(b"Warplanes bombed the town.\n\nTwo people were killed.\n");
        assert_eq!((exit, lines.len(), errors.as_str()), (Exit::Fine, 1, ""));
        assert_eq!(lines[0]["conflict"]["relevant"], true);
        assert_eq!(lines[0]["conflict"]["tags"][0]["id"], "strike.air");
        assert_eq!(lines[0]["conflict"]["casualties"][0]["low"], 2);
    }

    #[test]
    fn lines_are_answered_in_order() {
        let input =
            b"\xef\xbb\xbf{\"id\":7,\"title\":\"A ceasefire was signed\",\"language\":\"en\"}\n\n\
                      {\"body\":\"x\",\"language\":\"sw\",\"url\":\"ignored\"}\n";
        let (exit, lines, errors) = run_on(input);
        assert_eq!((exit, lines.len(), errors.as_str()), (Exit::Fine, 2, ""));
        assert_eq!(lines[0]["id"], 7);
        assert_eq!(lines[0]["language"], "en");
        assert_eq!(lines[1]["language"], "sw");
        assert_eq!(lines[1]["conflict"], serde_json::Value::Null);
    }

    #[test]
    fn a_bad_line_is_named_and_the_rest_is_done() {
        let (exit, lines, errors) =
            run_on(b"{\"title\":\"one\"}\n{bad\n{\"id\":1}\n{\"body\":\"two\"}\n");
        assert_eq!((exit, lines.len()), (Exit::Failed, 2));
        assert!(errors.contains("line 2: ") && errors.contains("line 3: no text"), "{errors}");
    }

    #[test]
    fn no_input_is_an_empty_document() {
        let (exit, lines, errors) = run_on(b"");
        assert_eq!((exit, lines.len(), errors.as_str()), (Exit::Fine, 1, ""));
        assert_eq!(lines[0]["language"], serde_json::Value::Null);
        assert_eq!(lines[0]["conflict"], serde_json::Value::Null, "nobody looked at anything");
    }

    /// Esperanto, which has no lexicon.
    const UNCODED: &str = "La registaro kaj la ribelantoj konsentis pri batalhalto, kaj la trupoj \
                           restas ĉe la limo de la lando, diris la ministro.";

    #[test]
    fn the_text_says_its_language_whatever_is_claimed() {
        for claim in ["", ",\"language\":\"en\"", ",\"language\":null"] {
            let line = format!("{{\"body\":\"{UNCODED}\"{claim}}}\n");
            let (_, lines, _) = run_on(line.as_bytes());
            assert_eq!(lines[0]["language"], "eo", "{claim}");
            assert_eq!(lines[0]["conflict"], serde_json::Value::Null, "{claim}");
        }
        let (_, lines, errors) =
            run_on(b"{\"title\":\"Kyiv\",\"language\":\"en-GB\"}\n{\"title\":\"Kyiv\"}");
        assert_eq!(lines[0]["language"], "en-GB", "too short to tell, so it is believed");
        assert_eq!(lines[1]["language"], serde_json::Value::Null, "nobody says");
        assert!(errors.contains("the language of 1 text is not known"), "{errors}");
    }

    #[test]
    fn a_text_that_is_no_utf_8_says_that_its_offsets_are_others() {
        let (exit, lines, errors) =
            run_on(b"Warplanes bombed the \xff town last night, police said.");
        assert_eq!((exit, lines.len()), (Exit::Fine, 1));
        assert!(errors.contains("not UTF-8"), "{errors}");
    }
}
