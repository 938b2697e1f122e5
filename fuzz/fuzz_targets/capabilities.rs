#![no_main]

use sidestep_mutations::Target;

/// The readers of all capabilities.
const TARGETS: [Target; 4] = {
    let [answer, log] = sidestep_kubernetes::fuzz::TARGETS;
    let [image] = sidestep_registry::fuzz::TARGETS;
    let [refusal] = sidestep_google::fuzz::TARGETS;
    [answer, log, image, refusal]
};

libfuzzer_sys::fuzz_target!(
    init: sidestep_fuzz::choose(&TARGETS),
    |bytes: &[u8]| sidestep_fuzz::run(bytes)
);
