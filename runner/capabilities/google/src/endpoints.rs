use std::collections::BTreeMap;
use std::str::FromStr;

use url::Url;

/// The end of the names of Google's APIs.
const GOOGLE: &str = ".googleapis.com";

/// A Google Cloud service that has an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Cloud Storage, JSON and XML API.
    Storage,
    /// Identity and Access Management.
    Iam,
    /// IAM Service Account Credentials.
    IamCredentials,
    /// Security Token Service.
    Sts,
    /// The token exchange that GKE's own components use.
    SecureToken,
    /// Google Kubernetes Engine.
    Container,
    /// Cloud Resource Manager.
    CloudResourceManager,
    /// Service Usage.
    ServiceUsage,
    /// Artifact Registry's control plane.
    ArtifactRegistry,
    /// Secret Manager.
    SecretManager,
    /// Image registries, all hosts of them.
    Registry,
    /// The metadata server.
    Metadata,
}

/// A name that does not belong to any service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a service with an endpoint")]
pub struct UnknownService(String);

impl Service {
    /// All services, in the order of the contract.
    pub const ALL: [Self; 12] = [
        Self::Storage,
        Self::Iam,
        Self::IamCredentials,
        Self::Sts,
        Self::SecureToken,
        Self::Container,
        Self::CloudResourceManager,
        Self::ServiceUsage,
        Self::ArtifactRegistry,
        Self::SecretManager,
        Self::Registry,
        Self::Metadata,
    ];

    /// Returns the name in `SIDESTEP_ENDPOINT_<NAME>`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Storage => "STORAGE",
            Self::Iam => "IAM",
            Self::IamCredentials => "IAMCREDENTIALS",
            Self::Sts => "STS",
            Self::SecureToken => "SECURETOKEN",
            Self::Container => "CONTAINER",
            Self::CloudResourceManager => "CLOUDRESOURCEMANAGER",
            Self::ServiceUsage => "SERVICEUSAGE",
            Self::ArtifactRegistry => "ARTIFACTREGISTRY",
            Self::SecretManager => "SECRETMANAGER",
            Self::Registry => "REGISTRY",
            Self::Metadata => "METADATA",
        }
    }

    /// Returns Google's own address; `None` for registries, whose hosts are in the images' names.
    fn default_url(self) -> Option<&'static str> {
        Some(match self {
            Self::Storage => "https://storage.googleapis.com",
            Self::Iam => "https://iam.googleapis.com",
            Self::IamCredentials => "https://iamcredentials.googleapis.com",
            Self::Sts => "https://sts.googleapis.com",
            Self::SecureToken => "https://securetoken.googleapis.com",
            Self::Container => "https://container.googleapis.com",
            Self::CloudResourceManager => "https://cloudresourcemanager.googleapis.com",
            Self::ServiceUsage => "https://serviceusage.googleapis.com",
            Self::ArtifactRegistry => "https://artifactregistry.googleapis.com",
            Self::SecretManager => "https://secretmanager.googleapis.com",
            Self::Metadata => "http://metadata.google.internal",
            Self::Registry => return None,
        })
    }
}

impl FromStr for Service {
    type Err = UnknownService;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|service| service.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownService(name.to_owned()))
    }
}

/// The address of each service.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    moved: BTreeMap<Service, Url>,
    /// Whether `STORAGE_EMULATOR_HOST` sets the address of Cloud Storage, which means no
    /// credentials.
    anonymous_storage: bool,
}

impl Endpoints {
    /// Sets the address of a service.
    pub fn set(&mut self, service: Service, url: Url) {
        if service == Service::Storage {
            self.anonymous_storage = false;
        }
        self.moved.insert(service, url);
    }

    /// Sets the address from `STORAGE_EMULATOR_HOST`, as every Cloud Storage client does: a server
    /// that requires no credentials. An endpoint that was set takes precedence.
    pub fn set_storage_emulator(&mut self, url: Url) {
        self.moved.entry(Service::Storage).or_insert_with(|| {
            self.anonymous_storage = true;
            url
        });
    }

    /// Returns whether Cloud Storage is called without credentials.
    pub fn is_storage_anonymous(&self) -> bool {
        self.anonymous_storage
    }

    /// Returns the service's address without a trailing slash; `None` for a registry whose address
    /// was not set.
    pub fn url(&self, service: Service) -> Option<String> {
        match self.moved.get(&service) {
            Some(url) => Some(url.as_str().trim_end_matches('/').to_owned()),
            None => service.default_url().map(str::to_owned),
        }
    }

    /// Returns the `Host` of a request, if it is not the address's own: at Google's private addresses
    /// (`private.googleapis.com`, Private Service Connect) it names the service. A region's address
    /// keeps its own.
    pub fn host(&self, service: Service) -> Option<&'static str> {
        let own = service.default_url()?.strip_prefix("https://")?;
        let name = own.strip_suffix(GOOGLE)?;
        let moved = self.moved.get(&service)?.host_str()?;
        let prefix = moved.strip_suffix(GOOGLE)?;
        // `europe-west1-container`, or `container.europe-west1.rep`.
        let is_regional = prefix
            .strip_suffix(name)
            .is_some_and(|region| region.len() > 1 && region.ends_with('-'))
            || prefix
                .strip_prefix(name)
                .is_some_and(|region| region.starts_with('.') && region.ends_with(".rep"));
        (moved != own && !is_regional).then_some(own)
    }

    /// Returns the address that was set in place of Google's own.
    pub fn moved(&self, service: Service) -> Option<&Url> {
        self.moved.get(&service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_goes_before_the_emulator_whichever_is_set_first() {
        let here: Url = "http://127.0.0.1:1/".parse().expect("a URL");
        let emulator: Url = "http://127.0.0.1:2/".parse().expect("a URL");
        for endpoint_first in [true, false] {
            let mut endpoints = Endpoints::default();
            if endpoint_first {
                endpoints.set(Service::Storage, here.clone());
            }
            endpoints.set_storage_emulator(emulator.clone());
            endpoints.set(Service::Storage, here.clone());
            let url = endpoints.url(Service::Storage);
            assert_eq!(url.as_deref(), Some("http://127.0.0.1:1"));
            assert!(!endpoints.is_storage_anonymous());
        }
    }

    #[test]
    fn a_private_address_is_asked_for_the_service_and_a_region_s_for_itself() {
        let host_at = |host: &str| {
            let mut endpoints = Endpoints::default();
            let url = format!("https://{host}").parse().expect("a URL");
            endpoints.set(Service::Container, url);
            endpoints.host(Service::Container)
        };
        for private in [
            "private.googleapis.com",
            "restricted.googleapis.com",
            "container-ci.p.googleapis.com",
            "container.mtls.googleapis.com",
        ] {
            assert_eq!(host_at(private), Some("container.googleapis.com"));
        }
        for other in [
            "container.googleapis.com",
            "europe-west1-container.googleapis.com",
            "container.europe-west1.rep.googleapis.com",
            "127.0.0.1:8443",
            "googleapis.com.example",
        ] {
            assert_eq!(host_at(other), None, "{other}");
        }
        assert_eq!(Endpoints::default().host(Service::Container), None);
    }

    #[test]
    fn names_are_those_of_the_environment() {
        for service in Service::ALL {
            assert_eq!(service.name().parse(), Ok(service));
        }
        assert!("GMAIL".parse::<Service>().is_err());
    }
}
