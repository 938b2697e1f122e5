use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sidestep_events::show;
use sidestep_names::role_name;
use sidestep_pipeline::Plan;
use sidestep_policy::{Capability, Scope};

use super::{may, not_covered, scopes};

/// The name in the printed YAML if the principal that runs sidestep was not given: a word in
/// capitals that the reader replaces, as in every printed command.
const RUNNER: &str = "RUNNER";

/// A namespace of a cluster.
type Spot = (String, String);

/// The target of a rule: the API group, the plural of one kind of object, and the names that it is
/// limited to, if it is.
type Kind = (String, String, Vec<String>);

/// The common part of kinds that share a rule: the API group, the names, the verbs.
type Shared<'a> = (&'a str, &'a [String], Vec<&'a str>);

#[derive(Default)]
struct Needs {
    rules: BTreeMap<Spot, BTreeMap<Kind, BTreeSet<&'static str>>>,
    /// Remarks about scopes that no rule can express.
    remarks: BTreeSet<String>,
}

/// Returns the Roles and RoleBindings, as YAML, one pair per namespace. `subject` is the principal
/// that runs sidestep: a Google email address, or `NAMESPACE/NAME` of a Kubernetes service account.
pub fn rbac(plan: &Plan, subject: Option<&str>) -> String {
    let mut needs = Needs::default();
    for (instance, scope) in scopes(plan, Capability::Kubernetes) {
        needs.of_objects(scope, !instance.secrets.is_empty());
    }
    for (_, scope) in scopes(plan, Capability::Identity) {
        needs.of_identities(scope);
    }
    let mut text = String::from(
        "# The minimal Roles that the runner needs in the cluster. The service accounts of pods need no \
         Role:\n# `sidestep plan --iam` prints the roles that they need in Google Cloud.\n",
    );
    if !needs.rules.is_empty() {
        text.push_str(
            "# A Role's name depends on its rules. After a change of the rules, remove the former Role and RoleBinding.\n",
        );
    }
    if subject.is_none() {
        text.push_str(
            "# Replace RUNNER with the account that sidestep runs as: an e-mail address, or NAMESPACE/NAME of a Kubernetes \
             service account\n# (`--rbac=WHO` does that).\n",
        );
    }
    for remark in &needs.remarks {
        text.push_str(&format!("# Not covered: {}\n", show::line(remark)));
    }
    for ((cluster, namespace), rules) in &needs.rules {
        text.push_str(&format!("---\n# in cluster {}\n", show::line(cluster)));
        for (index, document) in documents(plan.name.exact(), namespace, rules, subject)
            .iter()
            .enumerate()
        {
            if index > 0 {
                text.push_str("---\n");
            }
            // A value of texts, lists and maps always has a YAML form.
            let yaml = serde_saphyr::to_string(document).unwrap_or_default();
            if show::sealed(&yaml) == yaml {
                text.push_str(yaml.trim_end());
            } else {
                // JSON is also YAML, and has escapes for every character of a value.
                text.push_str(&show::json_pretty(document).unwrap_or_default());
            }
            text.push('\n');
        }
    }
    if needs.rules.is_empty() {
        text.push_str("# No step uses a cluster.\n");
    }
    text
}

impl Needs {
    fn of_objects(&mut self, scope: &Scope, secrets: bool) {
        // In RBAC a `*` also stands for subresources such as `pods/exec`, so a pattern of a grant
        // has no equal there.
        self.remark(scope, &["cluster", "namespace", "resources"]);
        for resource in scope.exactly("resources") {
            let mut verbs = verbs(scope);
            let (group, plural) = match resource.split_once('.') {
                Some((plural, group)) => (group.to_owned(), plural.to_owned()),
                None => (String::new(), resource.to_owned()),
            };
            // A subresource is read by `get`: the API has no list and no watch of it.
            if plural.contains('/') {
                verbs.retain(|verb| *verb == "get");
            } else if plural == "events" {
                verbs.retain(|verb| matches!(*verb, "get" | "list" | "watch"));
            }
            // The host reads the Secrets to tell what keys are in them.
            if resource == "secrets" && may(scope, "keyFacts") {
                verbs.insert("get");
            }
            if verbs.contains("create") {
                // The host removes what a plugin created to be deleted, whatever the plugin does.
                verbs.extend(["get", "list", "watch", "delete"]);
            }
            self.add(scope, (group, plural, Vec::new()), &verbs);
        }
        if may(scope, "registryLogins") && scope.exactly("resources").contains(&"secrets") {
            // The host reads the registry credentials in these Secrets, and in no other.
            self.remark(scope, &["secrets"]);
            let names: Vec<String> = scope
                .exactly("secrets")
                .into_iter()
                .map(str::to_owned)
                .collect();
            if !names.is_empty() {
                let kind = (String::new(), "secrets".to_owned(), names);
                self.add(scope, kind, &BTreeSet::from(["get"]));
            }
        }
        if secrets && may(scope, "create") {
            // The secrets of a step are passed to its pod as a Secret that the pod owns.
            let verbs = BTreeSet::from(["create", "get", "delete"]);
            self.add(
                scope,
                (String::new(), "secrets".to_owned(), Vec::new()),
                &verbs,
            );
        }
    }

    /// Adds the rule to prove a workload's identity with a token of its service account
    /// (TokenRequest).
    fn of_identities(&mut self, scope: &Scope) {
        let mut keys = vec!["cluster", "namespace"];
        let mut names = Vec::new();
        // Without `resourceNames`, a rule covers every service account of the namespace.
        if scope.patterns("serviceAccounts").is_some() {
            keys.push("serviceAccounts");
            names.extend(
                scope
                    .exactly("serviceAccounts")
                    .into_iter()
                    .map(str::to_owned),
            );
            if names.is_empty() {
                return self.remark(scope, &keys);
            }
        }
        self.remark(scope, &keys);
        for (plural, verb) in [
            ("serviceaccounts", "get"),
            ("serviceaccounts/token", "create"),
        ] {
            let kind = (String::new(), plural.to_owned(), names.clone());
            self.add(scope, kind, &BTreeSet::from([verb]));
        }
    }

    fn remark(&mut self, scope: &Scope, keys: &[&str]) {
        self.remarks.extend(not_covered(scope, keys));
    }

    fn add(&mut self, scope: &Scope, kind: Kind, verbs: &BTreeSet<&'static str>) {
        if verbs.is_empty() {
            return;
        }
        for cluster in scope.exactly("cluster") {
            for namespace in scope.exactly("namespace") {
                let spot = (cluster.to_owned(), namespace.to_owned());
                let rules = self.rules.entry(spot).or_default();
                rules.entry(kind.clone()).or_default().extend(verbs);
            }
        }
    }
}

/// Returns the Kubernetes verbs for a scope's actions. Every user has `canI` (`system:basic-user`).
fn verbs(scope: &Scope) -> BTreeSet<&'static str> {
    let mut verbs = BTreeSet::new();
    for verb in [
        "get", "list", "watch", "create", "patch", "update", "delete",
    ] {
        if may(scope, verb) {
            verbs.insert(verb);
        }
    }
    if may(scope, "apply") {
        verbs.extend(["create", "patch"]);
    }
    verbs
}

fn documents(
    pipeline: &str,
    namespace: &str,
    rules: &BTreeMap<Kind, BTreeSet<&'static str>>,
    subject: Option<&str>,
) -> [Value; 2] {
    // Kinds with the same verbs share a rule.
    let mut shared: BTreeMap<Shared<'_>, Vec<&str>> = BTreeMap::new();
    for ((group, plural, names), verbs) in rules {
        let verbs: Vec<&str> = verbs.iter().copied().collect();
        let kinds = shared.entry((group, names, verbs)).or_default();
        kinds.push(plural);
    }
    let rules: Vec<Value> = shared
        .into_iter()
        .map(|((group, names, verbs), resources)| {
            let mut rule = json!({ "apiGroups": [group], "resources": resources, "verbs": verbs });
            if !names.is_empty() {
                rule["resourceNames"] = json!(names);
            }
            rule
        })
        .collect();
    let rules = Value::Array(rules);
    let name = role_name(pipeline, &rules);
    let metadata = json!({ "name": name, "namespace": namespace });
    let group = "rbac.authorization.k8s.io";
    let subject = match subject.unwrap_or(RUNNER).split_once('/') {
        Some((namespace, name)) => {
            json!({ "kind": "ServiceAccount", "namespace": namespace, "name": name })
        }
        None => {
            json!({ "kind": "User", "apiGroup": group, "name": subject.unwrap_or(RUNNER) })
        }
    };
    [
        json!({
            "apiVersion": format!("{group}/v1"),
            "kind": "Role",
            "metadata": metadata,
            "rules": rules,
        }),
        json!({
            "apiVersion": format!("{group}/v1"),
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": { "apiGroup": group, "kind": "Role", "name": name },
            "subjects": [subject],
        }),
    ]
}
