//! Explains denials in spite of a grant: by deny policies, and by principal access boundaries as the
//! likely cause. Neither is ever the first broken link.

use std::cell::RefCell;
use std::rc::Rc;

use sidestep::gcp::iam::Level;
use sidestep::google::Account;
use sidestep::{Error, Result, codes};

use crate::binding::Binding;
use crate::deny::{self, Denial};
use crate::held::Held;
use crate::identity::Identity;
use crate::permissions::{self, Judged};
use crate::proof::{self, Token};
use crate::proving::Proving;
use crate::targets::{self, Target};
use crate::verdict::Verdict;
use crate::{inherited, reads};

/// The permission that an impersonation needs.
const ACTS: &str = "iam.serviceAccounts.getAccessToken";

/// A project, and what is above it.
pub(crate) type Levels = Result<Vec<Level>>;

/// The hierarchies of projects, each read once.
#[derive(Default)]
pub(crate) struct Hierarchies(RefCell<Vec<(String, Rc<Levels>)>>);

impl Hierarchies {
    fn of(&self, project: &str) -> Rc<Levels> {
        let found = |all: &[(String, Rc<Levels>)]| {
            let known = all.iter().find(|(id, _)| id == project);
            known.map(|(_, levels)| Rc::clone(levels))
        };
        let known = found(&self.0.borrow());
        known.unwrap_or_else(|| {
            let levels = Rc::new(reads::hierarchy(project));
            self.0
                .borrow_mut()
                .push((project.to_owned(), Rc::clone(&levels)));
            levels
        })
    }
}

/// Returns what is above the account, if the policies that were read do not explain the proof.
pub(crate) fn of_account(
    identity: &Identity,
    binding: Option<&Binding>,
    token: &Token,
    reads: &Hierarchies,
) -> Option<Rc<Levels>> {
    let binding = binding?;
    let account = Account::read(identity.way.account()?)?;
    let open = match token {
        Token::Had => matches!(binding, Binding::Absent { .. }),
        Token::Denied(_) => binding.is_in_effect() || matches!(binding, Binding::Absent { .. }),
        Token::Untried(..) | Token::Broken(..) => false,
    };
    open.then(|| Some(reads.of(account.project_id()?)))?
}

/// Returns whether a deny policy keeps the workload from getting tokens of an account.
pub(crate) fn denies_token(identity: &Identity, levels: &Levels) -> bool {
    let denial = deny::find(levels, ACTS, |member| identity.is(member));
    matches!(denial, Denial::Found(_))
}

/// Returns the failure of link 9, when Google refuses a token in spite of the binding.
pub(crate) fn token(
    proving: &Proving<'_>,
    error: &Error,
    waited: &str,
    levels: Option<&Rc<Levels>>,
) -> Error {
    let identity = proving.identity;
    if let Some(Binding::Conditioned {
        held: Held::Unknown(why),
        ..
    }) = proving.binding
    {
        return proof::conditioned(identity, error, why);
    }
    if !proving.known.account {
        return proof::untold(identity, error);
    }
    let denial = match levels {
        Some(levels) => deny::find(levels, ACTS, |member| identity.is(member)),
        None => Denial::Unknown("the project of the account is not known".to_owned()),
    };
    proof::denied(identity, error, waited, &denial)
}

/// Returns the verdict on a target, with what overrides its grants.
pub(crate) fn target(
    identity: &Identity,
    target: &Target,
    judged: &Judged,
    reads: &Hierarchies,
) -> Verdict {
    let lacking: Vec<&str> = judged
        .lacking
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let denied = matches!(&judged.verdict, Verdict::Broken(error) if error.code == codes::identity::TARGET_DENIED);
    if lacking.is_empty() || !denied {
        return judged.verdict.clone();
    }
    let open: Vec<&str> = judged
        .lacking
        .iter()
        .filter(|(_, given)| !given)
        .map(|(name, _)| name.as_str())
        .collect();
    let Some(project) = targets::project(&target.resource) else {
        if !open.is_empty() {
            return judged.verdict.clone();
        }
        let denial = Denial::Unknown("a bucket's name does not show its project".to_owned());
        let by = "its policy";
        return Verdict::Broken(permissions::overridden(
            identity, target, &lacking, by, &denial,
        ));
    };
    let levels = reads.of(project);
    let above =
        |permission: &&str| inherited::allows(&levels, identity, &target.resource, permission);
    let inherited: Option<Vec<&str>> = open.iter().map(above).collect();
    let Some(inherited) = inherited else {
        return judged.verdict.clone();
    };
    let by = match inherited.first() {
        Some(level) => format!("the policy of {level}"),
        None => "its policy".to_owned(),
    };
    let mut denials = lacking
        .iter()
        .map(|permission| deny::find(&levels, permission, |member| identity.holds(member)));
    let mut first = denials.next().unwrap_or(Denial::Absent);
    if !matches!(first, Denial::Found(_)) {
        let found = denials.find(|denial| matches!(denial, Denial::Found(_)));
        first = found.unwrap_or(first);
    }
    Verdict::Broken(permissions::overridden(
        identity, target, &lacking, &by, &first,
    ))
}
