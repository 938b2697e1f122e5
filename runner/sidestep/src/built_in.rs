use sidestep_catalog::BuiltIn;

/// The plugins that the build embedded.
pub(crate) const BUILT_IN: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// The evaluator's compiled code; empty where the build had none.
pub(crate) const EVALUATOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/evaluator.cwasm"));
