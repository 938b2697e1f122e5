//! Link 8: the workload may act as its Google service account.

use sidestep::gcp::iam::{Condition, Policy};
use sidestep::google::let_act_as;
use sidestep::{Class, Error, codes};

use crate::commands;
use crate::held::Held;
use crate::identity::Identity;
use crate::near_miss;
use crate::roles::{self, ACTS_AS, Grant, grants};
use crate::verdict::{Verdict, and, cloud};

/// The grants to the workload in the policies of an account and of its project.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Binding {
    /// It may act as the account, by the policy of the account or the project.
    Given(&'static str),
    /// It may while a condition holds.
    Conditioned {
        /// The title and expression of each.
        shown: String,
        /// Whether one of them holds now.
        held: Held,
    },
    /// No policy that was read lets it act as the account.
    Absent {
        /// A similar binding that exists instead, if any.
        near: Option<String>,
        /// Whether the project's policy was read too.
        project_read: bool,
        /// The groups and domains that may act as the account. Their members are not known.
        sets: Vec<String>,
    },
    /// It is unknown, for this reason.
    Unknown(String),
}

impl Binding {
    /// Returns whether the policies let the workload act as the account now.
    pub(crate) fn is_in_effect(&self) -> bool {
        match self {
            Self::Given(_) => true,
            Self::Conditioned { held, .. } => *held == Held::Yes,
            Self::Absent { .. } | Self::Unknown(_) => false,
        }
    }
}

/// The result of link 9's proof for the binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proven {
    /// Google issued a token.
    Yes,
    /// Google refused a token because the binding is missing.
    No,
    /// There was no proof.
    Untried,
}

/// Judges the policies: the account's own, and its project's, if that could be read. `held` decides
/// conditions, of which one is enough.
pub(crate) fn read(
    identity: &Identity,
    own: &Policy,
    project: Option<&Policy>,
    held: impl Fn(&[Condition]) -> Held,
) -> Binding {
    let acts = |role: &str| ACTS_AS.contains(&role);
    let is = |member: &str| identity.is(member);
    let policies = [("account", Some(own)), ("project", project)];
    let mut conditioned = Vec::new();
    for (whose, policy) in policies {
        match grants(policy, acts, is) {
            Grant::Given => return Binding::Given(whose),
            Grant::Conditioned(conditions) => conditioned.extend(conditions),
            Grant::Absent | Grant::Unread | Grant::Undecided(_) => {}
        }
    }
    if !conditioned.is_empty() {
        return Binding::Conditioned {
            shown: roles::shown(&conditioned),
            held: held(&conditioned),
        };
    }
    let custom = policies
        .iter()
        .filter_map(|(_, policy)| *policy)
        .find_map(|policy| {
            let mine = policy
                .bindings
                .iter()
                .filter(|b| !b.role.starts_with("roles/"));
            mine.filter(|b| b.members.iter().any(|member| is(member)))
                .map(|b| b.role.clone())
                .next()
        });
    match custom {
        Some(role) => Binding::Unknown(format!(
            "it has the custom role {role}; link 9 shows whether that is enough"
        )),
        None => Binding::Absent {
            near: near_miss::look(identity, own, project),
            project_read: project.is_some(),
            sets: sets(policies.iter().filter_map(|(_, policy)| *policy)),
        },
    }
}

/// Returns the groups and domains that may act as the account.
fn sets<'p>(policies: impl Iterator<Item = &'p Policy>) -> Vec<String> {
    let bindings = policies.flat_map(|policy| &policy.bindings);
    let acting = bindings.filter(|binding| ACTS_AS.contains(&binding.role.as_str()));
    let is_set = |member: &&String| member.starts_with("group:") || member.starts_with("domain:");
    acting
        .flat_map(|binding| binding.members.iter().filter(is_set))
        .cloned()
        .collect()
}

/// Judges what was read by what the proof came to. `above` is the folder or organisation whose policy
/// lets the workload act as the account.
pub(crate) fn judge(
    identity: &Identity,
    email: &str,
    binding: &Binding,
    proven: Proven,
    above: Option<&str>,
) -> Verdict {
    let who = identity.workload.name();
    let first = |missing: Error| Verdict::Broken(missing);
    match (binding, proven) {
        (Binding::Given(whose), _) => Verdict::Holds(format!("{who} may impersonate {email}, by the {whose}'s policy")),
        (Binding::Conditioned { shown, held: Held::No }, Proven::No | Proven::Untried) => first(
            cloud(
                Class::Denied,
                codes::identity::BINDING_CONDITION,
                format!("{who} may impersonate {email} only under a condition, which does not hold: {shown}"),
            )
            .help("an administrator of the account can change the condition; a grant without one allows the workload more than was intended"),
        ),
        (Binding::Conditioned { held: Held::Unknown(why), .. }, Proven::No | Proven::Untried) => {
            Verdict::Unknown(format!(
                "not checked: {who} may impersonate {email} only under a condition, and wi-verify cannot tell whether it holds ({why})"
            ))
        }
        (Binding::Conditioned { shown, held }, _) => {
            let now = if *held == Held::Yes { ", which holds now" } else { "" };
            Verdict::Warns(
                format!("{who} may impersonate {email} under a condition{now}: {shown}"),
                Vec::new(),
            )
        }
        (Binding::Absent { .. }, _) if above.is_some() => Verdict::Holds(format!(
            "{who} may impersonate {email}, by the policy of {}, which the project inherits",
            above.unwrap_or_default()
        )),
        (Binding::Absent { project_read: true, sets, .. }, Proven::Yes) if !sets.is_empty() => {
            Verdict::Holds(format!(
                "{who} may impersonate {email}, through {} or a grant that the project inherits",
                and(sets)
            ))
        }
        (Binding::Absent { project_read: true, .. }, Proven::Yes) => Verdict::Warns(
            format!("{who} may impersonate {email}, but not through a policy of the account or its project: the grant comes from a folder or the organisation, or is just being removed"),
            Vec::new(),
        ),
        (Binding::Absent { project_read: false, .. }, Proven::Yes) => Verdict::Holds(
            format!("{who} may impersonate {email}, but not through the account's own policy; the policy of its project could not be read"),
        ),
        // The project's policy may grant it.
        (Binding::Absent { project_read: false, .. }, Proven::Untried) => Verdict::Unknown(
            format!("not checked: the policy of {email} does not let {who} impersonate it, and the policy of its project could not be read"),
        ),
        (Binding::Absent { sets, .. }, Proven::Untried) if !sets.is_empty() => {
            Verdict::Unknown(format!(
                "not checked: {} may impersonate {email}, and it is not known whether {who} is a member",
                and(sets)
            ))
        }
        (Binding::Absent { near, project_read, .. }, _) => {
            first(missing(identity, email, near.as_deref(), *project_read))
        }
        (Binding::Unknown(why), Proven::No) => first(untold(identity, email, why)),
        (Binding::Unknown(why), _) => Verdict::Unknown(why.clone()),
    }
}

/// Google gives no token, and neither the account nor its policy could be read: the binding may be
/// missing, and the account may be disabled or deleted. A command for one of these might change
/// nothing.
fn untold(identity: &Identity, email: &str, why: &str) -> Error {
    let who = identity.workload.name();
    let message = format!(
        "Google refuses {who} a token for {email}; wi-verify cannot tell whether the binding is missing or the account is disabled or deleted.\n{why}"
    );
    cloud(Class::Denied, codes::identity::IMPERSONATION_DENIED, message)
        .help(format!("set `googleServiceAccount: {email}`, so that the step may read the account, or let the caller read it"))
        .helps(commands::show_account(email))
}

fn missing(identity: &Identity, email: &str, near: Option<&str>, project_read: bool) -> Error {
    let who = identity.workload.name();
    let mut message = format!("{who} is not allowed to impersonate {email}.");
    message.push('\n');
    message.push_str(near.unwrap_or(if project_read {
        "Neither the account's policy nor its project's grants it roles/iam.workloadIdentityUser."
    } else {
        "The account's policy does not grant it roles/iam.workloadIdentityUser; the policy of its project could not be read."
    }));
    cloud(Class::Denied, codes::identity::BINDING_MISSING, message)
        .help("an administrator of the account can grant it:")
        .helps(let_act_as(email, &identity.member()))
        .help("a new grant can take some minutes to take effect")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Way, example};
    use crate::roles::policy;

    const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";
    const USER: &str = "roles/iam.workloadIdentityUser";
    const MEMBER: &str = "serviceAccount:demo.svc.id.goog[builds/kaniko]";

    fn identity() -> Identity {
        example(Way::As(BUILDER.to_owned()))
    }

    /// Decides that no condition holds.
    fn no(_: &[Condition]) -> Held {
        Held::No
    }

    fn verdict(own: &Policy, proven: Proven) -> Verdict {
        let project = policy(&[]);
        judge(
            &identity(),
            BUILDER,
            &read(&identity(), own, Some(&project), no),
            proven,
            None,
        )
    }

    #[test]
    fn the_binding_may_stand_on_the_account_or_the_project() {
        let given = policy(&[(USER, MEMBER)]);
        assert_eq!(
            read(&identity(), &given, None, no),
            Binding::Given("account")
        );
        assert_eq!(
            read(&identity(), &policy(&[]), Some(&given), no),
            Binding::Given("project")
        );
        assert_eq!(
            read(
                &identity(),
                &policy(&[("roles/iam.serviceAccountTokenCreator", MEMBER)]),
                None,
                no
            ),
            Binding::Given("account")
        );
    }

    #[test]
    fn a_missing_one_is_granted() {
        let error = verdict(&policy(&[]), Proven::No).broken();
        assert_eq!(
            (error.class, error.code.as_str()),
            (Class::Denied, "identity.binding-missing")
        );
        assert_eq!(
            error.help[1],
            "gcloud iam service-accounts add-iam-policy-binding builder@demo.iam.gserviceaccount.com --project demo --role roles/iam.workloadIdentityUser --member 'serviceAccount:demo.svc.id.goog[builds/kaniko]' --condition=None"
        );
        // Without a proof the policies decide.
        assert!(verdict(&policy(&[]), Proven::Untried).is_broken());
    }

    #[test]
    fn what_works_is_not_called_broken() {
        assert!(matches!(
            verdict(&policy(&[]), Proven::Yes),
            Verdict::Warns(..)
        ));
        let custom = policy(&[("projects/demo/roles/actor", MEMBER)]);
        assert!(matches!(verdict(&custom, Proven::Yes), Verdict::Unknown(_)));
        let error = verdict(&custom, Proven::No).broken();
        assert_eq!(error.code, "identity.impersonation-denied");
        assert!(
            error
                .message
                .contains("the custom role projects/demo/roles/actor"),
            "{error}"
        );
    }

    #[test]
    fn a_project_s_policy_that_was_not_read_may_say_anything() {
        let read = read(&identity(), &policy(&[]), None, no);
        let judge = |proven| judge(&identity(), BUILDER, &read, proven, None);
        assert!(matches!(judge(Proven::Untried), Verdict::Unknown(_)));
        assert!(matches!(judge(Proven::Yes), Verdict::Holds(_)));
        let error = judge(Proven::No).broken();
        assert!(
            error
                .message
                .ends_with("the policy of its project could not be read."),
            "{error}"
        );
    }

    #[test]
    fn what_was_not_read_is_not_called_missing() {
        let unread = Binding::Unknown("not checked: this step has no grant to read it".to_owned());
        let error = judge(&identity(), BUILDER, &unread, Proven::No, None).broken();
        assert_eq!(error.code, "identity.impersonation-denied");
        assert!(error.message.contains("cannot tell"), "{error}");
        assert!(error.help[0].contains("googleServiceAccount"), "{error:?}");
        assert_eq!(
            error.help[1],
            "gcloud iam service-accounts describe builder@demo.iam.gserviceaccount.com --project demo"
        );
    }

    #[test]
    fn a_condition_is_shown() {
        let mut conditioned = policy(&[(USER, MEMBER)]);
        conditioned.bindings[0].condition = Some(sidestep::gcp::iam::Condition {
            title: "until new year".to_owned(),
            description: None,
            expression: "request.time < timestamp('2026-01-01T00:00:00Z')".to_owned(),
        });
        assert!(
            matches!(verdict(&conditioned, Proven::Yes), Verdict::Warns(text, _) if text.contains("until new year"))
        );
        assert_eq!(
            verdict(&conditioned, Proven::No).broken().code,
            "identity.binding-condition"
        );
    }

    #[test]
    fn a_condition_has_three_values() {
        let binding = |held| Binding::Conditioned {
            shown: "t: x".to_owned(),
            held,
        };
        let judge = |held, proven| judge(&identity(), BUILDER, &binding(held), proven, None);
        let unknown = || Held::Unknown("`x`: there is no `auth`".to_owned());
        assert!(judge(Held::No, Proven::No).is_broken());
        assert!(judge(Held::No, Proven::Untried).is_broken());
        for proven in [Proven::No, Proven::Untried] {
            let verdict = judge(unknown(), proven);
            assert!(
                matches!(&verdict, Verdict::Unknown(why) if why.contains("`x`: there is no `auth`")),
                "{verdict:?}"
            );
            assert!(matches!(judge(Held::Yes, proven), Verdict::Warns(..)));
        }
        assert!(matches!(judge(unknown(), Proven::Yes), Verdict::Warns(..)));
    }

    #[test]
    fn sets_and_levels_above_are_reported_as_what_they_are() {
        let group = policy(&[(USER, "group:builders@example.com")]);
        let read = |own: &Policy| read(&identity(), own, Some(&policy(&[])), no);
        let judge =
            |own: &Policy, proven, above| judge(&identity(), BUILDER, &read(own), proven, above);
        assert!(
            matches!(judge(&group, Proven::Yes, None), Verdict::Holds(why) if why.contains("through group:builders@example.com"))
        );
        assert!(
            matches!(judge(&group, Proven::Untried, None), Verdict::Unknown(why) if why.contains("whether builds/kaniko is a member"))
        );
        let error = judge(&group, Proven::No, None).broken();
        assert!(
            error
                .message
                .contains("group:builders@example.com may impersonate it"),
            "{error}"
        );
        let everybody = policy(&[(USER, "allUsers")]);
        assert_eq!(read(&everybody), Binding::Given("account"));
        assert!(
            matches!(judge(&policy(&[]), Proven::Yes, Some("folders/7")), Verdict::Holds(why) if why.contains("by the policy of folders/7"))
        );
    }
}
