//! The functions of ours that expressions may call; the evaluator declares them.

/// Functions about what became of the steps before.
pub(crate) const STATUS_FUNCTIONS: &[&str] = &["success", "failure", "always", "cancelled"];
/// The functions of ours that any expression may call.
pub(crate) const FUNCTIONS: &[&str] = &["success", "failure", "always", "cancelled", "default"];
