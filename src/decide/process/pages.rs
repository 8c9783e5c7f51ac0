//! Which pages a poll wants, and what becomes of the articles whose pages came.
//!
//! The first reading of a document says what it publishes. Of that, what has a teaser alone wants its page. The document is
//! read again with the texts of the pages, by the same function, so that quota, coding and routes are those of the whole
//! text. Identity, digest and revisions are of the feed's own texts: a page changes none of them.

use std::collections::{BTreeMap, HashMap};

use cw_model::{Article, ArticleId, BodySource, Feed, FullText, Outcome, Record, Steps, TooCostly};
use cw_read::normalise::repeats;
use cw_read::page::{Expected, PageText};
use cw_text::fingerprint::fingerprint;
use cw_text::language::{beginning, sure};
use cw_text::web::is_web;
use url::Url;

use super::Source;

/// The most pages of one poll; the newest articles have theirs. A feed has some ten new articles a poll after its first.
pub const PAGES_MAX: usize = 20;

/// An article of which the feed gives fewer characters than this has a teaser alone.
pub const TEASER_CHARS_MAX: usize = 1000;

/// Steps for each byte of a text that comes from a page: it is copied, and held against what is known of languages.
const BYTE_STEPS: usize = 24;

/// The page of an article that is to be published with a teaser alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedPage {
    /// Whose.
    pub article: ArticleId,
    /// Where it is.
    pub url: Url,
    /// What it must agree with.
    pub expected: Expected,
}

/// The texts of pages, by article.
pub type Pages = BTreeMap<ArticleId, PageText>;

/// The pages that an outcome wants before it is committed: none, unless the feed is to have full texts from pages. The
/// newest article's is the first.
pub fn wanted_pages(feed: &Feed, outcome: &Outcome) -> Vec<WantedPage> {
    match feed.full_text {
        FullText::Feed => Vec::new(),
        FullText::Page => {
            let mut shared: HashMap<&str, usize> = HashMap::new();
            let urls = outcome.records.iter().filter_map(|routed| page_of(&routed.record));
            urls.for_each(|url| *shared.entry(url).or_default() += 1);
            // A page of many articles is the text of none.
            let is_own =
                |record: &&Record| page_of(record).is_some_and(|url| shared.get(url) == Some(&1));
            let newest_first = outcome.records.iter().rev().map(|routed| &routed.record);
            let wanted = newest_first.filter(is_own).filter_map(|record| wanted(feed, record));
            wanted.take(PAGES_MAX).collect()
        }
    }
}

/// The URL of a record's page, without what stands for a place on it.
fn page_of(record: &Record) -> Option<&str> {
    record.url.as_deref().and_then(|url| url.split('#').next())
}

fn wanted(feed: &Feed, record: &Record) -> Option<WantedPage> {
    let text = record.body.as_deref().or(record.summary.as_deref());
    let is_teaser = text.is_none_or(|text| text.chars().nth(TEASER_CHARS_MAX).is_none());
    // Of an article that was taken back there is no link.
    let url = Url::parse(record.url.as_deref()?).ok()?;
    (is_teaser && is_web(&url)).then_some(())?;
    let expected = Expected {
        title: record.title.clone(),
        teaser: text.map(str::to_owned),
        published_at: record.published_at.as_deref().and_then(|at| at.parse().ok()),
        language: record.language.clone(),
        authors: record.authors.clone(),
        text_chars_max: feed.text_chars_max,
    };
    Some(WantedPage { article: ArticleId::parse(&record.id).ok()?, url, expected })
}

/// What pages take, bytes.
pub(super) fn bytes(pages: &Pages) -> usize {
    pages.values().map(|page| page.body.len()).sum()
}

impl Source<'_> {
    /// The article with the text of its page; `None` if that did not come.
    pub(super) fn with_page(&self, article: &Article) -> Result<Option<Article>, TooCostly> {
        let Some(page) = self.pages.get(&article.id) else { return Ok(None) };
        with_text(article, page, self.steps).map(Some)
    }
}

/// An article with the text of its page. It stays who it is, and what a change of which makes a revision.
fn with_text(article: &Article, page: &PageText, steps: &Steps) -> Result<Article, TooCostly> {
    steps.spend(page.body.len().saturating_mul(BYTE_STEPS))?;
    let headline = article.title.as_deref().unwrap_or_default();
    // A headline and a teaser may have been too short to tell.
    let told = || sure(beginning(&page.body));
    // What the feed called the body is its teaser now.
    let summary = article.summary.clone().or_else(|| article.body.clone());
    let summary = summary.filter(|summary| !repeats(summary, &page.body));
    Ok(Article {
        fingerprint: fingerprint(headline, &page.body, steps)?,
        summary,
        language: article.language.clone().or_else(told),
        body: Some(page.body.clone()),
        body_source: BodySource::Page,
        truncated: article.truncated || page.is_cut,
        ..article.clone()
    })
}
