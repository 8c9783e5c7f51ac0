//! The bundled feeds and the loopback server that serves them under invented host names.
//!
//! Everything between the server's socket and the ledger is the daemon's own: nothing here fetches,
//! parses or tags. What is printed is `cli::demo`'s.

pub mod progress;
pub mod script;
pub mod server;
pub mod settings;

#[cfg(test)]
mod tests;
