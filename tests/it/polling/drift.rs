//! A domain that changes hands: a casino where a newspaper was.

use crate::support::daemon::BINARY;
use crate::support::publisher::Reply;
use crate::support::run::{FEED, Run, headlines};

const A: &str = "The council of the harbour town meets on the new bridge";
const B: &str = "Rain and wind are expected over the weekend in the north";
const C: &str = "Three fishing boats return after a night in the storm";

/// Its own title and links, in another language.
fn casino(more: &str) -> Reply {
    let items: String = [
        "Los mejores casinos en línea con bono de bienvenida para jugadores nuevos",
        "Cómo ganar en las tragamonedas y retirar el dinero el mismo día",
        "Giros gratis sin depósito para todos los que se registran hoy",
        "Apuestas deportivas: las cuotas más altas de la semana",
        more,
    ]
    .iter()
    .enumerate()
    .map(|(number, title)| {
        format!(
            "<item><title>{title}</title><link>https://giros-de-oro.example/{number}</link>\
             <guid isPermaLink=\"false\">oro-{number}-{}</guid></item>",
            more.len()
        )
    })
    .collect();
    Reply::feed(format!(
        "<rss version=\"2.0\"><channel><title>Giros de Oro</title><language>es</language>{items}</channel></rss>"
    ))
}

fn newspaper(titles: &[&str]) -> Reply {
    Reply::feed(headlines(titles))
}

#[test]
fn a_casino_where_a_newspaper_was_is_not_published_and_the_newspaper_goes_on_when_it_is_back() {
    let replies = [
        newspaper(&[B, A]),
        casino("Póquer"),
        casino("Póquer"),
        casino("La ruleta en vivo tiene mesas con crupieres de verdad"),
        newspaper(&[C, B, A]),
    ];
    let run = Run::serving(replies);
    run.daemon.wait_for_metric("conflictwire_poll_failures_total", "class=\"drift\"", 3.0);
    let state = run.state_after(5);
    assert_eq!((state.plan.failures, state.plan.last_failure), (0, None));
    let titles: Vec<String> = run
        .ledger
        .rows()
        .iter()
        .map(|row| row.record["title"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(titles, [A, B, C]);
    // Each other document once.
    let rejects = run.ledger.rejects();
    let reasons: Vec<&str> = rejects.iter().map(|reject| reject.reason.as_str()).collect();
    assert_eq!(reasons, ["drift", "drift"], "{rejects:?}");
}

#[test]
fn what_is_held_back_is_explained() {
    let run = Run::serving([newspaper(&[B, A]), casino("Póquer")]);
    run.state_after(2);
    let Run { setup, daemon, .. } = run;
    daemon.stop();
    let mut command = setup.command(BINARY);
    command.args(["feeds", "explain", FEED]).arg("--config").arg(setup.config());
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    for words in [
        "drift: it seems to be another publisher's",
        "the title was \"Wire\" and is \"Giros de Oro\"",
        "links lead to giros-de-oro.example and led to wire.example",
        "give the feed another id",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}
