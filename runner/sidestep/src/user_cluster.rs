//! A sandbox's cluster, if it is one of the user's: its kubeconfig, and its failures.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sidestep_events::{Class, Command, Failure, Owner, Value, codes, commands};
use sidestep_sandbox::{
    ClusterError, Namespaces, NotRemoved, Right, SandboxError, User, UserCluster,
};

use crate::environment;
use crate::session::Session;

/// The ClusterRole in the printed commands.
const ROLE: &str = "sidestep-sandbox";
/// The ClusterRole for nodes, which belong to no namespace.
const NODES_ROLE: &str = "sidestep-sandbox-nodes";
/// Kubernetes' own ClusterRole that allows token reviews.
const REVIEWS_ROLE: &str = "system:auth-delegator";

/// Returns the user's cluster of a context, with the files of the kubeconfig.
pub(crate) fn user_cluster(
    session: &Session,
    context: String,
    namespaces: Vec<String>,
) -> Result<UserCluster, Failure> {
    let sandboxes = session.sandboxes()?;
    let named = environment::get_os("KUBECONFIG").filter(|files| !files.is_empty());
    let files: Vec<PathBuf> = match named {
        Some(files) => std::env::split_paths(&files).collect(),
        None => environment::get_os("HOME")
            .map(|home| Path::new(&home).join(".kube/config"))
            .into_iter()
            .collect(),
    };
    let files = files
        .into_iter()
        .filter(|file| !file.as_os_str().is_empty());
    // Each is watched once.
    let namespaces: BTreeSet<String> = namespaces.into_iter().collect();
    Ok(UserCluster {
        context,
        namespaces: namespaces.into_iter().collect(),
        kubeconfig: files
            .map(|file| std::path::absolute(&file).unwrap_or(file))
            // Those that the exports of a sandbox put before the user's.
            .filter(|file| !file.starts_with(&sandboxes))
            .collect(),
    })
}

/// Converts the error of a user's cluster into a failure, with help.
pub(crate) fn unusable(error: &ClusterError) -> Failure {
    let (class, owner) = match error {
        ClusterError::UnknownContext { .. } => (Class::NotFound, Owner::Operator),
        ClusterError::Kubeconfig(_) | ClusterError::Context { .. } => {
            (Class::Failed, Owner::Operator)
        }
        ClusterError::Unreachable { .. } => (Class::Unavailable, Owner::Cluster),
        ClusterError::Refused { .. } | ClusterError::Rights { .. } => {
            (Class::Denied, Owner::Cluster)
        }
        ClusterError::OtherMetadataServer { .. } => (Class::Refused, Owner::Operator),
    };
    let failure = Failure::new(class, codes::sandbox::CLUSTER, owner, error.to_string());
    match error {
        ClusterError::Kubeconfig(_)
        | ClusterError::UnknownContext { .. }
        | ClusterError::Context { .. } => failure
            .with_help("List the contexts of the kubeconfig (KUBECONFIG, or ~/.kube/config):")
            .with_helps(Some(Command::fixed(&["kubectl", "config", "get-contexts"]))),
        ClusterError::Unreachable { context, .. } | ClusterError::Refused { context, .. } => failure
            .with_help("Check that the cluster runs, and that its kubeconfig is current:")
            .with_helps(
                Command::new(&["kubectl", "get", "--raw=/version"])
                    .option("--context", context.as_str())
                    .build(),
            ),
        ClusterError::Rights {
            user,
            missing,
            namespaces,
            ..
        } => failure
            .with_help("An administrator of the cluster can grant them:")
            .with_helps(grants(user, missing, namespaces)),
        ClusterError::OtherMetadataServer { .. } => failure.with_help(
            "use a cluster on machines of your own, such as kind, k3s or minikube: on this one, pods \
             reach the cloud's metadata server and get an identity of the cloud",
        ),
    }
}

/// Converts the error of a removal into a failure, with the ways to repeat it and to give it up.
pub(crate) fn left_behind(error: &SandboxError) -> Failure {
    let failure = not_removed(error);
    let SandboxError::LeftBehind {
        name,
        installed,
        why,
    } = error
    else {
        return failure;
    };
    let first = match why {
        NotRemoved::Another(_) => format!(
            "Let context `{}` mean the cluster at {} again, and remove it:",
            installed.cluster.context, installed.server.address
        ),
        NotRemoved::Failed(_) => "Correct the cause, and remove it:".to_owned(),
    };
    failure
        .with_help(first)
        .with_helps(commands::sandbox(&["stop"], name))
        .with_help("If the cluster no longer exists, delete the sandbox's state:")
        .with_helps(commands::sandbox(&["reset"], name))
}

/// Converts the error of a removal that is not repeated into a failure, with the commands that do
/// the same by hand.
pub(crate) fn given_up(error: &SandboxError) -> Failure {
    let failure = not_removed(error);
    let by_hand = "If the cluster still exists, remove it by hand:".to_owned();
    let (selector, context, relays, help) = match error {
        SandboxError::LeftBehind { installed, why, .. } => {
            let selector = installed.installation.selector();
            let context = installed.cluster.context.as_str();
            let (context, help) = match why {
                NotRemoved::Failed(_) => (Some(context), by_hand),
                NotRemoved::Another(_) => (
                    None,
                    format!(
                        "If the cluster at {} still exists, remove it by hand, with a context that \
                         means this cluster:",
                        installed.server.address
                    ),
                ),
            };
            (selector, context, installed.relays, help)
        }
        // The record is damaged.
        _ => ("sidestep.dev/sandbox".to_owned(), None, true, by_hand),
    };
    failure
        .with_help(help)
        .with_helps(removals(&selector, context, relays))
}

fn not_removed(error: &SandboxError) -> Failure {
    let (code, owner) = (codes::sandbox::CLUSTER, Owner::Operator);
    Failure::new(Class::Failed, code, owner, error.to_string())
}

/// Returns the commands that remove the objects with a label from the cluster of a context.
fn removals(selector: &str, context: Option<&str>, relays: bool) -> Vec<Command> {
    let delete = |kinds: &[&'static str]| {
        let delete = Command::new(&["kubectl", "delete"])
            .words(kinds)
            .option("--selector", selector);
        match context {
            Some(context) => delete.option("--context", context).build(),
            None => delete.build(),
        }
    };
    let policies = "mutatingadmissionpolicybindings,mutatingadmissionpolicies";
    [
        delete(&[policies]),
        // In place of the policies, before Kubernetes 1.36.
        delete(&["mutatingwebhookconfigurations"]),
        delete(&["configmaps", "--all-namespaces"]),
        // The role owns everything else of the relays.
        relays
            .then(|| delete(&["clusterroles,namespaces"]))
            .flatten(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Returns the commands that grant the missing rights to a user.
fn grants(user: &User, missing: &[Right], namespaces: &Namespaces) -> Vec<Command> {
    let lacks = |resource: &str| missing.iter().any(|right| right.resource == resource);
    let in_namespaces = lacks("pods") || lacks("serviceaccounts");
    let mut commands = Vec::new();
    match namespaces {
        Namespaces::All if in_namespaces || lacks("nodes") => {
            commands.push(role(ROLE, "pods,serviceaccounts,nodes"));
            commands.push(binding(ROLE, ROLE, None, user));
        }
        Namespaces::All => {}
        Namespaces::Only(names) => {
            if in_namespaces {
                commands.push(role(ROLE, "pods,serviceaccounts"));
                let each = names
                    .iter()
                    .map(|name| binding(ROLE, ROLE, Some(name), user));
                commands.extend(each);
            }
            if lacks("nodes") {
                commands.push(role(NODES_ROLE, "nodes"));
                commands.push(binding(NODES_ROLE, NODES_ROLE, None, user));
            }
        }
    }
    if lacks("tokenreviews") {
        commands.push(binding("sidestep-sandbox-tokens", REVIEWS_ROLE, None, user));
    }
    commands.into_iter().flatten().collect()
}

fn role(name: &'static str, resources: &'static str) -> Option<Command> {
    Command::new(&[
        "kubectl",
        "create",
        "clusterrole",
        name,
        "--verb=list,watch",
    ])
    .joined(["--resource=".into(), resources.into()])
    .build()
}

fn binding(
    name: &'static str,
    role: &'static str,
    namespace: Option<&str>,
    user: &User,
) -> Option<Command> {
    let binding = match namespace {
        None => Command::new(&["kubectl", "create", "clusterrolebinding", name]),
        Some(namespace) => Command::new(&["kubectl", "create", "rolebinding", name])
            .option("--namespace", namespace),
    };
    let binding = binding.joined(["--clusterrole=".into(), role.into()]);
    match user {
        User::Named(user) => binding.joined(["--user=".into(), user.as_str().into()]),
        User::ServiceAccount { namespace, name } => {
            let account = format!("{namespace}:{name}");
            binding.joined(["--serviceaccount=".into(), account.as_str().into()])
        }
        User::Unknown => binding.joined(["--user=".into(), Value::to_replace("USER")]),
    }
    .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(verb: &'static str, resource: &'static str, namespace: Option<&str>) -> Right {
        Right {
            verb,
            group: "",
            resource,
            namespace: namespace.map(str::to_owned),
        }
    }

    fn lines(user: &User, missing: &[Right], namespaces: &Namespaces) -> Vec<String> {
        let commands = grants(user, missing, namespaces);
        commands.iter().map(Command::to_line).collect()
    }

    #[test]
    fn commands_name_the_scenario_and_the_context() {
        let line = |name| crate::cloud::line(&["stop"], name);
        for (name, options) in [
            ("healthy", ""),
            ("no-binding", " --scenario no-binding"),
            ("healthy@kind-kind", " --cluster kind-kind"),
            ("no-binding@a b", " --scenario no-binding --cluster 'a b'"),
        ] {
            assert_eq!(line(name), format!("sidestep sandbox stop{options}"));
        }
    }

    #[test]
    fn only_what_lacks_is_granted() {
        let user = User::Named("jane@example.com".to_owned());
        let watch_pods = right("watch", "pods", None);
        assert_eq!(
            lines(&user, &[watch_pods], &Namespaces::All),
            [
                "kubectl create clusterrole sidestep-sandbox --verb=list,watch --resource=pods,serviceaccounts,nodes",
                "kubectl create clusterrolebinding sidestep-sandbox --clusterrole=sidestep-sandbox --user=jane@example.com",
            ]
        );
        let reviews = right("create", "tokenreviews", None);
        assert_eq!(
            lines(&user, &[reviews], &Namespaces::All),
            [
                "kubectl create clusterrolebinding sidestep-sandbox-tokens --clusterrole=system:auth-delegator --user=jane@example.com"
            ]
        );
    }

    #[test]
    fn objects_are_removed_by_their_label_from_their_cluster() {
        let lines = |relays| -> Vec<String> {
            let commands = removals("sidestep.dev/installation=0f", Some("a b"), relays);
            commands.iter().map(Command::to_line).collect()
        };
        let all = [
            "kubectl delete mutatingadmissionpolicybindings,mutatingadmissionpolicies --selector sidestep.dev/installation=0f --context 'a b'",
            "kubectl delete mutatingwebhookconfigurations --selector sidestep.dev/installation=0f --context 'a b'",
            "kubectl delete configmaps --all-namespaces --selector sidestep.dev/installation=0f --context 'a b'",
            "kubectl delete clusterroles,namespaces --selector sidestep.dev/installation=0f --context 'a b'",
        ];
        assert_eq!(lines(true), all);
        assert_eq!(lines(false), all[..3]);
    }

    #[test]
    fn in_namespaces_the_grants_are_theirs() {
        let account = User::ServiceAccount {
            namespace: "ci".to_owned(),
            name: "runner".to_owned(),
        };
        let missing = [
            right("list", "pods", Some("builds")),
            right("list", "nodes", None),
        ];
        let namespaces = Namespaces::Only(vec!["builds".to_owned(), "tests".to_owned()]);
        assert_eq!(
            lines(&account, &missing, &namespaces),
            [
                "kubectl create clusterrole sidestep-sandbox --verb=list,watch --resource=pods,serviceaccounts",
                "kubectl create rolebinding sidestep-sandbox --namespace builds --clusterrole=sidestep-sandbox --serviceaccount=ci:runner",
                "kubectl create rolebinding sidestep-sandbox --namespace tests --clusterrole=sidestep-sandbox --serviceaccount=ci:runner",
                "kubectl create clusterrole sidestep-sandbox-nodes --verb=list,watch --resource=nodes",
                "kubectl create clusterrolebinding sidestep-sandbox-nodes --clusterrole=sidestep-sandbox-nodes --serviceaccount=ci:runner",
            ]
        );
        let unknown = lines(&User::Unknown, &missing[1..], &namespaces);
        assert!(unknown[1].ends_with("--user=USER"), "{unknown:?}");
    }
}
