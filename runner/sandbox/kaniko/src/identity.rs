use crate::{
    Environment,
    access_token::{NoToken, Token},
    credentials::Credentials,
    failure::Failure,
};
use reqwest::{Client, StatusCode};
use std::time::Duration;
use tokio::sync::OnceCell;

/// The default address of the metadata server.
const METADATA: &str = "169.254.169.254";
/// The timeout of the metadata server, which is either nearby or absent.
const PATIENCE: Duration = Duration::from_secs(3);
const STORAGE_SCOPES: &str = "https://www.googleapis.com/auth/devstorage.full_control,https://www.googleapis.com/auth/cloud-platform";
const CLOUD_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The pod's identity: that of the credentials file that the environment names, or that of the
/// metadata server.
pub(crate) struct Identity {
    http: Client,
    file: Option<Result<Credentials, String>>,
    host: String,
    told: bool,
    /// The token for registries, requested once per process. If the request fails, the process
    /// stays anonymous.
    registry: OnceCell<Option<Token>>,
}

impl Identity {
    pub(crate) fn new(environment: &Environment) -> Result<Self, Failure> {
        let http = Client::builder().no_proxy().timeout(PATIENCE).build();
        let http = http.map_err(|error| Failure::Plain(format!("no HTTP client: {error}")))?;
        let told = environment.get("GCE_METADATA_HOST");
        let host = told.unwrap_or(METADATA).to_owned();
        Ok(Self {
            http,
            file: Credentials::of(environment),
            host,
            told: told.is_some(),
            registry: OnceCell::new(),
        })
    }

    /// Returns a token for Cloud Storage.
    pub(crate) async fn for_storage(&self) -> Result<Token, NoToken> {
        match &self.file {
            Some(Ok(file)) => return file.token(&STORAGE_SCOPES.replace(',', " ")).await,
            Some(Err(why)) => return Err(NoToken::Unusable(why.clone())),
            None => {}
        }
        if !self.told {
            // Check that this is Google's server: a name server could redirect the request.
            let root = self.http.get(format!("http://{}/", self.host)).send().await;
            let flavor = root
                .ok()
                .and_then(|root| root.headers().get("Metadata-Flavor").cloned());
            if flavor.is_none_or(|flavor| flavor != "Google") {
                return Err(NoToken::NoCredentials);
            }
        }
        self.token(STORAGE_SCOPES).await
    }

    /// Returns a token for Google's registries; without one, kaniko continues anonymously.
    pub(crate) async fn for_registry(&self) -> Option<&Token> {
        let fetch = || async {
            match &self.file {
                Some(Ok(file)) => return file.token(CLOUD_SCOPE).await.ok(),
                Some(Err(_)) => return None,
                None => {}
            }
            self.get("project/project-id").await.ok()?;
            self.token(CLOUD_SCOPE).await.ok()
        };
        self.registry.get_or_init(fetch).await.as_ref()
    }

    async fn token(&self, scopes: &str) -> Result<Token, NoToken> {
        let scopes =
            percent_encoding::utf8_percent_encode(scopes, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
                .replace("%2E", ".")
                .replace("%2D", "-")
                .replace("%5F", "_");
        let path = format!("instance/service-accounts/default/token?scopes={scopes}");
        let body = self.get(&path).await?;
        serde_json::from_str(&body)
            .map_err(|_| NoToken::Refused("metadata: the token's answer is not JSON".into()))
    }

    async fn get(&self, path: &str) -> Result<String, NoToken> {
        let url = format!("http://{}/computeMetadata/v1/{path}", self.host);
        let answer = self
            .http
            .get(url)
            .header("Metadata-Flavor", "Google")
            .send()
            .await;
        let answer = answer.map_err(|_| NoToken::NoCredentials)?;
        let status = answer.status();
        let body = answer.text().await.map_err(|_| NoToken::NoCredentials)?;
        match status {
            StatusCode::OK => Ok(body),
            StatusCode::NOT_FOUND => Err(NoToken::Refused(format!(
                "metadata: GCE metadata \"{path}\" not defined"
            ))),
            _ => Err(NoToken::Refused(format!(
                "compute: Received {} `{}`",
                status.as_u16(),
                body.trim_end()
            ))),
        }
    }
}
