//! The claims about a job, and the subject that a CI system makes of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::GITLAB;
use crate::state::Ci;

/// Returns the claims of the job with these changes. An empty text removes a claim. The subject is
/// the CI system's default, unless it is set.
pub(super) fn of_the_job(name: &str, ci: &Ci, set: BTreeMap<String, Value>) -> Value {
    let mut claims = ci.claims.clone();
    claims.extend(set);
    claims.retain(|_, value| value != "");
    if !claims.contains_key("sub") {
        let subject = match name {
            GITLAB => gitlab(&claims),
            _ => github(&claims, ci.immutable_subject),
        };
        claims.insert("sub".to_owned(), json!(subject));
    }
    claims.into_iter().collect()
}

fn text<'c>(claims: &'c BTreeMap<String, Value>, name: &str) -> &'c str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Returns GitHub's default subject. An environment replaces the ref; the immutable form has the ids
/// of owner and repository beside their names.
fn github(claims: &BTreeMap<String, Value>, immutable: bool) -> String {
    let text = |name| text(claims, name);
    let repository = text("repository");
    let whose = match repository.split_once('/') {
        Some((owner, name)) if immutable => {
            let (of_owner, of_name) = (text("repository_owner_id"), text("repository_id"));
            format!("{owner}@{of_owner}/{name}@{of_name}")
        }
        _ => repository.to_owned(),
    };
    match (text("environment"), text("event_name")) {
        ("", "pull_request") => format!("repo:{whose}:pull_request"),
        ("", _) => format!("repo:{whose}:ref:{}", text("ref")),
        (environment, _) => format!("repo:{whose}:environment:{environment}"),
    }
}

/// Returns GitLab's subject.
fn gitlab(claims: &BTreeMap<String, Value>) -> String {
    let text = |name| text(claims, name);
    format!(
        "project_path:{}:ref_type:{}:ref:{}",
        text("project_path"),
        text("ref_type"),
        text("ref")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &str, ci: &Ci, set: &[(&str, &str)]) -> Value {
        let set = set
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)));
        of_the_job(name, ci, set.collect())["sub"].clone()
    }

    #[test]
    fn github_s_subject_has_two_forms_and_an_environment_replaces_the_ref() {
        let claims = json!({
            "repository": "acme/app", "repository_id": "2", "repository_owner_id": "1",
            "ref": "refs/heads/main", "event_name": "push",
        });
        let mut ci = Ci {
            claims: serde_json::from_value(claims).unwrap(),
            ..Ci::default()
        };
        let environment = [("environment", "production")];
        let request = [("event_name", "pull_request")];
        assert_eq!(
            subject("github", &ci, &[]),
            "repo:acme/app:ref:refs/heads/main"
        );
        assert_eq!(
            subject("github", &ci, &environment),
            "repo:acme/app:environment:production"
        );
        assert_eq!(
            subject("github", &ci, &request),
            "repo:acme/app:pull_request"
        );
        ci.immutable_subject = true;
        assert_eq!(
            subject("github", &ci, &[]),
            "repo:acme@1/app@2:ref:refs/heads/main"
        );
        assert_eq!(subject("github", &ci, &[("sub", "own")]), "own");
    }

    #[test]
    fn gitlab_s_subject_names_project_and_ref() {
        let claims = json!({"project_path": "acme/app", "ref_type": "branch", "ref": "main"});
        let ci = Ci {
            claims: serde_json::from_value(claims).unwrap(),
            ..Ci::default()
        };
        assert_eq!(
            subject("gitlab", &ci, &[]),
            "project_path:acme/app:ref_type:branch:ref:main"
        );
    }
}
