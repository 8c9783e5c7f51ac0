//! Hostile documents under a real limit of memory: the daemon lives, each feed has a class or is read,
//! and honest feeds go on.
//!
//! The limit is that of a control group where one may be made, else `RLIMIT_DATA`.

use cw_model::FailureClass;
use cw_model::state::FeedState;

use crate::support::cage::Cage;
use crate::support::daemon::{BINARY, Setup};
use crate::support::growing::{Growing, Pace};
use crate::support::ledger::Ledger;
use crate::support::publisher::{Publisher, Reply};
use crate::support::wait_until;

const MIB: usize = 1 << 20;

/// What came of a feed that asks too much.
const REFUSED: [FailureClass; 6] = [
    FailureClass::TooLarge,
    FailureClass::Bomb,
    FailureClass::Malformed,
    FailureClass::NotAFeed,
    FailureClass::Timeout,
    FailureClass::Server,
];

fn rss(head: &str, items: &str) -> String {
    format!("<rss version=\"2.0\"><channel>{head}{items}</channel></rss>")
}

/// Documents of about so many bytes, each of which would take many times as much.
fn hostile(bytes: usize) -> Vec<(&'static str, Reply)> {
    let items = |count: usize, item: &str| item.repeat(count);
    let many = |item: &str| items(bytes / item.len(), item);
    let categories =
        format!("<item><title>t</title>{}</item>", "<category>a</category>".repeat(90));
    vec![
        // A megabyte at most, of which a gigabyte was made.
        (
            "title",
            Reply::feed(rss(
                &format!("<title>{}</title>", "x".repeat(MIB / 2)),
                &(0..2000).map(|n| format!("<item><title>{n}</title></item>")).collect::<String>(),
            )),
        ),
        // Each is an event of its own, so unoptimised code takes minutes for more of them.
        (
            "references",
            Reply::feed(rss("", &format!("<item><title>{}</title></item>", "&".repeat(bytes / 4)))),
        ),
        ("items", Reply::feed(rss("", &many("<item/>")))),
        ("categories", Reply::feed(rss("", &many(&categories)))),
        (
            "numbers",
            Reply::feed(format!(
                "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{}1]}}",
                many("1,")
            )),
        ),
    ]
}

/// A daemon within so many bytes of memory, with hostile feeds and honest ones.
#[track_caller]
fn check(memory_bytes: u64, document_bytes: usize, configure: impl FnOnce(&mut Setup)) {
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    configure(&mut setup);
    let hostile = hostile(document_bytes);
    for (name, reply) in &hostile {
        let (path, host) = (format!("/{name}.xml"), format!("{name}.test"));
        publisher.serve(&path, [reply.clone()]);
        setup.resolve(&host).feed(name, &publisher.url_at(&host, &path));
    }
    let honest: Vec<Growing> = ["one", "two", "three"]
        .iter()
        .map(|name| {
            let host = format!("{name}.honest.test");
            let growing = Growing::publish(&publisher, name, &host, Pace::Patient);
            setup.resolve(&host).feed(&growing.name, &growing.url);
            growing
        })
        .collect();
    let ledger = Ledger::at(&setup.database());
    let cage = Cage::of(memory_bytes);
    let mut daemon = cage.start(&setup);

    for (name, _) in &hostile {
        let state = ledger.wait_for_state(name, |state: &FeedState| state.plan.sequence >= 1);
        if let Some(failure) = state.plan.last_failure {
            let is_class = REFUSED.contains(&failure.class) || failure.class.name() == "too_costly";
            assert!(is_class, "{name}: {failure:?}");
        }
    }
    let versions: Vec<usize> = honest.iter().map(|feed| feed.served().len()).collect();
    for (feed, versions) in honest.iter().zip(versions) {
        wait_until("the honest feeds to go on", || feed.served().len() >= versions + 2);
        feed.settle();
        wait_until("the honest feeds to be committed", || feed.is_caught_up());
    }
    ledger.audit(&honest, &[]).assert_clean();
    assert!(daemon.is_running(), "{}", daemon.text());
    daemon.stop();
}

#[test]
fn sixteen_mebibytes_of_hostile_documents_fit_two_gibibytes_at_the_defaults() {
    check(2 << 30, 15 * MIB, |setup| {
        setup.set("fetch.timeout", "60s");
    });
}

/// The small profile of `deploy/systemd/README.md`.
#[test]
fn hostile_documents_fit_three_hundred_megabytes_with_the_small_profile() {
    check(300_000_000, 2 * MIB - 200_000, |setup| {
        setup
            .set("run.memory", "128MiB")
            .set("fetch.body_limit", "2MiB")
            .set("fetch.concurrency", 8)
            .set("fetch.timeout", "60s");
    });
}

/// Larger than the limit in every way: as sent, and as decompressed.
#[test]
fn documents_over_the_limit_fit_three_hundred_megabytes() {
    check(300_000_000, 16 * MIB, |setup| {
        setup
            .set("run.memory", "128MiB")
            .set("fetch.body_limit", "2MiB")
            .set("fetch.concurrency", 8)
            .set("fetch.timeout", "60s");
    });
}

#[test]
fn all_memory_comes_from_few_arenas_that_give_back_what_is_free() {
    let program = Setup::new()
        .command(BINARY)
        .arg("--version")
        // Only the allocator of a whole program is asked under this name.
        .env("MALLOC_CONF", "stats_print:true")
        .output()
        .unwrap();
    let printed = String::from_utf8(program.stderr).unwrap();
    for option in
        ["narenas: 4\n", "dirty_decay_ms: 1000 ", "muzzy_decay_ms: 0 ", "background_thread: true "]
    {
        assert!(printed.contains(&format!("opt.{option}")), "{option:?} in\n{printed}");
    }
}
