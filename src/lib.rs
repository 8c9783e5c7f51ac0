#![doc = include_str!("README.md")]

pub mod fetch;
pub mod commit;
pub mod pipeline;
pub mod memory;
pub mod admin;
pub mod config;
pub mod demo;
pub mod cli;
pub mod clock;
pub mod fault;
#[cfg(feature = "fault-points")]
pub mod fuzz;
pub mod shutdown;
