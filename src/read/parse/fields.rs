//! What an entry holds under other names than those of its format, and which of it is used.
//!
//! Publishers write the text of an article into a dozen elements that no format knows, dates into the
//! vocabulary of Dublin Core, and the page itself beside a link that counts readers. What the format's own
//! name holds comes first; among others of one kind, the first that is not empty.

use cw_model::{Entry, EntryText, TextKind};
use cw_text::html::looks_like_html;

use super::elements::in_its_case;
use super::limits::LIST_MAX;
use super::namespace::{Name, Space};

/// What an element under another name holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    /// A headline.
    Title,
    /// A teaser.
    Summary,
    /// The whole text.
    Content,
    /// A date of publication.
    Published,
    /// A date of the last change.
    Updated,
    /// The page, where the format's own link leads over a counter of readers.
    Page,
    /// The page, where the format has no link.
    Link,
    /// A category.
    Subject,
    /// Categories between commas.
    Keywords,
}

/// All of an entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Others {
    title: Option<EntryText>,
    summary: Option<EntryText>,
    content: Option<EntryText>,
    published: Option<String>,
    updated: Option<String>,
    page: Option<String>,
    link: Option<String>,
    subjects: Vec<String>,
    keywords: Vec<String>,
}

/// What an entry's child of a name holds, beside what the formats say. `None` for most.
pub(super) fn other(name: &Name<'_>) -> Option<Other> {
    let local = name.local.to_ascii_lowercase();
    Some(match (name.space, local.as_str()) {
        (Space::Dc | Space::DcTerms | Space::Itunes | Space::Atom, "title")
        | (Space::Document | Space::Rss | Space::Other, "headline") => Other::Title,
        (Space::Itunes, "summary" | "subtitle")
        | (Space::Dc | Space::DcTerms, "description" | "abstract")
        | (Space::Atom, "summary")
        | (
            Space::Document | Space::Rss | Space::Other,
            "summary" | "abstract" | "teaser" | "lead" | "desc" | "intro" | "excerpt" | "subtitle"
            | "standfirst" | "synopsis" | "snippet" | "preview" | "perex" | "bajada" | "copete"
            | "shorttext" | "short-text" | "anons" | "annotation" | "shortdescription"
            | "short_description" | "short-description",
        )
        | (Space::Other, "description") => Other::Summary,
        (
            _,
            "full-text" | "fulltext" | "full_text" | "fullarticle" | "full_article"
            | "fulldescription" | "full_description" | "maintext" | "newsbody" | "news-body"
            | "article_body" | "fullstory" | "articlebody" | "article-body" | "news-text"
            | "newstext" | "bodytext" | "body-text" | "longdescription" | "long_description"
            | "content_encoded" | "content-encoded",
        )
        | (Space::Atom, "content")
        | (Space::Content, "html")
        | (
            Space::Document | Space::Rss | Space::Other,
            "content" | "contents" | "content_html" | "content-html" | "encoded" | "body" | "text"
            | "story" | "article" | "details",
        )
        | (Space::Xhtml, "body" | "div") => Other::Content,
        (Space::Dc | Space::DcTerms, "created" | "issued" | "available")
        | (Space::DcTerms, "date")
        | (
            Space::Document | Space::Rss | Space::Other,
            "published" | "publicationdate" | "publication_date" | "publication-date"
            | "publishdate" | "publish_date" | "publish-date" | "pub_date" | "pub-date"
            | "pubdatetime" | "pubtime" | "pubdateut" | "publishedat" | "published_at"
            | "datepublished" | "date" | "datetime" | "time" | "created" | "created_at"
            | "createdat" | "issued" | "posted" | "publish_time" | "publishtime" | "publish-time"
            | "date_published" | "date-published" | "dateposted" | "datecreated" | "date_created"
            | "newsdate" | "news_date" | "post_date" | "postdate",
        )
        | (Space::Media, "pubdate")
        | (Space::Atom, "published" | "issued" | "created") => Other::Published,
        (Space::DcTerms, "modified")
        | (
            Space::Document | Space::Rss | Space::Other,
            "updated" | "modified" | "lastmod" | "datemodified" | "updateddate" | "updated_at"
            | "updatedat" | "lastbuilddate",
        )
        | (Space::Atom, "updated" | "modified") => Other::Updated,
        (_, "origlink") => Other::Page,
        (Space::Dc | Space::DcTerms, "subject") => Other::Subject,
        (
            Space::Media | Space::Itunes | Space::Document | Space::Rss | Space::Other,
            "keywords" | "tags",
        ) => Other::Keywords,
        (Space::Media, "category")
        | (Space::Document | Space::Rss | Space::Other, "tag" | "section" | "rubric" | "topic") => {
            Other::Subject
        }
        (Space::Document | Space::Rss | Space::Other, "url" | "permalink" | "canonical") => {
            Other::Link
        }
        _ => return None,
    })
}

impl Others {
    /// Keeps what an element holds.
    pub(super) fn keep(&mut self, other: Other, text: &str) {
        let written = || Some(text.to_owned());
        let kind = if looks_like_html(text) { TextKind::Html } else { TextKind::Plain };
        let entry_text = || Some(EntryText { kind, value: text.to_owned() });
        match other {
            Other::Title => self.title = self.title.take().or_else(entry_text),
            Other::Summary => self.summary = self.summary.take().or_else(entry_text),
            Other::Content => self.content = self.content.take().or_else(entry_text),
            Other::Published => self.published = self.published.take().or_else(written),
            Other::Updated => self.updated = self.updated.take().or_else(written),
            Other::Page => self.page = self.page.take().or_else(written),
            Other::Link => self.link = self.link.take().or_else(written),
            Other::Subject if self.subjects.len() < LIST_MAX => self.subjects.push(text.to_owned()),
            Other::Keywords if self.keywords.is_empty() => {
                let words = text.split([',', ';', '،', '、']).map(str::trim);
                let words = words.filter(|word| !word.is_empty()).take(LIST_MAX);
                self.keywords = words.map(str::to_owned).collect();
            }
            Other::Subject | Other::Keywords => {}
        }
    }

    /// Fills what the entry lacks.
    pub(super) fn fill(self, entry: &mut Entry) {
        // Dots and dashes stand for a text that is not there.
        let is_sign = |c: char| c.is_whitespace() || matches!(c, '.' | '…' | '-' | '–' | '—');
        let is_blank = |text: &Option<EntryText>| {
            text.as_ref().is_none_or(|text| text.value.chars().all(is_sign))
        };
        if is_blank(&entry.title) {
            entry.title = self.title.or(entry.title.take());
        }
        if is_blank(&entry.content) {
            entry.content = self.content.or(entry.content.take());
        }
        if is_blank(&entry.summary) {
            entry.summary = self.summary.or(entry.summary.take());
        }
        entry.published = entry.published.take().or(self.published);
        entry.updated = entry.updated.take().or(self.updated);
        entry.link = entry.link.take().or(self.link);
        entry.page = self.page;
        for subject in self.subjects {
            if !entry.categories.contains(&subject) {
                entry.categories.push(subject);
            }
        }
        if entry.categories.is_empty() {
            entry.categories = self.keywords;
        }
    }
}

/// A name in the case in which its format has it.
pub(super) fn canonical<'a>(name: Name<'a>) -> Name<'a> {
    let is_known = matches!(
        name.space,
        Space::Document | Space::Rss | Space::Atom | Space::Content | Space::Dc
    );
    if !is_known {
        return name;
    }
    Name { local: in_its_case(name.local), ..name }
}

#[cfg(test)]
mod tests {
    use cw_model::Steps;
    use url::Url;

    use super::*;
    use crate::parse::parse;

    fn item(inside: &str) -> Entry {
        let text = format!(
            "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/' \
             xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' \
             xmlns:feedburner='http://rssnamespace.org/feedburner/ext/1.0' \
             xmlns:yandex='http://news.yandex.ru'><channel><item>{inside}</item></channel></rss>"
        );
        let url = Url::parse("https://example.org/").unwrap();
        let feed = parse(text.as_bytes(), None, &url, 10, &Steps::new(u64::MAX)).unwrap();
        feed.entries.into_iter().next().unwrap()
    }

    fn value(text: Option<&EntryText>) -> Option<&str> {
        text.map(|text| text.value.as_str())
    }

    #[test]
    fn a_text_is_found_under_the_names_that_publishers_give_it() {
        for inside in [
            "<full-text>All of it.</full-text>",
            "<yandex:full-text>All of it.</yandex:full-text>",
            "<fulltext><![CDATA[All of it.]]></fulltext>",
            "<content>All of it.</content>",
            "<Full-Text>All of it.</Full-Text>",
        ] {
            assert_eq!(value(item(inside).content.as_ref()), Some("All of it."), "{inside}");
        }
        let xhtml =
            item("<body xmlns='http://www.w3.org/1999/xhtml'><p>All <b>of</b> it.</p></body>");
        assert_eq!(value(xhtml.content.as_ref()), Some("<p>All <b>of it."));
        for inside in ["<itunes:summary>x</itunes:summary>", "<dc:description>x</dc:description>"] {
            assert_eq!(value(item(inside).summary.as_ref()), Some("x"), "{inside}");
        }
    }

    #[test]
    fn what_the_format_names_comes_first() {
        let both = item(
            "<dc:title>Other</dc:title><title>Own</title><dc:description>o</dc:description>\
                         <description>d</description><dcterms:created>2026</dcterms:created>\
                         <pubDate>2025</pubDate>",
        );
        assert_eq!(value(both.title.as_ref()), Some("Own"));
        assert_eq!(value(both.summary.as_ref()), Some("d"));
        assert_eq!(both.published.as_deref(), Some("2025"));
        let other = item("<dc:title>Other</dc:title><dcterms:created>2026</dcterms:created>");
        assert_eq!(value(other.title.as_ref()), Some("Other"));
        assert_eq!(other.published.as_deref(), Some("2026"));
    }

    #[test]
    fn names_in_another_case_are_those_of_the_format() {
        let odd = item(
            "<Title>T</Title><LINK>/a</LINK><pubdate>2025</pubdate><DESCRIPTION>a <b>b</b></DESCRIPTION>",
        );
        assert_eq!(value(odd.title.as_ref()), Some("T"));
        assert_eq!(odd.link.as_deref(), Some("/a"));
        assert_eq!(odd.published.as_deref(), Some("2025"));
        assert_eq!(value(odd.summary.as_ref()), Some("a <b>b</b>"));
    }

    #[test]
    fn the_page_is_found_beside_a_counter_and_over_lines() {
        let counted = item(
            "<link>http://count.example/1</link>\
                            <feedburner:origLink>http://desk.example/a</feedburner:origLink>",
        );
        assert_eq!(counted.link.as_deref(), Some("http://count.example/1"));
        assert_eq!(counted.page.as_deref(), Some("http://desk.example/a"));
        assert_eq!(
            item("<link href='http://desk.example/a'/>").link.as_deref(),
            Some("http://desk.example/a")
        );
        assert!(
            item("<link>http://desk.example/\n   a</link>")
                .page
                .is_some_and(|page| page.contains('\n'))
        );
    }

    #[test]
    fn people_and_subjects_are_apart_and_clean() {
        let people = item(
            "<author><name>A. Desk</name><title>Editor</title></author>\
                           <dc:creator>desk@example.org</dc:creator>",
        );
        assert_eq!(people.authors, ["A. Desk"]);
        assert_eq!(item("<author>Desk (mailto:d@example.org)</author>").authors, ["Desk"]);
        assert_eq!(
            item("<category>War</category><dc:subject>Siege</dc:subject>").categories,
            ["War", "Siege"]
        );
        assert_eq!(
            item("<media:keywords>war, siege</media:keywords>").categories,
            ["war", "siege"]
        );
    }
}
