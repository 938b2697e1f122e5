//! What an identity may do on a resource.

use http::Method;
use serde_json::{Value, json};
use sidestep_events::{Class, Failure};
use url::form_urlencoded;

use crate::bindings::sidestep::identity::prove as wit;
use crate::gcp::iam::policy;
use crate::google::{Name, Rest, Service};

/// What came of one target.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Outcome {
    /// In the order asked.
    pub(super) granted: Vec<String>,
    /// Why it could not be asked.
    pub(super) failure: Option<Failure>,
}

/// A resource that has a policy, and where its API is.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// As messages and grants name it: `projects/P/secrets/S`, `buckets/B`.
    pub(super) name: Name,
    service: Service,
    /// Of the resource itself.
    path: String,
}

impl Address {
    /// Where the resource is.
    ///
    /// # Errors
    /// `google.name` when its name is none.
    pub(super) fn of(resource: &wit::PolicyResource) -> Result<Self, Failure> {
        let name = policy::name(resource)?;
        let (service, path) = policy::place(resource, &name);
        let path = path.strip_suffix("/iam").unwrap_or(&path).to_owned();
        Ok(Self {
            name,
            service,
            path,
        })
    }

    /// Asks which of the permissions the caller has. An empty answer may come from a resource that
    /// does not exist, so it is looked at: as the caller and then, if it may not, as the runner.
    pub(super) async fn ask(
        &self,
        caller: &Rest,
        runner: Option<&Rest>,
        permissions: &[String],
    ) -> Outcome {
        let failed = |failure: Failure| Outcome {
            granted: Vec::new(),
            failure: Some(failure.with_detail("target", self.name.as_str())),
        };
        if permissions.is_empty() {
            return Outcome::default();
        }
        match self.test(caller, permissions).await {
            Err(failure) => failed(failure),
            Ok(granted) if granted.is_empty() => {
                for reader in [Some(caller), runner].into_iter().flatten() {
                    match self.read(reader).await {
                        Err(failure) if failure.class == Class::NotFound => return failed(failure),
                        // It is there, and gives nothing.
                        Ok(()) => break,
                        Err(_) => {}
                    }
                }
                Outcome::default()
            }
            Ok(granted) => Outcome {
                granted,
                failure: None,
            },
        }
    }

    async fn test(&self, caller: &Rest, permissions: &[String]) -> Result<Vec<String>, Failure> {
        let what = format!("ask for permissions on {}", self.name.as_str());
        let path = &self.path;
        let answer = if self.service == Service::Storage {
            let query: String = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(permissions.iter().map(|p| ("permissions", p)))
                .finish();
            let path = format!("{path}/iam/testPermissions?{query}");
            caller
                .call(&what, Method::GET, self.service, &path, None)
                .await?
        } else {
            let path = format!("{path}:testIamPermissions");
            let body = json!({ "permissions": permissions });
            caller
                .call(&what, Method::POST, self.service, &path, Some(&body))
                .await?
        };
        let held: Vec<&str> = answer["permissions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        Ok(permissions
            .iter()
            .filter(|asked| held.contains(&asked.as_str()))
            .cloned()
            .collect())
    }

    async fn read(&self, reader: &Rest) -> Result<(), Failure> {
        let what = format!("find {}", self.name.as_str());
        reader
            .call(&what, Method::GET, self.service, &self.path, None)
            .await
            .map(drop)
    }
}
