//! The workload's names in Kubernetes and in IAM.
//!
//! Names: <https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity>.

use sidestep::google::{Account, Cluster, Member};
use sidestep::{Error, Result, codes};

use crate::inputs::Inputs;

/// A Kubernetes service account in a cluster of GKE, and the Google service account that it is to
/// act as, if any.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Workload {
    pub(crate) cluster: Cluster,
    pub(crate) namespace: String,
    pub(crate) account: String,
    pub(crate) google: Option<Account>,
}

impl Workload {
    /// Returns the workload that the inputs name.
    pub(crate) fn of(inputs: &Inputs) -> Result<Self> {
        let cluster = Cluster::read(inputs.cluster.as_str()).ok_or_else(|| {
            Error::invalid_input(
                codes::identity::CLUSTER_NAME,
                format!(
                    "`{}` is not the resource name of a GKE cluster",
                    inputs.cluster
                ),
            )
            .help("write projects/PROJECT/locations/LOCATION/clusters/CLUSTER")
        })?;
        let google = match inputs.google_service_account.as_deref() {
            Some(email) => Some(google_account(email, &cluster.project)?),
            None => None,
        };
        Ok(Self {
            cluster,
            namespace: inputs.namespace.clone(),
            account: inputs.service_account.clone(),
            google,
        })
    }

    /// `NAMESPACE/ACCOUNT`.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.namespace, self.account)
    }

    /// Returns the cluster's resource name.
    pub(crate) fn cluster_name(&self) -> String {
        let Cluster {
            project,
            location,
            name,
        } = &self.cluster;
        format!("projects/{project}/locations/{location}/clusters/{name}")
    }
}

/// Parses the address of an account that people create: no other account can be created here.
fn google_account(email: &str, project: &str) -> Result<Account> {
    let wrong = |what: &str| {
        Error::invalid_input(
            codes::identity::ACCOUNT_NAME,
            format!("`googleServiceAccount` is `{email}`, which is {what}"),
        )
        .help("write NAME@PROJECT.iam.gserviceaccount.com")
    };
    let account = Account::check(email, project).map_err(|misspelt| wrong(misspelt.what))?;
    let (Some(name), Some(_)) = (account.name(), account.project_id()) else {
        return Err(wrong("an account that Google creates and manages"));
    };
    // IAM, `projects.serviceAccounts.create`, `accountId`.
    if !(6..=30).contains(&name.len()) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(wrong(
            "no name of an account: that has 6 to 30 characters and begins with a letter",
        ));
    }
    Ok(account)
}

/// A workload in its pool.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identity {
    pub(crate) workload: Workload,
    pub(crate) pool: String,
    /// The number of the cluster's project, which only the direct form needs.
    pub(crate) number: Option<u64>,
}

impl Identity {
    /// Returns the member that acts as the Google service account. Pool and project are the
    /// cluster's, also for an account of another project.
    pub(crate) fn actor(&self) -> Member {
        let Workload {
            namespace, account, ..
        } = &self.workload;
        Member::workload(&self.pool, namespace, account)
    }

    /// Returns the member that gets the roles on the targets.
    pub(crate) fn holder(&self) -> Member {
        let Workload {
            namespace, account, ..
        } = &self.workload;
        match &self.workload.google {
            Some(google) => Member::account(google.address()),
            None => {
                let number = self.number.map(|number| number.to_string());
                Member::principal(number, &self.pool, namespace, account)
            }
        }
    }
}

#[cfg(test)]
pub(crate) fn example(more: &sidestep::serde_json::Value) -> Identity {
    Identity {
        workload: Workload::of(&crate::inputs::example(more)).expect("a workload"),
        pool: "demo.svc.id.goog".to_owned(),
        number: Some(123_456_789_012),
    }
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::inputs;

    #[test]
    fn roles_go_to_the_account_or_to_the_workload_itself() {
        let email = "app-ci@shared.iam.gserviceaccount.com";
        let acting = example(&json!({ "googleServiceAccount": email }));
        assert_eq!(
            acting.actor().text(),
            Some("serviceAccount:demo.svc.id.goog[builds/app]"),
            "the pool is the cluster's, wherever the account lies"
        );
        assert_eq!(
            acting.holder().text(),
            Some("serviceAccount:app-ci@shared.iam.gserviceaccount.com")
        );
        assert_eq!(
            example(&json!({})).holder().text(),
            Some(
                "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/demo.svc.id.goog/subject/ns/builds/sa/app"
            )
        );
    }

    #[test]
    fn an_account_that_only_google_creates_is_refused() {
        for email in [
            "123-compute@developer.gserviceaccount.com",
            "demo@appspot.gserviceaccount.com",
            "app",
            "short@demo.iam.gserviceaccount.com",
            "1builder@demo.iam.gserviceaccount.com",
            "serviceAccount:app-ci@demo.iam.gserviceaccount.com",
        ] {
            let inputs = inputs::example(&json!({ "googleServiceAccount": email }));
            let error = Workload::of(&inputs).expect_err(email);
            assert_eq!(error.code, "identity.account-name", "{email}");
        }
    }
}
