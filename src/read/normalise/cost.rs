//! How many steps a pass over a text or a link takes: passes are linear, so they are paid for at once.

use cw_model::Entry;
use url::Url;

use crate::parse::Deletion;

/// Steps for each byte of a text: references, white space, composition, cutting.
const TEXT_BYTE: usize = 6;

/// Steps for a tag: its name is held against those that mean something.
const TAG: usize = 130;

/// Steps for a reference: its name is looked up.
const REFERENCE: usize = 40;

/// Steps for each byte of a link and of the base that it is joined with.
const LINK_BYTE: usize = 4;

/// Steps for each byte of a link that is no plain ASCII: a host of such is written anew (RFC 3492).
const FOREIGN_BYTE: usize = 40;

/// Steps for each parameter of a link.
const PARAMETER: usize = 30;

/// Steps for a link besides.
const LINK: usize = 100;

/// Steps for an entry's mark: it is looked for among all others.
const MARK: usize = 60;

/// Steps for the language of an entry, of which a sample is looked at.
pub(super) const LANGUAGE: usize = 1000;

/// Steps for each byte of the digests and copies of an article.
pub(super) const DIGEST_BYTE: usize = 4;

/// Steps for making plain text of this.
pub(super) fn of_text(text: &str) -> usize {
    text.len() * TEXT_BYTE + count(text, b'<') * TAG + count(text, b'&') * REFERENCE
}

/// How often a sign stands in a text. Parts of it are counted in a byte, many at once.
fn count(text: &str, sign: u8) -> usize {
    let in_part = |part: &[u8]| part.iter().map(|byte| u8::from(*byte == sign)).sum::<u8>();
    text.as_bytes().chunks(u8::MAX.into()).map(|part| usize::from(in_part(part))).sum()
}

/// Steps for joining a link with its base, and for making it canonical.
pub(super) fn of_link(base: &Url, link: &str) -> usize {
    let count = |is_one: fn(u8) -> bool| link.bytes().filter(|byte| is_one(*byte)).count();
    LINK + (link.len() + base.as_str().len()) * LINK_BYTE
        + count(|byte| !byte.is_ascii() || byte == b'%') * FOREIGN_BYTE
        + count(|byte| byte == b'&') * PARAMETER
}

/// Steps for remembering what identifies an entry, and for comparing it with another that has the same.
pub(super) fn of_mark(mark: &str, entry: &Entry) -> usize {
    let title = entry.title.as_ref().map_or(0, |title| title.value.len());
    let link = entry.link.as_ref().map_or(0, String::len);
    MARK + mark.len() * DIGEST_BYTE + title + link
}

/// Steps for what is left of an entry that was deleted: its mark, digest and date.
pub(super) fn of_deletion(deletion: &Deletion) -> usize {
    let date = deletion.at.as_ref().map_or(0, String::len);
    MARK + deletion.guid.len() * DIGEST_BYTE + date * TEXT_BYTE
}

/// Steps for looking for one thing in a short list.
pub(super) fn among<T>(list: &[T]) -> usize {
    list.len()
}

/// Steps for an id by which an article may be known: a hash of a hundred bytes.
pub(super) const ALIAS: usize = 500;
