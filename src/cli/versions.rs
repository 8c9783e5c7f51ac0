//! What is built in, and in which version: what an operator compares with a list of advisories.

use std::sync::LazyLock;

use crate::config::REVISION;
use crate::ledger::kafka::settings;
use crate::ledger::sqlite;

/// The exact version of every crate, as the build was locked to them.
#[cfg(feature = "bundled")]
const LOCK: &str = include_str!("../../Cargo.lock");

/// For `--version`: the program, then a line for each library that reads what peers send.
pub(super) fn long_version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(text);
    &TEXT
}

fn text() -> String {
    let mut lines = vec![
        match REVISION {
            Some(revision) => format!("{} ({revision})", env!("CARGO_PKG_VERSION")),
            None => env!("CARGO_PKG_VERSION").to_owned(),
        },
        settings::library_version(),
        sqlite::library_version(),
    ];
    lines.extend(locked());
    lines.join("\n")
}

/// Those that cannot be asked: C in a crate, whose version the crate's own ends with, and TLS.
#[cfg(feature = "bundled")]
fn locked() -> Vec<String> {
    let inside = |version: &str| {
        let (_, inside) = version.split_once('+')?;
        Some(inside.trim_start_matches("zstd.").to_owned())
    };
    let openssl = locked_version("openssl-src").and_then(inside);
    let zstd = locked_version("zstd-sys").and_then(inside);
    [
        openssl.map(|version| format!("OpenSSL {version} (for Kafka)")),
        locked_version("rustls").map(|version| format!("rustls {version} (for feeds)")),
        locked_version("ring").map(|version| format!("ring {version}")),
        zstd.map(|version| format!("zstd {version}")),
        locked_version("libz-sys").map(|version| format!("zlib of libz-sys {version}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The machine's own libraries tell for themselves.
#[cfg(not(feature = "bundled"))]
fn locked() -> Vec<String> {
    Vec::new()
}

#[cfg(feature = "bundled")]
fn locked_version(name: &str) -> Option<&'static str> {
    let package = format!("[[package]]\nname = \"{name}\"\nversion = \"");
    let (_, after) = LOCK.split_once(package.as_str())?;
    after.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_that_reads_what_peers_send_says_its_version() {
        let text = text();
        let asked = ["librdkafka", "SQLite"];
        let locked = ["OpenSSL", "rustls", "ring", "zstd", "zlib of libz-sys"];
        let locked = locked.into_iter().filter(|_| cfg!(feature = "bundled"));
        for name in asked.into_iter().chain(locked) {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
            let version = line.unwrap_or_default();
            let is_version = version.starts_with(|first: char| first.is_ascii_digit());
            assert!(is_version && version.contains('.'), "{name}: {version:?} in\n{text}");
        }
    }
}
