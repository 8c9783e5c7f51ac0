//! The one integration binary. What each part holds:
//!
//! - `support`: a scripted publisher, the real daemon, real Kafka, readers of both ledgers
//! - `admin`: the admin server answers whatever goes on
//! - `api`: what the running program says of itself, to programs and on its page
//! - `architecture`: the walls inside the source that no Cargo.toml is
//! - `house`: which room may name which
//! - `cli`: help, error text and exit codes
//! - `records`: from a feed's bytes to records, the published contract
//! - `golden`: what version 1 of the record promises, whatever the program becomes
//! - `polling`: what goes over the wire, and when
//! - `bad_input`: whatever a publisher sends: named, counted, survived
//! - `exactly_once`: killed at every named point, nothing is lost and nothing comes twice
//! - `kafka`: what needs real brokers
//! - `scenarios`: what must come of steps at brokers, on simulated ones; `kafka` runs them on real ones
//! - `backup`: a copy of a ledger that is being written goes on where it was made
//! - `poison`: a document that ends the process that reads it ends no other
//! - `memory`: hostile documents under a real limit of memory
//! - `hostile`: hostile feeds and honest ones together for some minutes, a measurement
//! - `outside`: what comes from outside steers no terminal and no log, and tokens stay inside
//! - `growth`: twice the text takes twice the steps, whatever it is made of
//! - `feeds`: what the commands find and write, and that the running daemon knows at once
//! - `feed_page`: the page of one feed, and what the page has after a restart
//! - `fuzz`: what is read breaks no promise, whatever it is
//! - `disk`: no space, no permission, somebody else's file
//! - `shutdown`: signals and systemd
//! - `reload`: another configuration without another start
//! - `lists`: lists of feeds by URL are taken when they are right, and kept
//! - `security`: SECURITY.md names tests and limits that are there
//! - `documents`: the documents name links, commands, keys and metrics that are there
//! - `samples`: the files under `config/` load, and the full one says what the code does
//! - `traces`: with the feature `otlp`, what a collector is sent
//! - `told`: what commands, pages and lines say of feeds is what somebody saw, and says when
//! - `upgrade`: what an earlier build wrote is gone on with, and what a later one wrote refused by name or read
//! - `versions`: versions take turns on one ledger, and what was taken back is told once

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by failing")]
#![expect(clippy::indexing_slicing, reason = "a test that cannot go on says so by failing")]
#![expect(clippy::string_slice, reason = "the texts cut here are ours")]

#[path = "../constructions/mod.rs"]
mod constructions;
mod support;

mod admin;
mod api;
mod architecture;
mod backup;
mod bad_input;
mod cli;
mod disk;
mod documents;
mod exactly_once;
mod feeds;
mod feed_page;
mod fuzz;
mod golden;
mod growth;
mod hostile;
mod house;
mod kafka;
mod lists;
mod poison;
mod memory;
mod outside;
mod polling;
mod records;
mod reload;
mod samples;
mod scenarios;
mod security;
mod shutdown;
mod told;
#[cfg(feature = "otlp")]
mod traces;
mod upgrade;
mod versions;
