//! What a host's robots.txt allows us (RFC 9309), and how often.
//!
//! Asking for one and keeping it is the shell's.

use std::time::Duration;

/// The most rules that are kept of those for us: real files have some hundred.
const RULES_MAX: usize = 2000;

/// A longer path in a rule is none of a page.
const PATTERN_BYTES_MAX: usize = 1000;

/// The longest `Crawl-delay` that is kept to: of a longer one so much is, or a page would hold its article back for long.
const DELAY_MAX: Duration = Duration::from_secs(10);

/// The rules of a host for one robot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Robots {
    rules: Vec<Rule>,
    /// Between two requests, at least; at most ten seconds. `None` if nothing is said.
    pub delay: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    pattern: String,
    is_allowed: bool,
}

/// What is read of the groups that name a robot.
#[derive(Debug, Default)]
struct Group {
    robots: Robots,
    is_named: bool,
}

impl Group {
    fn add(&mut self, key: &str, value: &str) {
        let is_rule = matches!(key, "allow" | "disallow");
        let has_room = self.robots.rules.len() < RULES_MAX && value.len() <= PATTERN_BYTES_MAX;
        // "Disallow:" without a path forbids nothing.
        if is_rule && !value.is_empty() && has_room {
            let pattern = written_alike(value);
            self.robots.rules.push(Rule { pattern, is_allowed: key == "allow" });
        } else if key == "crawl-delay"
            && let Some(delay) =
                value.parse().ok().and_then(|secs| Duration::try_from_secs_f64(secs).ok())
        {
            self.robots.delay = Some(delay.min(DELAY_MAX));
        }
    }
}

impl Robots {
    /// Nothing is allowed: nobody could say what is.
    pub fn nothing() -> Self {
        let rule = Rule { pattern: "/".to_owned(), is_allowed: false };
        Self { rules: vec![rule], delay: None }
    }

    /// Reads the rules for a robot, which goes by `product` (the first word of its user agent), or for all.
    pub fn read(text: &str, product: &str) -> Self {
        let (mut ours, mut all) = (Group::default(), Group::default());
        // A group begins with one or more names; lines that mean nothing to us do not end them.
        let mut is_naming = false;
        let (mut is_ours, mut is_all) = (false, false);
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            match key.as_str() {
                "user-agent" => {
                    if !is_naming {
                        (is_ours, is_all) = (false, false);
                    }
                    is_naming = true;
                    is_all |= value == "*";
                    is_ours |= token(value).eq_ignore_ascii_case(token(product)) && value != "*";
                    ours.is_named |= is_ours;
                    all.is_named |= is_all;
                }
                "allow" | "disallow" | "crawl-delay" => {
                    is_naming = false;
                    let groups = [(is_ours, &mut ours), (is_all, &mut all)];
                    groups
                        .into_iter()
                        .filter(|(is, _)| *is)
                        .for_each(|(_, group)| group.add(&key, value));
                }
                _ => {}
            }
        }
        if ours.is_named { ours.robots } else { all.robots }
    }

    /// Whether a path with its query may be asked for: the longest rule that fits decides, and of two as long the one
    /// that allows.
    pub fn allow(&self, path: &str) -> bool {
        let path = written_alike(path);
        let fitting = self.rules.iter().filter(|rule| fits(&rule.pattern, &path));
        let decides = fitting.max_by_key(|rule| (rule.pattern.len(), rule.is_allowed));
        path == "/robots.txt" || decides.is_none_or(|rule| rule.is_allowed)
    }
}

/// The part of a name that is compared: letters, `_` and `-` (RFC 9309, 2.2.1).
fn token(name: &str) -> &str {
    let end = name.find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '_' | '-')));
    name.get(..end.unwrap_or(name.len())).unwrap_or_default()
}

/// A path in which one character is written in one way (RFC 9309, 2.2.2): what is no ASCII in percent, digits in upper case.
fn written_alike(path: &str) -> String {
    let mut written = String::with_capacity(path.len());
    let mut digits = 0;
    for byte in path.bytes() {
        if digits > 0 {
            digits -= 1;
            written.push(char::from(byte.to_ascii_uppercase()));
        } else if byte.is_ascii() {
            digits = if byte == b'%' { 2 } else { 0 };
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}

/// Whether a rule fits a path: `*` is anything, `$` at the end is the end.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, is_to_end) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return !is_to_end || rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    if is_to_end { rest.ends_with(last) } else { rest.contains(last) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, allowed: &[&str], forbidden: &[&str]) {
        let robots = Robots::read(text, "conflictwire/0.1.0 (+https://desk.example)");
        for path in allowed {
            assert!(robots.allow(path), "{path} is allowed by\n{text}");
        }
        for path in forbidden {
            assert!(!robots.allow(path), "{path} is forbidden by\n{text}");
        }
    }

    #[test]
    fn the_longest_rule_decides_and_of_two_the_one_that_allows() {
        check("User-agent: *\nDisallow: /a\nAllow: /a/b", &["/", "/a/b", "/a/bc"], &["/a", "/a/c"]);
        check("User-agent: *\nAllow: /page\nDisallow: /page", &["/page"], &[]);
        check("User-agent: *\nDisallow:", &["/", "/a"], &[]);
        check("User-agent: *\nDisallow: /", &["/robots.txt"], &["/", "/a"]);
    }

    #[test]
    fn stars_and_ends() {
        check("User-agent: *\nDisallow: /*.php$", &["/a.php?x", "/a"], &["/a.php", "/b/c.php"]);
        check(
            "User-agent: *\nDisallow: /*/print*/x",
            &["/a/print", "/print/x"],
            &["/a/print/x", "/a/printed/b/x"],
        );
        check("User-agent: *\nDisallow: /x$", &["/xy", "/x/"], &["/x"]);
        check("User-agent: *\nDisallow: *", &[], &["/", "/a"]);
    }

    #[test]
    fn our_own_group_takes_the_place_of_that_for_all() {
        let text = "User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: ConflictWire\nDisallow: /a\n\
                    Sitemap: https://desk.example/s.xml\n\nUser-agent: conflictwire\nDisallow: /b";
        check(text, &["/", "/c"], &["/a", "/b"]);
        check("User-agent: conflictwirebot\nDisallow: /", &["/a"], &[]);
        // Names with no rule between them are of one group.
        check("User-agent: conflictwire\n\nUser-agent: *\nDisallow: /", &[], &["/"]);
    }

    #[test]
    fn what_is_no_rule_is_passed_over() {
        check("\u{feff}<html>", &["/"], &[]);
        check(
            "Disallow: /a\nUser-agent: * # all\nDisallow : /b # here\nNoindex: /c",
            &["/a", "/c"],
            &["/b"],
        );
    }

    #[test]
    fn one_character_may_be_written_in_two_ways() {
        check(
            "User-agent: *\nDisallow: /новости",
            &[],
            &["/%d0%bd%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8/1"],
        );
        check("User-agent: *\nDisallow: /a%3cb", &["/a<b"], &["/a%3Cb"]);
    }

    #[test]
    fn a_delay_is_kept_to_up_to_a_bound() {
        let delay = |text: &str| Robots::read(text, "conflictwire").delay;
        let of = |delay: &str| format!("User-agent: *\nCrawl-delay: {delay}");
        assert_eq!(delay(&of("2.5")), Some(Duration::from_millis(2500)));
        assert_eq!(delay(&of("86400")), Some(DELAY_MAX));
        for odd in ["soon", "-1", "nan", "inf", ""] {
            assert_eq!(delay(&of(odd)), None, "{odd}");
        }
    }

    #[test]
    fn a_long_rule_of_stars_takes_no_longer_than_its_length() {
        let text = format!("User-agent: *\nDisallow: /{}x", "a*".repeat(400));
        check(&text, &[&format!("/{}", "a".repeat(4000))], &[]);
    }
}
