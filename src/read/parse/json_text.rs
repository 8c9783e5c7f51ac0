//! JSON as it is written: where its values stand, without reading more of them than is asked for. What is
//! wrong inside a string or a number concerns nobody else. Nothing here calls itself, so depth costs
//! nothing.

use std::borrow::Cow;
use std::ops::Range;

/// The structure of a text is not that of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not JSON: {expected} is expected at byte {at}")]
pub(crate) struct Broken {
    /// Where, in bytes.
    pub(crate) at: usize,
    /// What should stand there.
    pub(crate) expected: &'static str,
}

/// A value, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'t> {
    /// Where it begins in the document, in bytes.
    at: usize,
    text: &'t str,
    end: End,
}

/// What is known of the end of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It is that of its text.
    Sure,
    /// The document may have been cut in it, and more may follow: what a server added, a document once more.
    Open,
}

impl<'t> Value<'t> {
    /// The only value of a document.
    pub(crate) fn of_document(text: &'t str) -> Self {
        let value = text.trim_start();
        Self { at: text.len() - value.len(), text: value, end: End::Open }
    }

    /// Where it stands in the document.
    pub(crate) fn span(self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    /// As written.
    pub(crate) fn text(self) -> &'t str {
        self.text
    }

    pub(crate) fn is_object(self) -> bool {
        self.text.starts_with('{')
    }

    pub(crate) fn is_list(self) -> bool {
        self.text.starts_with('[')
    }

    /// The elements of a list. One that the document is cut in is [`Broken`], and the last.
    pub(crate) fn elements(self) -> Parts<'t> {
        Parts { whole: self, at: 1, end: b']', is_first: true, began: 1 }
    }

    /// The last value under each of some keys of an object; a key may come twice.
    ///
    /// # Errors
    /// [`Broken`] if it is no object, or anything but its strings and numbers is wrong.
    pub(crate) fn members<const N: usize>(
        self,
        keys: [&str; N],
    ) -> Result<[Option<Value<'t>>; N], Broken> {
        let mut members = Parts { whole: self, at: 0, end: b'}', is_first: true, began: 0 };
        if !members.take(b'{') {
            return Err(members.broken("an object"));
        }
        let mut found = [None; N];
        while let Some((key, value)) = members.next_member()? {
            let key = key.string();
            let place = keys.iter().position(|own| Some(*own) == key.as_deref());
            if let Some(found) = place.and_then(|place| found.get_mut(place)) {
                *found = Some(value);
            }
        }
        Ok(found)
    }

    /// The text of a string; `None` if it is none.
    pub(crate) fn string(self) -> Option<Cow<'t, str>> {
        let inside = self.text.strip_prefix('"')?.strip_suffix('"')?;
        if !inside.contains('\\') { Some(Cow::Borrowed(inside)) } else { Some(unescaped(inside)) }
    }

    /// A number, written in the shortest way: 1, whether the publisher has 1 or 1.0. One that is past all
    /// measure stays as written.
    pub(crate) fn number(self) -> Option<String> {
        let is_part = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
        if !self.text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            || !self.text.bytes().all(is_part)
        {
            return None;
        }
        let Ok(number) = serde_json::from_str::<serde_json::Number>(self.text) else {
            return Some(self.text.to_owned());
        };
        Some(match number.as_f64().filter(|_| number.is_f64()) {
            // Written out, 1e300 has three hundred digits.
            Some(float) if float != 0.0 && !(1e-7..1e21).contains(&float.abs()) => {
                format!("{float:e}")
            }
            Some(float) => float.to_string(),
            None => number.to_string(),
        })
    }
}

/// What a string with escapes says. Half of a surrogate pair goes, as in XML; an escape that JSON does not
/// know stands for what follows the backslash.
fn unescaped(inside: &str) -> Cow<'_, str> {
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let (character, after) = escaped(after);
        text.extend(character);
        rest = after;
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// What an escape stands for, and what follows it.
fn escaped(after: &str) -> (Option<char>, &str) {
    let mut characters = after.chars();
    let Some(kind) = characters.next() else { return (None, after) };
    let rest = characters.as_str();
    let character = match kind {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => match unit(rest) {
            Some((first, rest)) => return character(first, rest),
            None => 'u',
        },
        other => other,
    };
    (Some(character), rest)
}

/// What a unit of UTF-16 stands for, with the one after it if the two are a pair.
fn character(first: u16, rest: &str) -> (Option<char>, &str) {
    let of = |units: &[u16]| char::decode_utf16(units.iter().copied()).next()?.ok();
    if let Some(character) = of(&[first]) {
        return (Some(character), rest);
    }
    let second = rest.strip_prefix("\\u").and_then(unit);
    let pair = second.and_then(|(second, rest)| Some((of(&[first, second])?, rest)));
    pair.map_or((None, rest), |(character, rest)| (Some(character), rest))
}

/// Four hexadecimal digits, and what follows them.
fn unit(text: &str) -> Option<(u16, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let is_number = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    Some((u16::from_str_radix(digits, 16).ok().filter(|_| is_number)?, rest))
}

/// The parts of an object or a list, one after the other. A comma too many is none.
pub(crate) struct Parts<'t> {
    whole: Value<'t>,
    /// In its text.
    at: usize,
    /// What ends it.
    end: u8,
    is_first: bool,
    /// Where the last part begins.
    began: usize,
}

impl<'t> Parts<'t> {
    /// The next element of a list.
    ///
    /// # Errors
    /// [`Broken`] if the list does not go on or end as one does.
    pub(crate) fn next_element(&mut self) -> Result<Option<Value<'t>>, Broken> {
        if self.advance()? { self.value().map(Some) } else { Ok(None) }
    }

    /// All from where the last part begins, with its place in the document.
    pub(crate) fn since_last(&self) -> (usize, &'t str) {
        let text = self.whole.text.get(self.began..).unwrap_or_default();
        (self.whole.at + self.began, text)
    }

    fn next_member(&mut self) -> Result<Option<(Value<'t>, Value<'t>)>, Broken> {
        if !self.advance()? {
            return Ok(None);
        }
        if self.peek() != Some(b'"') {
            return Err(self.broken("a key"));
        }
        let key = self.value()?;
        self.skip_space();
        if !self.take(b':') {
            return Err(self.broken("a colon"));
        }
        self.skip_space();
        Ok(Some((key, self.value()?)))
    }

    /// Goes to the next part. Answers with false at the end, after which there is nothing.
    fn advance(&mut self) -> Result<bool, Broken> {
        self.skip_space();
        let mut may_begin = std::mem::take(&mut self.is_first);
        while self.take(b',') {
            may_begin = true;
            self.skip_space();
        }
        let is_open = self.whole.end == End::Open;
        if is_open && self.peek().is_none() {
            return Ok(false);
        }
        if !self.take(self.end) {
            // Between two objects a comma may be missing.
            let is_next = may_begin || (self.end == b']' && self.peek() == Some(b'{'));
            return if is_next { Ok(true) } else { Err(self.broken("a comma, or the end")) };
        }
        self.skip_space();
        match self.peek() {
            Some(_) if !is_open => Err(self.broken("nothing more")),
            _ => Ok(false),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.whole.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Goes past white space, and past comments, which JSON has not.
    fn skip_space(&mut self) {
        loop {
            while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
                self.at += 1;
            }
            let rest = self.whole.text.get(self.at..).unwrap_or_default();
            let end = if rest.starts_with("//") {
                "\n"
            } else if rest.starts_with("/*") {
                "*/"
            } else {
                return;
            };
            self.at += rest.find(end).map_or(rest.len(), |at| at + end.len());
        }
    }

    fn broken(&self, expected: &'static str) -> Broken {
        Broken { at: self.whole.at + self.at, expected }
    }

    /// The value that begins here, whatever it holds.
    fn value(&mut self) -> Result<Value<'t>, Broken> {
        let start = self.at;
        self.began = start;
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' if depth > 0 || self.at == start => match self.skip_string() {
                    Ok(()) => {}
                    Err(broken) => return self.cut_list(start).ok_or(broken),
                },
                b'{' | b'[' if depth > 0 || self.at == start => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b'}' | b']' | b'{' | b'[' | b'"' | b',' | b':' if depth == 0 => break,
                byte if depth == 0 && byte.is_ascii_whitespace() => break,
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            // What began with a quote or a bracket has ended.
            if depth == 0 {
                break;
            }
        }
        let text = self.whole.text.get(start..self.at).unwrap_or_default();
        match (depth, text) {
            (0, "") => Err(self.broken("a value")),
            (0, text) => Ok(Value { at: self.whole.at + start, text, end: End::Sure }),
            (_, _) => self.cut_list(start).ok_or(self.broken("the end of an object or list")),
        }
    }

    /// What begins here and lasts to the end of a document that is cut in it, if it is a list.
    fn cut_list(&self, start: usize) -> Option<Value<'t>> {
        let text = self.whole.text.get(start..)?;
        let is_list = self.whole.end == End::Open && text.starts_with('[');
        is_list.then_some(Value { at: self.whole.at + start, text, end: End::Open })
    }

    fn skip_string(&mut self) -> Result<(), Broken> {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'"' => return Ok(()),
                _ => {}
            }
        }
        self.at = self.whole.text.len();
        Err(self.broken("the end of a string"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds the elements of a list to how they are written.
    #[track_caller]
    fn check(text: &str, expected: Result<&[&str], Broken>) {
        let mut parts = Value::of_document(text).elements();
        let mut read = Vec::new();
        let end = loop {
            match parts.next_element() {
                Ok(Some(value)) => {
                    assert_eq!(text.get(value.span()), Some(value.text()), "{text}");
                    read.push(value.text());
                }
                Ok(None) => break Ok(read.as_slice()),
                Err(broken) => break Err(broken),
            }
        };
        assert_eq!(end, expected, "{text}");
    }

    fn broken(at: usize, expected: &'static str) -> Result<&'static [&'static str], Broken> {
        Err(Broken { at, expected })
    }

    #[test]
    fn elements_are_found_as_they_are_written() {
        check("[]", Ok(&[]));
        check(
            r#" [1, {"a": "]}\"" , "b": [[],{}]}, null,"x",[ 2 ] , -1.5e3] "#,
            Ok(&["1", r#"{"a": "]}\"" , "b": [[],{}]}"#, "null", "\"x\"", "[ 2 ]", "-1.5e3"]),
        );
        check(
            "[NaN, 1e999, \"\\ud800\", \"a\nb\"]",
            Ok(&["NaN", "1e999", "\"\\ud800\"", "\"a\nb\""]),
        );
        check("[1, , 2,]", Ok(&["1", "2"]));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        check(&format!("[{deep}]"), Ok(&[&deep]));
    }

    #[test]
    fn what_is_no_list_is_broken_where_it_is() {
        check("[1 2]", broken(3, "a comma, or the end"));
        check("[1}", broken(2, "a comma, or the end"));
        check("[\"a]", broken(4, "the end of a string"));
        check("[\"a\\", broken(4, "the end of a string"));
        check("[{\"a\": 1", broken(8, "the end of an object or list"));
        check("[:]", broken(1, "a value"));
    }

    #[test]
    fn a_document_may_be_cut_or_have_something_behind_it() {
        check("[1", Ok(&["1"]));
        check("[1,", Ok(&["1"]));
        check("[[1]", Ok(&["[1]"]));
        check("[1] 2", Ok(&["1"]));
        check("[1]<!-- cached -->", Ok(&["1"]));
        let document = Value::of_document(r#"{"title": "D", "items": [{"id": 1}, {"id": "#);
        let [title, items] = document.members(["title", "items"]).unwrap();
        assert_eq!(title.map(Value::text), Some("\"D\""));
        let mut items = items.unwrap().elements();
        assert_eq!(items.next_element().unwrap().map(Value::text), Some(r#"{"id": 1}"#));
        items.next_element().unwrap_err();
        assert_eq!(items.since_last(), (36, r#"{"id": "#));
    }

    #[test]
    fn comments_and_missing_commas_are_passed_over() {
        check("[1, // two\n 2 /* , 3 */ , 4]", Ok(&["1", "2", "4"]));
        check("[{} {}]", Ok(&["{}", "{}"]));
    }

    #[test]
    fn the_last_value_under_a_key_is_found() {
        let find = |text: &'static str| {
            let found = Value::of_document(text).members(["items", "x"]);
            found.map(|found| found.map(|value| value.map_or("", Value::text)))
        };
        assert_eq!(
            find(r#" {"x": {"items": [1]}, "y": "items", "it\u0065ms": [2]} "#),
            Ok(["[2]", r#"{"items": [1]}"#])
        );
        assert_eq!(find(r#"{"x": 1, "\ud800": 2, "x": 3,}"#), Ok(["", "3"]));
        assert_eq!(find("{}"), Ok(["", ""]));
        for (text, at, expected) in [
            ("[]", 0, "an object"),
            ("{x: 1}", 1, "a key"),
            (r#"{"x" 1}"#, 5, "a colon"),
            (r#"{"x": }"#, 6, "a value"),
        ] {
            assert_eq!(find(text), Err(Broken { at, expected }), "{text}");
        }
    }

    #[test]
    fn whatever_a_string_holds_the_rest_of_it_is_read() {
        for (written, text) in [
            (r#""a\n\"\\\/\u00e9""#, "a\n\"\\/é"),
            (r#""\ud83d\ude00!""#, "😀!"),
            (r#""a\ud83d""#, "a"),
            (r#""\ud83dx\ude00y\ud83d\ud83d\ude00""#, "xy😀"),
            (r#""\u12\x\'\u+123""#, "u12x'u+123"),
            ("\"a\nb\tc\"", "a\nb\tc"),
        ] {
            let value = Value::of_document(written);
            assert_eq!(value.string().as_deref(), Some(text), "{written}");
        }
        assert_eq!(Value::of_document("7").string(), None);
    }

    #[test]
    fn a_number_is_written_in_the_shortest_way() {
        for (written, number) in [
            ("7", Some("7")),
            ("-7", Some("-7")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("12.5", Some("12.5")),
            ("1.0", Some("1")),
            ("1e300", Some("1e300")),
            ("0.0", Some("0")),
            ("1e999", Some("1e999")),
            ("-1E400", Some("-1E400")),
            ("true", None),
            ("NaN", None),
            ("null", None),
            ("2024-03-05T", None),
        ] {
            assert_eq!(Value::of_document(written).number().as_deref(), number, "{written}");
        }
    }
}
