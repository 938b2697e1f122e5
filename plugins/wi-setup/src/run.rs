//! The step: reads, plans, shows, and with `apply` makes the changes.

use sidestep::{Diagnostic, Result, Step, codes};

use crate::format::{config_connector, gcloud, terraform};
use crate::identity::{Identity, Workload};
use crate::inputs::{Format, Inputs};
use crate::outputs::{Entry, Outputs};
use crate::plan::{Change, Part, changes, parts};
use crate::present::Present;
use crate::wanted::{bindings, targets};
use crate::{apply, present, removal, show};

pub(crate) fn run(step: &Step, inputs: &Inputs) -> Result<Outputs> {
    let targets = targets(inputs)?;
    let (identity, nodes) = present::identity(Workload::of(inputs)?)?;
    warn(step, &identity, &nodes);
    let bindings = bindings(&identity, &targets);
    let present = present::read(&identity, &bindings)?;
    let parts = parts(&identity, &bindings, &present);
    if inputs.remove {
        return remove(step, inputs, &identity, &present, &parts);
    }
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
        changes: entries(workload, &changes),
        present: entries(workload, &there(&parts)),
    })
}

/// Takes back what an earlier run made.
fn remove(
    step: &Step,
    inputs: &Inputs,
    identity: &Identity,
    present: &Present,
    parts: &[Part],
) -> Result<Outputs> {
    let workload = &identity.workload;
    let record = present.kubernetes.clone().unwrap_or_default().mark;
    let removal = removal::of(parts, &record);
    for line in removal::lines(workload, &removal) {
        sidestep::info!("{line}");
    }
    sidestep::info!("{}", summary(inputs, removal.back.len()));
    if inputs.apply {
        removal::remove(step, identity, present, &removal, inputs.wait.get())?;
    }
    if let Some(account) = &removal.account {
        removal::warn(identity, parts, present, account);
    }
    Ok(Outputs {
        principal: identity.holder().text().unwrap_or_default().to_owned(),
        applied: inputs.apply,
        lines: Vec::new(),
        changes: entries(workload, &removal.back),
        present: entries(workload, &removal.kept),
    })
}

/// Returns the parts that are there already.
fn there(parts: &[Part]) -> Vec<Change> {
    let there = parts.iter().filter(|part| part.present);
    there.map(|part| part.change.clone()).collect()
}

fn entries(workload: &Workload, changes: &[Change]) -> Vec<Entry> {
    let entry = |change| show::entry(workload, change);
    changes.iter().map(entry).collect()
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
    if inputs.apply && inputs.remove {
        format!("taking back {changes}")
    } else if inputs.apply {
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
