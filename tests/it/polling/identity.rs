//! Which entry is which article, from poll to poll and over a restart.

use crate::support::audit::Row;
use crate::support::publisher::Reply;
use crate::support::run::{Run, item, rss};

/// What a daemon commits that sees these documents in turn and is restarted after the last.
#[track_caller]
fn committed(documents: &[&str]) -> Vec<Row> {
    let run = Run::serving(documents.iter().map(|document| Reply::feed(*document)));
    let polls = documents.len() as u64;
    run.state_after(polls);
    let run = run.restart();
    run.rows_after(polls + 2)
}

/// Revisions and headlines, in order of commit.
fn told(rows: &[Row]) -> Vec<(u32, &str)> {
    rows.iter().map(|row| (row.revision, row.text("title"))).collect()
}

const DATED: &str = "<pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate>";

/// 76
#[test]
fn the_same_entries_again_or_in_another_order_are_not_news() {
    let (a, b) = (item("a", "A"), item("b", "B"));
    let (forth, back) = (rss(&[&b, &a]), rss(&[&a, &b]));
    assert_eq!(told(&committed(&[&forth, &forth, &back, &forth])), [(1, "A"), (1, "B")]);
}

/// 76
#[test]
fn a_link_that_changes_its_scheme_is_not_news() {
    let plain = item("a", "A").replace("https://", "http://");
    let rows = committed(&[&rss(&[&plain]), &rss(&[&item("a", "A")])]);
    assert_eq!(told(&rows), [(1, "A")]);
}

/// 85
#[test]
fn tracking_in_links_is_not_news() {
    let plain = format!("<item><title>A</title><link>https://w.example/a</link>{DATED}</item>");
    let tracked = plain.replace("/a<", "/a?utm_source=rss&amp;utm_medium=feed#top<");
    let rows = committed(&[&rss(&[&plain]), &rss(&[&tracked])]);
    assert_eq!(told(&rows), [(1, "A")]);
}

/// 77
#[test]
fn a_back_dated_entry_is_published_at_once() {
    let old = item("b", "B").replace("Mon, 02 Mar 2026", "Sun, 01 Feb 2026");
    let rows = committed(&[&rss(&[&item("a", "A")]), &rss(&[&item("a", "A"), &old])]);
    assert_eq!(told(&rows), [(1, "A"), (1, "B")]);
}

/// 78
#[test]
fn without_a_guid_an_edited_headline_is_a_revision_of_the_same_link() {
    let entry = |title| {
        format!("<item><title>{title}</title><link>https://w.example/a</link>{DATED}</item>")
    };
    let rows = committed(&[&rss(&[&entry("A")]), &rss(&[&entry("A, corrected")])]);
    assert_eq!(told(&rows), [(1, "A"), (2, "A, corrected")]);
    assert_eq!(rows[0].article_id, rows[1].article_id);
}

/// 79
#[test]
fn without_guid_and_link_the_identity_is_the_same_on_every_poll() {
    let entry = format!("<item><title>A</title><description>Text.</description>{DATED}</item>");
    let first = rss(&[&entry]);
    let second = rss(&[&item("b", "B"), &entry]);
    let rows = committed(&[&first, &second, &first]);
    assert_eq!(told(&rows), [(1, "A"), (1, "B")]);
}

/// 80
#[test]
fn entries_that_share_a_guid_are_all_published_and_stay_themselves() {
    let entry = |title: &str| {
        format!(
            "<item><guid isPermaLink=\"false\">same</guid><title>{title}</title>\
             <link>https://w.example/{title}</link>{DATED}</item>"
        )
    };
    let document = rss(&[&entry("C"), &entry("B"), &entry("A")]);
    assert_eq!(told(&committed(&[&document, &document])), [(1, "A"), (1, "B"), (1, "C")]);
}

/// 82
#[test]
fn an_edited_body_is_one_revision_and_keeps_the_date() {
    let entry = |body| {
        item("a", "A").replace("</item>", &format!("<description>{body}</description></item>"))
    };
    let rows = committed(&[&rss(&[&entry("Old text.")]), &rss(&[&entry("New text.")])]);
    assert_eq!(told(&rows), [(1, "A"), (2, "A")]);
    assert_eq!(rows[1].record["change"], "updated");
    assert_eq!(rows[0].article_id, rows[1].article_id);
    assert_eq!(rows[0].text("published_at"), "2026-03-02T10:00:00Z");
    assert_eq!(rows[0].record["published_at"], rows[1].record["published_at"]);
}

/// 84
#[test]
fn an_entry_that_leaves_and_comes_back_is_not_news() {
    let (a, b) = (item("a", "A"), item("b", "B"));
    let rows = committed(&[&rss(&[&a]), &rss(&[&b]), &rss(&[&b, &a])]);
    assert_eq!(told(&rows), [(1, "A"), (1, "B")]);
}

/// 86
#[test]
fn a_missing_date_stays_missing() {
    let undated = item("a", "A").replace(DATED, "");
    let edited = undated.replace(">A<", ">A, again<");
    let rows = committed(&[&rss(&[&undated]), &rss(&[&undated]), &rss(&[&edited])]);
    assert_eq!(told(&rows), [(1, "A"), (2, "A, again")]);
    for row in &rows {
        assert!(row.record["published_at"].is_null(), "{}", row.record);
        assert_eq!(row.record["dates"]["quality"], serde_json::json!(["missing"]));
    }
}

/// 86
#[test]
fn a_future_date_is_flagged_and_not_told() {
    let future = item("a", "A").replace("02 Mar 2026", "02 Mar 2090").replace("Mon, ", "");
    let rows = committed(&[&rss(&[&future])]);
    assert!(rows[0].record["published_at"].is_null(), "{}", rows[0].record);
    assert_eq!(rows[0].record["dates"]["quality"], serde_json::json!(["future"]));
    assert_eq!(rows[0].record["dates"]["published_raw"], "02 Mar 2090 10:00:00 GMT");
}

/// 86
#[test]
fn entries_of_one_date_are_all_published() {
    let items: Vec<String> = (0..9).map(|n| item(&format!("g{n}"), &format!("T{n}"))).collect();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    assert_eq!(committed(&[&rss(&items)]).len(), 9);
}

/// 39
#[test]
fn a_feed_that_is_empty_for_once_forgets_nothing() {
    let full = rss(&[&item("b", "B"), &item("a", "A")]);
    assert_eq!(told(&committed(&[&full, &rss(&[]), &full])), [(1, "A"), (1, "B")]);
}
