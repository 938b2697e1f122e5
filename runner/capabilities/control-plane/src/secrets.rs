//! Versions of secrets (Secret Manager v1).

use google_cloud_secretmanager_v1::model::AccessSecretVersionResponse;
use sidestep_google::{Name, Service};

use super::{Answer, ControlPlane};

impl ControlPlane {
    /// Reads a version of a secret, `projects/P/secrets/S/versions/V`.
    pub fn secret_version<'a>(
        &'a self,
        what: &'a str,
        version: &Name,
    ) -> Answer<'a, AccessSecretVersionResponse> {
        let path = format!("/v1/{version}:access");
        self.get(what, Service::SecretManager, path)
    }
}
