//! Starts to follow a pod.

use std::sync::Arc;

use regex::Regex;
use sidestep_bindings::sidestep::kubernetes::objects as wit;
use sidestep_events::Failure;
use sidestep_gate::functions::kubernetes as functions;
use sidestep_gate::{CallError, Follow};
use sidestep_policy::kubernetes::KubernetesCall;

use super::super::follow::{PodFollow, Target};
use super::super::outlet::StepOutlet;
use super::address::wrong_part;
use super::invalid;
use crate::Calls;

/// The maximum number of patterns of one follow.
const MOST_PATTERNS: usize = 64;
/// The maximum size of a compiled pattern, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

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
        Ok(Follow::new(PodFollow::start(
            client,
            target,
            Arc::new(outlet),
            Arc::clone(self.gate.shown()),
        )))
    }
}

fn patterns(patterns: Vec<wit::Pattern>) -> Result<Vec<(String, Regex)>, Failure> {
    if patterns.len() > MOST_PATTERNS {
        return Err(invalid(format!(
            "at most {MOST_PATTERNS} patterns can be followed"
        )));
    }
    let compile = |pattern: wit::Pattern| {
        let regex = regex::RegexBuilder::new(&pattern.regex)
            .size_limit(LARGEST_PATTERN)
            .build()
            .map_err(|error| invalid(format!("pattern `{}` can't be used: {error}", pattern.id)))?;
        Ok((pattern.id, regex))
    };
    patterns.into_iter().map(compile).collect()
}
