//! Hands what libFuzzer makes to the target that `CONFLICTWIRE_FUZZ_TARGET` names.

#![no_main]

use std::sync::OnceLock;

use conflictwire::fuzz::TARGETS;

fn chosen() -> fn(&[u8]) {
    static CHOSEN: OnceLock<fn(&[u8])> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let wanted = std::env::var("CONFLICTWIRE_FUZZ_TARGET").unwrap_or_default();
        let names: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
        let target = TARGETS.iter().find(|(name, _)| *name == wanted);
        target.map(|(_, target)| *target).unwrap_or_else(|| {
            panic!("CONFLICTWIRE_FUZZ_TARGET={wanted:?}; it is one of {}", names.join(", "))
        })
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chosen()(bytes));
