use std::path::{Path, PathBuf};

use serde_json::Value;
use sidestep_events::Failure;
use sidestep_files::{OpenError, given};

use super::credentials::missing;

/// The file in which gcloud stores Application Default Credentials, below the home folder
/// (AIP-4113).
const WELL_KNOWN: &str = ".config/gcloud/application_default_credentials.json";

/// The maximum number of bytes of a credentials file that are read.
const MAX_BYTES: u64 = 1 << 20;

/// Facts about credentials that are known without using them. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Their kind, by the file's `type`: `service_account` (a key), `external_account`, …; or
    /// `metadata`, `anonymous`.
    pub source: String,
    /// The file or address of the credentials.
    pub location: Option<String>,
    /// The project of the credentials.
    pub project: Option<String>,
    /// The email address, if the file contains it.
    pub principal: Option<String>,
    /// The provider that exchanges the token of an `external_account`.
    pub audience: Option<String>,
    /// The file that holds that token.
    pub token_file: Option<PathBuf>,
}

impl Origin {
    /// Returns the origin of credentials that send nothing.
    pub fn anonymous() -> Self {
        Self {
            source: "anonymous".to_owned(),
            ..Self::default()
        }
    }

    /// Returns the origin from a credentials file (AIP-4110; `external_account`: AIP-4117).
    pub(crate) fn of_file(file: &Value, location: Option<&Path>) -> Self {
        let text = |key: &str| {
            file[key]
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let impersonated = text("service_account_impersonation_url")
            .as_deref()
            .and_then(account_of)
            .map(str::to_owned);
        Self {
            source: text("type").unwrap_or_else(|| "unknown".to_owned()),
            location: location.map(|path| path.display().to_string()),
            project: text("project_id").or_else(|| text("quota_project_id")),
            principal: impersonated
                .or_else(|| text("client_email"))
                .or_else(|| text("account")),
            audience: text("audience"),
            token_file: file["credential_source"]["file"]
                .as_str()
                .map(PathBuf::from),
        }
    }

    /// Returns the origin from the file that Application Default Credentials are read from; `None`
    /// if there is no file, and the metadata server is asked. The order is the client library's.
    ///
    /// # Errors
    /// `identity.no-credentials` when the file cannot be read.
    pub fn find(env: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Failure> {
        let named = env("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from);
        let is_named = named.is_some();
        let home = || Some(Path::new(&env("HOME")?).join(WELL_KNOWN));
        let Some(path) = named.or_else(home) else {
            return Ok(None);
        };
        let unreadable = |why: &dyn std::fmt::Display| {
            missing(&format!("{} can't be read: {why}", path.display()))
        };
        let bytes = match given::read(&path, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(OpenError::NotFound) if !is_named => return Ok(None),
            Err(error) => return Err(unreadable(&error)),
        };
        // A syntax error names a position in the file, never the text at that position.
        let file: Value = serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))?;
        Ok(Some(Self::of_file(&file, Some(&path))))
    }
}

/// Returns the account in `…/serviceAccounts/EMAIL:generateAccessToken`.
fn account_of(url: &str) -> Option<&str> {
    let (_, account) = url.rsplit_once("/serviceAccounts/")?;
    account.split(':').next().filter(|email| !email.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_federation_that_impersonates_is_its_account() {
        let file = json!({
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
            "service_account_impersonation_url":
                "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/ci@demo.iam.gserviceaccount.com:generateAccessToken",
            "credential_source": {"url": "https://ci", "headers": {"Authorization": "Bearer hunter22"}},
        });
        let origin = Origin::of_file(&file, Some(Path::new("/run/creds.json")));
        assert_eq!(origin.source, "external_account");
        assert_eq!(
            origin.principal.as_deref(),
            Some("ci@demo.iam.gserviceaccount.com")
        );
        assert_eq!(origin.location.as_deref(), Some("/run/creds.json"));
        assert!(!format!("{origin:?}").contains("hunter22"));
    }

    #[test]
    fn a_named_file_must_be_there_and_a_usual_one_need_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().display().to_string();
        let named = folder.path().join("key.json").display().to_string();
        let env = |with_name: bool| {
            let (home, named) = (home.clone(), named.clone());
            move |name: &str| match name {
                "HOME" => Some(home.clone()),
                "GOOGLE_APPLICATION_CREDENTIALS" => with_name.then(|| named.clone()),
                _ => None,
            }
        };
        assert_eq!(Origin::find(env(false)), Ok(None));
        let failure = Origin::find(env(true)).expect_err("it is not there");
        assert_eq!(failure.code, "identity.no-credentials");
        assert!(failure.message.contains(&named), "{failure}");
        let key = json!({"type": "service_account", "client_email": "a@b", "project_id": "b",
            "private_key": "hunter22"});
        std::fs::write(&named, key.to_string()).expect("written");
        let origin = Origin::find(env(true))
            .expect("it is read")
            .expect("it is there");
        assert_eq!(
            (origin.source.as_str(), origin.principal.as_deref()),
            ("service_account", Some("a@b"))
        );
        assert_eq!(origin.project.as_deref(), Some("b"));
        assert!(!format!("{origin:?}").contains("hunter22"));
        std::fs::write(&named, "{\"private_key\": hunter22").expect("written");
        let failure = Origin::find(env(true)).expect_err("it is no JSON");
        assert!(!failure.message.contains("hunter22"), "{failure}");
    }
}
