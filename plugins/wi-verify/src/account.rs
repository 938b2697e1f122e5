//! Link 5: the Kubernetes service account is there.

use sidestep::serde_json::Value;
use sidestep::{Class, Error, Result, codes, kubectl};

use crate::identity::Workload;
use crate::verdict::{Verdict, cluster, unread};

/// Returns whether a failed read says that the cluster has no such object (and not that the cluster
/// does not exist).
pub(crate) fn is_missing(error: &Error) -> bool {
    error.is_not_found() && !error.code.starts_with("google.")
}

/// Link 5: the namespace and the account exist. `others` are the names of the namespace's accounts,
/// where they could be listed: a namespace has at least `default`.
pub(crate) fn exists(
    workload: &Workload,
    read: &Result<Value>,
    others: Option<&[String]>,
    caller: &str,
) -> Result<Verdict> {
    let Workload {
        namespace, account, ..
    } = workload;
    let error = match read {
        Ok(_) => return Ok(Verdict::Holds(format!("{} exists", workload.name()))),
        Err(error) if is_missing(error) => error,
        Err(error) => {
            return unread(
                caller,
                &format!("service accounts in {namespace}"),
                error.clone(),
            );
        }
    };
    let create = kubectl::create_account(namespace, account);
    if others.is_some_and(<[String]>::is_empty) {
        return Ok(Verdict::Broken(
            cluster(
                Class::NotFound,
                codes::identity::NAMESPACE_MISSING,
                format!(
                    "the cluster {} has no namespace {namespace}",
                    workload.cluster
                ),
            )
            .help(on(workload, "create them"))
            .helps(kubectl::create_namespace(namespace))
            .helps(create),
        ));
    }
    let mut broken = cluster(
        error.class,
        codes::identity::SERVICE_ACCOUNT_MISSING,
        format!(
            "namespace {namespace} of the cluster {} has no service account {account}; no pod that uses it can start",
            workload.cluster
        ),
    );
    let others: Vec<&str> = others
        .unwrap_or_default()
        .iter()
        .map(String::as_str)
        .filter(|name| *name != "default")
        .collect();
    let mut what = "create it";
    if !others.is_empty() {
        what = "otherwise create it";
        broken = broken.help(format!(
            "correct `serviceAccount`, if it should be one of these: {}",
            others.join(", ")
        ));
    }
    Ok(Verdict::Broken(
        broken.help(on(workload, what)).helps(create),
    ))
}

/// Returns the help before a kubectl command: what the command does, and on which cluster, because
/// this step can't know which context kubectl uses.
pub(crate) fn on(workload: &Workload, what: &str) -> String {
    format!("{what}, with kubectl on cluster {}:", workload.cluster)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Way, example};

    #[test]
    fn a_missing_account_is_created_in_its_namespace() {
        let workload = example(Way::Direct).workload;
        let missing = || Err(cluster(Class::NotFound, "x", "no"));
        let judge = |others: Option<&[String]>| {
            exists(&workload, &missing(), others, "dev@x")
                .expect("a verdict")
                .broken()
        };
        let error = judge(Some(&["default".to_owned(), "kaniko2".to_owned()]));
        assert_eq!(error.code, "identity.service-account-missing");
        assert_eq!(
            error.help[0],
            "correct `serviceAccount`, if it should be one of these: kaniko2"
        );
        assert_eq!(
            error.help[2],
            "kubectl create serviceaccount kaniko -n builds"
        );
        let error = judge(Some(&[]));
        assert_eq!(error.code, "identity.namespace-missing");
        assert_eq!(
            error.help[1..],
            [
                "kubectl create namespace builds",
                "kubectl create serviceaccount kaniko -n builds"
            ]
        );
        assert_eq!(judge(None).code, "identity.service-account-missing");
    }

    #[test]
    fn a_missing_cluster_is_no_missing_account() {
        let workload = example(Way::Direct).workload;
        let gone = Error::new(
            Class::NotFound,
            "google.not-found",
            sidestep::Owner::Cloud,
            "no cluster",
        );
        assert_eq!(
            exists(&workload, &Err(gone.clone()), None, "dev@x"),
            Err(gone)
        );
    }
}
