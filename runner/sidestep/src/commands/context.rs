use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::json;
use sidestep_context::ignore::Ignore;
use sidestep_context::{Kind, Options, RelPath, Tree, pack};
use sidestep_events::{Diagnostic, Exit, codes, show};
use sidestep_launch::Error;
use sidestep_report::bytes;

use crate::cli::{Context, ContextDir, Format, Modes};
use crate::output::{json, line, note};
use crate::session::Session;

pub(crate) fn run(session: &Session, command: Context) -> Result<Exit, Error> {
    match command {
        Context::Ls {
            context,
            modes,
            output,
        } => ls(session, &context, &modes, output.output),
        Context::Pack {
            context,
            modes,
            file,
        } => archive(session, &context, &modes, &file),
        Context::Explain { path, context } => explain(session, &context, &path),
    }
}

fn ls(
    session: &Session,
    context: &ContextDir,
    modes: &Modes,
    format: Format,
) -> Result<Exit, Error> {
    let tree = Tree::read(&options(session, context, modes)).map_err(|error| wrong(&error))?;
    match format {
        Format::Human => {
            for entry in tree.entries() {
                line(&show::line(&*entry.path.to_str_lossy()));
            }
            said(&tree);
        }
        Format::Json => {
            let entries = tree.entries().iter().map(|entry| {
                let mut shown = json!({
                    "path": entry.path.to_str_lossy(),
                    "mode": format!("{:04o}", entry.mode),
                    "size": entry.kind.size(),
                });
                match &entry.kind {
                    Kind::File { sha256, .. } => {
                        shown["kind"] = "file".into();
                        shown["digest"] = format!("sha256:{}", hex::encode(sha256)).into();
                    }
                    Kind::Folder => shown["kind"] = "folder".into(),
                    Kind::Link { target } => {
                        shown["kind"] = "link".into();
                        shown["target"] = String::from_utf8_lossy(target).into();
                    }
                }
                shown
            });
            json(&json!({
                "digest": format!("sha256:{}", tree.digest()),
                "archive": tree.archive_name(),
                "entries": entries.collect::<Vec<_>>(),
            }));
        }
    }
    Ok(Exit::Success)
}

fn archive(
    session: &Session,
    context: &ContextDir,
    modes: &Modes,
    file: &Path,
) -> Result<Exit, Error> {
    let out = session.site.workspace.join(file);
    let mut options = options(session, context, modes);
    // An archive from an earlier call must not be packed into the new one.
    options.exclude.push(out.clone());
    let tree = Tree::read(&options).map_err(|error| wrong(&error))?;
    let draft = out.with_added_extension("new");
    let failed = |error: std::io::Error| {
        Error::usage(
            format!("can't write {}: {error}", out.display()),
            "pass a file in an existing, writable folder with -o",
        )
    };
    let written = File::create(&draft).map_err(failed).and_then(|draft| {
        let mut draft = BufWriter::new(draft);
        let packed = pack(&tree, &mut draft).map_err(|error| wrong(&error))?;
        draft.flush().map_err(failed)?;
        Ok(packed)
    });
    let packed = match written {
        Ok(packed) => packed,
        Err(error) => {
            let _ = std::fs::remove_file(&draft);
            return Err(error);
        }
    };
    std::fs::rename(&draft, &out).map_err(failed)?;
    said(&tree);
    note(&format!(
        "{} written to {}",
        bytes(packed.bytes),
        show::path(file)
    ));
    Ok(Exit::Success)
}

fn explain(session: &Session, context: &ContextDir, path: &Path) -> Result<Exit, Error> {
    let root = session.site.workspace.join(&context.dir);
    let outside = |path: &Path| {
        Error::usage(
            format!("{} is not in the context", path.display()),
            "paths are relative to the context's folder",
        )
    };
    let relative = path.strip_prefix(&root).unwrap_or(path);
    let asked = RelPath::clean(relative).ok_or_else(|| outside(path))?;
    let dockerfile =
        RelPath::clean(&context.dockerfile).ok_or_else(|| outside(&context.dockerfile))?;
    let ignore = Ignore::load(&root, &dockerfile).map_err(|error| wrong(&error))?;
    let explanation = ignore.explain(&asked).map_err(|error| wrong(&error))?;
    line(&show::line(&explanation.to_string()));
    // The rules also apply to paths that do not exist, but the user may have misspelt the path.
    if root.join(relative).symlink_metadata().is_err() {
        note(&format!(
            "{} does not exist; this rule would apply to it",
            show::path(path)
        ));
    }
    Ok(Exit::Success)
}

fn options(session: &Session, context: &ContextDir, modes: &Modes) -> Options {
    let mut options = Options::new(session.site.workspace.join(&context.dir));
    options.dockerfile.clone_from(&context.dockerfile);
    options.keep_modes = modes.keep_modes;
    let state = session.settings.state.as_ref();
    options
        .exclude
        .extend(state.map(|state| state.value.clone()));
    options.exclude.extend(session.site.log.clone());
    options
}

/// Prints a one-line summary of the context, and the entries that could not be packed.
fn said(tree: &Tree) {
    let report = tree.report();
    for skipped in &report.skipped {
        let path = show::line(&skipped.path);
        note(&format!("left out: {path} is {}", skipped.what));
    }
    for mode in &report.modes {
        let others = match mode.count {
            0 | 1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let keep = if mode.matters() {
            "; --keep-modes keeps it"
        } else {
            ""
        };
        let example = show::line(&mode.example);
        note(&format!("{example}{others}: {mode}{keep}"));
    }
    let ignored = match report.ignored {
        0 => String::new(),
        ignored => format!(", {ignored} ignored"),
    };
    note(&format!(
        "{} files, {}{ignored}, sha256:{}",
        report.files,
        bytes(report.bytes),
        tree.digest()
    ));
}

fn wrong(error: &sidestep_context::Error) -> Error {
    vec![Diagnostic::error(
        codes::context::UNREADABLE,
        error.to_string(),
    )]
    .into()
}
