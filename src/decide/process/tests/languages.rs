//! In which language an article is, by its text, its neighbours and what the feed claims.

use super::*;

#[test]
fn short_headlines_of_a_feed_that_declares_nothing_share_a_language() {
    let feed = Feed { language: None, ..feed() };
    let items = [
        ("1", "Shells fall on market town"),
        ("2", "The ministers are to meet again on Friday"),
        ("3", "Rain and wind expected over the weekend in the north"),
    ];
    let outcome = polls(&feed, &[body(&items)]);
    let languages: Vec<_> = outcome.records.iter().map(|one| one.record.language.clone()).collect();
    assert_eq!(languages, vec![Some("en".to_owned()); 3]);
}

/// What a feed that claims this language is given: its articles' languages and whether they are
/// relevant; the inner `None` where nobody looked.
fn judged(claim: &str, titles: &[&str]) -> Vec<(Option<String>, Option<bool>)> {
    let items: Vec<(String, &str)> =
        titles.iter().enumerate().map(|(at, title)| (at.to_string(), *title)).collect();
    let items: Vec<(&str, &str)> =
        items.iter().map(|(guid, title)| (guid.as_str(), *title)).collect();
    let claim = format!("<channel><language>{claim}</language>");
    let text = rss(&items).replace("<channel>", &claim);
    let outcome = polls(&Feed { language: None, ..feed() }, &[body_with(&text, None)]);
    let judged = outcome.records.iter().map(|one| {
        let conflict = one.record.conflict.as_ref();
        (one.record.language.clone(), conflict.map(|conflict| conflict.relevant))
    });
    judged.collect()
}

#[test]
fn a_feed_that_claims_another_language_is_judged_by_its_texts() {
    let spanish = [
        "Tres muertos en un ataque con drones contra la capital",
        "El gobierno y los rebeldes acordaron un alto el fuego",
        "Doce heridos",
    ];
    for claim in ["en", "en-US", "US", "english", "", "&#8238;"] {
        assert_eq!(judged(claim, &spanish), vec![(Some("es".to_owned()), None); 3], "{claim}");
    }
    let english = [
        "Three soldiers killed in drone attack on the capital",
        "Rebels and the government agree to a ceasefire",
        "Gaza: 12 killed in air strike",
    ];
    for claim in ["US", "gb", "usa", "", "es", "ar", "rss", "x-default"] {
        let expected = vec![(Some("en".to_owned()), Some(true)); 3];
        assert_eq!(judged(claim, &english), expected, "{claim}");
    }
    for claim in ["EN-us", "en_US", "en_US.UTF-8", "eng-US"] {
        let expected = vec![(Some("en-US".to_owned()), Some(true)); 3];
        assert_eq!(judged(claim, &english), expected, "{claim}");
    }
}

#[test]
fn each_article_of_a_feed_in_two_languages_is_coded_by_its_own() {
    let titles = [
        "Three soldiers killed in drone attack on the capital",
        "Tres soldados muertos en un ataque con drones contra la capital",
        "У нічній атаці на столицю загинуло троє військових",
    ];
    // The last entry of a document is the oldest, and comes first.
    let expected = [("uk", None), ("es", None), ("en", Some(true))];
    let expected = expected.map(|(language, relevant)| (Some(language.to_owned()), relevant));
    assert_eq!(judged("en", &titles), expected);
}

#[test]
fn of_a_text_in_a_language_that_nobody_could_tell_nothing_is_said() {
    assert_eq!(judged("US", &["Kharkiv, Kherson"]), [(None, None)]);
}
