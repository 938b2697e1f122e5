use serde_json::json;
use sidestep_authoring::{Built, Options, Project, SDK_FOLDER, Sources, build};
use sidestep_events::{Exit, show};
use sidestep_launch::Error;
use sidestep_report::bytes;

use super::error;
use crate::cli::{BuildPlugin, Format};
use crate::commands::reported;
use crate::output::{json, line, note};
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &BuildPlugin) -> Result<Exit, Error> {
    let workspace = &session.site.workspace;
    let folder = args.dir.as_ref().map(|dir| workspace.join(dir));
    let project = Project::open(folder.as_ref().unwrap_or(workspace)).map_err(error)?;
    if project.sdk_unpacked {
        note(&format!("unpacked the SDK into {SDK_FOLDER}"));
    }
    let options = Options {
        debug: args.debug,
        quiet: session.global.quiet,
        file: args.o.as_ref().map(|file| workspace.join(file)),
    };
    loop {
        let sources = Sources::of(&project.folder, options.file.as_deref());
        let built = build(&project, &options, &session.site.evaluator).map_err(error);
        let exit = built.map(|built| {
            print(session, args.output.output, &built);
            Exit::Success
        });
        if !args.watch {
            return exit;
        }
        if let Err(error) = exit {
            reported(&error, session.settings.color.value);
        }
        note("waiting for changes; Ctrl-C ends it");
        sources.wait_for_change(&project.folder, options.file.as_deref());
    }
}

fn print(session: &Session, format: Format, built: &Built) {
    let (component, workspace) = (&built.component, &session.site.workspace);
    let file = built.file.strip_prefix(workspace).unwrap_or(&built.file);
    let file = file.display().to_string();
    if !built.unused.is_empty() {
        let keys = built.unused.join("`, `");
        note(&format!("warning: requested but not used: `{keys}`"));
    }
    match format {
        Format::Json => json(&json!({
            "name": component.manifest.name,
            "version": component.manifest.version,
            "file": file,
            "size": component.size,
            "digest": component.digest,
            "unused": built.unused,
        })),
        Format::Human => {
            let row = |name: &str, value: &str| line(&format!("{name:<6}  {}", show::line(value)));
            let manifest = &component.manifest;
            row("name", &format!("{} {}", manifest.name, manifest.version));
            row("file", &file);
            row("size", &bytes(component.size as u64));
            row("digest", &component.digest);
        }
    }
}
