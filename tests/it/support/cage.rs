//! A real limit of memory for a daemon: a control group where one may be made, which counts what is
//! really in use and kills what takes more; else `RLIMIT_DATA`, which lets allocations fail.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use super::daemon::{Daemon, Setup};
use super::measured_binary;

/// Where control groups of memory are, and the name of the limit in each: version 1, version 2.
const HIERARCHIES: [(&str, &str); 2] =
    [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")];

/// A limit of memory.
pub(crate) struct Cage {
    bytes: u64,
    group: Option<PathBuf>,
}

impl Cage {
    /// A limit of so many bytes.
    pub(crate) fn of(bytes: u64) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("conflictwire-test-{}-{number}", std::process::id());
        let group = HIERARCHIES.iter().find_map(|(root, limit)| {
            let group = Path::new(root).join(&name);
            std::fs::create_dir(&group).ok()?;
            let is_limited = std::fs::write(group.join(limit), bytes.to_string()).is_ok();
            if !is_limited {
                drop(std::fs::remove_dir(&group));
            }
            is_limited.then_some(group)
        });
        Self { bytes, group }
    }

    /// Starts a daemon in it.
    #[track_caller]
    pub(crate) fn start(&self, setup: &Setup) -> Daemon {
        let daemon = Daemon::watch(self.command(setup));
        daemon.wait_until_listening();
        daemon
    }

    fn command(&self, setup: &Setup) -> Command {
        let mut command = setup.command("sh");
        let enter = match &self.group {
            Some(group) => format!("echo $$ > '{}/cgroup.procs'", group.display()),
            None => format!("ulimit -d {}", self.bytes / 1024),
        };
        let config = setup.config();
        let binary = measured_binary();
        let (binary, config) = (binary.display(), config.display());
        let run = format!("{enter} && exec '{binary}' run --config '{config}'");
        command.args(["-c", &run]);
        command
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        // The daemon in it ended before: it was started from this.
        if let Some(group) = &self.group {
            drop(std::fs::remove_dir(group));
        }
    }
}
