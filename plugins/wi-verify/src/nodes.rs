//! Link 4: the nodes that the pods can land on serve workload identities.

use std::collections::BTreeMap;

use sidestep::gcp::gke::NodePool;
use sidestep::{Class, Result, codes};

use crate::identity::Workload;
use crate::inputs::METADATA_LABEL;
use crate::verdict::{Verdict, and, cluster, helps, unread};

/// The nodes' default account, as GKE's API writes it.
const DEFAULT: &str = "default";
/// The suffix of its address.
const DEFAULT_ACCOUNT: &str = "-compute@developer.gserviceaccount.com";

/// Judges a Standard cluster's node pools; `number` is its project's.
pub(crate) fn nodes(
    workload: &Workload,
    read: Result<Vec<NodePool>>,
    selector: &BTreeMap<String, String>,
    number: Option<u64>,
    caller: &str,
) -> Result<Verdict> {
    let pools = match read {
        Ok(pools) => pools,
        Err(error) => {
            let what = format!("the node pools of {}", workload.cluster);
            return unread(caller, &what, error);
        }
    };
    let chosen: Vec<&NodePool> = pools
        .iter()
        .filter(|pool| may_take(pool, selector))
        .collect();
    let (serving, others): (Vec<&NodePool>, Vec<&NodePool>) =
        chosen.into_iter().partition(|pool| serves(pool));
    let names = |pools: &[&NodePool]| and(&pools.iter().map(|pool| &pool.name).collect::<Vec<_>>());
    if serving.is_empty() && others.is_empty() {
        let labels: Vec<String> = selector.iter().map(|(k, v)| format!("{k}={v}")).collect();
        return Ok(Verdict::Warns(
            format!(
                "no node pool has the labels of the pods' node selector ({})",
                and(&labels)
            ),
            helps(["pods wait until one has them; node auto-provisioning may create one"]),
        ));
    }
    // With the label, pods go to the nodes that serve; without it, to any.
    let asks = selector.contains_key(METADATA_LABEL);
    if others.is_empty() {
        let verb = if serving.len() == 1 {
            "serves"
        } else {
            "serve"
        };
        return Ok(Verdict::Holds(format!(
            "{} {verb} workload identities",
            names(&serving)
        )));
    }
    let account = account(others[0], number);
    if asks && !serving.is_empty() {
        return Ok(Verdict::Warns(
            format!(
                "{} serves workload identities; {} does not: pods there run as {account}",
                names(&serving),
                names(&others)
            ),
            helps([format!(
                "pods need the node selector {METADATA_LABEL}: \"true\", as kaniko-launch sets it"
            )]),
        ));
    }
    let verb = if others.len() == 1 { "does" } else { "do" };
    let mut error = cluster(
        Class::Denied,
        codes::identity::NODE_ACCOUNT,
        format!(
            "{} {verb} not serve workload identities: every pod there runs as {account}",
            names(&others)
        ),
    );
    // Where pods ask for nodes that serve, one such pool is enough.
    let named = if asks { &others[..1] } else { &others[..] };
    error = error.help(if named.len() == 1 && others.len() > 1 {
        "enable Workload Identity on one of them (its nodes may be recreated):"
    } else {
        "enable Workload Identity there (nodes may be recreated):"
    });
    for pool in named {
        error = error.helps(workload.gke().serve_identities(&pool.name));
    }
    Ok(Verdict::Broken(error))
}

/// `workloadMetadataConfig.mode` (Kubernetes Engine v1).
fn serves(pool: &NodePool) -> bool {
    pool.metadata_mode.as_deref() == Some("GKE_METADATA")
}

/// Returns whether the pool has the labels of the pods' node selector, as far as its facts show:
/// the node itself sets the labels of Kubernetes and GKE.
fn may_take(pool: &NodePool, selector: &BTreeMap<String, String>) -> bool {
    selector.iter().all(|(key, value)| {
        if key == "cloud.google.com/gke-nodepool" {
            return *value == pool.name;
        }
        let domain = key.split('/').next().unwrap_or_default();
        let own = ["kubernetes.io", "k8s.io", "gke.io", "google.com"];
        let made_by_node = key.contains('/')
            && own
                .iter()
                .any(|own| domain == *own || domain.ends_with(&format!(".{own}")));
        made_by_node
            || pool
                .labels
                .iter()
                .any(|label| label.key == *key && label.value == *value)
    })
}

/// Returns the account that a pod runs as on such a node.
fn account(pool: &NodePool, number: Option<u64>) -> String {
    match pool.service_account.as_deref() {
        Some(account) if account != DEFAULT && !account.ends_with(DEFAULT_ACCOUNT) => {
            format!("the nodes' account {account}")
        }
        _ => match number {
            Some(number) => format!("the nodes' default account {number}{DEFAULT_ACCOUNT}"),
            None => "the nodes' default account".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use sidestep::gcp::gke::Label;

    use super::*;
    use crate::identity::{self, Way};
    use crate::inputs::example;
    use sidestep::serde_json::json;

    fn pool(name: &str, mode: Option<&str>) -> NodePool {
        NodePool {
            name: name.to_owned(),
            status: "RUNNING".to_owned(),
            version: "1.36".to_owned(),
            metadata_mode: mode.map(str::to_owned),
            service_account: Some("default".to_owned()),
            oauth_scopes: Vec::new(),
            machine_type: "e2".to_owned(),
            labels: Vec::new(),
            taints: Vec::new(),
        }
    }

    fn judge(pools: Vec<NodePool>, selector: Option<sidestep::serde_json::Value>) -> Verdict {
        let inputs = match selector {
            Some(selector) => example(&json!({ "nodeSelector": selector })),
            None => example(&json!({})),
        };
        let workload = identity::example(Way::Direct).workload;
        nodes(
            &workload,
            Ok(pools),
            &inputs.node_selector,
            Some(12),
            "dev@x",
        )
        .expect("a verdict")
    }

    #[test]
    fn pods_that_ask_for_the_metadata_server_need_one_pool_that_serves() {
        let good = || pool("good", Some("GKE_METADATA"));
        let bad = || pool("bad", Some("GCE_METADATA"));
        assert_eq!(
            judge(vec![good()], None),
            Verdict::Holds("good serves workload identities".to_owned())
        );
        let Verdict::Warns(text, _) = judge(vec![good(), bad()], None) else {
            panic!("no warning");
        };
        assert!(text.contains(
            "pods there run as the nodes' default account 12-compute@developer.gserviceaccount.com"
        ));
        let error = judge(vec![bad(), pool("worse", None)], None).broken();
        assert_eq!(error.code, "identity.node-account");
        assert_eq!(
            &error.help[1..],
            [
                "gcloud container node-pools update bad --cluster ci --location europe-west1 --project demo --workload-metadata=GKE_METADATA"
            ]
        );
    }

    #[test]
    fn pods_that_go_anywhere_need_every_pool_to_serve() {
        let pools = || {
            vec![
                pool("good", Some("GKE_METADATA")),
                pool("bad", None),
                pool("worse", None),
            ]
        };
        let error = judge(pools(), Some(json!({}))).broken();
        assert_eq!(error.help.len(), 3, "{error:?}");
        let chosen = judge(
            pools(),
            Some(json!({ "cloud.google.com/gke-nodepool": "good" })),
        );
        assert!(matches!(chosen, Verdict::Holds(_)), "{chosen:?}");
    }

    #[test]
    fn labels_choose_pools() {
        let mut labelled = pool("builds", Some("GKE_METADATA"));
        labelled.labels.push(Label {
            key: "for".to_owned(),
            value: "builds".to_owned(),
        });
        let selector = json!({ "for": "builds", "kubernetes.io/arch": "amd64" });
        let chosen = judge(vec![labelled, pool("rest", None)], Some(selector));
        assert_eq!(
            chosen,
            Verdict::Holds("builds serves workload identities".to_owned())
        );
        let none = judge(vec![pool("rest", None)], Some(json!({ "for": "builds" })));
        assert!(matches!(none, Verdict::Warns(..)), "{none:?}");
    }
}
