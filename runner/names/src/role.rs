use serde_json::Value;

use crate::encoding::DIGEST;
use crate::object::{MAX_LABEL, label};
use crate::{Encoding, Kind};

/// Returns the name of a pipeline's Role with these rules: a DNS label that begins with readable
/// text and ends with a digest of both. Two pipelines in one namespace share a Role only if their
/// names and rules are equal, so applying one never takes permissions from the other.
pub fn role_name(pipeline: &str, rules: &Value) -> String {
    let digest = Encoding::of(Kind::Role)
        .text(pipeline)
        .value(rules)
        .digest();
    let words = label(pipeline, MAX_LABEL - DIGEST - 1 - "sidestep-".len());
    if words.is_empty() {
        format!("sidestep-{digest}")
    } else {
        format!("sidestep-{words}-{digest}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_name_is_readable() {
        let name = role_name("My App (v2)", &json!([]));
        assert!(name.starts_with("sidestep-my-app-v2-"), "{name}");
        assert_eq!(name.len(), "sidestep-my-app-v2-".len() + DIGEST);
    }

    #[test]
    fn different_pipelines_and_rules_have_different_names() {
        let long = "a".repeat(40);
        let pipelines = [
            "a b",
            "a-b",
            "ビルド",
            "テスト",
            "",
            &long,
            &format!("{long}b"),
        ];
        let mut names = std::collections::HashSet::new();
        for pipeline in pipelines {
            for rules in [json!([]), json!([{ "verbs": ["get"] }])] {
                let name = role_name(pipeline, &rules);
                assert!(name.len() <= MAX_LABEL, "{name}");
                assert!(names.insert(name), "{pipeline} {rules}");
            }
        }
    }
}
