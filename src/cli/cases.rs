//! Tries the coder on an analyst's own cases: texts with what should be said of them.
//!
//! A file has cases as TOML (`[[case]]`) or as JSON lines, a case each. It is read like a configuration: every
//! mistake at once, with its line. Nothing is fetched or stored.

use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style as Paint};
use anyhow::Context as _;
use cw_code::{Tagger, Texts};
use cw_model::record::{
    RecordCasualtyKind, RecordCasualtyScope, RecordClaimStatus, RecordConflict, RecordRoleKind,
    RecordTag,
};
use cw_model::{ClaimStatus, RoleKind, Steps};
use cw_status::shown::shown;
use cw_text::likeness::hint;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::VariantNames as _;

use super::Exit;
use super::check::counted;
use super::explain::ExplanationWriter;
use super::show::Medium;
use super::tag::language_of;
use crate::config::{ConfigError, Document, Problem, load};

const FAILED: Paint = AnsiColor::Red.on_default().bold();

/// The names that a kind of casualties may have.
const KINDS: [&str; 5] = ["killed", "wounded", "missing", "displaced", "detained"];

/// The names that a scope may have.
const SCOPES: [&str; 6] = ["event", "update", "background", "historical", "hypothetical", "denied"];

/// Which cases; what the command does is said beside its name.
#[derive(Debug, clap::Args)]
#[expect(clippy::doc_markdown, reason = "shown as it is written, by --help")]
pub struct TestArgs {
    /// Cases: TOML with a `[[case]]` each, or JSON lines
    ///
    /// A case has texts ("title", "summary", "body"; one is enough), maybe "name" and "language", and
    /// what should be said of them; what a case does not name is not asked. "relevant": true or false.
    /// "tags", "not_tags": ids; a top ("strike") stands for every tag under it. "claim": how the tags
    /// are said; "claim_by": by which actor. "actors", "not_actors": ids. "roles":
    /// "attacker:state.ru". "places", "not_places": names, or countries ("UA"); "primary": where it
    /// happened. "casualties": tables of "kind", "count" or "low" and "high", "scope". An empty list
    /// says that there are none.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Below each case that fails, say why the text was coded so
    #[arg(long)]
    pub explain: bool,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person; mistakes of the file as [`ConfigError`].
pub fn run(args: &TestArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let config = load(config)?;
    let tag = &config.tag;
    let tagger =
        Tagger::new(&tag.sources, tag.threshold).map_err(crate::pipeline::BuildError::Tagger)?;
    let name = args.file.display().to_string();
    let bytes = std::fs::read(&args.file).with_context(|| format!("{name} cannot be read"))?;
    let cases = read(&name, &bytes, &tagger)?;
    let mut out = std::io::BufWriter::new(anstream::stdout().lock());
    let mut failed = 0;
    for case in &cases {
        failed += usize::from(try_case(&mut out, case, &tagger, args)? == Came::Wrong);
    }
    let of = counted(cases.len(), "case");
    writeln!(out, "{} of {of} as expected", cases.len() - failed)?;
    out.flush()?;
    Ok(if failed == 0 { Exit::Fine } else { Exit::Failed })
}

/// What became of a case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    Right,
    Wrong,
}

/// A file of cases.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct RawCases {
    /// The cases.
    case: Vec<RawCase>,
}

/// A text, and what should be said of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct RawCase {
    name: Option<String>,
    language: Option<String>,
    title: Option<String>,
    summary: Option<String>,
    body: Option<String>,
    relevant: Option<bool>,
    tags: Option<Vec<String>>,
    not_tags: Option<Vec<String>>,
    claim: Option<String>,
    claim_by: Option<String>,
    actors: Option<Vec<String>>,
    not_actors: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    places: Option<Vec<String>>,
    not_places: Option<Vec<String>>,
    primary: Option<String>,
    casualties: Option<Vec<RawCasualties>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct RawCasualties {
    kind: Option<String>,
    count: Option<u64>,
    low: Option<u64>,
    high: Option<u64>,
    scope: Option<String>,
}

/// A case that makes sense.
struct Case {
    raw: RawCase,
    /// In the file, from 1.
    line: Option<usize>,
    claim: Option<RecordClaimStatus>,
    roles: Option<Vec<(RecordRoleKind, String)>>,
    casualties: Option<Vec<Count>>,
}

/// A count that should be found.
#[derive(Debug)]
struct Count {
    kind: Option<RecordCasualtyKind>,
    low: Option<u64>,
    high: Option<u64>,
    scope: Option<RecordCasualtyScope>,
}

/// Reads a file of cases.
fn read(file: &str, bytes: &[u8], tagger: &Tagger) -> Result<Vec<Case>, ConfigError> {
    let mut problems = Vec::new();
    let is_json = bytes.trim_ascii_start().first() == Some(&b'{');
    let mut cases = Vec::new();
    if is_json {
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            match read_json(file, line, tagger) {
                Ok(mut found) => cases.append(&mut found),
                Err(found) => problems.extend(found),
            }
            for case in cases.iter_mut().filter(|case| case.line.is_none()) {
                case.line = Some(index + 1);
            }
            for problem in
                problems.iter_mut().filter(|problem: &&mut Problem| problem.line.is_none())
            {
                problem.line = Some(index + 1);
            }
        }
    } else {
        let document = Document::<RawCases>::read(file, bytes);
        cases = check(&document, tagger, &mut problems);
        problems.extend(document.problems);
    }
    if cases.is_empty() && problems.is_empty() {
        let text = "there is no case; write one as [[case]] with \"title\" and \"tags\"".to_owned();
        problems.push(Problem { file: file.to_owned(), line: None, key: "case".to_owned(), text });
    }
    problems.sort_by_key(|problem| problem.line);
    if problems.is_empty() { Ok(cases) } else { Err(ConfigError(problems)) }
}

/// One line of JSON lines: read as the same case would be in TOML. Neither cases nor problems know the line.
fn read_json(file: &str, line: &[u8], tagger: &Tagger) -> Result<Vec<Case>, Vec<Problem>> {
    let wrong = |text: String| {
        vec![Problem { file: file.to_owned(), line: None, key: String::new(), text }]
    };
    let value: Value = serde_json::from_slice(line)
        .map_err(|error| wrong(format!("column {} is not JSON", error.column())))?;
    let Value::Object(mut object) = value else {
        return Err(wrong("is no JSON object".to_owned()));
    };
    // TOML has no null: what is null is not asked.
    object.retain(|_key, value| !value.is_null());
    let table = serde_json::json!({ "case": [object] });
    let text = toml::to_string(&table).map_err(|error| wrong(error.to_string()))?;
    let mut document = Document::<RawCases>::read(file, text.as_bytes());
    let mut problems = std::mem::take(&mut document.problems);
    let mut cases = check(&document, tagger, &mut problems);
    for problem in &mut problems {
        problem.line = None;
        problem.key = problem.key.trim_start_matches("case[0]").trim_start_matches('.').to_owned();
    }
    for case in &mut cases {
        case.line = None;
    }
    if problems.is_empty() { Ok(cases) } else { Err(problems) }
}

/// The cases that make sense.
fn check(document: &Document<RawCases>, tagger: &Tagger, problems: &mut Vec<Problem>) -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, raw) in document.raw.case.iter().enumerate() {
        let at = |key: &str| format!("case[{index}]{}{key}", if key.is_empty() { "" } else { "." });
        let mut report = |key: &str, text: String| {
            problems.extend(document.problem(&at(key), text));
        };
        if [&raw.title, &raw.summary, &raw.body].iter().all(|text| text.is_none()) {
            report("", "has no text; give \"title\", \"summary\" or \"body\"".to_owned());
        }
        for (key, ids) in [("tags", &raw.tags), ("not_tags", &raw.not_tags)] {
            for id in ids.iter().flatten() {
                if !tagger.tag_ids().any(|known| known == id) {
                    let hint = hint(id, tagger.tag_ids());
                    report(key, format!("\"{id}\" is no tag of the taxonomy{hint}"));
                }
            }
        }
        let claim = raw.claim.as_deref().and_then(|name| {
            let claim = known(name, ClaimStatus::VARIANTS);
            claim.map_err(|text| report("claim", text)).ok()
        });
        let roles = raw.roles.as_ref().map(|roles| {
            let role = |written: &String| match written.split_once(':') {
                Some((role, actor)) => {
                    known(role, RoleKind::VARIANTS).map(|role| (role, actor.to_owned()))
                }
                None => Err(format!("\"{written}\" is no role; write it as \"attacker:state.ru\"")),
            };
            let read = roles
                .iter()
                .filter_map(|written| role(written).map_err(|text| report("roles", text)).ok());
            read.collect()
        });
        let casualties = raw.casualties.as_ref().map(|counts| {
            let read = counts.iter().enumerate().filter_map(|(number, raw)| {
                let key = format!("casualties[{number}]");
                count(raw).map_err(|text| report(&key, text)).ok()
            });
            read.collect()
        });
        let line = document.line(&at(""));
        cases.push(Case { raw: raw.clone(), line, claim, roles, casualties });
    }
    cases
}

fn count(raw: &RawCasualties) -> Result<Count, String> {
    if raw.count.is_some() && (raw.low.is_some() || raw.high.is_some()) {
        return Err("give \"count\", or \"low\" and \"high\"".to_owned());
    }
    Ok(Count {
        kind: raw.kind.as_deref().map(|name| known(name, &KINDS)).transpose()?,
        low: raw.count.or(raw.low),
        high: raw.count.or(raw.high),
        scope: raw.scope.as_deref().map(|name| known(name, &SCOPES)).transpose()?,
    })
}

/// What a name means that is one of these.
fn known<T: DeserializeOwned>(name: &str, names: &[&str]) -> Result<T, String> {
    let unknown = || {
        let near = hint(name, names.iter().copied());
        let all = || format!("; use one of {}", names.join(", "));
        format!("\"{name}\" is not known{}", if near.is_empty() { all() } else { near })
    };
    if !names.contains(&name) {
        return Err(unknown());
    }
    serde_json::from_value(Value::from(name)).map_err(|_unknown| unknown())
}

/// Codes a text and holds it against what is expected; a line, if something is otherwise.
fn try_case(
    out: &mut impl Write,
    case: &Case,
    tagger: &Tagger,
    args: &TestArgs,
) -> anyhow::Result<Came> {
    let texts = Texts {
        title: case.raw.title.as_deref().unwrap_or_default(),
        summary: case.raw.summary.as_deref().unwrap_or_default(),
        body: case.raw.body.as_deref().unwrap_or_default(),
        feed_country: None,
    };
    let language = language_of(texts, case.raw.language.as_deref());
    let steps = Steps::new(u64::MAX);
    let coding = tagger.code(texts, language.as_deref(), &steps)?;
    let conflict = coding.as_ref().map(RecordConflict::from);
    let faults = match &conflict {
        Some(conflict) => faults(case, conflict),
        None => vec![match language.as_deref() {
            Some(code) => format!("nobody looked: there is no lexicon for \"{code}\""),
            None => "nobody looked: the language is not known; give \"language\"".to_owned(),
        }],
    };
    if faults.is_empty() {
        return Ok(Came::Right);
    }
    let line = case.line.map(|line| format!("line {line}")).unwrap_or_default();
    let first = [texts.title, texts.summary, texts.body].into_iter().find(|text| !text.is_empty());
    let name = case.raw.name.as_deref().or(first).unwrap_or_default();
    let line = format!("{line}, {}: {}", shown(name), shown(&faults.join("; ")));
    writeln!(out, "{FAILED}FAILED{FAILED:#} {line}")?;
    if args.explain
        && let Some(explained) = tagger.explain(texts, language.as_deref(), &steps)?
    {
        ExplanationWriter::new(out, Medium::of_stdout()).explain(&explained)?;
    }
    Ok(Came::Wrong)
}

/// What is otherwise than expected, each with what was found.
fn faults(case: &Case, found: &RecordConflict) -> Vec<String> {
    let raw = &case.raw;
    let mut faults = Vec::new();
    if let Some(relevant) = raw.relevant.filter(|relevant| *relevant != found.relevant) {
        let score = found.score.map(|score| format!(" with score {score}")).unwrap_or_default();
        faults.push(format!("relevant: expected {relevant}, found {}{score}", found.relevant));
    }
    let ids: Vec<&str> = found.tags.iter().map(|tag| tag.id.as_str()).collect();
    faults.extend(list_faults("tags", [&raw.tags, &raw.not_tags], &ids, is_under));
    faults.extend(claim_fault(case, found));
    if let Some(actors) = &found.actors {
        let ids: Vec<&str> = actors.iter().map(|actor| actor.id.as_str()).collect();
        let same = |one: &str, other: &str| one == other;
        faults.extend(list_faults("actors", [&raw.actors, &raw.not_actors], &ids, same));
    } else if raw.actors.is_some() {
        faults.push("actors: nobody looked for any".to_owned());
    }
    faults.extend(role_fault(case, found));
    faults.extend(place_faults(case, found));
    faults.extend(casualty_fault(case, found));
    faults
}

fn is_under(id: &str, wanted: &str) -> bool {
    id.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What of a list is missing, and what should not be there.
fn list_faults(
    name: &str,
    [wanted, unwanted]: [&Option<Vec<String>>; 2],
    found: &[&str],
    is_meant: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    let has = |one: &&String| found.iter().any(|found| is_meant(found, one));
    let all = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    let missing: Vec<&str> =
        wanted.iter().flatten().filter(|one| !has(one)).map(String::as_str).collect();
    let wrong: Vec<&str> = unwanted.iter().flatten().filter(has).map(String::as_str).collect();
    let mut faults = Vec::new();
    if !missing.is_empty() {
        faults.push(format!("{name}: expected {}, found {all}", missing.join(", ")));
    }
    if wanted.as_ref().is_some_and(Vec::is_empty) && !found.is_empty() {
        faults.push(format!("{name}: expected none, found {all}"));
    }
    if !wrong.is_empty() {
        faults.push(format!("{name}: expected no {}, found {all}", wrong.join(", ")));
    }
    faults
}

/// The tags that a case names; all, if it names none.
fn named_tags<'a>(case: &Case, found: &'a RecordConflict) -> Vec<&'a RecordTag> {
    let named = case.raw.tags.as_deref().unwrap_or_default();
    let is_named =
        |tag: &&RecordTag| named.is_empty() || named.iter().any(|wanted| is_under(&tag.id, wanted));
    found.tags.iter().filter(is_named).collect()
}

fn claim_fault(case: &Case, found: &RecordConflict) -> Option<String> {
    let (status, by) = (case.claim, case.raw.claim_by.as_ref());
    if status.is_none() && by.is_none() {
        return None;
    }
    let tags = named_tags(case, found);
    let claims = tags.iter().filter_map(|tag| tag.claim.as_ref());
    let fits = claims.clone().any(|claim| {
        status.is_none_or(|status| status == claim.status)
            && by.is_none_or(|by| claim.by.as_ref() == Some(by))
    });
    let shown_claim = |status: Option<&str>, by: Option<&str>| {
        let by = by.map(|by| format!("by {by}"));
        status.map(str::to_owned).into_iter().chain(by).collect::<Vec<_>>().join(" ")
    };
    let expected = shown_claim(case.raw.claim.as_deref(), by.map(String::as_str));
    let all: Vec<String> = claims
        .map(|claim| {
            let status = serde_json::to_value(claim.status).unwrap_or_default();
            shown_claim(status.as_str(), claim.by.as_deref())
        })
        .collect();
    let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    (!fits).then(|| format!("claim: expected {expected}, found {all}"))
}

fn role_fault(case: &Case, found: &RecordConflict) -> Option<String> {
    let wanted = case.roles.as_ref()?;
    let tags = named_tags(case, found);
    let roles: Vec<_> = tags.iter().flat_map(|tag| tag.roles.iter().flatten()).collect();
    let mut all: Vec<String> = roles
        .iter()
        .map(|role| {
            let kind = serde_json::to_value(role.role).unwrap_or_default();
            format!("{}:{}", kind.as_str().unwrap_or_default(), role.actor)
        })
        .collect();
    all.sort();
    all.dedup();
    let has = |(kind, actor): &(RecordRoleKind, String)| {
        roles.iter().any(|role| role.role == *kind && role.actor == *actor)
    };
    let written = case.raw.roles.iter().flatten();
    let missing: Vec<&str> = wanted
        .iter()
        .zip(written)
        .filter(|(role, _written)| !has(role))
        .map(|(_role, written)| written.as_str())
        .collect();
    let expected = match (missing.is_empty(), wanted.is_empty() && !all.is_empty()) {
        (false, _) => missing.join(", "),
        (true, true) => "none".to_owned(),
        (true, false) => return None,
    };
    let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    Some(format!("roles: expected {expected}, found {all}"))
}

fn place_faults(case: &Case, found: &RecordConflict) -> Vec<String> {
    let raw = &case.raw;
    if raw.places.is_none() && raw.not_places.is_none() && raw.primary.is_none() {
        return Vec::new();
    }
    let places = found.places.as_deref().unwrap_or_default();
    // A name and its country in one, as they are shown: "Idlib (SY)".
    let written = |place: &cw_model::record::RecordPlace| match &place.country {
        Some(country) => format!("{} ({country})", place.name),
        None => place.name.clone(),
    };
    let is_meant = |found: &str, wanted: &str| {
        let (name, country) = found.rsplit_once(" (").unwrap_or((found, ""));
        name.to_lowercase() == wanted.to_lowercase() || country.trim_end_matches(')') == wanted
    };
    let all: Vec<String> = places.iter().map(written).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut faults = list_faults("places", [&raw.places, &raw.not_places], &all, is_meant);
    if let Some(wanted) = &raw.primary {
        let primary = places.iter().find(|place| place.primary).map(written);
        if !primary.as_ref().is_some_and(|found| is_meant(found, wanted)) {
            let found = primary.unwrap_or_else(|| "none".to_owned());
            faults.push(format!("primary: expected {wanted}, found {found}"));
        }
    }
    faults
}

fn casualty_fault(case: &Case, found: &RecordConflict) -> Option<String> {
    let wanted = case.casualties.as_ref()?;
    let found = found.casualties.as_deref().unwrap_or_default();
    let fits = |count: &Count| {
        found.iter().any(|found| {
            count.kind.is_none_or(|kind| kind == found.kind)
                && count.scope.is_none_or(|scope| scope == found.scope)
                && count.low.is_none_or(|low| Some(low) == found.low)
                && count.high.is_none_or(|high| Some(high) == found.high)
        })
    };
    let is_fine = wanted.iter().all(fits) && (!wanted.is_empty() || found.is_empty());
    if is_fine {
        return None;
    }
    let bound = |bound: Option<u64>| bound.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let range = |low: Option<u64>, high: Option<u64>| {
        if low == high { bound(low) } else { format!("{} to {}", bound(low), bound(high)) }
    };
    let name = |value: Value| value.as_str().unwrap_or("any").to_owned();
    let expected = case.raw.casualties.iter().flatten().map(|raw| {
        let kind = raw.kind.as_deref().unwrap_or("any");
        let scope = raw.scope.as_deref().unwrap_or("any scope");
        format!("{kind} {} ({scope})", range(raw.count.or(raw.low), raw.count.or(raw.high)))
    });
    let all = found.iter().map(|one| {
        let kind = name(serde_json::to_value(one.kind).unwrap_or_default());
        let scope = name(serde_json::to_value(one.scope).unwrap_or_default());
        format!("{kind} {} ({scope})", range(one.low, one.high))
    });
    let joined = |all: Vec<String>| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    let (expected, all) = (joined(expected.collect()), joined(all.collect()));
    Some(format!("casualties: expected {expected}, found {all}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_a_count_may_have_is_one_of_the_record() {
        for kind in KINDS {
            assert_ne!(
                known::<RecordCasualtyKind>(kind, &KINDS).unwrap(),
                RecordCasualtyKind::Other
            );
        }
        for scope in SCOPES {
            assert_ne!(
                known::<RecordCasualtyScope>(scope, &SCOPES).unwrap(),
                RecordCasualtyScope::Other
            );
        }
    }
}
