use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The services that the capabilities of a run use: clients and places. The gate does not know
/// them; a capability finds its own by type. A service is absent if the run does not need it.
#[derive(Default)]
pub struct Services {
    by_type: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
}

impl Services {
    /// Adds a service, and replaces one of the same type.
    #[must_use]
    pub fn with<S: Any + Send + Sync>(mut self, service: Arc<S>) -> Self {
        self.by_type.insert(TypeId::of::<S>(), service);
        self
    }

    /// Returns the service of this type, if the run has one.
    pub fn find<S: Any + Send + Sync>(&self) -> Option<Arc<S>> {
        let found = Arc::clone(self.by_type.get(&TypeId::of::<S>())?);
        found.downcast().ok()
    }

    /// Returns the service of this type, which exists if a plugin of the run imports the
    /// capability. `what` completes "this run has no …".
    ///
    /// # Errors
    /// A trap that names the missing service.
    pub fn get<S: Any + Send + Sync>(&self, what: &str) -> wasmtime::Result<Arc<S>> {
        self.find()
            .ok_or_else(|| wasmtime::Error::msg(format!("this run has no {what}")))
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services")
            .field("count", &self.by_type.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Client(u8);

    #[test]
    fn a_service_is_found_by_its_type_and_missed_by_its_name() {
        let services = Services::default();
        let missing = services
            .get::<Client>("client for tests")
            .map(|client| client.0);
        assert_eq!(
            missing.expect_err("there is none").to_string(),
            "this run has no client for tests"
        );
        let services = services.with(Arc::new(Client(1))).with(Arc::new(Client(2)));
        assert_eq!(services.find::<Client>().map(|client| client.0), Some(2));
    }
}
