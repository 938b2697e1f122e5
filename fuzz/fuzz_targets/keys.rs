#![no_main]

libfuzzer_sys::fuzz_target!(
    init: sidestep_fuzz::choose(&sidestep_keys::fuzz::TARGETS),
    |bytes: &[u8]| sidestep_fuzz::run(bytes)
);
