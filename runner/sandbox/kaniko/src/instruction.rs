use crate::{
    build::{Build, Built},
    config, copy,
    files::Node,
    image::Image,
    layer,
    scope::Scope,
    stages::{Stages, shown},
};
use sidestep_dockerfile::{Instruction, Kind, Pair, Variable};
use std::collections::BTreeMap;

/// Formats the error of an instruction that needs files.
pub(crate) fn failed(why: impl std::fmt::Display) -> String {
    format!("error building stage: failed to execute command: {why}")
}

/// Formats the error of an instruction that needs no files. kaniko performs those before the
/// others, to compute its cache keys.
fn early(why: impl std::fmt::Display) -> String {
    format!("failed to optimize instructions: {why}")
}

/// Performs `LABEL`. kaniko keeps the values of its first pass, and expands them once more.
fn label(pairs: &[Pair], scope: &Scope, image: &mut Image) -> Result<(), String> {
    let expand = |text: &str| {
        let once = scope.expand(text).map_err(early)?;
        scope.expand(&once).map_err(failed)
    };
    for pair in pairs {
        let (name, value) = (expand(&pair.name.text)?, expand(&pair.value.text)?);
        config::set_label(image, &name, &value);
    }
    Ok(())
}

impl Build<'_, '_, '_> {
    /// Performs one instruction of a stage.
    pub(crate) async fn line(
        &mut self,
        stages: &Stages,
        index: usize,
        instruction: &Instruction,
        built: &mut Built,
        args: &mut BTreeMap<String, String>,
        own_cmd: &mut bool,
    ) -> Result<(), String> {
        let scope = Scope::new(self.flags, &built.image, args);
        let text = shown(instruction);
        match &instruction.kind {
            Kind::Run(_) => {
                self.flags_of_run(instruction, &scope)?;
                let gap = format!("line {} was not executed: {text}", instruction.line);
                built.gaps.push(gap);
                self.leave_out(&text, "the sandbox runs no commands");
                return Ok(());
            }
            Kind::Arg(variables) => return self.declare(variables, &scope, args),
            Kind::Workdir(workdir) => {
                let wanted = scope.expand(&workdir.text).map_err(failed)?;
                return self.workdir(&wanted, built).map_err(failed);
            }
            Kind::Label(pairs) => return label(pairs, &scope, &mut built.image),
            Kind::Copy(_) | Kind::Add(_) => {
                return self.copy(stages, index, instruction, built, &scope).await;
            }
            Kind::Onbuild(trigger) => {
                let settings = built.image.settings();
                let triggers = settings
                    .entry("OnBuild")
                    .or_insert_with(|| serde_json::json!([]));
                if let Some(triggers) = triggers.as_array_mut() {
                    triggers.push(trigger.as_str().into());
                }
                return Ok(());
            }
            Kind::Maintainer(_) => {
                self.log.warn("MAINTAINER is deprecated, skipping");
                return Ok(());
            }
            _ => {}
        }
        let applied = config::apply(&mut built.image, instruction, &scope);
        match &instruction.kind {
            // kaniko has performed these before, to resolve dependencies between stages.
            Kind::Env(_) => applied?,
            _ => applied.map_err(early)?,
        }
        match &instruction.kind {
            // From here on, the values are part of the environment.
            Kind::Env(pairs) => {
                for pair in pairs {
                    args.remove(&pair.name.text);
                }
            }
            Kind::Cmd(_) => *own_cmd = true,
            // The base image's command does not apply to a new entry point.
            Kind::Entrypoint(_) if !*own_cmd => {
                built.image.settings().remove("Cmd");
            }
            _ => {}
        }
        Ok(())
    }

    /// Performs `ARG`. The value is the one on the command line, else the default, else that of a
    /// global `ARG` of the same name, else the platform's.
    fn declare(
        &self,
        variables: &[Variable],
        scope: &Scope,
        args: &mut BTreeMap<String, String>,
    ) -> Result<(), String> {
        for variable in variables {
            let name = scope.expand(&variable.name.text)?;
            let default = variable.default.as_ref();
            let default = default.map(|text| scope.expand(&text.text)).transpose()?;
            let value = self
                .flags
                .build_arg(&name)
                .or(default)
                .or_else(|| self.globals.get(&name).cloned())
                .or_else(|| self.platform_args.get(&name).cloned());
            if let Some(value) = value {
                args.insert(name, value);
            }
        }
        Ok(())
    }

    fn workdir(&self, wanted: &str, built: &mut Built) -> Result<(), String> {
        let image = &mut built.image;
        let current = config::workdir(image);
        let written = if wanted.starts_with('/') {
            wanted.to_owned()
        } else {
            format!("{current}/{wanted}")
        };
        let path = crate::files::normal(&written);
        config::set(image, "WorkingDir", format!("/{path}"));
        let place = copy::place(&image.files, &written, "/");
        // An existing entry at the path or above it is left unchanged.
        let above = place.match_indices('/').map(|(at, _)| &place[..at]);
        let is_file = |path: &str| matches!(image.files.0.get(path), Some(Node::File { .. }));
        if image.files.is_folder(&place) || above.chain([&*place]).any(is_file) {
            return Ok(());
        }
        let owner = self.current_user(built);
        let owner = owner.map_err(|why| format!("getting user group: {why}"))?;
        let folder = Node::Folder { mode: 0o755, owner };
        self.add_layer(&mut built.image, BTreeMap::from([(place, folder)]))
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
