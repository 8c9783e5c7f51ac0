//! What goes over the wire, and when. The numbers are those of the list of behaviours that this
//! poller is held to; each is named in the test that holds it.

mod conditional;
mod drift;
mod foreign_hub;
mod identity;
mod pace;
mod pages;
mod politeness;
mod proxies;
mod requests;
mod sitemaps;
mod transfer;
mod validators;
mod websub;
