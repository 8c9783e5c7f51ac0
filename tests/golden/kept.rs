//! What the files beside this one promise, held against what there is: used by `tests/it/golden.rs`, and by
//! the library's own test of what Kafka gets.

use serde_json::Value;

/// A file of this folder.
pub(crate) fn golden(name: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The values of a file, one a line.
pub(crate) fn golden_values(name: &str) -> Vec<Value> {
    golden(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Holds values, one a line of a file, to what the file says of them.
#[track_caller]
pub(crate) fn check_kept(name: &str, produced: &[Value]) {
    assert!(!golden(name).is_empty(), "{name} promises nothing");
    let faults = all_missing(&golden_values(name).into(), &produced.into());
    let shown: Vec<String> = produced.iter().map(Value::to_string).collect();
    assert!(
        faults.is_empty(),
        "{name}:\n{}\nIf the change is meant, it is to say\n{}",
        faults.join("\n"),
        shown.join("\n")
    );
}

/// Everything of a value that another one does not have.
pub(crate) fn all_missing(old: &Value, new: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    missing(old, new, "", &mut faults);
    faults
}

fn missing(old: &Value, new: &Value, path: &str, faults: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                match new.get(key) {
                    Some(kept) => missing(value, kept, &format!("{path}/{key}"), faults),
                    None => faults.push(format!("{path}/{key} is gone")),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                missing(old, new, &format!("{path}/{index}"), faults);
            }
        }
        (old, new) if old == new => {}
        (old, new) => faults.push(format!("{path} was\n    {old}\nand is\n    {new}")),
    }
}
