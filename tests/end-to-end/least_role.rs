//! The Role that `plan --rbac` prints, applied to a real API server with kubectl: a run works as its
//! account, and names each verb that it lacks.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sidestep_cluster_testing::Cluster;

use crate::beside;
use crate::clients::said;
use crate::node_runs::Builds;
use crate::soak::row;

/// The namespace of the runner's accounts.
const HOME: &str = "ci";

/// A verb of a rule of the Role.
#[derive(Clone)]
struct Verb {
    rule: usize,
    resource: String,
    verb: String,
}

impl Verb {
    /// The name of the account, and of the Role, that lack it.
    fn account(&self) -> String {
        format!("without-{}-{}", self.verb, self.resource.replace('/', "-"))
    }
}

/// Returns the verbs of a Role.
fn verbs(role: &Value) -> Vec<Verb> {
    let rules = role["rules"].as_array().unwrap().iter().enumerate();
    let of_rule = |(rule, object): (usize, &Value)| {
        let words =
            |key: &str| -> Vec<String> { serde_json::from_value(object[key].clone()).unwrap() };
        let verbs = words("verbs");
        let resources = words("resources").into_iter();
        resources
            .flat_map(|resource| {
                let verb = |verb: &String| Verb {
                    rule,
                    resource: resource.clone(),
                    verb: verb.clone(),
                };
                verbs.iter().map(verb).collect::<Vec<_>>()
            })
            .collect::<Vec<_>>()
    };
    rules.flat_map(of_rule).collect()
}

/// Returns a Role without a verb of one resource.
fn without(role: &Value, lacks: &Verb) -> Value {
    let mut role = role.clone();
    role["metadata"]["name"] = lacks.account().into();
    let rules = role["rules"].as_array_mut().unwrap();
    let mut alone = rules[lacks.rule].clone();
    let keep = |list: &mut Value, dropped: &str| {
        list.as_array_mut().unwrap().retain(|word| word != dropped);
    };
    keep(&mut rules[lacks.rule]["resources"], &lacks.resource);
    alone["resources"] = json!([lacks.resource]);
    keep(&mut alone["verbs"], &lacks.verb);
    rules.push(alone);
    rules.retain(|rule| {
        ["resources", "verbs"]
            .iter()
            .all(|key| rule[*key] != json!([]))
    });
    role
}

/// Returns the kubeconfig of an account.
fn kubeconfig(builds: &Builds, account: &str) -> PathBuf {
    let cluster = builds.sandbox.cluster();
    let of = format!("--namespace={HOME}");
    let token = cluster.ok(&["create", "token", account, &of]);
    let mut admin = cluster.on_the_node("sh").unwrap();
    let text = admin.args(["-c", "cat $KUBECONFIG"]).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    let mut config: Value = serde_saphyr::from_str(&text).unwrap();
    config["users"][0]["user"] = json!({ "token": token.trim() });
    let file = builds
        .sandbox
        .folder()
        .join(format!("{account}.kubeconfig"));
    fs::write(&file, config.to_string()).unwrap();
    file
}

/// Waits until the account has its Role: bindings reach the authorizer through a watch.
fn wait_for_role(cluster: &Cluster, account: &str) {
    let subject = format!("--as=system:serviceaccount:{HOME}:{account}");
    let any = ["get", "create", "list"];
    let began = Instant::now();
    loop {
        let may = any.iter().filter(|verb| {
            let ask = [
                "auth",
                "can-i",
                verb,
                "pods",
                "--namespace=builds",
                &subject,
            ];
            cluster.kubectl(&ask).status.success()
        });
        if may.count() >= 2 {
            return;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "{account}");
    }
}

/// Runs the build as an account. Returns its exit code and all that it prints.
fn run(builds: &Builds, account: &str) -> (Option<i32>, String) {
    let kubeconfig = kubeconfig(builds, account);
    let sandbox = "--sandbox=healthy@sidestep";
    let arguments = ["run", "build.yaml", sandbox, "--run-id", account];
    let output = builds.sandbox.command_as(&kubeconfig, &arguments).output();
    let output = output.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.code(), said)
}

#[test]
fn a_run_works_with_the_printed_role_and_names_each_verb_that_it_lacks() {
    let Some((cluster, _alone)) = beside::node() else {
        return;
    };
    let builds = Builds::start(cluster, 0);
    let _ = cluster.kubectl(&["create", "namespace", HOME]);
    let printed = said(
        &builds
            .sandbox
            .run(&["plan", "build.yaml", "--rbac=ci/runner"]),
    );
    let documents: Vec<Value> = serde_saphyr::from_multiple(&printed).unwrap();
    let [role, binding] = &documents[..] else {
        panic!("a Role and a RoleBinding: {printed}");
    };
    let lacking = verbs(role);
    let of = format!("--namespace={HOME}");
    cluster.ok(&["create", "serviceaccount", "runner", &of]);
    fs::write(builds.sandbox.folder().join("rbac.yaml"), &printed).unwrap();
    builds
        .sandbox
        .in_a_shell("kubectl apply --filename $HOME/rbac.yaml");
    let mut items = Vec::new();
    for verb in &lacking {
        let account = verb.account();
        let mut binding = binding.clone();
        binding["metadata"]["name"] = account.as_str().into();
        binding["roleRef"]["name"] = account.as_str().into();
        binding["subjects"][0]["name"] = account.as_str().into();
        items.extend([
            json!({
                "apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": { "name": account, "namespace": HOME },
            }),
            without(role, verb),
            binding,
        ]);
    }
    beside::create(
        cluster,
        &json!({ "apiVersion": "v1", "kind": "List", "items": items }),
    );

    wait_for_role(cluster, "runner");
    let (code, said) = run(&builds, "runner");
    assert_eq!(code, Some(0), "{said}");
    // Two at once, as the machine has at least two cores.
    let halves: [Vec<&Verb>; 2] = [0, 1].map(|half| {
        let of_half = lacking.iter().enumerate().filter(|(at, _)| at % 2 == half);
        of_half.map(|(_, verb)| verb).collect()
    });
    std::thread::scope(|scope| {
        for half in &halves {
            scope.spawn(|| half.iter().for_each(|verb| lacks(&builds, verb)));
        }
    });
    row(
        "the Role of `plan --rbac`, without one verb each",
        format!("{} runs", lacking.len()),
    );
}

/// The verbs that a build needs only when something goes wrong: to recognise its own pod after a lost
/// answer, to repair a link of its identity, and to read one event.
const IN_TROUBLE: [(&str, &str); 3] = [
    ("get", "pods"),
    ("get", "serviceaccounts"),
    ("get", "events"),
];
/// The verbs without which a build still succeeds, with a warning.
const WARNED: [(&str, &str); 3] = [("list", "events"), ("watch", "events"), ("get", "pods/log")];

/// Runs the build without a verb.
fn lacks(builds: &Builds, lacking: &Verb) {
    let account = lacking.account();
    wait_for_role(builds.sandbox.cluster(), &account);
    let (code, said) = run(builds, &account);
    let (verb, resource) = (lacking.verb.as_str(), lacking.resource.as_str());
    if IN_TROUBLE.contains(&(verb, resource)) {
        assert_eq!(code, Some(0), "{said}");
        return;
    }
    let named = format!(
        "User \"system:serviceaccount:{HOME}:{account}\" cannot {verb} resource \"{resource}\""
    );
    assert!(said.contains(&named), "{named}: {said}");
    assert!(
        said.contains("sidestep plan --rbac") || resource == "pods/log",
        "{said}"
    );
    let expected = if WARNED.contains(&(verb, resource)) {
        0
    } else {
        4
    };
    assert_eq!(code, Some(expected), "{said}");
}
