//! HTML that texts from outside cannot break out of: markup is written in this program, and everything
//! else goes through [`Html::text`].

use cw_model::Timestamp;
use cw_status::recent::Passage;
use cw_status::shown::printable;
use cw_status::spans::distance_text;
use url::Url;

use super::super::api::moment;

/// A page as it is written.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup of ours.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// A text, also in a quoted attribute. Characters that are hidden are left out: they could turn the
    /// order of what stands around them.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        text.chars().for_each(|char| self.char(char));
        self
    }

    fn char(&mut self, char: char) {
        match char {
            '&' => self.0.push_str("&amp;"),
            '<' => self.0.push_str("&lt;"),
            '>' => self.0.push_str("&gt;"),
            '"' => self.0.push_str("&quot;"),
            '\'' => self.0.push_str("&#39;"),
            _ => self.0.extend(printable(char)),
        }
    }

    pub(super) fn number(&mut self, number: impl TryInto<u64>) -> &mut Self {
        let number = number.try_into().unwrap_or(u64::MAX);
        self.text(&grouped(number))
    }

    /// A number as SVG takes it.
    pub(super) fn length(&mut self, number: u64) -> &mut Self {
        self.text(&number.to_string())
    }

    /// A moment by how far it is from now.
    pub(super) fn time(&mut self, at: Timestamp, now: Timestamp) -> &mut Self {
        let (exact, text) = (moment(at), distance_text(at, now));
        self.raw("<time datetime=\"").text(&exact).raw("\" title=\"").text(&exact);
        self.raw("\">").text(&text).raw("</time>")
    }

    /// A passage with its words marked.
    pub(super) fn passage(&mut self, passage: &Passage) -> &mut Self {
        let mut marks = passage.marks.iter().peekable();
        let mut is_open = false;
        for (index, char) in passage.text.chars().enumerate() {
            if is_open && marks.peek().is_some_and(|(_, end)| *end <= index) {
                marks.next();
                is_open = false;
                self.raw("</mark>");
            }
            if !is_open && marks.peek().is_some_and(|(start, _)| *start <= index) {
                is_open = true;
                self.raw("<mark>");
            }
            self.char(char);
        }
        if is_open {
            self.raw("</mark>");
        }
        self
    }

    /// An address of the web, or nothing: other schemes could be programs.
    pub(super) fn web(url: Option<&str>) -> Option<Url> {
        Url::parse(url?).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_a_text() {
        let mut html = Html::default();
        html.text("<script>alert('x')</script>\" onload=\"y & z\u{202e}\u{0}\n");
        assert_eq!(
            html.into_text(),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot; onload=&quot;y &amp; z "
        );
    }

    #[track_caller]
    fn check(text: &str, marks: &[(usize, usize)], expected: &str) {
        let mut html = Html::default();
        html.passage(&Passage { text: text.to_owned(), marks: marks.to_vec() });
        assert_eq!(html.into_text(), expected);
    }

    #[test]
    fn marks_stand_where_the_words_are() {
        check("a truce began", &[(2, 7)], "a <mark>truce</mark> began");
        check("<b> war", &[(0, 3), (4, 7)], "<mark>&lt;b&gt;</mark> <mark>war</mark>");
        check("\u{202e}війна", &[(1, 6)], "<mark>війна</mark>");
        check("a truce", &[(2, 90)], "a <mark>truce</mark>");
        check("a truce", &[(50, 90)], "a truce");
    }

    #[test]
    fn only_addresses_of_the_web_are_links() {
        for url in ["javascript:alert(1)", "data:text/html,x", "//x", "", "file:///etc/passwd"] {
            assert_eq!(Html::web(Some(url)), None, "{url}");
        }
        assert!(Html::web(Some("https://news.example/1")).is_some());
    }

    #[test]
    fn numbers_are_read_at_a_glance() {
        let numbers = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
    }
}
