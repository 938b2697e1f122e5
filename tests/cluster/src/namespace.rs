//! A namespace of one test.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Cluster, Source};

/// A namespace that is deleted when it is dropped.
#[derive(Debug)]
pub struct Namespace<'c> {
    cluster: &'c Cluster,
    name: String,
}

impl<'c> Namespace<'c> {
    pub(crate) fn create(cluster: &'c Cluster) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sidestep-test-{}-{count}", std::process::id());
        cluster.ok(&["create", "namespace", &name]);
        let created = Self { cluster, name };
        // Without controllers nobody creates it, and with them it may exist already.
        let account = created.kubectl(&["create", "serviceaccount", "default"]);
        let said = String::from_utf8_lossy(&account.stderr);
        assert!(
            account.status.success() || said.contains("already exists"),
            "{said}"
        );
        created
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs kubectl in this namespace.
    pub fn kubectl(&self, arguments: &[&str]) -> std::process::Output {
        self.cluster.kubectl(&self.with(arguments))
    }

    /// Runs kubectl in this namespace, and returns what it prints.
    ///
    /// # Panics
    /// If kubectl fails.
    pub fn ok(&self, arguments: &[&str]) -> String {
        self.cluster.ok(&self.with(arguments))
    }

    fn with<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        [&["--namespace", &self.name], arguments].concat()
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        // A cluster of our own ends with the process. Without controllers, none would be deleted.
        if matches!(self.cluster.0, Source::Users(_)) {
            let deletion = ["delete", "namespace", &self.name, "--wait=false"];
            let _ = self.cluster.kubectl(&deletion);
        }
    }
}
