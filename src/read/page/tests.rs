//! Pages of our own making, with the text that a reader would take from each.

use super::*;

#[path = "../../../tests/pages/mod.rs"]
mod pages;

use pages::{pages, word_f1};

const TEASER: &str = "Shells hit the market of Karsk on Sunday, and nine people were killed.";

fn expected() -> Expected {
    Expected {
        title: Some("Nine killed as shells hit market in Karsk".to_owned()),
        teaser: Some(TEASER.to_owned()),
        language: Some("en".to_owned()),
        published_at: Some("2026-03-01T12:00:00Z".parse().unwrap()),
        authors: Vec::new(),
        text_chars_max: 100_000,
    }
}

const PARAGRAPHS: [&str; 4] = [
    "Shells hit the market of Karsk on Sunday, and nine people were killed, the governor of the province said.",
    "Doctors at the hospital counted thirty-one wounded, among them four children who had been selling bread.",
    "The army of the neighbouring country denied that its guns had fired at the town that day.",
    "Observers of the mission could not reach the market before the evening, because the bridge was mined.",
];

fn text() -> String {
    PARAGRAPHS.join("\n\n")
}

fn paragraphs() -> String {
    PARAGRAPHS.map(|text| format!("<p>{text}</p>")).concat()
}

fn read(html: &str) -> Result<PageText, PageRefusal> {
    read_as(html, &expected())
}

fn read_as(html: &str, expected: &Expected) -> Result<PageText, PageRefusal> {
    read_page(
        html.as_bytes(),
        Some("text/html; charset=utf-8"),
        expected,
        &Steps::for_bytes(html.len()),
    )
}

#[track_caller]
fn check(html: &str) {
    assert_eq!(read(html).map(|page| page.body).as_deref(), Ok(text().as_str()), "{html}");
}

#[track_caller]
fn refused(html: &str, refusal: PageRefusal) {
    assert_eq!(read(html), Err(refusal), "{html}");
}

fn page(inside: &str) -> String {
    format!(
        "<!doctype html><html><head><title>Nine killed as shells hit market in Karsk - The Desk</title>\
         <meta property=\"og:title\" content=\"Nine killed as shells hit market in Karsk\"></head><body>\
         <header><nav><ul><li><a href=/>Home</a></li><li><a href=/w>World</a></li></ul></nav></header>\
         {inside}<footer><p>The Desk is published by a foundation in the north, and all of its rights are reserved \
         to it for ever and a day.</p></footer></body></html>"
    )
}

#[test]
fn the_article_is_found_whatever_holds_it() {
    let text = paragraphs();
    check(&page(&format!(
        "<article><h1>Nine killed as shells hit market in Karsk</h1>{text}</article>"
    )));
    check(&page(&format!("<div class='a'><div class=\"article__body\">{text}</div></div>")));
    check(&page(&format!("<main><div itemprop='articleBody'>{text}</div></main>")));
    check(&page(&format!("<div><div><div><section>{text}</section></div></div></div>")));
    check(&page(&format!("<table><tr><td><a href=/>Menu</a></td><td>{text}</td></tr></table>")));
    // Nobody wrote paragraphs, or ended them.
    check(&page(&format!("<div id=\"story-body\">{}</div>", PARAGRAPHS.join("<br><br>"))));
    check(&page(&format!(
        "<article>{}</article>",
        PARAGRAPHS.map(|text| format!("<p>{text}")).concat()
    )));
    check(&page(&format!(
        "<article>{}</article>",
        PARAGRAPHS.map(|text| format!("<div>{text}</div>")).concat()
    )));
}

#[test]
fn what_stands_beside_the_article_is_left_out() {
    let text = paragraphs();
    for beside in [
        "<aside><p>The president of the league spoke about the budget for the next three years in the evening.</p></aside>",
        "<div class=\"comments\"><p>I was there, and it was much worse than anybody here cares to write about.</p></div>",
        "<div class='related-articles'><p>Read what happened in the harbour when the last ship had left it behind.</p></div>",
        "<ul><li><a href=/1>A long headline of another article, which leads to it</a></li></ul>",
        "<figure><img src=x><figcaption>The market of Karsk in a picture from the year before the war began.</figcaption></figure>",
        "<script>var a = '<p>This is no text of the article, though it looks very much like one.</p>';</script>",
        "<p hidden>This paragraph is not shown to any reader of the page, whoever that may be in the end.</p>",
        "<p>Advertisement</p>",
    ] {
        check(&page(&format!("<article>{text}{beside}</article>")));
    }
    let [first, second, third, fourth] = PARAGRAPHS;
    let promo = "<div class='newsletter-box'><p>Get the news of the day into your mailbox, every morning at six.</p></div>";
    check(&page(&format!(
        "<article><p>{first}<p>{second}</p>{promo}<p>{third}</p><p>{fourth}</p></article>"
    )));
    check(&page(&format!("<article><p>By Anna Berg</p><p>1 March 2026</p>{text}</article>")));
}

#[test]
fn a_class_that_is_meant_of_the_whole_page_leaves_nothing_out() {
    let text = paragraphs();
    check(&page(&format!(
        "<div class='page has-sidebar with-comments'><article>{text}</article></div>"
    )));
    check(&page(&format!("<div class='sponsor'><div class='x'>{text}</div></div>")));
}

#[test]
fn headings_lists_and_references_stay() {
    let html = page(&format!(
        "<article>{}<h2>What is known</h2><ul><li>Nine dead &amp; thirty-one wounded, by the hospital&rsquo;s count.</li>\
         <li>The bridge has been mined since the winter, as the mission says.</li></ul></article>",
        paragraphs()
    ));
    let body = read(&html).unwrap().body;
    assert_eq!(
        body,
        format!(
            "{}\n\nWhat is known\n\nNine dead & thirty-one wounded, by the hospital\u{2019}s count.\nThe bridge has been \
             mined since the winter, as the mission says.",
            text()
        )
    );
}

#[test]
fn what_the_page_says_is_its_text_is_taken_if_it_is_fuller_and_the_same() {
    let linked = |body: &str| {
        let body = serde_json::to_string(body).unwrap();
        format!(
            "<script type='application/ld+json'>{{\"@graph\":[{{\"@type\":[\"NewsArticle\"],\"headline\":\"Nine killed as shells \
             hit market in Karsk\",\"articleBody\":{body}}}]}}</script>"
        )
    };
    let [first, second, ..] = PARAGRAPHS;
    // A page that shows a part of its text.
    check(&page(&format!("{}<article><p>{first}</p><p>{second}</p></article>", linked(&text()))));
    // One that shows none before a script runs.
    check(&page(&format!("{}<div id=app></div>", linked(&text()))));
    // One whose description is another article's.
    let other =
        "The council of the league met in the capital to speak about the budget. ".repeat(20);
    check(&page(&format!("{}<article>{}</article>", linked(&other), paragraphs())));
    // And one that is all on one line says nothing that the page does not.
    check(&page(&format!("{}<article>{}</article>", linked(&PARAGRAPHS.join(" ")), paragraphs())));
}

#[test]
fn a_page_of_another_article_is_refused() {
    let other = "The council of the league met in the capital to speak about the budget of the coming years. ".repeat(6);
    let html = format!("<title>Council meets on budget</title><article><p>{other}</p></article>");
    refused(&html, PageRefusal::AnotherArticle);
}

#[test]
fn a_headline_that_returns_needs_its_date_its_language_and_its_authors() {
    let headline = Expected { teaser: None, ..expected() };
    let dated = |date: &str| {
        let meta = format!("<meta property='article:published_time' content='{date}'>");
        page(&format!("{meta}<article>{}</article>", paragraphs()))
    };
    assert!(read_as(&dated("2026-03-02T10:00:00Z"), &headline).is_ok());
    assert_eq!(read_as(&dated("2025-03-02T10:00:00Z"), &headline), Err(PageRefusal::AnotherDate));
    // With its teaser on the page, it is the article all the same.
    assert!(read(&dated("2025-03-02T10:00:00Z")).is_ok());
    let french = Expected { language: Some("fr".to_owned()), ..headline.clone() };
    let html = page(&format!("<article>{}</article>", paragraphs()));
    assert_eq!(read_as(&html, &french), Err(PageRefusal::AnotherLanguage));
    let by = Expected {
        title: Some("Nine killed as shells hit market by noon today".to_owned()),
        authors: vec!["Clara Holm".to_owned()],
        ..headline
    };
    let authored =
        page(&format!("<meta name=author content='Anna Berg'><article>{}</article>", paragraphs()));
    assert_eq!(read_as(&authored, &by), Err(PageRefusal::AnotherAuthor));
    assert!(read_as(&authored.replace("Anna Berg", "Clara Holm"), &by).is_ok());
}

#[test]
fn pages_that_stand_before_the_article_are_refused() {
    for title in [
        "Just a moment...",
        "Before you continue",
        "Log in | The Desk",
        "Access denied",
        "Страница не найдена",
    ] {
        let html = format!("<title>{title}</title><body>{}</body>", paragraphs());
        refused(&html, PageRefusal::Wall);
        refused(&format!("<title>{title}</title><div id=app></div>"), PageRefusal::Wall);
    }
    let headline = "Access denied to inspectors at the bridge of Karsk, mission says";
    let html = format!("<title>{headline}</title><article>{}</article>", paragraphs());
    assert!(read(&html).is_ok());
    let consent = "We value your privacy. We and our partners store and/or access information on a device, such as \
        cookies, and process personal data to show you what you may like, now and in future.";
    refused(&page(&format!("<div class=x><p>{consent}</p></div>")), PageRefusal::Wall);
}

#[test]
fn a_page_with_no_more_than_the_feed_is_refused() {
    let teaser = PARAGRAPHS[..2].join(" ");
    let html = page(&format!("<article><p>{teaser}</p></article>"));
    let own = Expected { teaser: Some(teaser), ..expected() };
    assert_eq!(read_as(&html, &own), Err(PageRefusal::NotLonger));
    refused(&page("<article></article>"), PageRefusal::NoText);
    let pdf = read_page(b"%PDF-1.7", Some("application/pdf"), &expected(), &Steps::new(1000));
    assert_eq!(pdf, Err(PageRefusal::NotAPage));
}

#[test]
fn a_page_may_be_in_the_encoding_that_it_declares() {
    let title = "Девять погибших при обстреле рынка";
    let text = "Снаряды попали в рынок города в воскресенье, погибли девять человек, сообщил глава области. ".repeat(4);
    let html = format!(
        "<html><head><meta charset=\"windows-1251\"><title>{title}</title></head><article><p>{text}</p></article>"
    );
    let bytes: Vec<u8> = html
        .chars()
        .map(|c| match c {
            'А'..='я' => u8::try_from(u32::from(c) - 0x350).unwrap(),
            c => u8::try_from(u32::from(c)).unwrap(),
        })
        .collect();
    let own =
        Expected { title: Some(title.to_owned()), text_chars_max: 10_000, ..Expected::default() };
    let page = read_page(&bytes, Some("text/html"), &own, &Steps::for_bytes(bytes.len())).unwrap();
    assert_eq!(page.body, text.trim());
}

#[test]
fn depth_and_width_cost_nothing_but_their_bytes() {
    let deep = format!("{}{}", "<div>".repeat(100_000), paragraphs());
    let wide = format!("<article>{}{}</article>", paragraphs(), "<p class=x>".repeat(100_000));
    for html in [deep, wide, "<a ".repeat(100_000), "<p x=".repeat(100_000), "</p>".repeat(200_000)]
    {
        // However it ends, it ends.
        let _read = read(&page(&html));
    }
}

#[test]
fn a_long_text_is_cut_and_a_page_has_its_steps() {
    let html = page(&format!("<article>{}</article>", paragraphs()));
    let short = Expected { text_chars_max: 200, ..expected() };
    let cut = read_as(&html, &short).unwrap();
    assert!(cut.is_cut && text().starts_with(&cut.body), "{cut:?}");
    let costly = read_page(html.as_bytes(), None, &expected(), &Steps::new(10));
    assert_eq!(costly, Err(PageRefusal::TooCostly));
}

#[test]
fn f1_of_a_text_with_itself_is_one() {
    assert!((word_f1("a b b", "b a b") - 1.0).abs() < 1e-9);
    assert!((word_f1("a b", "a c") - 0.5).abs() < 1e-9);
}

/// The goal that the project has for pages; each layout has it by itself.
#[test]
fn every_layout_is_read_nearly_to_the_word() {
    let mut poor = Vec::new();
    for page in pages() {
        let expected = Expected {
            title: Some(page.title.to_owned()),
            teaser: Some(page.teaser.to_owned()),
            language: Some(page.language.to_owned()),
            text_chars_max: 100_000,
            ..Expected::default()
        };
        let f1 = match read_as(&page.html, &expected) {
            Ok(read) => word_f1(&read.body, &page.text),
            Err(refusal) => {
                poor.push(format!("{} {}: {}", page.layout, page.language, refusal.name()));
                continue;
            }
        };
        if f1 < 0.94 {
            poor.push(format!("{} {}: {f1:.3}", page.layout, page.language));
        }
    }
    assert!(poor.is_empty(), "{poor:#?}");
}
