use crate::{
    config,
    context::{Context, Dockerfile},
    files::Files,
    flags::Flags,
    image::{Fetch, Finished, Image},
    log::Log,
    name::Reference,
    registry::Registry,
    stages::{self, Stages, shown},
};
use sidestep_dockerfile::{Instruction, Kind};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The label that marks an image as built by the sandbox.
const LABEL: &str = "dev.sidestep.sandbox";

/// Builds the Dockerfile's last stage, or the one that the flags name.
pub(crate) async fn image(
    flags: &Flags,
    context: &Context,
    dockerfile: &Dockerfile,
    registry: &Registry<'_>,
    work: &Path,
    log: &Log<'_>,
) -> Result<Finished, String> {
    let given: BTreeMap<String, String> = flags
        .build_args
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
        .collect();
    let stages = Stages::read(&dockerfile.text, &given, flags.target.as_deref())?;
    stages.check(log)?;
    let store = work.join("store");
    fs::create_dir(&store).map_err(|why| why.to_string())?;
    let platform = flags.platform.clone().unwrap_or_else(host_platform);
    let mut platform_args = platform_args(&platform);
    let target = stages.dockerfile.stages[stages.plan.target].name();
    let target = target.unwrap_or_else(|| "default".to_owned());
    platform_args.insert("TARGETSTAGE".to_owned(), target);
    let globals = stages.dockerfile.globals.iter().filter_map(|global| {
        let name = &global.name.text;
        Some((name.clone(), stages.plan.values.get(name)?.clone()))
    });
    let mut build = Build {
        flags,
        registry,
        log,
        store,
        globals: globals.collect(),
        platform_args,
        platform,
        context: Files::default(),
        built: BTreeMap::new(),
        total: 0,
        left_out: 0,
    };
    if stages.use_context() {
        let ignore = dockerfile.ignore(context)?;
        build.context = Files::of_context(&context.folder, Some(&ignore))?;
    }
    for index in stages.needed() {
        let done = build.stage(&stages, index).await?;
        build.built.insert(index, done);
    }
    let (total, left_out) = (build.total, build.left_out);
    let last = build.built.remove(&stages.plan.target);
    let mut image = last.ok_or("the last stage is built")?.image;
    config::set_label(&mut image, LABEL, "true");
    for (name, value) in &flags.labels {
        config::set_label(&mut image, name, value);
    }
    if left_out == 0 {
        log.info(&format!("sandbox: all of {total} instructions executed"));
    } else {
        log.warn(&format!(
            "sandbox: {left_out} of {total} instructions not executed"
        ));
    }
    Ok(image.finish(flags.reproducible))
}

/// A built stage.
pub(crate) struct Built {
    pub(crate) image: Image,
    /// The instructions and images that were left out of its files, as text for people.
    pub(crate) gaps: Vec<String>,
    /// The stage's arguments, which a stage that is built on it inherits.
    pub(crate) args: BTreeMap<String, String>,
    /// Whether the stage sets its own command and does not inherit its base image's.
    pub(crate) own_cmd: bool,
}

pub(crate) struct Build<'a, 'r, 'l> {
    pub(crate) flags: &'a Flags,
    pub(crate) registry: &'a Registry<'r>,
    pub(crate) log: &'a Log<'l>,
    pub(crate) store: PathBuf,
    pub(crate) platform: String,
    /// Values of the ARGs before the first FROM.
    pub(crate) globals: BTreeMap<String, String>,
    /// The default values of a stage's predefined ARGs: `TARGETARCH` and the like.
    pub(crate) platform_args: BTreeMap<String, String>,
    pub(crate) context: Files,
    pub(crate) built: BTreeMap<usize, Built>,
    pub(crate) total: usize,
    pub(crate) left_out: usize,
}

impl Build<'_, '_, '_> {
    /// Records that an instruction was left out, and why.
    pub(crate) fn leave_out(&mut self, line: &str, why: &str) {
        self.left_out += 1;
        self.log
            .warn(&format!("sandbox: not executed: {line}: {why}"));
    }

    async fn stage(&mut self, stages: &Stages, index: usize) -> Result<Built, String> {
        let stage = &stages.dockerfile.stages[index];
        let base = &stages.plan.bases[index];
        self.total += 1 + stage.instructions.len();
        let base_index = base
            .stage
            .map_or("-1".to_owned(), |stage| stage.to_string());
        self.log.info(&format!(
            "Building stage '{}' [idx: '{index}', base-idx: '{base_index}']",
            base.text
        ));
        let mut built = self.base(stages, index).await?;
        let triggers = take_triggers(&mut built.image)?;
        self.total += triggers.len();
        let mut args = std::mem::take(&mut built.args);
        let mut own_cmd = built.own_cmd;
        for instruction in triggers.iter().chain(&stage.instructions) {
            let text = shown(instruction);
            self.log.info(&text);
            let layers = built.image.layers.len();
            self.line(
                stages,
                index,
                instruction,
                &mut built,
                &mut args,
                &mut own_cmd,
            )
            .await?;
            if !matches!(instruction.kind, Kind::Run(_)) {
                let has_layer = built.image.layers.len() > layers;
                built.image.record(&text, has_layer);
            }
        }
        built.args = args;
        built.own_cmd = own_cmd;
        Ok(built)
    }

    async fn base(&mut self, stages: &Stages, index: usize) -> Result<Built, String> {
        let base = &stages.plan.bases[index];
        let none = || Built {
            image: Image::scratch(&self.platform),
            gaps: Vec::new(),
            args: BTreeMap::new(),
            own_cmd: false,
        };
        if base.text == "scratch" {
            return Ok(none());
        }
        if let Some(number) = base.stage
            && let Some(other) = self.built.get(&number)
        {
            return Ok(Built {
                own_cmd: other.own_cmd && stages.is_squashed(number),
                image: other.image.clone(),
                gaps: other.gaps.clone(),
                args: other.args.clone(),
            });
        }
        let (name, empty) = (&base.text, none());
        let platform = self.platform.clone();
        let Some(image) = self.fetch(name, &platform).await? else {
            let why = format!("the sandbox does not have {name}; an empty layer replaces it");
            self.leave_out(&shown(&stages.dockerfile.stages[index].instruction), &why);
            return Ok(Built {
                gaps: vec![format!("the sandbox does not have the image {name}")],
                ..empty
            });
        };
        Ok(Built { image, ..empty })
    }

    /// Returns an image, or `None` if the sandbox does not have it and is not expected to.
    pub(crate) async fn fetch(
        &mut self,
        given: &str,
        platform: &str,
    ) -> Result<Option<Image>, String> {
        let name =
            Reference::parse(given).map_err(|_| format!("could not parse reference: {given}"))?;
        if !self.registry.reaches(&name) {
            return Ok(None);
        }
        self.log.info(&format!("Retrieving image manifest {given}"));
        match Image::fetch(self.registry, &name, platform, &self.store).await {
            Ok(image) => Ok(Some(image)),
            Err(Fetch::Registry(why))
                if self.registry.owns(&name) || self.registry.is_direct(&name) =>
            {
                Err(format!(
                    "unable to complete operation after 0 attempts, last error: {why}"
                ))
            }
            Err(Fetch::Registry(why)) => {
                if why.status.is_none() || self.flags.pull {
                    self.log.warn(&why.to_string());
                }
                Ok(None)
            }
            Err(Fetch::Other(why)) => Err(why),
        }
    }
}

/// Removes and returns the base image's `ONBUILD` instructions, which images that are built on it
/// do not inherit.
fn take_triggers(image: &mut Image) -> Result<Vec<Instruction>, String> {
    let texts: Vec<String> = match image.settings().remove("OnBuild") {
        Some(serde_json::Value::Array(texts)) => texts
            .iter()
            .filter_map(|text| text.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    stages::triggers(&texts)
}

fn host_platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("linux/{architecture}")
}

fn platform_args(platform: &str) -> BTreeMap<String, String> {
    let host = host_platform();
    let mut args = BTreeMap::new();
    for (prefix, platform) in [("TARGET", platform), ("BUILD", &host)] {
        let mut parts = platform.splitn(3, '/');
        let mut put =
            |name: &str, value: &str| args.insert(format!("{prefix}{name}"), value.to_owned());
        put("PLATFORM", platform);
        put("OS", parts.next().unwrap_or_default());
        put("ARCH", parts.next().unwrap_or_default());
        put("VARIANT", parts.next().unwrap_or_default());
    }
    args
}
