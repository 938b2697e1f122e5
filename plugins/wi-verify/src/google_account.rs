//! Link 7: the Google service account exists and is enabled.

use sidestep::gcp::iam::{Policy, ServiceAccount};
use sidestep::google::Account;
use sidestep::{Class, Result, codes};

use crate::verdict::{Verdict, cloud, unread};

/// Judges the account. `policies` are those of the targets, where they could be read: they tell
/// whether it was there once.
pub(crate) fn account(
    email: &str,
    read: Result<ServiceAccount>,
    policies: &[Policy],
    caller: &str,
) -> Result<Verdict> {
    let address = Account::read(email);
    match read {
        Ok(account) if account.disabled => Ok(Verdict::Broken(
            cloud(
                Class::Denied,
                codes::identity::ACCOUNT_DISABLED,
                format!("{email} is disabled: no workload can impersonate it"),
            )
            .help("enable it, if it was not disabled on purpose:")
            .helps(address.and_then(|account| account.enable())),
        )),
        Ok(_) => Ok(Verdict::Holds(format!("{email} exists and is enabled"))),
        Err(error) if error.is_not_found() => {
            Ok(Verdict::Broken(missing(email, address.as_ref(), policies)))
        }
        Err(error) => unread(caller, &format!("the service account {email}"), error),
    }
}

fn missing(email: &str, address: Option<&Account>, policies: &[Policy]) -> sidestep::Error {
    let message = format!("the Google service account {email} does not exist");
    // Any other account than one of people is Google's to create.
    let Some(address) = address.filter(|account| account.name().is_some()) else {
        return cloud(Class::NotFound, codes::identity::ACCOUNT_MISSING, message)
            .help("an address is NAME@PROJECT.iam.gserviceaccount.com; correct the annotation or `googleServiceAccount`");
    };
    if let Some(uid) = policies.iter().find_map(|policy| deleted(policy, email)) {
        return cloud(
            Class::NotFound,
            codes::identity::ACCOUNT_MISSING,
            format!("{message} any more: policies name it as deleted"),
        )
        .help("within 30 days of the deletion, it can be restored with everything it was granted:")
        .helps(address.undelete(uid));
    }
    cloud(Class::NotFound, codes::identity::ACCOUNT_MISSING, message)
        .help("create it, if the name is right:")
        .helps(address.create())
}

/// Returns the unique id under which a policy names an account that is deleted:
/// `deleted:serviceAccount:EMAIL?uid=ID`.
pub(crate) fn deleted<'p>(policy: &'p Policy, email: &str) -> Option<&'p str> {
    let members = policy.bindings.iter().flat_map(|binding| &binding.members);
    Account::deleted(email, members.map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::policy;

    const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";

    fn judge(read: Result<ServiceAccount>, policies: &[Policy]) -> Verdict {
        account(BUILDER, read, policies, "dev@x").expect("a verdict")
    }

    fn found(disabled: bool) -> ServiceAccount {
        ServiceAccount {
            email: BUILDER.to_owned(),
            name: String::new(),
            unique_id: "104".to_owned(),
            display_name: None,
            description: None,
            disabled,
        }
    }

    #[test]
    fn an_account_is_enabled_created_or_brought_back() {
        assert!(matches!(judge(Ok(found(false)), &[]), Verdict::Holds(_)));
        let error = judge(Ok(found(true)), &[]).broken();
        assert_eq!(
            error.help[1],
            "gcloud iam service-accounts enable builder@demo.iam.gserviceaccount.com --project demo"
        );
        let gone = || Err(cloud(Class::NotFound, "x", "no"));
        let error = judge(gone(), &[]).broken();
        assert_eq!(
            error.help[1],
            "gcloud iam service-accounts create builder --project demo"
        );
        let named = policy(&[(
            "roles/storage.objectViewer",
            "deleted:serviceAccount:builder@demo.iam.gserviceaccount.com?uid=104",
        )]);
        let error = judge(gone(), &[named]).broken();
        assert_eq!(
            error.help[1],
            "gcloud iam service-accounts undelete 104 --project demo"
        );
    }
}
