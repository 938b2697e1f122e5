//! Failures of the caller's numbers and of this machine's disk.

use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::DiskFull;

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

/// Returns the failure of this machine's own files.
pub(super) fn disk(what: &str, error: &std::io::Error) -> Failure {
    let source = error.get_ref();
    if let Some(full) = source.and_then(|source| source.downcast_ref::<DiskFull>()) {
        return full.failure(what);
    }
    Failure::new(
        Class::Failed,
        codes::storage::LOCAL_BYTES,
        Owner::Operator,
        format!("cannot {what}: the bytes can't be created or stored on this machine: {error}"),
    )
}
