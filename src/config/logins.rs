//! Logins of proxies, as the file of `fetch.proxy_logins` has them.

use std::collections::BTreeMap;

use crate::fetch::ProxyLogin;

/// Reads lines "host:port user:password"; empty ones and those that begin with "#" say nothing.
///
/// # Errors
/// The number of the line that says something else.
pub(super) fn read_logins(text: &str) -> Result<BTreeMap<String, ProxyLogin>, usize> {
    let mut logins = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let read = || {
            let (place, login) = line.split_once(char::is_whitespace)?;
            let (user, password) = login.trim().split_once(':')?;
            let (_host, port) = place.rsplit_once(':')?;
            port.parse::<u16>().ok()?;
            let fits = !user.is_empty() && user.len().max(password.len()) <= 255;
            let login = ProxyLogin { user: user.to_owned(), password: password.to_owned() };
            fits.then(|| (place.to_ascii_lowercase(), login))
        };
        let (place, login) = read().ok_or(index + 1)?;
        logins.insert(place, login);
    }
    Ok(logins)
}
