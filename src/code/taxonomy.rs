//! The tags there are: ids, labels and the nearest codes of public schemes.
//!
//! Read from TOML (`config/taxonomy.toml` is built in); strict, and every problem is reported. It
//! says nothing about which words lead to a tag: that is a lexicon's part.

use std::collections::BTreeMap;
use std::sync::Arc;

use cw_model::{Related, Tag, TagId};
use cw_text::likeness::hint;
use serde::Deserialize;
use toml::Spanned;

use super::file::{self, Read};
use super::source::{LexiconProblem, Source};

/// The only file format this program reads.
pub(super) const FORMAT: u32 = 1;

/// The top that a tag's id is under: "strike" of "strike.air", and of itself.
#[must_use]
pub fn top(id: &str) -> &str {
    id.split('.').next().unwrap_or_default()
}

/// Whether a tag's id is this one, or of a tag under it: "strike.air" is under "strike".
#[must_use]
pub fn is_or_is_under(id: &str, above: &str) -> bool {
    id.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// One tag of the taxonomy.
#[derive(Clone, Debug)]
pub(super) struct TagKind {
    /// Its id.
    pub(super) id: TagId,
    /// Its English label.
    pub(super) label: Arc<str>,
    /// Nearest public codes.
    pub(super) related: Arc<Related>,
    /// Tags that say more of what happened, and stand before this one where both are given.
    pub(super) behind: Vec<String>,
}

/// Every tag, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Taxonomy(BTreeMap<Arc<str>, TagKind>);

impl Taxonomy {
    /// Reads a taxonomy; what could be read comes with what is wrong.
    pub(super) fn read(source: &Source) -> (Self, Vec<LexiconProblem>) {
        let Read { raw, mut problems } = file::read::<RawTaxonomy>(source);
        let Some(raw) = raw else { return (Self::default(), problems) };
        if raw.format != FORMAT {
            problems.push(
                source.problem(&format!("format: {} is not known; use {FORMAT}", raw.format)),
            );
        }
        let mut tags: BTreeMap<Arc<str>, TagKind> = BTreeMap::new();
        let parents: Vec<_> = raw.tag.iter().map(|tag| tag.get_ref().id.clone()).collect();
        // Of a scheme without any code nobody has looked for near ones.
        let [acled, plover, cameo, iptc, gdelt] =
            SCHEMES.map(|codes| raw.tag.iter().any(|tag| !codes(tag.get_ref()).is_empty()));
        for tag in raw.tag {
            let at = tag.span().start;
            let tag = tag.into_inner();
            let of_tag = tag.problems(&parents);
            problems.extend(of_tag.iter().map(|detail| source.problem_at(at, detail)));
            let unknown = tag.behind.iter().filter(|other| !parents.contains(other));
            problems.extend(unknown.map(|other| {
                let hint = hint(other, parents.iter().map(String::as_str));
                let detail = format!("tag \"{}\": behind: no tag \"{other}\"{hint}", tag.id);
                source.problem_at(at, &detail)
            }));
            let id: Arc<str> = tag.id.into();
            let kind = TagKind {
                id: TagId(Arc::clone(&id)),
                label: tag.label.into(),
                related: Arc::new(Related {
                    acled: acled.then_some(tag.acled),
                    plover: plover.then_some(tag.plover),
                    cameo: cameo.then_some(tag.cameo),
                    iptc: iptc.then_some(tag.iptc),
                    gdelt: gdelt.then_some(tag.gdelt),
                }),
                behind: tag.behind,
            };
            if tags.insert(Arc::clone(&id), kind).is_some() {
                let detail = format!("tag \"{id}\" is given twice; keep one");
                problems.push(source.problem_at(at, &detail));
            }
        }
        (Self(tags), problems)
    }

    /// The tag with this id.
    pub(super) fn tag(&self, id: &str) -> Option<&TagKind> {
        self.0.get(id)
    }

    /// Puts tags that stand behind others behind them, and leaves the rest in order: a march that is shot at is told for
    /// the shots, however often it is called a march.
    pub(super) fn arrange(&self, tags: &mut [Tag]) {
        let all = tags.len();
        let (mut at, mut moved) = (0, 0);
        while at < all && moved < all {
            let behind = tags.get(at).and_then(|tag| self.tag(tag.id.as_str()));
            let behind = behind.map_or(&[][..], |kind| kind.behind.as_slice());
            let is_before = |tag: &Tag| behind.iter().any(|other| other == tag.id.as_str());
            match tags.iter().rposition(is_before).filter(|last| *last > at) {
                Some(last) => {
                    if let Some(part) = tags.get_mut(at..=last) {
                        part.rotate_left(1);
                    }
                    moved += 1;
                }
                None => at += 1,
            }
        }
    }

    /// Every id, in order.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }
}

/// The file's shape.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTaxonomy {
    format: u32,
    #[serde(default)]
    tag: Vec<Spanned<RawTag>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTag {
    id: String,
    label: String,
    parent: Option<String>,
    #[serde(default)]
    acled: Vec<String>,
    #[serde(default)]
    plover: Vec<String>,
    #[serde(default)]
    cameo: Vec<String>,
    #[serde(default)]
    iptc: Vec<String>,
    #[serde(default)]
    gdelt: Vec<String>,
    #[serde(default)]
    behind: Vec<String>,
}

/// The codes of each scheme.
const SCHEMES: [fn(&RawTag) -> &Vec<String>; 5] =
    [|tag| &tag.acled, |tag| &tag.plover, |tag| &tag.cameo, |tag| &tag.iptc, |tag| &tag.gdelt];

impl RawTag {
    fn problems(&self, ids: &[String]) -> Vec<String> {
        let id = &self.id;
        let mut problems = Vec::new();
        let word = |word: &str| {
            let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
            !word.is_empty() && word.bytes().all(allowed)
        };
        if !id.split('.').all(word) {
            problems.push(format!("tag \"{id}\": use lower-case words joined by full stops"));
        }
        if self.label.trim().is_empty() {
            problems.push(format!("tag \"{id}\": label is empty; say in English what it means"));
        }
        let above = id.rsplit_once('.').map(|(above, _last)| above.to_owned());
        if above != self.parent {
            problems.push(format!("tag \"{id}\": parent must be the id up to its last full stop"));
        }
        if self.parent.as_ref().is_some_and(|parent| !ids.contains(parent)) {
            let hint =
                hint(self.parent.as_deref().unwrap_or_default(), ids.iter().map(String::as_str));
            problems.push(format!("tag \"{id}\": its parent is not a tag of this file{hint}"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { name: "taxonomy.toml".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn the_built_in_taxonomy_is_whole() {
        let built_in = crate::Sources::built_in();
        let (taxonomy, problems) = Taxonomy::read(&built_in.taxonomy);
        assert_eq!(problems, []);
        // Whatever is not only there to stand above others is found by somebody.
        let has_rules = |id: &str| {
            let line = format!("\n[[tag]]\nid = \"{id}\"\n");
            built_in.lexicons.iter().any(|lexicon| lexicon.text.contains(&line))
        };
        let below = taxonomy.ids().filter(|id| id.contains('.'));
        let never_found: Vec<&str> = below.filter(|id| !has_rules(id)).collect();
        assert!(never_found.is_empty(), "no built-in lexicon has rules for {never_found:?}");
        assert_eq!(taxonomy.tag("strike.air").unwrap().related.cameo.as_deref().unwrap(), ["195"]);
    }

    #[test]
    fn every_problem_is_reported() {
        let text = "format = 2\n[[tag]]\nid = \"a.b\"\nlabel = \"\"\n\
                    [[tag]]\nid = \"A\"\nlabel = \"x\"\nbehind = [\"c\"]\n[[tag]]\nid = \"A\"\nlabel = \"x\"\n";
        let (_taxonomy, problems) = Taxonomy::read(&source(text));
        let all: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
        for part in [
            "format: 2",
            "label is empty",
            "parent must be",
            "lower-case",
            "given twice",
            "no tag \"c\"",
        ] {
            assert!(all.contains(part), "{part} in {all}");
        }
    }

    #[test]
    fn a_scheme_without_any_code_is_one_nobody_looked_at() {
        let text = "format = 1\n[[tag]]\nid = \"a\"\nlabel = \"A\"\ncameo = [\"1\"]\n\
                    [[tag]]\nid = \"b\"\nlabel = \"B\"\n";
        let (taxonomy, problems) = Taxonomy::read(&source(text));
        assert_eq!(problems, []);
        let related = &taxonomy.tag("b").unwrap().related;
        assert_eq!((related.cameo.as_deref(), related.acled.as_deref()), (Some(&[][..]), None));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let (_taxonomy, problems) = Taxonomy::read(&source("format = 1\ncolour = 1\n"));
        assert_eq!(problems.len(), 1);
    }
}
