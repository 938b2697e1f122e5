use crate::{
    build::{Build, Built},
    config::{self, Scope},
    copy,
    copying::{self, Parts},
    files::Node,
    image::Image,
    layer,
    stages::{Line, Stage},
    words,
};
use parse_dockerfile::Instruction;
use std::collections::BTreeMap;

/// Variables that are there without an `ARG` (Dockerfile reference, "Predefined
/// ARGs").
const PREDEFINED: &[&str] = &[
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

impl Build<'_, '_, '_> {
    /// Performs one instruction of a stage.
    pub(crate) async fn line(
        &mut self,
        stages: &[Stage<'_, '_>],
        index: usize,
        line: &Line<'_, '_>,
        built: &mut Built,
        args: &mut BTreeMap<String, String>,
        own_cmd: &mut bool,
    ) -> Result<(), String> {
        let failed =
            |why: String| format!("error building stage: failed to execute command: {why}");
        let lookup = self.lookup(&built.image, args);
        let scope = Scope {
            escape: self.escape,
            lookup: &lookup,
        };
        match line.instruction {
            Instruction::Run(_) => {
                built.gaps.push(format!(
                    "line {} was not executed: {}",
                    line.number, line.text
                ));
                self.leave_out(&line.text, "the sandbox runs no commands");
                return Ok(());
            }
            Instruction::Arg(arg) => {
                for word in words::split(&arg.arguments.value, self.escape) {
                    let (name, default) = word
                        .split_once('=')
                        .map_or((&word[..], None), |(n, d)| (n, Some(d)));
                    let default = default.map(|text| scope.expand(text));
                    let value = self
                        .build_arg(name)
                        .or(default)
                        .or_else(|| self.globals.get(name).cloned());
                    if let Some(value) = value {
                        args.insert(name.to_owned(), value);
                    }
                }
                return Ok(());
            }
            Instruction::Workdir(workdir) => {
                let wanted = scope.expand(&workdir.arguments.value);
                return self.workdir(&wanted, &mut built.image).map_err(failed);
            }
            Instruction::Copy(copy) => {
                copying::known_flags(&copy.options, &["from", "chown", "chmod", "link"], line)?;
                let parts = Parts::new(&copy.options, &copy.src, &copy.dest.value, &scope);
                return self
                    .copy(stages, index, line, built, parts, args, false)
                    .await;
            }
            Instruction::Add(add) => {
                let known = ["chown", "chmod", "link", "checksum", "keep-git-dir"];
                copying::known_flags(&add.options, &known, line)?;
                let parts = Parts::new(&add.options, &add.src, &add.dest.value, &scope);
                return self
                    .copy(stages, index, line, built, parts, args, true)
                    .await;
            }
            Instruction::Onbuild(_) => {
                let trigger = line
                    .text
                    .split_once(' ')
                    .map_or("", |(_, rest)| rest)
                    .to_owned();
                let settings = built.image.settings();
                let triggers = settings
                    .entry("OnBuild")
                    .or_insert_with(|| serde_json::json!([]));
                if let Some(triggers) = triggers.as_array_mut() {
                    triggers.push(trigger.into());
                }
                return Ok(());
            }
            Instruction::Maintainer(_) => {
                self.log.warn("MAINTAINER is deprecated, skipping");
                return Ok(());
            }
            _ => {}
        }
        let done = config::apply(&mut built.image, line.instruction, &scope).map_err(failed)?;
        match line.instruction {
            Instruction::Cmd(_) => *own_cmd = true,
            // A command of the base image is not for another entry point.
            Instruction::Entrypoint(_) if !*own_cmd => {
                built.image.settings().remove("Cmd");
            }
            _ => {}
        }
        if !done {
            self.leave_out(&line.text, "the sandbox does not know the instruction");
        }
        Ok(())
    }

    /// Variables as an instruction sees them: the image's environment first, then
    /// the stage's arguments.
    pub(crate) fn lookup(
        &self,
        image: &Image,
        args: &BTreeMap<String, String>,
    ) -> impl Fn(&str) -> Option<String> + Send + Sync + use<> {
        let env = image
            .config
            .get("config")
            .and_then(|config| config["Env"].as_array())
            .cloned();
        let mut values = args.clone();
        for name in PREDEFINED {
            if let Some(value) = self.build_arg(name) {
                values.entry((*name).to_owned()).or_insert(value);
            }
        }
        for pair in env.into_iter().flatten() {
            if let Some((name, value)) = pair.as_str().and_then(|pair| pair.split_once('=')) {
                values.insert(name.to_owned(), value.to_owned());
            }
        }
        move |name: &str| values.get(name).cloned()
    }

    fn workdir(&self, wanted: &str, image: &mut Image) -> Result<(), String> {
        let current = config::workdir(image);
        let written = if wanted.starts_with('/') {
            wanted.to_owned()
        } else {
            format!("{current}/{wanted}")
        };
        let path = crate::files::normal(&written);
        config::set(image, "WorkingDir", format!("/{path}"));
        let place = copy::place(&image.files, &written, "/");
        if image.files.is_folder(&place) {
            return Ok(());
        }
        self.add_layer(image, BTreeMap::from([(place, Node::FOLDER)]))
    }

    pub(crate) fn add_layer(
        &self,
        image: &mut Image,
        mut nodes: BTreeMap<String, Node>,
    ) -> Result<(), String> {
        if nodes.is_empty() {
            return Ok(());
        }
        self.log.info("Taking snapshot of files...");
        for (path, node) in nodes.clone() {
            for folder in image.files.put(path, node) {
                nodes.entry(folder).or_insert(Node::FOLDER);
            }
        }
        let layer = layer::write(&nodes, &self.store, image.layer_type());
        image
            .layers
            .push(layer.map_err(|why| format!("failed to take snapshot: {why}"))?);
        Ok(())
    }
}
