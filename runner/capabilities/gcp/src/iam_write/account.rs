//! Creating a service account.

use google_cloud_iam_admin_v1::model::ServiceAccount;
use sidestep_bindings::sidestep::gcp::iam_write as wit;
use sidestep_bindings::sidestep::gcp::types;
use sidestep_contract::google::in_host;
use sidestep_control_plane::ControlPlane;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::functions::iam_write as functions;
use sidestep_gate::{NotCreated, Priced};
use sidestep_google::{Named, service_account};
use sidestep_resources::project;

use super::create::{New, same};
use crate::iam::answers;

/// A service account to create.
pub(super) struct Account {
    named: Named,
    new: wit::NewServiceAccount,
}

impl Account {
    pub(super) fn new(new: wit::NewServiceAccount) -> Self {
        let host = in_host(&new.project);
        let email = format!("{}@{host}.iam.gserviceaccount.com", new.account_id);
        let name = if new
            .project
            .starts_with(|first: char| first.is_ascii_digit())
        {
            Err(Failure::new(
                Class::InvalidInput,
                codes::google::NAME,
                Owner::Author,
                format!("`{}` is a project number", new.project),
            )
            .with_help("use the project's id, which is part of its service accounts' addresses"))
        } else {
            project(&new.project).and_then(|_| service_account(&email))
        };
        Self {
            named: Named::new(email, name),
            new,
        }
    }
}

impl New for Account {
    type Found = ServiceAccount;
    type Made = types::ServiceAccount;
    const KIND: &str = "serviceAccount";
    const FUNCTION: Priced = functions::CREATE_SERVICE_ACCOUNT;

    fn named(&self) -> &Named {
        &self.named
    }

    async fn make(&self, google: &ControlPlane, what: &str) -> Result<(), NotCreated> {
        let wanted = ServiceAccount::new()
            .set_display_name(self.new.display_name.as_deref().unwrap_or_default())
            .set_description(self.new.description.as_deref().unwrap_or_default());
        let project = project(&self.new.project).map_err(NotCreated::certainly)?;
        let id = &self.new.account_id;
        google
            .create_service_account(what, &project, id, wanted)
            .await
    }

    async fn look(&self, google: &ControlPlane, what: &str) -> Result<ServiceAccount, Failure> {
        google.service_account(what, self.named.name()?).await
    }

    fn is(&self, found: &ServiceAccount) -> Result<(), String> {
        let wit::NewServiceAccount {
            display_name,
            description,
            ..
        } = &self.new;
        same("display name", display_name.as_ref(), &found.display_name)?;
        same("description", description.as_ref(), &found.description)?;
        if found.disabled {
            return Err("it is disabled".to_owned());
        }
        Ok(())
    }

    fn id(found: &ServiceAccount) -> String {
        found.unique_id.clone()
    }

    fn made(found: Self::Found) -> Self::Made {
        answers::account(found)
    }
}
