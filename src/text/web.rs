//! Which URLs lead to the web, and which carry a login.

use url::Url;

/// Whether a URL is one of HTTP, with or without TLS: all that is fetched and all that a reader is sent to. Such a URL
/// has a host.
pub fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// Whether a URL carries a user name or a password. Both are secrets of whoever wrote it.
pub fn has_login(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_has_two_schemes_and_always_a_host() {
        for (text, expected) in [
            ("http://a.example/", true),
            ("HTTPS://a.example", true),
            ("http:a", true),
            ("ftp://a.example/", false),
            ("mailto:ada@a.example", false),
            ("file:///etc/passwd", false),
            ("data:text/html,x", false),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(is_web(&url), expected, "{text}");
            assert!(!is_web(&url) || url.has_host(), "{text}");
        }
        assert!(Url::parse("http://").is_err());
    }

    #[test]
    fn a_name_alone_is_a_login_and_so_is_a_password() {
        for (text, expected) in [
            ("https://a.example/u:p@b", false),
            ("https://u@a.example/", true),
            ("https://:p@a.example/", true),
            ("https://u:p@a.example/", true),
        ] {
            assert_eq!(has_login(&Url::parse(text).unwrap()), expected, "{text}");
        }
    }
}
