//! Service accounts, their keys and tokens, and roles (IAM v1, IAM Service Account Credentials v1).

use google_cloud_iam_admin_v1::model::{
    CreateServiceAccountRequest, ListServiceAccountKeysResponse, Role, ServiceAccount,
    ServiceAccountKey,
};
use google_cloud_iam_credentials_v1::model::{
    GenerateAccessTokenRequest, GenerateAccessTokenResponse,
};
use google_cloud_wkt as wkt;
use sidestep_google::{Name, Service};
use sidestep_handles::NotCreated;

use super::{Answer, ControlPlane, body};

impl ControlPlane {
    /// Gets a service account, `projects/P/serviceAccounts/EMAIL`.
    pub fn service_account<'a>(
        &'a self,
        what: &'a str,
        account: &Name,
    ) -> Answer<'a, ServiceAccount> {
        self.get(what, Service::Iam, format!("/v1/{account}"))
    }

    /// Lists every service account of a project, page by page.
    pub fn service_accounts<'a>(
        &'a self,
        what: &'a str,
        project: &Name,
    ) -> Answer<'a, Vec<ServiceAccount>> {
        let path = format!("/v1/{project}/serviceAccounts");
        Box::pin(async move {
            let key = "accounts";
            self.rest.list(what, Service::Iam, &path, key).await
        })
    }

    /// Lists the keys of a service account. The API has no pages for them.
    pub fn service_account_keys<'a>(
        &'a self,
        what: &'a str,
        account: &Name,
    ) -> Answer<'a, Vec<ServiceAccountKey>> {
        let path = format!("/v1/{account}/keys");
        let found = self.get::<ListServiceAccountKeysResponse>(what, Service::Iam, path);
        Box::pin(async { Ok(found.await?.keys) })
    }

    /// Gets a role: `roles/ROLE`, `projects/P/roles/ROLE` or `organizations/O/roles/ROLE`.
    pub fn role<'a>(&'a self, what: &'a str, role: &Name) -> Answer<'a, Role> {
        self.get(what, Service::Iam, format!("/v1/{role}"))
    }

    /// Creates a service account in a project. A second request creates nothing more, since the
    /// account has a name.
    ///
    /// # Errors
    /// The failure, and whether the account may exist.
    pub async fn create_service_account(
        &self,
        what: &str,
        project: &Name,
        id: &str,
        account: ServiceAccount,
    ) -> Result<(), NotCreated> {
        let message = CreateServiceAccountRequest::new()
            .set_account_id(id)
            .set_service_account(account);
        let body = body(&message).map_err(NotCreated::certainly)?;
        let path = format!("/v1/{project}/serviceAccounts");
        let made = self.rest.create(what, Service::Iam, &path, &body, true);
        made.await.map(drop)
    }

    /// Requests an access token of a service account, `projects/-/serviceAccounts/EMAIL`, that is
    /// valid for some seconds.
    pub fn access_token<'a>(
        &'a self,
        what: &'a str,
        account: &Name,
        scope: &str,
        seconds: u32,
    ) -> Answer<'a, GenerateAccessTokenResponse> {
        let message = GenerateAccessTokenRequest::new()
            .set_scope([scope])
            .set_lifetime(wkt::Duration::clamp(seconds.into(), 0));
        let path = format!("/v1/{account}:generateAccessToken");
        self.post(what, Service::IamCredentials, path, &message)
    }
}
