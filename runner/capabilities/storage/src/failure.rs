//! Failures of the caller's numbers.

use sidestep_events::{Class, Failure, Owner, codes};

/// Returns a generation in the official client's form.
pub(super) fn generation_number(number: u64) -> Result<i64, Failure> {
    i64::try_from(number).map_err(|_| {
        Failure::new(
            Class::InvalidInput,
            codes::storage::GENERATION,
            Owner::Plugin,
            format!("{number} is not a valid generation"),
        )
    })
}
