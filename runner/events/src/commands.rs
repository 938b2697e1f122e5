//! Builds the runner's own commands for messages. A command with an empty value is not built.

use crate::{Command, Value};

/// Resumes a run.
pub fn resume(run: &str) -> Option<Command> {
    Command::new(&["sidestep", "resume"]).value(run).build()
}

/// Resumes a run in a workspace that is not the current folder.
pub fn resume_in(run: &str, workspace: &str) -> Option<Command> {
    Command::new(&["sidestep", "resume"])
        .value(run)
        .option("--workspace", workspace)
        .build()
}

/// Shows the state of a run.
pub fn show_run(run: &str) -> Option<Command> {
    Command::new(&["sidestep", "runs", "show"])
        .value(run)
        .build()
}

/// Shows the log of a run, or of one instance of its steps.
pub fn logs(run: &str, instance: Option<&str>) -> Option<Command> {
    let logs = Command::new(&["sidestep", "logs"]).value(run);
    match instance {
        Some(instance) => logs.value(instance).build(),
        None => logs.build(),
    }
}

/// Writes the bytes of one container's log; `container` is `NAMESPACE/POD/NAME`.
pub fn raw_log(run: &str, container: &str) -> Option<Command> {
    Command::new(&["sidestep", "logs"])
        .value(run)
        .words(&["--raw"])
        .option("--container", container)
        .build()
}

/// Starts a run of a pipeline file, in a sandbox if it names one.
pub fn run(file: &str, sandbox: Option<&str>) -> Option<Command> {
    let run = Command::new(&["sidestep", "run"]).value(file);
    match sandbox {
        None => run,
        // The flag alone selects this scenario.
        Some("healthy") => run.words(&["--sandbox"]),
        Some(scenario) => run.joined(["--sandbox=".into(), scenario.into()]),
    }
    .build()
}

/// Starts a run with an id.
pub fn run_as(id: &str) -> Option<Command> {
    Command::new(&["sidestep", "run"])
        .option("--run-id", id)
        .build()
}

/// Shows the permissions of a pipeline file's steps.
pub fn plan(file: &str) -> Option<Command> {
    Command::new(&["sidestep", "plan"]).value(file).build()
}

/// Removes external objects that runs left behind, or those in a sandbox.
pub fn gc(sandbox: Option<&str>) -> Option<Command> {
    let gc = Command::new(&["sidestep", "gc"]);
    match sandbox {
        None => gc.build(),
        Some(scenario) => gc.joined(["--sandbox=".into(), scenario.into()]).build(),
    }
}

/// Runs a subcommand of `sidestep sandbox` for a sandbox by its name: its scenario, and after an `@`
/// the context of the user's cluster if it has one.
pub fn sandbox(subcommand: &[&'static str], name: &str) -> Option<Command> {
    let sandbox = Command::new(&["sidestep", "sandbox"]).words(subcommand);
    let (scenario, context) = match name.split_once('@') {
        Some((scenario, context)) => (scenario, Some(context)),
        None => (name, None),
    };
    let sandbox = match scenario {
        "healthy" => sandbox,
        other => sandbox.option("--scenario", other),
    };
    match context {
        Some(context) => sandbox.option("--cluster", context).build(),
        None => sandbox.build(),
    }
}

/// Configures gcloud and kubectl in this shell to use a sandbox.
pub fn enter_sandbox(name: &str) -> Option<Command> {
    let status = sandbox(&["status", "--output", "env"], name)?;
    Command::new(&["eval"])
        .joined([Value::from(status.output())])
        .build()
}
