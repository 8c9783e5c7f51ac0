//! The English vocabulary of casualties: what happens to people, and what people are called.
//!
//! Word lists, and looking at one place of a document with them; which number belongs to which word
//! is decided in the module above.

use cw_model::CasualtyKind;

use super::role::{Counted, Happening, List, Role, Voice};
use super::text::Text;

const fn happening(kind: CasualtyKind, voice: Voice, counted: Counted) -> Happening {
    Happening { kind, voice, counted }
}

const KILLED: Happening = happening(CasualtyKind::Killed, Voice::Either, Counted::Anything);
const KILLING: Happening = happening(CasualtyKind::Killed, Voice::After, Counted::Anything);
const DIED: Happening = happening(CasualtyKind::Killed, Voice::Before, Counted::Anything);
const LIVES: Happening = happening(CasualtyKind::Killed, Voice::After, Counted::Lives);
const WOUNDED: Happening = happening(CasualtyKind::Wounded, Voice::Either, Counted::Anything);
const WOUNDING: Happening = happening(CasualtyKind::Wounded, Voice::After, Counted::Anything);
const HURT: Happening = happening(CasualtyKind::Wounded, Voice::Before, Counted::Anything);
const MISSING: Happening = happening(CasualtyKind::Missing, Voice::Before, Counted::People);
const DISPLACED: Happening = happening(CasualtyKind::Displaced, Voice::Either, Counted::People);
const DISPLACING: Happening = happening(CasualtyKind::Displaced, Voice::After, Counted::People);
const FLED_HOME: Happening = happening(CasualtyKind::Displaced, Voice::Before, Counted::Anything);
const FLED: Happening = happening(CasualtyKind::Displaced, Voice::Before, Counted::Crowd);
const DETAINED: Happening = happening(CasualtyKind::Detained, Voice::Either, Counted::People);
const DETAINING: Happening = happening(CasualtyKind::Detained, Voice::After, Counted::People);

/// Longest first where one begins another.
const HAPPENINGS: [(&str, Happening); 101] = [
    ("shot and killed", KILLED),
    ("shot dead", KILLED),
    ("gunned down", KILLED),
    ("hacked to death", KILLED),
    ("beaten to death", KILLED),
    ("stabbed to death", KILLED),
    ("stoned to death", KILLED),
    ("burned to death", KILLED),
    ("burnt to death", KILLED),
    ("crushed to death", KILLED),
    ("burned alive", KILLED),
    ("fatally shot", KILLED),
    ("fatally wounded", KILLED),
    ("killed", KILLED),
    ("massacred", KILLED),
    ("murdered", KILLED),
    ("slaughtered", KILLED),
    ("executed", KILLED),
    ("beheaded", KILLED),
    ("lynched", KILLED),
    ("neutralised", KILLED),
    ("neutralized", KILLED),
    ("killing", KILLING),
    ("kills", KILLING),
    ("kill", KILLING),
    ("murdering", KILLING),
    ("slaughtering", KILLING),
    ("executing", KILLING),
    ("beheading", KILLING),
    ("massacring", KILLING),
    ("shooting dead", KILLING),
    ("claimed the lives of", KILLING),
    ("claiming the lives of", KILLING),
    ("cost the lives of", KILLING),
    ("took the lives of", KILLING),
    ("taken the lives of", KILLING),
    ("the deaths of", KILLING),
    ("the death of", KILLING),
    ("the killing of", KILLING),
    ("deaths of", KILLING),
    ("bodies of", KILLING),
    ("fatalities were", KILLING),
    ("died", DIED),
    ("dies", DIED),
    ("die", DIED),
    ("dead", DIED),
    ("perished", DIED),
    ("slain", DIED),
    ("martyred", DIED),
    ("lost their lives", DIED),
    ("lost his life", DIED),
    ("lost her life", DIED),
    ("lose their lives", DIED),
    ("deaths", DIED),
    ("fatalities", DIED),
    ("bodies", DIED),
    ("claimed", LIVES),
    ("claiming", LIVES),
    ("claims", LIVES),
    ("cost", LIVES),
    ("costing", LIVES),
    ("taken", LIVES),
    ("wounded", WOUNDED),
    ("injured", WOUNDED),
    ("maimed", WOUNDED),
    ("wounding", WOUNDING),
    ("injuring", WOUNDING),
    ("injures", WOUNDING),
    ("maiming", WOUNDING),
    ("hurting", WOUNDING),
    ("hurt", HURT),
    ("suffered injuries", HURT),
    ("sustained injuries", HURT),
    ("received injuries", HURT),
    ("suffered wounds", HURT),
    ("sustained wounds", HURT),
    ("suffered burns", HURT),
    ("injuries", HURT),
    ("missing", MISSING),
    ("unaccounted for", MISSING),
    ("disappeared", MISSING),
    ("displaced", DISPLACED),
    ("uprooted", DISPLACED),
    ("displacing", DISPLACING),
    ("uprooting", DISPLACING),
    ("homeless", FLED_HOME),
    ("fled their homes", FLED_HOME),
    ("flee their homes", FLED_HOME),
    ("from their homes", FLED_HOME),
    ("fled", FLED),
    ("flee", FLED),
    ("fleeing", FLED),
    ("arrested", DETAINED),
    ("detained", DETAINED),
    ("captured", DETAINED),
    ("kidnapped", DETAINED),
    ("abducted", DETAINED),
    ("arresting", DETAINING),
    ("detaining", DETAINING),
    ("kidnapping", DETAINING),
    ("abducting", DETAINING),
];

/// Words between a number and what happened: "were reportedly", "have been found".
const AUXILIARIES: &str = "\
    was were is are be been being has have had got to also confirmed feared reported presumed \
    believed known thought declared found left now still since already either remain remained \
    went go listed said forced driven so far internally themselves";

/// Words with which a noun phrase ends.
const NOUN_ENDS: &str = "\
    and or in on at by when after during while as for from to with who that which near since \
    were was have has had are is others more other including last over";

/// Words for one person.
const PERSONS: &str = "\
    person man woman child boy girl civilian soldier policeman policewoman officer constable \
    guard militant rebel insurgent terrorist gunman fighter guerrilla jihadist separatist \
    extremist villager resident farmer trader labourer laborer worker driver passenger student \
    pupil schoolboy schoolgirl shopkeeper teacher doctor nurse medic paramedic journalist reporter \
    cameraman photographer protester protestor demonstrator bystander pedestrian pilgrim worshipper \
    priest imam cleric leader commander general colonel captain major sergeant lieutenant trooper \
    jawan paramilitary peacekeeper activist politician minister mayor judge lawyer businessman \
    contractor migrant refugee tourist bomber attacker assailant combatant prisoner hostage \
    inspector baby toddler infant teenager youth mother father brother cadre maoist";

/// Words for people that are not the plural of one in `PERSONS`.
const PEOPLE: &str = "\
    people persons men women children others more policemen police troops personnel forces \
    families gunmen dead residents military army crew locals inhabitants casualties taliban \
    militiamen servicemen bodies victims suspects members aid staff nationals citizens ultras \
    cadres youths infants babies kids schoolgirls schoolchildren jawans marines sailors \
    commandos mercenaries nomads herders elders afghans iraqis foreigners tribesmen fishermen \
    businessmen gendarmes agents employees players lives deaths souls paramilitaries detainees \
    officials ones";

/// Words for what is measured, and for things that happen to people or belong to them.
const MEASURES: &str = "\
    year years month months week weeks day days hour hours minute minutes second seconds decade \
    decades century centuries km kms kilometre kilometres kilometer kilometers mile miles metre \
    metres meter meters feet percent am pm dollars euros rupees pounds kg kgs kilogram kilograms \
    tonne tonnes tons house houses homes vehicles vehicle cars times rounds villages buildings \
    shops sheep cattle goats livestock attacks attack incidents incident blasts bombs bombings \
    grenades rockets missiles strikes raids airstrikes seats points goals wickets runs countries \
    provinces districts towns cities locations places separate explosions occasions sides phases \
    rifles st nd rd th cents";

const TOLLS: [&str; 8] = [
    "death toll",
    "toll",
    "number of dead",
    "number of deaths",
    "number of people killed",
    "number of those killed",
    "number killed",
    "confirmed dead to",
];

const BOTH: [CasualtyKind; 2] = [CasualtyKind::Killed, CasualtyKind::Wounded];

/// What is said not to have happened.
const DENIED: [(&str, &[CasualtyKind]); 14] = [
    ("no casualties", &BOTH),
    ("no casualty", &BOTH),
    ("no injuries or deaths", &BOTH),
    ("no deaths or injuries", &BOTH),
    ("no deaths", &[CasualtyKind::Killed]),
    ("no fatalities", &[CasualtyKind::Killed]),
    ("no loss of life", &[CasualtyKind::Killed]),
    ("no injuries", &[CasualtyKind::Wounded]),
    ("no one was injured or killed", &BOTH),
    ("no one was killed or injured", &BOTH),
    ("without casualties", &BOTH),
    ("without loss of life", &[CasualtyKind::Killed]),
    ("without injuries", &[CasualtyKind::Wounded]),
    ("nobody was killed or injured", &BOTH),
];

const NOBODY: [&str; 7] =
    ["no one", "nobody", "none", "no civilians", "no people", "no soldiers", "no civilian"];

const MONTHS: &str = "\
    january february march april may june july august september october november december jan feb \
    mar apr aug sep sept oct nov dec";

/// Every word and phrase of this file.
pub(super) fn roles() -> impl Iterator<Item = (&'static str, Role)> {
    let lists = [
        (AUXILIARIES, List::Auxiliary),
        (NOUN_ENDS, List::NounEnd),
        (PERSONS, List::Person),
        (PEOPLE, List::People),
        (MEASURES, List::Measure),
        (MONTHS, List::Month),
    ];
    let listed = lists
        .into_iter()
        .flat_map(|(words, list)| words.split(' ').map(move |word| (word, Role::Listed(list))));
    let denied = DENIED.iter().map(|(phrase, kinds)| (*phrase, Role::Denied(kinds)));
    HAPPENINGS
        .iter()
        .map(|(phrase, happening)| (*phrase, Role::Happening(*happening)))
        .chain(TOLLS.map(|phrase| (phrase, Role::Toll)))
        .chain(denied)
        .chain(NOBODY.map(|phrase| (phrase, Role::Nobody)))
        .chain(listed)
}

/// What happens at `at`, and where the words for it end.
pub(super) fn happening_at(
    text: &Text<'_, '_>,
    at: usize,
    end: usize,
) -> Option<(Happening, usize)> {
    text.phrase(at, end, |role| {
        let Role::Happening(happening) = role else { return None };
        Some(happening)
    })
}

/// Where the words for a toll that begin at `at` end.
pub(super) fn toll_at(text: &Text<'_, '_>, at: usize, end: usize) -> Option<usize> {
    text.phrase(at, end, |role| matches!(role, Role::Toll).then_some(())).map(|((), after)| after)
}

/// What is said not to have happened to anybody at `at`, and where the words for it end.
pub(super) fn denial_at(
    text: &Text<'_, '_>,
    at: usize,
    end: usize,
) -> Option<(Vec<CasualtyKind>, usize)> {
    let denied = text.phrase(at, end, |role| {
        let Role::Denied(kinds) = role else { return None };
        Some(kinds.to_vec())
    });
    if denied.is_some() {
        return denied;
    }
    let nobody = text.phrase(at, end, |role| matches!(role, Role::Nobody).then_some(()));
    let ((), mut next) = nobody?;
    while next < end && (is_auxiliary(text, next) || text.word(next) == "else") {
        next += 1;
    }
    let (happening, after) = happening_at(text, next, end)?;
    Some((vec![happening.kind], after))
}

/// Words between a number and what happened: "were reportedly", "have been found".
fn is_auxiliary(text: &Text<'_, '_>, at: usize) -> bool {
    let word = text.word(at);
    text.is_listed(at, List::Auxiliary)
        || (word.len() > 5 && word.ends_with("ly") && !is_people(text, at))
}

/// Where the auxiliaries right before `at` begin.
pub(super) fn auxiliaries_start(text: &Text<'_, '_>, at: usize, start: usize) -> usize {
    let mut first = at;
    while first > start && is_auxiliary(text, first - 1) {
        first -= 1;
    }
    first
}

/// Whether the auxiliaries right before `at` make it passive: "were", "have been".
pub(super) fn is_passive(text: &Text<'_, '_>, at: usize, start: usize) -> bool {
    (auxiliaries_start(text, at, start)..at).any(|at| {
        matches!(text.word(at), "was" | "were" | "is" | "are" | "be" | "been" | "being" | "got")
    })
}

/// Where an object may begin: past "another", "the", and past "and wounding".
pub(super) fn object_start(text: &Text<'_, '_>, at: usize, end: usize) -> usize {
    let mut first = at;
    loop {
        let word = text.word(first);
        let joined = matches!(word, "and" | "or")
            && happening_at(text, first + 1, end)
                .is_some_and(|(next, _)| next.voice != Voice::Before);
        if joined {
            let after = happening_at(text, first + 1, end).map(|(_, after)| after);
            first = after.unwrap_or(first + 1);
        } else if first < end
            && matches!(
                word,
                "another"
                    | "the"
                    | "all"
                    | "other"
                    | "further"
                    | "its"
                    | "their"
                    | "these"
                    | "those"
                    | "up"
                    | "him"
                    | "and"
            )
            && word != "and"
        {
            first += 1;
        } else {
            return first;
        }
    }
}

/// Words after which a number is part of one already given.
pub(super) fn begins_part(word: &str) -> bool {
    matches!(word, "including" | "includes" | "included" | "among" | "of" | "whom" | "with")
}

/// Words a part cannot reach across.
pub(super) fn ends_part(word: &str) -> bool {
    matches!(word, "were" | "was" | "killed" | "killing" | "wounded" | "injured" | "when" | "after")
}

/// Words with which a noun phrase ends, and its end.
pub(super) fn ends_noun(text: &Text<'_, '_>, at: usize) -> bool {
    text.word(at).is_empty() || text.is_listed(at, List::NounEnd)
}

/// A word for one person.
pub(super) fn is_person(text: &Text<'_, '_>, at: usize) -> bool {
    text.is_listed(at, List::Person)
}

/// A word for people.
pub(super) fn is_people(text: &Text<'_, '_>, at: usize) -> bool {
    text.is_listed(at, List::People) || is_person(text, at) || text.is_plural_of(at, List::Person)
}

/// A word for what is measured and no person.
pub(super) fn is_measure(text: &Text<'_, '_>, at: usize) -> bool {
    let word = text.word(at);
    let ordinal = ["st", "nd", "rd", "th"]
        .iter()
        .any(|ending| word.strip_suffix(ending).is_some_and(|rank| rank.parse::<u32>().is_ok()));
    ordinal || text.is_listed(at, List::Measure)
}

/// The name of a month, also a short one.
pub(super) fn is_month(text: &Text<'_, '_>, at: usize) -> bool {
    text.is_listed(at, List::Month)
}
