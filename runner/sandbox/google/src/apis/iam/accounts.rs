//! Service accounts: `projects.serviceAccounts`.

use serde_json::{Value, json};
use sidestep_sandbox_identity::{Account, AccountError, Resource};

use crate::apis::policies::Policies;
use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::{Answer, ApiError};
use crate::page::page;

pub(super) fn collection(cloud: &Cloud, call: &Call, project: &str) -> Answer {
    let (project, _) = cloud.project(project);
    call.needs_api(cloud, &project)?;
    let owner = Resource::Project(project.clone());
    match call.method.as_str() {
        "GET" => {
            call.needs(cloud, "iam.serviceAccounts.list", &owner)?;
            let all = cloud.identity().accounts(&project);
            page(call, "accounts", all.iter().map(shown).collect())
        }
        "POST" => {
            call.needs(cloud, "iam.serviceAccounts.create", &owner)?;
            create(cloud, call, &project)
        }
        _ => Err(call.unserved()),
    }
}

fn create(cloud: &Cloud, call: &Call, project: &str) -> Answer {
    let id = call.text("/accountId").unwrap_or_default();
    if !is_account_id(id) {
        return Err(ApiError::invalid(
            "Service account ID must be between 6 and 30 characters. Service account ID must start with a lower case letter, followed by one or more lower case alphanumerical characters that can be separated by hyphens.",
        ));
    }
    let account = Account {
        project: project.to_owned(),
        email: format!("{id}@{project}.iam.gserviceaccount.com"),
        unique_id: String::new(),
        display_name: call
            .text("/serviceAccount/displayName")
            .unwrap_or_default()
            .to_owned(),
        description: call
            .text("/serviceAccount/description")
            .unwrap_or_default()
            .to_owned(),
        disabled: false,
        deleted: false,
    };
    match cloud.identity().create_account(account) {
        Ok(account) => Ok(shown(&account)),
        Err(_) => Err(ApiError::exists(format!(
            "Service account {id} already exists within project projects/{project}."
        ))),
    }
}

pub(super) fn one(cloud: &Cloud, call: &Call, project: &str, name: &str) -> Answer {
    if call.verb.as_deref() == Some("undelete") {
        return undelete(cloud, call, project, name);
    }
    let (account, resource) = find(cloud, call, project, name, permission(call))?;
    call.needs_api(cloud, &account.project)?;
    let shared = Policies {
        resource: &resource,
        prefix: "iam.serviceAccounts",
        name: &resource.name(),
    };
    if let Some(answer) = shared.handle(cloud, call) {
        return answer;
    }
    call.needs(cloud, permission(call), &resource)?;
    let identity = cloud.identity();
    match (call.method.as_str(), call.verb.as_deref()) {
        ("GET", None) => Ok(shown(&account)),
        ("DELETE", None) => identity
            .delete_account(&account.email)
            .map(|()| json!({}))
            .map_err(gone),
        ("PATCH" | "PUT", None) => {
            let body = call
                .body
                .get("serviceAccount")
                .unwrap_or(&call.body)
                .clone();
            let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
            identity
                .update_account(&account.email, |account| {
                    account.display_name =
                        text("displayName").unwrap_or(account.display_name.clone());
                    account.description =
                        text("description").unwrap_or(account.description.clone());
                })
                .map(|account| shown(&account))
                .map_err(gone)
        }
        ("POST", Some(verb @ ("enable" | "disable"))) => identity
            .update_account(&account.email, |account| {
                account.disabled = verb == "disable";
            })
            .map(|_| json!({}))
            .map_err(gone),
        _ => Err(call.unserved()),
    }
}

fn undelete(cloud: &Cloud, call: &Call, project: &str, unique_id: &str) -> Answer {
    // gcloud names no project, so it is looked up by the account's id. A caller without permission
    // does not learn whether the id exists.
    let project = match project {
        "-" => match cloud.identity().deleted_account(unique_id) {
            Some(account) => account.project,
            None => project.to_owned(),
        },
        named => cloud.project(named).0,
    };
    call.needs(
        cloud,
        "iam.serviceAccounts.undelete",
        &Resource::Project(project),
    )?;
    match cloud.identity().undelete_account(unique_id) {
        Ok(account) => Ok(json!({ "restoredAccount": shown(&account) })),
        Err(error @ AccountError::Exists(_)) => Err(ApiError::exists(error.to_string())),
        Err(error @ AccountError::Missing) => Err(gone(error)),
    }
}

/// Returns the account that a path names. If it is missing, a caller who may read the named project
/// gets a 404; with `-` as the project, no caller does.
pub(super) fn find(
    cloud: &Cloud,
    call: &Call,
    project: &str,
    name: &str,
    permission: &str,
) -> Result<(Account, Resource), ApiError> {
    let id = if project == "-" {
        None
    } else {
        Some(cloud.project(project).0)
    };
    let found = cloud
        .identity()
        .account(name)
        .filter(|a| id.as_ref().is_none_or(|p| *p == a.project));
    if let Some(account) = found {
        let resource = Resource::ServiceAccount {
            project: account.project.clone(),
            email: account.email.clone(),
        };
        return Ok((account, resource));
    }
    let owner = Resource::Project(id.unwrap_or_else(|| "-".to_owned()));
    call.needs(cloud, permission, &owner)?;
    Err(gone(AccountError::Missing))
}

fn permission(call: &Call) -> &'static str {
    match (call.method.as_str(), call.verb.as_deref()) {
        ("DELETE", _) => "iam.serviceAccounts.delete",
        ("PATCH" | "PUT", _) => "iam.serviceAccounts.update",
        (_, Some("enable")) => "iam.serviceAccounts.enable",
        (_, Some("disable")) => "iam.serviceAccounts.disable",
        (_, Some("getIamPolicy")) => "iam.serviceAccounts.getIamPolicy",
        (_, Some("setIamPolicy")) => "iam.serviceAccounts.setIamPolicy",
        _ => "iam.serviceAccounts.get",
    }
}

fn gone(_: AccountError) -> ApiError {
    ApiError::not_found("Unknown service account")
}

/// Returns whether the id has 6 to 30 characters and matches `[a-z]([-a-z0-9]*[a-z0-9])`.
fn is_account_id(id: &str) -> bool {
    (6..=30).contains(&id.len())
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && !id.ends_with('-')
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn shown(account: &Account) -> Value {
    let Account {
        project,
        email,
        unique_id,
        ..
    } = account;
    let mut out = json!({
        "name": format!("projects/{project}/serviceAccounts/{email}"),
        "projectId": project,
        "uniqueId": unique_id,
        "email": email,
        "etag": "MDEwMjE5MjA=",
        "oauth2ClientId": unique_id,
    });
    for (key, value) in [
        ("displayName", &account.display_name),
        ("description", &account.description),
    ] {
        if !value.is_empty() {
            out[key] = json!(value);
        }
    }
    if account.disabled {
        out["disabled"] = json!(true);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::is_account_id;

    #[test]
    fn account_ids_are_bounded() {
        assert!(is_account_id("builder"));
        for id in [
            "",
            "short",
            "1builder",
            "builder-",
            "Builder",
            "build_er",
            &"b".repeat(31),
        ] {
            assert!(!is_account_id(id), "{id}");
        }
    }
}
