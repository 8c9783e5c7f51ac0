//! Which of a page's blocks are the article.
//!
//! Text that is not in links, in blocks of some length, is the mass that decides. Whatever says that it is the text, and has
//! enough of it, is the article; else the walk goes down from `<article>` or the root as long as one element holds
//! nearly all of it.

use std::cmp::Reverse;

use cw_model::{EntryText, TextKind};
use cw_text::plain::{Layout, plain_text};

use super::agrees::likeness;
use super::document::{Apart, Block, BlockKind, Document, HolderKind};
use super::words::is_notice;

/// The least bytes of a block that counts as text.
const MASS_MIN: usize = 40;

/// A block of fewer bytes before the first of more is a byline, a date or a place.
const LEAD_MIN: usize = 60;

/// The part of a page's text, in hundredths, that an element must have to be believed that it is the article.
const BODY_SHARE: usize = 25;
const ARTICLE_SHARE: usize = 40;

/// The walk goes on downwards while one child has this part of the text, in hundredths.
const CHILD_SHARE: usize = 85;

/// What is left of a page without what stands apart by its class; less, and the classes meant something else.
const LEFT_SHARE: usize = 25;

/// The plain text of the article, paragraphs separated by a blank line. `None` if there is none.
pub(super) fn text(document: &Document, title: &str) -> Option<String> {
    let text_of = |apart| {
        let chosen = choose(document, apart);
        html(document, title, chosen, apart)
    };
    let strict = mass(document, Apart::No);
    let lenient = mass(document, Apart::ByClass);
    let apart = if strict * 100 < lenient * LEFT_SHARE { Apart::ByClass } else { Apart::No };
    let value = text_of(apart);
    plain_text(&EntryText { kind: TextKind::Html, value }, Layout::Paragraphs)
}

/// Bytes of text in a block, as far as they count.
fn weight(block: &Block, apart: Apart) -> usize {
    let counts = block.apart <= apart
        && block.size >= MASS_MIN
        && !block.is_links()
        && block.kind != BlockKind::Heading;
    if counts { block.size - block.linked } else { 0 }
}

fn mass(document: &Document, apart: Apart) -> usize {
    document.blocks.iter().map(|block| weight(block, apart)).sum()
}

/// The element that holds the article.
fn choose(document: &Document, apart: Apart) -> usize {
    let holders = &document.holders;
    let masses = masses(document, apart);
    let at = |place: usize| masses.get(place).copied().unwrap_or_default();
    let largest = |kind: HolderKind, share: usize| {
        let of_kind = holders.iter().enumerate().filter(|(_, holder)| holder.kind == kind);
        // Of two with the same text the outer one; it was opened first.
        let largest =
            of_kind.map(|(place, _)| place).max_by_key(|place| (at(*place), Reverse(*place)))?;
        (at(largest) * 100 >= at(0) * share && at(largest) > 0).then_some(largest)
    };
    if let Some(body) = largest(HolderKind::Body, BODY_SHARE) {
        return body;
    }
    let mut here = largest(HolderKind::Article, ARTICLE_SHARE).unwrap_or(0);
    for (place, holder) in holders.iter().enumerate().skip(here + 1) {
        let holds_most = at(place) * 100 >= at(here) * CHILD_SHARE && at(place) > 0;
        if holder.parent == here && holds_most {
            here = place;
        }
    }
    here
}

/// The text in each element.
fn masses(document: &Document, apart: Apart) -> Vec<usize> {
    let mut masses = vec![0; document.holders.len()];
    let mut add = |place: usize, more: usize| {
        let own: &mut usize = masses.get_mut(place)?;
        *own += more;
        Some(*own)
    };
    for block in &document.blocks {
        add(block.holder, weight(block, apart));
    }
    // What is in an element is in those around it, which opened before it.
    for (place, holder) in document.holders.iter().enumerate().skip(1).rev() {
        let own = add(place, 0).unwrap_or_default();
        add(holder.parent, own);
    }
    masses
}

/// The blocks of the article as simple HTML.
fn html(document: &Document, title: &str, chosen: usize, apart: Apart) -> String {
    let is_inside = inside(document, chosen);
    let mut blocks: Vec<&Block> = document
        .blocks
        .iter()
        .filter(|block| {
            is_inside.get(block.holder) == Some(&true) && block.apart <= apart && is_text(block)
        })
        .filter(|block| !is_title(block, title))
        .collect();
    let first = blocks.iter().position(|block| is_sentence(block)).unwrap_or(blocks.len());
    blocks.drain(..first);
    let is_end = |block: &&Block| block.kind == BlockKind::Paragraph || is_sentence(block);
    let end = blocks.iter().rposition(is_end).map_or(0, |last| last + 1);
    blocks.truncate(end);
    let mut html = String::new();
    for (place, block) in blocks.iter().enumerate() {
        let is_followed = blocks.get(place + 1).is_some_and(|next| next.kind != BlockKind::Heading);
        match block.kind {
            BlockKind::Heading if !is_followed => {}
            BlockKind::Item => html.push_str(&format!("<li>{}</li>", block.html)),
            BlockKind::Heading | BlockKind::Paragraph | BlockKind::Loose => {
                html.push_str(&format!("<p>{}</p>", block.html));
            }
        }
    }
    html
}

/// Whether a block is the headline once more.
fn is_title(block: &Block, title: &str) -> bool {
    let is_short = block.kind == BlockKind::Heading || block.size <= title.len();
    is_short && likeness(title, &block.html) >= 0.8 && likeness(&block.html, title) >= 0.8
}

/// Which elements are the chosen one, or in it.
fn inside(document: &Document, chosen: usize) -> Vec<bool> {
    let mut inside: Vec<bool> = Vec::with_capacity(document.holders.len());
    for (place, holder) in document.holders.iter().enumerate() {
        let is_in_it = place > chosen && inside.get(holder.parent) == Some(&true);
        inside.push(place == chosen || is_in_it);
    }
    inside
}

/// Whether a block may be part of an article: links to others are not, nor is a lone word between elements.
fn is_text(block: &Block) -> bool {
    if is_notice(&block.html) {
        return false;
    }
    match block.kind {
        BlockKind::Paragraph | BlockKind::Heading | BlockKind::Item => !block.is_links(),
        BlockKind::Loose => !block.is_links() && (block.size >= MASS_MIN || ends_sentence(block)),
    }
}

/// Whether a block is no byline, no date and no place.
fn is_sentence(block: &Block) -> bool {
    block.kind != BlockKind::Heading
        && (block.size >= LEAD_MIN || (block.size >= 20 && ends_sentence(block)))
}

fn ends_sentence(block: &Block) -> bool {
    const ENDS: [char; 15] =
        ['.', '!', '?', '…', ':', '»', '"', '”', '。', '！', '？', '।', '۔', '؟', '።'];
    block.html.trim_end().ends_with(ENDS)
}
