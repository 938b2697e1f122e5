//! Links 9 and 16: proves, without a pod, that Google recognises the workload.

use sidestep::google::Account;
use sidestep::identity::{Link as Step, Proof};
use sidestep::{Class, Error, Help, Owner, Result, codes, kubectl};

use crate::account::on;
use crate::binding::Proven;
use crate::commands;
use crate::deny::Denial;
use crate::identity::{Identity, Way};
use crate::reads;
use crate::report::Link;
use crate::settling::{Known, Settling};
use crate::verdict::{self, cloud, cluster};

/// The result of a proof.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// Google gives the workload a token.
    Had,
    /// It could not be tried: why, and what would let it.
    Untried(String, Vec<Help>),
    /// The account's policy says no, or is not seen yet.
    Denied(Error),
    /// Another link is broken, with the change that may fix it by itself.
    Broken(Link, Error, Option<Settling>),
}

impl Token {
    /// Returns what the result shows about the binding.
    pub(crate) fn proven(&self) -> Proven {
        match self {
            Self::Had => Proven::Yes,
            Self::Denied(_) => Proven::No,
            Self::Untried(..) | Self::Broken(..) => Proven::Untried,
        }
    }
}

/// Judges a proof. A failure that does not concern the identity is returned unchanged.
pub(crate) fn token(
    identity: &Identity,
    proof: &Result<Proof>,
    caller: &str,
    known: Known,
) -> Result<Token> {
    let proof = match proof {
        Ok(proof) => proof,
        Err(error) if error.class == Class::Refused => {
            return Ok(Token::Untried(
                "not proven: this step has no grant to prove it".to_owned(),
                Vec::new(),
            ));
        }
        Err(error) => return Err(error.clone()),
    };
    let failed = proof.links.iter().find_map(|result| {
        let failure = result.failure.clone()?;
        Some((result.link, Error::from(failure)))
    });
    let Some((step, error)) = failed else {
        return Ok(Token::Had);
    };
    if error.message.contains("Invalid form of account ID") {
        return Ok(Token::Broken(
            Link::FORM,
            account_form(identity, &error),
            None,
        ));
    }
    let what = format!("giving a token to {}", identity.workload.name());
    if let Some(error) = verdict::perimeter(&what, &error) {
        return Ok(Token::Broken(Link::TOKEN, error, None));
    }
    match (step, error.class) {
        (_, Class::Unavailable | Class::Cancelled | Class::TimedOut | Class::Exhausted) => {
            Err(error)
        }
        (_, Class::Denied) if error.owner == Owner::Operator => Err(error),
        (Step::TokenRequest, Class::Denied) => Ok(untried(identity, caller, &error)),
        (Step::TokenRequest, Class::NotFound) => Ok(Token::Broken(
            Link::ACCOUNT,
            recoded(error, codes::identity::SERVICE_ACCOUNT_MISSING),
            None,
        )),
        (Step::Impersonate, _) if error.code.ends_with("api-disabled") => Ok(Token::Broken(
            Link::APIS,
            recoded(error, codes::identity::API_DISABLED),
            known.apis.then_some(Settling::Api),
        )),
        (Step::Impersonate, Class::NotFound) => Ok(Token::Broken(
            Link::GOOGLE_ACCOUNT,
            recoded(error, codes::identity::ACCOUNT_MISSING),
            known.account.then_some(Settling::Account),
        )),
        (Step::Impersonate, Class::Denied) => Ok(Token::Denied(error)),
        // A pool that GKE made a moment ago is not known everywhere at once.
        (Step::Exchange, class) => {
            let settling = (class == Class::NotFound).then_some(Settling::Pool);
            Ok(Token::Broken(
                Link::TOKEN,
                exchange(identity, error),
                settling,
            ))
        }
        _ => Err(error),
    }
}

/// Returns the failure when the policy grants the token and Google refused it during the whole
/// wait, with what the deny policies say about it.
pub(crate) fn denied(identity: &Identity, error: &Error, waited: &str, denial: &Denial) -> Error {
    let who = identity.way.account().unwrap_or_default();
    let said = &error.message;
    let workload = identity.workload.name();
    let likely = match denial {
        Denial::Found(found) => {
            let place = format!("the account {who}");
            return found.error(&workload, &place, identity.principal().as_ref());
        }
        Denial::Unknown(why) => {
            format!("If the binding is not new, the likely cause is a deny policy or a principal access boundary: {why}.")
        }
        Denial::Absent => "If the binding is not new, the likely cause is a principal access boundary: no deny policy denies it.".to_owned(),
    };
    cloud(
        Class::Denied,
        codes::identity::IMPERSONATION_DENIED,
        format!("the binding exists, but Google still refuses {workload} a token for {who}{waited}.\n{said}\n{likely}"),
    )
    .help("if the binding is new, retry later: it can take seven minutes or longer to take effect")
    .help("otherwise, an administrator of the organisation can check whether a deny policy forbids it:")
    .helps(commands::list_deny_policies(
        Account::read(who)
            .as_ref()
            .and_then(Account::project_id)
            .unwrap_or(&identity.workload.project),
    ))
}

/// Returns the failure when Google refuses the token, and the binding has a condition that cannot be
/// decided.
pub(crate) fn conditioned(identity: &Identity, error: &Error, why: &str) -> Error {
    let email = identity.way.account().unwrap_or_default();
    let message = format!(
        "Google refuses {} a token for {email}; the likely cause is the condition of its binding, of which wi-verify cannot tell whether it holds ({why}).\n{}",
        identity.workload.name(),
        error.message
    );
    cloud(
        Class::Denied,
        codes::identity::IMPERSONATION_DENIED,
        message,
    )
    .help("an administrator of the account can check the condition:")
    .helps(commands::show_account_policy(email))
}

/// Returns the failure when the policy grants the token, Google refuses it, and the account was not
/// read.
pub(crate) fn untold(identity: &Identity, error: &Error) -> Error {
    let email = identity.way.account().unwrap_or_default();
    let who = identity.workload.name();
    let said = &error.message;
    cloud(
        Class::Denied,
        codes::identity::IMPERSONATION_DENIED,
        format!("the binding exists, but Google refuses {who} a token for {email}; the account was not read, so this step cannot tell whether it is disabled or deleted.\n{said}"),
    )
    .help(format!("set `googleServiceAccount: {email}`, so that the step may read the account, or read it yourself:"))
    .helps(commands::show_account(email))
}

fn exchange(identity: &Identity, error: Error) -> Error {
    let said = &error.message;
    let message = format!(
        "Google rejects the cluster's token for {} in pool {}.\n{said}",
        identity.workload.name(),
        identity.pool
    );
    let mut error = Error { message, ..error };
    error.help.insert(
        0,
        "it can take some minutes after Workload Identity was enabled or the cluster was created"
            .into(),
    );
    error
}

/// Replaces the code by the link's own, so that the run's exit code is that of an identity.
fn recoded(error: Error, code: &str) -> Error {
    Error {
        code: code.to_owned(),
        ..error
    }
}

fn untried(identity: &Identity, caller: &str, error: &Error) -> Token {
    let workload = &identity.workload;
    // The API server knows best whom it refused.
    let user = kubectl::refused_user(&error.message).or(reads::known(caller));
    let commands = kubectl::let_create_tokens(&workload.namespace, &workload.account, user);
    let help: Vec<Help> = if commands.is_empty() {
        let what = "the caller needs the verb create on its `serviceaccounts/token`";
        vec![what.into()]
    } else {
        let intro = [Help::from(on(workload, "let the caller create tokens"))];
        let commands = commands.into_iter().map(Help::from);
        intro.into_iter().chain(commands).collect()
    };
    Token::Untried(
        format!(
            "not proven: {caller} lacks permission to create tokens for {}",
            workload.name()
        ),
        help,
    )
}

/// Link 16: an API that wants an address was given a workload's own name.
fn account_form(identity: &Identity, error: &Error) -> Error {
    let workload = &identity.workload;
    let why = match identity.way {
        Way::Direct => "this identity has no address, but an API requires one",
        Way::As(_) => "an API got the workload's own name where it requires an account's address",
    };
    cluster(
        Class::Denied,
        codes::identity::ACCOUNT_FORM,
        format!("{why}.\n{}", error.message),
    )
    .help(on(
        workload,
        "let the metadata server return the workload's name as its address",
    ))
    .helps(commands::return_principal_as_email(workload))
}

#[cfg(test)]
mod tests {
    use sidestep::bindings::sidestep::host::types::Failure;
    use sidestep::identity::LinkResult;

    use super::*;
    use crate::identity::example;

    const READ: Known = Known {
        account: true,
        apis: true,
    };

    fn judge(step: Step, class: Class, code: &str, message: &str) -> Result<Token> {
        judge_knowing(READ, step, class, code, message)
    }

    fn judge_knowing(
        known: Known,
        step: Step,
        class: Class,
        code: &str,
        message: &str,
    ) -> Result<Token> {
        let failure: Failure = Error::new(class, code, Owner::Cloud, message).into();
        let proof = Proof {
            principal: None,
            links: vec![LinkResult {
                link: step,
                failure: Some(failure),
            }],
            targets: Vec::new(),
        };
        let identity = example(Way::As("b@demo.iam.gserviceaccount.com".to_owned()));
        token(&identity, &Ok(proof), "dev@x", known)
    }

    #[test]
    fn each_failure_leads_to_its_link() {
        let link = |step, class, code, message: &str| match judge(step, class, code, message) {
            Ok(Token::Broken(link, error, settling)) => {
                assert!(error.code.starts_with("identity."), "{error}");
                (link, settling)
            }
            other => panic!("{other:?}"),
        };
        let pool = link(
            Step::Exchange,
            Class::NotFound,
            "identity.pool-missing",
            "no",
        );
        assert_eq!(pool, (Link::TOKEN, Some(Settling::Pool)));
        let refused = link(
            Step::Exchange,
            Class::Denied,
            "identity.subject-refused",
            "no",
        );
        assert_eq!(refused, (Link::TOKEN, None));
        let api = link(
            Step::Impersonate,
            Class::Denied,
            "google.api-disabled",
            "no",
        );
        assert_eq!(api, (Link::APIS, Some(Settling::Api)));
        let gone = link(
            Step::Impersonate,
            Class::NotFound,
            "identity.account-missing",
            "no",
        );
        assert_eq!(gone, (Link::GOOGLE_ACCOUNT, Some(Settling::Account)));
        let form = link(
            Step::Impersonate,
            Class::InvalidInput,
            "google.invalid",
            "Invalid form of account ID x.svc.id.goog",
        );
        assert_eq!(form.0, Link::FORM);
        let account = link(
            Step::TokenRequest,
            Class::NotFound,
            "kubernetes.not-found",
            "no",
        );
        assert_eq!(account.0, Link::ACCOUNT);
    }

    #[test]
    fn what_was_not_read_is_not_waited_for() {
        for (class, code) in [
            (Class::NotFound, "identity.account-missing"),
            (Class::Denied, "google.api-disabled"),
        ] {
            let judged = judge_knowing(Known::default(), Step::Impersonate, class, code, "no");
            assert!(
                matches!(judged, Ok(Token::Broken(_, _, None))),
                "{judged:?}"
            );
        }
    }

    #[test]
    fn a_perimeter_is_no_missing_binding() {
        let said = "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x1Y-2z";
        for step in [Step::Exchange, Step::Impersonate] {
            let judged = judge(step, Class::Denied, "identity.impersonation-denied", said);
            let Ok(Token::Broken(Link::TOKEN, error, None)) = judged else {
                panic!("{judged:?}");
            };
            assert_eq!(error.code, "identity.perimeter-denied");
            assert!(error.message.ends_with(said), "{error}");
        }
    }

    #[test]
    fn a_no_to_the_workload_is_not_a_no_to_the_caller() {
        let denied = judge(
            Step::Impersonate,
            Class::Denied,
            "identity.impersonation-denied",
            "no",
        );
        assert_eq!(denied.map(|token| token.proven()), Ok(Proven::No));
        let untried = judge(
            Step::TokenRequest,
            Class::Denied,
            "kubernetes.forbidden",
            "no",
        )
        .expect("a verdict");
        assert_eq!(untried.proven(), Proven::Untried);
        assert!(
            matches!(untried, Token::Untried(why, help) if why.contains("dev@x lacks permission to create tokens") && help.len() == 3)
        );
        assert!(
            judge(
                Step::Exchange,
                Class::Unavailable,
                "google.unavailable",
                "no"
            )
            .is_err()
        );
    }
}
