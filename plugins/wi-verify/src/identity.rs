//! The workload's names in Kubernetes and in IAM.
//!
//! Names: <https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity>.

use sidestep::google::{Account, Cluster, Member};
use sidestep::{Error, Result, codes};

use crate::inputs::Inputs;

/// A Kubernetes service account in a cluster of GKE.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Workload {
    pub(crate) project: String,
    pub(crate) location: String,
    pub(crate) cluster: String,
    pub(crate) namespace: String,
    pub(crate) account: String,
}

impl Workload {
    /// Returns the workload that the inputs name.
    pub(crate) fn of(inputs: &Inputs) -> Result<Self> {
        let cluster = &inputs.cluster;
        let (Some(project), Some(location), Some(name)) =
            (cluster.project(), cluster.location(), cluster.name())
        else {
            return Err(Error::invalid_input(
                codes::identity::CLUSTER_NAME,
                format!("`{cluster}` is not the resource name of a GKE cluster"),
            )
            .help("write projects/PROJECT/locations/LOCATION/clusters/CLUSTER"));
        };
        Ok(Self {
            project: project.to_owned(),
            location: location.to_owned(),
            cluster: name.to_owned(),
            namespace: inputs.namespace.clone(),
            account: inputs.service_account.clone(),
        })
    }

    /// `NAMESPACE/ACCOUNT`.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.namespace, self.account)
    }

    /// Returns the cluster's resource name.
    pub(crate) fn cluster_name(&self) -> String {
        format!(
            "projects/{}/locations/{}/clusters/{}",
            self.project, self.location, self.cluster
        )
    }

    /// Returns the cluster for commands.
    pub(crate) fn gke(&self) -> Cluster {
        Cluster {
            project: self.project.clone(),
            location: self.location.clone(),
            name: self.cluster.clone(),
        }
    }

    /// Returns the cluster as the pool's identity provider.
    pub(crate) fn provider(&self) -> String {
        format!(
            "https://container.googleapis.com/v1/{}",
            self.cluster_name()
        )
    }
}

/// The way in which the workload gets its permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// As itself.
    Direct,
    /// As the Google service account of this address.
    As(String),
}

impl Way {
    /// Returns the Google service account, if there is one.
    pub(crate) fn account(&self) -> Option<&str> {
        match self {
            Self::Direct => None,
            Self::As(email) => Some(email),
        }
    }
}

/// The member that names everybody.
const EVERYBODY: &str = "allUsers";

/// A workload in its pool.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identity {
    pub(crate) workload: Workload,
    pub(crate) pool: String,
    /// The number of the cluster's project, if it could be read.
    pub(crate) number: Option<u64>,
    /// The Kubernetes service account's uid, if it could be read.
    pub(crate) uid: Option<String>,
    pub(crate) way: Way,
}

impl Identity {
    /// Returns the member that names the workload in a Google service account's policy. Pool and
    /// project are the cluster's, also for an account of another project.
    pub(crate) fn member(&self) -> Member {
        let Workload {
            namespace, account, ..
        } = &self.workload;
        Member::workload(&self.pool, namespace, account)
    }

    /// Returns the member that names the workload itself, if the project's number is known.
    pub(crate) fn principal(&self) -> Option<Member> {
        let Workload {
            namespace, account, ..
        } = &self.workload;
        let number = self.number?.to_string();
        Some(Member::principal(number, &self.pool, namespace, account))
    }

    /// Returns the member that needs the roles on the targets.
    pub(crate) fn holder(&self) -> Option<Member> {
        match &self.way {
            Way::As(email) => {
                Account::read(email).map(|account| Member::account(account.address()))
            }
            Way::Direct => self.principal(),
        }
    }

    /// Returns the holder's name for a message.
    pub(crate) fn who(&self) -> String {
        match &self.way {
            Way::As(email) => email.clone(),
            Way::Direct => self.workload.name(),
        }
    }

    /// Returns whether a policy's member is the workload, or a set that it belongs to.
    pub(crate) fn is(&self, member: &str) -> bool {
        let Workload { namespace, .. } = &self.workload;
        if self.member().text() == Some(member) || member == EVERYBODY {
            return true;
        }
        let rest = |kind| {
            let pool = self.pool_path(kind)?;
            member.strip_prefix(&pool)?.strip_prefix('/')
        };
        match (rest("principal"), rest("principalSet")) {
            (Some(rest), _) => {
                Some(rest)
                    == self
                        .uid
                        .as_ref()
                        .map(|uid| format!("kubernetes.serviceaccount.uid/{uid}"))
                        .as_deref()
                    || rest == format!("subject/ns/{namespace}/sa/{}", self.workload.account)
            }
            (_, Some(rest)) => {
                rest == "*"
                    || rest == format!("namespace/{namespace}")
                    || rest == format!("kubernetes.cluster/{}", self.workload.provider())
            }
            _ => false,
        }
    }

    /// Returns whether a member of a target's policy is the identity that accesses the target.
    pub(crate) fn holds(&self, member: &str) -> bool {
        match &self.way {
            // A workload itself has no Google account.
            Way::As(email) => {
                member.strip_prefix("serviceAccount:") == Some(email)
                    || [EVERYBODY, "allAuthenticatedUsers"].contains(&member)
            }
            Way::Direct => self.is(member),
        }
    }

    fn pool_path(&self, kind: &str) -> Option<String> {
        let (number, pool) = (self.number?, &self.pool);
        Some(format!(
            "{kind}://iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/{pool}"
        ))
    }
}

#[cfg(test)]
pub(crate) fn example(way: Way) -> Identity {
    let inputs = crate::inputs::example(&sidestep::serde_json::json!({}));
    Identity {
        workload: Workload::of(&inputs).expect("a cluster"),
        pool: "demo.svc.id.goog".to_owned(),
        number: Some(123_456_789_012),
        uid: Some("0f1e".to_owned()),
        way,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/demo.svc.id.goog";

    #[test]
    fn every_member_that_is_the_workload_is_known() {
        let identity = example(Way::Direct);
        for member in [
            "serviceAccount:demo.svc.id.goog[builds/kaniko]".to_owned(),
            format!("principal://{POOL}/subject/ns/builds/sa/kaniko"),
            format!("principal://{POOL}/kubernetes.serviceaccount.uid/0f1e"),
            format!("principalSet://{POOL}/namespace/builds"),
            format!(
                "principalSet://{POOL}/kubernetes.cluster/https://container.googleapis.com/v1/projects/demo/locations/europe-west1/clusters/ci"
            ),
            format!("principalSet://{POOL}/*"),
            "allUsers".to_owned(),
        ] {
            assert!(identity.is(&member), "{member}");
        }
        for member in [
            "serviceAccount:demo.svc.id.goog[kaniko/builds]".to_owned(),
            "serviceAccount:other.svc.id.goog[builds/kaniko]".to_owned(),
            "allAuthenticatedUsers".to_owned(),
            format!("principal://{POOL}/subject/ns/builds/sa/kaniko2"),
            format!("principal://{POOL}/kubernetes.serviceaccount.uid/"),
            format!("principalSet://{POOL}/namespace/builds2"),
            format!("principal://{POOL}/namespace/builds"),
        ] {
            assert!(!identity.is(&member), "{member}");
        }
    }

    #[test]
    fn the_pool_is_the_cluster_s_wherever_the_account_lies() {
        let identity = example(Way::As("builder@shared.iam.gserviceaccount.com".to_owned()));
        assert_eq!(
            identity.member().text(),
            Some("serviceAccount:demo.svc.id.goog[builds/kaniko]")
        );
        assert_eq!(
            identity.holder(),
            Member::of_caller("builder@shared.iam.gserviceaccount.com")
        );
    }
}
