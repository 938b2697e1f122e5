//! Starts to follow a pod.

use std::sync::Arc;

use regex::Regex;
use sidestep_bindings::sidestep::kubernetes::objects as wit;
use sidestep_events::Failure;
use sidestep_gate::functions::kubernetes as functions;
use sidestep_gate::{CallError, Follow};
use sidestep_policy::kubernetes::KubernetesCall;

use super::super::follow::{self, PodFollow, Target};
use super::super::outlet::StepOutlet;
use super::address::wrong_part;
use super::invalid;
use crate::Calls;

/// The maximum number of patterns of one follow.
const MOST_PATTERNS: usize = 64;
/// The maximum length of a pattern, in bytes: its tree may take a thousand times as much while it is
/// compiled.
const LONGEST_PATTERN: usize = 1 << 10;
/// The maximum size of a pattern's program, in bytes. There are two of it, for both directions.
const LARGEST_PATTERN: usize = 64 << 10;
/// The maximum size of each of a pattern's two caches, in bytes.
const LARGEST_CACHE: usize = 64 << 10;
/// The host's memory for one compiled pattern, in bytes: programs, caches, and the table of a
/// pattern whose groups can be found in one pass.
const PATTERN_PRICE: usize = 768 << 10;

impl Calls<'_> {
    pub(super) async fn begin_following(
        &mut self,
        pod: wit::PodRef,
        options: wit::FollowOptions,
    ) -> Result<Follow, CallError> {
        let about = |resource, action| KubernetesCall {
            cluster: &pod.cluster,
            namespace: &pod.namespace,
            resource,
            action,
        };
        let wrong =
            wrong_part("namespace", &pod.namespace).or_else(|| wrong_part("name", &pod.name));
        self.gate
            .call(functions::FOLLOW_POD, &about("pods", "watch"))
            .and_unless(wrong)
            .run(async { Ok(()) })
            .await?;
        // Kept by the handle. Taken before they are compiled.
        let price = follow::PRICE + options.patterns.len().saturating_mul(PATTERN_PRICE);
        let room = self.gate.charge(functions::FOLLOW.of(price)).await?;
        // Compiling them is expensive, so only a counted call may request it.
        let patterns = self
            .gate
            .call(functions::FOLLOW_POD, &about("pods/log", "get"))
            .run(async { patterns(options.patterns) })
            .await?;
        let events = self.step.scopes.allows(&about("events", "watch")).is_ok();
        let clusters = self.clusters()?;
        let client = self
            .gate
            .unless_cancelled(clusters.client(&pod.cluster))
            .await?;
        let named = format!("{}/{}", pod.namespace, pod.name);
        let positions = self.step.log_positions.get(&named);
        let positions = positions.cloned().unwrap_or_default();
        let outlet = StepOutlet::new(Arc::clone(&self.step), named, &positions);
        let target = Target {
            namespace: pod.namespace,
            name: pod.name,
            uid: pod.uid,
            containers: options.containers,
            patterns,
            events,
            positions,
        };
        let shown = Arc::clone(self.gate.shown());
        let following = PodFollow::start(client, target, Arc::new(outlet), shown);
        Ok(Follow::new(following, room.of_handle()))
    }
}

fn patterns(patterns: Vec<wit::Pattern>) -> Result<Vec<(String, Regex)>, Failure> {
    if patterns.len() > MOST_PATTERNS {
        return Err(invalid(format!(
            "at most {MOST_PATTERNS} patterns can be followed"
        )));
    }
    let compile = |pattern: wit::Pattern| {
        if pattern.regex.len() > LONGEST_PATTERN {
            return Err(invalid(format!(
                "pattern `{}` can't be used: it has more than {LONGEST_PATTERN} bytes",
                pattern.id
            )));
        }
        let regex = regex::RegexBuilder::new(&pattern.regex)
            .size_limit(LARGEST_PATTERN)
            .dfa_size_limit(LARGEST_CACHE)
            .build()
            .map_err(|error| invalid(format!("pattern `{}` can't be used: {error}", pattern.id)))?;
        Ok((pattern.id, regex))
    };
    patterns.into_iter().map(compile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(regexes: &[&str]) -> Result<usize, Failure> {
        let pattern = |regex: &&str| wit::Pattern {
            id: "p".to_owned(),
            regex: (*regex).to_owned(),
        };
        let compiled = patterns(regexes.iter().map(pattern).collect());
        compiled.map(|patterns| patterns.len())
    }

    #[test]
    fn usual_patterns_are_within_the_limits_and_large_ones_are_not() {
        let kanikos: Vec<&str> = sidestep_kaniko_messages::PATTERNS
            .iter()
            .map(|(_, regex)| *regex)
            .collect();
        assert_eq!(all(&kanikos), Ok(2));
        assert_eq!(all(&[r"^(\w+): (?:error|\S+ failed) (.*)$"]), Ok(1));
        let long = "a".repeat(LONGEST_PATTERN + 1);
        for large in [r"\w{100}", "(?:[a-z]{100}){100}", &long] {
            let failure = all(&[large]).expect_err(large);
            assert_eq!(failure.code, "kubernetes.invalid");
        }
    }
}
