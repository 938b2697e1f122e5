//! Sidestep's own functions for expressions; the evaluator declares them.

/// The functions that read the status of earlier steps.
pub(crate) const STATUS_FUNCTIONS: &[&str] = &["success", "failure", "always", "cancelled"];
/// Sidestep's own functions that any expression may call.
pub(crate) const FUNCTIONS: &[&str] = &["success", "failure", "always", "cancelled", "default"];
