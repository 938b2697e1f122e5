//! Help for a pod that the cluster refuses.

use sidestep::{Command, Error, codes, kubectl};

use crate::work::Work;

/// The inputs that set an amount, by the resource that a quota or a LimitRange names.
const AMOUNTS: [(&str, &str); 3] = [
    ("cpu", "`cpu`"),
    ("memory", "`memory`"),
    ("ephemeral-storage", "`ephemeralStorage`"),
];

/// Adds the help for the work's inputs to the host's error.
pub(crate) fn refused(error: Error, work: &Work<'_>) -> Error {
    let error = error.context(format!("the {} was not started", work.noun));
    match error.code.as_str() {
        codes::kubernetes::QUOTA => of_amounts(error, work),
        codes::kubernetes::POD_SECURITY => error.help(work.pod_security).helps(show_labels(work)),
        codes::kubernetes::SERVICE_ACCOUNT_MISSING => {
            let create = kubectl::create_account(work.namespace, work.service_account);
            error
                .help("correct `serviceAccount`, or create it and link it to a Google account (docs/ways.md):")
                .helps(create)
        }
        codes::kubernetes::NOT_FOUND => {
            let create = kubectl::create_namespace(work.namespace);
            error
                .help("correct `namespace`, or create it:")
                .helps(create)
        }
        _ => error,
    }
}

/// Adds the help for amounts that a quota or a LimitRange does not allow.
fn of_amounts(error: Error, work: &Work<'_>) -> Error {
    let named: Vec<&str> = AMOUNTS
        .iter()
        .filter(|(resource, _)| error.message.contains(resource))
        .map(|(_, input)| *input)
        .collect();
    let named = match named[..] {
        [] => "`cpu`, `memory` or `ephemeralStorage`".to_owned(),
        _ => named.join(" and "),
    };
    let help = if error.message.contains("must specify") {
        format!("set {named} to a quantity or to `{{ request, limit }}`")
    } else {
        format!("change {named} to what the namespace allows, or wait until other pods have ended")
    };
    let describe = Command::new(&["kubectl", "describe", "resourcequota,limitrange"])
        .option("-n", work.namespace)
        .build();
    error
        .help(help)
        .help("show what the namespace allows:")
        .helps(describe)
}

fn show_labels(work: &Work<'_>) -> Option<Command> {
    Command::new(&["kubectl", "get", "namespace"])
        .value(work.namespace)
        .words(&["--show-labels"])
        .build()
}

#[cfg(test)]
mod tests {
    use sidestep::{Class, Owner};

    use super::*;
    use crate::work::example::build;

    fn helps(code: &str, message: &str) -> Vec<String> {
        let error = Error::new(Class::Failed, code, Owner::Cluster, message);
        let error = refused(error, &build());
        assert!(error.message.starts_with("the build was not started: "));
        error.help.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_quota_names_the_inputs_that_it_wants() {
        let helps = helps(
            "kubernetes.quota",
            "pods \"b\" is forbidden: failed quota: compute: must specify limits.cpu for: kaniko; requests.cpu for: kaniko",
        );
        assert_eq!(
            helps[0],
            "set `cpu` to a quantity or to `{ request, limit }`"
        );
        assert_eq!(
            helps[2],
            "kubectl describe resourcequota,limitrange -n builds"
        );
    }

    #[test]
    fn a_limit_that_is_passed_is_answered_with_less_of_that() {
        let helps = helps(
            "kubernetes.quota",
            "pods \"b\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi",
        );
        assert!(helps[0].starts_with("change `memory` to"), "{helps:?}");
    }

    #[test]
    fn restricted_namespaces_are_answered_with_the_level_that_suffices() {
        let helps = helps("kubernetes.pod-security", "violates PodSecurity");
        assert!(helps[0].contains("`baseline`"), "{helps:?}");
        assert_eq!(helps[1], "kubectl get namespace builds --show-labels");
    }

    #[test]
    fn what_is_missing_comes_with_the_command_that_creates_it() {
        let account = helps("kubernetes.service-account-missing", "not found");
        assert_eq!(account[1], "kubectl create serviceaccount kaniko -n builds");
        let namespace = helps("kubernetes.not-found", "namespaces \"builds\" not found");
        assert_eq!(namespace[1], "kubectl create namespace builds");
    }
}
