//! A plugin's panic.

/// The plugin's report of its panic before the trap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panicked {
    /// The panic's message, masked.
    pub message: String,
    /// `FILE:LINE:COLUMN`.
    pub place: String,
}
