use sidestep_events::{GrantSource, PlannedStep, show};

use super::paint::Paint;

/// Renders what each step may access, before a run.
///
/// ```text
/// context  sidestep/context-upload
///          workspace   read services/api/**
///          storage     get, create in gs://ci-contexts/contexts/
/// ```
pub fn render_plan(steps: &[PlannedStep], color: bool) -> Vec<String> {
    let paint = Paint { color };
    let width = super::narrator::column(steps.iter().map(|step| &step.instance));
    let widest = steps
        .iter()
        .flat_map(|step| &step.grants)
        .map(|grant| show::line(&grant.capability).chars().count())
        .max()
        .unwrap_or(0);
    let mut lines = Vec::new();
    for step in steps {
        let name = format!("{:<width$}", show::line(&step.instance));
        let mut head = format!("  {}  {}", paint.bold(&name), show::line(&step.uses));
        if !step.needs.is_empty() {
            let needs: Vec<_> = step.needs.iter().map(show::line).collect();
            head.push_str(&paint.dim(&format!("  after {}", needs.join(", "))));
        }
        lines.push(head);
        let indent = " ".repeat(width + 4);
        if step.grants.is_empty() {
            lines.push(format!("{indent}{}", paint.dim("touches nothing")));
        }
        for grant in &step.grants {
            let mut capability = format!("{:<widest$}", show::line(&grant.capability));
            let scopes: Vec<_> = if grant.scopes.is_empty() {
                vec!["nothing for these inputs".to_owned()]
            } else {
                grant.scopes.iter().map(show::line).collect()
            };
            for scope in scopes {
                let source = match grant.source {
                    GrantSource::BuiltIn => String::new(),
                    GrantSource::Pipeline => paint.dim("  (granted by the file)"),
                };
                lines.push(format!(
                    "{indent}{}  {scope}{source}",
                    paint.accent(&capability)
                ));
                capability = " ".repeat(widest);
            }
        }
    }
    lines
}
