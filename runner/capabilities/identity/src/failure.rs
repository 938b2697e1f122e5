//! The failures of broken links.

use sidestep_bindings::sidestep::identity::prove as wit;
use sidestep_contract::google::{Account, Cluster, Member, is_perimeter, let_act_as};
use sidestep_contract::kubectl;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_google::service_account;

/// Returns whether a text can be used in a path and in a command unchanged: no character of it has
/// a special meaning in either.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !matches!(text, "." | "..")
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn is_account(email: &str) -> bool {
    service_account(email).is_ok()
}

/// Refuses a subject with an invalid name. The provider is not checked here, because it is sent
/// inside a JSON string; nor is the cluster, because the client of clusters looks it up.
pub(super) fn check(subject: &wit::Subject) -> Result<(), Failure> {
    let names = [
        ("namespace", &subject.namespace, is_name as fn(&str) -> bool),
        ("service account", &subject.service_account, is_name),
        ("workload identity pool", &subject.pool, is_name),
    ];
    let account = subject.impersonate.iter().map(|account| {
        (
            "service account email address",
            account,
            is_account as fn(&str) -> bool,
        )
    });

    match names
        .into_iter()
        .chain(account)
        .find(|(_, text, is_good)| !is_good(text))
    {
        None => Ok(()),
        Some((what, text, _)) => Err(Failure::new(
            Class::InvalidInput,
            codes::identity::SUBJECT,
            Owner::Author,
            format!("cannot prove an identity: `{text}` is not a valid {what}"),
        )),
    }
}

/// Returns the failure of a TokenRequest; the cluster's own failure names the cause.
pub(super) fn of_token_request(failed: Failure, subject: &wit::Subject) -> Failure {
    let (namespace, name) = (&subject.namespace, &subject.service_account);
    match failed.code.exact() {
        codes::kubernetes::NOT_FOUND => failed.with_helps(kubectl::create_account(namespace, name)),
        codes::kubernetes::FORBIDDEN => {
            // The API server's message names the user that it refused.
            let user = kubectl::refused_user(failed.message.exact()).map(str::to_owned);
            let commands = kubectl::let_create_tokens(namespace, name, user.as_deref());
            let what = format!(
                "the runner needs to create `serviceaccounts/token` of {name} in namespace \
                 {namespace}"
            );
            if commands.is_empty() {
                failed.with_help(what)
            } else {
                failed
                    .with_help(format!("{what}; a cluster administrator can grant it:"))
                    .with_helps(commands)
            }
        }
        _ => failed,
    }
}

/// Returns the failure of an exchange. Its errors are OAuth's (RFC 6749, 5.2).
pub(super) fn of_exchange(failed: Failure, subject: &wit::Subject) -> Failure {
    let status = failed.details.get("httpStatus");
    let reason = failed.details.get("reason").and_then(|r| r.as_str());
    // GKE's own exchange does not know a pool of that name, or no longer does.
    let gone = status == Some(&404.into());
    if !gone && status != Some(&400.into()) {
        return failed;
    }
    let (class, code) = match reason {
        _ if gone => (Class::NotFound, codes::identity::POOL_MISSING),
        Some("invalid_target") => (Class::NotFound, codes::identity::POOL_MISSING),
        Some("invalid_grant") => (Class::Denied, codes::identity::SUBJECT_REFUSED),
        Some("unauthorized_client") => (Class::Denied, codes::identity::CONDITION_REJECTED),
        _ => (Class::InvalidInput, codes::identity::EXCHANGE_INVALID),
    };
    let failed = Failure {
        class,
        code: code.into(),
        owner: Owner::Cloud,
        ..failed
    };
    let shown = Cluster::read(&subject.cluster).and_then(|cluster| cluster.show_pool());
    match (code, shown) {
        (codes::identity::POOL_MISSING, Some(command)) => failed
            .with_help(format!(
                "check whether the cluster's pool is {}:",
                subject.pool
            ))
            .with_help(command),
        _ => failed,
    }
}

/// Returns the failure of an impersonation. IAM Credentials tells every caller that an account does
/// not exist, but never whether the binding is missing or the account is disabled.
pub(super) fn of_impersonation(failed: Failure, subject: &wit::Subject, account: &str) -> Failure {
    let address = Account::read(account);
    match failed.code.exact() {
        codes::google::NOT_FOUND => Failure {
            code: codes::identity::ACCOUNT_MISSING.into(),
            ..failed
        }
        .with_helps(address.as_ref().and_then(Account::create)),
        codes::google::PERMISSION_DENIED => {
            let denied = Failure {
                code: codes::identity::IMPERSONATION_DENIED.into(),
                ..failed
            };
            // If a perimeter forbids the call, no binding is missing.
            if is_perimeter(denied.message.exact()) {
                return denied;
            }
            // The workload makes this call, so nothing of the runner's account is missing.
            let denied = Failure {
                help: Vec::new(),
                ..denied
            };
            let (pool, namespace) = (subject.pool.as_str(), subject.namespace.as_str());
            let member = Member::workload(pool, namespace, &subject.service_account);
            let commands = (
                let_act_as(account, &member),
                address.as_ref().and_then(Account::describe),
            );
            match commands {
                (Some(bind), Some(describe)) => denied
                    .with_help(
                        "an administrator of the account can let the workload impersonate it:",
                    )
                    .with_help(bind)
                    .with_help("if it already can, check whether the account is disabled:")
                    .with_help(describe),
                _ => denied.with_help(format!("{account} is not the address of a service account")),
            }
        }
        _ => failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_that_is_not_found_has_no_pool() {
        let subject = wit::Subject {
            cluster: "projects/demo/locations/europe-west1/clusters/ci".to_owned(),
            namespace: "builds".to_owned(),
            service_account: "kaniko".to_owned(),
            pool: "demo.svc.id.goog".to_owned(),
            provider: String::new(),
            impersonate: None,
            targets: Vec::new(),
        };
        let owner = Owner::Cloud;
        let failed = Failure::new(Class::NotFound, "google.not-found", owner, "HTTP 404")
            .with_detail("httpStatus", 404);
        let failure = of_exchange(failed, &subject);
        assert_eq!(failure.code, "identity.pool-missing");
        assert_eq!(
            failure.help,
            [
                "check whether the cluster's pool is demo.svc.id.goog:",
                "gcloud container clusters describe ci --location europe-west1 --project demo '--format=value(workloadIdentityConfig.workloadPool)'",
            ]
        );
    }
}
