//! Other clients that change a bucket's policy.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Output};
use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Clients of one bucket's policy.
pub(super) struct Editors {
    runtime: Runtime,
    client: Arc<Client>,
}

struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    /// Reads or replaces the policy. Returns `None` if it changed since it was read.
    async fn send(&self, method: Method, body: Option<&Value>) -> Option<Value> {
        let mut request = self
            .http
            .request(method, &self.url)
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        if answer.status() == StatusCode::PRECONDITION_FAILED {
            return None;
        }
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{body:#}");
        Some(body)
    }

    async fn policy(&self) -> Value {
        let read = self.send(Method::GET, None).await;
        read.expect("a read has no precondition")
    }

    /// Reads, changes and writes the policy until no other client was faster.
    async fn change(&self, change: impl Fn(&mut Vec<Value>)) {
        loop {
            let mut policy = self.policy().await;
            change(policy["bindings"].as_array_mut().unwrap());
            policy["version"] = 3.into();
            if self.send(Method::PUT, Some(&policy)).await.is_some() {
                return;
            }
        }
    }
}

impl Editors {
    /// Creates the clients with the sandbox's variables.
    pub(super) fn of(exports: &[(String, String)], bucket: &str) -> Self {
        let get = |name: &str| {
            let found = exports.iter().find(|(known, _)| known == name);
            &found.expect(name).1
        };
        let storage = get("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE");
        let origin: String = storage.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let token = std::fs::read_to_string(get("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")).unwrap();
        Self {
            runtime: Runtime::new().unwrap(),
            client: Arc::new(Client {
                http: reqwest::Client::new(),
                url: format!("{origin}/storage/v1/b/{bucket}/iam?optionsRequestedPolicyVersion=3"),
                token: token.trim().to_owned(),
            }),
        }
    }

    pub(super) fn policy(&self) -> Value {
        self.runtime.block_on(self.client.policy())
    }

    /// Adds a binding, under a condition or without one.
    pub(super) fn bind(&self, role: &str, member: &str, conditioned: bool) {
        let mut binding = json!({ "role": role, "members": [member] });
        if conditioned {
            binding["condition"] = json!({ "title": "until 2090", "expression": "request.time < timestamp('2090-01-01T00:00:00Z')" });
        }
        let change = |bindings: &mut Vec<Value>| bindings.push(binding.clone());
        self.runtime.block_on(self.client.change(change));
    }

    /// Adds as many members as a policy may have.
    pub(super) fn fill(&self) {
        let change = |bindings: &mut Vec<Value>| {
            let count: usize = bindings
                .iter()
                .map(|binding| binding["members"].as_array().unwrap().len())
                .sum();
            let members: Vec<String> = (count..1500)
                .map(|number| format!("user:member-{number}@example.com"))
                .collect();
            bindings.push(json!({ "role": "roles/storage.objectViewer", "members": members }));
        };
        self.runtime.block_on(self.client.change(change));
    }

    /// Lets each editor add a member of its own, from the moment at which a run begins its changes,
    /// and waits for all of them and for the run.
    pub(super) fn edit_at_once(&self, count: usize, mut run: Child) -> Output {
        let mut events = BufReader::new(run.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("making 6 changes") {
            line.clear();
            assert_ne!(
                events.read_line(&mut line).unwrap(),
                0,
                "it changes something"
            );
        }
        let editors: Vec<_> = (0..count)
            .map(|number| {
                let client = Arc::clone(&self.client);
                self.runtime.spawn(async move {
                    let member = format!("user:editor-{number}@example.com");
                    let add = |bindings: &mut Vec<Value>| {
                        let role = "roles/storage.objectViewer";
                        bindings.push(json!({ "role": role, "members": [member] }));
                    };
                    client.change(add).await;
                })
            })
            .collect();
        self.runtime.block_on(async {
            for editor in editors {
                editor.await.unwrap();
            }
        });
        let mut rest = String::new();
        events.read_to_string(&mut rest).unwrap();
        run.wait_with_output().unwrap()
    }
}
