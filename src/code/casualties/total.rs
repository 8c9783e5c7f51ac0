//! From the counts of sentences to those of an article: what is said twice is given once, and what is
//! counted twice says so.
//!
//! An article gives the number of an event more than once: rounded in the headline, exactly in the lead,
//! by place further down, and anew when it has grown. Of each kind there is one total; smaller numbers of
//! other sentences are a part of it, unless the text says that they come on top ("also", "another") or
//! their sides differ. An older total is a part of the newer one, which supersedes it.

use cw_model::{Casualties, CasualtyKind, CasualtyScope, CasualtySide, Field};

use super::claim::Count;
use super::role::What;
use super::text::Text;

/// Counts kept for one article; a list of hundreds of incidents is not an article.
const COUNTS_MAX: usize = 50;

/// Spans of evidence kept for one count.
const EVIDENCE_MAX: usize = 10;

/// The counts of an article so far.
#[derive(Debug, Default)]
pub(super) struct Totals {
    counts: Vec<Casualties>,
    /// One for each count.
    told: Vec<Place>,
}

/// How a sentence tells its counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    /// Its index.
    pub(super) index: usize,
    /// Where it stands.
    pub(super) field: Field,
    /// On top of what was told before.
    pub(super) adds: bool,
    /// First the sum, and then what it is the sum of.
    pub(super) is_sum: bool,
}

/// How one count was told.
#[derive(Clone, Copy, Debug)]
struct Place {
    sentence: Told,
    /// As a total.
    is_toll: bool,
    /// Together with another kind.
    is_joint: bool,
}

impl Totals {
    /// Adds the counts of a sentence, parts after those they are a part of.
    pub(super) fn add(
        &mut self,
        text: &Text<'_, '_>,
        counts: &[(Count, CasualtyScope)],
        sentence: Told,
    ) {
        let mut added: Vec<Vec<Option<usize>>> = Vec::new();
        for (count, scope) in counts {
            let is_joint = count.what == What::KilledOrWounded;
            let place = Place { sentence, is_toll: count.is_toll, is_joint };
            let whole = count.part_of.and_then(|whole| added.get(whole)).cloned();
            let mut places = Vec::new();
            for (index, kind) in count.what.kinds().iter().enumerate() {
                let of = whole.as_ref().and_then(|whole| whole.get(index)).copied().flatten();
                let is_lost = count.part_of.is_some() && of.is_none();
                let mut added = || self.add_one(text, count, (*kind, *scope), of, place);
                places.push(if is_lost { None } else { added() });
            }
            added.push(places);
        }
    }

    /// Adds one count, or its evidence to the same one, and says where it stands.
    fn add_one(
        &mut self,
        text: &Text<'_, '_>,
        count: &Count,
        (kind, scope): (CasualtyKind, CasualtyScope),
        part_of: Option<usize>,
        told: Place,
    ) -> Option<usize> {
        let evidence = text.document.evidence(&count.tokens)?;
        // Nobody knows how many of a joint number died: perhaps all, perhaps none.
        let low = if told.is_joint { Some(0) } else { count.low };
        text.compared(self.counts.len());
        let same = self.counts.iter().zip(&self.told).position(|(known, known_told)| {
            let is_bound_only = known.high.is_none() || count.high.is_none();
            let bounds = known.high == count.high
                || (is_bound_only
                    && low.is_some()
                    && known_told.sentence.index != told.sentence.index);
            (known.kind, known.low, known.scope, known.part_of) == (kind, low, scope, part_of)
                && bounds
                && known_told.is_joint == told.is_joint
                && can_be_same(known.side, count.side)
        });
        if let Some(index) = same {
            if let Some(known) = self.counts.get_mut(index)
                && known.evidence.len() < EVIDENCE_MAX
            {
                known.evidence.push(evidence);
            }
            return Some(index);
        }
        if self.counts.len() >= COUNTS_MAX {
            return None;
        }
        self.counts.push(Casualties {
            kind,
            low,
            high: count.high,
            scope,
            side: count.side,
            part_of,
            supersedes: None,
            evidence: vec![evidence],
        });
        self.told.push(told);
        Some(self.counts.len() - 1)
    }

    /// The counts, linked.
    pub(super) fn finish(mut self) -> Vec<Casualties> {
        let kinds = [
            CasualtyKind::Killed,
            CasualtyKind::Wounded,
            CasualtyKind::Missing,
            CasualtyKind::Displaced,
            CasualtyKind::Detained,
        ];
        for kind in kinds {
            self.link(kind);
        }
        self.counts
    }

    /// Of counts of one kind, the one that has the others in it, if any has: the largest new total, else what
    /// is told first, in the headline or, where that tells only some of it, in the lead.
    fn total_of(&self, indexes: &[usize]) -> Option<usize> {
        let all = || indexes.iter().filter_map(|index| Some((*index, self.counts.get(*index)?)));
        let told = |index: usize| self.told.get(index);
        let updates = || all().filter(|(_index, count)| count.scope == CasualtyScope::Update);
        let is_toll = |index: usize| told(index).is_some_and(|told| told.is_toll);
        // A toll grows, and that of one town is told beside that of the country: the largest has all.
        let size = |count: &Casualties| count.low.max(count.high);
        let newest = updates().filter(|(index, _count)| is_toll(*index));
        let newest = newest.max_by_key(|(_index, count)| size(count));
        if let Some((index, _count)) = newest.or_else(|| updates().next_back()) {
            return Some(index);
        }
        let (first, headline) = all().next()?;
        let is_title =
            |index: usize| told(index).is_some_and(|told| told.sentence.field == Field::Title);
        let lead = all().find(|(index, _count)| !is_title(*index)).filter(|(_index, lead)| {
            let is_larger = lead.low.max(lead.high) > headline.low.max(headline.high);
            is_larger && (lead.side.is_none() || lead.side == headline.side)
        });
        match lead {
            Some((lead, _count)) if is_title(first) => Some(lead),
            Some(_) | None => Some(first),
        }
    }

    /// Finds the total of a kind, and says what is a part of it.
    fn link(&mut self, kind: CasualtyKind) {
        let of_event = |(index, (count, told)): (usize, (&Casualties, &Place))| {
            let is_news = matches!(count.scope, CasualtyScope::Event | CasualtyScope::Update);
            let own = count.kind == kind && is_news && count.part_of.is_none() && !told.is_joint;
            own.then_some(index)
        };
        let all = self.counts.iter().zip(&self.told).enumerate();
        let indexes: Vec<usize> = all.filter_map(of_event).collect();
        let Some(total) = self.total_of(&indexes) else { return };
        let Some((whole, whole_told)) = self.counts.get(total).zip(self.told.get(total)) else {
            return;
        };
        let (whole, whole_told) = (whole.clone(), *whole_told);
        let is_new = whole.scope == CasualtyScope::Update;
        let mut older = None;
        let mut follows_part = false;
        for index in indexes.into_iter().filter(|index| *index != total) {
            let Some((count, told)) = self.counts.get_mut(index).zip(self.told.get(index)) else {
                continue;
            };
            let elsewhere = told.sentence.index != whole_told.sentence.index
                || whole_told.sentence.is_sum
                || is_new;
            let is_smaller = count.low.max(count.high) <= whole.low.max(whole.high);
            let of_side = whole.side.is_none() || whole.side == count.side;
            // "One strike killed six, another five": what follows a part is a part as well.
            let adds = told.sentence.adds && !is_new && !follows_part;
            follows_part = elsewhere && is_smaller && of_side && !adds;
            if follows_part {
                count.part_of = Some(total);
                let is_total = told.is_toll || count.scope == CasualtyScope::Update;
                older = Some(index).filter(|_index| is_new && is_total).or(older);
            }
        }
        if let Some(whole) = self.counts.get_mut(total) {
            whole.supersedes = older;
        }
    }
}

/// Whether people of these sides can be the same.
fn can_be_same(first: Option<CasualtySide>, second: Option<CasualtySide>) -> bool {
    first.is_none() || second.is_none() || first == second
}
