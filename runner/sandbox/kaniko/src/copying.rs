//! `COPY` and `ADD`.

use crate::{
    build::{Build, Built},
    config,
    copy::{self, Request},
    files::{Files, Node, join, normal},
    glob,
    instruction::failed,
    scope::Scope,
    stages::{Stages, copies_from, shown},
};
use sidestep_dockerfile::{Heredoc, Instruction, Kind, Mode, Origin, Source};
use std::io::Write as _;

/// Where kaniko unpacks a context, and where it keeps what is copied from stages.
const CONTEXT: &str = "/kaniko/buildcontext";
const STAGES: &str = "/kaniko/deps";

/// What is found before an instruction is performed.
fn not_found(why: impl std::fmt::Display) -> String {
    format!("error building stage: failed to get files used from context: {why}")
}

impl Build<'_, '_, '_> {
    /// The files to copy from, what they lack, and where kaniko has them.
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
            let why = format!("the sandbox downloads nothing, and so not {url}");
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
            unpack_in: parts.is_add.then_some(&self.store),
        };
        let copied = copy::copy(&files, &built.image.files, &request);
        let mut copied = copied.map_err(failed)?;
        // A pattern that nothing matches copies nothing, and is no fault.
        let missing = copied
            .missing
            .iter()
            .filter(|source| !glob::is_pattern(source));
        let missing: Vec<&str> = missing.map(String::as_str).collect();
        if is_sure && let Some(first) = missing.first() {
            return Err(not_there(&absolute(&format!("{root}/{first}"))));
        }
        let owner = owner
            .map_err(|why| failed(format!("getting user group from chown: {why}")))?
            .unwrap_or((0, 0));
        if let Err(why) = mode {
            return Err(failed(format!(
                "getting permissions from chmod: parsing value from chmod: {why}"
            )));
        }
        if let Some(path) = copied.blocked {
            return Err(failed(format!(
                "resolving dest symlink: failed to lstat: lstat {path}: not a directory"
            )));
        }
        if !is_sure && !copied.missing.is_empty() {
            let gone = copied.missing.join(", ");
            let why = format!("nothing is at {gone} ({})", gaps.join("; "));
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
        self.add_layer(&mut built.image, copied.nodes)
            .map_err(|why| format!("error building stage: {why}"))
    }

    /// Whose the copies are: whom `--chown` names, and of what comes from the context whom `USER`
    /// does. A user that the image does not have is a fault, unless the image is not all there.
    fn owner(&self, built: &mut Built, parts: &Parts) -> Result<Option<(u64, u64)>, String> {
        match &parts.owner {
            Some(name) => {
                let preface = if parts.from_context {
                    "getting user group from chown: "
                } else {
                    ""
                };
                self.known_user(name, preface, built).map(Some)
            }
            None if parts.from_context => self.current_user(built).map(Some),
            None => Ok(None),
        }
    }

    /// Whom `USER` names, or root.
    pub(crate) fn current_user(&self, built: &mut Built) -> Result<(u64, u64), String> {
        let user = built.image.settings().get("User");
        let user = user.and_then(serde_json::Value::as_str).unwrap_or_default();
        if user.is_empty() {
            return Ok((0, 0));
        }
        let user = user.to_owned();
        let preface = format!("identifying uid and gid for user {user}: ");
        self.known_user(&user, &preface, built)
    }

    fn known_user(&self, name: &str, preface: &str, built: &Built) -> Result<(u64, u64), String> {
        if let Some(owner) = copy::owner(name, &built.image.files) {
            return Ok(owner);
        }
        if built.gaps.is_empty() {
            let user = name.split(':').next().unwrap_or_default();
            return Err(format!(
                "{preface}user {user} is not a uid and does not exist on the system"
            ));
        }
        self.log.warn(&format!(
            "sandbox: the image has no user {name}: its files belong to root"
        ));
        Ok((0, 0))
    }

    /// A here-document's file. kaniko replaces no variables in it.
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

/// Whether a path leads out of where it begins.
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

/// A `COPY` or `ADD`, variables replaced.
struct Parts {
    is_add: bool,
    from_context: bool,
    sources: Vec<String>,
    documents: Vec<Heredoc>,
    destination: String,
    owner: Option<String>,
    mode: Option<String>,
}

impl Parts {
    fn new(instruction: &Instruction, scope: &Scope) -> Result<Self, String> {
        let (copying, is_add) = match &instruction.kind {
            Kind::Copy(copying) => (copying, false),
            Kind::Add(copying) => (copying, true),
            _ => return Err(failed("it is no copy")),
        };
        let path = |text: &str, what: &str| {
            let expanded = scope.expand(text);
            expanded.map_err(|why| not_found(format!("failed to resolve environment{what}: {why}")))
        };
        let mut sources = Vec::new();
        let mut documents = Vec::new();
        for source in &copying.sources {
            match source {
                Source::Path(word) => sources.push(path(&word.text, "")?),
                Source::Heredoc(document) => documents.push(document.clone()),
            }
        }
        let value = |name: &str| {
            let value = instruction
                .flag(name)
                .and_then(|flag| flag.value.as_deref());
            let value = value.filter(|value| !value.is_empty());
            value
                .map(|value| scope.expand(value).map_err(failed))
                .transpose()
        };
        Ok(Self {
            is_add,
            from_context: copies_from(instruction).is_none(),
            sources,
            documents,
            destination: path(&copying.destination.text, " for dest path")?,
            owner: value("chown")?,
            mode: value("chmod")?,
        })
    }

    /// More than one source wants a folder. What is there counts only for a path from the root.
    fn check_destination(&self, into: &Files, gaps: &[String]) -> Result<(), String> {
        let to = self.destination.as_str();
        let is_folder = to.ends_with('/')
            || to == "."
            || to == ".."
            || to.ends_with("/.")
            || (to.starts_with('/') && (into.is_folder(&normal(to)) || !gaps.is_empty()));
        let has_pattern = self.sources.iter().any(|source| glob::is_pattern(source));
        if self.sources.len() > 1 && !has_pattern && !is_folder {
            return Err(not_found(
                "when specifying multiple sources in a COPY command, destination must be a directory and end in '/'",
            ));
        }
        Ok(())
    }
}
