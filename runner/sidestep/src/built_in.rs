use sidestep_catalog::{BuiltIn, Pages};
use sidestep_host::{EvaluationLimits, ModuleEvaluator};

/// The plugins that the build embedded.
pub(crate) static BUILT_IN: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// The evaluator's compiled code; empty if the build had none.
static EVALUATOR: &Pages<[u8]> = &Pages(*include_bytes!(concat!(
    env!("OUT_DIR"),
    "/evaluator.cwasm"
)));

/// The evaluator's initial memory that the build stored; empty if it stored none.
static EVALUATOR_MEMORY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/evaluator.memory"));

/// Creates an evaluator with these limits. Its code is loaded at the first question that needs it.
pub(crate) fn evaluator(limits: EvaluationLimits) -> ModuleEvaluator {
    ModuleEvaluator::embedded(EVALUATOR, EVALUATOR_MEMORY, limits)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_digests_that_the_build_made_are_those_of_the_bytes() {
        assert!(!BUILT_IN.is_empty(), "build with SIDESTEP_PLUGINS");
        for plugin in BUILT_IN {
            let digest = format!("sha256:{}", hex::encode(Sha256::digest(plugin.component)));
            assert_eq!(plugin.digest, digest, "{}", plugin.name);
        }
    }
}
