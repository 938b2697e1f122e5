//! `COPY` and `ADD`.

mod owner;
mod parts;

use crate::{
    build::{Build, Built},
    config,
    copy::{self, Request},
    files::{Files, Node, join, normal},
    instruction::failed,
    scope::Scope,
    stages::{Stages, copies_from, shown},
};
use parts::Parts;
use sidestep_dockerfile::{Heredoc, Instruction, Mode, Origin};
use std::io::Write as _;

/// The folder into which kaniko unpacks a context, and where it keeps files from other stages.
const CONTEXT: &str = "/kaniko/buildcontext";
const STAGES: &str = "/kaniko/deps";

const TOO_MANY: &str = "when specifying multiple sources in a COPY command, destination must be a directory and end in '/'";

/// Formats an error that is found before an instruction is performed.
fn not_found(why: impl std::fmt::Display) -> String {
    format!("error building stage: failed to get files used from context: {why}")
}

impl Build<'_, '_, '_> {
    /// Returns the files to copy from, their gaps, and their folder in kaniko.
    async fn source(
        &mut self,
        stages: &Stages,
        index: usize,
        from: Option<&str>,
    ) -> Result<(Files, Vec<String>, String), String> {
        let Some(from) = from else {
            return Ok((self.context.clone(), Vec::new(), CONTEXT.to_owned()));
        };
        if let Origin::Stage(other) = stages.plan.origin(index, from)
            && let Some(stage) = self.built.get(&other)
        {
            let (files, gaps) = (stage.image.files.clone(), stage.gaps.clone());
            return Ok((files, gaps, format!("{STAGES}/{other}")));
        }
        let platform = self.platform.clone();
        let image = self.fetch(from, &platform).await?;
        let gap = || vec![format!("the sandbox does not have the image {from}")];
        let (files, gaps) = image.map_or_else(
            || (Files::default(), gap()),
            |image| (image.files, Vec::new()),
        );
        Ok((files, gaps, format!("{STAGES}/{from}")))
    }

    pub(crate) async fn copy(
        &mut self,
        stages: &Stages,
        index: usize,
        instruction: &Instruction,
        built: &mut Built,
        scope: &Scope,
    ) -> Result<(), String> {
        let parts = Parts::new(instruction, scope)?;
        let (line, text) = (instruction.line, shown(instruction));
        if let Some(url) = parts.sources.iter().find(|source| is_url(source)) {
            if !parts.is_add {
                let path = format!("{CONTEXT}/{}", normal(url).replace("://", ":/"));
                return Err(failed(format!(
                    "could not copy source: lstat {path}: no such file or directory"
                )));
            }
            let scheme = url.split("://").next().unwrap_or_default();
            if !["http", "https"].contains(&scheme) {
                return Err(failed(format!(
                    "downloading remote source file: Get {url:?}: unsupported protocol scheme {scheme:?}"
                )));
            }
            built
                .gaps
                .push(format!("line {line} was not executed: {text}"));
            let why = format!("the sandbox downloads nothing, so {url} is missing");
            self.leave_out(&text, &why);
            return Ok(());
        }
        let (files, gaps, root) = self.source(stages, index, copies_from(instruction)).await?;
        let workdir = config::workdir(&built.image);
        parts.check_destination(&built.image.files, &built.gaps)?;
        let is_sure = gaps.is_empty();
        if is_sure && let Some(source) = parts.sources.iter().find(|source| leads_out(source)) {
            let path = absolute(&format!("{root}/{source}"));
            return Err(not_there(&path));
        }
        let owner = self.owner(built, &parts);
        let mode = parts.mode.as_deref().map(Mode::parse).transpose();
        let request = Request {
            sources: &parts.sources,
            destination: &parts.destination,
            workdir: &workdir,
            owner: owner.as_ref().ok().copied().flatten(),
            mode: mode.as_ref().ok().and_then(Option::as_ref),
            is_sure: is_sure && built.gaps.is_empty(),
            unpack_in: parts.is_add.then_some(&self.store),
        };
        let copied = copy::copy(&files, &built.image.files, &request);
        let mut copied = copied.map_err(failed)?;
        if is_sure && let Some(first) = copied.missing.first() {
            return Err(not_there(&absolute(&format!("{root}/{first}"))));
        }
        if copied.too_many {
            return Err(not_found(TOO_MANY));
        }
        let owner = owner
            .map_err(|why| failed(format!("getting user group from chown: {why}")))?
            .unwrap_or((0, 0));
        if let Err(why) = mode {
            return Err(failed(format!(
                "getting permissions from chmod: parsing value from chmod: {why}"
            )));
        }
        if let Some(why) = copied.blocked {
            let by = if parts.is_add {
                "executing copy command: "
            } else {
                ""
            };
            return Err(failed(format!("{by}resolving dest symlink: {why}")));
        }
        if !is_sure && !copied.missing.is_empty() {
            let gone = copied.missing.join(", ");
            let why = format!("missing in the sandbox: {gone} ({})", gaps.join("; "));
            built
                .gaps
                .push(format!("line {line} was not executed: {text}"));
            if copied.nodes.is_empty() && parts.documents.is_empty() {
                self.leave_out(&text, &why);
                return Ok(());
            }
            self.log
                .warn(&format!("sandbox: executed in part: {text}: {why}"));
        }
        for document in &parts.documents {
            let node = self.document(document, &parts, owner).map_err(failed)?;
            let path = copy::place(&built.image.files, &parts.destination, &workdir);
            let is_folder = parts.destination.ends_with('/') || built.image.files.is_folder(&path);
            let path = if is_folder {
                join(&path, &document.name)
            } else {
                path
            };
            copy::add_parents(&mut copied.nodes, &built.image.files, &path, Some(owner));
            copied.nodes.insert(path, node);
        }
        copy::add_above(&mut copied.nodes, &built.image.files);
        self.add_layer(&mut built.image, copied.nodes)
            .map_err(|why| format!("error building stage: {why}"))
    }

    /// Returns a here-document's file. kaniko does not replace variables in it.
    fn document(
        &self,
        document: &Heredoc,
        parts: &Parts,
        owner: (u64, u64),
    ) -> Result<Node, String> {
        let content = document.chomped();
        let file = tempfile::NamedTempFile::new_in(&self.store).map_err(|why| why.to_string())?;
        let (mut file, disk) = file.keep().map_err(|why| why.to_string())?;
        file.write_all(content.as_bytes())
            .map_err(|why| why.to_string())?;
        let mode = parts
            .mode
            .as_deref()
            .and_then(|mode| Mode::parse(mode).ok());
        Ok(Node::File {
            disk,
            size: content.len() as u64,
            mode: mode.map_or(0o644, |mode| mode.apply(0o644, false)),
            owner,
        })
    }
}

fn not_there(path: &str) -> String {
    not_found(format!(
        "failed to get fileinfo for {path}: lstat {path}: no such file or directory"
    ))
}

fn absolute(path: &str) -> String {
    format!("/{}", normal(path))
}

fn is_url(source: &str) -> bool {
    source.split_once("://").is_some_and(|(scheme, host)| {
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(is_scheme)
            && !host.is_empty()
            && !host.starts_with('/')
    })
}

/// Returns whether a path leads out of its base.
fn leads_out(path: &str) -> bool {
    let mut depth = 0_i32;
    path.split('/').any(|part| {
        depth += match part {
            "" | "." => 0,
            ".." => -1,
            _ => 1,
        };
        depth < 0
    })
}
