//! Where the items of a JSON Feed stand in its text: for those that have to be shown as they are.
//! Read after `serde_json` has read all of it, so the text is known to be JSON.

use std::ops::Range;

/// The text of some items, by their places in the list, which must ascend.
pub(super) fn items<'t>(text: &'t str, places: &[usize]) -> Vec<(Range<usize>, &'t str)> {
    let mut scanner = Scanner { text, at: 0 };
    let mut found = Vec::with_capacity(places.len());
    if scanner.enter_items().is_none() {
        return found;
    }
    let mut wanted = places.iter().peekable();
    let mut place = 0;
    while let Some(next) = wanted.peek() {
        scanner.skip_space();
        let start = scanner.at;
        scanner.skip_value();
        if place == **next {
            found.push((start..scanner.at, text.get(start..scanner.at).unwrap_or_default()));
            wanted.next();
        }
        place += 1;
        scanner.skip_space();
        if scanner.take(b',').is_none() {
            break;
        }
    }
    found
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Goes into the list under the key `items` of the outermost object.
    fn enter_items(&mut self) -> Option<()> {
        self.skip_space();
        self.take(b'{')?;
        loop {
            self.skip_space();
            let start = self.at;
            self.skip_string();
            // A key may hold escapes.
            let key = self.text.get(start..self.at)?;
            let is_items = serde_json::from_str::<String>(key).ok()? == "items";
            self.skip_space();
            self.take(b':')?;
            self.skip_space();
            if is_items {
                return self.take(b'[');
            }
            self.skip_value();
            self.skip_space();
            self.take(b',')?;
        }
    }

    fn skip_value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.skip_string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' | b',' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                    if depth == 0 {
                        return;
                    }
                }
                byte if depth == 0 && byte.is_ascii_whitespace() => return,
                _ => self.at += 1,
            }
            if depth == 0 && byte == b'"' {
                return;
            }
        }
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.at += 2,
                b'"' => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, places: &[usize], expected: &[&str]) {
        let _value: serde_json::Value = serde_json::from_str(text).unwrap();
        let found: Vec<&str> = items(text, places).into_iter().map(|(_, item)| item).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn items_are_found_as_they_are_written() {
        let text = r#" {"items": [1, {"a": "]}\"" , "b": [[],{}]}, null,"x",[ 2 ] , -1.5e3] } "#;
        check(text, &[0, 1, 2], &["1", r#"{"a": "]}\"" , "b": [[],{}]}"#, "null"]);
        check(text, &[3, 4, 5], &["\"x\"", "[ 2 ]", "-1.5e3"]);
        check(text, &[6], &[]);
    }

    #[test]
    fn only_the_outermost_list_of_that_name_counts() {
        check(r#"{"x": {"items": [1]}, "y": "items", "it\u0065ms": [2]}"#, &[0], &["2"]);

        check(r#"{"x": "items"}"#, &[0], &[]);
    }
}
