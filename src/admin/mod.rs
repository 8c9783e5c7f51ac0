//! A small HTTP server for whoever runs the daemon. It only tells, but for one request: to read the
//! configuration anew.
//!
//! | path | answer |
//! |---|---|
//! | `/livez` | 200 while the scheduler's loop turns or a drain goes on, else 503 and since when |
//! | `/readyz` | 200 when state is restored and the ledger takes commits, else 503 and why |
//! | `/metrics` | OpenMetrics text, or Prometheus' older one |
//! | `/` | the status page |
//! | `/feeds/{id}` | the page of one feed |
//! | `/api/status` | how the program stands, as JSON |
//! | `/api/feeds`, `/api/feeds/{id}` | how feeds stand, and why one is polled when it is, or which replica knows |
//! | `/api/hosts`, `/api/lanes` | the same by host, by lane |
//! | `/api/events` | commits as they happen: server-sent events |
//! | `/-/reload` | POST: reads the configuration anew and says what came of it |
//!
//! Probes and metrics are open to whoever reaches the port. The rest names feeds and hosts: the `gate`
//! says who may see it.

mod api;
mod events;
mod exposition;
mod feeds;
mod gate;
mod hosts;
mod past;
mod page;
mod query;
mod reply;
mod select;
pub mod words;

use std::net::IpAddr;
use std::sync::Arc;

pub use api::LedgerName;
use cw_decide::lane::hash;
use cw_decide::scheduler::FeedView;
use cw_status::ledger::{LedgerSnapshot, Replica};
use cw_status::status::{REFUSED_TEXT, hung_text};
use cw_status::{LastRead, Metrics, Status};
pub use events::Events;
use feeds::Views;
pub use feeds::{Feeds, Question};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, LOCATION, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use tokio_util::sync::CancellationToken;

use self::exposition::exposition;
use self::gate::Gate;
pub use self::gate::SharedToken;
use self::past::Past;
use self::query::{FeedQuery, HostQuery, QueryProblem};
use self::reply::{Reply, json, private, problem, text};
use crate::clock::Clock;
use crate::ledger::sqlite::history::History;
use crate::reload::{Reloaded, Reloader};
use crate::server::{self, ServerStartError};

/// Where a reload is asked for.
pub const RELOAD_PATH: &str = "/-/reload";

/// The query of whoever another replica has sent.
const REDIRECTED: &str = "redirected";

/// What `/api/events` is written in.
const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";

/// What the answers are made from.
#[derive(Clone, Debug)]
pub struct Admin {
    status: Arc<Status>,
    metrics: Arc<Metrics>,
    clock: Clock,
    ledger: LedgerName,
    past: Past,
    feeds: Feeds,
    events: Events,
    reloader: Option<Reloader>,
    gate: Gate,
}

/// What an admin server tells of, and whom it asks.
#[derive(Clone, Debug)]
pub struct Sources {
    /// How the program stands.
    pub status: Arc<Status>,
    /// Everything counted.
    pub metrics: Arc<Metrics>,
    /// Where the time comes from.
    pub clock: Clock,
    /// What the ledger is called.
    pub ledger: LedgerName,
    /// Who knows what was committed; `None` if the ledger cannot be asked.
    pub history: Option<History>,
    /// Who knows how feeds stand.
    pub feeds: Feeds,
    /// Who is told of commits.
    pub events: Events,
    /// Who reads the configuration anew; `None` if nobody can.
    pub reloader: Option<Reloader>,
}

/// Starts serving. What is returned ends after `stop` is cancelled and the last answer is given.
///
/// # Errors
/// [`ServerStartError`].
pub fn start(
    listener: std::net::TcpListener,
    admin: Admin,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()>, ServerStartError> {
    let answer = move |request: Request<Incoming>| {
        let admin = admin.clone();
        async move { admin.answer(&request.into_parts().0).await }
    };
    server::start("admin", listener, answer, stop)
}

impl Admin {
    /// What answers on a listener at this address, to whoever has the token, if there is one.
    pub fn new(sources: Sources, address: IpAddr, token: SharedToken) -> Self {
        let Sources { status, metrics, clock, ledger, history, feeds, events, reloader } = sources;
        let gate = Gate::of(address, token);
        let past = Past::new(history);
        Self { status, metrics, clock, ledger, past, feeds, events, reloader, gate }
    }

    /// Answers a question.
    async fn answer(&self, question: &Parts) -> Response<Reply> {
        if question.uri.path() == RELOAD_PATH {
            return match self.gate.admit(&question.headers) {
                Ok(()) => self.reload(question).await,
                Err(refusal) => *refusal,
            };
        }
        if question.method != Method::GET && question.method != Method::HEAD {
            let refused = StatusCode::METHOD_NOT_ALLOWED;
            let mut response = match is_gated(question.uri.path()) {
                true => problem(refused, "only_get", "it only tells: ask with GET"),
                false => text(refused, "only GET\n"),
            };
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match question.uri.path() {
            "/livez" => match self.status.alive() {
                Ok(()) => text(StatusCode::OK, "alive\n"),
                Err(since) => {
                    text(StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", hung_text(since)))
                }
            },
            "/readyz" => match self.status.unready() {
                None => match self.status.snapshot().last_read {
                    LastRead::InUse => text(StatusCode::OK, "ready\n"),
                    // Why, names files and feeds, and anybody may ask here.
                    LastRead::Refused { .. } => {
                        text(StatusCode::OK, format!("ready; {REFUSED_TEXT}\n"))
                    }
                },
                Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", why.text())),
            },
            "/metrics" => {
                let text = self.metrics.text(&self.status.snapshot());
                exposition(&question.headers, text)
            }
            path if is_gated(path) => match self.gate.admit(&question.headers) {
                Ok(()) => self.show(path, question).await,
                Err(refusal) => *refusal,
            },
            _ => text(StatusCode::NOT_FOUND, "not found; see /\n"),
        }
    }

    /// Reads the configuration anew for somebody who was let in, and says what came of it.
    async fn reload(&self, question: &Parts) -> Response<Reply> {
        if question.method != Method::POST {
            let mut response = problem(
                StatusCode::METHOD_NOT_ALLOWED,
                "only_post",
                "this changes something: POST",
            );
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        if question.headers.contains_key(ORIGIN) {
            // Browsers send it with what a page posts, and no page of ours does.
            let why = "no page may ask for this; ask with curl or `conflictwire reload`";
            return problem(StatusCode::FORBIDDEN, "from_a_page", why);
        }
        let reloaded = match &self.reloader {
            Some(reloader) => reloader.ask_and_wait().await,
            None => None,
        };
        match reloaded {
            Some(Reloaded::Accepted { feeds, added, removed }) => {
                let came = serde_json::json!({
                    "outcome": "accepted", "feeds": feeds, "added": added, "removed": removed
                });
                json(StatusCode::OK, &came)
            }
            Some(Reloaded::Refused(problems)) => {
                let came = serde_json::json!({ "outcome": "refused", "problems": problems });
                json(StatusCode::UNPROCESSABLE_ENTITY, &came)
            }
            None => {
                let why = "nobody reads the configuration now: the daemon stops";
                problem(StatusCode::SERVICE_UNAVAILABLE, "stopping", why)
            }
        }
    }

    /// Answers somebody who was let in.
    async fn show(&self, path: &str, question: &Parts) -> Response<Reply> {
        let query = question.uri.query().unwrap_or_default();
        match path {
            "/" => match FeedQuery::read(query) {
                Ok(query) => self.page(&query).await,
                Err(problem) => misasked(&problem),
            },
            "/api/status" => {
                let now = self.clock.now();
                let recent = self.status.recent().snapshot(now);
                let status = api::status(&self.status.snapshot(), &recent, &self.ledger, now);
                json(StatusCode::OK, &status)
            }
            "/api/feeds" => match FeedQuery::read(query) {
                Ok(query) => self.of_feeds(|views| Some(api::feeds(views, &query))).await,
                Err(problem) => misasked(&problem),
            },
            "/api/hosts" => match HostQuery::read(query) {
                Ok(query) => self.of_feeds(|views| Some(api::hosts_list(views, &query))).await,
                Err(problem) => misasked(&problem),
            },
            "/api/lanes" => {
                let views = self.feeds.views().await;
                let snapshot = self.status.snapshot();
                let lanes = api::lanes(&snapshot, views.as_deref(), self.clock.now());
                json(StatusCode::OK, &lanes)
            }
            "/api/events" => self.listen(&question.method),
            _ => match path.strip_prefix("/api/feeds/") {
                Some(id) => self.one_feed(id, query).await,
                None => match path.strip_prefix("/feeds/") {
                    Some(id) => self.page_of_feed(id, query).await,
                    None => page::file(path).unwrap_or_else(|| {
                        not_found("there is no such path; deploy/README.md lists them")
                    }),
                },
            },
        }
    }

    /// How one feed stands, or who knows: the replica that has its lane.
    async fn one_feed(&self, id: &str, query: &str) -> Response<Reply> {
        let Some(views) = self.feeds.views().await else { return not_said_yet() };
        let ledger = self.status.snapshot().ledger;
        let (status, lane, owner) = match self.whereabouts(id, query, &views, &ledger) {
            Whereabouts::Nowhere => return not_found(NO_SUCH_FEED),
            Whereabouts::Here(view) => {
                return json(StatusCode::OK, &api::feed::whole(view, views.at));
            }
            Whereabouts::There(lane, owner, address) => {
                let told = api::served_by(lane, owner, "another replica has its lane; ask there");
                let response = json(StatusCode::TEMPORARY_REDIRECT, &told);
                return sent_on(response, &format!("http://{address}/api/feeds/{id}"));
            }
            Whereabouts::Unclear(lane, owner) => (StatusCode::CONFLICT, lane, owner),
        };
        json(status, &api::served_by(lane, owner, unclear(owner)))
    }

    /// The same for people.
    async fn page_of_feed(&self, id: &str, query: &str) -> Response<Reply> {
        let Some(views) = self.feeds.views().await else {
            let why = "The scheduler has not said yet how the feeds stand; try again in a moment.";
            return page::feed::without(StatusCode::SERVICE_UNAVAILABLE, why);
        };
        let snapshot = self.status.snapshot();
        let view = match self.whereabouts(id, query, &views, &snapshot.ledger) {
            Whereabouts::Nowhere => {
                let why = "No feed has this id. It may have been removed, renamed or disabled.";
                return page::feed::without(StatusCode::NOT_FOUND, why);
            }
            Whereabouts::Here(view) => view,
            Whereabouts::There(_, _, address) => {
                let why = "Another replica has its lane.";
                let response = page::feed::without(StatusCode::TEMPORARY_REDIRECT, why);
                return sent_on(response, &format!("http://{address}/feeds/{id}"));
            }
            Whereabouts::Unclear(_, owner) => {
                return page::feed::without(StatusCode::CONFLICT, unclear(owner));
            }
        };
        let past = self.past.of_feed(id).await;
        let now = self.clock.now();
        let recent = self.status.recent().snapshot(now);
        page::feed::page(&page::feed::FeedShown {
            view,
            recent: &recent,
            ledger: &self.ledger,
            past: &past,
            uptime: snapshot.uptime,
            now,
        })
    }

    /// Who knows a feed.
    fn whereabouts<'a>(
        &self,
        id: &str,
        query: &str,
        views: &'a Views,
        ledger: &'a LedgerSnapshot,
    ) -> Whereabouts<'a> {
        let Some(view) = views.feeds.iter().find(|view| view.feed.id.as_str() == id) else {
            return Whereabouts::Nowhere;
        };
        let lane = hash::lane(&view.feed.url, self.ledger.lanes);
        let Some(owner) = ledger.elsewhere(lane).filter(|_| view.lane.is_none()) else {
            return Whereabouts::Here(view);
        };
        match &owner.address {
            // Lanes move: whoever was sent here is not sent on, or two replicas could send him to and fro.
            Some(address) if query != REDIRECTED => Whereabouts::There(lane, owner, address),
            Some(_) | None => Whereabouts::Unclear(lane, owner),
        }
    }

    async fn page(&self, query: &FeedQuery) -> Response<Reply> {
        let views = self.feeds.views().await;
        let now = self.clock.now();
        let (snapshot, recent) = (self.status.snapshot(), self.status.recent().snapshot(now));
        let told = page::Told {
            snapshot: &snapshot,
            recent: &recent,
            ledger: &self.ledger,
            views: views.as_deref(),
            now,
        };
        page::page(&told, query)
    }

    /// Answers with what is made of how the feeds stand.
    async fn of_feeds(
        &self,
        make: impl FnOnce(&Views) -> Option<serde_json::Value>,
    ) -> Response<Reply> {
        let Some(views) = self.feeds.views().await else { return not_said_yet() };
        match make(&views) {
            Some(value) => json(StatusCode::OK, &value),
            None => not_found(NO_SUCH_FEED),
        }
    }

    /// Lets somebody listen.
    fn listen(&self, method: &Method) -> Response<Reply> {
        let is_head = method == Method::HEAD;
        let events = if is_head {
            Some(Reply::Whole(None))
        } else {
            self.events.listen().map(Reply::Events)
        };
        let Some(events) = events else {
            let why = format!(
                "{} listen already, which is the most; ask again later",
                events::LISTENERS_MAX
            );
            return problem(StatusCode::SERVICE_UNAVAILABLE, "too_many_listeners", &why);
        };
        let mut response = private(Response::new(events));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
        response
    }
}

/// Who knows a feed.
enum Whereabouts<'a> {
    /// This process.
    Here(&'a FeedView),
    /// The replica at this address, which has its lane.
    There(u32, &'a Replica, &'a str),
    /// Another replica, which is not to be found.
    Unclear(u32, &'a Replica),
    /// Nobody: there is no such feed.
    Nowhere,
}

const NO_SUCH_FEED: &str = "no feed has this id";

/// Why nobody is sent on to who has a feed's lane.
fn unclear(owner: &Replica) -> &'static str {
    match owner.address {
        Some(_) => "its lane is moving, or another replica has it; ask again in a moment",
        None => {
            "another replica has its lane, and does not say where it is reached \
             (admin.advertise); ask it itself"
        }
    }
}

/// With where else to ask. The address is a host and a port, and the id one of ours.
fn sent_on(mut response: Response<Reply>, to: &str) -> Response<Reply> {
    if let Ok(location) = HeaderValue::from_str(&format!("{to}?{REDIRECTED}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// Whether a path is one of those that name feeds and hosts, or a file of the page that does.
fn is_gated(path: &str) -> bool {
    path == "/"
        || ["/api/", "/feeds/", "/page."].iter().any(|beginning| path.starts_with(beginning))
}

fn not_said_yet() -> Response<Reply> {
    let why = "the scheduler has not said yet how the feeds stand; ask again in a moment";
    problem(StatusCode::SERVICE_UNAVAILABLE, "not_known", why)
}

fn misasked(problem: &QueryProblem) -> Response<Reply> {
    reply::problem(StatusCode::BAD_REQUEST, "bad_parameter", &problem.to_string())
}

fn not_found(why: &str) -> Response<Reply> {
    problem(StatusCode::NOT_FOUND, "not_found", why)
}
