//! The rules: objects in, findings out. Pure.

use sidestep::google::Account;
use sidestep::kubectl::GOOGLE_ACCOUNT;
use sidestep::serde_json::Value;
use sidestep::workspace::{EntryKey, FileKey, KeyFact};

use crate::migration::{self, Place};
use crate::objects::Object;
use crate::outputs::{Finding, Rule};
use crate::workload::{Workload, workloads};

/// Returns the findings in objects.
pub(crate) fn of_objects(objects: &[Object], cluster: Option<&str>) -> Vec<Finding> {
    let all: Vec<Workload<'_>> = objects.iter().flat_map(workloads).collect();
    let mut found = Vec::new();
    for object in objects {
        of_keys(object, &all, cluster, &mut found);
        if object.kind() == "ServiceAccount" {
            found.extend(of_annotation(object));
        }
    }
    for workload in &all {
        of_credential_files(workload, objects, &mut found);
        found.extend(of_node_account(workload, objects, cluster));
        found.extend(of_misplaced_annotation(workload));
    }
    found
}

/// Returns the findings in files.
pub(crate) fn of_files(keys: &[FileKey]) -> Vec<Finding> {
    keys.iter()
        .filter_map(|FileKey { path, fact }| {
            let rule = match fact.kind.as_str() {
                "service-account-key" => Rule::KeyInFile,
                "user-credentials" => Rule::UserCredentials,
                "pkcs12" => Rule::Pkcs12,
                _ => return None,
            };
            Some(Finding {
                rule,
                place: path.clone(),
                line: Some(fact.line),
                message: about(fact),
                account: fact.email.clone(),
                key_id: fact.key_id.clone(),
                used_by: Vec::new(),
                migration: migration::of_file(path, fact),
            })
        })
        .collect()
}

fn finding(object: &Object, rule: Rule, message: String) -> Finding {
    Finding {
        rule,
        place: object
            .at
            .as_ref()
            .map_or_else(|| object.shown(), |(path, _)| path.clone()),
        line: object.at.as_ref().map(|(_, line)| *line),
        message,
        account: None,
        key_id: None,
        used_by: Vec::new(),
        migration: Vec::new(),
    }
}

fn of_keys(object: &Object, all: &[Workload<'_>], cluster: Option<&str>, found: &mut Vec<Finding>) {
    let Some(keys) = &object.keys else {
        let message = format!(
            "the keys in {} can't be read: the runner may not get Secrets there",
            object.shown()
        );
        found.push(finding(object, Rule::CannotTell, message));
        return;
    };
    for EntryKey { entry, fact } in keys {
        let rule = match fact.kind.as_str() {
            "service-account-key" if fact.registry.is_some() => Rule::RegistryKey,
            "service-account-key" => Rule::KeyInObject,
            "user-credentials" => Rule::UserCredentials,
            "pkcs12" if object.kind() == "Secret" => Rule::Pkcs12,
            // A TLS key is not a credential for Google, nor is a configuration for federation.
            _ => continue,
        };
        let users: Vec<&Workload<'_>> = all
            .iter()
            .filter(|workload| uses(workload, object))
            .collect();
        let mut used_by: Vec<String> = users
            .iter()
            .map(|workload| workload.object.shown())
            .collect();
        used_by.dedup();
        let place = Place {
            object,
            entry,
            cluster,
        };
        found.push(Finding {
            line: object.at.as_ref().map(|_| fact.line),
            message: format!("{} has {} in `{entry}`", object.shown(), about(fact)),
            account: fact.email.clone(),
            key_id: fact.key_id.clone(),
            used_by,
            migration: match rule {
                Rule::RegistryKey => migration::of_registry(&place, fact),
                _ => migration::of_key(&place, fact, &users),
            },
            ..finding(object, rule, String::new())
        });
    }
}

/// Returns whether a workload uses the key of an object: its Secret, its ConfigMap, or its own.
fn uses(workload: &Workload<'_>, object: &Object) -> bool {
    if std::ptr::eq(workload.object, object) {
        return true;
    }
    workload.namespace() == object.namespace()
        && match object.kind() {
            "Secret" => workload.uses_secret(object.name()),
            "ConfigMap" => mentions_config_map(workload.spec, object.name()),
            _ => false,
        }
}

fn mentions_config_map(spec: &Value, name: &str) -> bool {
    match spec {
        Value::Object(fields) => fields.iter().any(|(key, value)| {
            let names = matches!(
                key.as_str(),
                "configMap" | "configMapRef" | "configMapKeyRef"
            );
            names && value["name"] == name || mentions_config_map(value, name)
        }),
        Value::Array(items) => items.iter().any(|item| mentions_config_map(item, name)),
        _ => false,
    }
}

/// Describes a key for people.
fn about(fact: &KeyFact) -> String {
    let what = match fact.kind.as_str() {
        "service-account-key" => "a key",
        "user-credentials" => "the credentials of a user of gcloud",
        _ => "a PKCS #12 archive, which may be a key of a service account",
    };
    let mut text = what.to_owned();
    if let Some(email) = &fact.email {
        text.push_str(&format!(" of {email}"));
    }
    if let Some(registry) = &fact.registry {
        text.push_str(&format!(" as the password for {registry}"));
    }
    if let Some(id) = &fact.key_id {
        text.push_str(&format!(" (id {id})"));
    }
    text
}

/// Returns the finding of a service account whose annotation names no Google service account.
fn of_annotation(account: &Object) -> Option<Finding> {
    let value = account.value["metadata"]["annotations"].get(GOOGLE_ACCOUNT)?;
    let email = value.as_str().unwrap_or_default();
    if Account::read(email).is_some_and(|account| account.name().is_some()) {
        return None;
    }
    let shown: String = email.chars().take(80).collect();
    let message = format!(
        "{} is annotated with `{shown}`, which is not the address of a Google service account",
        account.shown()
    );
    Some(Finding {
        migration: vec![migration::text(format!(
            "set {GOOGLE_ACCOUNT} to NAME@PROJECT.iam.gserviceaccount.com, or remove it"
        ))],
        ..finding(account, Rule::Annotation, message)
    })
}

/// Returns the finding of a pod template with the annotation that only a service account can have.
fn of_misplaced_annotation(workload: &Workload<'_>) -> Option<Finding> {
    let annotations = &workload.metadata["annotations"];
    annotations.get(GOOGLE_ACCOUNT)?;
    let message = format!(
        "the pods of {} have the annotation {GOOGLE_ACCOUNT}, which has an effect only on a \
         service account",
        workload.object.shown()
    );
    Some(Finding {
        migration: vec![migration::text(format!(
            "move the annotation to the service account {}/{}",
            workload.namespace(),
            workload.account()
        ))],
        ..finding(workload.object, Rule::Annotation, message)
    })
}

/// Adds a finding for each credentials file whose Secret was not searched.
fn of_credential_files(workload: &Workload<'_>, objects: &[Object], found: &mut Vec<Finding>) {
    for file in workload.credential_files() {
        let Some(secret) = file.secret else { continue };
        let known = objects
            .iter()
            .any(|object| object.is("Secret", workload.namespace(), &secret));
        if known {
            continue;
        }
        let message = format!(
            "{} reads its credentials from {}, a file of the Secret {}/{secret}, which was not \
             searched",
            workload.object.shown(),
            file.path,
            workload.namespace(),
        );
        found.push(Finding {
            migration: vec![migration::text(
                "search the namespace in its cluster, with the inputs `cluster` and `namespaces`"
                    .to_owned(),
            )],
            ..finding(workload.object, Rule::KeyFileUnknown, message)
        });
    }
}

/// Returns the finding of a workload that uses Google's APIs without an identity of its own.
fn of_node_account(
    workload: &Workload<'_>,
    objects: &[Object],
    cluster: Option<&str>,
) -> Option<Finding> {
    // A key takes precedence over the node's account, and is a finding of its own.
    if !workload.credential_files().is_empty() {
        return None;
    }
    let sign = workload.google_use()?;
    let account = workload.account();
    let known = objects
        .iter()
        .find(|object| object.is("ServiceAccount", workload.namespace(), account));
    let annotated = known.is_some_and(|object| {
        let annotations = &object.value["metadata"]["annotations"];
        annotations.get(GOOGLE_ACCOUNT).is_some()
    });
    let why = if workload.uses_host_network() {
        "it uses the host's network, where there are no workload identities".to_owned()
    } else if account == "default" && !annotated {
        "it runs as the service account `default`, which is not linked".to_owned()
    } else {
        // An account of its own may have roles itself (the direct form).
        return None;
    };
    let message = format!(
        "{} uses Google's APIs ({sign}) as the account of its node: {why}",
        workload.object.shown()
    );
    Some(Finding {
        migration: migration::of_node(workload, cluster),
        ..finding(workload.object, Rule::NodeAccount, message)
    })
}
