//! One chain of redirects: where it stands, where it has been, what it carries.
//!
//! Making the requests is `mod`'s, judging addresses `address`'s. A chain may go from `http` to
//! `https` and never back, to no other scheme, and not round in circles. Only its leading run of
//! 301 and 308 says where the feed lives now: behind one temporary hop, a permanent one is the
//! temporary host's affair (RFC 9110, 15.4).

use std::collections::BTreeSet;

use cw_model::{Failure, FailureClass};
use cw_text::web::is_web;
use url::Url;

use super::decode::printable;
use super::outcome::{Head, Move};

/// The most cookies carried along one chain; a site that wants more is not serving a feed.
const COOKIES_MAX: usize = 16;

/// The longest cookie carried, name and value: what browsers keep (RFC 6265, 6.1).
const COOKIE_BYTES_MAX: usize = 4096;

/// Where a fetch stands.
///
/// Cookies live as long as the chain and go to the host that set them, or to the hosts of the domain that it
/// set them for: some sites set one, redirect, and loop unless it comes back. Other attributes are ignored;
/// what a cookie may outlive, a chain does not.
#[derive(Debug)]
pub(super) struct Chain {
    start: Url,
    here: Url,
    moved_to: Option<Url>,
    run: Run,
    hops: usize,
    /// URL and cookies of every request so far.
    seen: BTreeSet<(String, Option<String>)>,
    cookies: Vec<Cookie>,
}

/// Whether every hop so far was permanent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    Unbroken,
    Ended,
}

#[derive(Debug)]
struct Cookie {
    /// The host that set it, or the domain that it set it for.
    domain: String,
    reach: Reaches,
    name: String,
    value: String,
}

/// Whom a cookie goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reaches {
    /// The host that set it.
    Host,
    /// That domain and every host in it.
    Domain,
}

impl Cookie {
    fn goes_to(&self, host: &str) -> bool {
        host == self.domain || (self.reach == Reaches::Domain && is_below(host, &self.domain))
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// The domain that a host may set a cookie for, as its attributes say: one that the host is in, and that
/// belongs to somebody (RFC 6265, 5.3).
fn cookie_domain(attributes: &str, host: &str) -> Option<String> {
    let mut named = attributes.rsplit(';').filter_map(|attribute| attribute.split_once('='));
    let (_, domain) = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("domain"))?;
    let domain = domain.trim().trim_start_matches('.').to_ascii_lowercase();
    let is_owned = psl::domain_str(&domain).is_some();
    (is_owned && is_below(host, &domain)).then_some(domain)
}

impl Chain {
    /// Begins at a feed's URL, without its user-info and fragment.
    ///
    /// # Errors
    /// A [`Failure`] if it is neither `http` nor `https`.
    pub(super) fn begin(url: &Url) -> Result<Self, Failure> {
        if !is_web(url) {
            let detail =
                format!("scheme \"{}\" cannot be fetched; use http or https", url.scheme());
            return Err(Failure { class: FailureClass::Protocol, detail, retry_after: None });
        }
        let start = bare(url.clone());
        Ok(Self {
            here: start.clone(),
            start,
            moved_to: None,
            run: Run::Unbroken,
            hops: 0,
            seen: BTreeSet::new(),
            cookies: Vec::new(),
        })
    }

    /// What to ask next.
    pub(super) fn here(&self) -> &Url {
        &self.here
    }

    /// The end of the leading run of permanent redirects, if it leads anywhere else.
    pub(super) fn moved_to(&self) -> Option<Url> {
        self.moved_to.clone().filter(|moved_to| *moved_to != self.start)
    }

    /// The `Cookie` header of the next request.
    pub(super) fn cookie(&self) -> Option<String> {
        let host = self.here.host_str()?;
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .filter(|cookie| cookie.goes_to(host))
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Goes where an answer points.
    ///
    /// # Errors
    /// A [`Failure`] if it points nowhere, to another scheme, back to `http`, to what was asked
    /// before, or once too often.
    pub(super) fn follow(
        &mut self,
        head: &Head,
        kind: Move,
        redirects_max: usize,
    ) -> Result<(), Failure> {
        self.seen.insert((self.here.as_str().to_owned(), self.cookie()));
        self.keep_cookies(head);
        let next = self.target(head)?;
        let from = self.here.host_str().unwrap_or_default().to_owned();
        self.hops = self.hops.saturating_add(1);
        if self.hops > redirects_max {
            let detail = format!(
                "{from} redirects once more after {redirects_max} redirects (fetch.redirects_max)"
            );
            return Err(looping(detail));
        }
        match kind {
            Move::Permanent if self.run == Run::Unbroken => self.moved_to = Some(next.clone()),
            Move::Permanent | Move::Temporary => self.run = Run::Ended,
        }
        self.here = next;
        if self.seen.contains(&(self.here.as_str().to_owned(), self.cookie())) {
            let to = self.here.host_str().unwrap_or_default();
            return Err(looping(format!(
                "{from} redirects back to an address of {to} already asked"
            )));
        }
        Ok(())
    }

    fn target(&self, head: &Head) -> Result<Url, Failure> {
        let from = self.here.host_str().unwrap_or_default();
        let Some(location) = head.values("location").next() else {
            return Err(refused(format!("{from} redirects without saying where to")));
        };
        let next = std::str::from_utf8(location).ok().and_then(|text| self.here.join(text).ok());
        let Some(next) =
            next.filter(|next| !location.is_empty() && (next.has_host() || !is_web(next)))
        else {
            return Err(refused(format!("{from} redirects to what is no URL")));
        };
        if !is_web(&next) {
            let scheme = printable(next.scheme());
            return Err(refused(format!(
                "{from} redirects to scheme \"{scheme}\"; only http and https are followed"
            )));
        }
        if self.here.scheme() == "https" && next.scheme() == "http" {
            let to = next.host_str().unwrap_or_default();
            return Err(refused(format!(
                "{from} redirects from https to http at {to}, where anybody on the way could \
                 change the feed; if that is all there is, configure the http URL"
            )));
        }
        Ok(bare(next))
    }

    fn keep_cookies(&mut self, head: &Head) {
        let Some(host) = self.here.host_str().map(str::to_owned) else { return };
        for value in head.values("set-cookie") {
            let mut parts = value.splitn(2, |byte| *byte == b';');
            let pair = parts.next().unwrap_or_default();
            let attributes = String::from_utf8_lossy(parts.next().unwrap_or_default());
            let domain = cookie_domain(&attributes, &host);
            let reach = if domain.is_some() { Reaches::Domain } else { Reaches::Host };
            let domain = domain.unwrap_or_else(|| host.clone());
            let plain = pair.iter().all(|byte| matches!(byte, b' '..=b'~'));
            if !plain || pair.len() > COOKIE_BYTES_MAX {
                continue;
            }
            let pair = String::from_utf8_lossy(pair);
            let Some((name, value)) = pair.split_once('=') else { continue };
            let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
            self.cookies.retain(|cookie| cookie.domain != domain || cookie.name != name);
            if !name.is_empty() && self.cookies.len() < COOKIES_MAX {
                self.cookies.push(Cookie { domain, reach, name, value });
            }
        }
    }
}

/// Without what must not be sent: user-info belongs to whoever wrote the URL, a fragment to the
/// reader.
fn bare(mut url: Url) -> Url {
    url.set_fragment(None);
    // Fails only for a URL without a host, which `http` and `https` do not allow.
    url.set_username("").ok();
    url.set_password(None).ok();
    url
}

fn refused(detail: String) -> Failure {
    Failure { class: FailureClass::RedirectRefused, detail, retry_after: None }
}

fn looping(detail: String) -> Failure {
    Failure { class: FailureClass::RedirectLoop, detail, retry_after: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REDIRECTS_MAX: usize = 10;

    fn head(headers: &[(&str, &str)]) -> Head {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Head { status: 302, headers: headers.iter().map(owned).collect() }
    }

    fn begin(url: &str) -> Chain {
        Chain::begin(&Url::parse(url).unwrap()).unwrap()
    }

    fn to(chain: &mut Chain, location: &str, kind: Move) -> Result<(), Failure> {
        chain.follow(&head(&[("location", location)]), kind, REDIRECTS_MAX)
    }

    #[test]
    fn a_location_is_read_relative_to_where_it_was_sent() {
        #[track_caller]
        fn check(from: &str, location: &str, expected: &str) {
            let mut chain = begin(from);
            to(&mut chain, location, Move::Temporary).unwrap();
            assert_eq!(chain.here().as_str(), expected, "{location}");
        }
        check("http://a.org/x/y", "z?q=1", "http://a.org/x/z?q=1");
        check("http://a.org/x/y", "/z", "http://a.org/z");
        check("http://a.org/x/y", "//b.org", "http://b.org/");
        check("http://a.org/", "https://b.org/feed#top", "https://b.org/feed");
        check("http://a.org/", "https://user:word@b.org/feed", "https://b.org/feed");
        check("http://a.org/", "/лента", "http://a.org/%D0%BB%D0%B5%D0%BD%D1%82%D0%B0");
        check("http://a.org/", " http://пример.рф/ ", "http://xn--e1afmkfd.xn--p1ai/");
    }

    #[test]
    fn user_info_and_fragment_are_never_asked_for() {
        assert_eq!(begin("http://user:word@a.org/feed#x").here().as_str(), "http://a.org/feed");
        let mut chain = begin("http://a.org/");
        to(&mut chain, "http://user:word@b.org/feed#x", Move::Temporary).unwrap();
        assert_eq!(chain.here().as_str(), "http://b.org/feed");
    }

    #[test]
    fn only_the_leading_permanent_run_moves_the_feed() {
        #[track_caller]
        fn check(kinds: &[Move], expected: Option<&str>) {
            let mut chain = begin("http://a.org/0");
            for (i, kind) in kinds.iter().enumerate() {
                to(&mut chain, &format!("/{}", i + 1), *kind).unwrap();
            }
            assert_eq!(chain.moved_to().as_ref().map(Url::as_str), expected, "{kinds:?}");
        }
        use Move::{Permanent, Temporary};
        check(&[], None);
        check(&[Permanent], Some("http://a.org/1"));
        check(&[Permanent, Permanent], Some("http://a.org/2"));
        check(&[Permanent, Temporary], Some("http://a.org/1"));
        check(&[Permanent, Temporary, Permanent], Some("http://a.org/1"));
        check(&[Temporary], None);
        check(&[Temporary, Permanent], None);
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        #[track_caller]
        fn check(from: &str, headers: &[(&str, &str)]) {
            let mut chain = begin(from);
            let failure = chain.follow(&head(headers), Move::Permanent, REDIRECTS_MAX).unwrap_err();
            assert_eq!(failure.class, FailureClass::RedirectRefused, "{headers:?}");
            assert_eq!(chain.moved_to(), None, "{headers:?}");
            assert!(!failure.detail.contains("secret"), "{}", failure.detail);
        }
        check("http://a.org/", &[]);
        check("http://a.org/", &[("location", "")]);
        check("http://a.org/", &[("location", "http://")]);
        check("http://a.org/", &[("location", "http://[::1/")]);
        check("http://a.org/", &[("location", "file:///etc/passwd?secret")]);
        check("http://a.org/", &[("location", "ftp://b.org/secret")]);
        check("http://a.org/", &[("location", "gopher://b.org/")]);
        check("http://a.org/", &[("location", "javascript:alert(1)")]);
        check("http://a.org/", &[("location", "data:text/xml,<rss/>")]);
        check("https://a.org/", &[("location", "http://a.org/?secret")]);
    }

    #[test]
    fn a_url_asked_before_is_a_loop() {
        let mut chain = begin("http://a.org/");
        to(&mut chain, "http://b.org/", Move::Permanent).unwrap();
        let failure = to(&mut chain, "http://a.org/#again", Move::Permanent).unwrap_err();
        assert_eq!(failure.class, FailureClass::RedirectLoop);
        let mut chain = begin("http://a.org/");
        let failure = to(&mut chain, "http://a.org/", Move::Temporary).unwrap_err();
        assert_eq!(failure.class, FailureClass::RedirectLoop);
    }

    #[test]
    fn the_last_redirect_allowed_is_followed_and_the_next_is_not() {
        let mut chain = begin("http://a.org/0");
        for i in 1..=REDIRECTS_MAX {
            to(&mut chain, &format!("/{i}"), Move::Temporary).unwrap();
        }
        let failure = to(&mut chain, "/last", Move::Temporary).unwrap_err();
        assert_eq!(failure.class, FailureClass::RedirectLoop);
    }

    #[test]
    fn a_url_asked_before_may_be_asked_again_with_the_cookie_it_wanted() {
        let mut chain = begin("http://a.org/feed");
        let wall = head(&[("location", "/feed"), ("set-cookie", "seen=1; Path=/; HttpOnly")]);
        chain.follow(&wall, Move::Temporary, REDIRECTS_MAX).unwrap();
        assert_eq!(chain.cookie().as_deref(), Some("seen=1"));
        let again = chain.follow(&wall, Move::Temporary, REDIRECTS_MAX).unwrap_err();
        assert_eq!(again.class, FailureClass::RedirectLoop);
    }

    #[test]
    fn a_cookie_goes_only_to_the_host_that_set_it() {
        let mut chain = begin("http://a.org/feed");
        let away = head(&[
            ("location", "http://b.org/"),
            ("set-cookie", "one=1"),
            ("set-cookie", "two=2; Domain=b.org"),
            ("set-cookie", "one=3"),
            ("set-cookie", "nameless"),
        ]);
        chain.follow(&away, Move::Temporary, REDIRECTS_MAX).unwrap();
        assert_eq!(chain.cookie(), None);
        to(&mut chain, "http://a.org/back", Move::Temporary).unwrap();
        assert_eq!(chain.cookie().as_deref(), Some("two=2; one=3"));
    }

    #[test]
    fn a_cookie_of_a_parent_domain_goes_to_every_host_in_it() {
        #[track_caller]
        fn check(domain: &str, to_host: &str, expected: Option<&str>) {
            let mut chain = begin("http://www.a.org/feed");
            let location = format!("http://{to_host}/feed");
            let set = format!("one=1; Path=/; Domain={domain}");
            let wall = head(&[("location", &location), ("set-cookie", &set)]);
            chain.follow(&wall, Move::Temporary, REDIRECTS_MAX).unwrap();
            assert_eq!(chain.cookie().as_deref(), expected, "{domain} to {to_host}");
        }
        check("a.org", "feeds.a.org", Some("one=1"));
        check(".A.org", "a.org", Some("one=1"));
        check("a.org", "nota.org", None);
        check("a.org", "b.org", None);
        check("org", "b.org", None);
        check("feeds.a.org", "feeds.a.org", None);
        check("", "feeds.a.org", None);
    }

    #[test]
    fn cookies_have_a_limit() {
        let mut chain = begin("http://a.org/feed");
        let long = format!("long={}", "x".repeat(COOKIE_BYTES_MAX));
        let names: Vec<String> = (0..100).map(|i| format!("n{i}=v")).collect();
        let mut headers = vec![("location", "/next"), ("set-cookie", long.as_str())];
        headers.extend(names.iter().map(|name| ("set-cookie", name.as_str())));
        chain.follow(&head(&headers), Move::Temporary, REDIRECTS_MAX).unwrap();
        assert_eq!(chain.cookie().unwrap().split("; ").count(), COOKIES_MAX);
    }

    #[test]
    fn other_schemes_are_not_begun() {
        let failure = Chain::begin(&Url::parse("ftp://a.org/feed").unwrap()).unwrap_err();
        assert_eq!(failure.class, FailureClass::Protocol);
    }
}
