//! Finds problems between a build and the step that packs its context. Neither plugin sees the
//! other's inputs.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use sidestep_context::{RelPath, not_sent};
use sidestep_dockerfile::{parse, place, plan as plan_build};
use sidestep_events::{Diagnostic, Position, codes};
use sidestep_files::{Folder, OpenError};
use sidestep_pipeline::{Instance, Pipeline, Plan, Seen, Template};
use sidestep_report::{Problems, SourceText};

use super::check::placed;
use super::copied_links::copied_links;
use crate::site::Site;

/// The maximum size of a Dockerfile that is read, in bytes.
const LARGEST: u64 = 1 << 20;
const PACKS: &str = "sidestep/context-upload";
const BUILDS: &str = "sidestep/kaniko-launch";

/// A build, and how its context is packed.
struct Build {
    step: String,
    packed_by: String,
    /// The path of the context's folder.
    path: String,
    /// The Dockerfile that the context is packed for.
    packed_for: RelPath,
    /// The ignore patterns of the packing step.
    ignore: Vec<String>,
    dockerfile: RelPath,
    build_args: BTreeMap<String, String>,
    target: Option<String>,
}

/// Adds the problems between the steps of a plan.
pub(super) fn check(site: &Site, pipeline: &Pipeline, plan: &Plan, problems: &mut Problems) {
    let Ok(workspace) = Folder::open(&site.workspace) else {
        return;
    };
    // Report a problem once, even if several instances of a matrix have it.
    let mut said = HashSet::new();
    for instance in &plan.instances {
        let Some(build) = build(site, plan, instance) else {
            continue;
        };
        // The step that packs or reads the folder reports why it can't be read.
        let any = |_: &Path| Ok::<_, OpenError>(());
        let Ok((_, context)) = workspace.folder(Path::new(&build.path), any) else {
            continue;
        };
        let mut new = |found: &Diagnostic| said.insert((build.step.clone(), format!("{found:?}")));
        if let Some(found) = build.not_sent(&context).filter(&mut new) {
            problems.extend([placed(pipeline, &build.step, found)]);
        }
        let Some((file, text, found)) = build.copied_links(&context) else {
            continue;
        };
        let source = Arc::new(SourceText::new(file, text));
        for found in found.into_iter().filter(&mut new) {
            problems.push_foreign(found, Some(Arc::clone(&source)));
        }
    }
}

/// Returns the build of an instance, if another step of the plan packs its context and all relevant
/// inputs are known.
fn build(site: &Site, plan: &Plan, instance: &Instance) -> Option<Build> {
    if instance.uses.as_str() != BUILDS {
        return None;
    }
    let Template::Map(with) = &instance.with else {
        return None;
    };
    let Template::Expression(context) = with.get("context")? else {
        return None;
    };
    let step = context
        .trim()
        .strip_prefix("steps.")?
        .strip_suffix(".outputs.uri")?;
    let Seen::One(packs) = instance.sees.get(step)? else {
        return None;
    };
    let packs = plan
        .instance(packs)
        .filter(|packs| packs.uses.as_str() == PACKS)?;
    let known = |instance: &Instance| instance.known_inputs(plan, &*site.evaluator).ok();
    let (packed, built) = (known(packs)?, known(instance)?);
    let path = |inputs: &Value, name: &str| RelPath::clean(Path::new(inputs[name].as_str()?));
    let texts = packed["ignore"].as_array()?.iter();
    let arguments = built["buildArgs"].as_object().into_iter().flatten();
    Some(Build {
        step: instance.step.clone(),
        packed_by: packs.step.clone(),
        path: packed["path"].as_str()?.to_owned(),
        packed_for: path(&packed, "dockerfile")?,
        ignore: texts
            .map(|text| text.as_str().map(str::to_owned))
            .collect::<Option<_>>()?,
        dockerfile: path(&built, "dockerfile")?,
        build_args: arguments
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect(),
        target: built["target"].as_str().map(str::to_owned),
    })
}

impl Build {
    /// Returns a problem if the archive lacks a Dockerfile that the folder has.
    fn not_sent(&self, context: &Folder) -> Option<Diagnostic> {
        let Self {
            packed_by,
            dockerfile,
            ..
        } = self;
        let paths = (&self.packed_for, dockerfile);
        let why = not_sent(context, paths, &self.ignore).ok()??;
        let dockerfile = dockerfile.to_str_lossy();
        let message = format!(
            "`dockerfile`: {dockerfile} is not in the context that the step `{packed_by}` packs: {why}"
        );
        let help = format!(
            "name it in the step `{packed_by}` too, so that the step always packs it: `dockerfile: {dockerfile}`"
        );
        Some(Diagnostic::error(codes::dockerfile::NOT_SENT, message).with_help(help))
    }

    /// Returns the Dockerfile's path and text, and the problems with links that its COPYs name.
    fn copied_links(&self, context: &Folder) -> Option<(String, String, Vec<Diagnostic>)> {
        let bytes = context.read(self.dockerfile.as_path(), LARGEST).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let dockerfile = parse(&text).ok()?;
        let plan = plan_build(&dockerfile, &self.build_args, self.target.as_deref()).ok()?;
        let file = Path::new(&self.path).join(self.dockerfile.as_path());
        let file = file
            .strip_prefix(".")
            .unwrap_or(&file)
            .display()
            .to_string();
        let found = copied_links(context, &dockerfile, &plan)
            .into_iter()
            .map(|link| {
                let (line, column) = place(&text, link.at);
                let length = u32::try_from(link.named.chars().count()).unwrap_or_default();
                let at = Position {
                    line,
                    column,
                    length,
                };
                let found = Diagnostic::warning(codes::dockerfile::COPIED_LINK, link.message());
                found.with_helps(link.help()).at(file.clone(), at)
            });
        let found = found.collect();
        Some((file, text, found))
    }
}
