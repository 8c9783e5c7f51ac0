//! Which of the places of one name is meant.
//!
//! A place that stands inside another one beside it ("Moscow, Idaho") settles both. Else each candidate has a
//! weight: how large it is, whether the text names its country or region, and how near it is to what else
//! is named. Two rounds, because the others become clearer too.

use std::collections::BTreeMap;

use crate::gazetteer::{CountryId, Gazetteer, PlaceId, PlaceKind, Row};
use crate::mentions::{Candidate, Mention};
use crate::roles::{Bearing, Doubt, Role, Setting};
use crate::text::Text;

/// How much each thing speaks for a candidate. The unit is a factor of ten in people.
mod weight {
    /// A country, as such; one has as much as a city of ten million.
    pub(super) const COUNTRY: f64 = 8.0;
    /// A region, beside its size.
    pub(super) const REGION: f64 = 0.9;
    /// The capital of a country.
    pub(super) const CAPITAL: f64 = 0.3;
    /// Between a region and the city in it that has its name, the city is meant.
    pub(super) const CITY_OF_REGION: f64 = 0.1;
    /// What was written into the gazetteer by hand, because news names it.
    pub(super) const OTHER: f64 = 0.0;
    /// It is called otherwise, and this is another name of it.
    pub(super) const OTHER_NAME: f64 = -1.2;
    /// Its country is named.
    pub(super) const COUNTRY_NAMED: f64 = 1.2;
    /// Its region is named.
    pub(super) const REGION_NAMED: f64 = 2.5;
    /// It is a region, and a place inside is named.
    pub(super) const INSIDE_NAMED: f64 = 2.5;
    /// The text is about its country, by most of what is named.
    pub(super) const COUNTRY_FOCUS: f64 = 2.0;
    /// Other names of the text may lie in its region, by as much of them as may.
    pub(super) const REGION_FOCUS: f64 = 3.0;
    /// A neighbour of its country is named.
    pub(super) const NEIGHBOUR_NAMED: f64 = 0.3;
    /// The feed comes from its country.
    pub(super) const FEED: f64 = 1.0;
    /// Another named place is right beside it; half of that at `HALF_KM`.
    pub(super) const NEAR: f64 = 2.2;
    /// All places near it together at most.
    pub(super) const NEAR_MAX: f64 = 4.4;
}

/// At this distance a place speaks half as much for another one.
const HALF_KM: f64 = 60.0;

/// Further north or south, nothing speaks for anything; measuring would cost most of the time.
const FAR_DEGREES: f64 = 4.0;

/// A second-level division, a quarter or a camp is this near to a place inside, at most.
const INSIDE_KM: f64 = 80.0;

/// People (decimal logarithm) of a place that is known without anything that speaks for it.
const KNOWN: f64 = 4.0;

/// The same of one that is called otherwise in the gazetteer.
const KNOWN_OTHERWISE: f64 = 5.0;

/// Rounds of weighing.
const ROUNDS: usize = 3;

/// Names of a text that are weighed against each other, and candidates of each.
const NAMES_MAX: usize = 30;
const COMPARED_MAX: usize = 8;

/// What a mention means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolved {
    pub(crate) id: PlaceId,
    pub(crate) row: Row,
}

/// One name of the text, with all its mentions: in one text a name has one meaning.
struct Name {
    mentions: Vec<usize>,
    candidates: Vec<Weighed>,
    /// What stands beside it settled it.
    settled: Option<Candidate>,
}

impl Name {
    /// How much its mentions count together.
    fn times(&self) -> f64 {
        f64::from(u8::try_from(self.mentions.len()).unwrap_or(u8::MAX)).sqrt()
    }
}

#[derive(Clone, Copy)]
struct Weighed {
    of: Candidate,
    base: f64,
    weight: f64,
    /// Whether anything but its size speaks for it.
    supported: bool,
}

/// What each mention means; `None` for no place, or for one that nothing in the text speaks for.
pub(crate) fn resolve(
    gazetteer: &Gazetteer,
    text: &Text<'_>,
    mentions: &[Mention],
    settings: &[Setting],
) -> Vec<Option<Resolved>> {
    let pairs = containments(text, mentions, settings);
    let mut names = names(text, mentions, settings, &pairs.found);
    let is_unknown = |name: &Name| name.mentions.iter().any(|of| pairs.unknown.contains(of));
    names.retain(|name| name.settled.is_some() || !is_unknown(name));
    let mut counted = Counted::default();
    counted.hints(gazetteer, text);
    for _ in 0..ROUNDS {
        let standings: Vec<Standing> = names.iter().map(Standing::of).collect();
        let before = counted.with(&names, &standings);
        weigh(gazetteer, &mut names, &standings, &before);
    }
    let mut resolved = vec![None; mentions.len()];
    for name in &names {
        let best = best(name);
        let settings = || name.mentions.iter().filter_map(|mention| settings.get(*mention));
        let is_sure =
            name.settled.is_some() || settings().any(|of| of.bearing == Bearing::Locative);
        let is_place = |best: &Weighed| {
            let known = if best.of.name.is_main() { KNOWN } else { KNOWN_OTHERWISE };
            let is_known = best.of.row.size >= known || best.of.row.kind != PlaceKind::City;
            match settings().map(|of| of.doubt).reduce(least) {
                _ if is_sure => {
                    name.settled.is_some() || is_known || best.of.name.is_main() || best.supported
                }
                Some(Doubt::None) => is_known || best.supported,
                Some(Doubt::Slight) => best.supported,
                Some(Doubt::Strong) | None => false,
            }
        };
        for mention in &name.mentions {
            let place = best.filter(is_place);
            if let (Some(slot), Some(place)) = (resolved.get_mut(*mention), place) {
                *slot = Some(Resolved { id: place.of.id, row: place.of.row });
            }
        }
    }
    resolved
}

fn least(one: Doubt, other: Doubt) -> Doubt {
    match (one, other) {
        (Doubt::None, _) | (_, Doubt::None) => Doubt::None,
        (Doubt::Slight, _) | (_, Doubt::Slight) => Doubt::Slight,
        (Doubt::Strong, Doubt::Strong) => Doubt::Strong,
    }
}

fn best(name: &Name) -> Option<Weighed> {
    if let Some(of) = name.settled {
        return Some(Weighed { of, base: 0.0, weight: 0.0, supported: true });
    }
    name.candidates
        .iter()
        .copied()
        .reduce(|best, other| if other.weight > best.weight { other } else { best })
}

/// Pairs of mentions of which the first lies in the second, with what both mean.
struct Containment {
    inner: usize,
    outer: usize,
    inner_is: Candidate,
    outer_is: Candidate,
}

/// What lies in what by the text.
struct Containments {
    found: Vec<Containment>,
    /// Mentions that the text puts into a country where no place of the name is known: "Palma in Mozambique". Any
    /// other place of the name would be the wrong one.
    unknown: Vec<usize>,
}

/// "Moscow, Idaho"; "Aleppo in Syria"; "Nigeria's Borno".
fn containments(text: &Text<'_>, mentions: &[Mention], settings: &[Setting]) -> Containments {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    let both = mentions.windows(2).zip(settings.windows(2)).enumerate();
    for (index, (pair, roles)) in both {
        let ([first, second], [one, other]) = (pair, roles) else { continue };
        let is_place =
            |of: &Setting| matches!(of.role, Role::Place | Role::Dateline | Role::Government);
        if !is_place(one) || !is_place(other) {
            continue;
        }
        let between = first.tokens.end..second.tokens.start;
        let Some(next) = text.next(first.tokens.end) else { continue };
        if text.token(second.tokens.start).map(|token| token.sentence) != Some(next.sentence) {
            continue;
        }
        let words: Vec<&str> =
            between.clone().filter_map(|at| text.token(at)).map(|token| token.plain).collect();
        let gap = next.gap.trim();
        let (inner, outer) = match (&*words, gap) {
            ([], "," | "(" | ", (") | (["in"] | ["in", "the"] | ["in", _], "" | ",") => {
                (index, index + 1)
            }
            ([], "'s" | "’s" | "'" | "’") | ([_], "'s" | "’s") => (index + 1, index),
            ([], "") => (index, index + 1),
            _ => continue,
        };
        let (Some(inside), Some(outside)) = (mentions.get(inner), mentions.get(outer)) else {
            continue;
        };
        // "Paris Texas" says enough of a country or region; "Paris Rome" says nothing.
        let may_be_outer = |of: &&Candidate| {
            !(words.is_empty() && gap.is_empty()) || of.row.kind != PlaceKind::City
        };
        let outers = outside.candidates.iter().filter(may_be_outer);
        match best_pair(inside, outers) {
            Some((inner_is, outer_is)) => {
                found.push(Containment { inner, outer, inner_is, outer_is });
            }
            None if !words.is_empty()
                && gap.is_empty()
                && are_city_and_country(inside, outside) =>
            {
                unknown.push(inner);
            }
            None => {}
        }
    }
    Containments { found, unknown }
}

/// What both mean if the first lies in the second.
fn best_pair<'a>(
    inside: &Mention,
    outers: impl Iterator<Item = &'a Candidate>,
) -> Option<(Candidate, Candidate)> {
    let mut best: Option<(f64, Candidate, Candidate)> = None;
    for outer_is in outers {
        for inner_is in inside.candidates.iter().filter(|inner_is| contains(outer_is, inner_is)) {
            let weight = base(inner_is) + 0.5 * base(outer_is);
            if best.is_none_or(|(other, ..)| weight > other) {
                best = Some((weight, *inner_is, *outer_is));
            }
        }
    }
    best.map(|(_, inner_is, outer_is)| (inner_is, outer_is))
}

/// Whether the first can only be a city, and no capital, and the second is a country before all else.
fn are_city_and_country(inside: &Mention, outside: &Mention) -> bool {
    let is_small = |of: &Candidate| of.row.kind == PlaceKind::City && !of.name.is_capital();
    let is_country = |of: &Candidate| of.row.kind == PlaceKind::Country && of.name.is_main();
    inside.candidates.iter().all(is_small) && outside.candidates.iter().any(is_country)
}

fn contains(outer: &Candidate, inner: &Candidate) -> bool {
    if outer.id == inner.id || outer.row.country != inner.row.country {
        return false;
    }
    match (outer.row.kind, inner.row.kind) {
        (PlaceKind::Country, PlaceKind::Country) => false,
        (PlaceKind::Country, _) => true,
        (PlaceKind::Region, PlaceKind::City | PlaceKind::Other) => {
            inner.row.region == Some(outer.id)
                || (inner.row.region.is_none()
                    && kilometres(&outer.row, &inner.row) < 2.0 * INSIDE_KM)
        }
        (PlaceKind::Other, PlaceKind::City | PlaceKind::Other) => {
            outer.row.region == inner.row.region && kilometres(&outer.row, &inner.row) < INSIDE_KM
        }
        _ => false,
    }
}

fn base(of: &Candidate) -> f64 {
    let kind = match of.row.kind {
        PlaceKind::Country => weight::COUNTRY - of.row.size,
        PlaceKind::Region => weight::REGION - of.row.size * 0.25,
        PlaceKind::Other => weight::OTHER,
        PlaceKind::City if of.name.is_capital() => weight::CAPITAL,
        PlaceKind::City => 0.0,
    };
    let name = if of.name.is_main() || of.row.kind == PlaceKind::Country {
        0.0
    } else {
        weight::OTHER_NAME
    };
    of.row.size + kind + name
}

/// The same, where others have the name too.
fn base_beside(of: &Candidate, others: &[Candidate]) -> f64 {
    let is_its_city =
        |other: &&Candidate| other.row.kind == PlaceKind::City && other.row.region == Some(of.id);
    let cities = others.iter().filter(|_| of.row.kind == PlaceKind::Region).filter(is_its_city);
    cities.map(|city| base(city) - weight::CITY_OF_REGION).fold(base(of), f64::min)
}

fn names(
    text: &Text<'_>,
    mentions: &[Mention],
    settings: &[Setting],
    pairs: &[Containment],
) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    let written = |mention: &Mention| {
        let tokens = text.tokens.get(mention.tokens.clone()).unwrap_or_default();
        tokens.iter().map(|token| token.plain)
    };
    for (index, (mention, setting)) in mentions.iter().zip(settings).enumerate() {
        if setting.role == Role::Other {
            continue;
        }
        let is_same = |name: &Name| {
            let first = name.mentions.first().and_then(|first| mentions.get(*first));
            first.is_some_and(|first| written(first).eq(written(mention)))
        };
        let known = names.iter().position(is_same);
        let at = known.unwrap_or_else(|| {
            let weighed = |of: &Candidate| {
                let base = base_beside(of, &mention.candidates);
                Weighed { of: *of, base, weight: base, supported: false }
            };
            names.push(Name {
                mentions: Vec::new(),
                candidates: mention.candidates.iter().map(weighed).collect(),
                settled: None,
            });
            names.len() - 1
        });
        let Some(name) = names.get_mut(at) else { continue };
        name.mentions.push(index);
        for pair in pairs {
            if pair.inner == index {
                name.settled.get_or_insert(pair.inner_is);
            } else if pair.outer == index {
                name.settled.get_or_insert(pair.outer_is);
            }
        }
    }
    names
}

/// Countries and regions that the text speaks of, and how much.
#[derive(Clone, Default)]
struct Counted {
    feed: Option<CountryId>,
    named: BTreeMap<CountryId, f64>,
    regions: BTreeMap<PlaceId, f64>,
    /// How much of the names may lie in each region.
    shares: BTreeMap<PlaceId, f64>,
    focus: BTreeMap<CountryId, f64>,
    all: f64,
}

impl Counted {
    fn hints(&mut self, gazetteer: &Gazetteer, text: &Text<'_>) {
        self.feed = text.feed_country.and_then(|code| gazetteer.country(code));
        for country in text.demonyms.iter().filter_map(|code| gazetteer.country(code)) {
            self.named.insert(country, 1.0);
        }
    }

    /// With what the names mean by now.
    fn with(&self, names: &[Name], standings: &[Standing]) -> Self {
        let mut counted = self.clone();
        for (name, standing) in names.iter().zip(standings) {
            let Some(best) = standing.best else { continue };
            let certainty = standing.certainty;
            for (row, share) in
                standing.points.iter().filter(|(row, _)| row.kind == PlaceKind::City)
            {
                if let Some(region) = row.region {
                    *counted.shares.entry(region).or_default() += share;
                }
            }
            let Some(country) = best.of.row.country else { continue };
            match best.of.row.kind {
                PlaceKind::Country => {
                    counted.named.insert(country, certainty);
                }
                PlaceKind::Region => {
                    counted.regions.insert(best.of.id, certainty);
                    let of_country = counted.named.entry(country).or_default();
                    *of_country = of_country.max(0.7 * certainty);
                }
                PlaceKind::City | PlaceKind::Other => {
                    if let Some(region) =
                        best.of.row.region.filter(|_| name.settled.is_some() || certainty > 0.9)
                    {
                        let of_region = counted.regions.entry(region).or_default();
                        *of_region = of_region.max(0.5 * certainty);
                    }
                }
            }
            *counted.focus.entry(country).or_default() += certainty * name.times();
            counted.all += certainty * name.times();
        }
        counted
    }

    fn speaks_for(&self, gazetteer: &Gazetteer, row: &Row, own: f64, own_region: f64) -> f64 {
        let Some(country) = row.country else { return 0.0 };
        let named = self.named.get(&country).copied().unwrap_or_default();
        let region =
            row.region.and_then(|region| self.regions.get(&region)).copied().unwrap_or_default();
        let focus = (self.focus.get(&country).copied().unwrap_or_default() - own).max(0.0)
            / (self.all - own + 1.0).max(1.0);
        let shares = row.region.and_then(|region| self.shares.get(&region)).copied();
        let shares =
            (shares.unwrap_or_default() - own_region).max(0.0) / (self.all - own + 1.0).max(1.0);
        let neighbour = self.named.keys().any(|other| gazetteer.are_neighbours(*other, country));
        weight::COUNTRY_NAMED * if row.kind == PlaceKind::Country { 0.0 } else { named }
            + weight::REGION_NAMED * region
            + weight::COUNTRY_FOCUS * focus
            + weight::REGION_FOCUS * shares
            + if neighbour { weight::NEIGHBOUR_NAMED } else { 0.0 }
            + if self.feed == Some(country) { weight::FEED } else { 0.0 }
    }
}

/// How the candidates of a name stand before a round of weighing.
struct Standing {
    best: Option<Weighed>,
    /// How sure the best one is, 0 to 1.
    certainty: f64,
    /// Where the name may be, and how likely; likeliest first.
    points: Vec<(Row, f64)>,
}

impl Standing {
    fn of(name: &Name) -> Self {
        let best = best(name);
        if let Some(of) = name.settled {
            return Self { best, certainty: 1.0, points: vec![(of.row, 1.0)] };
        }
        let Some(top) = best else { return Self { best, certainty: 0.0, points: Vec::new() } };
        let shares = name.candidates.iter().map(|other| (other.weight - top.weight).exp());
        let mut points: Vec<(Row, f64)> =
            name.candidates.iter().map(|other| other.of.row).zip(shares).collect();
        let sum: f64 = points.iter().map(|(_, share)| *share).sum();
        points.retain_mut(|(row, share)| {
            *share /= sum;
            row.kind != PlaceKind::Country && *share > 0.02
        });
        points.sort_by(|one, other| other.1.total_cmp(&one.1));
        points.truncate(COMPARED_MAX);
        Self { best, certainty: 1.0 / sum.max(1.0), points }
    }
}

fn weigh(gazetteer: &Gazetteer, names: &mut [Name], standings: &[Standing], counted: &Counted) {
    // What is settled is not weighed.
    let unsettled = names.iter_mut().zip(standings).enumerate();
    for (index, (name, standing)) in unsettled.filter(|(_, (name, _))| name.settled.is_none()) {
        // All that it counted for, else a name that is repeated would speak for itself.
        let own = standing.certainty * name.times();
        let own_country = standing.best.and_then(|best| best.of.row.country);
        for candidate in &mut name.candidates {
            let row = candidate.of.row;
            let own = if row.country == own_country { own } else { 0.0 };
            let mut near = 0.0;
            for (other, standing) in standings.iter().take(NAMES_MAX).enumerate() {
                if other == index || row.kind == PlaceKind::Country {
                    continue;
                }
                near += standing.points.iter().fold(0.0, |most: f64, (place, share)| {
                    // No distance makes it more than its share.
                    if *share <= most {
                        most
                    } else {
                        most.max(speaks(&candidate.of, place, *share))
                    }
                });
            }
            let near = (near * weight::NEAR).min(weight::NEAR_MAX);
            let is_own = |(place, _): &&(Row, f64)| {
                place.kind == PlaceKind::City && place.region == row.region
            };
            let own_region = standing.points.iter().filter(is_own).map(|(_, share)| share).sum();
            let context = counted.speaks_for(gazetteer, &row, own, own_region);
            candidate.weight = candidate.base + near + context;
            candidate.supported = near > 0.5 || context > 0.9;
        }
    }
}

/// How much a place of another name, which it is by this share, speaks for a candidate: 0 to the share.
fn speaks(candidate: &Candidate, place: &Row, share: f64) -> f64 {
    let row = &candidate.row;
    if row.kind == PlaceKind::Region {
        let is_inside = place.region == Some(candidate.id);
        return if is_inside { share * weight::INSIDE_NAMED / weight::NEAR } else { 0.0 };
    }
    if place.kind == PlaceKind::Region || place.kind == PlaceKind::Country {
        return 0.0;
    }
    if (row.lat - place.lat).abs() > FAR_DEGREES {
        return 0.0;
    }
    let distance = kilometres(row, place);
    share / (1.0 + (distance / HALF_KM).powi(2))
}

/// Over the ground, near enough for what is near.
pub(crate) fn kilometres(one: &Row, other: &Row) -> f64 {
    let north = (one.lat - other.lat) * 111.2;
    if north.abs() > 600.0 {
        return north.abs();
    }
    let mut lon = (one.lon - other.lon).abs();
    if lon > 180.0 {
        lon = 360.0 - lon;
    }
    let east = lon * 111.2 * f64::midpoint(one.lat, other.lat).to_radians().cos();
    // Not `hypot`, which guards against what no distance on earth does and costs as much as all the rest.
    (north * north + east * east).sqrt()
}
