use std::io::Write as _;
use std::time::Duration;

use serde_json::json;
use sidestep_events::Exit;
use sidestep_sandbox::kaniko::{self, Environment};
use sidestep_sandbox::{Live, Options, Places, exports, live, reset, scenarios, serve, stop};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::{Format, Sandbox, SandboxCommand, StatusFormat};
use crate::cloud::{known, places, program, unavailable};
use crate::commands::Session;
use crate::error::CommandError;
use crate::output;

/// After how long without a call a detached sandbox ends.
const IDLE: Duration = Duration::from_mins(15);

pub(crate) async fn run(session: &Session, args: Sandbox) -> Result<Exit, CommandError> {
    match args.command {
        None => serve_here(session, &args.scenario, args.detached).await,
        Some(SandboxCommand::Stop(name)) => {
            let stopped = stop(&places(session, &name.scenario)).await;
            output::note(if stopped.map_err(|error| unavailable(&error))? {
                "the sandbox has ended; what it knows is kept"
            } else {
                "no sandbox was live"
            });
            Ok(Exit::Success)
        }
        Some(SandboxCommand::Reset(name)) => {
            let was = reset(&places(session, &name.scenario)).await;
            output::note(if was.map_err(|error| unavailable(&error))? {
                "the sandbox is forgotten"
            } else {
                "there was nothing to forget"
            });
            Ok(Exit::Success)
        }
        Some(SandboxCommand::Status { name, output }) => {
            status(&places(session, &name.scenario), &name.scenario, output)
        }
        Some(SandboxCommand::Scenarios { output }) => {
            list(output.output);
            Ok(Exit::Success)
        }
        Some(SandboxCommand::Kaniko { arguments }) => Ok(build(arguments).await),
    }
}

async fn serve_here(
    session: &Session,
    scenario: &str,
    detached: bool,
) -> Result<Exit, CommandError> {
    let places = places(session, scenario);
    let options = Options {
        places: places.clone(),
        scenario: known(scenario)?,
        program: program()?,
        idle: detached.then_some(IDLE),
    };
    let ended = CancellationToken::new();
    for kind in [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ] {
        let mut signals = signal(kind)
            .map_err(|error| sidestep_events::Failure::bug(format!("no signals: {error}")))?;
        let ended = ended.clone();
        tokio::spawn(async move {
            signals.recv().await;
            ended.cancel();
        });
    }
    let ready = |live: &Live| {
        if !detached {
            output::print(&exports(live, &places).to_string());
            output::note(&format!("sandbox `{scenario}` is live; Ctrl-C ends it"));
        }
    };
    serve(options, ended, ready)
        .await
        .map_err(|error| unavailable(&error))?;
    Ok(Exit::Success)
}

fn status(places: &Places, scenario: &str, format: StatusFormat) -> Result<Exit, CommandError> {
    let found = live(places).map_err(|error| unavailable(&error))?;
    match (format, found) {
        (StatusFormat::Json, found) => output::json(&json!({ "live": found })),
        (StatusFormat::Env, Some(live)) => output::print(&exports(&live, places).to_string()),
        (StatusFormat::Human, Some(live)) => {
            output::line(&format!(
                "sandbox `{scenario}` is live, process {}",
                live.pid
            ));
            output::line(&format!("  {:<22} {}", "KUBERNETES", live.kubernetes));
            for (name, url) in &live.endpoints {
                output::line(&format!("  {name:<22} {url}"));
            }
            output::line(&format!("  its files are in {}", places.dir.display()));
        }
        (StatusFormat::Env | StatusFormat::Human, None) => {
            let help = format!("start it: sidestep sandbox --scenario {scenario}");
            return Err(CommandError::usage(
                format!("no sandbox `{scenario}` is live"),
                help,
            ));
        }
    }
    Ok(Exit::Success)
}

fn list(format: Format) {
    let scenarios = scenarios();
    match format {
        Format::Json => {
            let list: Vec<_> = scenarios
                .iter()
                .map(|scenario| {
                    json!({ "name": scenario.name, "description": scenario.description })
                })
                .collect();
            output::json(&list);
        }
        Format::Human => {
            let width = scenarios
                .iter()
                .map(|scenario| scenario.name.len())
                .max()
                .unwrap_or(0);
            for scenario in &scenarios {
                output::line(&format!(
                    "{:<width$}  {}",
                    scenario.name, scenario.description
                ));
            }
        }
    }
}

/// Runs the sandbox's kaniko; its exit code is kaniko's.
async fn build(arguments: Vec<String>) -> Exit {
    let mut out = std::io::stdout();
    let code = kaniko::run(arguments.into_iter(), &Environment::of_process(), &mut out).await;
    let _ = out.flush();
    if code == 0 {
        Exit::Success
    } else {
        Exit::Failed
    }
}
