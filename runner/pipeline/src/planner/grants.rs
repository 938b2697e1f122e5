//! Matches a step's grants with its plugin's requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;
use sidestep_evaluator::Evaluator;
use sidestep_events::{Diagnostic, Place, codes};
use sidestep_policy::{
    Capability, Granted, Grants, Reading, Requested, Scope, locate, meet, nearest, secrets,
    workspace::Link,
};

use super::links;
use super::steps::{Planner, Used};
use super::texts::{are_readable, texts};
use crate::expression::{self, Code, Unanswered, Values};
use crate::file::Step;
use crate::given::PluginInfo;
use crate::judged::{AUDIT, AUDIT_HELP};
use crate::plan::Instance;
use crate::problems::Problems;
use crate::request::{Evaluated, evaluate_request};
use crate::template::Template;

/// The codes of a manifest's request without a valid value.
const REQUEST: Code = Code::expression(codes::plugin::REQUEST);

/// The facts about a step that are known before its requests are evaluated.
pub(super) struct Facts<'a> {
    /// Its inputs, with null for each part that waits for other steps.
    pub(super) known: &'a Value,
    /// The JSON pointers of the parts that wait.
    pub(super) unknown: &'a [String],
    /// The grants that it writes.
    pub(super) written: &'a Grants,
}

impl Planner<'_> {
    /// Returns the grants that the step writes, or `None` if they have errors.
    pub(super) fn written(
        &self,
        problems: &mut Problems<'_>,
        step: &Step,
        plugin: Option<Used<'_>>,
        values: &Values,
    ) -> Option<Grants> {
        if self.given.as_requested {
            return Some(Grants::default());
        }
        written_grants(problems, step, plugin.map(|plugin| plugin.info), values)
    }

    /// Combines the plugin's requests, the step's grants and the policies into the step's scopes.
    pub(super) fn scopes(
        &mut self,
        problems: &mut Problems<'_>,
        step: &Step,
        Used { uses, info }: Used<'_>,
        values: &Values,
        Facts {
            known,
            unknown,
            written,
        }: Facts<'_>,
        instance: &mut Instance,
    ) {
        let mut requested = BTreeMap::new();
        let mut links = Vec::new();
        for (key, text) in &info.manifest.requests {
            match request(
                &values.evaluator,
                key,
                text,
                known,
                unknown,
                info,
                &instance.with,
            ) {
                Ok(Asked::Later(capability, on)) => {
                    if capability != Capability::Secrets || self.given.as_requested {
                        instance.later_requests.insert(key.clone(), text.clone());
                    }
                    // A step's secrets come from its `secrets`, also in a plan as requested.
                    if !self.given.as_requested || capability == Capability::Secrets {
                        requested.insert(capability, Requested::Later(on));
                    }
                }
                Ok(Asked::Now(mut now)) => {
                    match links::follow(self.given.links, &mut now) {
                        Ok(followed) => links.extend(followed),
                        Err(outside) => problems.push(outside.diagnostic(), step.uses_at),
                    }
                    requested.insert(now.capability, Requested::Now(now.scopes));
                }
                Err(why) => {
                    let why = why.about(format!(
                        "the request of `{}` under `{key}` can't be evaluated",
                        uses.as_str()
                    ));
                    let help = "check the inputs of this step; if they are right, report it to the author of the plugin";
                    problems.unanswered_of(REQUEST, step.uses_at, &why, help);
                }
            }
        }
        let ceilings: Vec<_> = self
            .given
            .policies
            .iter()
            .filter(|_| !self.given.as_requested)
            .map(|policy| policy.ceiling(&self.given.origin, info.facts(uses)))
            .collect();
        let granted = Granted {
            written,
            automatic: uses.is_built_in() || self.given.as_requested,
        };
        let at = step.grants.as_ref().map_or(step.uses_at, |(at, _)| *at);
        match meet(&requested, granted, &ceilings) {
            Ok(scopes) => {
                for line in scopes.audited() {
                    let warning = Diagnostic::warning(AUDIT, line.clone()).with_help(AUDIT_HELP);
                    self.warnings.push(warning.at(problems.file(), at));
                }
                let secrets = step.secrets.iter().filter(|_| !self.given.as_requested);
                for (name, at) in secrets {
                    if let Err(refusal) = scopes.allows(&secrets::SecretsCall { name }) {
                        problems.push(refusal.diagnostic(), *at);
                    }
                }
                instance.scopes = scopes.with_links(links);
            }
            Err(refusals) => {
                for refusal in refusals {
                    let mut diagnostic = refusal.diagnostic();
                    diagnostic.message = diagnostic
                        .message
                        .rewrite(|message| format!("step `{}`: {message}", instance.id));
                    if refusal.capability == Some(Capability::Workspace) {
                        for link in &links {
                            let Link { from, to } = link;
                            let help =
                                format!("`{from}` is a link to `{to}`: the grant needs both names");
                            diagnostic = diagnostic.with_helps([help]);
                        }
                    }
                    // A grant does not help if the plugin itself is refused.
                    let at = refusal.capability.map_or(step.uses_at, |_| at);
                    problems.push(diagnostic, at);
                }
            }
        }
    }
}

/// Returns the grants that the step writes in its `grants` and its `secrets`. `plugin` is `None` if
/// it is not known what the step's plugin requests.
fn written_grants(
    problems: &mut Problems<'_>,
    step: &Step,
    plugin: Option<&PluginInfo>,
    values: &Values,
) -> Option<Grants> {
    let before = problems.count();
    let requests = plugin.map(|plugin| &plugin.manifest.requests);
    let unasked = |key: &str| requests.is_some_and(|requests| !requests.contains_key(key));
    let mut grants = Grants::default();
    if let Some((at, node)) = &step.grants {
        let report = |problems: &mut Problems<'_>, key: &str, at: Place| {
            let asks = requests.into_iter().flat_map(IndexMap::keys);
            let asks: Vec<&str> = asks.map(String::as_str).collect();
            let message = format!("`{}` does not request `{key}`", step.plugin());
            let help = if asks.is_empty() {
                "remove this grant: the plugin requests nothing".to_owned()
            } else {
                format!("remove this grant; the plugin requests {}", asks.join(", "))
            };
            problems.add_help(codes::grant::NOT_REQUESTED, at, message, help);
        };
        for (key, _) in node.entries() {
            if key.text == "secrets" {
                problems.add_help(
                    codes::grant::SECRETS,
                    key.at,
                    "a step lists its secrets under `secrets`, not under `grants`",
                    "write `secrets: [NAME]` beside `grants`",
                );
            } else if Capability::from_name(&key.text).is_some() && unasked(&key.text) {
                report(problems, &key.text, key.at);
            }
        }
        let mut value = are_readable(problems, step, values).then(|| texts(problems, node, values));
        if let Some(Value::Object(map)) = &mut value {
            map.shift_remove(Capability::Secrets.as_str());
        }
        match value.map(|value| Grants::parse(&value, Reading::Grant)) {
            None => {}
            Some(Ok(read)) => grants = read,
            Some(Err(found)) => {
                for problem in found {
                    let place = if problem.path.is_empty() {
                        *at
                    } else {
                        locate(node, &problem.path)
                    };
                    match problem.help {
                        Some(help) => {
                            problems.add_help(codes::grant::WRONG, place, problem.message, help);
                        }
                        None => problems.add(codes::grant::WRONG, place, problem.message),
                    }
                }
            }
        }
    }
    if let Some((_, at)) = step.secrets.first() {
        if unasked(Capability::Secrets.as_str()) {
            problems.add_help(
                codes::grant::NOT_REQUESTED,
                *at,
                format!("`{}` does not request secrets", step.plugin()),
                "remove `secrets`",
            );
        } else {
            let names: Vec<&str> = step.secrets.iter().map(|(name, _)| name.as_str()).collect();
            let scope = serde_json::json!({ "names": names });
            if let Ok(scope) = Scope::parse(Capability::Secrets, &scope, Reading::Grant) {
                grants.insert(Capability::Secrets, vec![scope]);
            }
        }
    }
    (problems.count() == before).then_some(grants)
}

/// An evaluated request of a manifest.
enum Asked {
    /// The request's value.
    Now(Evaluated),
    /// The request depends on values that only the run provides; the text names them.
    Later(Capability, String),
}

/// Evaluates a manifest's request as far as the inputs are known.
fn request(
    evaluator: &Arc<dyn Evaluator>,
    key: &str,
    text: &str,
    known: &Value,
    unknown: &[String],
    plugin: &PluginInfo,
    with: &Template,
) -> Result<Asked, Unanswered> {
    let capability = Capability::from_name(key).ok_or_else(|| {
        let names = Capability::ALL.iter().map(|c| c.as_str());
        Unanswered::wrong(match nearest(key, names) {
            Some(known) => format!("there is no capability `{key}`; did you mean `{known}`?"),
            None => format!("there is no capability `{key}`"),
        })
    })?;
    if capability == Capability::Secrets {
        return Ok(Asked::Later(capability, "the step's `secrets`".to_owned()));
    }
    let analysis = expression::analyse(&**evaluator, text)?;
    for reference in &analysis.references {
        if reference.root != "inputs" {
            return Err(Unanswered::wrong(format!(
                "`{}` is unknown; a request can read only `inputs`",
                reference.root
            )));
        }
        let path: String = reference
            .path
            .iter()
            .map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1")))
            .collect();
        let within = |outer: &str, inner: &str| {
            inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if unknown
            .iter()
            .any(|at| within(at, &path) || within(&path, at))
        {
            let on = later_on(&**evaluator, with, &reference.path);
            return Ok(Asked::Later(capability, on));
        }
    }
    evaluate_request(evaluator, key, text, known, &plugin.manifest.inputs).map(Asked::Now)
}

/// Returns the names that an input waits for.
fn later_on(evaluator: &dyn Evaluator, with: &Template, path: &[String]) -> String {
    let mut template = with;
    for part in path {
        match template {
            Template::Map(entries) => match entries.get(part) {
                Some(inner) => template = inner,
                None => break,
            },
            _ => break,
        }
    }
    let mut names: Vec<String> = template
        .expressions()
        .iter()
        .filter_map(|text| expression::analyse(evaluator, text).ok())
        .flat_map(|analysis| analysis.references.clone())
        .filter(|reference| reference.root == "steps")
        .map(|reference| reference.text())
        .collect();
    names.sort();
    names.dedup();
    names.join(" and ")
}
