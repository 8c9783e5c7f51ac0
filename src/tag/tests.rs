//! The tagger as a whole: what it must find, what it must leave alone, and how well it does on the
//! labelled sentences in `tests/fixtures/tagging`.

use serde::Deserialize;

use super::*;
use crate::model::{CasualtyKind, CasualtyScope, Evidence, Field};

/// The threshold of the default configuration.
const THRESHOLD: f64 = 0.5;

fn tagger() -> Tagger {
    let (taxonomy, lexicons) = Tagger::built_in_sources();
    Tagger::new(&taxonomy, &lexicons, THRESHOLD).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())
    })
}

fn code(title: &str, body: &str) -> Coding {
    let coding = tagger().code(Texts { title, body, ..Texts::default() }, Some("en")).unwrap();
    check_evidence(&coding, title, body);
    coding
}

/// Every span says exactly what stands there.
#[track_caller]
fn check_evidence(coding: &Coding, title: &str, body: &str) {
    let of_tags = coding.tags.iter().map(|tag| &tag.evidence);
    let of_casualties = coding.casualties.iter().map(|casualties| &casualties.evidence);
    for spans in of_tags.chain(of_casualties) {
        assert!(!spans.is_empty());
        for Evidence { field, start, end, text } in spans {
            let whole = match field {
                Field::Title => title,
                Field::Summary => "",
                Field::Body => body,
            };
            let cut: String = whole.chars().skip(*start).take(end - start).collect();
            assert_eq!(&cut, text);
        }
    }
}

fn ids(coding: &Coding) -> Vec<&str> {
    coding.tags.iter().map(|tag| tag.id.as_str()).collect()
}

#[test]
fn the_built_in_sources_have_no_problems() {
    tagger();
}

#[test]
fn a_tagger_can_be_shared() {
    fn shared<T: Send + Sync>(_thing: &T) {}
    shared(&tagger());
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Labelled {
    sentence: Vec<LabelledSentence>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelledSentence {
    id: String,
    text: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    may: Vec<String>,
}

/// Right, wrong and missed.
#[derive(Default)]
struct Count {
    right: u32,
    wrong: u32,
    missed: u32,
}

impl Count {
    fn precision(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.wrong).max(1))
    }

    fn recall(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.missed).max(1))
    }
}

/// Run with `--nocapture` to read the table.
#[test]
fn the_labelled_sentences_are_tagged_as_a_reader_would() {
    let text = include_str!("../../tests/fixtures/tagging/en.toml");
    let labelled: Labelled = toml::from_str(text).unwrap();
    assert_eq!(labelled.sentence.len(), 60);
    let tagger = tagger();
    let (mut tags, mut relevance) = (Count::default(), Count::default());
    println!("{:28} {:44} found", "sentence", "wanted");
    for sentence in &labelled.sentence {
        let texts = Texts { body: &sentence.text, ..Texts::default() };
        let coding = tagger.code(texts, Some("en")).unwrap();
        check_evidence(&coding, "", &sentence.text);
        let found = ids(&coding);
        let is_wanted = |id: &&&str| sentence.tags.iter().any(|tag| tag == **id);
        let is_wrong = |id: &&&str| !is_wanted(id) && !sentence.may.iter().any(|tag| tag == **id);
        let count = |count: usize| u32::try_from(count).unwrap();
        let right = count(found.iter().filter(is_wanted).count());
        tags.right += right;
        tags.wrong += count(found.iter().filter(is_wrong).count());
        tags.missed += count(sentence.tags.len()) - right;
        match (sentence.tags.is_empty(), coding.relevant) {
            (false, true) => relevance.right += 1,
            (false, false) => relevance.missed += 1,
            (true, true) => relevance.wrong += 1,
            (true, false) => {}
        }
        let wanted = sentence.tags.join(" ");
        println!("{:28} {wanted:44} {found:?} {:?}", sentence.id, coding.flags);
    }
    for (name, count) in [("tags", &tags), ("relevance", &relevance)] {
        let (precision, recall) = (count.precision(), count.recall());
        println!("{name:10} precision {precision:.3} recall {recall:.3}");
        assert!(precision >= 0.9, "{name}: precision {precision:.3}");
        assert!(recall >= 0.6, "{name}: recall {recall:.3}");
    }
}
