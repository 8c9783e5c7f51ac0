//! What does an article say about conflict?
//!
//! [`Tagger::code`] is a pure function from texts to a [`Coding`]. The rules are data: a taxonomy, a
//! lexicon a language and a dictionary of actors, all TOML, built in and replaceable; and a linear model of
//! relevance. There is no chance in it, so the same text and data give the same coding anywhere.
//!
//! Which texts an article has is for `cw-read` to say, and what follows from a coding for `cw-decide`. Read
//! `segment` first, then `rules`.
//!
//! | file | part |
//! |---|---|
//! | `source`, `file` | what the coder is made of, as written; read with every mistake at once |
//! | `segment` | words, clauses, sentences, and the way back to the original |
//! | `taxonomy` | the tags there are |
//! | `term`, `lexicon` | the rules of one language, read and checked |
//! | `actors` | the dictionary of states, forces, groups, organisations |
//! | `matcher` | every term and name, in one pass |
//! | `names`, `sets`, `spans` | the matches by what they are for; which actors are named |
//! | `combinations`, `claims` | patterns over types, with roles; who says it how |
//! | `clauses` | who does what to whom, by the clause |
//! | `rules` | from matches to tags |
//! | `vectors` | which words mean alike |
//! | `features` | what the model looks at in a text |
//! | `gate` | a model that says whether a text is about conflict at all, and of which kind |
//! | `casualties` | how many people, of what, in which scope |
//! | `explain` | why a text is coded as it is, for a person who asks |

mod actors;
mod bits;
mod casualties;
mod claims;
mod clauses;
mod combinations;
mod cues;
mod explain;
mod features;
mod file;
mod gate;
mod hash;
mod lexicon;
mod matcher;
mod names;
mod rules;
mod segment;
mod sets;
mod shown;
mod source;
mod spans;
mod taxonomy;
mod term;
mod texts;
mod vectors;
mod whereabouts;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use actors::Actors;
pub use actors::{KnownActor, known_actors};
use casualties::Grammar;
use cw_model::{Coding, Steps, Tag, TooCostly};
use cw_places::Sought;
pub use cw_places::{KnownPlace, PlaceKind, Places};
use explain::{Asked, Left};
pub use explain::{
    CueFound, Explanation, Flip, Given, LostReason, LostWhy, Reason, Rule, ScoreParts, Subject,
    TagExplained, Verdict, Weight,
};
pub use features::BUCKETS;
pub use gate::HEAD_END;
use gate::{Gate, Weighed};
use lexicon::{Kept, Lexicon};
use rules::{Findings, round};
use segment::{Document, Prominence, Sentence};
use sha2::{Digest as _, Sha256};
pub use source::{LexiconProblem, Source, Sources};
use spans::{Matched, Sorted};
use taxonomy::Taxonomy;
pub use taxonomy::{is_or_is_under, top};
pub use texts::Texts;
use vectors::Vectors;
use whereabouts::Words;

/// Hex digits of the digest in a lexicon's name: enough to tell versions, short enough to read.
const DIGEST_DIGITS: usize = 12;

/// How likely a tag must be that the model alone speaks for. On three sets of text by others 65 %
/// finds a family in a hundred less and 55 % one more, right as often; on real news 50 % finds no more, and more is wrong.
const MODEL_BAR: f64 = 0.6;

/// How likely a tag that a rule has found must be by the model, where that has seen all of the text. A bar of
/// 15 % finds one family in a hundred more and makes two wrong ones; between 25 % and 35 % headlines lose nothing.
const MODEL_VETO: f64 = 0.35;

/// How likely a tag under a top must be for a text of which no more is known than the top. On texts by others 50 % calls
/// one in a hundred less by its kind, and is right as often.
const LEAF_BAR: f64 = 0.4;

/// Letters of a word that can stand alone as evidence.
const TELLING_LETTERS: usize = 4;

/// What a rule is so sure of the model does not take away.
const RULE_SURE: f64 = 0.8;

/// What the model of relevance looks at in a text.
#[derive(Clone, Debug, Default)]
pub struct Learnable {
    /// Buckets of its tables, sorted, each once.
    pub buckets: Vec<u32>,
    /// What the words mean, on the mean; zeros where there are no word vectors.
    pub meaning: Vec<f64>,
    /// The best score that the rules give under each top of the taxonomy, 0 to 1.
    pub scores: Vec<(String, f64)>,
}

/// Puts tags on articles, by the rules of one lexicon a language.
#[derive(Debug)]
pub struct Tagger {
    threshold: f64,
    taxonomy: Taxonomy,
    places: Places,
    by_language: BTreeMap<String, Pack>,
}

/// The files of a language, and what they come to once a text in it is met.
///
/// What comes with the program is held right by its tests, and takes a moment to compile: a daemon that
/// meets no Russian compiles no Russian. What somebody wrote is compiled at once, so that mistakes are told.
#[derive(Debug)]
struct Pack {
    sources: Sources,
    ready: OnceLock<Option<Language>>,
}

impl Pack {
    fn language(&self, language: &str, taxonomy: &Taxonomy) -> Option<&Language> {
        let compile = || Language::new(language, &self.sources, taxonomy).ok();
        self.ready.get_or_init(compile).as_ref()
    }
}

#[derive(Debug)]
struct Language {
    /// As published: "en/1 3f2a…".
    name: String,
    lexicon: Lexicon,
    /// How casualties are read; `None` if they cannot be read in this language.
    grammar: Option<Grammar>,
    /// `None`: the rules alone decide what is relevant.
    gate: Option<Gate>,
    /// `None`: the model knows nothing of words that it was not trained on.
    vectors: Option<Vectors>,
}

impl Language {
    /// Compiles the lexicons of `sources`, which are all of this language.
    fn new(
        language: &str,
        sources: &Sources,
        taxonomy: &Taxonomy,
    ) -> Result<Self, Vec<LexiconProblem>> {
        let (actors, mut problems) = Actors::read(&sources.actors);
        let (dictionary, found) = actors.dictionary(language).unzip();
        problems.extend(found.into_iter().flatten());
        let files: Vec<&Source> = sources.lexicons.iter().collect();
        let ours = files.iter().all(|file| file.is_built_in());
        let unknown = match (ours, sources.taxonomy.is_built_in()) {
            (true, false) => lexicon::Unknown::LeftOut,
            (true, true) | (false, _) => lexicon::Unknown::Reported,
        };
        let lexicon = lexicon::read(&files, taxonomy, dictionary, unknown);
        let casualties = source::casualties(language);
        let grammar = casualties.as_ref().map(Grammar::read).transpose();
        // The model has learnt what the built-in rules find.
        let tables = source::gate(language).filter(|_bytes| ours);
        let vectors = source::vectors(language).filter(|_bytes| ours);
        let model = tables.map(Gate::read).transpose().and_then(|gate| {
            let known = vectors.map(Vectors::read).transpose()?;
            Ok((gate, known))
        });
        let model = model.map_err(|detail| {
            vec![LexiconProblem { file: format!("model of \"{language}\""), line: None, detail }]
        });
        match (lexicon, grammar, model) {
            (Ok(lexicon), Ok(grammar), Ok((gate, known))) if problems.is_empty() => {
                let model = [tables, vectors];
                let name = lexicon_name(&lexicon, sources, casualties.as_ref(), model);
                Ok(Self { name, lexicon, grammar, gate, vectors: known })
            }
            (lexicon, grammar, model) => {
                problems.extend(lexicon.err().into_iter().flatten());
                problems.extend(grammar.err().into_iter().flatten());
                problems.extend(model.err().into_iter().flatten());
                Err(problems)
            }
        }
    }
}

/// A text, and what the rules find in it.
struct Reading<'a> {
    document: &'a Document<'a>,
    sorted: &'a Sorted,
    findings: Findings,
}

impl Tagger {
    /// Compiles what the coder is made of. `threshold` is 0 to 1.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn new(sources: &Sources, threshold: f64) -> Result<Self, Vec<LexiconProblem>> {
        let (taxonomy, mut problems) = Taxonomy::read(&sources.taxonomy);
        let mut by_language = BTreeMap::new();
        // With an unreadable taxonomy every tag of a lexicon would be reported as unknown.
        let readable = taxonomy.ids().next().is_some();
        for (language, sources) in sources.by_language().into_iter().filter(|_pack| readable) {
            let pack = Pack { sources, ready: OnceLock::new() };
            if !pack.sources.are_built_in() {
                match Language::new(&language, &pack.sources, &taxonomy) {
                    Ok(ready) => drop(pack.ready.set(Some(ready))),
                    Err(found) => problems.extend(found),
                }
            }
            by_language.insert(language, pack);
        }
        problems.sort();
        problems.dedup();
        if problems.is_empty() {
            Ok(Self { threshold, taxonomy, places: Places::built_in(), by_language })
        } else {
            Err(problems)
        }
    }

    /// Says what a text says about conflict; `None` if there is no lexicon for its language.
    ///
    /// # Errors
    /// [`TooCostly`] if that takes more steps than are left.
    pub fn code(
        &self,
        texts: Texts<'_>,
        language: Option<&str>,
        steps: &Steps,
    ) -> Result<Option<Coding>, TooCostly> {
        let language = language.map(primary_subtag).unwrap_or_default();
        let Some(language) = self.language(&language) else { return Ok(None) };
        let Language { name, lexicon, grammar, gate, vectors } = language;
        self.read(lexicon, texts, steps, |read, sought| {
            let Reading { document, sorted, mut findings } = read;
            let casualties = match (findings.casualties, grammar) {
                (Kept::Kept, Some(grammar)) => Some(casualties::read(grammar, document, steps)?),
                (Kept::Kept, None) | (Kept::Dropped, _) => None,
            };
            let score = match gate {
                Some(gate) => {
                    let vectors = vectors.as_ref();
                    let features =
                        features::of(document, sorted, lexicon, &findings, vectors, steps)?;
                    let weighed = gate.weigh(&features);
                    Some(self.decide(&weighed, &mut findings, document, lexicon, sorted))
                }
                None => None,
            };
            rules::complete_roles(&mut findings.tags, lexicon, sorted, document);
            self.taxonomy.arrange(&mut findings.tags);
            let actors = rules::actors(&findings.tags, lexicon, sorted, document);
            let evidence = if findings.tags.is_empty() { &[][..] } else { &findings.words };
            let found = sought.pinned(evidence);
            Ok(Some(Coding {
                relevant: !findings.tags.is_empty(),
                score,
                tags: findings.tags,
                actors,
                places: Some(whereabouts::published(&found, document)),
                casualties,
                flags: lexicon.knows_flags().then(|| findings.flags.into_iter().collect()),
                lexicon: name.clone(),
            }))
        })
    }

    /// Codes a text and says why it is coded so; `None` if there is no lexicon for its language. Takes up to
    /// sixty times as long as [`Tagger::code`]: what would be otherwise without a phrase is tried.
    ///
    /// # Errors
    /// [`TooCostly`] if that takes more steps than are left.
    pub fn explain(
        &self,
        texts: Texts<'_>,
        language: Option<&str>,
        steps: &Steps,
    ) -> Result<Option<Explanation>, TooCostly> {
        let Some(coding) = self.code(texts, language, steps)? else { return Ok(None) };
        let code = language.map(primary_subtag).unwrap_or_default();
        let (Some(pack), Some(known)) = (self.by_language.get(&code), self.language(&code)) else {
            return Ok(None);
        };
        let Language { lexicon, gate, vectors, .. } = known;
        let mut explanation = self.read(lexicon, texts, steps, |read, _sought| {
            let Reading { document, sorted, findings } = &read;
            let (sources, bar) = (&pack.sources, self.threshold);
            let features = match gate {
                Some(gate) => {
                    let vectors = vectors.as_ref();
                    let features =
                        features::of(document, sorted, lexicon, findings, vectors, steps)?;
                    Some((gate, features))
                }
                None => None,
            };
            let weighed = features.as_ref().map(|(gate, features)| gate.weigh(features));
            let weighed = weighed.as_ref();
            let asked = Asked { sources, lexicon, document, sorted, findings, weighed, bar };
            asked.explain(coding, steps)
        })?;
        for phrase in explanation.phrases() {
            let left = Left::new(texts, &phrase);
            if let Some(without) = self.code(left.texts(texts), language, steps)? {
                explanation.add_trial(&phrase, &without);
            }
        }
        Ok(Some(explanation))
    }

    /// What the model of relevance looks at in a text: for the command that trains it. `None` if there is no
    /// lexicon for the language.
    ///
    /// # Errors
    /// [`TooCostly`] if that takes more steps than are left.
    pub fn features(
        &self,
        texts: Texts<'_>,
        language: &str,
        steps: &Steps,
    ) -> Result<Option<Learnable>, TooCostly> {
        let Some(Language { lexicon, vectors, .. }) = self.language(language) else {
            return Ok(None);
        };
        self.read(lexicon, texts, steps, |read, _sought| {
            let Reading { document, sorted, findings } = read;
            let vectors = vectors.as_ref();
            let mut features = features::of(document, sorted, lexicon, &findings, vectors, steps)?;
            features.buckets.sort_unstable();
            let tops = self.taxonomy.ids().filter(|id| !id.contains('.'));
            let scores = tops.map(|top| (top.to_owned(), features.best(top))).collect();
            Ok(Some(Learnable {
                buckets: features.buckets,
                meaning: features.meaning.to_vec(),
                scores,
            }))
        })
    }

    /// Reads a text by the rules, and hands over what they find, with the places that are sought.
    fn read<R>(
        &self,
        lexicon: &Lexicon,
        texts: Texts<'_>,
        steps: &Steps,
        then: impl FnOnce(Reading<'_>, Sought<'_>) -> Result<R, TooCostly>,
    ) -> Result<R, TooCostly> {
        let document = Document::new(texts, &lexicon.abbreviations, steps)?;
        let matched = Matched::new(lexicon, &document, steps)?;
        let words = Words::new(&document, matched.mentions(), lexicon, texts.feed_country, steps)?;
        let sought = words.seek(&self.places);
        let sorted = matched.with_places(sought.found(), &document);
        let findings = rules::apply(lexicon, &document, &sorted, self.threshold, steps)?;
        then(Reading { document: &document, sorted: &sorted, findings }, sought)
    }

    /// The id of every tag of the taxonomy, in order.
    pub fn tag_ids(&self) -> impl Iterator<Item = &str> {
        self.taxonomy.ids()
    }

    /// What a language's files come to; `None` if there are none.
    fn language(&self, language: &str) -> Option<&Language> {
        self.by_language.get(language)?.language(language, &self.taxonomy)
    }

    /// How likely a text is about conflict, as the model says; and the tags that follow: none of a text that
    /// is not, and of one that is those of the rules, but for what the model rules out, and those that it is
    /// sure of besides. It sees headline and lead only, so it rules out nothing where there is more.
    fn decide(
        &self,
        weighed: &Weighed<'_>,
        findings: &mut Findings,
        document: &Document<'_>,
        lexicon: &Lexicon,
        sorted: &Sorted,
    ) -> f64 {
        let relevance = weighed.relevance();
        if relevance < self.threshold {
            findings.tags.clear();
            return round(relevance);
        }
        let tags = &mut findings.tags;
        if document.sentences.iter().all(|one| one.prominence != Prominence::Rest) {
            let top = weighed.likeliest_id().unwrap_or_default();
            tags.retain(|tag| {
                let id = tag.id.as_str();
                tag.score >= RULE_SURE
                    || is_or_is_under(id, top)
                    || !weighed.rules_out(id, MODEL_VETO)
            });
        }
        self.add_tags(tags, weighed.tags(MODEL_BAR), document, lexicon, sorted);
        if tags.is_empty() {
            // What is relevant is so for something: the likeliest.
            self.add_tags(tags, weighed.likeliest().into_iter(), document, lexicon, sorted);
        }
        self.specify(tags, weighed);
        round(relevance)
    }

    /// Calls each top by the tags under it that the model thinks likely, where there are any: they say more.
    fn specify(&self, tags: &mut Vec<Tag>, weighed: &Weighed<'_>) {
        let specified = tags.drain(..).flat_map(|tag| {
            let top = tag.id.as_str();
            // Of a top that is itself a guess no kind is guessed.
            let is_known = !top.contains('.') && tag.score >= MODEL_BAR;
            let leaves = if is_known { weighed.leaves(top, LEAF_BAR) } else { Vec::new() };
            let kinds = leaves.iter().filter_map(|id| self.taxonomy.tag(id));
            let called = kinds.map(|kind| Tag {
                id: kind.id.clone(),
                label: Arc::clone(&kind.label),
                related: Arc::clone(&kind.related),
                ..tag.clone()
            });
            let called: Vec<Tag> = called.collect();
            if called.is_empty() { vec![tag] } else { called }
        });
        *tags = specified.collect();
    }

    /// Adds the tags that the model has found and no rule has, nor any tag under them.
    fn add_tags<'a>(
        &self,
        tags: &mut Vec<Tag>,
        found: impl Iterator<Item = (&'a str, f64, Range<usize>)>,
        document: &Document<'_>,
        lexicon: &Lexicon,
        sorted: &Sorted,
    ) {
        for (id, score, words) in found {
            let known = tags.iter().any(|tag| is_or_is_under(tag.id.as_str(), id));
            let kind = self.taxonomy.tag(id).filter(|_kind| !known);
            let words = telling(words, document);
            if let (Some(kind), Some(evidence)) = (kind, document.evidence(&words)) {
                tags.push(Tag {
                    id: kind.id.clone(),
                    label: Arc::clone(&kind.label),
                    score: round(score),
                    related: Arc::clone(&kind.related),
                    claim: rules::said(&words, lexicon, sorted, document),
                    roles: lexicon.dictionary.as_ref().map(|_dictionary| Vec::new()),
                    evidence: vec![evidence],
                });
            }
        }
        tags.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    }
}

/// The words that the model goes by; of one short word also those around it, for it alone tells a reader nothing.
fn telling(words: Range<usize>, document: &Document<'_>) -> Range<usize> {
    let letters = document.word(words.start).chars().count();
    let around = document.sentences.iter().find(|one| one.tokens.contains(&words.start));
    match around {
        Some(Sentence { tokens, .. }) if words.len() == 1 && letters < TELLING_LETTERS => {
            words.start.saturating_sub(2).max(tokens.start)..(words.end + 2).min(tokens.end)
        }
        Some(_) | None => words,
    }
}

/// "en" of "en-GB".
fn primary_subtag(language: &str) -> String {
    language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

/// The name of a lexicon, with a digest of all that its results depend on.
fn lexicon_name(
    lexicon: &Lexicon,
    sources: &Sources,
    casualties: Option<&Source>,
    model: [Option<&[u8]>; 2],
) -> String {
    let mut hash = Sha256::new();
    hash.update(&sources.taxonomy.text);
    for source in sources.lexicons.iter().chain(&sources.actors).chain(casualties) {
        hash.update(&source.text);
    }
    for part in model.into_iter().flatten() {
        hash.update(part);
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let short: String = hex.chars().take(DIGEST_DIGITS).collect();
    format!("{}/{} {short}", lexicon.language, lexicon.version)
}

#[cfg(test)]
mod tests;
