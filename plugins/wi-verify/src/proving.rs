//! Links 8 to 11 and 15: the proof, tried again while a change that is there is not seen yet.

use std::time::Duration;

use sidestep::gcp::iam::{Condition, Policy, PolicyResource};
use sidestep::identity;
use sidestep::{Class, Result, Step, codes};

use crate::binding::{self, Binding};
use crate::held::{Place, held};
use crate::identity::Identity;
use crate::inherited;
use crate::overriding::{self, Hierarchies};
use crate::permissions::{self, Judged};
use crate::proof::{self, Token};
use crate::reads;
use crate::report::{Link, Report};
use crate::repositories;
use crate::settling::{Known, Settling};
use crate::targets::{self, Target};
use crate::verdict::Verdict;

/// The first pause between two tries; each is half as long again as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// The identity and targets to prove, and how long that may take.
pub(crate) struct Proving<'a> {
    pub(crate) step: &'a Step,
    pub(crate) identity: &'a Identity,
    pub(crate) targets: &'a [Target],
    pub(crate) binding: Option<&'a Binding>,
    pub(crate) caller: &'a str,
    pub(crate) wait: Duration,
    /// The facts that earlier links have read.
    pub(crate) known: Known,
    /// Whether something is broken that no waiting repairs.
    pub(crate) settled: bool,
    /// The hierarchies that were read to explain a denial.
    pub(crate) hierarchies: Hierarchies,
}

/// The result of the last attempt.
pub(crate) struct Proven {
    pub(crate) principal: Option<String>,
    token: Token,
    targets: Vec<Judged>,
    waited: Duration,
}

impl Proving<'_> {
    /// Retries the proof until it holds, can't succeed by itself, or the time is over.
    pub(crate) fn run(&self) -> Result<Proven> {
        let started = self.step.now();
        let mut pause = FIRST_PAUSE;
        let mut policies: Option<Vec<Option<Policy>>> = None;
        loop {
            let proof = identity::prove(reads::subject(self.identity, self.targets));
            let token = proof::token(self.identity, &proof, self.caller, self.known)?;
            let results = proof
                .as_ref()
                .map(|proof| proof.targets.as_slice())
                .unwrap_or_default();
            if policies.is_none() && self.hangs_on_policies(results) {
                policies = Some(reads::policies(self.deciding(results)));
            }
            let judged = self.judge(results, policies.as_deref())?;
            let waited = Duration::from_millis(self.step.now().saturating_sub(started));
            let left = self.wait.saturating_sub(waited);
            let settling = self.settling(&token, &judged);
            let waits = |_: &Settling| {
                let denied = || pause == FIRST_PAUSE && self.is_denied(&token, &judged);
                !self.settled && !left.is_zero() && !denied()
            };
            let Some(settling) = settling.filter(waits) else {
                return Ok(Proven {
                    principal: proof.ok().and_then(|proof| proof.principal),
                    token,
                    targets: judged,
                    waited: if pause == FIRST_PAUSE {
                        Duration::ZERO
                    } else {
                        waited
                    },
                });
            };
            if pause == FIRST_PAUSE {
                sidestep::info!(
                    "{}, but Google does not see that yet: waiting for at most {}",
                    settling.shown(),
                    seconds(left)
                );
            }
            self.step.sleep(pause.min(left))?;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Returns the change that may make a failed attempt succeed. An account that was not read may
    /// be disabled, and waiting does not fix that.
    fn settling(&self, token: &Token, judged: &[Judged]) -> Option<Settling> {
        let known = !matches!(token, Token::Denied(_)) || self.known.account;
        settling(token, judged, self.binding).filter(|_| known)
    }

    /// Returns whether a deny policy denies what the allow policies grant. Waiting does not repair
    /// that.
    fn is_denied(&self, token: &Token, judged: &[Judged]) -> bool {
        let reads = &self.hierarchies;
        if let Token::Denied(_) = token {
            let levels = overriding::of_account(self.identity, self.binding, token, reads);
            return levels.is_some_and(|levels| overriding::denies_token(self.identity, &levels));
        }
        let mut pairs = self.targets.iter().zip(judged);
        pairs.any(|(target, judged)| {
            let verdict = overriding::target(self.identity, target, judged, reads);
            matches!(verdict, Verdict::Broken(error) if error.code == codes::identity::DENY_POLICY)
        })
    }

    /// Returns whether the verdict on a target depends on a policy.
    fn hangs_on_policies(&self, results: &[identity::TargetResult]) -> bool {
        let mut pairs = self.targets.iter().zip(results);
        pairs.any(|(target, result)| permissions::hangs_on_policy(target, result))
    }

    /// Returns the resources whose policies explain a refusal: the targets, or the project in which
    /// a missing target would be created.
    fn deciding(&self, results: &[identity::TargetResult]) -> impl Iterator<Item = PolicyResource> {
        let pairs = self.targets.iter().zip(results);
        pairs.map(|(target, result)| {
            let missing = result
                .failure
                .as_ref()
                .is_some_and(|failure| failure.class == Class::NotFound.as_str());
            match targets::created_on_push(&target.resource) {
                Some(project) if missing => PolicyResource::Project(project.to_owned()),
                _ => targets::resource(&target.resource),
            }
        })
    }

    fn judge(
        &self,
        results: &[identity::TargetResult],
        policies: Option<&[Option<Policy>]>,
    ) -> Result<Vec<Judged>> {
        let pairs = self.targets.iter().zip(results).enumerate();
        pairs
            .map(|(index, (target, result))| {
                let policy = policies.and_then(|all| all.get(index)?.as_ref());
                let now = self.step.now();
                let held = |conditions: &[Condition], object: Option<&str>| {
                    held(now, conditions, &Place::of(&target.resource, object))
                };
                permissions::judge(self.identity, target, result, policy, self.known, &held)
            })
            .collect()
    }
}

impl Proven {
    /// Link 15.
    pub(crate) fn waited(&self) -> Verdict {
        Verdict::Holds(if self.waited.is_zero() {
            "nothing to wait for".to_owned()
        } else {
            format!(
                "waited {} until Google saw the change",
                seconds(self.waited)
            )
        })
    }
}

/// Returns the change that may make a failed attempt succeed without any action.
fn settling(token: &Token, targets: &[Judged], binding: Option<&Binding>) -> Option<Settling> {
    match token {
        Token::Had => {
            let broken = targets.iter().filter(|one| one.verdict.is_broken());
            // One that never heals ends the waiting for all.
            let all: Option<Vec<Settling>> = broken.map(|one| one.settling).collect();
            all?.first().copied()
        }
        Token::Denied(_) => binding
            .is_some_and(Binding::is_in_effect)
            .then_some(Settling::Grant),
        Token::Broken(_, _, settling) => *settling,
        Token::Untried(..) => None,
    }
}

/// Reports links 8 to 11.
pub(crate) fn report(
    proving: &Proving<'_>,
    proven: &Proven,
    uniform: Verdict,
    report: &mut Report,
) -> Result<()> {
    let identity = proving.identity;
    let token = &proven.token;
    // A break that the proof found before the binding matters.
    if let Token::Broken(link, error, _) = token
        && *link != Link::TOKEN
    {
        return report.take(*link, Verdict::Broken(error.clone()));
    }
    let reads = &proving.hierarchies;
    let levels = overriding::of_account(identity, proving.binding, token, reads);
    let above = levels
        .as_ref()
        .and_then(|levels| inherited::binding(levels, identity));
    let bound = match (proving.binding, identity.way.account()) {
        (Some(binding), Some(email)) => {
            binding::judge(identity, email, binding, token.proven(), above)
        }
        _ => Verdict::Skipped("none needed: the workload has its own roles".to_owned()),
    };
    report.take(Link::BINDING, bound)?;
    let waited = if proven.waited.is_zero() {
        String::new()
    } else {
        format!(" (for {} now)", seconds(proven.waited))
    };
    report.take(
        Link::TOKEN,
        match token {
            Token::Had => {
                let who = proven.principal.clone().unwrap_or_else(|| identity.who());
                Verdict::Holds(format!("Google recognises the workload as {who}"))
            }
            Token::Untried(why, help) => Verdict::Warns(why.clone(), help.clone()),
            Token::Denied(error) => {
                Verdict::Broken(overriding::token(proving, error, &waited, levels.as_ref()))
            }
            Token::Broken(_, error, _) => Verdict::Broken(error.clone()),
        },
    )?;
    if uniform.is_broken() {
        return report.take(Link::UNIFORM, uniform);
    }
    reached(proving, proven, report)?;
    report.take(Link::UNIFORM, uniform)
}

/// Reports link 10, a line for each target. All missing permissions are reported at once.
fn reached(proving: &Proving<'_>, proven: &Proven, report: &mut Report) -> Result<()> {
    if proving.targets.is_empty() {
        return report.take(
            Link::PERMISSIONS,
            Verdict::Skipped("no targets are given".to_owned()),
        );
    }
    if let Token::Untried(..) = proven.token {
        return report.take(
            Link::PERMISSIONS,
            Verdict::Unknown("not checked: this needs the token of link 9".to_owned()),
        );
    }
    let facts = crate::reads::repositories(proving.targets);
    let verdicts = proving.targets.iter().zip(facts).zip(&proven.targets);
    let verdicts = verdicts.map(|((target, facts), judged)| {
        match facts.and_then(|facts| repositories::unfit(target, &facts)) {
            Some(error) => Verdict::Broken(error),
            None => overriding::target(proving.identity, target, judged, &proving.hierarchies),
        }
    });
    let (broken, fine): (Vec<Verdict>, Vec<Verdict>) = verdicts.partition(Verdict::is_broken);
    for verdict in fine {
        report.take(Link::PERMISSIONS, verdict)?;
    }
    match permissions::together(broken) {
        Some(error) => report.take(Link::PERMISSIONS, Verdict::Broken(error)),
        None => Ok(()),
    }
}

fn seconds(time: Duration) -> String {
    match time.as_secs() {
        long if long >= 60 && long % 60 == 0 => format!("{} min", long / 60),
        seconds => format!("{} s", seconds.max(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::cloud;

    fn broken(settling: Option<Settling>) -> Judged {
        Judged {
            verdict: Verdict::Broken(cloud(Class::Denied, "x", "no")),
            settling,
            lacking: Vec::new(),
        }
    }

    #[test]
    fn only_what_was_read_is_waited_for() {
        let given = Binding::Given("account");
        let denied = Token::Denied(cloud(Class::Denied, "x", "no"));
        let granted = Some(Settling::Grant);
        assert_eq!(settling(&denied, &[], Some(&given)), granted);
        let absent = Binding::Absent {
            near: None,
            project_read: true,
            sets: Vec::new(),
        };
        assert_eq!(settling(&denied, &[], Some(&absent)), None);
        let fine = || Judged {
            verdict: Verdict::Holds(String::new()),
            settling: None,
            lacking: Vec::new(),
        };
        assert_eq!(settling(&Token::Had, &[fine()], Some(&given)), None);
        assert_eq!(
            settling(&Token::Had, &[broken(granted), fine()], None),
            granted
        );
        assert_eq!(
            settling(&Token::Had, &[broken(granted), broken(None)], None),
            None
        );
    }

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(seconds(Duration::from_mins(2)), "2 min");
        assert_eq!(seconds(Duration::from_secs(90)), "90 s");
    }
}
