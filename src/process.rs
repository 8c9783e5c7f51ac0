//! What the system says of this process, as it is now.

use std::fs;

use cw_status::ProcessFigures;

/// Reads it. What cannot be read is left out.
pub fn figures() -> ProcessFigures {
    let read = |name: &str| fs::read_to_string(format!("/proc/{name}")).unwrap_or_default();
    let entries = fs::read_dir("/proc/self/fd").ok();
    // One of them is the folder itself, open to be read.
    let open_files = entries.map(|entries| entries.count().saturating_sub(1));
    let (stat, status, limits) = (read("self/stat"), read("self/status"), read("self/limits"));
    ProcessFigures { open_files, ..ProcessFigures::of(&stat, &status, &limits, &read("stat")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_figures() {
        let figures = figures();
        assert!(figures.resident_bytes.is_some_and(|bytes| bytes > 1 << 20), "{figures:?}");
        assert!(figures.open_files.is_some_and(|count| count > 0), "{figures:?}");
        assert!(figures.started_at.is_some_and(|at| at > 1.6e9), "{figures:?}");
        assert!(figures.cpu_seconds.is_some(), "{figures:?}");
    }
}
