use sidestep_events::{GrantSource, PlannedStep};

use super::paint::Paint;
use super::plain_text;

/// What each step may touch, before anything is touched.
///
/// ```text
/// context  sidestep/context-upload
///          workspace   read services/api/**
///          storage     get, create in gs://ci-contexts/contexts/
/// ```
pub fn render_plan(steps: &[PlannedStep], color: bool) -> Vec<String> {
    let paint = Paint { color };
    let width = super::narrator::column(steps.iter().map(|step| step.instance.as_str()));
    let widest = steps
        .iter()
        .flat_map(|step| &step.grants)
        .map(|grant| grant.capability.chars().count())
        .max()
        .unwrap_or(0);
    let mut lines = Vec::new();
    for step in steps {
        let name = format!("{:<width$}", plain_text(&step.instance));
        let mut head = format!("  {}  {}", paint.bold(&name), plain_text(&step.uses));
        if !step.needs.is_empty() {
            let needs = format!("  after {}", plain_text(&step.needs.join(", ")));
            head.push_str(&paint.dim(&needs));
        }
        lines.push(head);
        let indent = " ".repeat(width + 4);
        if step.grants.is_empty() {
            lines.push(format!("{indent}{}", paint.dim("touches nothing")));
        }
        for grant in &step.grants {
            let mut capability = format!("{:<widest$}", plain_text(&grant.capability));
            let scopes: Vec<_> = if grant.scopes.is_empty() {
                vec!["nothing for these inputs".to_owned()]
            } else {
                grant.scopes.iter().map(|scope| plain_text(scope)).collect()
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
