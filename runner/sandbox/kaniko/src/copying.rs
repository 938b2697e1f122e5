//! `COPY` and `ADD`.

use crate::{
    build::{Build, Built},
    config::{self, Scope},
    copy::{self, Request},
    expand::expand_text,
    files::{Files, Node, join, normal},
    glob,
    stages::{self, Line, Stage},
};
use parse_dockerfile::{Flag, Source};
use std::{collections::BTreeMap, io::Write as _};

impl Build<'_, '_, '_> {
    /// The files to copy from, and what they lack.
    async fn source(
        &mut self,
        stages: &[Stage<'_, '_>],
        index: usize,
        from: Option<&str>,
    ) -> Result<(Files, Vec<String>), String> {
        let Some(from) = from else {
            return Ok((self.context.clone(), Vec::new()));
        };
        let stage = stages::find(stages, from, index).and_then(|other| self.built.get(&other));
        if let Some(other) = stage {
            return Ok((other.image.files.clone(), other.gaps.clone()));
        }
        let platform = self.platform.clone();
        let image = self.fetch(from, &platform).await?;
        let gap = || vec![format!("the sandbox does not have the image {from}")];
        Ok(image.map_or_else(
            || (Files::default(), gap()),
            |image| (image.files, Vec::new()),
        ))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "an instruction and where it stands"
    )]
    pub(crate) async fn copy(
        &mut self,
        stages: &[Stage<'_, '_>],
        index: usize,
        line: &Line<'_, '_>,
        built: &mut Built,
        parts: Parts,
        args: &BTreeMap<String, String>,
        add: bool,
    ) -> Result<(), String> {
        let failed =
            |why: String| format!("error building stage: failed to execute command: {why}");
        let remote =
            |source: &&String| add && (source.contains("://") || source.starts_with("git@"));
        if let Some(url) = parts.sources.iter().find(remote) {
            built.gaps.push(format!(
                "line {} was not executed: {}",
                line.number, line.text
            ));
            self.leave_out(
                &line.text,
                &format!("the sandbox downloads nothing, and so not {url}"),
            );
            return Ok(());
        }
        let (files, gaps) = self.source(stages, index, parts.from.as_deref()).await?;
        let owner = parts.owner.as_deref().map(|text| {
            copy::owner(text, &built.image.files).unwrap_or_else(|| {
                self.log.warn(&format!(
                    "sandbox: the image has no user {text}: its files belong to root"
                ));
                (0, 0)
            })
        });
        let mode = parts.mode.as_deref().map(|mode| {
            u32::from_str_radix(mode, 8).map_err(|_| {
                failed(format!(
                    "getting permissions from chmod: invalid mode {mode}"
                ))
            })
        });
        let workdir = config::workdir(&built.image);
        let request = Request {
            sources: &parts.sources,
            destination: &parts.destination,
            workdir: &workdir,
            owner,
            mode: mode.transpose()?,
            unpack_in: add.then_some(&self.store),
        };
        let copied = copy::copy(&files, &built.image.files, &request);
        let mut copied = copied.map_err(|why| failed(why.to_string()))?;
        if let Some(missing) = copied.missing.first() {
            match gaps.as_slice() {
                [_, ..] => {
                    let why = format!(
                        "nothing is at {} ({})",
                        copied.missing.join(", "),
                        gaps.join("; ")
                    );
                    built.gaps.push(format!(
                        "line {} was not executed: {}",
                        line.number, line.text
                    ));
                    if copied.nodes.is_empty() && parts.documents.is_empty() {
                        self.leave_out(&line.text, &why);
                        return Ok(());
                    }
                    self.log
                        .warn(&format!("sandbox: executed in part: {}: {why}", line.text));
                }
                _ => return Err(missing_source(missing, parts.from.is_some())),
            }
        }
        for document in &parts.documents {
            let (name, node) = self.document(document, built, args).map_err(failed)?;
            let path = copy::place(&built.image.files, &parts.destination, &workdir);
            let folder = parts.destination.ends_with('/') || built.image.files.is_folder(&path);
            let path = if folder { join(&path, &name) } else { path };
            copied.nodes.insert(path, node);
        }
        self.add_layer(&mut built.image, copied.nodes)
            .map_err(|why| format!("error building stage: {why}"))
    }

    /// A here-document: its name and its file.
    fn document(
        &self,
        document: &Document,
        built: &Built,
        args: &BTreeMap<String, String>,
    ) -> Result<(String, Node), String> {
        let lookup = self.lookup(&built.image, args);
        let content = if document.expands {
            expand_text(&document.text, self.escape, &lookup)
        } else {
            document.text.clone()
        };
        let file = tempfile::NamedTempFile::new_in(&self.store).map_err(|why| why.to_string())?;
        let (mut file, disk) = file.keep().map_err(|why| why.to_string())?;
        file.write_all(content.as_bytes())
            .map_err(|why| why.to_string())?;
        // The line that ends it is its delimiter, and that is its name.
        let name = self
            .text
            .get(document.end..)
            .unwrap_or_default()
            .trim_start()
            .lines()
            .next();
        let name = name.unwrap_or("EOF").trim().to_owned();
        let size = content.len() as u64;
        Ok((
            name,
            Node::File {
                disk,
                size,
                mode: 0o644,
                owner: (0, 0),
            },
        ))
    }
}

/// kaniko's words for a source that is not there.
fn missing_source(source: &str, from_stage: bool) -> String {
    if glob::is_pattern(source) {
        return "error building stage: failed to execute command: copy failed: no source files specified".into();
    }
    let path = normal(source);
    if from_stage {
        let path = format!("/kaniko/deps/{path}");
        return format!(
            "error building stage: failed to execute command: resolving src: failed to get fileinfo for {path}: lstat {path}: no such file or directory"
        );
    }
    let path = format!("/kaniko/buildcontext/{path}");
    format!(
        "error building stage: failed to get files used from context: failed to get fileinfo for {path}: lstat {path}: no such file or directory"
    )
}

struct Document {
    text: String,
    expands: bool,
    end: usize,
}

/// A `COPY` or `ADD`, variables replaced.
pub(crate) struct Parts {
    sources: Vec<String>,
    documents: Vec<Document>,
    destination: String,
    from: Option<String>,
    owner: Option<String>,
    mode: Option<String>,
}

impl Parts {
    pub(crate) fn new(
        options: &[Flag<'_>],
        sources: &[Source<'_>],
        destination: &str,
        scope: &Scope<'_>,
    ) -> Self {
        let value = |name| option(options, name).map(|value| scope.expand(value));
        let mut paths = Vec::new();
        let mut documents = Vec::new();
        for source in sources {
            match source {
                Source::Path(path) => paths.push(scope.expand(&path.value)),
                Source::HereDoc(document) => documents.push(Document {
                    text: document.value.to_string(),
                    expands: document.expand,
                    end: document.span.end,
                }),
                _ => {}
            }
        }
        Self {
            sources: paths,
            documents,
            destination: scope.expand(destination),
            from: value("from"),
            owner: value("chown"),
            mode: value("chmod"),
        }
    }
}

/// A flag that would be overlooked would make another image.
pub(crate) fn known_flags(
    options: &[Flag<'_>],
    known: &[&str],
    line: &Line<'_, '_>,
) -> Result<(), String> {
    match options
        .iter()
        .find(|flag| !known.contains(&&*flag.name.value))
    {
        Some(flag) => Err(format!(
            "dockerfile parse error on line {}: unknown flag: --{}",
            line.number, flag.name.value
        )),
        None => Ok(()),
    }
}

pub(crate) fn option<'o>(options: &'o [Flag<'_>], name: &str) -> Option<&'o str> {
    let flag = options.iter().find(|flag| flag.name.value == name)?;
    flag.value.as_ref().map(|value| &*value.value)
}
