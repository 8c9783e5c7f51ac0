//! Where a feed says that it lives now: `<itunes:new-feed-url>`, which Apple's podcasts brought and others read too.

use super::namespace::{Name, Space};

/// The longest that is read: the longest URL that the configuration takes.
const URL_BYTES_MAX: usize = 4096;

/// Collects it from the elements outside of entries; the last counts.
#[derive(Debug, Default)]
pub(super) struct NewUrlReader {
    found: Option<String>,
    capture: Option<(usize, String)>,
}

impl NewUrlReader {
    /// An element begins, in no entry.
    pub(super) fn open(&mut self, name: &Name<'_>, depth: usize) {
        if name.space == Space::Itunes && name.local.eq_ignore_ascii_case("new-feed-url") {
            self.capture = Some((depth, String::new()));
        }
    }

    /// Text of the element in hand.
    pub(super) fn text(&mut self, part: &str) {
        if let Some((_, text)) = &mut self.capture {
            text.push_str(part.get(..part.len().min(URL_BYTES_MAX + 1)).unwrap_or_default());
            // What is longer than any URL is none.
            if text.len() > URL_BYTES_MAX {
                self.capture = None;
            }
        }
    }

    /// An element that began at this depth ends.
    pub(super) fn close(&mut self, depth: usize) {
        let Some((_, text)) = self.capture.take_if(|(own, _)| *own == depth) else { return };
        let text = text.trim();
        self.found = (!text.is_empty()).then(|| text.to_owned()).or(self.found.take());
    }

    pub(super) fn finish(self) -> Option<String> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use cw_model::Steps;

    use crate::parse::parse;

    #[track_caller]
    fn check(channel: &str, expected: Option<&str>) {
        let document = format!(
            "<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel>\
             <title>A</title>{channel}<item><guid>1</guid><title>B</title></item></channel></rss>"
        );
        let url = "https://a.example/rss".parse().unwrap();
        let steps = Steps::for_bytes(document.len());
        let read = parse(document.as_bytes(), None, &url, 10, &steps).unwrap();
        assert_eq!(read.new_url.as_deref(), expected, "{channel}");
    }

    #[test]
    fn the_new_url_of_a_feed_is_read_outside_of_entries() {
        let element = |url: &str| format!("<itunes:new-feed-url>{url}</itunes:new-feed-url>");
        let new = "https://b.example/?a=1&amp;b=2";
        check("", None);
        check(&element(" https://b.example/?a=1&amp;b=2\n"), Some("https://b.example/?a=1&b=2"));
        check(&element("<![CDATA[https://b.example/]]>"), Some("https://b.example/"));
        check(&element(""), None);
        check(&format!("<item><guid>2</guid><title>C</title>{}</item>", element(new)), None);
        check(&element(&format!("https://b.example/{}", "x".repeat(super::URL_BYTES_MAX))), None);
    }
}
