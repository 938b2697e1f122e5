//! The step: reads, plans, shows, and with `apply` makes the changes.

use sidestep::{Diagnostic, Result, Step, codes};

use crate::format::{config_connector, gcloud, terraform};
use crate::identity::{Identity, Workload};
use crate::inputs::{Format, Inputs};
use crate::outputs::Outputs;
use crate::plan::{Change, Part, changes, parts};
use crate::wanted::{bindings, targets};
use crate::{apply, present, show};

pub(crate) fn run(step: &Step, inputs: &Inputs) -> Result<Outputs> {
    let targets = targets(inputs)?;
    let (identity, nodes) = present::identity(Workload::of(inputs)?)?;
    warn(step, &identity, &nodes);
    let bindings = bindings(&identity, &targets);
    let present = present::read(&identity, &bindings)?;
    let parts = parts(&identity, &bindings, &present);
    let changes = changes(&parts);
    let workload = &identity.workload;
    let lines = lines(inputs.format, workload, &parts, &changes);
    let diff = show::diff(workload, &parts);
    for line in if lines.is_empty() { &diff } else { &lines } {
        sidestep::info!("{line}");
    }
    sidestep::info!("{}", summary(inputs, changes.len()));
    if inputs.apply {
        apply::apply(step, &identity, &present, &changes, inputs.wait.get())?;
    }
    Ok(Outputs {
        principal: identity.holder().text().unwrap_or_default().to_owned(),
        applied: inputs.apply,
        lines,
        changes: entries(workload, &parts, false),
        present: entries(workload, &parts, true),
    })
}

fn entries(workload: &Workload, parts: &[Part], present: bool) -> Vec<crate::outputs::Entry> {
    let chosen = parts.iter().filter(|part| part.present == present);
    chosen
        .map(|part| show::entry(workload, &part.change))
        .collect()
}

/// Returns the plan in a format; nothing for `diff`.
fn lines(format: Format, workload: &Workload, parts: &[Part], changes: &[Change]) -> Vec<String> {
    match format {
        Format::Diff => Vec::new(),
        Format::Gcloud => gcloud::script(workload, changes),
        Format::Terraform => terraform::text(workload, parts),
        Format::ConfigConnector => config_connector::text(workload, parts),
    }
}

fn summary(inputs: &Inputs, count: usize) -> String {
    let changes = match count {
        0 => return "nothing to change".to_owned(),
        1 => "1 change".to_owned(),
        more => format!("{more} changes"),
    };
    if inputs.apply {
        format!("making {changes}")
    } else {
        format!("{changes}; dry run: nothing is changed. `apply: true` makes them")
    }
}

/// Warns of node pools whose pods would get their node's account. To change one recreates its nodes,
/// so an administrator decides when.
fn warn(step: &Step, identity: &Identity, nodes: &[String]) {
    for pool in nodes {
        let mut note = Diagnostic::warning(
            codes::identity::NODE_ACCOUNT,
            format!(
                "the node pool {pool} does not serve workload identities: pods on it use their node's account"
            ),
        )
        .help("an administrator can change that; GKE may recreate the pool's nodes:");
        let command = identity.workload.cluster.serve_identities(pool);
        note.help.extend(command.map(Into::into));
        step.annotate(note);
    }
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::inputs::example;

    #[test]
    fn the_summary_says_whether_anything_happens() {
        let dry = example(&json!({}));
        assert_eq!(summary(&dry, 0), "nothing to change");
        assert_eq!(
            summary(&dry, 1),
            "1 change; dry run: nothing is changed. `apply: true` makes them"
        );
        let apply = example(&json!({ "apply": true }));
        assert_eq!(summary(&apply, 2), "making 2 changes");
    }
}
