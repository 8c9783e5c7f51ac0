//! What a document is by its first markup, and how deep and wide one may be.
//!
//! The limits are `cut`'s to keep.

use std::cell::LazyCell;

use cw_model::{FailureClass, Steps, TooCostly};

use super::document::ParseFailure;
use super::root::Root;
use super::scan::local_name;

/// How deep elements may nest. Feeds nest ten deep, inline XHTML perhaps thirty; feed-rs recurses
/// and 2,000 would overflow its stack.
pub(super) const DEPTH_MAX: usize = 64;

/// The most attributes on one element: parsers compare each with all before it.
pub(super) const ATTRIBUTES_MAX: usize = 256;

/// The most elements in a document: a hundred for each of ten thousand entries.
pub(super) const ELEMENTS_MAX: usize = 1_000_000;

/// The most direct children of one entry, and of the feed itself: each takes its reader many times
/// its own length. Galleries have a few hundred.
pub(super) const CHILDREN_MAX: usize = 2000;

/// Steps for one event of the walk: what it costs whatever its length.
pub(super) const EVENT_STEPS: usize = 20;

/// Steps for each of its bytes.
pub(super) const BYTE_STEPS: usize = 2;

/// How far junk before the document is searched for its beginning.
const JUNK_BYTES_MAX: usize = 64 * 1024;

/// How much of the name of a foreign root is said.
const NAME_CHARS_SHOWN: usize = 256;

/// What a document is by its first markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// XML whose first interesting byte is here.
    Xml {
        /// In bytes.
        start: usize,
    },
    /// Begins with a brace.
    Json,
}

/// Tells XML from JSON from what is no feed at all.
///
/// # Errors
/// [`ParseFailure`] of class `Empty`, `Html`, `NotAFeed` or `TooCostly`.
pub fn recognise(text: &str, steps: &Steps) -> Result<Shape, ParseFailure> {
    let failure = |class, detail: &str| Err(ParseFailure::whole(class, detail));
    let body = text.trim_start();
    let start = text.len() - body.len();
    if body.is_empty() {
        return failure(FailureClass::Empty, "the body is empty");
    }
    if body.starts_with(['{', '[']) {
        return Ok(Shape::Json);
    }
    let begins =
        |with: &str| body.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    let is_html = begins("<!doctype html") || begins("<html");
    // Few documents need to be looked at so closely.
    let lower = LazyCell::new(|| {
        let end = body.char_indices().nth(JUNK_BYTES_MAX).map_or(body.len(), |(at, _)| at);
        body.get(..end).unwrap_or(body).to_ascii_lowercase()
    });
    // A page whose markup holds a feed was put around it: pages show markup escaped.
    let inside = || ["<rss", "<rdf:rdf"].iter().filter_map(|mark| lower.find(mark)).min();
    if is_html && let Some(junk) = inside() {
        return Ok(Shape::Xml { start: start + junk });
    }
    if let Some(root) = first_element(body, steps)?
        && !is_html
    {
        if Root::from_local_name(local_name(root)).is_some() {
            return Ok(Shape::Xml { start });
        }
        // Warnings of a script, a banner, a stray tag: the feed may begin after them.
        let marks = ["<?xml", "<rss", "<rdf:rdf", "<feed", "<urlset", "<sitemapindex"];
        let found = marks.iter().filter_map(|mark| lower.find(mark)).filter(|at| *at > 0).min();
        if let Some(junk) = found {
            return Ok(Shape::Xml { start: start + junk });
        }
        if !is_html_name(root) {
            let root: String = root.chars().take(NAME_CHARS_SHOWN).collect();
            let detail = format!("the root element <{root}> is not that of a feed");
            return failure(FailureClass::NotAFeed, &detail);
        }
    } else if !is_html && !lower.contains("<html") {
        let detail = "the body is neither XML nor JSON nor HTML";
        return failure(FailureClass::NotAFeed, detail);
    }
    failure(FailureClass::Html, "the body is an HTML page")
}

/// The name of the first element, past declarations, comments and text. Looks at each byte once.
fn first_element<'t>(text: &'t str, steps: &Steps) -> Result<Option<&'t str>, TooCostly> {
    let mut rest = text;
    // Once no instruction ends as one should, none behind it does.
    let mut may_end_well = true;
    while let Some((before, markup)) = rest.split_once('<') {
        if markup.starts_with(|c: char| c.is_alphabetic()) {
            let end = |c: char| c.is_whitespace() || matches!(c, '>' | '/' | '<');
            return Ok(markup.split(end).next());
        }
        let Some(after) = past_markup(markup, &mut may_end_well) else {
            steps.spend(rest.len())?;
            return Ok(None);
        };
        steps.spend(before.len() + 1 + markup.len() - after.len())?;
        rest = after;
    }
    steps.spend(rest.len())?;
    Ok(None)
}

/// What follows a comment, declaration or instruction, or the `<` itself if it begins none of them.
/// `None` if it never ends.
fn past_markup<'t>(markup: &'t str, may_end_well: &mut bool) -> Option<&'t str> {
    if let Some(comment) = markup.strip_prefix("!--") {
        return Some(comment.split_once("-->")?.1);
    }
    if let Some(instruction) = markup.strip_prefix('?') {
        let end = may_end_well.then(|| instruction.find("?>")).flatten();
        *may_end_well &= end.is_some();
        // One may end as a tag does.
        let end = end.map(|at| at + 2).or_else(|| Some(instruction.find('>')? + 1));
        return instruction.get(end?..);
    }
    let Some(doctype) = markup.strip_prefix('!') else { return Some(markup) };
    let (head, after) = doctype.split_once(['>', '['])?;
    // An internal subset holds markup of its own and ends with `]`.
    let is_subset = doctype.get(head.len()..)?.starts_with('[');
    if is_subset { Some(after.split_once(']')?.1) } else { Some(after) }
}

fn is_html_name(name: &str) -> bool {
    const NAMES: [&str; 21] = [
        "html", "head", "body", "title", "meta", "link", "script", "style", "div", "span", "p",
        "br", "b", "a", "h1", "h2", "center", "table", "font", "pre", "noscript",
    ];
    NAMES.iter().any(|html| name.eq_ignore_ascii_case(html))
}
