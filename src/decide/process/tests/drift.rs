//! Whether what a feed shows is another publisher's, and that it is not taken for that lightly.

use super::*;

/// A document: title, where its links lead, and its entries' headlines, an hour apart.
struct Document<'a> {
    title: &'a str,
    host: &'a str,
    /// Of the texts and the guids.
    headlines: &'a [&'a str],
    /// Minutes between two entries.
    apart: i64,
}

const NEWS: [&str; 6] = [
    "The council of the harbour town meets on the new bridge",
    "Rain and wind are expected over the weekend in the north",
    "Three fishing boats return after a night in the storm",
    "The mayor says that the hospital will be open again in May",
    "Farmers of the valley ask for water from the upper lake",
    "A school is closed because of the cold, the teachers say",
];

const MORE_NEWS: [&str; 6] = [
    "The bridge over the river is open to buses again",
    "Teachers of the island want to be paid for the summer",
    "The storm has taken the roof of the old market hall",
    "Ferries will not go to the outer islands until Friday",
    "The library has found the letters of its first owner",
    "Prices of bread have gone up for the third time this year",
];

const CASINO: [&str; 6] = [
    "Los mejores casinos en línea con bono de bienvenida para jugadores nuevos",
    "Cómo ganar en las tragamonedas y retirar el dinero el mismo día",
    "Giros gratis sin depósito para todos los que se registran hoy",
    "La ruleta en vivo tiene ahora mesas con crupieres de verdad",
    "Apuestas deportivas: las cuotas más altas de la semana",
    "El póquer vuelve con torneos cada noche y premios grandes",
];

const ENGLISH_CASINO: [&str; 6] = [
    "The best casino bonus for new players without a deposit",
    "How to win at slots and take the money out on the same day",
    "Free spins for everyone who joins us before the weekend",
    "Live roulette now has tables with real dealers all night",
    "Sports betting: the highest odds of the week are here",
    "Poker is back with tournaments and large prizes every night",
];

impl Document<'_> {
    fn answer(&self) -> Answer {
        let mut text = format!("<rss version=\"2.0\"><channel><title>{}</title>", self.title);
        for (number, headline) in self.headlines.iter().enumerate() {
            let back = Duration::from_secs(60 * (self.apart * number as i64).unsigned_abs());
            let at = (now() - back).strftime("%a, %d %b %Y %H:%M:%S GMT");
            let slug = headline
                .to_lowercase()
                .replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
            text.push_str(&format!(
                "<item><title>{headline}</title><link>https://{}/{slug}</link><guid isPermaLink=\"false\">{}{slug}\
                 </guid><pubDate>{at}</pubDate></item>",
                self.host, self.host
            ));
        }
        body_with(&(text + "</channel></rss>"), None)
    }
}

const HARBOUR: Document<'_> =
    Document { title: "Harbour Post", host: "harbour.example", headlines: &NEWS, apart: 60 };

fn outcome_of(answers: &[Answer]) -> Outcome {
    polls(&Feed { language: None, ..feed() }, answers)
}

#[track_caller]
fn check_held_back(answers: &[Answer], words: &[&str]) {
    let outcome = outcome_of(answers);
    let PollResult::Failed(failure) = &outcome.result else { panic!("{:?}", titles(&outcome)) };
    assert_eq!(failure.class, FailureClass::Drift, "{failure:?}");
    for words in words {
        assert!(failure.detail.contains(words), "{words} in {}", failure.detail);
    }
    assert!(outcome.records.is_empty());
    let [reject] = outcome.rejects.as_slice() else { panic!("{:?}", outcome.rejects) };
    assert_eq!(reject.reason, "drift");
}

#[track_caller]
fn check_published(name: &str, answers: &[Answer], least: usize) {
    let outcome = outcome_of(answers);
    assert!(matches!(outcome.result, PollResult::Modified(_)), "{name}: {:?}", outcome.result);
    assert!(outcome.records.len() >= least, "{name}: {:?}", titles(&outcome));
}

#[test]
fn what_shows_nothing_of_what_was_there_is_held_back_and_said() {
    let casino =
        Document { title: "Giros de Oro", host: "oro.example", headlines: &CASINO, apart: 60 };
    let words = [
        "\"Harbour Post\"",
        "\"Giros de Oro\"",
        "links lead to oro.example and led to harbour.example",
        "\"es\"",
    ];
    check_held_back(&[HARBOUR.answer(), casino.answer()], &words);
    // On the domain that was bought, in another language, all at once.
    let bought = Document { host: "harbour.example", apart: 1, ..casino };
    check_held_back(&[HARBOUR.answer(), bought.answer()], &["entries come in a day", "\"es\""]);
    // In the same language.
    let english = Document {
        title: "Lucky Spin",
        host: "spin.example",
        headlines: &ENGLISH_CASINO,
        apart: 1,
    };
    check_held_back(&[HARBOUR.answer(), english.answer()], &["links lead to spin.example"]);
}

#[test]
fn a_feed_goes_on_when_its_publisher_is_back_and_nothing_comes_twice() {
    let casino = || {
        Document { title: "Giros de Oro", host: "oro.example", headlines: &CASINO, apart: 60 }
            .answer()
    };
    let back: Vec<&str> = [MORE_NEWS[0]].into_iter().chain(NEWS).collect();
    let back = Document { headlines: &back, ..HARBOUR };
    let outcome = outcome_of(&[HARBOUR.answer(), casino(), casino(), back.answer()]);
    assert_eq!(titles(&outcome), [(MORE_NEWS[0].to_owned(), 1)]);
    assert_eq!(outcome.state.plan.standing, Standing::Fine);
    // Said once while it stays the same.
    assert!(outcome_of(&[HARBOUR.answer(), casino(), casino()]).rejects.is_empty());
}

#[test]
fn another_id_or_url_is_how_an_operator_says_that_it_is_meant() {
    let casino =
        Document { title: "Giros de Oro", host: "oro.example", headlines: &CASINO, apart: 60 };
    let before = outcome_of(&[HARBOUR.answer(), casino.answer()]);
    let elsewhere =
        Feed { url: "https://oro.example/rss".parse().unwrap(), language: None, ..feed() };
    let outcome = process(&elsewhere, &casino.answer(), &before.state, &tagger(), now());
    assert_eq!(outcome.records.len(), CASINO.len());
}

/// What publishers do without becoming somebody else.
#[test]
fn no_honest_change_is_held_back() {
    let renamed = Document { title: "Coastline", ..HARBOUR };
    let moved = Document { host: "coastline.example", ..HARBOUR };
    let later = Document { headlines: &MORE_NEWS, ..HARBOUR };
    for (name, next) in [
        ("a new name", Document { ..renamed }),
        ("a new domain under the same texts", Document { title: "Coastline", ..moved }),
        ("a window later", Document { ..later }),
        ("a window later, under a new name", Document { title: "Coastline", ..later }),
        ("a window later, at a new domain", Document { host: "coastline.example", ..later }),
        (
            "a window later, under a new name, at a new domain",
            Document { title: "Coastline", host: "coastline.example", ..later },
        ),
        (
            "another language under the same name",
            Document { headlines: &CASINO, host: "es.example", ..HARBOUR },
        ),
        (
            "another language under a name that has a word of the old one",
            Document {
                title: "Harbour en español",
                headlines: &CASINO,
                host: "es.example",
                apart: 1,
            },
        ),
        ("another pace", Document { headlines: &MORE_NEWS, apart: 1, ..HARBOUR }),
        ("no title", Document { title: "", headlines: &CASINO, host: "es.example", apart: 1 }),
        (
            "a title of nobody's words",
            Document { title: "Latest News RSS", headlines: &CASINO, host: "es.example", apart: 1 },
        ),
    ] {
        check_published(name, &[HARBOUR.answer(), next.answer()], 0);
    }
    check_published("a first document", &[HARBOUR.answer()], NEWS.len());
    check_published(
        "one after none",
        &[HARBOUR.answer(), body(&[]), later.answer()],
        MORE_NEWS.len(),
    );
}
