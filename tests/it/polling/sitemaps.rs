//! An index of sitemaps is followed one level.

use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{PATH, Run};

const NEWS: &str = "xmlns:news=\"http://www.google.com/schemas/sitemap-news/0.9\"";

/// A news sitemap of one page for each headline.
fn sitemap(titles: &[&str]) -> Reply {
    let page = |title: &&str| {
        format!(
            "<url><loc>https://wire.example/{title}</loc><news:news><news:title>{title}</news:title>\
             <news:publication_date>2026-03-02T10:00:00Z</news:publication_date></news:news></url>"
        )
    };
    let pages: String = titles.iter().map(page).collect();
    Reply::feed(format!("<?xml version=\"1.0\"?><urlset {NEWS}>{pages}</urlset>"))
}

/// An index of sitemaps, each with the time of its last change.
fn index(urls: &[String], changed: &str) -> Reply {
    let sitemap =
        |url: &String| format!("<sitemap><loc>{url}</loc><lastmod>{changed}</lastmod></sitemap>");
    let sitemaps: String = urls.iter().map(sitemap).collect();
    Reply::feed(format!("<sitemapindex>{sitemaps}</sitemapindex>"))
}

fn serving(replies: impl Fn(&[String]) -> Vec<Reply>, sitemaps: [Vec<Reply>; 2]) -> Run {
    Run::configured([], |_, publisher: &Publisher| {
        let paths = ["/news1.xml", "/news2.xml"];
        let urls = paths.map(|path| publisher.url(path));
        for (path, replies) in paths.into_iter().zip(sitemaps) {
            publisher.serve(path, replies);
        }
        publisher.serve(PATH, replies(&urls));
    })
}

fn titles(run: &Run, polls: u64) -> Vec<String> {
    let mut titles: Vec<String> =
        run.rows_after(polls).iter().map(|row| row.text("title").to_owned()).collect();
    titles.sort();
    titles
}

#[test]
fn the_sitemaps_of_an_index_are_one_feed() {
    let run = serving(
        |urls| vec![index(urls, "2026-03-02")],
        [vec![sitemap(&["A", "B"]), sitemap(&["A", "B", "D"])], vec![sitemap(&["C"])]],
    );
    assert_eq!(titles(&run, 1), ["A", "B", "C"]);
    assert_eq!(titles(&run, 2), ["A", "B", "C", "D"]);
    let asked = run.publisher.requests("/news1.xml");
    assert_eq!(asked[0].header("accept"), Some("application/xml, text/xml;q=0.9, */*;q=0.1"));
}

/// What could not be had once is no gone article, and nothing comes twice.
#[test]
fn a_sitemap_that_fails_loses_nothing() {
    let run = serving(
        |urls| vec![index(urls, "2026-03-02")],
        [
            vec![sitemap(&["A"]), Reply::status(500), sitemap(&["A"])],
            vec![sitemap(&["B"]), sitemap(&["B", "C"])],
        ],
    );
    assert_eq!(titles(&run, 3), ["A", "B", "C"]);
    assert_eq!(run.state_after(3).plan.failures, 0);
}

#[test]
fn an_index_none_of_whose_sitemaps_can_be_had_is_a_feed_that_fails() {
    let replies = || vec![Reply::status(404)];
    let run = serving(|urls| vec![index(urls, "2026-03-02")], [replies(), replies()]);
    let state = run.state_after(1);
    assert_eq!(state.plan.last_failure.unwrap().class.name(), "not_found");
}

/// An index that says to the minute when its sitemaps changed answers for them.
#[test]
fn a_dated_index_that_did_not_change_is_not_followed_again() {
    let run = serving(
        |urls| {
            let dated = index(urls, "2026-03-02T10:00:00Z").header("ETag", "\"1\"");
            vec![dated, Reply::status(304)]
        },
        [vec![sitemap(&["A"])], vec![sitemap(&["B"])]],
    );
    assert_eq!(titles(&run, 2), ["A", "B"]);
    assert_eq!(run.requests(2)[1].header("if-none-match"), Some("\"1\""));
    assert_eq!(run.publisher.requests("/news1.xml").len(), 1);
}
