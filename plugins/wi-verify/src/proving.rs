//! Links 8 to 11 and 15: the proof, tried again while a change that is there is not seen yet.

use std::time::Duration;

use sidestep::gcp::iam::{Policy, PolicyResource};
use sidestep::identity;
use sidestep::{Class, Result, Step};

use crate::binding::{self, Binding};
use crate::identity::Identity;
use crate::permissions::{self, Judged};
use crate::proof::{self, Token};
use crate::reads;
use crate::report::{Link, Report};
use crate::repositories;
use crate::targets::Target;
use crate::verdict::Verdict;

/// The first pause between two tries; each is half as long again as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// What is proven, and for how long it may take.
pub(crate) struct Proving<'a> {
    pub(crate) step: &'a Step,
    pub(crate) identity: &'a Identity,
    pub(crate) targets: &'a [Target],
    pub(crate) binding: Option<&'a Binding>,
    pub(crate) caller: &'a str,
    pub(crate) wait: Duration,
    /// Whether the Google service account was read, and so is known to be there and enabled.
    pub(crate) account_read: bool,
    /// Whether something is broken that no waiting mends.
    pub(crate) settled: bool,
}

/// What the last try came to.
pub(crate) struct Proven {
    pub(crate) principal: Option<String>,
    token: Token,
    targets: Vec<Judged>,
    waited: Duration,
}

impl Proving<'_> {
    /// Proves, until it holds, or cannot come to hold by itself, or the time is over.
    pub(crate) fn run(&self) -> Result<Proven> {
        let started = self.step.now();
        let mut pause = FIRST_PAUSE;
        let mut policies: Option<Vec<Option<Policy>>> = None;
        loop {
            let proof = identity::prove(reads::subject(self.identity, self.targets));
            let token = proof::token(self.identity, &proof, self.caller)?;
            let results = proof
                .as_ref()
                .map(|proof| proof.targets.as_slice())
                .unwrap_or_default();
            let mut judged = self.judge(results, policies.as_deref())?;
            if policies.is_none() && judged.iter().any(|one| one.verdict.is_broken()) {
                policies = Some(reads::policies(self.deciding(results)));
                judged = self.judge(results, policies.as_deref())?;
            }
            let waited = Duration::from_millis(self.step.now().saturating_sub(started));
            let left = self.wait.saturating_sub(waited);
            if self.settled || left.is_zero() || !self.may_heal(&token, &judged) {
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
            }
            if pause == FIRST_PAUSE {
                sidestep::info!(
                    "the policies grant it, and Google does not see that yet: waiting for at most {}",
                    seconds(left)
                );
            }
            self.step.sleep(pause.min(left))?;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Whether a try that did not hold may hold later. An account that was not read may be disabled,
    /// and waiting does not repair it.
    fn may_heal(&self, token: &Token, judged: &[Judged]) -> bool {
        let known = !matches!(token, Token::Denied(_)) || self.account_read;
        known && may_heal(token, judged, self.binding)
    }

    /// The resources whose policies say what was refused: the targets, or what a target that is
    /// missing would be created in.
    fn deciding(&self, results: &[identity::TargetResult]) -> impl Iterator<Item = PolicyResource> {
        let pairs = self.targets.iter().zip(results);
        pairs.map(|(target, result)| {
            let missing = result
                .failure
                .as_ref()
                .is_some_and(|failure| failure.class == Class::NotFound.as_str());
            match target.place.created_on_push() {
                Some(project) if missing => PolicyResource::Project(project.to_owned()),
                _ => target.place.resource(),
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
                permissions::judge(self.identity, target, result, policy)
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

/// Whether a try that did not hold may hold later, with nobody changing anything.
fn may_heal(token: &Token, targets: &[Judged], binding: Option<&Binding>) -> bool {
    match token {
        Token::Had => {
            let mut broken = targets
                .iter()
                .filter(|one| one.verdict.is_broken())
                .peekable();
            broken.peek().is_some() && broken.all(|one| one.fresh)
        }
        Token::Denied(_) => matches!(binding, Some(Binding::Given(_))),
        Token::Broken(_, _, fresh) => *fresh,
        Token::Untried(..) => false,
    }
}

/// Takes links 8 to 11 down.
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
    let bound = match (proving.binding, identity.way.account()) {
        (Some(binding), Some(email)) => binding::judge(identity, email, binding, token.proven()),
        _ => Verdict::Skipped("none needed: the roles are the workload's own".to_owned()),
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
                Verdict::Holds(format!("Google takes the workload for {who}"))
            }
            Token::Untried(why, help) => Verdict::Warns(why.clone(), help.clone()),
            Token::Denied(error) if proving.account_read => {
                Verdict::Broken(proof::denied(identity, error, &waited))
            }
            Token::Denied(error) => Verdict::Broken(proof::untold(identity, error)),
            Token::Broken(_, error, _) => Verdict::Broken(error.clone()),
        },
    )?;
    if uniform.is_broken() {
        return report.take(Link::UNIFORM, uniform);
    }
    targets(proving, proven, report)?;
    report.take(Link::UNIFORM, uniform)
}

/// Link 10, a line for each target. Everything that is lacking is said at once.
fn targets(proving: &Proving<'_>, proven: &Proven, report: &mut Report) -> Result<()> {
    if proving.targets.is_empty() {
        return report.take(
            Link::PERMISSIONS,
            Verdict::Skipped("nothing to reach is named".to_owned()),
        );
    }
    if let Token::Untried(..) = proven.token {
        return report.take(
            Link::PERMISSIONS,
            Verdict::Unknown("not checked: that takes the token of link 9".to_owned()),
        );
    }
    let facts = reads::repositories(proving.targets);
    let verdicts = proving.targets.iter().zip(facts).zip(&proven.targets);
    let verdicts = verdicts.map(|((target, facts), judged)| {
        match facts.and_then(|facts| repositories::unfit(target, &facts)) {
            Some(error) => Verdict::Broken(error),
            None => judged.verdict.clone(),
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

    fn target(broken: bool, fresh: bool) -> Judged {
        let verdict = if broken {
            Verdict::Broken(cloud(Class::Denied, "x", "no"))
        } else {
            Verdict::Holds(String::new())
        };
        Judged { verdict, fresh }
    }

    #[test]
    fn only_what_the_policies_grant_is_waited_for() {
        let given = Binding::Given("account");
        let denied = Token::Denied(cloud(Class::Denied, "x", "no"));
        assert!(may_heal(&denied, &[], Some(&given)));
        assert!(!may_heal(&denied, &[], Some(&Binding::Absent(None))));
        assert!(!may_heal(
            &Token::Had,
            &[target(false, false)],
            Some(&given)
        ));
        assert!(may_heal(
            &Token::Had,
            &[target(true, true), target(false, false)],
            None
        ));
        assert!(!may_heal(
            &Token::Had,
            &[target(true, true), target(true, false)],
            None
        ));
    }

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(seconds(Duration::from_mins(2)), "2 min");
        assert_eq!(seconds(Duration::from_secs(90)), "90 s");
    }
}
