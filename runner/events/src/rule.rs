//! What failures count as, and what must have shown them before a plugin may claim them: one table.

use crate::{Class, Exit, Failure, Owner};
use sidestep_contract::codes;
use sidestep_contract::names;

names! {
    /// What the host calls of an attempt showed, as the gate recorded it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Evidence {
        /// A call that leaves this machine was made.
        Contact = "contact",
        /// The cloud, the cluster or a service denied a call.
        Denied = "denied",
        /// A probe or a read showed that a right is missing.
        MissingRight = "missing-right",
        /// A call found its service unavailable.
        Unavailable = "unavailable",
        /// A call ran out of its time.
        TimedOut = "timed-out",
        /// A followed pod failed, or its cluster could not start it.
        PodFailed = "pod-failed",
        /// The cluster ended a followed pod: evicted, preempted, its node lost.
        PodLost = "pod-lost",
        /// A followed pod failed, and its own log shows a transient fault.
        TransientFault = "transient-fault",
        /// The step was cancelled.
        Cancelled = "cancelled",
    }
}

/// The part of a failure that a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The class.
    Class(Class),
    /// The code, or one below it: `identity` marks `identity.binding-missing`.
    Code(&'static str),
    /// The owner.
    Owner(Owner),
}

/// What a failure with this mark counts as, and who may say so.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What the failure has.
    pub mark: Mark,
    /// One of these must have been shown before a plugin may claim it. Where there is none, only
    /// the host says it.
    pub evidence: &'static [Evidence],
    /// What a step that failed so counts as.
    pub exit: Exit,
}

impl Rule {
    /// Returns the rules whose mark the failure has; the first one gives its exit code.
    pub fn of(failure: &Failure) -> impl Iterator<Item = &'static Self> + use<'_> {
        RULES.iter().filter(|rule| rule.mark.is_on(failure))
    }
}

impl Mark {
    fn is_on(self, failure: &Failure) -> bool {
        match self {
            Self::Class(class) => failure.class == class,
            Self::Code(code) => failure.has_code(code),
            Self::Owner(owner) => failure.owner == owner,
        }
    }
}

/// A person has to repair an identity or a permission.
const NO: &[Evidence] = &[
    Evidence::Denied,
    Evidence::MissingRight,
    Evidence::PodFailed,
];
/// Running again is safe.
const AWAY: &[Evidence] = &[
    Evidence::Unavailable,
    Evidence::PodLost,
    Evidence::TransientFault,
];
const HOST_ALONE: &[Evidence] = &[];

const fn owner(owner: Owner, evidence: &'static [Evidence], exit: Exit) -> Rule {
    Rule {
        mark: Mark::Owner(owner),
        evidence,
        exit,
    }
}

const fn class(class: Class, evidence: &'static [Evidence], exit: Exit) -> Rule {
    Rule {
        mark: Mark::Class(class),
        evidence,
        exit,
    }
}

const fn code(code: &'static str, evidence: &'static [Evidence], exit: Exit) -> Rule {
    Rule {
        mark: Mark::Code(code),
        evidence,
        exit,
    }
}

/// A code that the host alone gives, and that decides nothing else.
const fn reserved(name: &'static str) -> Rule {
    code(name, HOST_ALONE, Exit::Failed)
}

/// The table. What no rule marks is `failed`, exit 1, and anybody may say it.
pub const RULES: &[Rule] = &[
    owner(Owner::Sidestep, HOST_ALONE, Exit::Bug),
    code(
        codes::identity::METADATA_UNAVAILABLE,
        AWAY,
        Exit::Unavailable,
    ),
    code("identity", NO, Exit::Denied),
    class(Class::Refused, HOST_ALONE, Exit::Refused),
    class(Class::Denied, NO, Exit::Denied),
    class(Class::TimedOut, &[Evidence::TimedOut], Exit::TimedOut),
    class(Class::Unavailable, AWAY, Exit::Unavailable),
    code(codes::pod::EVICTED, AWAY, Exit::Unavailable),
    code(codes::pod::NODE_LOST, AWAY, Exit::Unavailable),
    class(Class::Cancelled, &[Evidence::Cancelled], Exit::Failed),
    owner(Owner::Operator, HOST_ALONE, Exit::Failed),
    owner(Owner::Cloud, &[Evidence::Contact], Exit::Failed),
    owner(Owner::Cluster, &[Evidence::Contact], Exit::Failed),
    reserved("call"),
    reserved("checkpoint"),
    reserved("cleanup"),
    reserved("google"),
    reserved("grant"),
    reserved("journal"),
    reserved("kubernetes"),
    reserved("limit"),
    reserved("log"),
    reserved("output"),
    reserved(codes::plugin::ABORTED),
    reserved(codes::plugin::BAD_OUTPUTS),
    reserved(codes::plugin::CHANGED),
    reserved(codes::plugin::FAILED),
    reserved(codes::plugin::OUT_OF_MEMORY),
    reserved(codes::plugin::PANICKED),
    reserved(codes::plugin::STACK_OVERFLOW),
    reserved(codes::plugin::STOPPED),
    reserved(codes::plugin::TRAPPED),
    reserved("policy"),
    reserved("run"),
    reserved("sandbox"),
    reserved("settings"),
    reserved("sidestep"),
    reserved("state"),
    reserved("step"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_marks_itself_and_what_lies_below() {
        let rules = |code: &'static str| {
            let failure = Failure::new(Class::Failed, code, Owner::Author, "m");
            Rule::of(&failure).count()
        };
        for code in ["step.timed-out", "step", "identity.x", "plugin.panicked"] {
            assert_eq!(rules(code), 1, "{code}");
        }
        for code in ["stepping.stone", "plugin.bug", "kaniko.step", ""] {
            assert_eq!(rules(code), 0, "{code}");
        }
    }

    #[test]
    fn every_exit_but_1_has_to_be_shown_or_said_by_the_host() {
        for class in Class::ALL {
            for owner in Owner::ALL {
                for code in ["x.y", "identity.x", "pod.evicted", "pod.node-lost"] {
                    let failure = Failure::new(class, code, owner, "m");
                    let free = Rule::of(&failure).next().is_none();
                    let exit = Exit::of_failure(&failure);
                    assert!(!free || exit == Exit::Failed, "{failure:?}");
                }
            }
        }
    }
}
