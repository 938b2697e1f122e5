use sidestep_catalog::BuiltIn;

/// The plugins that the build embedded.
pub(crate) const BUILT_IN: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/built_in.rs"));
