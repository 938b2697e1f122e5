//! Warnings about an insecure identity of a build, with the commands that replace it.

use sidestep::gcp::gke::NodePool;
use sidestep::google::let_act_as;
use sidestep::{Diagnostic, Help, codes, kubectl};

use super::Identity;
use crate::inputs::{GoogleKey, Inputs};
use crate::repair::{self, KeyField};

impl Identity<'_> {
    /// Returns a warning if the identity is insecure, with the commands that replace it.
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
                "the build runs as its node's account, {whose}, like every pod on that node, and not as {}",
                self.inputs.workload()
            )
        } else {
            format!(
                "the build may run as a node's account, {whose}, and not as {}: it can be scheduled to node pool {}, which does not serve workload identities",
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
            "the build uses a service account's key from Secret {}/{}: anyone who can read that Secret can act as the account, from anywhere, until the key is deleted",
            inputs.namespace, key.secret
        );
        with_lines(
            Diagnostic::warning(codes::identity::KEY_IN_SECRET, message),
            self.way_off_the_key(),
        )
    }

    /// Returns the lines that replace a key by the workload's own identity, linked to the key's
    /// account.
    pub(crate) fn way_off_the_key(&self) -> Vec<Help> {
        let inputs = self.inputs;
        let Some(key) = &inputs.google_key else {
            return Vec::new();
        };
        let account = repair::asked_of_key(inputs, key, KeyField::ClientEmail);
        let mut lines: Vec<Help> =
            vec!["use Workload Identity instead, which needs no key:".into()];
        let mut commands = self.serve();
        commands.extend(let_act_as(&account, &self.workload()));
        let (namespace, name) = (&inputs.namespace, &inputs.service_account);
        commands.extend(kubectl::annotate(namespace, name, account));
        lines.extend(commands.into_iter().map(Help::from));
        lines
            .push("then run the step without `googleKey`; when that works, delete the key:".into());
        let ends = repair::end_key(inputs, key);
        lines.extend(ends.into_iter().map(Help::from));
        lines
    }

    /// Returns the lines that replace the node's account by the workload's own identity.
    pub(crate) fn way_off_the_node(&self) -> Vec<Help> {
        let mut commands = self.serve();
        commands.extend(self.bind());
        commands.extend(self.roles());
        let mut lines: Vec<Help> =
            vec!["use Workload Identity instead (the first command may recreate nodes):".into()];
        lines.extend(commands.into_iter().map(Help::from));
        if !self.inputs.work().only_served_nodes() {
            lines.push(
                "then remove `nodeSelector`, so that builds run only on nodes that serve workload identities"
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
