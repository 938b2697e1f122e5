//! One table of the exit codes of failures, and of the evidence that a plugin's claim needs.

use crate::{Class, Exit, Failure, Owner};
use sidestep_contract::codes;
use sidestep_contract::names;

names! {
    /// Evidence from the host calls of an attempt, as recorded by the gate.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Evidence {
        /// A call left this machine.
        Contact = "contact",
        /// The cloud, the cluster or a service denied a call.
        Denied = "denied",
        /// A probe or a read showed that a permission is missing.
        MissingRight = "missing-right",
        /// A call found its service unavailable.
        Unavailable = "unavailable",
        /// A call timed out.
        TimedOut = "timed-out",
        /// A followed pod failed, or its cluster could not start it.
        PodFailed = "pod-failed",
        /// The cluster ended a followed pod: it was evicted or preempted, or its node was lost.
        PodLost = "pod-lost",
        /// A followed pod failed, and its own log shows a transient fault.
        TransientFault = "transient-fault",
        /// The step was cancelled.
        Cancelled = "cancelled",
    }
}

/// The part of a failure that a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The class.
    Class(Class),
    /// The code, or one below it: `identity` matches `identity.binding-missing`.
    Code(&'static str),
    /// The owner.
    Owner(Owner),
}

/// The exit code of failures with a mark, and the evidence that a plugin needs to claim it.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The mark of the failure.
    pub mark: Mark,
    /// The evidence of which a plugin's claim needs at least one entry. If it is empty, only the
    /// host may use the mark.
    pub evidence: &'static [Evidence],
    /// The exit code of a step that failed with the mark.
    pub exit: Exit,
}

impl Rule {
    /// Returns the rules that match the failure; the first one decides its exit code.
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

/// The evidence that a person must fix an identity or a permission.
const NO: &[Evidence] = &[
    Evidence::Denied,
    Evidence::MissingRight,
    Evidence::PodFailed,
];
/// The evidence that a retry is safe.
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

/// Returns a rule for a code that only the host may use; the exit code is that of any failure.
const fn reserved(name: &'static str) -> Rule {
    code(name, HOST_ALONE, Exit::Failed)
}

/// All rules. A failure without a matching rule is `failed`, exit code 1, and needs no evidence.
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
