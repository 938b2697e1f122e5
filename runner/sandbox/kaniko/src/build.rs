use crate::{
    config,
    context::Dockerfile,
    copying,
    expand::expand,
    files::Files,
    flags::Flags,
    image::{Fetch, Finished, Image},
    log::Log,
    name::Reference,
    registry::Registry,
    stages::{self, Stage},
    words,
};
use parse_dockerfile::Instruction;
use sidestep_context::{RelPath, ignore::Ignore};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Tells an image of the sandbox from a real one.
const LABEL: &str = "dev.sidestep.sandbox";

/// Builds the Dockerfile's last stage, or the one that the flags name.
pub(crate) async fn image(
    flags: &Flags,
    context: &Path,
    dockerfile: &Dockerfile,
    registry: &Registry<'_>,
    work: &Path,
    log: &Log<'_>,
) -> Result<Finished, String> {
    let text = &dockerfile.text;
    let parsed =
        parse_dockerfile::parse(text).map_err(|why| format!("dockerfile parse error: {why}"))?;
    let stages = stages::stages(&parsed, text, flags.target.as_deref())?;
    let store = work.join("store");
    fs::create_dir(&store).map_err(|why| why.to_string())?;
    let platform = flags.platform.clone().unwrap_or_else(host_platform);
    let mut build = Build {
        flags,
        registry,
        log,
        store,
        text,
        escape: stages::escape(&parsed),
        globals: platform_args(&platform),
        platform,
        context: Files::default(),
        built: BTreeMap::new(),
        total: 0,
        left_out: 0,
    };
    if stages::use_context(&stages) {
        let name = dockerfile
            .path
            .to_str()
            .and_then(|path| RelPath::clean(Path::new(path)));
        let ignore = name.map(|name| Ignore::load(context, &name)).transpose();
        let ignore = ignore.map_err(|why| why.to_string())?;
        build.context = Files::of_context(context, ignore.as_ref())?;
    }
    for arg in parsed.global_args() {
        build.declare_global(&arg.arguments.value);
    }
    for (index, stage) in stages.iter().enumerate().filter(|(_, stage)| stage.needed) {
        let done = build.stage(&stages, index, stage).await?;
        build.built.insert(index, done);
    }
    let (total, left_out) = (build.total, build.left_out);
    let last = build.built.remove(&(stages.len() - 1));
    let mut image = last.ok_or("file with no instructions")?.image;
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

/// A stage that was built.
pub(crate) struct Built {
    pub(crate) image: Image,
    /// What its files lack: instructions and images, for people.
    pub(crate) gaps: Vec<String>,
}

pub(crate) struct Build<'a, 'r, 'l> {
    pub(crate) flags: &'a Flags,
    pub(crate) registry: &'a Registry<'r>,
    pub(crate) log: &'a Log<'l>,
    pub(crate) store: PathBuf,
    pub(crate) text: &'a str,
    pub(crate) escape: char,
    pub(crate) platform: String,
    /// Values of the ARGs before the first FROM.
    pub(crate) globals: BTreeMap<String, String>,
    pub(crate) context: Files,
    pub(crate) built: BTreeMap<usize, Built>,
    pub(crate) total: usize,
    pub(crate) left_out: usize,
}

impl Build<'_, '_, '_> {
    pub(crate) fn build_arg(&self, name: &str) -> Option<String> {
        let given = self
            .flags
            .build_args
            .iter()
            .rev()
            .find(|(key, _)| key == name)?;
        given.1.clone()
    }

    fn declare_global(&mut self, arguments: &str) {
        for word in words::split(arguments, self.escape) {
            let (name, default) = word
                .split_once('=')
                .map_or((&word[..], None), |(n, d)| (n, Some(d)));
            let default = default
                .map(|text| expand(text, self.escape, &|name| self.globals.get(name).cloned()));
            if let Some(value) = self.build_arg(name).or(default) {
                self.globals.insert(name.to_owned(), value);
            }
        }
    }

    /// Says that an instruction was left out, and why.
    pub(crate) fn leave_out(&mut self, line: &str, why: &str) {
        self.left_out += 1;
        self.log
            .warn(&format!("sandbox: not executed: {line}: {why}"));
    }

    async fn stage(
        &mut self,
        stages: &[Stage<'_, '_>],
        index: usize,
        stage: &Stage<'_, '_>,
    ) -> Result<Built, String> {
        self.total += 1 + stage.lines.len();
        let base = self.expand_global(&stage.from.image.value);
        let name = stage.name.clone().unwrap_or_else(|| base.clone());
        self.log.info(&format!(
            "Building stage '{name}' [idx: '{index}', base: '{base}']"
        ));
        let mut built = self.base(stages, index, stage, &base).await?;
        let mut args = BTreeMap::new();
        let mut own_cmd = false;
        for line in &stage.lines {
            self.log.info(&line.text);
            let layers = built.image.layers.len();
            self.line(stages, index, line, &mut built, &mut args, &mut own_cmd)
                .await?;
            if !matches!(line.instruction, Instruction::Run(_)) {
                let has_layer = built.image.layers.len() > layers;
                built.image.record(&line.text, has_layer);
            }
        }
        Ok(built)
    }

    fn expand_global(&self, text: &str) -> String {
        expand(text, self.escape, &|name| self.globals.get(name).cloned())
    }

    async fn base(
        &mut self,
        stages: &[Stage<'_, '_>],
        index: usize,
        stage: &Stage<'_, '_>,
        base: &str,
    ) -> Result<Built, String> {
        if base == "scratch" {
            return Ok(Built {
                image: Image::scratch(&self.platform),
                gaps: Vec::new(),
            });
        }
        if let Some(other) =
            stages::find(stages, base, index).filter(|_| base.parse::<usize>().is_err())
            && let Some(other) = self.built.get(&other)
        {
            return Ok(Built {
                image: other.image.clone(),
                gaps: other.gaps.clone(),
            });
        }
        let platform =
            copying::option(&stage.from.options, "platform").map(|value| self.expand_global(value));
        let platform = platform.unwrap_or_else(|| self.platform.clone());
        let Some(image) = self.fetch(base, &platform).await? else {
            let why = format!("the sandbox does not have {base}; an empty layer stands for it");
            self.leave_out(&stage.from_text, &why);
            let gap = format!("the sandbox does not have the image {base}");
            return Ok(Built {
                image: Image::scratch(&platform),
                gaps: vec![gap],
            });
        };
        let triggers = image
            .config
            .get("config")
            .and_then(|config| config["OnBuild"].as_array());
        for trigger in triggers.cloned().unwrap_or_default() {
            self.total += 1;
            let line = format!("ONBUILD {}", trigger.as_str().unwrap_or_default());
            self.leave_out(&line, &format!("it is a trigger of {base}"));
        }
        Ok(Built {
            image,
            gaps: Vec::new(),
        })
    }

    /// An image, or `None` where the sandbox does not have it and nobody could
    /// expect it to.
    pub(crate) async fn fetch(
        &mut self,
        given: &str,
        platform: &str,
    ) -> Result<Option<Image>, String> {
        let name =
            Reference::parse(given).map_err(|why| format!("could not parse reference: {why}"))?;
        if !self.registry.reaches(&name) {
            return Ok(None);
        }
        self.log.info(&format!("Retrieving image manifest {given}"));
        match Image::fetch(self.registry, &name, platform, &self.store).await {
            Ok(image) => Ok(Some(image)),
            Err(Fetch::Registry(why)) if self.registry.owns(&name) => Err(format!(
                "unable to complete operation after 0 attempts, last error: {why}"
            )),
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
