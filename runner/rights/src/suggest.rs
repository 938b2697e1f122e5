//! Suggests grants: the minimum that each step's plugin requests for these inputs.

use std::collections::BTreeMap;

use sidestep_events::show;
use sidestep_pipeline::Plan;
use sidestep_policy::{Capability, Scope};

/// The requests of the steps of one id, over all instances of a matrix.
#[derive(Default)]
struct Wanted<'a> {
    built_in: bool,
    scopes: BTreeMap<Capability, Vec<&'a Scope>>,
    /// Requests that are only known during the run.
    later: Vec<&'a str>,
    secrets: bool,
}

/// Returns the YAML to paste under the pipeline's steps, from a plan that was made as requested.
pub fn suggest(plan: &Plan) -> String {
    let mut steps: Vec<(&str, Wanted<'_>)> = Vec::new();
    for instance in &plan.instances {
        let known = steps.iter().position(|(step, _)| *step == instance.step);
        let index = known.unwrap_or_else(|| {
            steps.push((&instance.step, Wanted::default()));
            steps.len() - 1
        });
        let wanted = &mut steps[index].1;
        wanted.built_in = instance.uses.is_built_in();
        for grant in instance.scopes.grants() {
            let scopes = wanted.scopes.entry(grant.capability).or_default();
            for scope in grant.scopes() {
                if !scopes.contains(&scope) {
                    scopes.push(scope);
                }
            }
        }
        for key in instance.later_requests.keys() {
            if key == Capability::Secrets.as_str() {
                wanted.secrets = true;
            } else if !wanted.later.contains(&key.as_str()) {
                wanted.later.push(key);
            }
        }
    }
    let mut lines = vec![
        "# The minimal grants that the steps request for these inputs, to paste under each step. A value"
            .to_owned(),
        "# may also use inputs, matrix and git: bucket: \"${{ inputs.bucket }}\".".to_owned(),
        "steps:".to_owned(),
    ];
    for (step, wanted) in &steps {
        lines.push(format!("  {}:", show::line(step)));
        lines.extend(wanted.lines());
    }
    lines.push(String::new());
    lines.join("\n")
}

impl Wanted<'_> {
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.built_in {
            lines.push("    # built in: granted automatically; grants here narrow that".into());
        }
        let scopes = self.scopes.iter().filter(|(_, scopes)| !scopes.is_empty());
        let granted: Vec<String> = scopes
            .map(|(capability, scopes)| {
                let scopes: Vec<String> = scopes
                    .iter()
                    .map(|scope| show::line(&scope.to_yaml()))
                    .collect();
                format!("      {capability}: [{}]", scopes.join(", "))
            })
            .collect();
        if granted.is_empty() && self.later.is_empty() {
            lines.push("    grants: {}".into());
        } else {
            lines.push("    grants:".into());
            lines.extend(granted);
        }
        for key in &self.later {
            lines.push(format!(
                "      # {}: […] depends on the outputs of another step: write a grant that covers \
                 all of their possible values",
                show::line(key)
            ));
        }
        if self.secrets {
            lines.push("    # secrets: [NAME]  the plugin uses secrets; list their names".into());
        }
        lines
    }
}
