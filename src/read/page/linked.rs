//! What a page says of its article in JSON-LD (schema.org).

use cw_model::{Steps, TooCostly};

use crate::parse::json_text::Value;

/// The most objects looked at.
const OBJECTS_MAX: usize = 500;

/// The most authors that are compared.
const AUTHORS_MAX: usize = 20;

/// Steps for each byte of an object each time it is looked through.
const BYTE_STEPS: usize = 2;

/// An article as described.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Linked {
    pub(super) headline: Option<String>,
    pub(super) body: Option<String>,
    /// As written.
    pub(super) published: Option<String>,
    pub(super) authors: Vec<String>,
}

impl Linked {
    /// Of the article with the longest text; nothing, if no article is described.
    pub(super) fn of(scripts: &[String], steps: &Steps) -> Result<Self, TooCostly> {
        let mut best = Self::default();
        let mut waiting: Vec<Value<'_>> =
            scripts.iter().rev().map(|script| Value::of_document(script)).collect();
        let mut looked = 0;
        while let Some(value) = waiting.pop() {
            looked += 1;
            if looked > OBJECTS_MAX {
                break;
            }
            steps.spend(value.text().len().saturating_mul(BYTE_STEPS))?;
            if value.is_list() {
                let mut elements = value.elements();
                while let Ok(Some(element)) = elements.next_element() {
                    if waiting.len() < OBJECTS_MAX {
                        waiting.push(element);
                    }
                }
            } else if value.is_object() {
                let Ok([kind, graph, main, entity]) =
                    value.members(["@type", "@graph", "mainEntity", "mainEntityOfPage"])
                else {
                    continue;
                };
                waiting.extend([graph, main, entity].into_iter().flatten());
                if kind.is_some_and(is_article) {
                    let found = Self::article(value);
                    let length = |own: &Self| own.body.as_ref().map_or(0, String::len);
                    if best == Self::default() || length(&found) > length(&best) {
                        best = found;
                    }
                }
            }
        }
        Ok(best)
    }

    fn article(value: Value<'_>) -> Self {
        let keys = ["headline", "articleBody", "datePublished", "author"];
        let Ok([headline, body, published, author]) = value.members(keys) else {
            return Self::default();
        };
        let text =
            |value: Option<Value<'_>>| value.and_then(Value::string).map(|text| text.into_owned());
        Self {
            headline: text(headline),
            body: text(body),
            published: text(published),
            authors: author.map(names).unwrap_or_default(),
        }
    }
}

/// Whether a type is that of an article: schema.org's own, and what is made from it.
fn is_article(kind: Value<'_>) -> bool {
    ["Article\"", "BlogPosting\"", "Report\""].iter().any(|end| kind.text().contains(end))
}

/// Names of authors: texts, or objects with a name, or a list of either.
fn names(author: Value<'_>) -> Vec<String> {
    let name = |value: Value<'_>| {
        let named = value.members(["name"]).ok().and_then(|[name]| name);
        named.unwrap_or(value).string().map(|name| name.into_owned())
    };
    if !author.is_list() {
        return name(author).into_iter().collect();
    }
    let mut elements = author.elements();
    let mut names = Vec::new();
    while let Ok(Some(element)) = elements.next_element()
        && names.len() < AUTHORS_MAX
    {
        names.extend(name(element));
    }
    names
}
