//! Proxies: who is asked for what, and what is refused though a proxy would fetch it.

use cw_model::FailureClass;

use crate::support::daemon::Setup;
use crate::support::ledger::Ledger;
use crate::support::proxy::{Asked, Proxy};
use crate::support::publisher::{Publisher, Reply};
use crate::support::run::{FEED, PATH, headlines};
use crate::support::wait_until;

/// A publisher that only the proxy leads to, under a name that nobody knows.
fn behind_a_proxy() -> (Publisher, Proxy, Setup, String) {
    let publisher = Publisher::start();
    publisher.serve(PATH, [Reply::feed(headlines(&["A"]))]);
    let proxy = Proxy::leading_to(&publisher.url(""));
    let mut setup = Setup::new();
    // Nothing here may be dialled: what arrives came through the proxy.
    setup.set("fetch.allow_private_networks", false);
    setup.set("schedule.interval_min", "1h").set("schedule.interval_max", "1h");
    let url = publisher.url_at("news.example", PATH);
    (publisher, proxy, setup, url)
}

fn logins(setup: &mut Setup, proxy: &Proxy) {
    let text = format!("# ours\n{} ada:correct horse\n", proxy.place());
    std::fs::write(setup.path("logins"), text).unwrap();
    setup.set("fetch.proxy_logins", "logins");
}

#[test]
fn an_http_proxy_is_sent_the_whole_url_and_the_login() {
    let (publisher, proxy, mut setup, url) = behind_a_proxy();
    logins(&mut setup, &proxy);
    setup.set("fetch.proxy", format!("http://{}", proxy.place()));
    setup.feed(FEED, &url);
    let daemon = setup.start();
    Ledger::at(&setup.database()).wait_for_rows(FEED, 1);
    let login = Some("Basic YWRhOmNvcnJlY3QgaG9yc2U=".to_owned());
    assert_eq!(proxy.asked(), [Asked { how: "GET".to_owned(), target: url, login }]);
    // The publisher learns nothing of it.
    let request = &publisher.requests(PATH)[0];
    assert!(!format!("{request:?}").contains("YWRhO"), "{request:?}");
    let line = daemon.wait_for_line("requests go through a proxy");
    assert_eq!(line["proxy.address"], proxy.place(), "{line}");
    assert!(!daemon.text().contains("horse"), "{}", daemon.text());
    daemon.stop();
}

#[test]
fn a_socks_proxy_is_given_the_name_or_the_address_as_it_is_told_to() {
    let (publisher, proxy, mut setup, url) = behind_a_proxy();
    logins(&mut setup, &proxy);
    let port = url.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    let remote = format!("socks5h://{}", proxy.place());
    setup.feed_with("remote", &url, &[("proxy", &remote)]);
    // Looked up here, so that the address is judged and not the name.
    let local = format!("socks5://{}", proxy.place());
    let given = publisher.url_at("given.example", "/given.xml");
    publisher.serve("/given.xml", [Reply::feed(headlines(&["B"]))]);
    setup.set("fetch.allow_private_networks", vec!["127.0.0.1/32"]).resolve("given.example");
    setup.feed_with("local", &given, &[("proxy", &local)]);
    let daemon = setup.start();
    let ledger = Ledger::at(&setup.database());
    ledger.wait_for_rows("remote", 1);
    ledger.wait_for_rows("local", 1);
    daemon.stop();
    let mut targets: Vec<String> = proxy.asked().into_iter().map(|asked| asked.target).collect();
    targets.sort();
    assert_eq!(targets, [format!("127.0.0.1:{port}"), format!("news.example:{port}")]);
    assert!(proxy.asked().iter().all(|asked| asked.login.as_deref() == Some("ada:correct horse")));
}

/// A proxy stands in the operator's network and would fetch from there whatever it is asked for.
#[test]
fn what_can_be_seen_from_here_is_judged_though_a_proxy_would_fetch_it() {
    let (publisher, proxy, mut setup, _) = behind_a_proxy();
    setup.set("fetch.proxy", format!("http://{}", proxy.place()));
    let port = publisher.url("").rsplit(':').next().unwrap().to_owned();
    let refused = [
        ("address", "http://169.254.169.254/latest/meta-data".to_owned()),
        ("name", format!("http://metadata.google.internal:{port}/")),
        ("bare", format!("http://intranet:{port}/")),
        ("loopback", format!("http://localhost:{port}{PATH}")),
    ];
    for (id, url) in &refused {
        setup.feed(id, url);
    }
    publisher.serve("/led", [Reply::redirect(302, "http://10.0.0.1/")]);
    setup.feed("led", &publisher.url_at("news.example", "/led"));
    let daemon = setup.start();
    let ledger = Ledger::at(&setup.database());
    for id in refused.iter().map(|(id, _)| *id).chain(["led"]) {
        let state = ledger.wait_for_state(id, |state| state.plan.sequence >= 1);
        let failure = state.plan.last_failure.unwrap();
        assert_eq!(failure.class, FailureClass::AddressBlocked, "{id}: {}", failure.detail);
    }
    daemon.stop();
    let targets: Vec<String> = proxy.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(targets.len(), 1, "only the public name was asked for: {targets:?}");
}

#[test]
fn https_goes_through_a_tunnel() {
    let (_publisher, proxy, mut setup, _) = behind_a_proxy();
    setup.set("fetch.proxy", format!("http://{}", proxy.place()));
    setup.feed(FEED, "https://news.example/feed.xml");
    let daemon = setup.start();
    // The publisher speaks no TLS; the tunnel to it is what is looked at.
    wait_until("the tunnel", || !proxy.asked().is_empty());
    let asked = &proxy.asked()[0];
    let expected = ("CONNECT", "news.example:443");
    assert_eq!((asked.how.as_str(), asked.target.as_str()), expected);
    daemon.stop();
}

#[test]
fn variables_of_the_environment_count_only_if_that_is_asked_for() {
    let (publisher, proxy, mut setup, _) = behind_a_proxy();
    setup.set("fetch.allow_private_networks", vec!["127.0.0.1/32"]);
    setup.feed(FEED, &publisher.url(PATH));
    setup.environment("HTTP_PROXY", &format!("http://{}", proxy.place()));
    let daemon = setup.start();
    Ledger::at(&setup.database()).wait_for_rows(FEED, 1);
    assert!(daemon.text().contains("the environment names proxies, which are not used"));
    assert_eq!(proxy.asked(), []);
    daemon.stop();
    setup.set("fetch.proxy", "environment");
    setup.feed("other", &publisher.url("/other.xml"));
    publisher.serve("/other.xml", [Reply::feed(headlines(&["B"]))]);
    let daemon = setup.start();
    Ledger::at(&setup.database()).wait_for_rows("other", 1);
    assert_eq!(proxy.asked()[0].target, publisher.url("/other.xml"));
    daemon.stop();
}

#[test]
fn a_proxy_that_is_not_there_blames_no_feed() {
    let (_publisher, proxy, mut setup, url) = behind_a_proxy();
    drop(proxy);
    // Nobody listens on the port of TCP's own multiplexer.
    setup.set("fetch.proxy", "http://127.0.0.1:1");
    setup.feed(FEED, &url);
    let daemon = setup.start();
    wait_until("the trouble to be told", || {
        daemon.ask("/readyz").is_some_and(|(status, text)| {
            status == 503 && text.contains("through the proxy 127.0.0.1:1")
        })
    });
    daemon.stop();
}
