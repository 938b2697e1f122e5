//! Names of resources, checked before they become a part of a URL.

use std::fmt;

use sidestep_contract::google::{Account, is_project};
use sidestep_events::{Class, Failure, Owner, codes};

/// The maximum length of a name, in bytes; Google's own are far shorter.
const MAX_NAME: usize = 1024;

/// A resource's name that is safe in the path of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    text: String,
    project: Option<String>,
}

impl Name {
    /// Reads a name of a shape such as `projects/P/locations/L/clusters/C`, in which a part in
    /// capitals stands for any one part, and `P` for a project's id or number. `what` is the kind
    /// of resource: `cluster`.
    ///
    /// # Errors
    /// `google.name` for any other text, and for one that could have another meaning in a URL.
    pub fn read(what: &str, shape: &str, text: &str) -> Result<Self, Failure> {
        let (wanted, found): (Vec<&str>, Vec<&str>) =
            (shape.split('/').collect(), text.split('/').collect());
        let mut project = None;
        let fits = text.len() <= MAX_NAME
            && wanted.len() == found.len()
            && wanted.iter().zip(&found).all(|(wanted, found)| {
                if *wanted == "P" {
                    project = Some((*found).to_owned());
                    is_project(found)
                } else if wanted.bytes().all(|byte| byte.is_ascii_uppercase()) {
                    is_part(found)
                } else {
                    wanted == found
                }
            });
        if !fits {
            return Err(Failure::new(
                Class::InvalidInput,
                codes::google::NAME,
                Owner::Author,
                format!("`{}` is not a valid {what} name", text.escape_debug()),
            )
            .with_help(format!("write it as {shape}")));
        }
        Ok(Self {
            text: text.to_owned(),
            project,
        })
    }

    /// Returns the name as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the project in it, by id or number.
    pub fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The name that a plugin gave. An invalid one is kept as text, so that the gate checks and records
/// it all the same.
#[derive(Debug, Clone)]
pub struct Named {
    given: String,
    name: Result<Name, Failure>,
}

impl Named {
    /// Keeps the given text and the result of parsing it.
    pub fn new(given: impl Into<String>, name: Result<Name, Failure>) -> Self {
        Self {
            given: given.into(),
            name,
        }
    }

    /// Returns the name.
    ///
    /// # Errors
    /// The reason why the text is not a valid name.
    pub fn name(&self) -> Result<&Name, Failure> {
        self.name.as_ref().map_err(Clone::clone)
    }

    /// Returns the full name, or the invalid text.
    pub fn as_str(&self) -> &str {
        self.name.as_ref().map_or(&self.given, Name::as_str)
    }

    /// Returns the project in it, by id or number.
    pub fn project(&self) -> Option<&str> {
        self.name.as_ref().ok()?.project()
    }
}

/// Returns a service account's name from its email address. The name contains the account's project
/// if the address shows it, else `-`, for which Google answers 403 in place of 404.
///
/// # Errors
/// `google.name` if the text is not an email address.
pub fn service_account(email: &str) -> Result<Name, Failure> {
    account_of(email, Account::project_of(email))
}

/// Returns a service account's name with `-` for its project, as the methods of IAM Service Account
/// Credentials require it.
///
/// # Errors
/// As [`service_account`].
pub fn account_of_any_project(email: &str) -> Result<Name, Failure> {
    account_of(email, None)
}

fn account_of(email: &str, project: Option<String>) -> Result<Name, Failure> {
    if email.matches('@').count() != 1 || !is_part(email) || email.len() > MAX_NAME {
        return Err(Failure::new(
            Class::InvalidInput,
            codes::google::NAME,
            Owner::Author,
            format!(
                "`{}` is not the email address of a service account",
                email.escape_debug()
            ),
        )
        .with_help("write it as NAME@PROJECT.iam.gserviceaccount.com"));
    }
    Ok(Name {
        text: format!(
            "projects/{}/serviceAccounts/{email}",
            project.as_deref().unwrap_or("-")
        ),
        project,
    })
}

/// Returns whether a text is one part of a path, of characters without another meaning in a URL. A
/// colon would begin a verb.
fn is_part(text: &str) -> bool {
    !text.is_empty()
        && !matches!(text, "." | "..")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLUSTER: &str = "projects/P/locations/L/clusters/C";

    #[test]
    fn names_of_a_shape_are_taken() {
        for project in ["demo", "123456789012", "example.com:web"] {
            let text = format!("projects/{project}/locations/europe-west1/clusters/ci");
            let name = Name::read("cluster", CLUSTER, &text).expect("a name");
            assert_eq!((name.as_str(), name.project()), (&*text, Some(project)));
        }
    }

    #[test]
    fn nothing_else_reaches_a_url() {
        for text in [
            "",
            "ci",
            "projects/demo/locations/europe-west1/clusters/",
            "projects/demo/locations/europe-west1/clusters/..",
            "projects/demo/locations/./clusters/ci",
            "projects/demo/locations/x/clusters/ci/nodePools/a",
            "projects/demo/locations/x/clusters/ci?alt=media",
            "projects/demo/locations/x/clusters/ci#a",
            "projects/demo/locations/x/clusters/ci%2e",
            "projects/demo/locations/x/clusters/ci:undelete",
            "projects/demo:undelete/locations/x/clusters/ci",
            "projects/Demo/locations/x/clusters/ci",
            "projects/demo/locations/x/clusters/\u{e9}",
            "projects/demo/locations/x/clusters/c i",
            "folders/demo/locations/x/clusters/ci",
        ] {
            let failure = Name::read("cluster", CLUSTER, text).expect_err(text);
            assert_eq!(
                (failure.class, failure.code.exact()),
                (Class::InvalidInput, "google.name")
            );
        }
        let long = format!("projects/demo/locations/x/clusters/{}", "c".repeat(1024));
        assert!(Name::read("cluster", CLUSTER, &long).is_err());
    }

    #[test]
    fn an_address_names_its_project() {
        for (email, project) in [
            ("builder@demo.iam.gserviceaccount.com", "demo"),
            (
                "b@web.example.com.iam.gserviceaccount.com",
                "example.com:web",
            ),
            ("123-compute@developer.gserviceaccount.com", "123"),
            ("demo@appspot.gserviceaccount.com", "demo"),
            ("123@cloudservices.gserviceaccount.com", "-"),
            ("ci@example.com", "-"),
        ] {
            let name = service_account(email).expect(email);
            assert_eq!(
                name.as_str(),
                format!("projects/{project}/serviceAccounts/{email}")
            );
        }
        let anywhere = account_of_any_project("builder@demo.iam.gserviceaccount.com");
        assert_eq!(
            anywhere.expect("a name").as_str(),
            "projects/-/serviceAccounts/builder@demo.iam.gserviceaccount.com"
        );
        for email in ["", "builder", "a@b@c", "a/b@c", "a@b?c", "a:b@c"] {
            assert!(service_account(email).is_err(), "{email}");
            assert!(account_of_any_project(email).is_err(), "{email}");
        }
    }
}
