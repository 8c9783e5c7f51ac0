//! Feeds whose publishers name a hub (WebSub): a push makes its feed due and is no content, and nothing that a hub does or
//! leaves undone costs an article.

use std::process::Command;

use cw_model::state::Reason;

use crate::api::ask;
use crate::support::daemon::{BINARY, Daemon, Setup, field};
use crate::support::hub::{Hub, signature};
use crate::support::publisher::{Publisher, Reply, Tripwire};
use crate::support::run::{FEED, PATH, Run, headlines};
use crate::support::wait_until;

const DAY: u64 = 24 * 3600;

/// A document that names a hub in its headers.
fn named(hub: &Hub, publisher: &Publisher, titles: &[&str]) -> Reply {
    let topic = publisher.url(PATH);
    Reply::feed(headlines(titles))
        .header("Link", &hub.links(&topic))
        .header("Cache-Control", "max-age=3000")
}

/// Polled within the hour unless a hub pushes, and hubs are listened to.
fn listening(setup: &mut Setup) {
    std::fs::write(setup.path("websub.key"), "0123456789abcdef0123456789abcdef\n").unwrap();
    setup
        .set("schedule.interval_max", "1h")
        .set("websub.listen", "127.0.0.1:0")
        .set("websub.callback", "https://c.example/hubs/")
        .set("websub.key_file", "websub.key");
}

/// Where hubs call.
fn callbacks(daemon: &Daemon) -> std::net::SocketAddr {
    let line = daemon.wait_for_line("listening to hubs");
    field(&line, "websub.address").unwrap().as_str().unwrap().parse().unwrap()
}

/// A feed with article A whose hub has verified the subscription.
fn subscribed(hub: &Hub) -> Run {
    let run = Run::configured([], |setup, publisher| {
        listening(setup);
        publisher.serve(PATH, [named(hub, publisher, &["A"])]);
    });
    hub.reach(callbacks(&run.daemon));
    assert_eq!(hub.wait_for_wish(1).verified, Some(200));
    run
}

fn explained(run: &Run) -> String {
    let mut command = run.setup.command(BINARY);
    let command = command.args(["feeds", "explain", FEED, "--config"]).arg(run.setup.config());
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// 99
#[test]
fn a_push_makes_its_feed_due_at_once_and_what_it_told_of_is_published_once() {
    let hub = Hub::start(5 * DAY);
    let run = subscribed(&hub);
    let wish = hub.wait_for_wish(1);
    assert_eq!((wish.mode.as_str(), wish.topic), ("subscribe", run.publisher.url(PATH)));
    assert!(wish.callback.starts_with("https://c.example/hubs/feed.0."), "{}", wish.callback);
    run.publisher.serve(PATH, [named(&hub, &run.publisher, &["A", "B"])]);
    // The article in it is not the feed's, and is not published.
    assert_eq!(hub.publish(&run.publisher.url(PATH), &headlines(&["Z"])), [202]);
    let rows = run.ledger.wait_for_rows(FEED, 2);
    let state = run.state_after(2);
    assert_eq!((rows.len(), run.requests(2).len()), (2, 2));
    let request = state.plan.requests.newest().unwrap();
    assert_eq!((request.won.of, state.plan.requests.early), (Reason::Push, 0));
    let text = explained(&run);
    for words in
        ["hub: http://127.0.0.1:", "; it pushes until ", "last push: ", "after a push, waited "]
    {
        assert!(text.contains(words), "{words} in {text}");
    }
    let answer = ask(&run.daemon, &format!("/api/feeds/{FEED}"));
    let told = &answer.json()["hub"];
    assert_eq!(
        (&told["state"], &told["polls_not_pushed"]),
        (&"verified".into(), &0.into()),
        "{told}"
    );
    for (key, begins) in [
        ("url", "http://127.0.0.1:"),
        ("says", "it pushes until "),
        ("lease_until", "20"),
        ("pushed_at", "20"),
    ] {
        assert!(told[key].as_str().unwrap().starts_with(begins), "{key} of {told}");
    }
    // Secret and token are made from the key alone.
    let written = state.written().unwrap();
    assert!(
        !written.contains(&wish.secret)
            && !written.contains(wish.callback.rsplit('.').next().unwrap())
    );
    // Pushed again with nothing new, however it is signed: asked, and nothing is published.
    for (method, polls) in [("sha1", 3), ("sha384", 4), ("sha512", 5)] {
        let sign = signature(method, &wish.secret, "again");
        assert_eq!(hub.push(&wish.callback, &sign, "again").unwrap().0, 202, "{method}");
        run.state_after(polls);
    }
    assert_eq!(run.ledger.rows_of(FEED).len(), 2);
    run.daemon.wait_for_metric("conflictwire_websub_calls_total", "outcome=\"pushed\"", 4.0);
    run.daemon.wait_for_metric("conflictwire_websub_subscriptions", "state=\"verified\"", 1.0);
    run.daemon.wait_for_metric("conflictwire_websub_requests_total", "outcome=\"accepted\"", 1.0);
}

#[test]
fn what_strangers_say_changes_nothing() {
    let hub = Hub::start(5 * DAY);
    let run = subscribed(&hub);
    let wish = hub.wait_for_wish(1);
    let topic = run.publisher.url(PATH);
    let sign = signature("sha256", &wish.secret, "body");
    let wrong = [
        signature("sha256", "another secret", "body"),
        signature("sha256", &wish.secret, "another body"),
        format!("md5={}", "0".repeat(32)),
        sign[..sign.len() - 1].to_owned(),
        "nonsense".to_owned(),
    ];
    for sign in &wrong {
        assert_eq!(hub.push(&wish.callback, sign, "body").unwrap().0, 202, "{sign}");
    }
    run.daemon.wait_for_metric("conflictwire_websub_calls_total", "outcome=\"unsigned\"", 5.0);
    let last = if wish.callback.ends_with('0') { '1' } else { '0' };
    let guessed = format!("{}{last}", &wish.callback[..wish.callback.len() - 1]);
    let other = wish.callback.replace("feed.0.", "feed.1.");
    for unknown in [guessed.as_str(), &other, "https://c.example/", "https://c.example/hubs/feed"] {
        assert_eq!(hub.push(unknown, &sign, "body").unwrap().0, 404, "{unknown}");
    }
    let asked = |mode: &str, topic: &str| {
        let pairs = [("hub.mode", mode), ("hub.topic", topic), ("hub.challenge", "x")];
        hub.ask(&wish.callback, &pairs).unwrap()
    };
    assert_eq!(asked("unsubscribe", &topic).0, 404);
    assert_eq!(asked("subscribe", "https://b.example/rss").0, 404);
    assert_eq!(asked("celebrate", &topic).0, 404);
    assert_eq!(
        hub.ask(&wish.callback, &[("hub.mode", "subscribe"), ("hub.topic", &topic)]).unwrap().0,
        404
    );
    assert_eq!(asked("subscribe", &topic), (200, "x".to_owned()));
    // None of it made the feed due: the next request is that of this push.
    assert_eq!(run.publisher.requests(PATH).len(), 1);
    assert_eq!(hub.push(&wish.callback, &sign, "body").unwrap().0, 202);
    run.state_after(2);
    // The hub may take back what it promised.
    assert_eq!(asked("denied", &topic).0, 200);
    run.daemon.wait_for_metric("conflictwire_websub_subscriptions", "state=\"refused\"", 1.0);
}

#[test]
fn a_feed_that_is_removed_ends_its_subscription() {
    let hub = Hub::start(5 * DAY);
    let mut run = subscribed(&hub);
    run.setup.feed("other", &run.publisher.url("/other"));
    run.setup.remove_feed(FEED).write();
    run.daemon.signal("HUP");
    let end = hub.wait_for_wish(2);
    assert_eq!(
        (end.mode.as_str(), end.verified, end.secret.as_str()),
        ("unsubscribe", Some(200), "")
    );
    let wish = hub.wait_for_wish(1);
    assert_eq!(end.callback, wish.callback);
    let sign = signature("sha256", &wish.secret, "late");
    assert_eq!(hub.push(&wish.callback, &sign, "late").unwrap().0, 410);
}

#[test]
fn a_subscription_outlives_a_restart() {
    let hub = Hub::start(5 * DAY);
    let run = subscribed(&hub);
    let topic = run.publisher.url(PATH);
    hub.publish(&topic, "first");
    run.ledger.wait_for_state(FEED, |state| {
        state.plan.subscription.as_ref().is_some_and(|hub| hub.lease.is_some())
    });
    let run = run.restart();
    hub.reach(callbacks(&run.daemon));
    run.publisher.serve(PATH, [named(&hub, &run.publisher, &["A", "B"])]);
    assert_eq!(hub.publish(&topic, "second"), [202]);
    run.ledger.wait_for_rows(FEED, 2);
    assert_eq!(hub.wishes().len(), 1);
}

#[test]
fn another_hub_is_asked_and_the_old_one_told_that_it_is_over() {
    let (hub, other) = (Hub::start(5 * DAY), Hub::start(5 * DAY));
    let run = subscribed(&hub);
    let wish = hub.wait_for_wish(1);
    other.reach(callbacks(&run.daemon));
    run.publisher.serve(PATH, [named(&other, &run.publisher, &["A", "B"])]);
    hub.publish(&run.publisher.url(PATH), "moved");
    let end = hub.wait_for_wish(2);
    assert_eq!(
        (end.mode.as_str(), end.callback, end.verified),
        ("unsubscribe", wish.callback.clone(), Some(200))
    );
    let sign = signature("sha256", &wish.secret, "late");
    assert_eq!(hub.push(&wish.callback, &sign, "late").unwrap().0, 410);
}

#[test]
fn a_hub_that_fails_is_not_asked_at_each_poll_and_costs_no_article() {
    let hub = Hub::answering(DAY, 500);
    let run = Run::configured([], |setup, publisher| {
        listening(setup);
        setup.remove_feed(FEED).feed_with(FEED, &publisher.url(PATH), &[("interval", "1s")]);
        let named = |titles: &[&str]| {
            let topic = publisher.url(PATH);
            Reply::feed(headlines(titles)).header("Link", &hub.links(&topic))
        };
        publisher.serve(PATH, [named(&["A"]), named(&["A", "B"])]);
    });
    run.ledger.wait_for_rows(FEED, 2);
    run.daemon.wait_for_metric("conflictwire_websub_requests_total", "outcome=\"failed\"", 1.0);
    let polled = run.publisher.requests(PATH).len();
    run.requests(polled + 2);
    assert_eq!(hub.wishes().len(), 1);
    wait_until("it is said", || explained(&run).contains("not subscribed; asked again after "));
}

#[test]
fn no_hub_is_asked_unless_it_is_configured() {
    let hub = Hub::start(DAY);
    let run = Run::configured([], |_, publisher| {
        publisher.serve(PATH, [named(&hub, publisher, &["A"]), named(&hub, publisher, &["A"])]);
    });
    run.state_after(1);
    assert!(explained(&run).contains("not subscribed; [websub] in the configuration says"));
    let run = run.restart();
    assert_eq!((hub.wishes().len(), run.daemon.line("listening to hubs")), (0, None));
}

#[test]
fn a_hub_that_a_feed_names_inside_a_private_network_is_not_asked() {
    let inside = Tripwire::start("127.0.0.1");
    let run = Run::configured([], |setup, publisher| {
        listening(setup);
        setup.resolve("wire.example").remove_feed(FEED);
        setup.feed(FEED, &publisher.url_at("wire.example", PATH));
        let links = format!("<{}>; rel=hub, <{}>; rel=self", inside.url("/"), publisher.url(PATH));
        publisher.serve(PATH, [Reply::feed(headlines(&["A"])).header("Link", &links)]);
    });
    run.daemon.wait_for_metric("conflictwire_websub_requests_total", "outcome=\"failed\"", 1.0);
    assert_eq!(inside.connections(), 0);
}

#[test]
fn what_is_wrong_with_the_table_is_said_with_what_is_right() {
    let check = |keys: &[(&str, &str)], words: &[&str]| {
        let mut setup = Setup::new();
        setup.feed(FEED, "https://a.example/rss");
        std::fs::write(setup.path("short.key"), "short\n").unwrap();
        std::fs::write(setup.path("good.key"), "k".repeat(40)).unwrap();
        for (key, value) in keys {
            setup.set(key, *value);
        }
        let mut command: Command = setup.command(BINARY);
        let output = command.args(["check", "--config"]).arg(setup.config()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{text}");
        for words in words {
            assert!(text.contains(words), "{words} in {text}");
        }
    };
    let listen = ("websub.listen", "127.0.0.1:9103");
    check(
        &[listen],
        &[
            "websub.callback (line ",
            ": empty; give the URL",
            "websub.key_file (line ",
            ": empty; name a file",
        ],
    );
    check(&[("websub.listen", "9103")], &["\"9103\" is no IP address with a port"]);
    let key = ("websub.key_file", "good.key");
    check(&[listen, key, ("websub.callback", "c.example")], &["\"c.example\" is no http"]);
    check(&[key, ("websub.callback", "https://c.example/?a=1")], &["is no http or https URL"]);
    let callback = ("websub.callback", "https://c.example/hubs");
    check(&[listen, callback, ("websub.key_file", "short.key")], &["short.key\" holds no key"]);
    check(&[listen, callback, ("websub.key_file", "none.key")], &["none.key\" cannot be read"]);
    let admin = ("admin.listen", "127.0.0.1:9103");
    check(&[listen, callback, key, admin], &["is that of admin.listen too"]);
}
