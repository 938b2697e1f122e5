//! Whose identity a build has, and how it comes to have its own.

use std::cell::OnceCell;

use sidestep::gcp::gke::{self, ClusterFacts, NodePool};
use sidestep::kubernetes::{self, ObjectRef};
use sidestep::{Diagnostic, Result};

use crate::inputs::{GoogleKey, Inputs};
use crate::repair::{self, LINK, Repository};
use crate::shell::Piece;

/// The metadata mode that serves workload identities.
const SERVES: &str = "GKE_METADATA";

/// What is known of the place that builds.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The Google account that the Kubernetes one is linked to; none where that is not known.
    pub(crate) link: Option<Link>,
    /// The cluster as GKE has it, where the step asks for that.
    pub(crate) cluster: Option<ClusterFacts>,
    /// Its node pools.
    pub(crate) pools: Vec<NodePool>,
}

/// Whether a Kubernetes service account is linked to a Google one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// It is itself what roles are given to.
    Direct,
    /// It acts as this account.
    Account(String),
}

/// The identity of a build, with the facts about it, which are asked for once and when needed.
#[derive(Debug)]
pub(crate) struct Identity<'a> {
    inputs: &'a Inputs,
    facts: OnceCell<Facts>,
}

impl<'a> Identity<'a> {
    /// Nothing is known yet.
    pub(crate) fn new(inputs: &'a Inputs) -> Self {
        Self {
            inputs,
            facts: OnceCell::new(),
        }
    }

    #[cfg(test)]
    pub(crate) fn known(inputs: &'a Inputs, facts: Facts) -> Self {
        Self {
            inputs,
            facts: facts.into(),
        }
    }

    fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| ask(self.inputs))
    }

    /// What is insecure about it, with the way out.
    pub(crate) fn warning(&self) -> Option<Diagnostic> {
        if let Some(key) = &self.inputs.google_key {
            return Some(self.key_warning(key));
        }
        if !self.inputs.looks_at_cluster() {
            return None;
        }
        let unserved = self.unserved();
        let first = unserved.first()?;
        let whose = node_account(first, self.inputs);
        let message = if unserved.len() == self.landing().count() {
            format!(
                "the build runs as its node's account, {whose}, like every pod there, and not as {}",
                self.inputs.workload()
            )
        } else {
            format!(
                "the build may run as a node's account, {whose}, and not as {}: it can land on node pool {}, which serves no workload identities",
                self.inputs.workload(),
                first.name
            )
        };
        Some(with_lines(
            Diagnostic::warning("identity.node-account", message),
            self.way_off_the_node(),
        ))
    }

    fn key_warning(&self, key: &GoogleKey) -> Diagnostic {
        let inputs = self.inputs;
        let message = format!(
            "the build uses a service account's key, of Secret {}/{}: whoever reads that Secret is that account, from anywhere, until the key is deleted",
            inputs.namespace, key.secret
        );
        with_lines(
            Diagnostic::warning("identity.key-in-secret", message),
            self.way_off_the_key(),
        )
    }

    /// From a key to the workload's own identity, which becomes the key's account.
    pub(crate) fn way_off_the_key(&self) -> Vec<String> {
        let inputs = self.inputs;
        let Some(key) = &inputs.google_key else {
            return Vec::new();
        };
        let mut lines = vec!["the way out is Workload Identity, which needs no key:".to_owned()];
        lines.extend(self.serve());
        let account = repair::asked_of_key(inputs, key, "client_email");
        let pool = self.pool();
        lines.extend(pool.map(|pool| repair::bind(inputs, &account, pool)));
        lines.push(repair::link(inputs, account));
        lines.push(
            "then run the step without `googleKey`; when that works, end the key:".to_owned(),
        );
        lines.extend(repair::end_key(inputs, key));
        lines
    }

    /// From the node's account to the workload's own identity.
    pub(crate) fn way_off_the_node(&self) -> Vec<String> {
        let mut lines = vec![
            "the way out is Workload Identity (nodes may be recreated by the first command):"
                .to_owned(),
        ];
        lines.extend(self.serve());
        lines.extend(self.bind());
        lines.extend(self.roles());
        if !self.inputs.only_served_nodes() {
            lines.push(
                "then leave `nodeSelector` out, so that builds keep to nodes that serve workload identities"
                    .to_owned(),
            );
        }
        lines
    }

    /// Lets the nodes serve workload identities, as far as they don't.
    pub(crate) fn serve(&self) -> Vec<String> {
        let cluster = &self.inputs.cluster;
        let Some(facts) = &self.facts().cluster else {
            // A key says nothing about the nodes.
            return match self.inputs.google_key {
                Some(_) => Vec::new(),
                None => repair::serve_identities(cluster, &[]),
            };
        };
        let mut commands = Vec::new();
        if facts.workload_pool.is_none() {
            commands.extend(repair::make_pool(cluster));
        }
        let pools: Vec<&str> = self.unserved().iter().map(|pool| &*pool.name).collect();
        if !pools.is_empty() {
            commands.extend(repair::serve_identities(cluster, &pools));
        }
        commands
    }

    /// Lets the workload act as the account that it is linked to.
    pub(crate) fn bind(&self) -> Option<String> {
        let account = self.account()?;
        Some(repair::bind(self.inputs, &account, self.pool()?))
    }

    /// The roles of a build, for whoever it is.
    pub(crate) fn roles(&self) -> Vec<String> {
        let member = self.member();
        let images = self.inputs.destinations.iter();
        let images = images.chain(&self.inputs.cache_repo);
        let mut repositories: Vec<Repository> = Vec::new();
        for repository in images.filter_map(Repository::of_image) {
            if !repositories.contains(&repository) {
                repositories.push(repository);
            }
        }
        let mut commands = vec![repair::grant_reader(&member, &self.inputs.context)];
        let writers = repositories.iter();
        commands.extend(writers.map(|repository| repair::grant_writer(&member, repository)));
        commands
    }

    /// The build as a member of policies.
    pub(crate) fn member(&self) -> Vec<Piece> {
        if let Some(key) = &self.inputs.google_key {
            let account = repair::asked_of_key(self.inputs, key, "client_email");
            return vec![Piece::text("serviceAccount:"), account];
        }
        match self.account() {
            Some(account) => vec![Piece::text("serviceAccount:"), account],
            None => self.principal(),
        }
    }

    /// The Google account that the workload acts as; none where it is its own principal.
    pub(crate) fn account(&self) -> Option<Piece> {
        match &self.facts().link {
            Some(Link::Account(address)) => Some(Piece::text(address)),
            Some(Link::Direct) => None,
            None => Some(repair::asked_link(self.inputs)),
        }
    }

    /// The workload itself: `principal://…/subject/ns/NAMESPACE/sa/ACCOUNT`.
    fn principal(&self) -> Vec<Piece> {
        let cluster = &self.inputs.cluster;
        let missing = || Piece::text("");
        vec![
            Piece::text("principal://iam.googleapis.com/projects/"),
            repair::asked_number(cluster).unwrap_or_else(missing),
            Piece::text("/locations/global/workloadIdentityPools/"),
            self.pool().unwrap_or_else(missing),
            Piece::text(format!(
                "/subject/ns/{}/sa/{}",
                self.inputs.namespace, self.inputs.service_account
            )),
        ]
    }

    /// The cluster's workload pool; none of a cluster that only the operator's settings know.
    fn pool(&self) -> Option<Piece> {
        let project = self.inputs.cluster.project()?;
        match &self.facts().cluster {
            Some(facts) => Some(Piece::Text(facts.workload_pool.clone().unwrap_or_else(
                || {
                    // The name that `serve` makes.
                    format!("{project}.svc.id.goog")
                },
            ))),
            None => repair::asked_pool(&self.inputs.cluster),
        }
    }

    /// The node pools that the build can land on.
    fn landing(&self) -> impl Iterator<Item = &NodePool> {
        let pools = self.facts().pools.iter();
        pools.filter(|pool| takes(pool, self.inputs))
    }

    /// Those of them on which it would be the node's account.
    fn unserved(&self) -> Vec<&NodePool> {
        let Some(cluster) = &self.facts().cluster else {
            return Vec::new();
        };
        if cluster.autopilot {
            return Vec::new();
        }
        let served = |pool: &NodePool| {
            cluster.workload_pool.is_some() && pool.metadata_mode.as_deref() == Some(SERVES)
        };
        self.landing().filter(|pool| !served(pool)).collect()
    }
}

/// Asks cluster and cloud. What can't be had is left out: the commands ask for it then.
fn ask(inputs: &Inputs) -> Facts {
    let link = link(inputs)
        .inspect_err(|error| sidestep::debug!("the service account can't be looked at: {error}"))
        .ok();
    let known = Facts {
        link,
        ..Facts::default()
    };
    if !inputs.looks_at_cluster() {
        return known;
    }
    match cluster(inputs) {
        Ok((cluster, pools)) => Facts {
            cluster: Some(cluster),
            pools,
            ..known
        },
        Err(error) => {
            sidestep::warn!(
                "whether nodes give pods their own account can't be seen: {}",
                error.message
            );
            known
        }
    }
}

fn cluster(inputs: &Inputs) -> Result<(ClusterFacts, Vec<NodePool>)> {
    let name = inputs.cluster.as_str();
    Ok((gke::cluster(name)?, gke::node_pools(name)?))
}

fn link(inputs: &Inputs) -> Result<Link> {
    let account = kubernetes::get(ObjectRef::namespaced(
        inputs.cluster.as_str(),
        "v1",
        "serviceaccounts",
        &inputs.namespace,
        &inputs.service_account,
    ))?;
    let annotation = account["metadata"]["annotations"][LINK].as_str();
    Ok(match annotation.filter(|address| !address.is_empty()) {
        Some(address) => Link::Account(address.to_owned()),
        None => Link::Direct,
    })
}

/// Whether a pool's nodes take the build, as far as a pool tells.
fn takes(pool: &NodePool, inputs: &Inputs) -> bool {
    let tainted = pool
        .taints
        .iter()
        .any(|taint| taint.effect != "PREFER_NO_SCHEDULE");
    !tainted
        && inputs.node_selector.iter().all(|(key, value)| {
            if key == "cloud.google.com/gke-nodepool" {
                return *value == pool.name;
            }
            let label = pool.labels.iter().find(|label| label.key == *key);
            // Labels with a domain come from Google or Kubernetes, and the pool does not list them.
            label.map_or(key.contains('/'), |label| label.value == *value)
        })
}

fn node_account(pool: &NodePool, inputs: &Inputs) -> String {
    match pool.service_account.as_deref() {
        None | Some("" | "default") => format!(
            "Compute Engine's default account of project {}",
            inputs.cluster.project().unwrap_or_default()
        ),
        Some(address) => address.to_owned(),
    }
}

fn with_lines(diagnostic: Diagnostic, lines: Vec<String>) -> Diagnostic {
    lines.into_iter().fold(diagnostic, Diagnostic::help)
}

#[cfg(test)]
mod tests {
    use sidestep::gcp::gke::{Label, Taint};
    use sidestep::serde_json::json;

    use super::*;
    use crate::inputs::example;

    fn pool(name: &str, mode: Option<&str>) -> NodePool {
        NodePool {
            name: name.to_owned(),
            status: "RUNNING".to_owned(),
            version: String::new(),
            metadata_mode: mode.map(str::to_owned),
            service_account: Some("default".to_owned()),
            oauth_scopes: Vec::new(),
            machine_type: String::new(),
            labels: Vec::new(),
            taints: Vec::new(),
        }
    }

    fn facts(pools: Vec<NodePool>) -> Facts {
        Facts {
            link: Some(Link::Account(
                "builder@demo.iam.gserviceaccount.com".to_owned(),
            )),
            cluster: Some(ClusterFacts {
                name: "ci".to_owned(),
                status: "RUNNING".to_owned(),
                version: String::new(),
                autopilot: false,
                workload_pool: Some("demo.svc.id.goog".to_owned()),
                fleet: None,
                dataplane_v2: false,
                network_policy: false,
            }),
            pools,
        }
    }

    fn anywhere() -> Inputs {
        example(&json!({ "nodeSelector": {} }))
    }

    #[test]
    fn a_build_that_can_only_be_itself_is_not_warned_of() {
        let inputs = anywhere();
        let served = facts(vec![pool("a", Some(SERVES))]);
        assert_eq!(Identity::known(&inputs, served).warning(), None);
        let mut autopilot = facts(vec![pool("a", None)]);
        autopilot.cluster.as_mut().expect("facts").autopilot = true;
        assert_eq!(Identity::known(&inputs, autopilot).warning(), None);
        let kept = example(&json!({}));
        let unserved = facts(vec![pool("a", None)]);
        assert_eq!(Identity::known(&kept, unserved).warning(), None);
    }

    #[test]
    fn the_node_s_account_is_warned_of_with_the_pools_and_the_way_out() {
        let inputs = anywhere();
        let both = vec![pool("a", Some("GCE_METADATA")), pool("b", None)];
        let warning = Identity::known(&inputs, facts(both))
            .warning()
            .expect("a warning");
        assert_eq!(warning.code, "identity.node-account");
        assert!(
            warning.message.starts_with("the build runs as"),
            "{warning:?}"
        );
        let commands: Vec<&String> = warning
            .help
            .iter()
            .filter(|line| line.starts_with("gcloud "))
            .collect();
        assert!(commands[0].contains("node-pools update a "), "{commands:?}");
        assert!(commands[1].contains("node-pools update b "), "{commands:?}");
        assert!(commands[2].contains("builder@demo.iam.gserviceaccount.com --project demo"));
        assert!(commands[3].contains("buckets add-iam-policy-binding gs://contexts --member serviceAccount:builder@demo.iam.gserviceaccount.com"));
        assert!(commands[4].contains(
            "repositories add-iam-policy-binding images --location europe --project demo"
        ));
        assert_eq!(commands.len(), 5);

        let mixed = vec![pool("a", Some(SERVES)), pool("b", None)];
        let warning = Identity::known(&inputs, facts(mixed))
            .warning()
            .expect("a warning");
        assert!(warning.message.contains("may run as"), "{warning:?}");
    }

    #[test]
    fn pools_that_do_not_take_the_build_do_not_count() {
        let inputs = example(&json!({ "nodeSelector": { "for": "builds" } }));
        let mut other = pool("other", None);
        let mut builds = pool("builds", Some(SERVES));
        builds.labels.push(Label {
            key: "for".to_owned(),
            value: "builds".to_owned(),
        });
        let mut tainted = builds.clone();
        tainted.metadata_mode = None;
        tainted.taints.push(Taint {
            key: "gpu".to_owned(),
            value: String::new(),
            effect: "NO_SCHEDULE".to_owned(),
        });
        let all = vec![other.clone(), builds.clone(), tainted];
        assert_eq!(Identity::known(&inputs, facts(all)).warning(), None);
        other.labels.clone_from(&builds.labels);
        let all = vec![other, builds];
        assert!(Identity::known(&inputs, facts(all)).warning().is_some());
    }

    #[test]
    fn without_workload_identity_it_is_turned_on_first() {
        let inputs = anywhere();
        let mut off = facts(vec![pool("a", None)]);
        off.cluster.as_mut().expect("facts").workload_pool = None;
        off.link = Some(Link::Direct);
        let warning = Identity::known(&inputs, off).warning().expect("a warning");
        assert!(
            warning.help[1].ends_with("--workload-pool=demo.svc.id.goog"),
            "{warning:?}"
        );
        assert!(warning.help[3].contains("--member \"principal://iam.googleapis.com/projects/$(gcloud projects describe demo --format='value(projectNumber)')/locations/global/workloadIdentityPools/demo.svc.id.goog/subject/ns/builds/sa/kaniko\""), "{warning:?}");
    }

    #[test]
    fn a_key_is_warned_of_wherever_the_build_lands() {
        let inputs = example(&json!({ "googleKey": { "secret": "builder-key" } }));
        let served = facts(vec![pool("a", Some(SERVES))]);
        let warning = Identity::known(&inputs, served).warning().expect("one");
        assert_eq!(warning.code, "identity.key-in-secret");
        assert!(
            warning.message.contains("builds/builder-key"),
            "{warning:?}"
        );
        let starts = [
            "gcloud iam",
            "kubectl annotate",
            "then",
            "gcloud iam",
            "kubectl delete",
        ];
        for (line, start) in warning.help[1..].iter().zip(starts) {
            assert!(line.starts_with(start), "{line}");
        }
    }
}
