//! What an identity may do on a resource.

use http::Method;
use serde_json::{Value, json};
use sidestep_events::{Class, Failure, Owner};
use url::form_urlencoded;

use super::failure::{enable_api, is_email, is_name};
use crate::bindings::sidestep::identity::prove as wit;
use crate::google::{Rest, Service};

/// What came of one target.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Outcome {
    /// In the order asked.
    pub(super) granted: Vec<String>,
    /// Why it could not be asked.
    pub(super) failure: Option<Failure>,
}

/// A resource that has a policy, and where its API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// As messages and policies name it: `projects/P/secrets/S`; `gs://B`.
    pub(super) name: String,
    /// The project that its name tells.
    pub(super) project: Option<String>,
    service: Service,
    path: String,
}

impl Address {
    /// Where the resource is.
    ///
    /// # Errors
    /// `identity.target` when its name is none.
    pub(super) fn of(resource: &wit::PolicyResource) -> Result<Self, Failure> {
        let wrong = |what: &str, text: &str| {
            Failure::new(
                Class::InvalidInput,
                "identity.target",
                Owner::Author,
                format!("no permissions can be asked for: `{text}` is no {what}"),
            )
        };
        match resource {
            wit::PolicyResource::Project(id) if is_project(id) => {
                let name = format!("projects/{id}");
                Ok(Self::new(Service::CloudResourceManager, "v3", name))
            }
            wit::PolicyResource::Project(id) => Err(wrong("project's id", id)),
            wit::PolicyResource::ServiceAccount(email) if is_email(email) => {
                let project = email
                    .split_once('@')
                    .and_then(|(_, host)| host.strip_suffix(".iam.gserviceaccount.com"))
                    .unwrap_or("-");
                let name = format!("projects/{project}/serviceAccounts/{email}");
                Ok(Self::new(Service::Iam, "v1", name))
            }
            wit::PolicyResource::ServiceAccount(email) => {
                Err(wrong("service account's email address", email))
            }
            wit::PolicyResource::Bucket(bucket) if is_name(bucket) => Ok(Self {
                name: format!("gs://{bucket}"),
                project: None,
                service: Service::Storage,
                path: format!("/storage/v1/b/{bucket}"),
            }),
            wit::PolicyResource::Bucket(bucket) => Err(wrong("bucket's name", bucket)),
            wit::PolicyResource::Repository(name)
                if is_below(name, &["projects", "locations", "repositories"]) =>
            {
                Ok(Self::new(Service::ArtifactRegistry, "v1", name.clone()))
            }
            wit::PolicyResource::Repository(name) => Err(wrong(
                "repository (projects/P/locations/L/repositories/R)",
                name,
            )),
            wit::PolicyResource::Secret(name) if is_below(name, &["projects", "secrets"]) => {
                Ok(Self::new(Service::SecretManager, "v1", name.clone()))
            }
            wit::PolicyResource::Secret(name) => Err(wrong("secret (projects/P/secrets/S)", name)),
        }
    }

    fn new(service: Service, version: &str, name: String) -> Self {
        Self {
            project: name.split('/').nth(1).map(str::to_owned),
            path: format!("/{version}/{name}"),
            service,
            name,
        }
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
            failure: Some(enable_api(failure).with_detail("target", self.name.clone())),
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
        let what = format!("ask for permissions on {}", self.name);
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
        let what = format!("find {}", self.name);
        reader
            .call(&what, Method::GET, self.service, &self.path, None)
            .await
            .map(drop)
    }
}

/// A project's id; older ones begin with their domain: `example.com:demo`.
fn is_project(text: &str) -> bool {
    match text.split_once(':') {
        Some((domain, id)) => is_name(domain) && is_name(id),
        None => is_name(text),
    }
}

/// Whether it is a resource name with these collections, each with a name of its own.
fn is_below(name: &str, collections: &[&str]) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    parts.len() == collections.len() * 2
        && parts.chunks(2).zip(collections).all(|(pair, collection)| {
            pair[0] == *collection
                && (is_name(pair[1]) || *collection == "projects" && is_project(pair[1]))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        let repository = |name: &str| wit::PolicyResource::Repository(name.to_owned());
        let good = "projects/example.com:demo/locations/europe/repositories/images";
        let address = Address::of(&repository(good)).expect("it is one");
        assert_eq!(address.path, format!("/v1/{good}"));
        assert_eq!(address.project.as_deref(), Some("example.com:demo"));
        for bad in [
            "projects/demo/locations/europe/repositories/..",
            "projects/demo/locations/europe/repositories/images?x",
            "projects/demo/locations/europe/repositories/images/packages/p",
            "projects/demo/secrets/greeting",
            "",
        ] {
            assert!(Address::of(&repository(bad)).is_err(), "{bad}");
        }
        for bad in [
            wit::PolicyResource::Project("a/b".into()),
            wit::PolicyResource::ServiceAccount("a@b/..".into()),
            wit::PolicyResource::Bucket("b?x".into()),
            wit::PolicyResource::Secret("projects/demo/secrets/".into()),
        ] {
            let failure = Address::of(&bad).expect_err("it is none");
            assert_eq!(failure.code, "identity.target");
        }
    }
}
