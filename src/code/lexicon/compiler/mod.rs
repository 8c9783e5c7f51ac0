//! Puts the files of one language together and compiles them.

mod rules;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cw_model::ActorKind;
use cw_text::likeness::hint;
use strum::VariantNames as _;
use toml::Spanned;

use crate::actors::{Dictionary, Entry, Form};
use crate::file::{self, Read};
use crate::hash::hash;
use crate::lexicon::parts::{
    Combination, Cue, Domain, ForceNouns, Frame, Lexicon, Mask, Origin, Particles, RoleRule,
    TagRules, Veto,
};
use crate::lexicon::raw::{RawLexicon, RawMask, Written};
use crate::matcher::{Matcher, Purpose, Use};
use crate::segment::plain_term;
use crate::source::{LexiconProblem, Source};
use crate::taxonomy::{FORMAT, Taxonomy};
use crate::term::expand;

/// Sets that the dictionary fills, besides one for each kind of actor.
const OF_DICTIONARY: [&str; 5] = ["actor", "demonym", "metonym", "place", "zone"];

/// Reads and compiles the files of one language.
///
/// # Errors
/// Every problem at once.
///
/// With `Unknown::LeftOut`, rules of tags that the taxonomy does not have are left out: a deployment with a
/// taxonomy of its own must not be refused for what a built-in lexicon knows besides.
pub(crate) fn read(
    sources: &[&Source],
    taxonomy: &Taxonomy,
    dictionary: Option<Dictionary>,
    unknown: Unknown,
) -> Result<Lexicon, Vec<LexiconProblem>> {
    let mut compiler = Compiler::new(sources, dictionary, unknown);
    let mut files = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let Read { raw, mut problems } = file::read::<RawLexicon>(source);
        compiler.is_whole &= raw.is_some();
        compiler.problems.append(&mut problems);
        files.extend(raw.map(|raw| (index, raw)));
    }
    for (file, raw) in &files {
        compiler.name_sets(*file, raw);
    }
    let sets: Vec<_> = files.iter().map(|(file, raw)| (*file, &raw.sets)).collect();
    compiler.fill_sets(&sets);
    for (file, raw) in files {
        compiler.add_file(file, raw, taxonomy);
    }
    compiler.finish()
}

/// What becomes of rules of tags that the taxonomy does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// They are a problem.
    Reported,
    /// They do not count.
    LeftOut,
}

/// Collects phrases, their uses, and what is wrong.
struct Compiler<'s> {
    sources: &'s [&'s Source],
    /// Where what is being read stands.
    here: Origin,
    /// Whether every file could be read: a set that is not known may stand in one that could not.
    is_whole: bool,
    unknown: Unknown,
    dictionary: Option<Dictionary>,
    phrases: BTreeMap<String, Vec<Purpose>>,
    /// Named sets, by name.
    sets: BTreeMap<String, usize>,
    /// For each named set, the sets that its matches belong to besides: those that include it.
    included_in: BTreeMap<String, BTreeSet<usize>>,
    /// Sets without a name, by their terms: a list that many rules write is one set.
    unnamed: BTreeMap<Vec<String>, usize>,
    set_count: usize,
    /// Where each term and combination stands.
    origins: Vec<Origin>,
    problems: Vec<LexiconProblem>,
    language: String,
    version: Option<u32>,
    veto: Option<Veto>,
    abbreviations: HashSet<String>,
    force_nouns: Option<usize>,
    zones: BTreeSet<String>,
    tags: Vec<TagRules>,
    combinations: Vec<Combination>,
    domains: Vec<Domain>,
    masks: Vec<Mask>,
    cues: Vec<Cue>,
    roles: Vec<RoleRule>,
    frames: Vec<Frame>,
    particles: Option<Particles>,
}

impl<'s> Compiler<'s> {
    fn new(sources: &'s [&'s Source], dictionary: Option<Dictionary>, unknown: Unknown) -> Self {
        Self {
            sources,
            here: Origin::default(),
            is_whole: true,
            unknown,
            dictionary,
            phrases: BTreeMap::new(),
            sets: BTreeMap::new(),
            included_in: BTreeMap::new(),
            unnamed: BTreeMap::new(),
            set_count: 0,
            origins: Vec::new(),
            problems: Vec::new(),
            language: String::new(),
            version: None,
            veto: None,
            abbreviations: HashSet::new(),
            force_nouns: None,
            zones: BTreeSet::new(),
            tags: Vec::new(),
            combinations: Vec::new(),
            domains: Vec::new(),
            masks: Vec::new(),
            cues: Vec::new(),
            roles: Vec::new(),
            frames: Vec::new(),
            particles: None,
        }
    }

    fn report(&mut self, problem: Option<String>) {
        let source = self.sources.get(self.here.file);
        let Some((detail, source)) = problem.zip(source) else { return };
        self.problems.push(source.problem_at(self.here.span.start, &detail));
    }

    /// What is read next stands here, in the same file.
    fn go_to<'a, T>(&mut self, written: &'a Spanned<T>) -> &'a T {
        self.here.span = written.span();
        written.get_ref()
    }

    /// A number for the term or combination that stands here.
    fn next_written(&mut self) -> usize {
        self.origins.push(self.here.clone());
        self.origins.len() - 1
    }

    /// Reports a set that is not known, unless it may stand in a file that could not be read.
    fn report_no_set(&mut self, key: &str, name: &str) {
        if self.is_whole {
            let hint = hint(name, self.sets.keys().map(String::as_str));
            self.report(Some(format!("{key}: there is no set \"{name}\"{hint}")));
        }
    }

    /// Reports an unknown tag, unless those are left out.
    fn report_unknown(&mut self, problem: Option<String>) {
        self.report(problem.filter(|_problem| self.unknown == Unknown::Reported));
    }

    /// Gives every named set its number, before any of them is filled: they may name each other.
    fn name_sets(&mut self, file: usize, raw: &RawLexicon) {
        self.here.file = file;
        for name in raw.sets.keys() {
            let name = self.go_to(name);
            let of_dictionary = OF_DICTIONARY.contains(&name.as_str())
                || ActorKind::VARIANTS.contains(&name.as_str());
            self.report(of_dictionary.then(|| {
                format!(
                    "sets.{name}: the dictionary of actors has a set of this name; choose another"
                )
            }));
            let twice = self.sets.contains_key(name);
            self.report(
                twice.then(|| format!("sets.{name} is given twice; put its terms together")),
            );
            let number = self.set_count;
            self.sets.entry(name.clone()).or_insert(number);
            self.set_count += 1;
        }
    }

    fn fill_sets(&mut self, files: &[(usize, &BTreeMap<Written, Vec<Written>>)]) {
        for name in OF_DICTIONARY.iter().chain(ActorKind::VARIANTS) {
            let number = self.set_count;
            self.set_count += 1;
            self.sets.entry((*name).to_owned()).or_insert(number);
        }
        // Which sets name which.
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (file, sets) in files {
            self.here.file = *file;
            for (name, terms) in *sets {
                for term in terms {
                    let Some(part) = self.go_to(term).strip_prefix('@') else { continue };
                    if self.sets.contains_key(part) {
                        names.entry(part.to_owned()).or_default().insert(name.get_ref().clone());
                    } else {
                        self.report_no_set(&format!("sets.{name}"), part);
                    }
                }
            }
        }
        for name in self.sets.keys() {
            let mut above: BTreeSet<String> = BTreeSet::new();
            let mut open = vec![name.clone()];
            while let Some(one) = open.pop() {
                for upper in names.get(&one).into_iter().flatten() {
                    if above.insert(upper.clone()) {
                        open.push(upper.clone());
                    }
                }
            }
            let numbers = above.iter().filter_map(|upper| self.sets.get(upper)).copied().collect();
            self.included_in.insert(name.clone(), numbers);
        }
        for (file, sets) in files {
            self.here.file = *file;
            for (name, terms) in *sets {
                let key = format!("sets.{name}");
                self.go_to(name);
                self.report(terms.is_empty().then(|| format!("{key}: no terms")));
                let own: Vec<Written> =
                    terms.iter().filter(|term| !term.get_ref().starts_with('@')).cloned().collect();
                let numbers = self.numbers_of(name.get_ref());
                self.add_terms_unless(&key, &own, &numbers);
            }
        }
    }

    /// A named set and those that include it.
    fn numbers_of(&self, name: &str) -> Vec<usize> {
        let own = self.sets.get(name).copied();
        own.into_iter().chain(self.included_in.get(name).into_iter().flatten().copied()).collect()
    }

    fn add_file(&mut self, file: usize, raw: RawLexicon, taxonomy: &Taxonomy) {
        self.here = Origin { file, span: 0..0 };
        self.check_head(&raw);
        if let Some(veto) = raw.veto {
            self.go_to(&veto);
            self.check_veto(veto.get_ref(), taxonomy);
            self.report(self.veto.is_some().then(|| "[veto] is given twice".to_owned()));
            self.veto = Some(veto.into_inner());
        }
        let plain = |word: &String| plain_term(word);
        self.abbreviations.extend(raw.abbreviations.iter().map(plain));
        for code in &raw.zones {
            let code = self.go_to(code);
            let is_code = code.len() == 2 && code.bytes().all(|letter| letter.is_ascii_uppercase());
            self.report((!is_code).then(|| {
                format!(
                    "zones: \"{code}\" is no ISO 3166-1 alpha-2 code; write two capitals: \"SD\""
                )
            }));
            self.zones.insert(code.clone());
        }
        if !raw.force_nouns.is_empty() {
            let set = self.force_nouns.unwrap_or_else(|| {
                self.set_count += 1;
                self.set_count - 1
            });
            self.force_nouns = Some(set);
            self.add_terms("force_nouns", &raw.force_nouns, Purpose::Set(set));
        }
        for rules in &raw.tag {
            self.add_tag(rules, taxonomy);
        }
        for mask in &raw.mask {
            let RawMask { flag, terms } = self.go_to(mask);
            let origin = self.here.clone();
            self.add_terms("mask", terms, Purpose::Use(Use::Mask(self.masks.len())));
            self.masks.push(Mask { flag: flag.clone(), origin });
        }
        for domain in &raw.domain {
            self.add_domain(domain);
        }
        for cue in &raw.cue {
            self.add_cue(cue);
        }
        for role in &raw.role {
            let role = self.go_to(role);
            self.add_role(role, taxonomy);
        }
        for frame in &raw.frame {
            self.add_frame(frame, taxonomy);
        }
        if let Some(particles) = &raw.particles {
            let particles = self.go_to(particles);
            self.add_particles(particles);
        }
    }

    fn check_head(&mut self, raw: &RawLexicon) {
        self.report(
            (raw.format != FORMAT)
                .then(|| format!("format: {} is not known; use {FORMAT}", raw.format)),
        );
        let code = |byte: u8| byte.is_ascii_lowercase();
        let is_code = (2..=3).contains(&raw.language.len()) && raw.language.bytes().all(code);
        self.report((!is_code).then(|| {
            format!("language: \"{}\" is not an ISO 639 code; use one like \"en\"", raw.language)
        }));
        self.language.clone_from(&raw.language);
        let twice = self.version.is_some() && raw.version.is_some();
        self.report(twice.then(|| {
            format!("version: another file of \"{}\" has one; leave one of them", raw.language)
        }));
        self.version = self.version.or(raw.version);
    }

    fn check_veto(&mut self, veto: &Veto, taxonomy: &Taxonomy) {
        for name in &veto.resisting {
            let known = taxonomy.ids().any(|id| id == name);
            self.report_unknown((!known).then(|| {
                let hint = hint(name, taxonomy.ids());
                format!("veto.resisting: no tag \"{name}\" in the taxonomy{hint}")
            }));
        }
        self.check_share("veto.bar", veto.bar);
    }

    /// Weights, scores and shares lie strictly between 0 and 1: a 1 could never be outweighed.
    fn check_share(&mut self, key: &str, value: f64) {
        self.report(
            (!(value > 0.0 && value < 1.0))
                .then(|| format!("{key}: {value} is not between 0 and 1")),
        );
    }

    fn add_terms(&mut self, key: &str, terms: &[Written], purpose: Purpose) {
        self.report(terms.is_empty().then(|| format!("{key}: no terms")));
        for term in terms {
            for phrase in self.expanded(key, term) {
                let uses = self.phrases.entry(phrase.clone()).or_default();
                if uses.iter().any(|known| known.is_the_same_as(&purpose)) {
                    self.report(Some(format!("{key}: \"{phrase}\" is given twice (\"{term}\")")));
                } else {
                    uses.push(purpose);
                }
            }
        }
    }

    /// Adds terms; what is there already stays once. For sets that include others.
    fn add_terms_unless(&mut self, key: &str, terms: &[Written], sets: &[usize]) {
        for term in terms {
            for phrase in self.expanded(key, term) {
                let uses = self.phrases.entry(phrase).or_default();
                for purpose in sets.iter().map(|set| Purpose::Set(*set)) {
                    if !uses.iter().any(|known| known.is_the_same_as(&purpose)) {
                        uses.push(purpose);
                    }
                }
            }
        }
    }

    /// The phrases that a term stands for; none, and a problem, if it cannot be read.
    fn expanded(&mut self, key: &str, term: &Written) -> Vec<String> {
        let written: &String = self.go_to(term);
        match expand(written) {
            Ok(phrases) => phrases,
            Err(error) => {
                self.report(Some(format!("{key}: {error}")));
                Vec::new()
            }
        }
    }

    /// The set of these terms, without a name.
    fn unnamed_set(&mut self, key: &str, terms: &[Written]) -> usize {
        let bare: Vec<String> = terms.iter().map(|term| term.get_ref().clone()).collect();
        let named: Vec<&str> =
            bare.iter().map(String::as_str).filter(|term| term.starts_with('@')).collect();
        if !named.is_empty() {
            let named = named.join("\", \"");
            let problem =
                format!("{key}: a list of terms cannot hold \"{named}\"; make a set of them");
            self.report(Some(problem));
            return 0;
        }
        if let Some(known) = self.unnamed.get(&bare) {
            return *known;
        }
        let number = self.set_count;
        self.set_count += 1;
        self.unnamed.insert(bare, number);
        self.add_terms(key, terms, Purpose::Set(number));
        number
    }

    /// The number of a set written as "@name", or of a new one for a bare term.
    fn set(&mut self, key: &str, part: &str) -> usize {
        let Some(name) = part.strip_prefix('@') else {
            return self.unnamed_set(key, &[Spanned::new(self.here.span.clone(), part.to_owned())]);
        };
        let known = self.sets.get(name).copied();
        if known.is_none() {
            self.report_no_set(key, name);
        }
        known.unwrap_or_default()
    }

    fn sets(&mut self, key: &str, parts: &[String]) -> Vec<usize> {
        parts.iter().map(|part| self.set(key, part)).collect()
    }

    /// The sets that a name of an entry belongs to.
    fn sets_of(&self, entry: &Entry, form: Form) -> Vec<usize> {
        let kind: &'static str = entry.kind.into();
        let form = match form {
            Form::Name => None,
            Form::Demonym => Some("demonym"),
            Form::Metonym => Some("metonym"),
        };
        let is_of_zone = entry.country.as_ref().is_some_and(|code| self.zones.contains(code));
        let zone = is_of_zone.then_some("zone");
        let names = ["actor", kind].into_iter().chain(form).chain(zone);
        let all: BTreeSet<usize> = names.flat_map(|name| self.numbers_of(name)).collect();
        all.into_iter().collect()
    }

    /// For each tag the frames that can give it.
    fn frames_by_tag(&self) -> Vec<Vec<usize>> {
        let of_tag = |tag: usize| {
            let all = self.frames.iter().enumerate();
            all.filter(|(_number, frame)| frame.tags.contains(&tag))
                .map(|(number, _frame)| number)
                .collect()
        };
        (0..self.tags.len()).map(of_tag).collect()
    }

    fn finish(mut self) -> Result<Lexicon, Vec<LexiconProblem>> {
        self.here = Origin::default();
        if self.problems.is_empty() {
            self.report(self.version.is_none().then(|| "version: no file has one".to_owned()));
            self.report(self.veto.is_none().then(|| "[veto]: no file has it".to_owned()));
            self.report(self.phrases.is_empty().then(|| "there are no terms".to_owned()));
        }
        let mut sets_of_aliases = Vec::new();
        if let Some(dictionary) = &self.dictionary {
            for (index, alias) in dictionary.aliases.iter().enumerate() {
                let sets = dictionary
                    .entries
                    .get(alias.entry)
                    .filter(|entry| !entry.is_unnamed)
                    .map(|entry| self.sets_of(entry, alias.form))
                    .unwrap_or_default();
                sets_of_aliases.push(sets);
                self.phrases
                    .entry(alias.phrase.clone())
                    .or_default()
                    .push(Purpose::Use(Use::Alias(index)));
            }
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let force_nouns = self.force_nouns.map(|nouns| ForceNouns {
            nouns,
            belongs_to: ["actor", "force"]
                .into_iter()
                .flat_map(|name| self.numbers_of(name))
                .collect(),
        });
        let place_sets = self.numbers_of("place");
        let zone_sets = self.numbers_of("zone");
        let frames_by_tag = self.frames_by_tag();
        let matcher = Matcher::new(&self.phrases);
        let asked = self.asked_sets();
        Ok(Lexicon {
            language: self.language,
            version: self.version.unwrap_or_default(),
            abbreviations: self.abbreviations,
            matcher,
            tags: self.tags,
            pairs: self.combinations.iter().map(pair).collect(),
            combinations: self.combinations,
            domains: self.domains,
            masks: self.masks,
            cues: self.cues,
            origins: self.origins,
            sets: self.set_count,
            asked,
            set_names: self.sets.iter().map(|(name, set)| (*set, name.clone())).collect(),
            set_hashes: self.sets.iter().map(|(name, set)| (hash(name), *set)).collect(),
            dictionary: self.dictionary,
            sets_of_aliases,
            force_nouns,
            roles: self.roles,
            frames_by_tag,
            frames: self.frames,
            particles: self.particles,
            place_sets,
            zone_sets,
            zones: self.zones,
            veto: self.veto.unwrap_or_default(),
        })
    }
}

/// Two sets that must be there for a combination: it has that many.
fn pair(combination: &Combination) -> [usize; 2] {
    let mut sets = combination.required.iter().copied().cycle();
    [(); 2].map(|()| sets.next().unwrap_or_default())
}
