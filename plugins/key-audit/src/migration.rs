//! The way from a key to Workload Identity, as an ordered plan.

use sidestep::google::{self, Account, Member, let_act_as};
use sidestep::serde_json::{Value as Json, json};
use sidestep::workspace::KeyFact;
use sidestep::{Command, Value, kubectl};

use crate::objects::Object;
use crate::outputs::Move;
use crate::workload::Workload;

/// The place of a key.
pub(crate) struct Place<'a> {
    pub(crate) object: &'a Object,
    pub(crate) entry: &'a str,
    pub(crate) cluster: Option<&'a str>,
}

/// Returns a step that is only a sentence.
pub(crate) fn text(text: String) -> Move {
    Move {
        text,
        command: None,
        wi_setup: None,
    }
}

fn step(text: impl Into<String>, command: Option<Command>) -> Move {
    Move {
        text: text.into(),
        command: command.map(|command| command.to_line()),
        wi_setup: None,
    }
}

/// Returns the plan for a key in an object: link, switch, check, disable, delete. The key is deleted
/// last, so that each step can be taken back.
pub(crate) fn of_key(place: &Place<'_>, fact: &KeyFact, users: &[&Workload<'_>]) -> Vec<Move> {
    let mut plan = Vec::new();
    if users.is_empty() {
        plan.push(text(
            "find what uses the key: no workload that was searched does".to_owned(),
        ));
    }
    let mut linked: Vec<(&str, String)> = Vec::new();
    for user in users {
        let own = own_account(user);
        let pair = (user.namespace(), own.clone());
        if !linked.contains(&pair) {
            link(&mut plan, place.cluster, fact, user, &own);
            linked.push(pair);
        }
    }
    for user in users {
        plan.push(switch(place, user));
    }
    for (namespace, account) in &linked {
        plan.extend(check(place.cluster, namespace, account));
    }
    end(&mut plan, fact);
    plan.push(remove(place));
    plan
}

/// Returns the plan for a registry's password: on GKE, nodes pull images with their own account.
pub(crate) fn of_registry(place: &Place<'_>, fact: &KeyFact) -> Vec<Move> {
    let grant = Command::fixed(&[
        "gcloud",
        "artifacts",
        "repositories",
        "add-iam-policy-binding",
        "REPOSITORY",
        "--location",
        "LOCATION",
        "--project",
        "PROJECT",
        "--member",
        "serviceAccount:NODE_ACCOUNT",
        "--role",
        "roles/artifactregistry.reader",
        "--condition=None",
    ]);
    let mut plan = vec![
        step("let the account of the nodes pull the images", Some(grant)),
        text(format!(
            "remove `imagePullSecrets` with {} from pods and service accounts",
            place.object.name()
        )),
    ];
    end(&mut plan, fact);
    plan.push(remove(place));
    plan
}

/// Returns the plan for a key in a file.
pub(crate) fn of_file(path: &str, fact: &KeyFact) -> Vec<Move> {
    let mut plan = vec![text(format!(
        "replace what reads {path}: in a pod with Workload Identity, in CI with workload identity \
         federation"
    ))];
    end(&mut plan, fact);
    plan.push(text(format!(
        "remove {path}; it stays in the history of git, so the key must be deleted in any case"
    )));
    plan
}

/// Returns the plan for a workload that runs as the account of its node.
pub(crate) fn of_node(workload: &Workload<'_>, cluster: Option<&str>) -> Vec<Move> {
    let own = own_account(workload);
    let mut plan = Vec::new();
    if workload.uses_host_network() {
        plan.push(text("remove `hostNetwork: true` from the pods".to_owned()));
    }
    if workload.account() == "default" {
        plan.push(step(
            "create a service account for the pods",
            kubectl::create_account(workload.namespace(), &own),
        ));
    }
    plan.push(Move {
        wi_setup: cluster.map(|cluster| setup(cluster, workload.namespace(), &own, None)),
        ..text("give it the roles that the workload needs, and no others".to_owned())
    });
    plan.push(text(format!("set `serviceAccountName: {own}` in the pods")));
    plan.extend(check(cluster, workload.namespace(), &own));
    plan
}

/// Returns the service account that a workload has or should get.
fn own_account(workload: &Workload<'_>) -> String {
    match workload.account() {
        "default" => workload.object.name().to_owned(),
        account => account.to_owned(),
    }
}

/// Adds the steps that let a workload act as the key's account.
fn link(
    plan: &mut Vec<Move>,
    cluster: Option<&str>,
    fact: &KeyFact,
    user: &Workload<'_>,
    own: &str,
) {
    let namespace = user.namespace();
    if user.account() == "default" {
        plan.push(step(
            format!(
                "create a service account for the pods of {}",
                user.object.shown()
            ),
            kubectl::create_account(namespace, own),
        ));
    }
    let email = fact
        .email
        .as_deref()
        .unwrap_or("ACCOUNT@PROJECT.iam.gserviceaccount.com");
    let pool = cluster
        .and_then(google::Cluster::read)
        .and_then(|cluster| cluster.show_pool()?.output())
        .unwrap_or_else(|| Value::from("PROJECT.svc.id.goog"));
    plan.push(Move {
        wi_setup: cluster.map(|cluster| setup(cluster, namespace, own, fact.email.as_deref())),
        ..step(
            format!("let {namespace}/{own} act as {email}"),
            let_act_as(email, &Member::workload(pool, namespace, own)),
        )
    });
    plan.push(step(
        format!("link {namespace}/{own} to it"),
        kubectl::annotate(namespace, own, email),
    ));
}

/// Returns the inputs of `wi-setup` that link a service account.
fn setup(cluster: &str, namespace: &str, account: &str, email: Option<&str>) -> Json {
    let mut inputs = json!({
        "cluster": cluster, "namespace": namespace, "serviceAccount": account,
    });
    if let Some(email) = email {
        inputs["googleServiceAccount"] = email.into();
    }
    inputs
}

/// Returns the step that makes a workload use its identity.
fn switch(place: &Place<'_>, user: &Workload<'_>) -> Move {
    let own = own_account(user);
    text(format!(
        "in {}: set `serviceAccountName: {own}`, and remove GOOGLE_APPLICATION_CREDENTIALS and \
         every use of `{}` of {}",
        user.object.shown(),
        place.entry,
        place.object.shown(),
    ))
}

/// Returns the step that proves an identity, if the cluster is known.
fn check(cluster: Option<&str>, namespace: &str, account: &str) -> Option<Move> {
    let verify = Command::new(&["sidestep", "exec", "wi-verify", "-i"])
        .joined(["cluster=".into(), cluster?.into()])
        .words(&["-i"])
        .joined(["namespace=".into(), namespace.into()])
        .words(&["-i"])
        .joined(["serviceAccount=".into(), account.into()]);
    Some(step("check that the identity works", verify.build()))
}

/// Adds the steps that end a key.
fn end(plan: &mut Vec<Move>, fact: &KeyFact) {
    let of_key = |verb: &'static str| {
        let account = Account::read(fact.email.as_deref()?)?;
        let project = account.project_id().map(str::to_owned);
        Command::new(&["gcloud", "iam", "service-accounts", "keys"])
            .words(&[verb])
            .value(fact.key_id.as_deref())
            .option("--iam-account", account.address())
            .option("--project", project.as_deref())
            .build()
    };
    if fact.kind == "user-credentials" {
        let revoke = Command::fixed(&["gcloud", "auth", "application-default", "revoke"]);
        plan.push(step("as the user, revoke the credentials", Some(revoke)));
        return;
    }
    plan.push(step(
        "disable the key, and wait until everything that may use it has run",
        of_key("disable"),
    ));
    plan.push(step("delete the key", of_key("delete")));
}

/// Returns the step that removes the place of a key.
fn remove(place: &Place<'_>) -> Move {
    let object = place.object;
    match &object.at {
        Some((path, _)) => text(format!(
            "remove `{}` of {} from the source of {path}",
            place.entry,
            object.shown()
        )),
        None => step(
            format!("delete {}, if nothing else is in it", object.shown()),
            (object.kind() == "Secret")
                .then(|| {
                    Command::new(&["kubectl", "delete", "secret"])
                        .value(object.name())
                        .option("-n", object.namespace())
                        .build()
                })
                .flatten(),
        ),
    }
}
