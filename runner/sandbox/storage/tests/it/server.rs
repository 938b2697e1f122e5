//! A storage server on its own port, and a plain HTTP client.

use crate::access::{OWNER, Policies};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use sidestep_sandbox_storage::{SESSION_LIFE, Seed, Storage};
use sidestep_test_harness::Port;
use std::{path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;

pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) policies: Arc<Policies>,
    pub(crate) storage: Storage,
    server: sidestep_test_harness::Server,
}

pub(crate) fn bucket(name: &str) -> Seed {
    Seed {
        name: name.to_owned(),
        project: "demo".to_owned(),
        location: "EU".to_owned(),
        uniform_access: true,
    }
}

/// Returns a server over a fresh directory with the bucket `ctx`.
pub(crate) async fn fresh() -> (Server, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Server::open(dir.path(), SESSION_LIFE).await, dir)
}

impl Server {
    pub(crate) async fn open(dir: &Path, life: Duration) -> Self {
        let policies = Arc::new(Policies::default());
        let storage =
            Storage::open_with_session_life(dir, Arc::clone(&policies) as _, life).unwrap();
        storage.seed(&bucket("ctx")).unwrap();
        let port = Port::free().await;
        storage.set_http_port(port.address.port());
        let server = sidestep_test_harness::Server::at(port, storage.router());
        Self {
            base: server.base.clone(),
            policies,
            storage,
            server,
        }
    }

    /// Returns a request as the owner.
    pub(crate) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.call_as(Some(OWNER), method, path)
    }

    pub(crate) fn call_as(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
    ) -> RequestBuilder {
        self.server.request(token, method, path)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.call(Method::GET, path).send().await.unwrap()).await
    }

    /// Uploads with `uploadType=media` as the owner.
    pub(crate) async fn put(&self, name: &str, bytes: &str) -> (u16, Value) {
        let path = format!("/upload/storage/v1/b/ctx/o?uploadType=media&name={name}");
        let request = self.call(Method::POST, &path).body(bytes.to_owned());
        answer(request.send().await.unwrap()).await
    }
}

pub(crate) async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (
        status,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    )
}
