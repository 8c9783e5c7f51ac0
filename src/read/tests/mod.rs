//! Every feed of `tests/fixtures/feeds`, from bytes to articles.

mod kinds;

use std::collections::HashSet;

use cw_model::{Article, Feed, Steps, samples};
use url::Url;

use crate::normalise::{Context, normalise};
use crate::parse::date::Conventions;
use crate::parse::parse;

fn articles(bytes: &[u8]) -> Vec<Article> {
    let url = Url::parse("https://feeds.example/all/feed.xml").unwrap();
    let parsed = parse(bytes, None, &url, 2000, &Steps::for_bytes(bytes.len())).unwrap();
    let feed = Feed { text_chars_max: 10_000, ..samples::feed("fixture", url.clone()) };
    let context = Context {
        feed: &feed,
        base: &url,
        language: parsed.language.as_deref(),
        shown_language: None,
        dates: &Conventions::default(),
        seen: None,
        now: "2024-03-06T00:00:00Z".parse().unwrap(),
        repeated_guids: &HashSet::from(["0".to_owned()]),
    };
    parsed
        .entries
        .iter()
        .map(|entry| normalise(&context, entry, &Steps::new(u64::MAX)).unwrap())
        .collect()
}

/// Holds the articles of a fixture to `[title, url, published_at, language, text]` each.
macro_rules! check {
    ($name:literal, $($article:expr),+ $(,)?) => {{
        let bytes = include_bytes!(concat!("../../../tests/fixtures/feeds/", $name));
        let read = articles(bytes);
        let read: Vec<[String; 5]> = read
            .into_iter()
            .map(|article| {
                [
                    article.title.unwrap_or_default(),
                    article.url.map(String::from).unwrap_or_default(),
                    article.published_at.map(|at| at.to_string()).unwrap_or_default(),
                    article.language.unwrap_or_default(),
                    article.body.or(article.summary).unwrap_or_default(),
                ]
            })
            .collect();
        let expected: Vec<[String; 5]> = vec![$($article.map(str::to_owned)),+];
        assert_eq!(read, expected, $name);
    }};
}

#[test]
fn the_old_versions_of_rss_are_read() {
    check!(
        "rss-0.91.xml",
        [
            "Patrol boat fires warning shots near the strait",
            "https://courier.example/2024/patrol-boat",
            "",
            "en-US",
            "The coast guard said nobody was hurt.",
        ],
        [
            "Ferry timetable changes in April",
            "https://courier.example/2024/ferry",
            "",
            "en-US",
            "Two evening sailings are added.",
        ],
    );
    check!(
        "rss-0.92.xml",
        [
            "",
            "",
            "2024-03-04T06:10:00Z",
            "en",
            "Mortar fire was heard in the upper valley after midnight. More",
        ],
        [
            "Road to the pass reopened",
            "https://wire.example/n/40",
            "2024-03-03T15:00:00Z",
            "en",
            ""
        ],
    );
    check!(
        "rss-1.0.xml",
        [
            "Cessez-le-feu prolongé de dix jours",
            "https://relais.example/d/9",
            "2024-03-05T07:30:00Z",
            "fr",
            "Les deux parties ont accepté dans la nuit.\n\n\
             Les échanges de prisonniers reprennent jeudi.",
        ],
    );
}

#[test]
fn rss_2_0_is_read() {
    check!(
        "rss-2.0.xml",
        [
            "Air strike hits depot outside the capital, officials say",
            "https://dispatch.example/world/depot",
            "2024-03-05T10:15:00Z",
            "en-GB",
            "An air strike hit a fuel depot outside the capital on Tuesday.\n\n\
             At least four people were wounded, the health ministry said.",
        ],
        [
            "Talks resume in the spring palace",
            "https://dispatch.example/world/talks",
            "2024-03-04T09:00:00Z",
            "en-GB",
            "Delegations arrived on Sunday evening.",
        ],
    );
}

#[test]
fn what_publishers_break_is_mended() {
    check!(
        "rss-2.0-repaired.xml",
        [
            "Arms firms' R&D grows; AT&T & others follow",
            "https://gazette.example/?p=1&lang=en",
            "2024-03-05T10:15:00Z",
            "",
            "",
        ],
        [
            "Café attack: two held – police",
            "https://gazette.example/?p=2",
            "2024-03-05T11:00:00Z",
            "en",
            "",
        ],
    );
}

#[test]
fn one_guid_for_all_is_none() {
    let read = articles(include_bytes!("../../../tests/fixtures/feeds/rss-2.0-shared-guid.xml"));
    let ids: HashSet<_> = read.iter().map(|article| article.id).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn every_encoding_comes_to_the_same_text() {
    let russian = || {
        [
            "Стороны договорились о перемирии на перевале",
            "https://vestnik.example/a/12",
            "2024-03-05T10:15:00Z",
            "ru",
            "Обстрелы прекратились в полночь, сообщили наблюдатели.",
        ]
    };
    check!("rss-2.0-windows-1251.xml", russian());
    check!("rss-2.0-koi8-r.xml", russian());
    check!("rss-2.0-undeclared-windows-1251.xml", russian());
    check!("rss-2.0-lying-declaration.xml", russian());
    check!("rss-2.0-utf-16le.xml", russian());
    check!("rss-2.0-utf-16be.xml", russian());
    check!(
        "rss-2.0-gb2312.xml",
        [
            "双方在山口达成停火协议",
            "https://haigang.example/1",
            "2024-03-05T18:15:00Z",
            "zh-CN",
            "观察员说炮击在午夜停止。",
        ],
    );
    check!(
        "rss-2.0-shift-jis.xml",
        [
            "双方が峠で停戦に合意",
            "https://kowan.example/1",
            "2024-03-05T10:15:00Z",
            "ja",
            "監視団によると砲撃は深夜に止んだ。",
        ],
    );
}

#[test]
fn arabic_is_read() {
    check!(
        "rss-2.0-arabic.xml",
        [
            "قصف مدفعي يستهدف أطراف المدينة",
            "https://shati.example/n/77",
            "2024-03-05T10:15:00Z",
            "ar",
            "قالت مصادر طبية إن ثلاثة أشخاص أصيبوا.",
        ],
    );
}

#[test]
fn atom_is_read() {
    check!(
        "atom-0.3.xml",
        [
            "Observers count three violations of the truce",
            "https://lakeside.example/3",
            "2004-03-05T09:00:00Z",
            "en",
            "All were south of the lake.",
        ],
    );
    check!(
        "atom-1.0.xml",
        [
            "Artillerie beschießt zwei Dörfer",
            "https://bote.example/nachrichten/2.html",
            "2024-03-05T10:15:00Z",
            "de",
            "Zwei Dörfer am Ostufer lagen unter Beschuss.\n\nVerletzt wurde niemand.",
        ],
        [
            "Bridge closed to lorries < 3.5 t excepted",
            "https://bote.example/nachrichten/3.html",
            "",
            "en",
            "From Wednesday on.",
        ],
    );
    check!(
        "atom-1.0-film.xml",
        [
            "Evacuation of the lower town",
            "https://film.example/1",
            "2024-03-05T09:00:00Z",
            "en",
            "Buses left the lower town at dawn under a truce of six hours.",
        ],
    );
}

#[test]
fn json_feeds_are_read() {
    check!(
        "json-feed-1.0.json",
        [
            "Fishing boat seized",
            "https://island.example/1",
            "2024-03-05T04:45:00Z",
            "en",
            "The crew of five was released & sent home.",
        ],
    );
    check!(
        "json-feed-1.1.json",
        [
            "",
            "https://island.example/2",
            "2024-03-05T10:15:00Z",
            "en",
            "Drones were seen over the airfield.",
        ],
        ["Market day moved", "https://island.example/3", "", "en", "To Thursday."],
    );
}

#[test]
fn news_sitemaps_are_read() {
    check!(
        "news-sitemap.xml",
        [
            "La tregua se extiende & los combates cesan en el puerto",
            "https://tribune.example/mundo/tregua?id=8&s=1",
            "2024-03-05T13:15:00Z",
            "es",
            "",
        ],
    );
}
