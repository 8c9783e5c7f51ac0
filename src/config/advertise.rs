//! Where other replicas and people reach the admin server of this one: `admin.advertise`.

use super::raw::RawAdmin;
use super::units::{Unfit, quoted};
use crate::host_port::HostPort;

/// It goes into the id of a client, which brokers keep and show.
const ADVERTISE_BYTES_MAX: usize = 128;

/// The address as `host:port`, an IPv6 address in brackets; `None` if nobody is told of one.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read_advertise(raw: &RawAdmin) -> Result<Option<String>, Unfit> {
    let text = raw.advertise.as_str();
    if text.is_empty() {
        return Ok(None);
    }
    let given = quoted(text);
    let read = HostPort::parse_leniently(text).filter(|_| text.len() <= ADVERTISE_BYTES_MAX);
    let Some(place) = read else {
        return Err(Unfit::from(format!(
            "{given} is no host and port; use for example \"10.0.0.7:9273\" or \"news-1.example.org:9273\""
        )));
    };
    if place.is_unspecified() {
        let problem = format!("{given} is where a server listens and not where it is reached");
        return Err(Unfit::from(problem));
    }
    if raw.listen == "off" {
        let problem = "set, and admin.listen is \"off\": nobody would answer there";
        return Err(Unfit::from(problem.to_owned()));
    }
    Ok(Some(place.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(advertise: &str, listen: &str) -> Result<Option<String>, Unfit> {
        let (advertise, listen) = (advertise.to_owned(), listen.to_owned());
        read_advertise(&RawAdmin { advertise, listen, ..RawAdmin::default() })
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for (text, expected) in [
            ("", None),
            ("10.0.0.7:9273", Some("10.0.0.7:9273")),
            ("News-1.example.org:80", Some("news-1.example.org:80")),
            ("[fd00::7]:9273", Some("[fd00::7]:9273")),
            ("fd00::7:9273", Some("[fd00::7]:9273")),
        ] {
            assert_eq!(read(text, "0.0.0.0:9273"), Ok(expected.map(str::to_owned)), "{text}");
        }
        let long = format!("{}:1", "a".repeat(ADVERTISE_BYTES_MAX));
        for text in
            ["a", "a:0", "a:b", ":1", "http://a:1", "a b:1", "a@b:1", "a/b:1", "10.0.0.7", &long]
        {
            assert!(
                read(text, "0.0.0.0:9273").unwrap_err().to_string().contains("host and port"),
                "{text}"
            );
        }
        for text in ["0.0.0.0:1", "[::]:1"] {
            assert!(
                read(text, "0.0.0.0:1").unwrap_err().to_string().contains("where it is reached"),
                "{text}"
            );
        }
        assert!(read("a:1", "off").unwrap_err().to_string().contains("admin.listen is \"off\""));
    }
}
