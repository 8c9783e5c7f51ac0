//! What plain text is made of any text.

use cw_model::{EntryText, TextKind};

use crate::plain::{self, Layout};

fn html(value: &str) -> EntryText {
    EntryText { kind: TextKind::Html, value: value.to_owned() }
}

fn plain(value: &str) -> EntryText {
    EntryText { kind: TextKind::Plain, value: value.to_owned() }
}

#[track_caller]
fn check(sent: &str, text: &str) {
    assert_eq!(
        plain::plain_text(&html(sent), Layout::Paragraphs).unwrap_or_default(),
        text,
        "{sent}"
    );
}

#[test]
fn paragraphs_are_separated_by_a_blank_line() {
    check("<p>One\n two</p><p>Three</p>", "One two\n\nThree");
    check("One<br>two<br/><br />three", "One\ntwo\n\nthree");
    check("<div><div><p>One</p></div></div><h2>Two</h2>three", "One\n\nTwo\n\nthree");
    check("<ul><li>One<li>Two</ul>x", "One\nTwo\n\nx");
    check("<table><tr><td>1<td>2<tr><td>3</table>", "1 2\n3");
}

#[test]
fn what_is_not_shown_as_text_is_left_out() {
    check("<script>if (a < b) {}</script>x<style>p{}</style>", "x");
    check("<figure><img src=x alt=y><figcaption>An old photo</figcaption></figure><p>x</p>", "x");
    check("<noscript><img src='p.gif'></noscript>x<!-- y --><iframe src=z></iframe>", "x");
    check("<svg><svg><text>a</text></svg><text>b</text></svg>x", "x");
}

#[test]
fn an_element_that_never_ends_takes_nothing_with_it() {
    check("<p>One</p><object><p>Two</p>", "One\n\nTwo");
    check("x<script>alert(1)", "x");
    check("<p title=\"x>One", "");
}

#[test]
fn references_are_decoded_once_and_spaces_collapse() {
    check("caf&eacute;&nbsp;&amp;&#160; &lt;b&gt; AT&T", "café & <b> AT&T");
    check("a\u{A0}\u{2003}\t b", "a b");
    check("3 < 5 > 4", "3 < 5 > 4");
}

#[test]
fn what_nobody_sees_is_dropped_and_joiners_stay_where_they_matter() {
    check("a\u{200B}b\u{AD}c\u{202E}d\u{FEFF}e\u{7}f", "abcdef");
    check("می\u{200C}خواهم", "می\u{200C}خواهم");
    check("क्\u{200D}ष", "क्\u{200D}ष");
    check("a\u{200D}b\u{200C}c", "abc");
}

#[test]
fn text_is_composed() {
    check("Kie\u{301}v", "Kiév");
}

#[test]
fn plain_text_keeps_its_marks_and_lines() {
    let text = plain::plain_text(&plain("a < b\nc\r\n\r\n\r\nd  e"), Layout::Paragraphs);
    assert_eq!(text.as_deref(), Some("a < b\nc\n\nd e"));
    let text = plain::plain_text(&plain("a\nb"), Layout::Line);
    assert_eq!(text.as_deref(), Some("a b"));
    assert_eq!(plain::plain_text(&plain(" \u{200B} "), Layout::Line), None);
}

#[test]
fn a_cut_falls_between_words() {
    assert_eq!(plain::cut("one two three", 13), None);
    assert_eq!(plain::cut("one two three", 9).as_deref(), Some("one two"));
    assert_eq!(plain::cut("one two three", 7).as_deref(), Some("one two"));
    assert_eq!(plain::cut(&"停".repeat(100), 9), Some("停".repeat(9)));
}

#[test]
fn a_raised_number_is_not_part_of_the_one_before_it() {
    check("12<sup>1</sup> dead, 5 km<sup>2</sup>", "12 1 dead, 5 km2");
    check(
        "CO<sub>2</sub> on the 12<sup>th</sup>, 1<sup>1</sup>/<sub>2</sub>",
        "CO2 on the 12th, 1 1/2",
    );
    check("<sup>1</sup>12 dead", "1 12 dead");
}

#[test]
fn what_is_hidden_is_left_out() {
    check("<p hidden>x</p>y<div style='display: none'>z</div>", "y");
    check("<span class='a sr-only'>x</span>y<p style='color:red' class=hidden-town>z", "y\n\nz");
}

#[test]
fn the_pictures_of_a_text_are_found() {
    let text = html(
        "<p><img src='/a.jpg?x=1&amp;y=2' alt=' A town '>x<img src=p.gif width=1 height='1'>\
         <img src='data:image/gif;base64,R0' data-src='b.jpg'><noscript><img src='b.jpg'></noscript>\
         <div class='related-posts'><img src='other.jpg'></div>",
    );
    let read = plain::read(&text, Layout::Paragraphs);
    let pictures: Vec<_> =
        read.pictures.iter().map(|own| (own.url.as_str(), own.title.as_deref())).collect();
    assert_eq!(pictures, [("/a.jpg?x=1&y=2", Some("A town")), ("b.jpg", None)]);
    assert_eq!(read.text.as_deref(), Some("x"));
}
