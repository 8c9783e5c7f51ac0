//! Looking ahead in a text, with a memory: the same thing is looked for again and again while a walk goes
//! on, and each byte is looked at once for it.

/// The most things that are remembered. A feed has a dozen kinds of text.
const REMEMBERED_MAX: usize = 64;

/// What was found.
#[derive(Debug)]
struct Found {
    what: String,
    /// From where on it was looked for.
    from: usize,
    at: Option<usize>,
}

/// A text, and what was found in it.
#[derive(Debug)]
pub(super) struct Ahead<'t> {
    text: &'t str,
    found: Vec<Found>,
    /// Bytes that were looked at and not yet paid for.
    unpaid: usize,
}

impl<'t> Ahead<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new(), unpaid: 0 }
    }

    /// How many bytes were looked at since the last call.
    pub(super) fn take_unpaid(&mut self) -> usize {
        std::mem::take(&mut self.unpaid)
    }

    /// Bytes were looked at by somebody else.
    pub(super) fn pay_for(&mut self, bytes: usize) {
        self.unpaid += bytes;
    }

    /// Where something stands next, at `from` or after it. What begins like a tag (`<title`, `</title`) is
    /// found where a name ends there.
    pub(super) fn next(&mut self, what: &str, from: usize) -> Option<usize> {
        let known = self.found.iter_mut().find(|found| found.what == what);
        if let Some(known) = known {
            if known.from <= from && known.at.is_none_or(|at| at >= from) {
                return known.at;
            }
            let at = search(self.text, what, from, &mut self.unpaid);
            (known.from, known.at) = (from, at);
            return at;
        }
        let at = search(self.text, what, from, &mut self.unpaid);
        if self.found.len() < REMEMBERED_MAX {
            self.found.push(Found { what: what.to_owned(), from, at });
        }
        at
    }

    /// Whether an element that is open really ends: its end tag comes before another of its name begins.
    pub(super) fn closes(&mut self, name: &str, from: usize) -> bool {
        let Some(end) = self.next(&format!("</{name}"), from) else { return false };
        self.next(&format!("<{name}"), from).is_none_or(|start| start > end)
    }
}

fn search(text: &str, what: &str, from: usize, unpaid: &mut usize) -> Option<usize> {
    let is_tag = what.trim_start_matches(['<', '/']).starts_with(char::is_alphanumeric);
    let mut start = from;
    loop {
        let rest = text.get(start..)?;
        let Some(distance) = rest.find(what) else {
            *unpaid += rest.len();
            return None;
        };
        *unpaid += distance + what.len();
        let at = start + distance;
        let after = text.as_bytes().get(at + what.len());
        let is_name = after.is_none_or(|byte| byte.is_ascii_whitespace() || b"/><".contains(byte));
        if !is_tag || is_name {
            return Some(at);
        }
        start = at + what.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_for_again_is_not_looked_at_again() {
        let text = format!("{}<b>", " ".repeat(1000));
        let mut ahead = Ahead::new(&text);
        for from in 0..1000 {
            assert_eq!(ahead.next("<b", from), Some(1000));
            assert_eq!(ahead.next("<c", from), None);
        }
        assert!(ahead.take_unpaid() < 2100);
    }

    #[test]
    fn an_element_closes_if_its_end_comes_before_another_of_its_name() {
        for (text, closes) in [
            ("a</t>", true),
            ("a</t >", true),
            ("a<t>b</t>", false),
            ("a</title>", false),
            ("a<title>b</t>", true),
            ("a", false),
        ] {
            assert_eq!(Ahead::new(text).closes("t", 0), closes, "{text}");
        }
    }
}
