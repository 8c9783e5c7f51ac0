//! Who searches finds what was committed, by words and by wishes.

use super::*;

#[tokio::test]
async fn words_are_found_in_any_script() {
    const TITLES: [&str; 9] = [
        "Air strikes hit Idlib",
        "قُصِفَت المدينة بالصواريخ في إدلب",
        "Российские войска обстреляли Харьков, ещё трое погибли",
        "У Києві пошкоджено об’єкт енергетики",
        "俄军空袭基辅，造成三人死亡",
        "キーウにミサイル攻撃、３人死亡",
        "북한이 미사일을 발사했다",
        "กองทัพโจมตีทางอากาศ",
        "Ayrılıkçılar Élysée'ye saldırdı",
    ];
    const SOUGHT: [(&str, usize); 18] = [
        ("idlib", 0),
        ("STRIKES air", 0),
        ("strik*", 0),
        ("صواريخ", 1),
        ("ادلب", 1),
        ("قصفت", 1),
        ("المدينه", 1),
        ("харьков", 2),
        ("ЕЩЕ", 2),
        ("києві", 3),
        ("об'єкт", 3),
        ("空袭", 4),
        ("死亡 基辅", 4),
        ("ﾐｻｲﾙ", 5),
        ("3人死亡", 5),
        ("미사일", 6),
        ("โจมตี", 7),
        ("elysee", 8),
    ];
    let records = (0..).zip(TITLES).map(|(n, title)| record(n, title)).collect();
    let (folder, _ledger) = holding(records).await;
    for (words, title) in SOUGHT {
        let found = titles(&settings(&folder).path, words, &Filter::default());
        assert_eq!(found, [TITLES[title]], "for {words}");
    }
    for absent in ["袭空", "айр", "strikes idlib paris"] {
        let found = titles(&settings(&folder).path, absent, &Filter::default());
        assert!(found.is_empty(), "{absent}: {found:?}");
    }
}

#[tokio::test]
async fn nothing_a_person_types_is_an_error() {
    let (folder, _ledger) = holding(vec![record(1, "one")]).await;
    let reader = Reader::open(&settings(&folder).path).unwrap();
    for text in [
        "\"",
        "one\"",
        "one AND",
        "NOT one",
        "NEAR(one two, 3)",
        "title:one",
        "{title}:one",
        "^one",
        "one*",
        "*one",
        "one + two",
        "-one",
        "(one",
        "one'); DROP TABLE articles; --",
        "%",
        "one\0two",
        "\u{202e}one",
        "🕊 one",
    ] {
        let Ok(query) = Query::parse(&[text]) else { continue };
        for order in [Order::Best, Order::Newest] {
            let query = Some(query.clone());
            let filter = Filter { tags: vec![text.to_owned()], ..Filter::default() };
            let search = Search { query, filter, order, revisions: Revisions::All, limit: 1 };
            assert!(reader.search(&search).is_ok(), "{text:?}");
        }
    }
    assert_eq!(all(&settings(&folder).path).len(), 1);
}

#[tokio::test]
async fn without_words_whatever_fits_the_filter_is_found_the_latest_first() {
    let dated = |number, title: &str, at: &str| {
        let mut record = record(number, title);
        record.published_at = Some(at.parse().unwrap());
        record
    };
    let (folder, _ledger) = holding(vec![
        dated(1, "first", "2026-01-01T00:00:00Z"),
        dated(2, "third", "2026-01-03T00:00:00Z"),
        dated(3, "second", "2026-01-02T00:00:00Z"),
    ])
    .await;
    let path = settings(&folder).path;
    let since =
        Filter { since: Some("2026-01-02T00:00:00Z".parse().unwrap()), ..Filter::default() };
    assert_eq!(titles(&path, "", &since), ["third", "second"]);
    let nowhere = Filter { countries: vec!["XX".to_owned()], ..Filter::default() };
    assert_eq!(titles(&path, "", &nowhere), [""; 0]);
}

#[tokio::test]
async fn only_the_last_revision_is_found() {
    let (folder, ledger) = holding(vec![record(1, "shelling in the east")]).await;
    let mut second = record(1, "ceasefire in the east");
    second.revision = 2;
    second.change = RecordChange::Updated;
    ledger.commit(Arc::new(outcome("a", 2, vec![second]))).await.unwrap();
    let path = settings(&folder).path;
    let filter = Filter::default();
    assert_eq!(titles(&path, "east", &filter), ["ceasefire in the east"]);
    assert!(titles(&path, "shelling", &filter).is_empty());
    assert_eq!(search(&path, "shelling", &filter, Revisions::All), ["shelling in the east"]);
    assert_eq!(count(&path, "articles_latest"), 1);
}

#[tokio::test]
async fn a_word_in_the_title_counts_more_than_one_in_the_body() {
    let mut aside = record(1, "weather");
    aside.body = Some("rain, and shelling at night".to_owned());
    let (folder, _ledger) = holding(vec![aside, record(2, "shelling at night in the city")]).await;
    let found = titles(&settings(&folder).path, "shelling", &Filter::default());
    assert_eq!(found, ["shelling at night in the city", "weather"]);
}

#[tokio::test]
async fn wishes_narrow_what_is_found() {
    let mut british = told(1, "x british", "strike.air");
    british.language = Some("en-GB".to_owned());
    let mut french = tagged(2, "x french", "strikes");
    french.language = Some("fr".to_owned());
    Arc::make_mut(&mut french.feed).country = Some("FR".to_owned());
    let mut undated = record(3, "x undated");
    undated.published_at = None;
    undated.observed.at = "2026-02-01T00:00:00Z".to_owned();
    Arc::make_mut(&mut undated.feed).id = "b".to_owned();
    let (folder, _ledger) = holding(vec![british, french, undated]).await;
    let path = settings(&folder).path;
    let wish = |text: &str| vec![text.to_owned()];
    let none = Filter::default();
    for (filter, expected) in [
        (Filter { tags: wish("strike"), ..none.clone() }, vec!["x british"]),
        (Filter { tags: wish("strike.air"), ..none.clone() }, vec!["x british"]),
        (Filter { tags: wish("strike.drone"), ..none.clone() }, vec![]),
        (Filter { languages: wish("EN"), ..none.clone() }, vec!["x british", "x undated"]),
        (Filter { languages: wish("fr"), ..none.clone() }, vec!["x french"]),
        (Filter { countries: wish("fr"), ..none.clone() }, vec!["x french"]),
        (Filter { feeds: wish("b"), ..none.clone() }, vec!["x undated"]),
        (Filter { actors: wish("state.RU"), ..none.clone() }, vec!["x british"]),
        (Filter { actors: wish("state"), ..none.clone() }, vec!["x british"]),
        (Filter { actors: wish("russia"), ..none.clone() }, vec!["x british"]),
        (Filter { actors: wish("state.r"), ..none.clone() }, vec![]),
        (Filter { places: wish("adel"), ..none.clone() }, vec!["x british"]),
        (Filter { places: wish("7"), ..none.clone() }, vec!["x british"]),
        (Filter { places: wish("ua"), ..none.clone() }, vec!["x british"]),
        (Filter { places: wish("FR"), ..none.clone() }, vec![]),
        (Filter { claims: wish("denied"), ..none.clone() }, vec!["x british"]),
        (Filter { claims: wish("claimed"), ..none.clone() }, vec![]),
        (
            Filter { claims: wish("denied"), tags: wish("strike"), ..none.clone() },
            vec!["x british"],
        ),
        (Filter { claims: wish("denied"), tags: wish("strikes"), ..none.clone() }, vec![]),
        (
            Filter { since: Some("2026-01-31T00:00:00Z".parse().unwrap()), ..none.clone() },
            vec!["x undated"],
        ),
        (Filter { since: Some(now()), feeds: wish("a"), ..none.clone() }, vec![]),
    ] {
        let mut found = titles(&path, "x", &filter);
        found.sort();
        assert_eq!(found, expected, "{filter:?}");
        // Other ledgers filter records one by one, and must mean the same.
        let is_found = |row: &Committed| filter.admits(&Facts::of(&row.text).unwrap());
        let title = |row: Committed| row.record().unwrap().title.unwrap();
        let mut admitted: Vec<_> = all(&path).into_iter().filter(is_found).map(title).collect();
        admitted.sort();
        assert_eq!(admitted, expected, "{filter:?}");
    }
}

/// How SQLite goes about a statement.
fn plan(path: &Path, sql: &str) -> String {
    let database = look(path);
    let mut steps = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    // What is asked for does not change the way there.
    let nothing = vec![rusqlite::types::Null; steps.parameter_count()];
    let nothing = rusqlite::params_from_iter(nothing);
    let steps = steps.query_map(nothing, |row| row.get::<_, String>(3)).unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn no_filter_reads_the_whole_ledger() {
    let (folder, _ledger) = holding(vec![told(1, "x", "strike.air")]).await;
    let path = settings(&folder).path;
    let reader = Reader::open(&path).unwrap();
    let wish = || vec!["x".to_owned()];
    let none = Filter::default();
    for filter in [
        Filter { tags: wish(), ..none.clone() },
        Filter { claims: wish(), ..none.clone() },
        Filter { actors: wish(), ..none.clone() },
        Filter { places: wish(), ..none.clone() },
        Filter { countries: wish(), ..none.clone() },
    ] {
        let plan = plan(&path, &reader.newest_sql(&filter));
        assert!(
            plan.contains("SEARCH a USING INTEGER PRIMARY KEY (rowid=?)"),
            "{filter:?}: {plan}"
        );
        assert!(
            plan.contains("SEARCH f USING PRIMARY KEY (kind=? AND value"),
            "{filter:?}: {plan}"
        );
    }
    // What an analyst asks of the view: by tag, actor or country of the event, whatever else is in the ledger.
    let of_view = "SELECT * FROM events_flat WHERE country = 'UA'";
    let plan = plan(&path, of_view);
    assert!(plan.contains("USING INDEX articles_relevant"), "{plan}");
}

#[tokio::test]
async fn what_a_version_without_the_index_has_written_is_indexed_some_at_a_time() {
    let records = vec![told(1, "x one", "strike.air"), record(2, "x two")];
    let (folder, ledger) = holding(records).await;
    ledger.close().await.unwrap();
    let path = settings(&folder).path;
    let database = Connection::open(&path).unwrap();
    // As that version leaves it: 1,200 articles more, and nothing of what they say.
    let copies = "INSERT INTO articles (article_id, revision, change, feed_id, observed_at, committed_at, relevant, tags, record)
        SELECT 'copy-' || n.value, 1, 'new', 'a', a.observed_at, a.committed_at, a.relevant, a.tags, a.record
        FROM generate AS n, articles AS a WHERE a.seq = 1";
    let generate = "WITH RECURSIVE generate (value) AS
        (SELECT 1 UNION ALL SELECT value + 1 FROM generate WHERE value < 1200)";
    let insert = copies.replacen("SELECT 'copy-'", &format!("{generate} SELECT 'copy-'"), 1);
    database
        .execute_batch(&format!("{insert}; DELETE FROM facts; DELETE FROM facts_until"))
        .unwrap();
    let by_tag = Filter { tags: vec!["strike".to_owned()], ..Filter::default() };
    let found = || Reader::open(&path).unwrap().last(&by_tag, 10_000).unwrap().0.len();
    let mut came = Vec::new();
    for _chunk in 0..3 {
        assert_eq!((facts::filled(&database), found()), (Filled::Behind, 1201));
        came.push(facts::fill_chunk(&database).unwrap());
    }
    assert_eq!(came, [Filled::Behind, Filled::Behind, Filled::Whole]);
    assert_eq!((facts::filled(&database), found()), (Filled::Whole, 1201));
    assert_eq!(count(&path, "facts WHERE kind = 'tag'"), 1201);
    assert_eq!(facts::fill_chunk(&database).unwrap(), Filled::Whole, "there is nothing to do");
}
