//! OPML 2.0, in which feed readers exchange lists of feeds: reading and writing.
//!
//! Folders become labels of the feeds in them. What OPML has no attribute for is written with our own
//! prefix, so that what is exported and imported again is the same. Judging the feeds is `feeds`'.
//!
//! Source: <http://opml.org/spec2.opml>.

use std::borrow::Cow;
use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::Problem;
use super::label::{LABELS_MAX, label_of_folder};
use super::origin::Origins;
use super::raw::RawFeed;
use super::walk::shown;

/// How deep folders may lie in folders: readers show a handful of levels.
const DEPTH_MAX: usize = 64;

/// Names our own attributes.
const NAMESPACE: &str = "urn:conflictwire:opml:1";

/// Reads an OPML document: its feeds, the line of each, and what is wrong with the document.
pub(super) fn read_opml(file: &str, bytes: &[u8]) -> (Vec<RawFeed>, Origins, Vec<Problem>) {
    let text = decoded(bytes);
    let mut reading = Reading {
        text: &text,
        line_starts: std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect(),
        origins: Origins::new(file),
        feeds: Vec::new(),
        problems: Vec::new(),
        open: Vec::new(),
    };
    reading.read();
    (reading.feeds, reading.origins, reading.problems)
}

/// The text of a document, by its byte order mark, its XML declaration, or as UTF-8.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    // The declaration is ASCII in every encoding that has no byte order mark.
    let declared = bytes.strip_prefix(b"<?xml").and_then(|rest| {
        let end = rest.iter().position(|byte| *byte == b'>')?;
        let declaration = std::str::from_utf8(rest.get(..end)?).ok()?;
        let (_, label) = declaration.split_once("encoding")?;
        let label = label.trim_start_matches(['=', ' ', '"', '\'']);
        let label = label.split(['"', '\'', ' ']).next()?;
        encoding_rs::Encoding::for_label(label.as_bytes())
    });
    declared.unwrap_or(encoding_rs::UTF_8).decode(bytes).0
}

struct Reading<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
    origins: Origins,
    feeds: Vec<RawFeed>,
    problems: Vec<Problem>,
    /// The elements that are open; what is a folder has a name.
    open: Vec<Option<String>>,
}

impl Reading<'_> {
    fn read(&mut self) {
        let mut reader = Reader::from_str(self.text);
        reader.config_mut().allow_dangling_amp = true;
        let mut depth = 0;
        let mut is_opml = false;
        loop {
            let offset = reader.buffer_position();
            let event = reader.read_event();
            match event {
                Ok(Event::Start(element) | Event::Empty(element)) if !is_opml => {
                    if element.local_name().as_ref() != "opml" {
                        let name = shown(element.name().as_ref());
                        let text =
                            format!("is not OPML: its first element is <{name}>, not <opml>");
                        return self.report(offset, text);
                    }
                    is_opml = true;
                    depth += 1;
                    self.open.push(None);
                }
                Ok(Event::Start(element)) => {
                    let folder = self.read_element(&element, offset);
                    self.open.push(folder);
                    depth += 1;
                    if depth > DEPTH_MAX {
                        let text = format!("outlines lie more than {DEPTH_MAX} deep; flatten them");
                        return self.report(offset, text);
                    }
                }
                Ok(Event::Empty(element)) => {
                    let _nothing_in_it = self.read_element(&element, offset);
                }
                Ok(Event::End(_)) => {
                    self.open.pop();
                    depth = depth.saturating_sub(1);
                }
                Ok(Event::Eof) if !is_opml => {
                    return self.report(0, "is not OPML: it has no elements".to_owned());
                }
                Ok(Event::Eof) if depth > 0 => {
                    return self.report(offset, "ends before its last element does".to_owned());
                }
                Ok(Event::Eof) => return,
                Ok(_) => {}
                Err(error) => return self.report(offset, format!("is not XML: {error}")),
            }
        }
    }

    /// Reads an element; says what it is called if it is a folder.
    fn read_element(&mut self, element: &BytesStart<'_>, offset: u64) -> Option<String> {
        if element.local_name().as_ref() != "outline" {
            return None;
        }
        let mut feed = RawFeed::default();
        let mut title = None;
        // Without checks: an attribute given twice is no reason to refuse a list.
        for attribute in element.attributes().with_checks(false).flatten() {
            let value = quick_xml::escape::unescape(&attribute.value)
                // Addresses with a bare "&" are common and mean what they say.
                .unwrap_or(Cow::Borrowed(&attribute.value));
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            let given = Some(value).filter(|value| !value.is_empty());
            match attribute.key.as_ref() {
                name if name.eq_ignore_ascii_case("xmlUrl") => {
                    // An empty address is a mistake to be reported, not a folder.
                    feed.url = Some(given.unwrap_or_default());
                }
                "title" => title = given.or(title),
                "text" => title = title.or(given),
                "language" => feed.language = given,
                "cw:id" => feed.id = given,
                "cw:publisher" => feed.publisher = given,
                "cw:country" => feed.country = given,
                "cw:interval" => feed.interval = given,
                "cw:backlog" => feed.backlog = given,
                // What is no number is reported as one that is out of range.
                "cw:articles_per_day" => {
                    feed.articles_per_day = given.map(|count| count.parse().unwrap_or(-1));
                }
                "cw:bytes_per_day" => feed.bytes_per_day = given,
                "cw:query" => feed.query = given,
                "cw:labels" => {
                    let of_text = |text: String| text.split(',').map(str::to_owned).collect();
                    feed.labels = given.map(of_text);
                }
                "cw:fulltext" => feed.fulltext = given.map(|text| text == "true"),
                "cw:enabled" => feed.enabled = given.map(|word| word != "false"),
                _ => {}
            }
        }
        if feed.url.is_none() {
            return title;
        }
        // A list of ours says who publishes, or that nobody said; others only have a title.
        if feed.id.is_none() && feed.publisher.is_none() {
            feed.publisher = title;
        }
        if feed.labels.is_none() {
            let labels: Vec<String> = self
                .open
                .iter()
                .flatten()
                .filter_map(|name| label_of_folder(name))
                .take(LABELS_MAX)
                .collect();
            feed.labels = Some(labels).filter(|labels| !labels.is_empty());
        }
        let line = self.line(offset);
        self.origins.set_line(&format!("feed[{}]", self.feeds.len()), line);
        self.feeds.push(feed);
        None
    }

    fn report(&mut self, offset: u64, text: String) {
        let (file, line) = (self.origins.file().to_owned(), Some(self.line(offset)));
        self.problems.push(Problem { file, line, key: String::new(), text });
    }

    /// The line on which the element after `offset` begins.
    fn line(&self, offset: u64) -> usize {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.text.get(offset..).unwrap_or_default();
        let blank = rest.len() - rest.trim_start().len();
        self.line_starts.partition_point(|start| *start <= offset + blank)
    }
}

/// The OPML attribute that a key of a feed is read from.
pub(super) fn attribute_name(key: &str) -> String {
    match key {
        "url" => "xmlUrl".to_owned(),
        "language" => "language".to_owned(),
        other => format!("cw:{other}"),
    }
}

/// Writes an OPML document; `feeds` have an id and a URL each.
pub(super) fn write_opml(feeds: &[RawFeed]) -> String {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <opml version=\"2.0\" xmlns:cw=\"{NAMESPACE}\">\n\
         <head><title>conflictwire feeds</title></head>\n<body>\n"
    );
    for feed in feeds {
        let url = feed.url.as_deref().unwrap_or_default();
        let labels = feed.labels.as_ref().map(|labels| labels.join(","));
        let enabled = feed.enabled.map(|enabled| enabled.to_string());
        let articles = feed.articles_per_day.map(|count| count.to_string());
        let title = feed.publisher.as_deref().or(feed.id.as_deref()).unwrap_or(url);
        out.push_str("<outline type=\"rss\"");
        for (name, value) in [
            ("text", Some(title)),
            ("xmlUrl", Some(url)),
            ("language", feed.language.as_deref()),
            ("cw:id", feed.id.as_deref()),
            ("cw:publisher", feed.publisher.as_deref()),
            ("cw:country", feed.country.as_deref()),
            ("cw:interval", feed.interval.as_deref()),
            ("cw:backlog", feed.backlog.as_deref()),
            ("cw:articles_per_day", articles.as_deref()),
            ("cw:bytes_per_day", feed.bytes_per_day.as_deref()),
            ("cw:query", feed.query.as_deref()),
            ("cw:labels", labels.as_deref()),
            ("cw:fulltext", feed.fulltext.filter(|is| *is).map(|_| "true")),
            ("cw:enabled", enabled.as_deref()),
        ] {
            if let Some(value) = value {
                let value = quick_xml::escape::escape(value);
                write!(out, " {name}=\"{value}\"").expect("writing to a String does not fail");
            }
        }
        out.push_str("/>\n");
    }
    out.push_str("</body>\n</opml>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<RawFeed>, Vec<String>) {
        let (feeds, _, problems) = read_opml("a.opml", text.as_bytes());
        (feeds, problems.iter().map(ToString::to_string).collect())
    }

    fn body(outlines: &str) -> String {
        format!("<?xml version=\"1.0\"?>\n<opml version=\"2.0\"><body>{outlines}</body></opml>")
    }

    #[track_caller]
    fn check_problem(text: &str, expected: &str) {
        let (_, problems) = read(text);
        assert_eq!(problems, [expected], "of {text:?}");
    }

    #[test]
    fn folders_become_labels_of_what_is_in_them() {
        let (feeds, problems) = read(&body(
            "<outline text=\"World\"><outline text=\"War\">\
             <outline type=\"rss\" text=\"Short\" title=\"The &amp; Title\" \
             xmlUrl=\"https://a.b/?x=1&amp;y=2\" htmlUrl=\"https://a.b\"/></outline></outline>\
             <outline type=\"link\" url=\"https://a.b/page\"/>",
        ));
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(feeds.len(), 1);
        assert_eq!(feeds[0].url.as_deref(), Some("https://a.b/?x=1&y=2"));
        assert_eq!(feeds[0].publisher.as_deref(), Some("The & Title"));
        assert_eq!(feeds[0].labels, Some(vec!["World".to_owned(), "War".to_owned()]));
    }

    #[test]
    fn what_readers_really_write_is_read() {
        for outline in [
            "<outline xmlurl=\"https://a.b/?x=1&y=2\"/>",
            "<outline xmlUrl='https://a.b/?x=1&#38;y=2' text=\"&nbsp;\"></outline>",
            "<OUTLINE/><outline xmlUrl=\" https://a.b/?x=1&y=2\n\" text='' text='2'/>",
        ] {
            let (feeds, problems) = read(&body(outline));
            let urls: Vec<_> = feeds.iter().filter_map(|feed| feed.url.as_deref()).collect();
            assert_eq!(urls, ["https://a.b/?x=1&y=2"], "{outline} {problems:?}");
        }
    }

    #[test]
    fn an_empty_address_is_no_folder() {
        let (feeds, _) = read(&body("<outline text=\"a\" xmlUrl=\"\"/>"));
        assert_eq!(feeds[0].url.as_deref(), Some(""));
    }

    #[test]
    fn the_encoding_is_the_marks_or_the_declared_one() {
        let outline = "<outline text=\"Café\" xmlUrl=\"https://a.b/\"/>";
        let text = format!("<?xml version=\"1.0\" encoding='ISO-8859-1'?><opml>{outline}</opml>");
        let latin = encoding_rs::WINDOWS_1252.encode(&text).0.into_owned();
        let marked = format!("\u{feff}<opml>{outline}</opml>").into_bytes();
        let wide: Vec<u8> = format!("\u{feff}<opml>{outline}</opml>")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [latin, marked, wide] {
            let (feeds, _, problems) = read_opml("a.opml", &bytes);
            assert_eq!(problems, []);
            assert_eq!(feeds[0].publisher.as_deref(), Some("Café"));
        }
    }

    #[test]
    fn what_is_not_opml_says_what_it_is() {
        check_problem("", "a.opml:1: is not OPML: it has no elements");
        check_problem("url,title", "a.opml:1: is not OPML: it has no elements");
        check_problem(
            "\n<rss version=\"2.0\"/>",
            "a.opml:2: is not OPML: its first element is <rss>, not <opml>",
        );
        check_problem("<opml>\n<body>", "a.opml:2: ends before its last element does");
        let (_, problems) = read("<opml><body></opml>");
        assert!(problems[0].starts_with("a.opml:1: is not XML"), "{problems:?}");
    }

    #[test]
    fn depth_has_a_limit() {
        let nested = |depth: usize| {
            let open = "<outline>".repeat(depth);
            format!("<opml>{open}{}</opml>", "</outline>".repeat(depth))
        };
        assert_eq!(read(&nested(DEPTH_MAX - 1)).1, Vec::<String>::new());
        let limit = format!("a.opml:1: outlines lie more than {DEPTH_MAX} deep; flatten them");
        check_problem(&nested(DEPTH_MAX), &limit);
        // Ended at the limit, whatever follows.
        check_problem(&"<opml>".repeat(1_000_000), &limit);
    }

    #[test]
    fn no_list_of_others_opens_a_private_network() {
        let written = [
            "allow_private_networks=\"true\"",
            "allow_private_networks=\"10.0.0.0/8\"",
            "cw:allow_private_networks=\"true\"",
            "cw:allow_private_networks=\"10.0.0.0/8\"",
            "cw:allow-private-networks=\"10.0.0.0/8\"",
            // It would be dialled wherever it is.
            "cw:proxy=\"http://10.0.0.1:80\"",
            // It would send a file of this machine there.
            "cw:headers_file=\"secrets\"",
        ];
        for attribute in written {
            let (feeds, problems) = read(&format!(
                "<opml xmlns:cw=\"{NAMESPACE}\"><outline xmlUrl=\"https://a.b/\" {attribute}/></opml>"
            ));
            assert_eq!((feeds.len(), problems.len()), (1, 0), "{attribute}: {problems:?}");
            assert_eq!(feeds[0].allow_private_networks, None, "{attribute}");
            assert_eq!(feeds[0].proxy, None, "{attribute}");
            assert_eq!(feeds[0].headers_file, None, "{attribute}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let feed = RawFeed {
            id: Some("a".to_owned()),
            url: Some("https://a.b/?x=1&y=\"<2>\"".to_owned()),
            publisher: Some("A & \"B\" <C> 'D'".to_owned()),
            country: Some("UA".to_owned()),
            language: Some("uk".to_owned()),
            interval: Some("30m".to_owned()),
            backlog: Some("none".to_owned()),
            articles_per_day: Some(7),
            bytes_per_day: Some("2MiB".to_owned()),
            query: Some("publish".to_owned()),
            labels: Some(vec!["a".to_owned(), "b c".to_owned()]),
            fulltext: Some(true),
            enabled: Some(false),
            ..RawFeed::default()
        };
        let bare = RawFeed {
            id: Some("b".to_owned()),
            url: Some("https://b.c/".to_owned()),
            ..RawFeed::default()
        };
        let feeds = vec![feed, bare];
        assert_eq!(read(&write_opml(&feeds)), (feeds, Vec::new()));
    }
}
