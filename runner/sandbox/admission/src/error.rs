use crate::installation::Installation;

/// The reason why an installation or a removal failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A namespace is missing.
    #[error("namespace `{0}` does not exist")]
    NoNamespace(String),
    /// The API server has no policies, and there is no webhook.
    #[error(
        "the API server does not serve MutatingAdmissionPolicy of admissionregistration.k8s.io/v1 \
         (Kubernetes 1.36 and newer do), and there is no webhook in its place"
    )]
    NoPolicies,
    /// An object of our name is not ours.
    #[error(
        "{kind} `{name}`{} was not created by sidestep, and is not changed; rename or delete it \
         first",
        within(namespace.as_deref())
    )]
    Foreign {
        /// The kind.
        kind: &'static str,
        /// The name.
        name: String,
        /// The namespace of a kind that has them.
        namespace: Option<String>,
    },
    /// An object of our name belongs to the installation of another sandbox, which may be live.
    #[error(
        "{kind} `{name}`{} was installed by {} and is not changed; stop that sandbox, or, if it no \
         longer exists, delete its objects, which have the label {}",
        within(namespace.as_deref()),
        of.owner(),
        of.selector()
    )]
    Another {
        /// The kind.
        kind: &'static str,
        /// The name.
        name: String,
        /// The namespace of a kind that has them.
        namespace: Option<String>,
        /// The other sandbox's installation.
        of: Installation,
    },
    /// The API server refused a request, or did not answer.
    #[error("cannot {what}: {source}")]
    Api {
        /// The request, such as `create ConfigMap`.
        what: String,
        /// The answer.
        source: Box<kube::Error>,
    },
}

fn within(namespace: Option<&str>) -> String {
    namespace.map_or_else(String::new, |name| format!(" in namespace `{name}`"))
}

impl Error {
    pub(crate) fn api(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        move |source| Self::Api {
            what,
            source: Box::new(source),
        }
    }
}
