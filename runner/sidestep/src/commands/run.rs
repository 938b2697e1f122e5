use std::io::Read;
use std::path::Path;

use sidestep_events::{Command, Diagnostic, Exit, codes, commands};
use sidestep_files::{Folder, OpenError, given};
use sidestep_launch::{Error, Given, Launch, LockedRun, Prepared, prepare, run_id};
use sidestep_pipeline::Source;
use sidestep_policy::tree::MAX_BYTES;
use sidestep_report::Hint;

use crate::cli;
use crate::cloud::{connect, known};
use crate::env_file;
use crate::inputs;
use crate::launch::{Shown, launch, limits};
use crate::output::note;
use crate::session::Session;

/// The default pipeline file.
pub(crate) const DEFAULT_FILE: &str = "sidestep.yaml";

pub(crate) async fn run(session: &Session, args: &cli::Run) -> Result<Exit, Error> {
    // Report a misspelt scenario before any problems with a file.
    if let Some(scenario) = args.flags.sandbox.as_deref() {
        known(scenario)?;
    }
    let file = args.pipeline.file.as_deref();
    let alone = file.is_none() && !session.site.workspace.join(DEFAULT_FILE).is_file();
    let source = if alone && args.flags.sandbox.is_some() {
        if !session.global.quiet {
            note(
                "found no sidestep.yaml: building this folder's Dockerfile with the built-in quickstart",
            );
            note(
                "the inputs of the quickstart: -i dockerfile=FILE -i target=STAGE -i buildArgs=@FILE.json -i image=NAME -i tag=TAG",
            );
        }
        quickstart()
    } else {
        read_source(session, file)?
    };
    let given = Given {
        steps: args.step.clone(),
        ..given(
            session,
            &args.pipeline.inputs,
            args.pipeline.policy.as_deref(),
            args.run_id.as_deref(),
        )?
    };
    let hints = hints(&source.name, args.flags.sandbox.as_deref());
    start(session, &source, &given, &args.flags, hints).await
}

/// The name of the built-in pipeline in messages.
const QUICKSTART: &str = "quickstart.yaml (built in)";

/// Returns a pipeline that works for any folder with a Dockerfile. Its names are those of the
/// sandbox's seed.
fn quickstart() -> Source {
    Source {
        name: QUICKSTART.to_owned(),
        text: include_str!("quickstart.yaml").to_owned(),
    }
}

/// Returns suggestions for what to do after the run.
fn hints(file: &str, sandbox: Option<&str>) -> Vec<Hint> {
    let mut hints = Vec::new();
    let mut add = |command: Option<Command>, does: &str| {
        hints.extend(command.map(|command| Hint {
            command,
            does: does.to_owned(),
        }));
    };
    if file != QUICKSTART && file != STANDARD_INPUT {
        add(
            commands::plan(file),
            "show what each step may touch, without running it",
        );
        add(commands::run(file, sandbox), "run it again");
    }
    add(Some(Command::fixed(&["sidestep", "runs"])), "list the runs");
    if let Some(scenario) = sandbox {
        add(
            Some(Command::fixed(&["sidestep", "sandbox", "scenarios"])),
            "list ways to break the sandbox: --sandbox=NAME",
        );
        add(commands::sandbox(&["stop"], scenario), "stop the sandbox");
    }
    hints
}

/// Prepares and runs a pipeline.
pub(crate) async fn start(
    session: &Session,
    source: &Source,
    given: &Given,
    flags: &cli::RunFlags,
    hints: Vec<Hint>,
) -> Result<Exit, Error> {
    let Prepared {
        plan,
        plugins,
        run,
        remarks,
    } = prepare(&session.site, source, given).await?;
    if !remarks.is_empty() && !session.global.quiet {
        let color = crate::output::Look::stderr(session.settings.color.value).color;
        note(remarks.render(color).trim_end());
    }
    let to_run = Launch {
        plan,
        plugins,
        cloud: connect(session, flags.sandbox.as_deref(), flags.caller.as_deref()).await?,
        limits: limits(session, flags),
    };
    let shown = Shown {
        format: flags.output,
        hints,
    };
    let asked = given.run_id.is_some();
    let run = LockedRun::take(&session.site, &to_run.plan, &to_run.cloud, &run, asked)?;
    launch(session, to_run, run, flags, shown).await
}

/// The name of a pipeline from standard input in messages.
const STANDARD_INPUT: &str = "standard input";

/// Reads a pipeline from standard input. No more than the language's size limit is read.
fn standard_input() -> Result<Source, Error> {
    let mut bytes = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    std::io::stdin()
        .lock()
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| {
            let message = format!("{STANDARD_INPUT} can't be read: {error}");
            Error::usage(
                message,
                "pass the pipeline through a pipe, or name its file",
            )
        })?;
    if bytes.len() > MAX_BYTES {
        return Err(too_large(Path::new(STANDARD_INPUT)));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        let message = format!("{STANDARD_INPUT} is not UTF-8 text");
        Error::usage(message, "pass a pipeline file")
    })?;
    Ok(Source {
        name: STANDARD_INPUT.to_owned(),
        text,
    })
}

/// Reads the pipeline file that the command line names, or the workspace's default one. `-` is
/// standard input.
pub(crate) fn read_source(session: &Session, file: Option<&Path>) -> Result<Source, Error> {
    if file == Some(Path::new("-")) {
        return standard_input();
    }
    let limit = MAX_BYTES as u64;
    let named = file.unwrap_or(Path::new(DEFAULT_FILE));
    let path = session.site.workspace.join(named);
    let read = match file {
        Some(_) => given::read_text(&path, limit),
        None => Folder::open(&session.site.workspace)
            .map_err(OpenError::from)
            .and_then(|workspace| workspace.read_text(named, limit)),
    };
    let text = read.map_err(|error| {
        let help = match file {
            Some(_) => "paths are relative to the workspace",
            None => "name a pipeline file; with a Dockerfile alone: sidestep run --sandbox",
        };
        match error {
            OpenError::TooLarge(_) => too_large(&path),
            error => Error::usage(format!("{} can't be read: {error}", path.display()), help),
        }
    })?;
    let name = path.strip_prefix(&session.site.workspace).unwrap_or(&path);
    Ok(Source {
        name: name.display().to_string(),
        text,
    })
}

/// Returns the error for a pipeline file above the language's size limit. The rest of it is not
/// read.
fn too_large(path: &Path) -> Error {
    let message = format!(
        "{} has more than {MAX_BYTES} bytes, the maximum",
        path.display()
    );
    vec![Diagnostic::error(codes::yaml::TOO_LARGE, message)].into()
}

/// Returns the parameters that the flags set.
pub(crate) fn given(
    session: &Session,
    inputs: &cli::Inputs,
    policy: Option<&Path>,
    run: Option<&str>,
) -> Result<Given, Error> {
    env_file::take(session, &inputs.variables)?;
    let (file, each) = (inputs.inputs.as_ref(), &inputs.input);
    Ok(Given {
        inputs: inputs::read(&session.site.workspace, file, each)?,
        policy: policy.map(Path::to_owned),
        run_id: run.map(run_id).transpose()?,
        ..Given::default()
    })
}
