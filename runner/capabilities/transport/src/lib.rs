//! The runner's own HTTP clients: their common settings, the addresses that they may connect to, and
//! the causes of their errors.

mod address;
pub mod causes;
mod names;
mod proxies;
mod public;

pub use names::{Lookup, NotPublic, PublicNames};
pub use proxies::{NO_PROXIES, PROXIES};
pub use public::{NoClient, Public, is_near, not_public};

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sidestep_events::{Class, Failure, Owner, codes};

/// The timeout of a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Returns the builder of a client that follows no redirect: credentials are sent only to the
/// addresses that the operator set. The trust store is the system's, and `HTTPS_PROXY` and
/// `NO_PROXY` are used.
pub fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
}

/// A client that is created on its first request: reading the machine's trust store takes longer
/// than a whole run without requests. Clones share it.
#[derive(Clone)]
pub struct Lazy {
    builder: Arc<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>,
    made: Arc<OnceLock<Result<reqwest::Client, Failure>>>,
}

impl Lazy {
    /// Stores the builder of the client.
    pub fn new(builder: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static) -> Self {
        Self {
            builder: Arc::new(builder),
            made: Arc::default(),
        }
    }

    /// Returns the client.
    ///
    /// # Errors
    /// As [`build`], each time.
    pub fn get(&self) -> Result<&reqwest::Client, Failure> {
        let made = self.made.get_or_init(|| build((self.builder)()));
        made.as_ref().map_err(Clone::clone)
    }
}

impl fmt::Debug for Lazy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").finish_non_exhaustive()
    }
}

/// Creates a client.
///
/// # Errors
/// `http.setup` when the machine's trust store cannot be read.
pub fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Failure> {
    builder.build().map_err(|error| {
        Failure::new(
            Class::Failed,
            codes::http::SETUP,
            Owner::Operator,
            format!("cannot create an HTTP client on this machine: {error}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_lazy_client_is_made_once_and_only_if_it_is_used() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let lazy = Lazy::new(|| {
            MADE.fetch_add(1, Ordering::Relaxed);
            builder()
        });
        let clone = lazy.clone();
        assert_eq!(MADE.load(Ordering::Relaxed), 0);
        for lazy in [&lazy, &clone, &lazy] {
            lazy.get().expect("a client");
        }
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
    }
}
