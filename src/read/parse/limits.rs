//! How long each text and list of an entry may be. Every entry of every format passes here.
//!
//! Whatever is cut is said (`Entry::cut`, `ParsedFeed::feed_problems`), and what identifies an entry stays distinct.

use cw_model::{Entry, EntryText, Media};
use sha2::{Digest as _, Sha256};

use super::document::ParsedFeed;
use super::problems::Problem;

/// Steps for each byte that a parser reads after the guard.
pub(super) const READ_STEPS: usize = 4;

/// The longest headline, name, category or caption, in bytes. An article's has at most a thousand
/// characters; markup and references may take several times that.
const LINE_BYTES_MAX: usize = 16 * 1024;

/// The longest link, in bytes: servers and browsers stop there or before. Half of one leads nowhere,
/// so a longer one is none.
pub(crate) const LINK_BYTES_MAX: usize = 4096;

/// The longest guid, in bytes, that is kept as it is: the longest in the wild are URLs.
const GUID_BYTES_MAX: usize = 4096;

/// How much of a longer guid is kept, for people; a digest of all of it makes it distinct.
const GUID_PREFIX_BYTES: usize = 1024;

/// The longest teaser or full text, in bytes: more than a long book, with its markup.
const TEXT_BYTES_MAX: usize = 4 << 20;

/// The longest date as written, in bytes: an article publishes at most a thousand characters of it.
pub(super) const DATE_BYTES_MAX: usize = 4096;

/// The longest name of a language or media type, in bytes: BCP 47 needs 35 characters, RFC 6838 allows 255.
const NAME_BYTES_MAX: usize = 512;

/// The longest title of a feed, in bytes: every record of it has one.
const FEED_TITLE_BYTES_MAX: usize = 4096;

/// The most names, categories and files of one entry. An article publishes a hundred different ones.
pub(super) const LIST_MAX: usize = 500;

/// The most bytes of the names that a feed gives to entries which name nobody: each gets a copy.
const INHERITED_BYTES_MAX: usize = 2048;

/// An entry within its limits.
pub(super) fn bound(entry: Entry) -> Entry {
    // Each field by its name, so that none is forgotten.
    let Entry {
        guid,
        link,
        page,
        base,
        title,
        summary,
        content,
        authors,
        categories,
        language,
        published,
        updated,
        media,
        span,
        cut,
        source,
        is_unread,
    } = entry;
    let mut scissors = Scissors { cut };
    Entry {
        guid: guid.map(|own| {
            scissors.cut |= own.len() > GUID_BYTES_MAX;
            self::guid(own)
        }),
        link: scissors.whole(link, LINK_BYTES_MAX),
        page: page.filter(|page| page.len() <= LINK_BYTES_MAX),
        // Bounded where it is resolved.
        base,
        title: scissors.text(title, LINE_BYTES_MAX),
        summary: scissors.text(summary, TEXT_BYTES_MAX),
        content: scissors.text(content, TEXT_BYTES_MAX),
        authors: scissors.lines(authors),
        categories: scissors.lines(categories),
        // The beginning of one names another language.
        language: scissors.whole(language, NAME_BYTES_MAX),
        published: published.map(|date| scissors.shorten(date, DATE_BYTES_MAX)),
        updated: updated.map(|date| scissors.shorten(date, DATE_BYTES_MAX)),
        media: scissors.media(media),
        span,
        cut: scissors.cut,
        source,
        is_unread,
    }
}

/// Cuts a feed's title and language to their limits, and says what was too long.
pub(super) fn bound_feed(feed: &mut ParsedFeed) {
    let mut too_long = |what: &str, bytes_max: usize, text: String| {
        feed.feed_problems.push(Problem {
            detail: format!("the {what} of the feed is longer than {bytes_max} bytes"),
            offset: None,
            bytes: text.into_bytes(),
            entries: 0,
        });
    };
    if let Some(title) = feed.title.take_if(|title| title.len() > FEED_TITLE_BYTES_MAX) {
        let end = title.floor_char_boundary(FEED_TITLE_BYTES_MAX);
        feed.title = title.get(..end).map(str::to_owned);
        too_long("title", FEED_TITLE_BYTES_MAX, title);
    }
    // The beginning of one names another language.
    if let Some(language) = feed.language.take_if(|language| language.len() > NAME_BYTES_MAX) {
        too_long("language", NAME_BYTES_MAX, language);
    }
}

/// A guid within its limit: of a longer one the beginning and a digest of all of it. What refers to an
/// entry is shortened in the same way.
pub(super) fn guid(guid: String) -> String {
    if guid.len() <= GUID_BYTES_MAX {
        return guid;
    }
    let digest: String = Sha256::digest(&guid).iter().map(|byte| format!("{byte:02x}")).collect();
    let end = guid.floor_char_boundary(GUID_PREFIX_BYTES);
    format!("{} sha256:{digest}", guid.get(..end).unwrap_or_default())
}

/// The beginning of a date as written.
pub(super) fn date(mut date: String) -> String {
    date.truncate(date.floor_char_boundary(DATE_BYTES_MAX));
    date
}

/// As many of a feed's names as its entries may inherit; and whether these are not all.
pub(super) fn inherited(names: Vec<String>) -> (Vec<String>, bool) {
    let count = names.len();
    let mut bytes = 0_usize;
    let fits = |name: &String| {
        bytes = bytes.saturating_add(name.len());
        bytes <= INHERITED_BYTES_MAX
    };
    let names: Vec<String> = names.into_iter().take_while(fits).collect();
    let is_cut = names.len() < count;
    (names, is_cut)
}

/// Cuts, and remembers that it did.
struct Scissors {
    cut: bool,
}

impl Scissors {
    /// The beginning, as whole characters.
    fn shorten(&mut self, mut text: String, bytes_max: usize) -> String {
        if text.len() > bytes_max {
            text.truncate(text.floor_char_boundary(bytes_max));
            text.shrink_to_fit();
            self.cut = true;
        }
        text
    }

    /// All of it or nothing.
    fn whole(&mut self, text: Option<String>, bytes_max: usize) -> Option<String> {
        let is_cut = text.as_ref().is_some_and(|text| text.len() > bytes_max);
        self.cut |= is_cut;
        text.filter(|_| !is_cut)
    }

    fn text(&mut self, text: Option<EntryText>, bytes_max: usize) -> Option<EntryText> {
        let EntryText { kind, value } = text?;
        Some(EntryText { kind, value: self.shorten(value, bytes_max) })
    }

    fn list<T>(&mut self, mut list: Vec<T>) -> Vec<T> {
        if list.len() > LIST_MAX {
            list.truncate(LIST_MAX);
            list.shrink_to_fit();
            self.cut = true;
        }
        list
    }

    fn lines(&mut self, lines: Vec<String>) -> Vec<String> {
        let lines = self.list(lines).into_iter();
        lines.map(|line| self.shorten(line, LINE_BYTES_MAX)).collect()
    }

    fn media(&mut self, media: Vec<Media>) -> Vec<Media> {
        let media = self.list(media).into_iter();
        let kept = media.filter_map(|file| {
            let Media { url, media_type, width, height, title } = file;
            Some(Media {
                url: self.whole(Some(url), LINK_BYTES_MAX)?,
                media_type: self.whole(media_type, NAME_BYTES_MAX),
                width,
                height,
                title: title.map(|title| self.shorten(title, LINE_BYTES_MAX)),
            })
        });
        kept.collect()
    }
}

#[cfg(test)]
mod tests {
    use cw_model::TextKind;

    use super::*;

    fn long(unit: &str) -> String {
        unit.repeat(TEXT_BYTES_MAX + 1)
    }

    /// An entry of which everything is too long.
    fn endless(unit: &str) -> Entry {
        let text = || Some(EntryText { kind: TextKind::Plain, value: long(unit) });
        let many = || vec!["x".repeat(20_000); LIST_MAX + 1];
        let file = Media {
            url: "https://example.org/p.jpg".to_owned(),
            media_type: Some("t".repeat(1000)),
            width: None,
            height: None,
            title: Some("x".repeat(20_000)),
        };
        let unreachable = Media { url: "u".repeat(9000), ..file.clone() };
        Entry {
            guid: Some(long(unit)),
            link: Some(long(unit)),
            page: Some(long(unit)),
            base: None,
            title: text(),
            summary: text(),
            content: text(),
            authors: many(),
            categories: many(),
            language: Some(long(unit)),
            published: Some(long(unit)),
            updated: Some(long(unit)),
            media: [vec![unreachable], vec![file; LIST_MAX]].concat(),
            span: None,
            cut: false,
            source: None,
            is_unread: false,
        }
    }

    #[test]
    fn everything_of_an_entry_is_bounded_and_the_cut_is_said() {
        for unit in ["x", "ж"] {
            let entry = bound(endless(unit));
            assert!(entry.cut);
            assert!(entry.guid.unwrap().len() <= GUID_BYTES_MAX);
            assert_eq!((entry.link, entry.language), (None, None));
            assert_eq!(entry.title.unwrap().value.len(), LINE_BYTES_MAX);
            assert_eq!(entry.summary.unwrap().value.len(), TEXT_BYTES_MAX);
            assert_eq!(entry.content.unwrap().value.len(), TEXT_BYTES_MAX);
            for lines in [&entry.authors, &entry.categories] {
                assert_eq!(lines.len(), LIST_MAX);
                assert!(lines.iter().all(|line| line.len() == LINE_BYTES_MAX));
            }
            assert_eq!(entry.published.unwrap().len(), DATE_BYTES_MAX);
            assert_eq!(entry.updated.unwrap().len(), DATE_BYTES_MAX);
            assert_eq!(entry.media.len(), LIST_MAX - 1);
            assert_eq!(entry.media[0].media_type, None);
            assert_eq!(entry.media[0].title.as_ref().unwrap().len(), LINE_BYTES_MAX);
        }
    }

    #[test]
    fn an_entry_within_its_limits_stays_as_it_is() {
        let entry = Entry {
            guid: Some("g".repeat(GUID_BYTES_MAX)),
            link: Some("l".repeat(LINK_BYTES_MAX)),
            page: Some("l".repeat(LINK_BYTES_MAX)),
            authors: vec!["a".repeat(LINE_BYTES_MAX); LIST_MAX],
            published: Some("d".repeat(DATE_BYTES_MAX)),
            ..Entry::default()
        };
        assert_eq!(bound(entry.clone()), entry);
    }

    #[test]
    fn long_guids_that_differ_at_their_end_stay_different() {
        let of = |end: &str| {
            let guid = Some(format!("{}{end}", long("x")));
            bound(Entry { guid, ..Entry::default() }).guid.unwrap()
        };
        assert_ne!(of("1"), of("2"));
        assert_eq!(of("1"), of("1"));
        assert!(of("1").starts_with("xxxx"));
    }

    #[test]
    fn a_cut_is_between_characters() {
        let title = Some(EntryText { kind: TextKind::Plain, value: format!("x{}", long("ж")) });
        let entry = bound(Entry { title, ..Entry::default() });
        assert_eq!(entry.title.unwrap().value.len(), LINE_BYTES_MAX - 1);
    }

    #[test]
    fn a_feed_gives_its_entries_few_bytes_of_names() {
        let short = vec!["Desk".to_owned(), "Ann".to_owned()];
        assert_eq!(inherited(short.clone()), (short, false));
        let (names, is_cut) = inherited(vec!["x".repeat(1000); 100]);
        assert_eq!((names.len(), is_cut), (2, true));
    }
}
