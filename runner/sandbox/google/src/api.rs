//! The APIs that the sandbox serves, and their names.

/// One of Google's APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// Security Token Service: the token exchange.
    Sts,
    /// GKE's own token exchange.
    SecureToken,
    /// Identity and Access Management: service accounts, roles, pools.
    Iam,
    /// Service Account Credentials: impersonation.
    IamCredentials,
    /// Kubernetes Engine.
    Container,
    /// Resource Manager: projects.
    CloudResourceManager,
    /// Service Usage: which APIs a project has enabled.
    ServiceUsage,
    /// Artifact Registry's own API; images are the registry server's.
    ArtifactRegistry,
    /// Secret Manager.
    SecretManager,
}

impl Api {
    /// All the APIs.
    pub const ALL: [Self; 9] = [
        Self::Sts,
        Self::SecureToken,
        Self::Iam,
        Self::IamCredentials,
        Self::Container,
        Self::CloudResourceManager,
        Self::ServiceUsage,
        Self::ArtifactRegistry,
        Self::SecretManager,
    ];

    /// Returns the API's name in settings, `SIDESTEP_ENDPOINT_<NAME>`.
    pub fn endpoint_name(self) -> &'static str {
        match self {
            Self::Sts => "STS",
            Self::SecureToken => "SECURETOKEN",
            Self::Iam => "IAM",
            Self::IamCredentials => "IAMCREDENTIALS",
            Self::Container => "CONTAINER",
            Self::CloudResourceManager => "CLOUDRESOURCEMANAGER",
            Self::ServiceUsage => "SERVICEUSAGE",
            Self::ArtifactRegistry => "ARTIFACTREGISTRY",
            Self::SecretManager => "SECRETMANAGER",
        }
    }

    /// Returns the API behind one of Google's host names. The token endpoint of keys belongs to the
    /// STS.
    pub(crate) fn of_host(host: &str) -> Option<Self> {
        let host = match host {
            "oauth2.googleapis.com" => "sts.googleapis.com",
            host => host,
        };
        Self::ALL.into_iter().find(|api| api.host() == host)
    }

    /// Returns Google's host name for the API, which is also the service's name in Service Usage.
    pub fn host(self) -> &'static str {
        match self {
            Self::Sts => "sts.googleapis.com",
            Self::SecureToken => "securetoken.googleapis.com",
            Self::Iam => "iam.googleapis.com",
            Self::IamCredentials => "iamcredentials.googleapis.com",
            Self::Container => "container.googleapis.com",
            Self::CloudResourceManager => "cloudresourcemanager.googleapis.com",
            Self::ServiceUsage => "serviceusage.googleapis.com",
            Self::ArtifactRegistry => "artifactregistry.googleapis.com",
            Self::SecretManager => "secretmanager.googleapis.com",
        }
    }
}

/// Returns the title of a Google service, as Google's messages give it, or its name if the title is
/// unknown.
pub(crate) fn title(service: &str) -> &str {
    match service {
        "artifactregistry.googleapis.com" => "Artifact Registry API",
        "cloudresourcemanager.googleapis.com" => "Cloud Resource Manager API",
        "compute.googleapis.com" => "Compute Engine API",
        "container.googleapis.com" => "Kubernetes Engine API",
        "containerregistry.googleapis.com" => "Container Registry API",
        "iam.googleapis.com" => "Identity and Access Management (IAM) API",
        "iamcredentials.googleapis.com" => "IAM Service Account Credentials API",
        "logging.googleapis.com" => "Cloud Logging API",
        "monitoring.googleapis.com" => "Cloud Monitoring API",
        "secretmanager.googleapis.com" => "Secret Manager API",
        "serviceusage.googleapis.com" => "Service Usage API",
        "storage.googleapis.com" => "Cloud Storage API",
        "storage-api.googleapis.com" => "Google Cloud Storage JSON API",
        "storage-component.googleapis.com" => "Cloud Storage",
        "sts.googleapis.com" => "Security Token Service API",
        other => other,
    }
}

/// The services that can be enabled.
pub(crate) const SERVICES: [&str; 14] = [
    "artifactregistry.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "containerregistry.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "secretmanager.googleapis.com",
    "serviceusage.googleapis.com",
    "storage-api.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
];
