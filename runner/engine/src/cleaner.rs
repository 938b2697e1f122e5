use async_trait::async_trait;
use sidestep_events::{Failure, Going, Intent, show};

/// What became of an outside object that was to be removed.
#[derive(Debug, Clone, PartialEq)]
pub enum Removal {
    /// Nothing of the run's is there: it was never made, or is gone already, or the name is
    /// somebody else's.
    Absent,
    /// It was there, and is gone.
    Gone,
    /// Its deletion was accepted; it goes by itself.
    Going(Going),
}

/// Removes outside objects.
#[async_trait]
pub trait Cleaner: Send + Sync {
    /// Removes what the intent names. An object of that name that is not the run's own must be left
    /// alone.
    ///
    /// # Errors
    ///
    /// A failure of class `denied` says that the removal was refused; after any other it is not
    /// known whether the object is still there.
    async fn remove(&self, intent: &Intent) -> Result<Removal, Failure>;
}

/// For runs that make nothing outside: it refuses to be asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCleaner;

#[async_trait]
impl Cleaner for NoCleaner {
    async fn remove(&self, intent: &Intent) -> Result<Removal, Failure> {
        Err(Failure::bug(format!(
            "nobody can remove the {} {}",
            show::line(&intent.kind),
            show::line(&intent.name)
        )))
    }
}
