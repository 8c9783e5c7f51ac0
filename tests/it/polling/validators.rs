//! Servers that do not do with validators what standards say.

use conflictwire::publisher::Next;
use cw_model::state::Sends;

use crate::support::daemon::Setup;
use crate::support::ledger::Ledger;
use crate::support::publisher::{Delivery, Publisher, Reply, Request};
use crate::support::run::{FEED, PATH, Run, headlines};

const DATE: &str = "Mon, 02 Mar 2026 10:00:00 GMT";

const NAMES: [&str; 7] = ["A", "B", "C", "D", "E", "F", "G"];

/// So many of the headlines, under validators of their own.
fn holding(count: usize) -> Reply {
    let mut shown = NAMES[..count].to_vec();
    shown.reverse();
    Reply::feed(headlines(&shown))
        .header("ETag", &format!("\"{count}\""))
        .header("Last-Modified", DATE)
}

/// Polls a publisher that answers by what it is asked and by the number of the request, from 0.
fn run(mut answer: impl FnMut(&Request, usize) -> Reply + Send + 'static) -> Run {
    Run::configured([], |_, publisher| {
        let mut asked = 0;
        publisher.script(PATH, move |request| {
            asked += 1;
            answer(request, asked - 1)
        });
    })
}

/// What a server may answer to a conditional request that it does not know what to do with.
fn wrong_answers() -> Vec<(&'static str, Reply)> {
    let page = "<!DOCTYPE html><html><body>Not here.</body></html>";
    vec![
        ("412", Reply::status(412)),
        ("400", Reply::status(400)),
        ("403", Reply::status(403)),
        ("500", Reply::status(500)),
        ("empty", Reply::feed("")),
        ("page", Reply::status(200).header("Content-Type", "text/html").body(page)),
        ("reset", Reply::raw("", Next::HangUp)),
        ("cut", Reply::feed(headlines(&NAMES)).delivered(Delivery::CutAfter(20))),
    ]
}

/// A server that answers every conditional request wrongly is asked once more without, and after that never
/// with: no poll fails, and every article comes.
#[test]
fn validators_that_poison_a_server_are_given_up_and_stay_so_over_a_restart() {
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    let names: Vec<&str> = wrong_answers().into_iter().map(|(name, _)| name).collect();
    for (name, wrong) in wrong_answers() {
        let mut asked = 0;
        publisher.script(&path(name), move |request| match request.is_conditional() {
            true => wrong.clone(),
            false => {
                asked += 1;
                holding(usize::min(asked, 6))
            }
        });
        setup.feed(name, &publisher.url(&path(name)));
    }
    let ledger = Ledger::at(&setup.database());
    let conditional = |name: &str| {
        publisher.requests(&path(name)).iter().filter(|asked| asked.is_conditional()).count()
    };
    let daemon = setup.start();
    let mut before = Vec::new();
    for name in &names {
        let state = ledger.wait_for_state(name, |state| state.plan.sequence >= 4);
        assert_eq!(state.plan.failures, 0, "{name}: {:?}", state.plan.last_failure);
        assert_eq!(state.plan.trust.sends, Sends::Nothing, "{name}");
        before.push((name, conditional(name)));
    }
    daemon.stop();
    let daemon = setup.start();
    for (name, before) in before {
        // With both, and with the date alone; of a reset, also on what the pool keeps and on a new connection.
        let most = if *name == "reset" { 8 } else { 2 };
        assert!((2..=most).contains(&before), "{name}: {before}");
        ledger.wait_for_state(name, |state| state.plan.sequence >= 8);
        assert_eq!(conditional(name), before, "{name}");
    }
    daemon.stop();
    assert_eq!(ledger.rows().len(), 6 * names.len(), "every article of every feed");
}

fn path(name: &str) -> String {
    format!("/{name}.xml")
}

/// A server that is away for everybody is asked twice at the first failure and its validators stay.
#[test]
fn validators_survive_a_server_that_is_away() {
    let run = run(|request, number| match number {
        1..=4 => Reply::status(500),
        _ if request.is_conditional() => Reply::status(304),
        _ => holding(1),
    });
    let state = run.ledger.wait_for_state(FEED, |state| {
        state.plan.succeeded_at.is_some() && state.plan.sequence >= 5 && state.plan.failures == 0
    });
    assert_eq!(state.plan.trust.sends, Sends::All);
    let asked: Vec<bool> = run.requests(6).iter().map(|request| request.is_conditional()).collect();
    assert_eq!(asked, [false, true, false, true, false, true]);
}

/// An `ETag` that is another one at every edge, with the same date: the date alone earns 304s.
#[test]
fn the_date_alone_is_sent_where_it_earns_what_the_etag_does_not() {
    let run = run(|request, number| {
        match (request.header("if-none-match"), request.header("if-modified-since")) {
            (None, Some(_)) => Reply::status(304),
            _ => Reply::feed(headlines(&["A"]))
                .header("ETag", &format!("\"{number}\""))
                .header("Last-Modified", DATE),
        }
    });
    let state = run.state_after(5);
    assert_eq!(state.plan.trust.sends, Sends::Date);
    let requests = run.requests(5);
    assert_eq!(requests[2].header("if-none-match"), Some("\"1\""));
    for request in &requests[3..] {
        assert_eq!(request.header("if-none-match"), None);
        assert_eq!(request.header("if-modified-since"), Some(DATE));
    }
}

/// 14
#[test]
fn what_is_new_is_asked_for_where_a_server_offers_it() {
    let run = run(|request, _| match request.header("a-im") {
        Some("feed") => {
            Reply::status(226).header("IM", "feed").header("ETag", "\"2\"").body(headlines(&["B"]))
        }
        _ => holding(1).header("Vary", "Accept-Encoding, A-IM"),
    });
    let rows = run.rows_after(3);
    assert_eq!(rows.len(), 2);
    let asked: Vec<Option<String>> =
        run.requests(3).iter().map(|one| one.header("a-im").map(str::to_owned)).collect();
    let feed = || Some("feed".to_owned());
    assert_eq!(asked, [None, feed(), feed()]);
}

/// 13
#[test]
fn a_304_that_lies_is_found_out_by_an_audit() {
    let mut plainly = 0;
    let run = run(move |request, _| match request.is_conditional() {
        true => Reply::status(304),
        false => {
            plainly += 1;
            holding(if plainly == 1 { 1 } else { 4 })
        }
    });
    run.state_after(3);
    let Run { publisher, setup, ledger, daemon } = run;
    daemon.stop();
    // As if half a day had passed.
    ledger.change("UPDATE feed_state SET state = json_set(state, '$.trust.unmodified', 46)");
    let daemon = setup.start();
    let run = Run { publisher, setup, ledger, daemon };
    let state = run.ledger.wait_for_state(FEED, |state| state.plan.trust.sends != Sends::All);
    assert_eq!(state.plan.trust.sends, Sends::Date);
    assert_eq!(run.ledger.rows().len(), 4);
    let asked = run.requests(5);
    let plain = asked.iter().filter(|request| !request.is_conditional()).count();
    assert!((1..=2).contains(&plain), "{asked:?}");
}
