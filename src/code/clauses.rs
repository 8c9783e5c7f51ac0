//! Who does what to whom in a clause: subject and object of a verb, who stands before a noun of action,
//! after "by", "on" or "between"; and who is accused by whom.
//!
//! It reads a sentence by where actors stand around a predicate, and leaves open what that does not make
//! plain. The words are data: frames (which verbs and nouns, and what their subject and object are) and the
//! particles of the language. The order is subject, verb, object; a language with another has no frames.

use std::ops::Range;

use cw_model::{ActorKind, RoleKind};

use super::actors::{Form, Spelling};
use super::lexicon::{Frame, Lexicon, Particles};
use super::names::Mention;
use super::segment::Document;
use super::sets::contains_any;
use super::spans::{Hit, Sorted, sentence_of};

/// Words between a verb and its subject.
const SUBJECT_REACH: usize = 10;
/// Words between a noun of action and who stands before it: "Israeli naval artillery strike".
const NOUN_REACH: usize = 3;
/// Words between a verb and its object, and from a predicate to the end of what is read after it.
const OBJECT_REACH: usize = 4;
const PHRASE_REACH: usize = 9;
/// Words from a preposition to the actor it leads to: "on the main base of".
const LED_REACH: usize = 3;
/// Words between a reason and the predicate that it is about.
const NEIGHBOUR_REACH: usize = 8;
/// So much further off a noun counts as than a verb.
const NOUN_BEHIND: usize = 3;
/// The longest phrase that is looked for backwards.
const PHRASE_WORDS_MAX: usize = 5;
/// Actors in one list ("Britain, France and Italy").
const LIST_MAX: usize = 8;

/// Gives a reason the roles that its clause makes plain.
pub(super) fn add_clause_roles(
    hit: &mut Hit,
    lexicon: &Lexicon,
    sorted: &Sorted,
    document: &Document<'_>,
) {
    let Some(particles) = &lexicon.particles else { return };
    let Some(sentence) = sentence_of(document, &hit.tokens) else { return };
    let first = sorted.mentions.partition_point(|mention| mention.tokens.end <= sentence.start);
    let mentions = sorted.mentions.get(first..).unwrap_or_default();
    let count = mentions.partition_point(|mention| mention.tokens.start < sentence.end);
    let mentions = mentions.get(..count).unwrap_or_default();
    if mentions.is_empty() {
        return;
    }
    let clause = Reading { lexicon, particles, sorted, document, sentence, mentions };
    let mut found = Roles::default();
    for frame in lexicon.frames_of(hit.tag) {
        let given = clause.read_frame(frame, &hit.tokens);
        // Frames that come first are surer.
        let known: Vec<RoleKind> = found.given.iter().map(|(role, _entry)| *role).collect();
        for (role, entry) in given {
            if !known.contains(&role) {
                found.give(role, entry);
            }
        }
    }
    let mut of_tag = lexicon.frames_of(hit.tag);
    let attack = of_tag.clone().find(|frame| frame.subject == Some(RoleKind::Attacker));
    if let Some(frame) = attack.or_else(|| of_tag.next()) {
        clause.read_accusation(frame, &hit.tokens, &mut found);
    }
    clause.read_bystanders(lexicon.frames_of(hit.tag), &mut found);
    // What the clause makes plain is known better than what a pattern says.
    hit.roles.retain(|(role, entry)| {
        !found.given.iter().any(|(known, other)| known == role || other == entry)
            && !found.no_part.contains(entry)
    });
    hit.roles.extend(found.given);
}

/// What a sentence says of who has which role.
#[derive(Default)]
struct Roles {
    given: Vec<(RoleKind, usize)>,
    /// Who only tells of it.
    no_part: Vec<usize>,
}

impl Roles {
    /// Nobody is both: what is read first stands nearer.
    fn give(&mut self, role: RoleKind, entry: usize) {
        if !self.given.iter().any(|(_role, known)| *known == entry) {
            self.given.push((role, entry));
        }
    }

    fn give_all(&mut self, role: Option<RoleKind>, actors: &[Mention]) {
        for actor in actors {
            if let Some(role) = role {
                self.give(role, actor.entry);
            }
        }
    }

    fn has(&self, role: Option<RoleKind>) -> bool {
        self.given.iter().any(|(known, _entry)| Some(*known) == role)
    }
}

/// What a predicate is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Voice {
    Active,
    Passive,
    Noun,
    /// "strikes": a noun and a verb.
    Either,
}

struct Predicate {
    tokens: Range<usize>,
    voice: Voice,
}

/// What leads to an actor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lead {
    Direct,
    Agent,
    Onto,
    Beside,
    Elsewhere,
}

/// Who stands around a predicate.
#[derive(Default)]
struct Sides {
    subjects: Vec<Mention>,
    objects: Vec<Mention>,
    beside: Vec<Mention>,
}

impl Sides {
    /// Adds who stands after a predicate.
    fn add(&mut self, lead: Lead, voice: Voice, mentions: Vec<Mention>) {
        match lead {
            Lead::Agent => self.subjects.extend(mentions),
            Lead::Beside => self.beside.extend(mentions),
            Lead::Onto => self.objects.extend(mentions),
            Lead::Direct if voice != Voice::Passive => self.objects.extend(mentions),
            Lead::Direct | Lead::Elsewhere => {}
        }
    }
}

/// One sentence being read.
struct Reading<'a> {
    lexicon: &'a Lexicon,
    particles: &'a Particles,
    sorted: &'a Sorted,
    document: &'a Document<'a>,
    sentence: Range<usize>,
    mentions: &'a [Mention],
}

impl<'a> Reading<'a> {
    /// The predicates of a frame that a reason is about: those within it, else the nearest.
    fn predicates(&self, frame: &Frame, hit: &Range<usize>) -> Vec<Predicate> {
        let sets = [frame.verbs, frame.suffered, frame.nouns];
        let near = hit.start.saturating_sub(NEIGHBOUR_REACH).max(self.sentence.start)
            ..(hit.end + NEIGHBOUR_REACH).min(self.sentence.end);
        let mut spans: Vec<Range<usize>> = Vec::new();
        for set in sets.into_iter().flatten() {
            let matches = self.sorted.set(set);
            let at = matches.partition_point(|found| found.start < near.start);
            let here = matches.get(at..).unwrap_or_default().iter();
            spans.extend(here.take_while(|found| found.start < near.end).cloned());
        }
        spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        spans.dedup_by(|later, earlier| later.start < earlier.end);
        let mut predicates: Vec<Predicate> =
            spans.into_iter().map(|tokens| self.predicate(frame, tokens)).collect();
        // A verb near by says more than a noun that is a part of it: "vetoes UN *resolution*".
        predicates.sort_by_key(|predicate| {
            let Range { start, end } = predicate.tokens;
            let gap = start.saturating_sub(hit.end).max(hit.start.saturating_sub(end));
            gap + if predicate.voice == Voice::Noun { NOUN_BEHIND } else { 0 }
        });
        predicates
    }

    /// What a frame says of who has which role, by the predicates near a reason.
    fn read_frame(&self, frame: &Frame, hit: &Range<usize>) -> Vec<(RoleKind, usize)> {
        let mut whole = Roles::default();
        let (mut has_subject, mut has_object) = (false, false);
        for predicate in self.predicates(frame, hit) {
            let sides = self.read(frame, &predicate);
            if !has_subject {
                has_subject = !sides.subjects.is_empty();
                whole.give_all(frame.subject, &sides.subjects);
            }
            if !has_object {
                has_object = !sides.objects.is_empty();
                whole.give_all(frame.object, &sides.objects);
            }
            whole.give_all(frame.beside, &sides.beside);
        }
        whole.given
    }

    fn predicate(&self, frame: &Frame, tokens: Range<usize>) -> Predicate {
        let is_of = |set: Option<usize>| set.is_some_and(|set| self.is_match(set, &tokens));
        let particles = self.particles;
        let is_undergone = || {
            let after = self.word_after(tokens.end);
            self.ends(particles.be, tokens.start)
                || self.ends(particles.be, tokens.start.saturating_sub(1))
                || self.begins(particles.agent, tokens.end)
                || self.is_match(particles.participles, &tokens)
                    && (after.is_none() || self.begins(particles.after_participle, tokens.end))
        };
        let voice = match (is_of(frame.verbs), is_of(frame.nouns)) {
            _ if is_of(frame.suffered) => Voice::Passive,
            (true, _) if is_undergone() => Voice::Passive,
            (true, true) => Voice::Either,
            (true, false) => Voice::Active,
            (false, _) => Voice::Noun,
        };
        Predicate { tokens, voice }
    }

    fn read(&self, frame: &Frame, predicate: &Predicate) -> Sides {
        let mut sides = Sides::default();
        let before = self.before(predicate);
        match predicate.voice {
            Voice::Passive => sides.objects = before,
            Voice::Active | Voice::Noun | Voice::Either => sides.subjects = before,
        }
        self.read_after(frame, predicate, &mut sides);
        Sides {
            subjects: self.of_set(frame.subjects, sides.subjects),
            objects: self.of_set(frame.objects, sides.objects),
            beside: self.of_set(frame.subjects, sides.beside),
        }
    }

    /// Who stands before a predicate as its subject, or as the one it befalls.
    fn before(&self, predicate: &Predicate) -> Vec<Mention> {
        let Range { start, .. } = predicate.tokens;
        // The predicate may be the first word after the actor, or a part of the words that name it ("Ukrainian drones").
        let noun = matches!(predicate.voice, Voice::Noun | Voice::Either);
        let reach = if noun { NOUN_REACH } else { SUBJECT_REACH };
        let mut at = start;
        while at > self.sentence.start && start - at <= reach {
            if let Some(index) = self.mention_ending(at, start) {
                let list = self.list_before(index);
                let (Some(first), Some(last)) = (list.first(), list.last()) else { break };
                let is_led = self.is_led(first.tokens.start);
                let is_close = start.saturating_sub(last.tokens.end) < NOUN_REACH;
                let is_of_noun = noun && is_close && self.qualifies(last, first.tokens.start);
                if is_of_noun
                    || !noun && !is_led && !self.begins(self.particles.backed, last.tokens.end)
                {
                    return list;
                }
                if noun && !is_led {
                    break;
                }
                at = first.tokens.start;
                continue;
            }
            let is_own = self.begins(self.particles.own, at) && at < start;
            if self.ends(self.particles.said, at) && !is_own
                || self.ends(self.particles.breaks, at)
                || noun && self.ends(self.particles.led, at)
                || !self.is_one_clause(at - 1, start)
            {
                break;
            }
            at -= 1;
        }
        Vec::new()
    }

    /// Whether the name of an actor, the last of a list that begins at `start`, says whose action the noun after it is. A place says where: "killed in Mali attack".
    fn qualifies(&self, mention: &Mention, start: usize) -> bool {
        let dictionary = self.lexicon.dictionary.as_ref();
        let kind =
            dictionary.and_then(|all| all.entries.get(mention.entry)).map(|entry| entry.kind);
        let alias = dictionary.and_then(|all| all.aliases.get(mention.alias));
        // "US" is said of an action as "American" is.
        let is_short = alias.is_some_and(|alias| alias.spelling == Spelling::Capitals);
        match (mention.form, kind) {
            _ if mention.is_force || is_short => true,
            (Form::Metonym, _) | (_, Some(ActorKind::Region)) => false,
            (Form::Name, Some(ActorKind::State)) => !self.is_led(start),
            (Form::Name | Form::Demonym, _) => true,
        }
    }

    fn read_after(&self, frame: &Frame, predicate: &Predicate, sides: &mut Sides) {
        let Range { end, .. } = predicate.tokens;
        let limit = match predicate.voice {
            Voice::Active => OBJECT_REACH,
            Voice::Either => 1,
            Voice::Noun | Voice::Passive => 0,
        };
        let mut lead = (Lead::Direct, end);
        let mut at = end;
        let last = self.sentence.end.min(end + PHRASE_REACH);
        while at < last {
            if at > end && !self.is_one_clause(end - 1, at)
                || self.begins(self.particles.breaks, at)
            {
                break;
            }
            if let Some((kind, words)) = self.lead_at(frame, at) {
                lead = (kind, at + words);
                at += words;
                continue;
            }
            if let Some(index) = self.mention_beginning(at) {
                let list = self.list_after(index);
                let (Some(first), Some(closing)) = (list.first(), list.last()) else { break };
                let next = closing.tokens.end;
                if self.begins(self.particles.said, next) {
                    break;
                }
                let is_near = at - lead.1 <= if lead.0 == Lead::Direct { limit } else { LED_REACH };
                let is_meant = !self.begins(self.particles.backed, first.tokens.end);
                if is_near && is_meant && (lead.0 != Lead::Direct || limit > 0) {
                    sides.add(lead.0, predicate.voice, list);
                }
                // What follows is led by something of its own.
                lead = if lead.0 == Lead::Direct { (Lead::Elsewhere, next) } else { lead };
                at = next;
                continue;
            }
            if self.begins(self.particles.said, at) {
                break;
            }
            at += 1;
        }
    }

    /// "X accuses Y of", "Y is accused of".
    fn read_accusation(&self, frame: &Frame, hit: &Range<usize>, found: &mut Roles) {
        let particles = self.particles;
        for (set, is_active) in [(particles.accuses, true), (particles.accused, false)] {
            let matches = self.sorted.set(set);
            let at = matches.partition_point(|words| words.start < self.sentence.start);
            let here = matches.get(at..).unwrap_or_default();
            let Some(words) = here.iter().take_while(|words| words.start < hit.end).last() else {
                continue;
            };
            let before = self.before(&Predicate { tokens: words.clone(), voice: Voice::Active });
            if !is_active {
                found.give_all(frame.subject, &self.of_set(frame.subjects, before));
                continue;
            }
            let next = (words.end..words.end + LED_REACH).find_map(|at| self.mention_beginning(at));
            let accused = next.map(|index| self.list_after(index)).unwrap_or_default();
            if accused.is_empty() {
                continue;
            }
            let ids: Vec<usize> = before.iter().map(|mention| mention.entry).collect();
            found.given.retain(|(_role, entry)| !ids.contains(entry));
            found.give_all(Some(RoleKind::Accuser), &before);
            if !found.has(frame.subject) {
                found.given.retain(|(_role, entry)| {
                    !accused.iter().any(|mention| mention.entry == *entry)
                });
                found.give_all(frame.subject, &self.of_set(frame.subjects, accused));
            }
        }
    }

    /// Who stands before a word of saying only tells of it, and who stands after a preposition of place is only
    /// where it is, unless something else is said of them.
    fn read_bystanders<'f>(&self, frames: impl Iterator<Item = &'f Frame>, found: &mut Roles) {
        let onto: Vec<usize> = frames.filter_map(|frame| frame.onto).collect();
        for mention in self.mentions {
            let Range { start, end } = mention.tokens;
            let speaks =
                self.begins(self.particles.said, end) || self.begins(self.particles.accuses, end);
            let is_place = self.is_led(start)
                && !self.ends(self.particles.agent, start)
                && !self.ends(self.particles.beside, start)
                && !onto.iter().any(|set| self.ends(*set, start))
                || self.begins(self.particles.backed, end);
            let given = found.given.iter().any(|(_role, entry)| *entry == mention.entry);
            if (speaks || is_place) && !given {
                found.no_part.push(mention.entry);
            }
        }
    }

    fn of_set(&self, set: usize, mut mentions: Vec<Mention>) -> Vec<Mention> {
        let all = self.sorted.set(set);
        mentions.retain(|mention| contains_any(all, &mention.tokens));
        mentions
    }

    /// What a preposition at a word leads to, and how many words it has.
    fn lead_at(&self, frame: &Frame, at: usize) -> Option<(Lead, usize)> {
        let of = |lead: Lead, set: Option<usize>| {
            let words = self.longest(set?, at)?;
            Some((lead, words))
        };
        let leads = [
            of(Lead::Onto, frame.onto),
            of(Lead::Agent, Some(self.particles.agent)),
            of(Lead::Beside, Some(self.particles.beside)),
            of(Lead::Elsewhere, Some(self.particles.led)),
        ];
        // Of equally long ones the first.
        leads.into_iter().flatten().rev().max_by_key(|(_lead, words)| *words)
    }

    /// The list of actors that ends with a mention.
    fn list_before(&self, index: usize) -> Vec<Mention> {
        let mut first = index;
        let mut joined = false;
        while let Some(earlier) = first.checked_sub(1).filter(|_earlier| index - first < LIST_MAX) {
            match self.joint(earlier, first) {
                Some(Joint::And) => joined = true,
                Some(Joint::Comma) if joined => {}
                Some(Joint::Comma) | None => break,
            }
            first = earlier;
        }
        self.mentions.get(first..=index).unwrap_or_default().to_vec()
    }

    /// The list of actors that begins with a mention.
    fn list_after(&self, index: usize) -> Vec<Mention> {
        let mut end = index + 1;
        let mut sure = end;
        while end < self.mentions.len() && end - index < LIST_MAX {
            match self.joint(end - 1, end) {
                Some(Joint::And) => sure = end + 1,
                Some(Joint::Comma) => {}
                None => break,
            }
            end += 1;
        }
        self.mentions.get(index..sure).unwrap_or_default().to_vec()
    }

    /// What joins two mentions that follow each other.
    fn joint(&self, earlier: usize, later: usize) -> Option<Joint> {
        let (earlier, later) = (self.mentions.get(earlier)?, self.mentions.get(later)?);
        let (start, end) = (earlier.tokens.end, later.tokens.start);
        if start == end {
            let is_list = !self.is_one_clause(start.checked_sub(1)?, end);
            return is_list.then_some(Joint::Comma);
        }
        // "Israeli and Palestinian", "Israeli negotiators and Hamas".
        let joins = |from: usize| {
            self.longest(self.particles.joins, from).is_some_and(|words| from + words == end)
        };
        let plain = || {
            joins(start + 1)
                && ![self.particles.led, self.particles.said, self.particles.breaks]
                    .iter()
                    .any(|set| self.begins(*set, start))
        };
        (joins(start) || plain()).then_some(Joint::And)
    }

    /// The mention that ends right before a word, or holds a part of what begins there ("Ukrainian drones hit").
    fn mention_ending(&self, at: usize, start: usize) -> Option<usize> {
        let after = self.mentions.partition_point(|mention| mention.tokens.start < at);
        let index = after.checked_sub(1)?;
        let mention = self.mentions.get(index)?;
        (mention.tokens.end == at || at == start && mention.tokens.end > at).then_some(index)
    }

    fn mention_beginning(&self, at: usize) -> Option<usize> {
        let index = self.mentions.partition_point(|mention| mention.tokens.start < at);
        self.mentions.get(index).filter(|mention| mention.tokens.start == at)?;
        Some(index)
    }

    /// Whether a preposition leads to what begins at a word, with or without an article between.
    fn is_led(&self, at: usize) -> bool {
        let mut at = at;
        for _word in 0..3 {
            if self.ends(self.particles.led, at)
                || self.ends(self.particles.agent, at)
                || self.ends(self.particles.beside, at)
            {
                return true;
            }
            if at <= self.sentence.start || !self.ends(self.particles.articles, at) {
                return false;
            }
            at -= 1;
        }
        false
    }

    fn is_match(&self, set: usize, tokens: &Range<usize>) -> bool {
        let matches = self.sorted.set(set);
        let at = matches.partition_point(|found| found.start < tokens.start);
        let mut here = matches.iter().skip(at).take_while(|found| found.start == tokens.start);
        here.any(|found| found.end == tokens.end)
    }

    fn begins(&self, set: usize, at: usize) -> bool {
        self.longest(set, at).is_some()
    }

    /// How many words the longest match has that begins at a word.
    fn longest(&self, set: usize, at: usize) -> Option<usize> {
        let matches = self.sorted.set(set);
        let first = matches.partition_point(|found| found.start < at);
        let here = matches.get(first..)?.iter().take_while(|found| found.start == at);
        here.map(ExactSizeIterator::len).max()
    }

    /// Whether a match ends right before a word.
    fn ends(&self, set: usize, at: usize) -> bool {
        let matches = self.sorted.set(set);
        let first =
            matches.partition_point(|found| found.start < at.saturating_sub(PHRASE_WORDS_MAX));
        let mut near = matches.iter().skip(first).take_while(|found| found.start < at);
        near.any(|found| found.end == at)
    }

    fn word_after(&self, at: usize) -> Option<usize> {
        (at < self.sentence.end && self.is_one_clause(at.checked_sub(1)?, at)).then_some(at)
    }

    fn is_one_clause(&self, one: usize, other: usize) -> bool {
        let clause = |at: usize| self.document.tokens.get(at).map(|token| token.clause);
        clause(one) == clause(other)
    }
}

/// What stands between two actors of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    And,
    Comma,
}
