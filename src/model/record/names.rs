//! Lists of names in the schema that a later version may add to.

use schemars::Schema;
use serde_json::json;

/// Leaves a list of names open in the schema: a later version may write more of them, and whoever
/// holds records against this schema must not refuse those.
pub(super) fn open_names(schema: &mut Schema) {
    if let Some(known) = schema.remove("oneOf") {
        schema.insert("anyOf".to_owned(), json!([{ "oneOf": known }, { "type": "string" }]));
    }
}
