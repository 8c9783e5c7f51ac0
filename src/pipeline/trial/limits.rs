//! What a process that tries documents may take.

use std::time::Duration;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};

use crate::clock::processor_time;

/// How much processor time one document may take. Counted steps end what is merely costly long
/// before (`too_costly`); this ends what does not end. Tests do not wait as long.
pub(super) const PROCESSOR_TIME: Duration =
    Duration::from_secs(if cfg!(feature = "fault-points") { 10 } else { 60 });

/// Address space that is no document's: two more stacks, and what the allocator has left over from
/// documents before.
const SPARE_BYTES: u64 = 64 << 20;

/// The size of a page in `/proc/self/statm`, bytes, where nobody says.
const PAGE_BYTES: u64 = 4096;

/// Sets what holds for the process as a whole: so many bytes beyond what it has now. What the system does not let us set it has set
/// itself, or it does not know it: the trial is worth as much without.
pub(super) fn apply(memory: u64) {
    // Before the last line: the file belongs to root from then on.
    let _unwritten = std::fs::write("/proc/self/oom_score_adj", "1000");
    lower(Resource::As, memory_bytes().saturating_add(memory).saturating_add(SPARE_BYTES));
    lower(Resource::Core, 0);
    let _unset = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Gives the next document its processor time.
pub(super) fn begin_document() {
    let until = processor_time().saturating_add(PROCESSOR_TIME).as_secs().saturating_add(1);
    let Rlimit { maximum, .. } = getrlimit(Resource::Cpu);
    let current = maximum.map_or(until, |maximum| until.min(maximum));
    let _unset = setrlimit(Resource::Cpu, Rlimit { current: Some(current), maximum });
}

/// Lowers a limit, for good.
fn lower(resource: Resource, to: u64) {
    let Rlimit { current, maximum } = getrlimit(resource);
    let least = |limit: Option<u64>| Some(limit.map_or(to, |limit| limit.min(to)));
    let _unset = setrlimit(resource, Rlimit { current: least(current), maximum: least(maximum) });
}

/// The address space in use.
fn memory_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').next().and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or_default().saturating_mul(PAGE_BYTES)
}
