//! What the program says of itself: its log, its metrics, and whether it is ready.
//!
//! Whoever does the work says here how it stands; `admin` and the log show it. Nothing here decides
//! anything. Read `status` first.

pub mod fields;
pub mod lanes;
pub mod ledger;
pub mod lists;
pub mod traces;
pub mod live;
pub mod log;
pub mod metrics;
mod process;
pub mod prometheus_text;
pub mod recent;
pub mod shown;
pub mod spans;
pub mod status;
mod text;
mod trial;

pub use lists::{ListAnswer, ListStatus};
pub use log::{LogFormat, LogSettings};
pub use metrics::{Metrics, Pushed};
pub use process::ProcessFigures;
pub use status::{LastRead, Snapshot, Status, Unready};
pub use trial::TrialOutcome;
