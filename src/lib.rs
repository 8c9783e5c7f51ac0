//! The shell of conflictwire: everything that does I/O, waits or has a clock. The map is `README.md`
//! beside this file, which follows.
#![doc = include_str!("README.md")]

pub mod publisher;
pub mod fetch;
pub mod ledger;
pub mod pipeline;
pub mod memory;
pub mod admin;
pub mod config;
pub mod demo;
pub mod cli;
pub mod clock;
pub mod fault;
mod host_port;
pub mod process;
pub mod reload;
pub mod server;
pub mod traces;
pub mod websub;
#[cfg(feature = "fault-points")]
pub mod fuzz;
pub mod shutdown;
