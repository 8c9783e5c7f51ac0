//! What is known of text as such, whatever it says: characters, markup, words, languages.
//!
//! Bytes become characters (`charset`), references and markup become plain text (`reference`, `html`,
//! `plain`, with what was read in the wrong encoding mended in
//! `mojibake`), plain text has a language (`language`), words and sentences (`words`), a form in which it is
//! searched (`search`) and one in which it is compared with others (`fingerprint`). A name that is not
//! there may be like one that is (`likeness`). A page names its feeds (`alternates`), and a URL leads to the web or
//! not (`web`).
//!
//! Which field a text comes from, and what it means, is for others to say. Read `plain` first, then
//! `words`.

pub mod alternates;
pub mod charset;
pub mod fingerprint;
pub mod html;
pub mod language;
pub mod likeness;
mod lines;
mod lower;
mod mojibake;
pub mod plain;
pub mod reference;
pub mod search;
pub mod web;
pub mod words;

#[cfg(test)]
mod tests;
