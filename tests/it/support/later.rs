//! Makes of what this version wrote what a later one would have written: fields that are not known here,
//! in every object, and names that are not known here.

use serde_json::{Value, json};

/// What the added field holds, in every object.
pub(crate) fn added() -> Value {
    json!({ "deep": [1, null] })
}

/// Changes a feed's state. It says that this version can read it.
pub(crate) fn change_state(state: &mut Value) {
    grow(state);
    raise_version(state);
    state["standing"] = "resting".into();
    state["plan"]["reason"] = "moon".into();
    state["plan"]["due_at"] = "2026-01-01T00:00:00Z".into();
    state["last_failure"] =
        json!({ "class": "hexed", "detail": "", "at": "2026-01-01T00:00:00Z", "added": 1 });
}

/// Changes what a lane says of itself. It says that this version can read it.
pub(crate) fn change_head(head: &mut Value) {
    grow(head);
    raise_version(head);
}

/// Changes a published article.
pub(crate) fn change_record(record: &mut Value) {
    grow(record);
    record["dates"]["quality"] = json!(["guessed"]);
}

fn raise_version(value: &mut Value) {
    let version = value["version"].as_u64().unwrap();
    value["version"] = (version + 1).into();
    value["readable_from"] = version.into();
}

/// Adds a field to every object but those whose keys are ids or URLs, and lengths of time, whose form
/// is that of serde and is not ours to add to.
fn grow(value: &mut Value) {
    match value {
        Value::Object(members) if members.contains_key("secs") => {}
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                match (key.as_str(), member) {
                    ("seen" | "validators", Value::Object(by_key)) => {
                        by_key.values_mut().for_each(grow);
                    }
                    (_, member) => grow(member),
                }
            }
            members.insert("added".to_owned(), added());
        }
        Value::Array(items) => items.iter_mut().for_each(grow),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
