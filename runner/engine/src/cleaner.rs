use async_trait::async_trait;
use sidestep_events::{Failure, Going, Intent, show};

/// The result of removing an external object.
#[derive(Debug, Clone, PartialEq)]
pub enum Removal {
    /// No object of the run exists: it was never created, it is already gone, or the name belongs
    /// to another owner.
    Absent,
    /// The object existed and was removed.
    Gone,
    /// The deletion was accepted and is still in progress.
    Going(Going),
}

/// Removes external objects.
#[async_trait]
pub trait Cleaner: Send + Sync {
    /// Removes the object that the intent names. Implementations must not touch an object of that
    /// name that does not belong to the run.
    ///
    /// # Errors
    ///
    /// A failure of class `denied` means that the removal was refused. After any other failure it
    /// is unknown whether the object still exists.
    async fn remove(&self, intent: &Intent) -> Result<Removal, Failure>;
}

/// A cleaner for runs that create no external objects: every call fails.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCleaner;

#[async_trait]
impl Cleaner for NoCleaner {
    async fn remove(&self, intent: &Intent) -> Result<Removal, Failure> {
        Err(Failure::bug(format!(
            "this run has no cleaner that can remove the {} {}",
            show::line(&intent.kind),
            show::line(&intent.name)
        )))
    }
}
