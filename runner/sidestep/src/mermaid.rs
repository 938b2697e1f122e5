//! Renders a plan as a Mermaid flowchart (<https://mermaid.js.org/syntax/flowchart.html>), which
//! code hosts show in Markdown.

use std::collections::HashMap;

use sidestep_pipeline::{Instance, Plan};

/// Returns the graph: a box per step instance, and an arrow from each need to its dependent. Steps
/// of `finally` are in a separate frame.
pub(crate) fn mermaid(plan: &Plan) -> String {
    let names: HashMap<&str, String> = plan
        .instances
        .iter()
        .enumerate()
        .map(|(index, instance)| (instance.id.as_str(), format!("s{index}")))
        .collect();
    let node = |instance: &Instance| {
        let condition = instance.condition.as_ref();
        let condition = condition.map(|text| format!("<br/><i>if {}</i>", escape(text)));
        format!(
            "{}[\"{}<br/>{}{}\"]",
            names[instance.id.as_str()],
            escape(&instance.id),
            escape(instance.uses.as_str()),
            condition.unwrap_or_default()
        )
    };
    let mut lines = vec!["flowchart LR".to_owned()];
    let (last, first): (Vec<_>, Vec<_>) = plan.instances.iter().partition(|i| i.finally);
    lines.extend(
        first
            .into_iter()
            .map(|instance| format!("  {}", node(instance))),
    );
    if !last.is_empty() {
        lines.push("  subgraph finally".to_owned());
        lines.extend(
            last.into_iter()
                .map(|instance| format!("    {}", node(instance))),
        );
        lines.push("  end".to_owned());
    }
    for instance in &plan.instances {
        for need in &instance.needs {
            if let (Some(from), Some(to)) =
                (names.get(need.as_str()), names.get(instance.id.as_str()))
            {
                lines.push(format!("  {from} --> {to}"));
            }
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Escapes characters that would end a quoted label, or be markup in it, as Mermaid's entity codes.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' => escaped.push(character),
            ' ' | '.' | '/' | '-' | '_' | ':' | '[' | ']' | '=' | ',' | '(' | ')' | '!' => {
                escaped.push(character);
            }
            other if other.is_alphanumeric() => escaped.push(other),
            other => escaped.push_str(&format!("#{};", u32::from(other))),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_label() {
        assert_eq!(
            escape("a == \"b\" && <c>"),
            "a == #34;b#34; #38;#38; #60;c#62;"
        );
    }
}
