//! Sets with a shape of their own: event classes of CASE 2021, counts of casualties, and the coding cases.

use std::collections::BTreeMap;
use std::path::Path;

use cw_code::{Tagger, is_or_is_under};
use cw_model::record::RecordConflict;
use serde_json::Value;

use super::eval::{Count, rate};
use super::rows::{Row, read};

/// Which tags stand for each class of CASE 2021; a top stands for all under it, "none" for no tag at all.
const CLASSES: [(&str, &[&str]); 30] = [
    ("ABDUCT_DISSAP", &["civilian.abduction"]),
    ("AGREEMENT", &["peace.agreement", "peace.ceasefire", "peace.talks", "peace.exchange"]),
    ("AIR_STRIKE", &["strike.air", "strike.drone"]),
    ("ARMED_CLASH", &["battle"]),
    ("ARREST", &["justice.detention", "terror.counter"]),
    ("ART_MISS_ATTACK", &["strike.shelling", "strike.missile"]),
    (
        "ATTACK",
        &["civilian.attack", "civilian.massacre", "civilian.assassination", "terror.attack"],
    ),
    ("ATTRIB", &["pressure.accusation", "terror.claim"]),
    ("CHANGE_TO_GROUP_ACT", &["posture.deployment", "peace.peacekeeping", "peace.disarmament"]),
    ("CHEM_WEAP", &["strike.cbrn"]),
    ("DIPLO", &["pressure.sanctions", "pressure.rupture", "pressure.un"]),
    ("DISR_WEAP", &["strike.intercepted", "terror.counter"]),
    ("FORCE_AGAINST_PROTEST", &["unrest.crackdown"]),
    ("GOV_REGAINS_TERIT", &["territory.state_gain"]),
    ("GRENADE", &["strike.bombing", "civilian.attack", "terror.attack"]),
    ("HQ_ESTABLISHED", &["territory.occupation", "posture.deployment"]),
    ("MAN_MADE_DISASTER", &["none"]),
    ("MOB_VIOL", &["unrest.mob"]),
    ("NATURAL_DISASTER", &["none"]),
    ("NON_STATE_ACTOR_OVERTAKES_TER", &["territory.rebel_gain"]),
    ("NON_VIOL_TERRIT_TRANSFER", &["territory.withdrawal", "territory.state_gain"]),
    ("ORG_CRIME", &["adjacent", "none"]),
    ("OTHER", &["none"]),
    ("PEACE_PROTEST", &["unrest.protest"]),
    ("PROPERTY_DISTRUCT", &["unrest.riot", "humanitarian.infrastructure", "hybrid.sabotage"]),
    ("PROTEST_WITH_INTER", &["unrest.crackdown", "unrest.protest"]),
    ("REM_EXPLOS", &["strike.bombing", "strike.mine_uxo"]),
    ("SEX_VIOL", &["civilian.sexual_violence"]),
    ("SUIC_BOMB", &["strike.suicide"]),
    ("VIOL_DEMONSTR", &["unrest.riot"]),
];

fn stands_for(tags: &[&str], id: &str) -> bool {
    tags.iter().any(|tag| is_or_is_under(id, tag))
}

/// Prints the weighted F1 over the classes. A text is right where its best tag stands for its class; else it
/// counts for the first class that the tag stands for.
#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
pub(crate) fn classes(tagger: &Tagger, data: &Path) -> anyhow::Result<()> {
    let rows = read(&data.join("case2021.jsonl"))?;
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut right = 0;
    for row in &rows {
        let label = row.value.get("label").and_then(Value::as_str).unwrap_or_default();
        let Some((gold, tags)) = CLASSES.iter().find(|(class, _tags)| *class == label) else {
            continue;
        };
        let coding = row.code(tagger);
        let best = coding.as_ref().and_then(|coding| coding.tags.first());
        let best = best.map_or("none", |tag| tag.id.as_str());
        if stands_for(tags, best) {
            right += 1;
            counts.entry(gold).or_default().right += 1;
            continue;
        }
        counts.entry(gold).or_default().missed += 1;
        if let Some((class, _tags)) = CLASSES.iter().find(|(_class, tags)| stands_for(tags, best)) {
            counts.entry(class).or_default().wrong += 1;
        }
    }
    let mut weighted = 0.0;
    for count in counts.values() {
        let of_class = count.right + count.missed;
        let f1 =
            2.0 * count.right as f64 / (2 * count.right + count.wrong + count.missed).max(1) as f64;
        weighted += f1 * of_class as f64 / rows.len() as f64;
    }
    println!(
        "case2021 weighted F1             {weighted:.3} over 30 classes; right {}",
        rate(right, rows.len())
    );
    Ok(())
}

/// Prints how many of the numbers of killed and wounded people that a text gives exactly are read as they are.
pub(crate) fn casualties(tagger: &Tagger, data: &Path) -> anyhow::Result<()> {
    let rows = read(&data.join("casualties.jsonl"))?;
    let mut whole = Count::default();
    for row in &rows {
        let Some(conflict) = code(tagger, row) else { continue };
        for kind in ["killed", "wounded"] {
            let is_exact = row.value.get(format!("{kind}_q")).and_then(Value::as_str) == Some("x");
            let wanted = row.value.get(kind).and_then(Value::as_u64).filter(|_| is_exact);
            let found: u64 = counts(&conflict)
                .iter()
                .filter(|one| {
                    one["kind"] == kind && matches!(one["scope"].as_str(), Some("event" | "update"))
                })
                .filter_map(|one| one["low"].as_u64())
                .sum();
            match (wanted, found) {
                (Some(wanted), found) if wanted == found => whole.right += 1,
                (Some(_), 0) => whole.missed += 1,
                (Some(_), _) => {
                    whole.wrong += 1;
                    whole.missed += 1;
                }
                (None, _) => {}
            }
        }
    }
    println!("casualties, exact numbers        {}", whole.shown());
    Ok(())
}

fn code(tagger: &Tagger, row: &Row) -> Option<Value> {
    let coding = row.code(tagger)?;
    serde_json::to_value(RecordConflict::from(&coding)).ok()
}

/// The counts that stand for themselves.
fn counts(conflict: &Value) -> Vec<&Value> {
    let all = conflict["casualties"].as_array().map_or(&[][..], Vec::as_slice);
    let counts = |one: &&Value| {
        one["part_of"].is_null()
            && one["scope"] != "denied"
            && !(one["low"] == 0 && one["high"] == 0)
    };
    all.iter().filter(counts).collect()
}

/// Prints casualties and claims of the coding cases, which lie beside the data.
pub(crate) fn coding(tagger: &Tagger, data: &Path) -> anyhow::Result<()> {
    let file = data.join("../cases/coding/cases.jsonl");
    if !file.exists() {
        println!("coding cases                     not measured: {} is not there", file.display());
        return Ok(());
    }
    let (mut numbers, mut claims) = (Count::default(), (0, 0));
    for row in read(&file)? {
        let Some(conflict) = code(tagger, &row) else { continue };
        let wants = &row.value["wants"];
        let has = |key: &str| wants.get(key).is_some();
        if has("casualties") || has("casualties_none") {
            let mut rest = counts(&conflict);
            for wanted in wants["casualties"].as_array().into_iter().flatten() {
                match rest.iter().position(|found| is_as(wanted, found)) {
                    Some(at) => {
                        rest.remove(at);
                        numbers.right += 1;
                    }
                    None => numbers.missed += 1,
                }
            }
            numbers.wrong += rest.len();
        }
        if let Some(wanted) = wants["claim"].as_str() {
            let of_tags = conflict["tags"].as_array().into_iter().flatten();
            let found = of_tags.filter_map(|tag| tag["claim"]["status"].as_str());
            claims.1 += 1;
            claims.0 +=
                usize::from(found.into_iter().any(|one| wanted.split('|').any(|it| it == one)));
        }
    }
    println!("coding cases, casualties         {}", numbers.shown());
    println!("coding cases, claims             right {}", rate(claims.0, claims.1));
    Ok(())
}

/// Whether a count has every value that is wanted of it.
fn is_as(wanted: &Value, found: &Value) -> bool {
    wanted.as_object().into_iter().flatten().all(|(key, value)| {
        match (key.as_str(), value.as_str()) {
            ("scope", Some(scopes)) => scopes.split('|').any(|scope| found["scope"] == scope),
            _ => found[key] == *value,
        }
    })
}
