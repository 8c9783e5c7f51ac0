//! What a document type may define: entities that stand for a short plain text, as old feeds define
//! `&nbsp;`. Nothing is fetched and nothing is expanded twice, so no text is longer than its reference by
//! more than a limit.
//!
//! - an entity that names another one, a file or an address is refused, and the document with it
//! - parameter entities serve only inside the document type, which nobody reads: they come to nothing

use cw_text::reference;
use quick_xml::escape::resolve_predefined_entity;

/// The most entities that a document defines: the three sets of HTML have 252.
const ENTITIES_MAX: usize = 512;

/// The longest text that one stands for, in bytes.
const TEXT_BYTES_MAX: usize = 64;

/// Entities of one document.
#[derive(Debug, Default)]
pub(super) struct Entities {
    defined: Vec<(String, String)>,
}

impl Entities {
    /// Takes in what a document type defines. `None` if it is more than a few plain texts.
    pub(super) fn define(&mut self, doctype: &str) -> Option<()> {
        let mut rest = doctype;
        while let Some(at) = find_in_any_case(rest, "<!ENTITY") {
            let after = rest.get(at + "<!ENTITY".len()..)?.trim_start();
            let Some(parameter) = after.strip_prefix('%') else {
                rest = self.define_one(after)?;
                continue;
            };
            rest = past_declaration(parameter);
        }
        Some(())
    }

    /// Takes in one; answers with what follows its text.
    fn define_one<'t>(&mut self, declaration: &'t str) -> Option<&'t str> {
        let (name, rest) = declaration.split_once(char::is_whitespace)?;
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (text, rest) = rest.get(1..)?.split_once(quote)?;
        let is_plain = text.split('&').skip(1).all(|after| {
            let name = after.split_once(';').map_or("", |(name, _)| name);
            name.starts_with('#')
                || resolve_predefined_entity(name).is_some()
                || reference::named(name).is_some()
        });
        let is_kept = text.len() <= TEXT_BYTES_MAX && self.defined.len() < ENTITIES_MAX;
        if !is_plain || !is_kept {
            return None;
        }
        self.defined.push((name.to_owned(), reference::decode(text)));
        Some(rest)
    }

    /// The text that a name stands for. The first definition counts (XML 1.0, 4.2).
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let (_, text) = self.defined.iter().find(|(defined, _)| defined == name)?;
        Some(text)
    }
}

/// What follows a declaration, whatever its values hold.
fn past_declaration(declaration: &str) -> &str {
    let mut rest = declaration;
    while let Some(at) = rest.find(['>', '"', '\'']) {
        let here = rest.get(at..).unwrap_or_default();
        let after = here.get(1..).unwrap_or_default();
        match here.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                rest = after.split_once(quote).map_or("", |(_, after)| after);
            }
            _ => return after,
        }
    }
    ""
}

/// Where a word stands, in any case.
fn find_in_any_case(text: &str, word: &str) -> Option<usize> {
    let mut windows = text.as_bytes().windows(word.len());
    windows.position(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(doctype: &str, name: &str, text: Option<&str>) {
        let mut entities = Entities::default();
        entities.define(doctype).unwrap();
        assert_eq!(entities.text(name), text, "{doctype}");
    }

    #[test]
    fn entities_of_plain_text_are_known() {
        check("<!DOCTYPE rss [<!ENTITY nbsp \"&#160;\"><!entity e 'é'>]>", "nbsp", Some("\u{A0}"));
        check("<!DOCTYPE rss [<!ENTITY a 'x'><!ENTITY a 'y'>]>", "a", Some("x"));
        check("<!DOCTYPE rss [<!ENTITY a 'T &amp; Co'>]>", "a", Some("T & Co"));
        check("<!DOCTYPE rss SYSTEM \"rss.dtd\">", "a", None);
    }

    #[test]
    fn parameter_entities_come_to_nothing() {
        let latin = "<!ENTITY % latin PUBLIC \"-//W3C//X > Y//EN\" \"http://w.example/l.ent\">";
        check(&format!("<!DOCTYPE rss [{latin} %latin; <!ENTITY a 'x'>]>"), "a", Some("x"));
        check(&format!("<!DOCTYPE rss [{latin}]>"), "latin", None);
    }

    #[test]
    fn whatever_may_grow_or_leads_elsewhere_is_refused() {
        let long = format!("<!ENTITY a '{}'>", "x".repeat(65));
        let many: String = (0..600).map(|n| format!("<!ENTITY a{n} 'x'>")).collect();
        for subset in [
            "<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>",
            "<!ENTITY a SYSTEM 'file:///etc/passwd'>",
            "<!ENTITY a PUBLIC 'x' 'http://a.example/'>",
            "<!ENTITY a 'x",
            "<!ENTITY a",
            &long,
            &many,
        ] {
            let doctype = format!("<!DOCTYPE rss [{subset}]>");
            assert_eq!(Entities::default().define(&doctype), None, "{subset:.80}");
        }
    }
}
