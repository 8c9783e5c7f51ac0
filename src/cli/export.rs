//! Findings for other programs: `GeoJSON` (RFC 7946) for maps, CSV (RFC 4180) for spreadsheets.
//!
//! Both say the same of a record as the view `events_flat` of the SQLite ledger: who, where, how many.

use std::io::Write;

use cw_model::Record;
use cw_model::record::{
    RecordCasualtyKind, RecordCasualtyScope, RecordPlace, RecordRoleKind, RecordTag,
};
use cw_status::shown::printable;
use serde::Serialize;
use serde_json::{Value, json};

/// One tag of a record; a record without any is one row too, so that nothing found is left out.
#[derive(Debug, Default, Serialize)]
struct Row {
    article_id: String,
    revision: u32,
    feed_id: String,
    published_at: Option<String>,
    language: Option<String>,
    title: Option<String>,
    url: Option<String>,
    tag: Option<String>,
    score: Option<f64>,
    claim: Option<String>,
    claim_by: Option<String>,
    attacker: Option<String>,
    target: Option<String>,
    place: Option<String>,
    country: Option<String>,
    lat: Option<f64>,
    lon: Option<f64>,
    killed: Option<u64>,
    wounded: Option<u64>,
}

/// Writes records as CSV, one row a tag, with a line of names first.
///
/// # Errors
/// If `out` takes no more.
pub(super) fn csv(out: impl Write, records: &[Record]) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    for row in records.iter().flat_map(rows) {
        writer.serialize(row)?;
    }
    writer.flush()?;
    Ok(())
}

fn rows(record: &Record) -> Vec<Row> {
    let tags = record.conflict.as_ref().map_or(&[][..], |conflict| &conflict.tags);
    if tags.is_empty() {
        vec![row(record, None)]
    } else {
        tags.iter().map(|tag| row(record, Some(tag))).collect()
    }
}

fn row(record: &Record, tag: Option<&RecordTag>) -> Row {
    let place = primary(record);
    let claim = tag.and_then(|tag| tag.claim.as_ref());
    Row {
        article_id: record.id.clone(),
        revision: record.revision,
        feed_id: record.feed.id.clone(),
        published_at: record.published_at.clone(),
        language: record.language.clone(),
        // A publisher's text must not steer a terminal.
        title: record.title.as_ref().map(|title| title.chars().filter_map(printable).collect()),
        url: record.url.clone(),
        tag: tag.map(|tag| tag.id.clone()),
        score: tag.map(|tag| tag.score),
        claim: claim.map(|claim| name(&claim.status)),
        claim_by: claim.and_then(|claim| claim.by.clone()),
        attacker: tag.and_then(|tag| actors(tag, RecordRoleKind::Attacker)),
        target: tag.and_then(|tag| actors(tag, RecordRoleKind::Target)),
        place: place.map(|place| place.name.clone()),
        country: place.and_then(|place| place.country.clone()),
        lat: place.map(|place| place.lat),
        lon: place.map(|place| place.lon),
        killed: people(record, RecordCasualtyKind::Killed),
        wounded: people(record, RecordCasualtyKind::Wounded),
    }
}

/// Records as a collection of features: each at the place where it happened, or nowhere.
pub(super) fn geojson(records: &[Record]) -> Value {
    let features: Vec<Value> = records.iter().map(feature).collect();
    json!({"type": "FeatureCollection", "features": features})
}

fn feature(record: &Record) -> Value {
    let place = primary(record);
    let conflict = record.conflict.as_ref();
    let tags = conflict.map_or(&[][..], |conflict| &conflict.tags);
    let tags: Vec<Value> = tags
        .iter()
        .map(
            |tag| json!({"id": tag.id, "score": tag.score, "claim": tag.claim, "roles": tag.roles}),
        )
        .collect();
    let actors = conflict.and_then(|conflict| conflict.actors.as_ref());
    let actors: Option<Vec<&str>> =
        actors.map(|actors| actors.iter().map(|actor| actor.name.as_str()).collect());
    json!({
        "type": "Feature",
        "id": record.id,
        // Longitude comes first.
        "geometry": place.map(|place| json!({"type": "Point", "coordinates": [place.lon, place.lat]})),
        "properties": {
            "title": record.title,
            "url": record.url,
            "feed_id": record.feed.id,
            "published_at": record.published_at,
            "language": record.language,
            "revision": record.revision,
            "score": conflict.and_then(|conflict| conflict.score),
            "tags": tags,
            "actors": actors,
            "place": place.map(|place| place.name.as_str()),
            "country": place.and_then(|place| place.country.as_deref()),
            "killed": people(record, RecordCasualtyKind::Killed),
            "wounded": people(record, RecordCasualtyKind::Wounded),
        },
    })
}

/// Where it happened.
fn primary(record: &Record) -> Option<&RecordPlace> {
    let places = record.conflict.as_ref()?.places.as_ref()?;
    places.iter().find(|place| place.primary)
}

/// The ids of those with a role, with spaces between them.
fn actors(tag: &RecordTag, kind: RecordRoleKind) -> Option<String> {
    let roles = tag.roles.iter().flatten().filter(|role| role.role == kind);
    let ids: Vec<&str> = roles.map(|role| role.actor.as_str()).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

/// The largest number that is given for the event.
fn people(record: &Record, kind: RecordCasualtyKind) -> Option<u64> {
    let casualties = record.conflict.as_ref()?.casualties.as_ref()?;
    let of_event = casualties.iter().filter(|told| {
        let is_now = matches!(told.scope, RecordCasualtyScope::Event | RecordCasualtyScope::Update);
        told.kind == kind && is_now
    });
    of_event.filter_map(|told| told.low.or(told.high)).max()
}

/// A name as the record has it on the wire.
fn name(value: &impl Serialize) -> String {
    let wire = serde_json::to_value(value).unwrap_or_default();
    wire.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use cw_model::record::{
        RecordCasualties, RecordClaim, RecordClaimStatus, RecordPlaceKind, RecordRole,
    };
    use cw_model::samples::{record, tagged};

    use super::*;

    /// An air strike on a town, said by one side.
    fn strike() -> Record {
        let mut record = tagged(1, "Jets hit \"Adel\", 12 dead", "strike.air");
        let conflict = record.conflict.as_mut().unwrap();
        let by = Some("state.ua".to_owned());
        conflict.tags[0].claim = Some(RecordClaim { status: RecordClaimStatus::CalledFor, by });
        let role = |role, actor: &str| RecordRole { role, actor: actor.to_owned() };
        conflict.tags[0].roles = Some(vec![
            role(RecordRoleKind::Attacker, "state.ru"),
            role(RecordRoleKind::Attacker, "state.by"),
            role(RecordRoleKind::Target, "state.ua"),
        ]);
        let place = |name: &str, primary| RecordPlace {
            name: name.to_owned(),
            geonames_id: Some(7),
            country: Some("UA".to_owned()),
            lat: 50.0,
            lon: 36.25,
            kind: RecordPlaceKind::City,
            mentions: 1,
            primary,
            evidence: Vec::new(),
        };
        conflict.places = Some(vec![place("Elsewhere", false), place("Adel", true)]);
        let killed = |low, scope| RecordCasualties {
            kind: RecordCasualtyKind::Killed,
            low,
            high: None,
            scope,
            side: None,
            part_of: None,
            supersedes: None,
            evidence: Vec::new(),
        };
        conflict.casualties = Some(vec![
            killed(Some(12), RecordCasualtyScope::Event),
            killed(Some(50_000), RecordCasualtyScope::Background),
        ]);
        record
    }

    #[test]
    fn a_row_of_csv_is_a_tag_and_nothing_found_is_left_out() {
        let mut out = Vec::new();
        csv(&mut out, &[strike(), record(2, "rain, \u{1b}[2Jand more rain")]).unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let of = |row: usize, name: &str| {
            let at = names.iter().position(|known| known == name).unwrap();
            rows[row][at].to_owned()
        };
        assert_eq!(rows.len(), 2);
        assert_eq!(of(0, "title"), "Jets hit \"Adel\", 12 dead");
        assert_eq!(of(0, "tag"), "strike.air");
        assert_eq!((of(0, "claim"), of(0, "claim_by")), ("called_for".into(), "state.ua".into()));
        assert_eq!(
            (of(0, "attacker"), of(0, "target")),
            ("state.ru state.by".into(), "state.ua".into())
        );
        assert_eq!(
            (of(0, "place"), of(0, "lat"), of(0, "lon")),
            ("Adel".into(), "50.0".into(), "36.25".into())
        );
        assert_eq!((of(0, "killed"), of(0, "wounded")), ("12".into(), String::new()));
        assert_eq!(
            (of(1, "title"), of(1, "tag")),
            ("rain, [2Jand more rain".into(), String::new())
        );
    }

    #[test]
    fn a_feature_is_where_it_happened_or_nowhere() {
        let shown = geojson(&[strike(), record(2, "rain")]);
        assert_eq!(shown["type"], "FeatureCollection");
        let [there, nowhere] = [&shown["features"][0], &shown["features"][1]];
        assert_eq!(there["geometry"], json!({"type": "Point", "coordinates": [36.25, 50.0]}));
        assert_eq!(there["properties"]["killed"], 12);
        assert_eq!(there["properties"]["tags"][0]["claim"]["status"], "called_for");
        assert!(nowhere["geometry"].is_null());
        assert_eq!(nowhere["properties"]["title"], "rain");
    }
}
