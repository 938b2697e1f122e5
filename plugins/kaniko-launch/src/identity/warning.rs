//! What is insecure about a build's identity, and the way out.

use sidestep::gcp::gke::NodePool;
use sidestep::google::let_act_as;
use sidestep::{Diagnostic, Help, codes, kubectl};

use super::Identity;
use crate::inputs::{GoogleKey, Inputs};
use crate::repair::{self, KeyField};

impl Identity<'_> {
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
            Diagnostic::warning(codes::identity::NODE_ACCOUNT, message),
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
            Diagnostic::warning(codes::identity::KEY_IN_SECRET, message),
            self.way_off_the_key(),
        )
    }

    /// From a key to the workload's own identity, which becomes the key's account.
    pub(crate) fn way_off_the_key(&self) -> Vec<Help> {
        let inputs = self.inputs;
        let Some(key) = &inputs.google_key else {
            return Vec::new();
        };
        let account = repair::asked_of_key(inputs, key, KeyField::ClientEmail);
        let mut lines: Vec<Help> =
            vec!["the way out is Workload Identity, which needs no key:".into()];
        let mut commands = self.serve();
        commands.extend(let_act_as(&account, &self.workload()));
        let (namespace, name) = (&inputs.namespace, &inputs.service_account);
        commands.extend(kubectl::annotate(namespace, name, account));
        lines.extend(commands.into_iter().map(Help::from));
        lines.push("then run the step without `googleKey`; when that works, end the key:".into());
        let ends = repair::end_key(inputs, key);
        lines.extend(ends.into_iter().map(Help::from));
        lines
    }

    /// From the node's account to the workload's own identity.
    pub(crate) fn way_off_the_node(&self) -> Vec<Help> {
        let mut commands = self.serve();
        commands.extend(self.bind());
        commands.extend(self.roles());
        let mut lines: Vec<Help> = vec![
            "the way out is Workload Identity (nodes may be recreated by the first command):"
                .into(),
        ];
        lines.extend(commands.into_iter().map(Help::from));
        if !self.inputs.only_served_nodes() {
            lines.push(
                "then leave `nodeSelector` out, so that builds keep to nodes that serve workload identities"
                    .into(),
            );
        }
        lines
    }
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

fn with_lines(diagnostic: Diagnostic, lines: Vec<Help>) -> Diagnostic {
    diagnostic.helps(lines)
}
