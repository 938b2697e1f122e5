use async_trait::async_trait;
use sidestep_events::{Failure, Intent, show};

/// Removes outside objects.
#[async_trait]
pub trait Cleaner: Send + Sync {
    /// Removes what the intent names, and answers whether it was there. An object of that name
    /// that is not the run's own must be left alone.
    async fn remove(&self, intent: &Intent) -> Result<bool, Failure>;
}

/// For runs that make nothing outside: it refuses to be asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCleaner;

#[async_trait]
impl Cleaner for NoCleaner {
    async fn remove(&self, intent: &Intent) -> Result<bool, Failure> {
        Err(Failure::bug(format!(
            "nobody can remove the {} {}",
            show::line(&intent.kind),
            show::line(&intent.name)
        )))
    }
}
