//! Thirty-two hostile feeds and eight honest ones, for as many minutes as asked: `make hostile`.
//!
//! Prints a table of the feeds, what they came to, and how late the honest ones were polled. A
//! measurement, so it is run by itself, and with the binary that is released.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::time::Instant;

use crate::support::cage::Cage;
use crate::support::daemon::Setup;
use crate::support::growing::{Growing, Pace};
use crate::support::ledger::Ledger;
use crate::support::publisher::{Delivery, Publisher, Reply};
use crate::support::{minutes, wait_until};

const MIB: usize = 1 << 20;

/// What the daemon may take.
const MEMORY_BYTES: u64 = 2 << 30;

/// How often every feed is to be polled. Failures in a row wait longer, up to `INTERVAL_MAX`.
const INTERVAL: Duration = Duration::from_secs(10);
const INTERVAL_MAX: &str = "60s";

const HOSTILE: usize = 32;
const HONEST: usize = 8;

/// Makes another document at each request.
type Kind = (&'static str, Box<dyn Fn(u64) -> Reply + Send + Sync>);

fn rss(head: &str, items: &str) -> String {
    format!("<rss version=\"2.0\"><channel>{head}{items}</channel></rss>")
}

/// A document that differs each time: white space is added. Sent as it is, for packed it would shrink
/// further than any honest one.
fn plain(text: &str) -> Box<dyn Fn(u64) -> Reply + Send + Sync> {
    let text: Arc<str> = text.into();
    Box::new(move |number| {
        Reply::feed(format!("{text}{}", " ".repeat(usize::try_from(number % 1000).unwrap())))
    })
}

/// A document, packed once, that differs each time: a second member is added.
fn packed(text: &str) -> Box<dyn Fn(u64) -> Reply + Send + Sync> {
    let gzip = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let body = gzip(text);
    Box::new(move |number| {
        let body = [body.clone(), gzip(&format!("\n<!-- {number} -->"))].concat();
        Reply::feed(body).header("Content-Encoding", "gzip")
    })
}

fn prose(bytes: usize) -> String {
    const SENTENCE: &str = "An air strike killed at least 12 people in a village near the border on \
                            Tuesday, officials said, while rescuers searched the ruins. ";
    SENTENCE.repeat(bytes / SENTENCE.len() + 1)
}

/// Documents that ask much of whoever reads them.
fn documents() -> Vec<Kind> {
    let many = |item: &str, bytes: usize| item.repeat(bytes / item.len());
    let plain_items: String =
        (0..2000).map(|n| format!("<item><title>{n}</title></item>")).collect();
    let full = format!("<item><description>{}</description></item>", prose(7000));
    let categories =
        format!("<item><title>t</title>{}</item>", "<category>a</category>".repeat(90));
    let title = rss(&format!("<title>{}</title>", "x".repeat(MIB / 2)), &plain_items);
    vec![
        ("long channel title", packed(&title)),
        (
            "bare ampersands",
            plain(&rss("", &format!("<item><title>{}</title></item>", "&".repeat(15 * MIB)))),
        ),
        ("empty items", plain(&rss("", &many("<item/>", 15 * MIB)))),
        ("categories", plain(&rss("", &many(&categories, 14 * MIB)))),
        (
            "nested cdata",
            plain(&rss(
                "",
                &format!("<item><title>{}</title></item>", many("<![CDATA[]]>", 15 * MIB)),
            )),
        ),
        (
            "open declarations",
            plain(&rss("", &format!("<item><title>t</title>{}</item>", many("<![", 2 * MIB)))),
        ),
        (
            "escaped markup",
            plain(&rss(
                "",
                &format!("<item><description>{}</description></item>", many("&lt;a&gt;", 15 * MIB)),
            )),
        ),
        (
            "control characters",
            plain(&rss("", &many("<item><title>&#1;&#2;&#3;</title></item>", 14 * MIB))),
        ),
        (
            "huge json numbers",
            plain(&format!(
                "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{}1]}}",
                many("1,", 15 * MIB)
            )),
        ),
        ("nested json", plain(&many("[", 15 * MIB))),
        ("15 MB of prose", plain(&rss("", &many(&full, 14 * MIB)))),
        (
            "too many entities",
            plain(&format!("<!DOCTYPE r [{}]><rss/>", many("<!ENTITY a \"b\">", MIB))),
        ),
        (
            "deep nesting",
            plain(&rss("", &format!("<item>{}</item>", many("<a xml:base=\"b/\">", 15 * MIB)))),
        ),
        ("attributes", plain(&rss("", &many("<item a=\"\" b=\"\" c=\"\"/>", 15 * MIB)))),
        ("dates", plain(&rss("", &described(&many("<pubDate>Tue, 1 Jan</pubDate>", 15 * MIB))))),
    ]
}

fn described(children: &str) -> String {
    format!("<item><title>Strike</title><link>https://a.example/</link>{children}</item>")
}

/// Articles that ask much of whoever tags them.
fn texts() -> Vec<Kind> {
    let article = |text: &str| {
        let text = text.repeat(2 * MIB / text.len());
        described(&format!("<description>{text}</description>")).repeat(7)
    };
    vec![
        ("counts in one sentence", plain(&rss("", &article("12 killed and 30 wounded, ")))),
        ("one word", plain(&rss("", &article("strike")))),
        ("names without end", plain(&rss("", &article("Aleppo Syria Russia ")))),
        ("links", plain(&rss("", &article("&lt;a href=b&gt;c&lt;/a&gt;")))),
    ]
}

/// Answers that ask much of whoever fetches them.
fn answers() -> Vec<Kind> {
    let zeros = vec![0_u8; 64 * MIB];
    let zstd_bomb = zstd::encode_all(zeros.as_slice(), 1).unwrap();
    let mut brotli_bomb = Vec::new();
    brotli::CompressorWriter::new(&mut brotli_bomb, 4096, 1, 22).write_all(&zeros).unwrap();
    let whole = |status: u16| move |_| Reply::status(status);
    vec![
        ("gzip bomb", packed(&" ".repeat(64 * MIB))),
        (
            "zstd bomb",
            Box::new(move |_| Reply::feed(zstd_bomb.clone()).header("Content-Encoding", "zstd")),
        ),
        (
            "brotli bomb",
            Box::new(move |_| Reply::feed(brotli_bomb.clone()).header("Content-Encoding", "br")),
        ),
        (
            "endless body",
            Box::new(|_| Reply::feed("x".repeat(MIB)).delivered(Delivery::Repeated(1000))),
        ),
        ("drip", Box::new(|_| Reply::feed("x".repeat(MIB)).delivered(Delivery::Drip))),
        ("endless hints", Box::new(|_| Reply::status(200).delivered(Delivery::Hints))),
        ("silence", Box::new(|_| Reply::never())),
        (
            "cut",
            Box::new(|n| {
                Reply::feed(format!("<rss>{n}{}", "x".repeat(MIB)))
                    .delivered(Delivery::CutAfter(MIB / 2))
            }),
        ),
        (
            "many headers",
            Box::new(|_| {
                (0..900).fold(Reply::feed("<rss/>"), |reply, n| {
                    reply.header(&format!("X-{n}"), &"y".repeat(200))
                })
            }),
        ),
        ("redirect loop", Box::new(|_| Reply::redirect(302, "/loop.xml"))),
        ("server error", Box::new(whole(500))),
        ("busy", Box::new(|_| Reply::status(429).header("Retry-After", "1"))),
        ("html", Box::new(|n| Reply::feed(format!("<html><body>{n}</body></html>")))),
    ]
}

/// What one feed came to.
struct Line {
    name: String,
    polls: usize,
    came: String,
    lateness: Option<(f64, f64)>,
}

/// How late polls were, seconds: the median and the most. On time is no later than the interval and
/// the tenth of it that is jitter.
fn lateness(at: &[Instant]) -> (f64, f64) {
    let on_time = INTERVAL.mul_f64(1.1).as_secs_f64();
    let gaps = at.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64());
    let mut late: Vec<f64> = gaps.map(|gap| (gap - on_time).max(0.0)).collect();
    late.sort_by(f64::total_cmp);
    (
        late.get(late.len() / 2).copied().unwrap_or_default(),
        late.last().copied().unwrap_or_default(),
    )
}

/// Every line, as Markdown.
fn table(lines: &[Line]) -> String {
    let mut table =
        "| feed | polls | last | late by, median | at most |\n|---|---|---|---|---|\n".to_owned();
    for line in lines {
        let late = line
            .lateness
            .map_or("| |".to_owned(), |(median, most)| format!("{median:.2} s | {most:.2} s |"));
        table.push_str(&format!("| {} | {} | {} | {late}\n", line.name, line.polls, line.came));
    }
    table
}

/// A hostile feed: its id, kind and path.
type Hostile = (String, &'static str, String);

/// Publishes and configures the hostile feeds, each under a host of its own.
fn serve_hostile(publisher: &Publisher, setup: &mut Setup) -> Vec<Hostile> {
    publisher.serve("/loop.xml", [Reply::redirect(302, "/loop.xml")]);
    let kinds: Vec<_> = documents()
        .into_iter()
        .chain(texts())
        .chain(answers())
        .map(|(name, make)| (name, Arc::from(make)))
        .collect();
    let mut hostile = Vec::new();
    for number in 0..HOSTILE {
        let (kind, make): &(_, Arc<dyn Fn(u64) -> Reply + Send + Sync>) =
            &kinds[number % kinds.len()];
        let (path, host) = (format!("/hostile-{number}.xml"), format!("hostile{number}.test"));
        let (count, make) = (AtomicU64::new(0), Arc::clone(make));
        publisher.script(&path, move |_| make(count.fetch_add(1, Ordering::Relaxed)));
        let id = format!("hostile-{number}");
        setup.resolve(&host).feed_with(
            &id,
            &publisher.url_at(&host, &path),
            &[("interval", "10s")],
        );
        hostile.push((id, *kind, path));
    }
    hostile
}

#[test]
#[ignore = "takes minutes: make hostile"]
fn hostile_feeds_do_not_delay_honest_ones() {
    let publisher = Publisher::start();
    let mut setup = Setup::new();
    setup
        .set("schedule.interval_min", "10s")
        .set("schedule.interval_max", INTERVAL_MAX)
        .set("fetch.timeout", "30s")
        .set("fetch.host_concurrency", 2)
        .set("log.level", "info");
    let hostile = serve_hostile(&publisher, &mut setup);
    let honest: Vec<Growing> = (0..HONEST)
        .map(|number| {
            let host = format!("honest{number}.test");
            let growing =
                Growing::publish(&publisher, &format!("honest-{number}"), &host, Pace::Patient);
            setup.resolve(&host).feed_with(&growing.name, &growing.url, &[("interval", "10s")]);
            growing
        })
        .collect();
    let cage = Cage::of(MEMORY_BYTES);
    let ledger = Ledger::at(&setup.database());
    let mut daemon = cage.start(&setup);
    daemon.wait_until_listening();
    let started = Instant::now();
    let mut slowest = Duration::ZERO;
    wait_until_over(started, || {
        assert!(daemon.is_running(), "{}", daemon.text());
        let asked_at = Instant::now();
        assert_eq!(daemon.ask("/livez").unwrap().0, 200);
        slowest = slowest.max(asked_at.elapsed());
    });

    let asked = |path: &str| publisher.requests(path).iter().map(|one| one.at).collect::<Vec<_>>();
    let mut lines: Vec<Line> = hostile
        .iter()
        .map(|(id, kind, path)| Line {
            name: (*kind).to_owned(),
            polls: asked(path).len(),
            came: ledger.state(id).map_or("under way".to_owned(), |state| {
                state.plan.last_failure.map_or("read", |failure| failure.class.name()).to_owned()
            }),
            lateness: None,
        })
        .collect();
    for feed in &honest {
        let at = asked(&feed.path);
        lines.push(Line {
            name: feed.name.clone(),
            polls: at.len(),
            came: "read".to_owned(),
            lateness: Some(lateness(&at)),
        });
    }
    println!("{}", table(&lines));
    let peak = daemon.memory_peak_bytes() / MIB as u64;
    println!("at most {peak} MiB resident, after {} s", started.elapsed().as_secs());
    println!("/livez, asked every second, took {} ms at most", slowest.as_millis());

    for feed in &honest {
        feed.settle();
        wait_until("the honest feeds to be committed", || feed.is_caught_up());
    }
    ledger.audit(&honest, &[]).assert_clean();
    daemon.stop();
}

/// Looks every now and then until the time asked for is over.
fn wait_until_over(started: Instant, look: impl FnMut()) {
    let (over, mut look) = (started + Duration::from_secs(60 * minutes()), look);
    while Instant::now() < over {
        look();
        let (lock, bell) = (std::sync::Mutex::new(()), std::sync::Condvar::new());
        drop(bell.wait_timeout(lock.lock().unwrap(), Duration::from_secs(1)).unwrap());
    }
}
