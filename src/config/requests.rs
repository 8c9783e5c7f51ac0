//! What a feed says of its requests: user agent, headers, authorities, redirects, the version of HTTP.
//!
//! A list by URL may say none of it: whoever writes that list would speak in the operator's name. OPML has no such
//! attributes. Values of headers may be secrets, so no problem repeats one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cw_model::{HttpChoice, RedirectPolicy, RequestHeader, RequestSettings};

use super::raw::RawFeed;
use super::units::{Unfit, quoted};
use super::{Files, read_file};
use crate::fetch::read_roots;

/// The most headers of one feed, and the longest value: servers refuse requests with more than some 8 KiB.
const HEADERS_MAX: usize = 16;
const VALUE_BYTES_MAX: usize = 4096;

/// The longest name: it is shown where requests are explained.
const NAME_BYTES_MAX: usize = 64;

/// The longest user agent, as of `[fetch]`.
const USER_AGENT_BYTES_MAX: usize = 256;

/// The most different files of authorities: each has its own connections.
const ROOTS_FILES_MAX: usize = 64;

/// Headers that are ours to say: how the answer comes, and what of it is known.
const OURS: [&str; 24] = [
    "a-im",
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Headers that are always secret.
const SECRETS: [&str; 2] = ["authorization", "cookie"];

/// The files that feeds name, each read once.
#[derive(Debug, Default)]
pub(super) struct FeedFiles {
    headers: BTreeMap<String, Read<Vec<RequestHeader>>>,
    roots: BTreeMap<String, Read<Arc<Vec<Vec<u8>>>>>,
    /// Whether they were read at all: whoever only looks at a list of feeds reads none.
    are_read: bool,
}

#[derive(Debug)]
struct Read<T> {
    path: PathBuf,
    /// Or what is wrong with it.
    content: Result<T, String>,
}

impl Files<'_> {
    /// Reads the files that these feeds name.
    pub(super) fn of_feeds<'a>(&self, feeds: impl Iterator<Item = &'a RawFeed>) -> FeedFiles {
        let mut files = FeedFiles { are_read: true, ..FeedFiles::default() };
        for raw in feeds {
            if let Some(name) = &raw.headers_file
                && !files.headers.contains_key(name)
            {
                let read = self.of_feed(name, read_headers_file);
                files.headers.insert(name.clone(), read);
            }
            // One more is not read, which `FeedFiles::read` tells.
            if let Some(name) = &raw.roots_file
                && !files.roots.contains_key(name)
                && files.roots.len() < ROOTS_FILES_MAX
            {
                let read = |bytes: &[u8]| read_roots(bytes).map(Arc::new);
                let read = self.of_feed(name, |bytes| read(bytes).map_err(|no| no.to_string()));
                files.roots.insert(name.clone(), read);
            }
        }
        files
    }

    fn of_feed<T>(&self, name: &str, read: impl FnOnce(&[u8]) -> Result<T, String>) -> Read<T> {
        let path = self.directory.join(name);
        let bytes = read_file(&path, self.read).map_err(|error| error.to_string());
        Read { path, content: bytes.and_then(|bytes| read(&bytes)) }
    }
}

impl FeedFiles {
    /// The files with headers, each with how feeds name it.
    pub(super) fn with_headers(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.headers.iter().map(|(name, read)| (name.as_str(), read.path.as_path()))
    }

    /// What a feed says of its requests, and its mistakes, each with its key; `None` if it says nothing.
    pub(super) fn request(
        &self,
        raw: &RawFeed,
        mut report: impl FnMut(&str, String),
    ) -> Option<Arc<RequestSettings>> {
        let mut or_report = |key: &str, read: Result<(), Unfit>| {
            if let Err(unfit) = read {
                report(key, unfit.to_string());
            }
        };
        let mut request = RequestSettings::default();
        let user_agent = raw.user_agent.as_deref().map(read_user_agent).transpose();
        or_report("user_agent", user_agent.map(|read| request.user_agent = read));
        for (name, value) in raw.headers.iter().flatten() {
            let read = read_plain_header(name, value).map(|header| request.headers.push(header));
            or_report(&super::walk::child_path("headers", name), read);
        }
        if let Some(name) = &raw.headers_file {
            let read = self.read(name, self.headers.get(name));
            let read = read.map(|read| request.headers.extend(read.into_iter().flatten().cloned()));
            or_report("headers_file", read);
        }
        or_report("headers", fit_together(&request.headers));
        if let Some(name) = &raw.roots_file {
            let read = self.read(name, self.roots.get(name));
            or_report(
                "roots_file",
                read.map(|read| request.roots = read.cloned().unwrap_or_default()),
            );
        }
        let redirects = raw.redirects.as_deref().map(read_redirects).transpose();
        let redirects = redirects.map(|read| request.redirects = read.unwrap_or_default());
        or_report("redirects", redirects);
        let http = raw.http.as_deref().map(read_http).transpose();
        or_report("http", http.map(|read| request.http = read.unwrap_or_default()));
        (request != RequestSettings::default()).then(|| Arc::new(request))
    }

    /// `None` if no files are read.
    fn read<'a, T>(&self, name: &str, read: Option<&'a Read<T>>) -> Result<Option<&'a T>, Unfit> {
        match read.map(|read| &read.content) {
            Some(Ok(content)) => Ok(Some(content)),
            Some(Err(why)) => Err(format!("{} {why}", quoted(name)).into()),
            None if self.are_read => {
                let most = ROOTS_FILES_MAX;
                Err(format!(
                    "{} is one file more than the {most} that feeds may name",
                    quoted(name)
                )
                .into())
            }
            None => Ok(None),
        }
    }
}

/// Why a list by URL may not have them.
pub(super) const SPEAKS_FOR_US: &str = "a list by URL may not say it: whoever writes the list would speak in your \
                                        name; say it in a file";

/// The keys that a list by URL may not have.
pub(super) fn refused_by_url(raw: &RawFeed) -> impl Iterator<Item = &'static str> {
    [
        ("user_agent", raw.user_agent.is_some()),
        ("headers", raw.headers.is_some()),
        ("headers_file", raw.headers_file.is_some()),
        ("roots_file", raw.roots_file.is_some()),
    ]
    .into_iter()
    .filter_map(|(key, is_said)| is_said.then_some(key))
}

fn read_user_agent(text: &str) -> Result<String, Unfit> {
    let text = text.trim();
    let is_header = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if text.is_empty() || !is_header || text.len() > USER_AGENT_BYTES_MAX {
        let wanted = format!("use 1 to {USER_AGENT_BYTES_MAX} printable ASCII characters");
        return Err(format!("{} is no user agent; {wanted}", quoted(text)).into());
    }
    Ok(text.to_owned())
}

/// Reads lines "Name: value"; empty ones and those that begin with "#" say nothing.
fn read_headers_file(bytes: &[u8]) -> Result<Vec<RequestHeader>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| "is not UTF-8".to_owned())?;
    let mut headers = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        // What stands before a colon may be a part of a secret whose name was forgotten.
        let header = line.split_once(':').filter(|(name, _value)| is_header_name(name.trim()));
        let Some((name, value)) = header else {
            return Err(format!("line {number} is no header; write \"Name: value\""));
        };
        let header = read_header(name.trim(), value.trim());
        headers.push(header.map_err(|unfit| format!("line {number}: {unfit}"))?);
    }
    if headers.is_empty() {
        return Err("has no header; write a line \"Name: value\" for each".to_owned());
    }
    Ok(headers)
}

/// A header of the configuration itself, which many can read.
fn read_plain_header(name: &str, value: &str) -> Result<RequestHeader, Unfit> {
    let header = read_header(name, value)?;
    if SECRETS.contains(&header.name.as_str()) {
        return Err("is a secret; put it into a file, and name that in headers_file"
            .to_owned()
            .into());
    }
    Ok(header)
}

fn is_header_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(is_token)
}

fn read_header(name: &str, value: &str) -> Result<RequestHeader, Unfit> {
    if !is_header_name(name) {
        let wanted = format!("use at most {NAME_BYTES_MAX} letters, digits and \"-\"");
        return Err(format!("{} is no name of a header; {wanted}", quoted(name)).into());
    }
    let name = name.to_ascii_lowercase();
    if OURS.contains(&name.as_str()) {
        let instead = if name == "user-agent" { "use the key user_agent" } else { "leave it out" };
        return Err(format!("{} is said by this program; {instead}", quoted(&name)).into());
    }
    let is_visible = |byte: u8| matches!(byte, b' '..=b'~' | b'\t');
    if value.is_empty() || value.len() > VALUE_BYTES_MAX || !value.bytes().all(is_visible) {
        let wanted = format!("use 1 to {VALUE_BYTES_MAX} printable ASCII characters");
        return Err(format!("the value of {} is none of a header; {wanted}", quoted(&name)).into());
    }
    Ok(RequestHeader { name, value: value.to_owned() })
}

fn fit_together(headers: &[RequestHeader]) -> Result<(), Unfit> {
    if headers.len() > HEADERS_MAX {
        return Err(format!("{} are too many; use at most {HEADERS_MAX}", headers.len()).into());
    }
    for (index, header) in headers.iter().enumerate() {
        if headers.iter().take(index).any(|before| before.name == header.name) {
            return Err(format!("{} is said twice; leave one", quoted(&header.name)).into());
        }
    }
    Ok(())
}

fn read_redirects(text: &str) -> Result<RedirectPolicy, Unfit> {
    let known = [RedirectPolicy::Followed, RedirectPolicy::SameHost, RedirectPolicy::Refused];
    let found = known.into_iter().find(|policy| policy.name() == text);
    found.ok_or_else(|| {
        let wanted = "use \"follow\", \"same_host\" or \"refuse\"";
        format!("{} is not known; {wanted}", quoted(text)).into()
    })
}

fn read_http(text: &str) -> Result<HttpChoice, Unfit> {
    match text {
        "best" => Ok(HttpChoice::Best),
        "1.1" => Ok(HttpChoice::Http1),
        _ => Err(format!("{} is not known; use \"best\" or \"1.1\"", quoted(text)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(raw: &RawFeed) -> Vec<String> {
        let mut found = Vec::new();
        let request = FeedFiles::default();
        request.request(raw, |key, text| found.push(format!("{key}: {text}")));
        found
    }

    fn headers(pairs: &[(&str, &str)]) -> RawFeed {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        RawFeed { headers: Some(pairs.collect()), ..RawFeed::default() }
    }

    #[test]
    fn headers_that_are_ours_and_secrets_in_the_open_are_refused() {
        assert_eq!(problems(&headers(&[("X-Client", "7"), ("Accept-Language", "uk")])), [""; 0]);
        let refused = [
            ("User-Agent", "use the key user_agent"),
            ("If-None-Match", "said by this program"),
            ("Authorization", "put it into a file"),
            ("Cookie", "put it into a file"),
            ("X Client", "no name of a header"),
            ("", "no name of a header"),
        ];
        for (name, why) in refused {
            let found = problems(&headers(&[(name, "hunter2")]));
            assert!(found.len() == 1 && found[0].contains(why), "{name}: {found:?}");
            assert!(!found[0].contains("hunter2"), "{found:?}");
        }
        // Nothing that a value could begin another header with.
        for value in ["", "a\r\nX-Other: b", "\u{1f600}"] {
            let found = problems(&headers(&[("X-Client", value)]));
            assert!(found.len() == 1 && found[0].contains("the value of"), "{found:?}");
        }
        let twice = problems(&headers(&[("X-Client", "7"), ("x-client", "8")]));
        assert_eq!(twice, ["headers: \"x-client\" is said twice; leave one"]);
    }

    #[test]
    fn a_file_of_headers_is_read_line_by_line_and_its_values_are_not_repeated() {
        let read =
            read_headers_file(b"# ours\n\nAuthorization: Bearer a:b\r\nX-Key:  c \n").unwrap();
        let read: Vec<_> = read.iter().map(|it| (it.name.as_str(), it.value.as_str())).collect();
        assert_eq!(read, [("authorization", "Bearer a:b"), ("x-key", "c")]);
        for text in ["hunter2", "X-Key: \u{1}hunter2", "Host: hunter2", "", "# X-Key: hunter2"] {
            let why = read_headers_file(text.as_bytes()).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn what_is_no_policy_no_version_and_no_user_agent_is_a_mistake() {
        let raw = RawFeed {
            user_agent: Some("a\nb".to_owned()),
            redirects: Some("never".to_owned()),
            http: Some("3".to_owned()),
            ..RawFeed::default()
        };
        let found = problems(&raw);
        let keys: Vec<_> = found.iter().map(|text| text.split(':').next().unwrap()).collect();
        assert_eq!(keys, ["user_agent", "redirects", "http"], "{found:?}");
    }

    #[test]
    fn a_feed_that_says_nothing_new_is_asked_as_all_are() {
        let raw = RawFeed {
            redirects: Some("follow".to_owned()),
            http: Some("best".to_owned()),
            ..RawFeed::default()
        };
        assert_eq!(FeedFiles::default().request(&raw, |_, _| unreachable!()), None);
    }
}
