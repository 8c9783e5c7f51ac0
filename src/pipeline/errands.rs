//! What a poll asks for beside its feed, after the feed has answered and before the answer is read.
//!
//! What is wanted is said by the core, and what comes of it goes back there. Here: requests one after another, each
//! host in its turn, within the limits of all other requests and a time for all of them together.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cw_decide::process::{Pages, WantedPage};
use cw_decide::robots::Robots;
use cw_model::{
    Answer, ArticleId, Body, DocumentKind, Failure, FailureClass, Feed, Instance, PageRefusal,
    Steps, Validators,
};
use cw_read::page::{PageText, read_page};
use cw_read::parse::{
    ParseFailure, SitemapIndex, joined, may_be_sitemap_index, sitemap_index, sitemap_part,
};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::debug;
use url::Url;

use crate::fetch::{Fetcher, waits_for_turn};
use crate::memory::BodyHold;

/// The most bytes of all sitemaps of an index together: as much as one of them may have.
const SITEMAPS_BYTES_MAX: usize = 4 << 20;

/// How long all errands of a poll may take together before the next one begins: its articles wait so long, and a lane that is taken
/// as well.
pub(super) const TIME_MAX: Duration = Duration::from_secs(45);

/// The most bytes of texts that the pages of a poll may have together.
const TEXTS_BYTES_MAX: usize = 4 << 20;

/// How long a robots.txt is kept (RFC 9309, 2.4), and how long it is believed that there is none to be had.
const ROBOTS_KEPT: Duration = Duration::from_secs(24 * 3600);
const ROBOTS_ASKED_AGAIN: Duration = Duration::from_secs(600);

/// The most hosts whose robots.txt is kept.
const HOSTS_MAX: usize = 10_000;

/// A host is asked for no more pages in a poll after so many failures that may be the pages' own.
const STRIKES_MAX: u32 = 3;

/// The longest a host that is busy is left alone, whatever it asks for.
const BUSY_MAX: Duration = Duration::from_secs(3600);

/// What polls ask for beside their feeds. One for a process: it keeps the turns at hosts, and what they allow.
#[derive(Debug, Default)]
pub struct Errands {
    turns: Mutex<HashMap<String, Instant>>,
    robots: Mutex<HashMap<String, Kept>>,
    /// Hosts that want to be asked for no page before a time. Their feeds have a say of their own.
    resting: Mutex<HashMap<String, Instant>>,
}

/// What a host allows, for a time.
#[derive(Clone, Debug)]
struct Kept {
    robots: Arc<Robots>,
    until: Instant,
}

/// For whom something is asked, and what with.
#[derive(Clone, Copy, Debug)]
pub struct Errand<'a> {
    /// The client of the poll.
    pub fetcher: &'a Fetcher,
    /// Its feed.
    pub feed: &'a Feed,
    /// What the feed answered.
    pub body: &'a Body,
    /// Of whose memory answers are held.
    pub hold: &'a BodyHold,
}

impl Errand<'_> {
    async fn fetch(&self, kind: DocumentKind, url: &Url, hold: &mut BodyHold) -> Answer {
        self.fetcher.fetch_beside(self.feed, self.body, (kind, url), hold).await
    }
}

/// What came of the pages that a poll wanted.
#[derive(Debug, Default)]
pub struct PagesCame {
    /// The texts.
    pub texts: Pages,
    /// Why the others have none.
    pub refusals: BTreeMap<ArticleId, PageRefusal>,
}

impl Errands {
    /// How long a host is being asked for something else; `None` if it is not.
    pub fn busy(&self, url: &Url) -> Option<Duration> {
        let turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let free_at = *turns.get(url.host_str()?)?;
        let wait = free_at.saturating_duration_since(Instant::now());
        (!wait.is_zero()).then_some(wait)
    }

    /// Waits for the turn at a host; the next is after `gap`. Answers whether there is one before `deadline`; else none is
    /// taken.
    pub(super) async fn turn(&self, url: &Url, gap: Duration, deadline: Instant) -> bool {
        let host = url.host_str().unwrap_or_default().to_owned();
        let now = Instant::now();
        let at = {
            // A thread that panicked here left nothing half done.
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that are over go when the map would grow.
            if turns.len() == turns.capacity() {
                turns.retain(|_, free_at| *free_at > now);
            }
            let free_at = turns.entry(host).or_insert(now);
            let at = (*free_at).max(now);
            if at > deadline {
                return false;
            }
            *free_at = at + gap;
            at
        };
        sleep_until(at).await;
        true
    }

    /// No page of a host is asked for before this time is over.
    fn rest(&self, host: &str, wait: Duration) {
        let now = Instant::now();
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        if resting.len() == resting.capacity() {
            resting.retain(|_, until| *until > now);
        }
        resting.insert(host.to_owned(), now + wait.min(BUSY_MAX));
    }

    fn is_resting(&self, host: &str) -> bool {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.get(host).is_some_and(|until| *until > Instant::now())
    }

    /// The texts of the pages that a poll wants: one page after another, the first first, until their time is over or
    /// nobody waits for them any more (`given_up`).
    ///
    /// Cancel safety: dropping it drops the connection, nothing else.
    pub async fn pages(
        &self,
        errand: &Errand<'_>,
        wanted: Vec<WantedPage>,
        given_up: impl Future<Output = ()>,
    ) -> PagesCame {
        let deadline = Instant::now() + TIME_MAX;
        // Its feed was asked for just now.
        self.turn(&errand.body.final_url, errand.fetcher.host_gap(), deadline).await;
        let mut came = PagesCame::default();
        let mut strikes: HashMap<String, u32> = HashMap::new();
        let mut bytes = 0;
        tokio::pin!(given_up);
        let mut is_given_up = false;
        for page in wanted {
            let host = page.url.host_str().unwrap_or_default().to_owned();
            let has_struck = strikes.get(&host).is_some_and(|times| *times >= STRIKES_MAX);
            let article = page.article;
            let left_out =
                is_given_up || has_struck || bytes >= TEXTS_BYTES_MAX || self.is_resting(&host);
            let read = match left_out || Instant::now() >= deadline {
                true => Err(Unread::because(PageRefusal::LeftOut)),
                false => tokio::select! {
                    read = self.page(errand, page, deadline) => read,
                    () = &mut given_up => {
                        is_given_up = true;
                        Err(Unread::because(PageRefusal::LeftOut))
                    }
                },
            };
            match read {
                Ok(text) => {
                    bytes += text.body.len();
                    came.texts.insert(article, text);
                }
                Err(Unread { refusal, failure }) => {
                    if let Some(failure) = &failure {
                        if let (FailureClass::Busy, Some(wait)) =
                            (failure.class, failure.retry_after)
                        {
                            self.rest(&host, wait);
                        }
                        *strikes.entry(host).or_default() += weight(failure.class);
                    }
                    debug!(
                        feed.id = %errand.feed.id,
                        error.type = refusal.name(),
                        error = failure.map(|failure| failure.detail).unwrap_or_default(),
                        "an article keeps the text of its feed"
                    );
                    came.refusals.insert(article, refusal);
                }
            }
        }
        came
    }

    async fn page(
        &self,
        errand: &Errand<'_>,
        page: WantedPage,
        deadline: Instant,
    ) -> Result<PageText, Unread> {
        let robots = self.robots(errand, &page.url, deadline).await?;
        if !robots.allow(path(&page.url)) {
            return Err(Unread::because(PageRefusal::Disallowed));
        }
        let gap = errand.fetcher.host_gap().max(robots.delay.unwrap_or_default());
        if !self.turn(&page.url, gap, deadline).await {
            return Err(Unread::because(PageRefusal::LeftOut));
        }
        let mut hold = errand.hold.another();
        let mut answer = errand.fetch(DocumentKind::Page, &page.url, &mut hold).await;
        if let Some(wait) = waits_for_turn(&answer).filter(|wait| Instant::now() + *wait < deadline)
        {
            sleep(wait).await;
            answer = errand.fetch(DocumentKind::Page, &page.url, &mut hold).await;
        }
        let body = body_of(answer).map_err(Unread::failed)?;
        // Where it was redirected to has a say too.
        if body.final_url.origin() != page.url.origin() {
            let robots = self.robots(errand, &body.final_url, deadline).await?;
            if !robots.allow(path(&body.final_url)) {
                return Err(Unread::because(PageRefusal::Disallowed));
            }
        }
        let expected = page.expected;
        let read = apart(&hold, body, move |body| {
            let steps = Steps::for_bytes(body.bytes.len());
            read_page(&body.bytes, body.content_type.as_deref(), &expected, &steps)
        });
        let (_, text) = read.await.map_err(Unread::failed)?;
        text.map_err(Unread::because)
    }

    /// What a host allows: asked for, unless that is known.
    async fn robots(
        &self,
        errand: &Errand<'_>,
        url: &Url,
        deadline: Instant,
    ) -> Result<Arc<Robots>, Unread> {
        let user_agent = errand.fetcher.user_agent(errand.feed);
        // Groups of a robots.txt are by name.
        let origin = format!("{} {user_agent}", url.origin().ascii_serialization());
        let now = Instant::now();
        let known = {
            let kept = self.robots.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get(&origin).filter(|kept| kept.until > now).cloned()
        };
        if let Some(known) = known {
            return Ok(known.robots);
        }
        if !self.turn(url, errand.fetcher.host_gap(), deadline).await {
            return Err(Unread::because(PageRefusal::LeftOut));
        }
        let Ok(place) = url.join("/robots.txt") else {
            return Err(Unread::because(PageRefusal::Disallowed));
        };
        let mut hold = errand.hold.another();
        let answer = errand.fetch(DocumentKind::Robots, &place, &mut hold).await;
        let (robots, kept_for) = allowed(answer, user_agent);
        let robots = Arc::new(robots);
        let mut kept = self.robots.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= HOSTS_MAX {
            kept.retain(|_, kept| kept.until > now);
        }
        if kept.len() < HOSTS_MAX {
            kept.insert(origin, Kept { robots: Arc::clone(&robots), until: now + kept_for });
        }
        Ok(robots)
    }

    /// The answer of a feed; of one that is an index of sitemaps, the document that they make.
    ///
    /// Shape: an index is followed one level, to as many sitemaps as [`sitemap_index`] chooses. Those that cannot be
    /// had leave the articles of earlier polls where they are; if none can be had, the poll has failed as the first did.
    ///
    /// Cancel safety: dropping it drops the connection, nothing else.
    pub async fn sitemaps(
        &self,
        fetcher: &Fetcher,
        feed: &Feed,
        answer: Answer,
        hold: &mut BodyHold,
    ) -> Answer {
        let Answer::Body(body) = answer else { return answer };
        // Seen at once of nearly every document; only what may be one is read, on a thread for it.
        if !may_be_sitemap_index(&body.bytes) {
            return Answer::Body(body);
        }
        let (mut body, index) = match read_index(body, hold).await {
            Ok((body, Some(index))) => (body, index),
            Ok((body, None)) => return Answer::Body(body),
            Err(failure) => return Answer::Failed(failure),
        };
        // The index is read, and its memory is given back before more is asked for.
        body.bytes = Vec::new();
        *hold = hold.another();
        let gap = fetcher.host_gap();
        let deadline = Instant::now() + TIME_MAX;
        self.turn(&body.final_url, gap, deadline).await;
        let mut parts = Vec::new();
        let mut failure: Option<Failure> = None;
        let mut bytes = 0;
        for url in &index.sitemaps {
            if !self.turn(url, gap, deadline).await || Instant::now() >= deadline {
                let detail =
                    format!("the sitemaps of the index took more than {}s", TIME_MAX.as_secs());
                failure.get_or_insert(failed(FailureClass::Timeout, detail));
                break;
            }
            let errand = Errand { fetcher, feed, body: &body, hold };
            match part(&errand, url).await {
                Ok((part, wire_bytes)) if bytes + part.len() <= SITEMAPS_BYTES_MAX => {
                    bytes += part.len();
                    body.wire_bytes += wire_bytes;
                    parts.push(part);
                }
                Ok(_) => {
                    let detail = format!(
                        "the sitemaps of the index have more than {SITEMAPS_BYTES_MAX} bytes together"
                    );
                    failure.get_or_insert(failed(FailureClass::TooLarge, detail));
                    break;
                }
                Err(own) => {
                    debug!(
                        feed.id = %feed.id,
                        error.type = own.class.name(),
                        error = %own.detail,
                        "a sitemap of the index is left out"
                    );
                    failure.get_or_insert(own);
                }
            }
        }
        match failure {
            Some(failure) if parts.is_empty() => Answer::Failed(failure),
            Some(_) => Answer::Body(made_of(body, &index, &parts, Instance::Delta)),
            None => Answer::Body(made_of(body, &index, &parts, Instance::Whole)),
        }
    }
}

/// A sitemap of an index, and its bytes on the wire.
async fn part(errand: &Errand<'_>, url: &Url) -> Result<(String, u64), Failure> {
    let mut hold = errand.hold.another();
    let body = body_of(errand.fetch(DocumentKind::Sitemap, url, &mut hold).await)?;
    let wire_bytes = body.wire_bytes;
    let read = apart(&hold, body, |body| {
        let steps = Steps::for_bytes(body.bytes.len());
        sitemap_part(&body.bytes, body.content_type.as_deref(), &steps)
    });
    let (_, part) = read.await?;
    Ok((part.map_err(unread)?, wire_bytes))
}

/// Why there is no text of a page, and what its host did, if that is why.
struct Unread {
    refusal: PageRefusal,
    failure: Option<Failure>,
}

impl Unread {
    fn because(refusal: PageRefusal) -> Self {
        Self { refusal, failure: None }
    }

    fn failed(failure: Failure) -> Self {
        Self { refusal: PageRefusal::Failed, failure: Some(failure) }
    }
}

/// How much a failure says of the host, and not of one page.
fn weight(class: FailureClass) -> u32 {
    match class {
        FailureClass::Dns
        | FailureClass::Connect
        | FailureClass::Tls
        | FailureClass::Timeout
        | FailureClass::AddressBlocked
        | FailureClass::Busy
        | FailureClass::BotChallenge
        | FailureClass::NotItsTurn
        | FailureClass::Local => STRIKES_MAX,
        _ => 1,
    }
}

/// What the answer to a request for a robots.txt allows, and for how long (RFC 9309, 2.3.1): without one everything is, and
/// nothing where nobody can say.
fn allowed(answer: Answer, user_agent: &str) -> (Robots, Duration) {
    match answer {
        Answer::Body(body) => {
            let text = String::from_utf8_lossy(&body.bytes);
            (Robots::read(&text, user_agent), ROBOTS_KEPT)
        }
        Answer::Failed(failure) => match failure.class {
            FailureClass::NotFound
            | FailureClass::Gone
            | FailureClass::Forbidden
            | FailureClass::Status
            | FailureClass::Empty
            | FailureClass::RedirectLoop
            | FailureClass::RedirectRefused => (Robots::default(), ROBOTS_KEPT),
            _ => (Robots::nothing(), ROBOTS_ASKED_AGAIN),
        },
        Answer::NotModified(_) => (Robots::nothing(), ROBOTS_ASKED_AGAIN),
    }
}

/// A URL's path and query.
fn path(url: &Url) -> &str {
    &url[url::Position::BeforePath..url::Position::AfterQuery]
}

/// The body of an answer to a request without validators.
fn body_of(answer: Answer) -> Result<Body, Failure> {
    match answer {
        Answer::Body(body) => Ok(body),
        Answer::Failed(failure) => Err(failure),
        Answer::NotModified(_) => {
            let detail = "it was answered 304 to a request without validators";
            Err(failed(FailureClass::Status, detail.to_owned()))
        }
    }
}

/// The document that the sitemaps of an index make.
fn made_of(answered: Body, index: &SitemapIndex, parts: &[String], instance: Instance) -> Body {
    // An index that says when its sitemaps changed need not be sent again unless one did. Any other always is, and so is
    // what could not be had.
    let keeps = index.is_dated && instance == Instance::Whole;
    Body {
        bytes: joined(parts),
        content_type: Some("application/xml; charset=utf-8".to_owned()),
        validators: if keeps { answered.validators } else { Validators::default() },
        instance,
        ..answered
    }
}

async fn read_index(body: Body, hold: &BodyHold) -> Result<(Body, Option<SitemapIndex>), Failure> {
    let read = apart(hold, body, |body| {
        let steps = Steps::for_bytes(body.bytes.len());
        sitemap_index(&body.bytes, body.content_type.as_deref(), &body.final_url, &steps)
    });
    let (body, index) = read.await?;
    Ok((body, index.map_err(unread)?))
}

/// Reads a document on a thread for it.
async fn apart<T: Send + 'static>(
    hold: &BodyHold,
    body: Body,
    read: impl FnOnce(&Body) -> T + Send + 'static,
) -> Result<(Body, T), Failure> {
    let is_small = (body.bytes.len() as u64) <= hold.small_body();
    let work = move || {
        let read = read(&body);
        (body, read)
    };
    let done = if is_small { hold.run_small(work).await } else { hold.run_large(work).await };
    done.ok_or_else(|| {
        let detail =
            "reading what is asked for beside the feed panicked; this is a defect of conflictwire";
        failed(FailureClass::Panic, detail.to_owned())
    })
}

fn unread(problem: ParseFailure) -> Failure {
    failed(problem.class, problem.detail)
}

fn failed(class: FailureClass, detail: String) -> Failure {
    Failure { class, detail, retry_after: None }
}
