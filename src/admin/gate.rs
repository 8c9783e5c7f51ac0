//! Who may see more than probes and metrics: whoever has the token, or, without one, this machine alone.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};

use super::reply::{Reply, problem};
use crate::config::TokenDigest;

/// The token that is asked for now, if one is. A reload may bring another.
#[derive(Clone, Debug, Default)]
pub struct SharedToken(Arc<RwLock<Option<TokenDigest>>>);

impl SharedToken {
    /// Begins with this one.
    pub fn new(token: Option<TokenDigest>) -> Self {
        Self(Arc::new(RwLock::new(token)))
    }

    /// Asks for this one from now on.
    pub fn set(&self, token: Option<TokenDigest>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = token;
    }

    fn get(&self) -> Option<TokenDigest> {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The gate of a listener.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    address: IpAddr,
    token: SharedToken,
}

/// Who may see more than probes and metrics.
#[derive(Debug)]
enum Admits {
    /// Whoever has the token of this digest.
    Token(TokenDigest),
    /// Whoever reaches a listener that only this machine reaches.
    ThisMachine,
    /// Nobody: other machines reach the listener, and there is no token.
    Closed,
}

impl Gate {
    /// The gate of a listener at this address.
    pub(super) fn of(address: IpAddr, token: SharedToken) -> Self {
        Self { address, token }
    }

    fn admits(&self) -> Admits {
        match self.token.get() {
            Some(token) => Admits::Token(token),
            None if self.address.is_loopback() => Admits::ThisMachine,
            None => Admits::Closed,
        }
    }

    /// Lets a request in, or says why not.
    ///
    /// # Errors
    /// What is answered in its place.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), Box<Response<Reply>>> {
        match self.admits() {
            Admits::Token(expected) => match given(headers) {
                Some(token) if expected.is_of(&token) => Ok(()),
                Some(_) | None => Err(Box::new(unauthorized())),
            },
            Admits::ThisMachine if is_host_of_this_machine(headers) => Ok(()),
            Admits::ThisMachine => Err(Box::new(problem(
                StatusCode::MISDIRECTED_REQUEST,
                "foreign_host",
                "ask for this server by its IP address or as localhost, or set admin.token_file",
            ))),
            Admits::Closed => Err(Box::new(problem(
                StatusCode::FORBIDDEN,
                "no_token_file",
                "other machines reach this listener, so this needs a token: set admin.token_file",
            ))),
        }
    }
}

/// The token is not there or is not the right one. A browser asks for it: as password, of any user.
fn unauthorized() -> Response<Reply> {
    let why = "give the token of admin.token_file: \"Authorization: Bearer …\", or as the password of \
               any user";
    let mut response = problem(StatusCode::UNAUTHORIZED, "unauthorized", why);
    let ask = HeaderValue::from_static("Basic realm=\"conflictwire\", charset=\"UTF-8\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, ask);
    response
}

/// The token that a request gives, as bearer or as password.
fn given(headers: &HeaderMap) -> Option<String> {
    let (scheme, rest) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let user_and_password = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    user_and_password.split_once(':').map(|(_user, password)| password.to_owned())
}

/// Whether this machine was asked for by an address or as localhost. A page of another site may let its
/// own name be 127.0.0.1 and read what is there as its own (DNS rebinding); then it asks by that name.
fn is_host_of_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderName;

    use super::*;

    const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const ANY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

    #[track_caller]
    fn check(gate: &Gate, header: Option<(&HeaderName, &str)>, expected: u16) {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, value.parse().unwrap());
        }
        let status = gate.admit(&headers).map_or_else(|no| no.status().as_u16(), |()| 200);
        assert_eq!(status, expected, "{header:?}");
    }

    #[test]
    fn whoever_has_the_token_is_let_in() {
        for address in [LOCAL, ANY] {
            let token = TokenDigest::read("correct-horse-battery").ok();
            let gate = Gate::of(address, SharedToken::new(token));
            for (value, expected) in [
                ("Bearer correct-horse-battery", 200),
                ("bearer  correct-horse-battery", 200),
                ("Bearer correct-horse-batterz", 401),
                ("Bearer", 401),
                ("Bearer ", 401),
                // ada:correct-horse-battery
                ("Basic YWRhOmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ==", 200),
                ("Basic YWRhOmhvcnNl", 401),
                ("Basic !!!", 401),
                ("Digest x", 401),
            ] {
                check(&gate, Some((&AUTHORIZATION, value)), expected);
            }
            check(&gate, None, 401);
        }
    }

    #[test]
    fn without_a_token_only_this_machine_is_let_in() {
        check(&Gate::of(ANY, SharedToken::default()), Some((&HOST, "127.0.0.1")), 403);
        let gate = Gate::of(LOCAL, SharedToken::default());
        for (host, expected) in [
            ("127.0.0.1:9273", 200),
            ("localhost:9273", 200),
            ("LOCALHOST", 200),
            ("[::1]:9273", 200),
            ("rebound.example:9273", 421),
            ("localhost.example", 421),
            ("127.0.0.1.example:9273", 421),
            ("", 421),
        ] {
            check(&gate, Some((&HOST, host)), expected);
        }
        check(&gate, None, 200);
    }
}
