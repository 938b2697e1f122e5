//! Conditions of IAM policies in the sandbox's process, which decides them with the evaluator that
//! the runner embeds.

use std::process::Command;

use serde_json::{Value, json};

use crate::served::Served;

/// A caller of the sandbox's Cloud Storage.
struct Caller {
    storage: String,
    token: String,
}

impl Caller {
    fn new(served: &mut Served, name: &str) -> Self {
        let shell = served.shell(&["--as", name]);
        let file = shell.get("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE");
        Self {
            storage: shell.get("SIDESTEP_ENDPOINT_STORAGE").to_owned(),
            token: std::fs::read_to_string(file).unwrap().trim().to_owned(),
        }
    }

    /// Calls the bucket's policy API.
    fn call(&self, path: &str, more: &[&str]) -> Value {
        let storage = self.storage.trim_end_matches('/');
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--header"])
            .arg(format!("Authorization: Bearer {}", self.token))
            .args(more)
            .arg(format!("{storage}/storage/v1/b/demo-contexts/iam{path}"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{path}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[test]
fn a_condition_of_a_policy_decides_in_the_sandboxs_process() {
    let mut served = Served::new();
    let developer = Caller::new(&mut served, "developer");
    let nobody = Caller::new(&mut served, "nobody");
    let reading = "storage.objects.get";
    for (expression, granted) in [
        ("request.time > timestamp('2020-01-01T00:00:00Z')", true),
        ("resource.name.endsWith('/objects/a')", false),
        // Undecided: nothing tells the sandbox who is behind the request.
        ("request.auth.principal == 'nobody@example.com'", false),
        (
            "resource.service == 'storage.googleapis.com' || request.auth.principal == 'x'",
            true,
        ),
    ] {
        let mut policy = developer.call("", &[]);
        policy["version"] = json!(3);
        let bindings = policy["bindings"].as_array_mut().unwrap();
        bindings.retain(|binding| binding["condition"].is_null());
        bindings.push(json!({
            "role": "roles/storage.objectViewer", "members": ["user:nobody@example.com"],
            "condition": { "title": "t", "expression": expression },
        }));
        let put = [
            "--request",
            "PUT",
            "--header",
            "Content-Type: application/json",
            "--data",
        ];
        developer.call("", &[&put[..], &[&*policy.to_string()]].concat());
        let held = nobody.call(&format!("/testPermissions?permissions={reading}"), &[]);
        let expected = if granted {
            json!([reading])
        } else {
            json!(null)
        };
        assert_eq!(held["permissions"], expected, "{expression}");
    }
}
