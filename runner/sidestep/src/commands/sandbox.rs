mod image;
mod job;
mod scenarios;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::Mode;
use rustix::process::umask;
use serde_json::json;
use sidestep_events::{Class, Exit, Failure, Owner, codes, commands, show};
use sidestep_host::EvaluationLimits;
use sidestep_launch::Error;
use sidestep_report::render_failure;
use sidestep_sandbox::image::runner;
use sidestep_sandbox::kaniko::{self, Environment};
use sidestep_sandbox::{
    CallerFiles, GoogleNames, Live, LiveCluster, METADATA_ADDRESS, Name, Options, Places, Reach,
    Stopped, exports, files, installed, live, proxy_exports, reset, serve, stop,
};
use tokio_util::sync::CancellationToken;

use crate::built_in;
use crate::cli::{Ci, Sandbox, SandboxCommand, SandboxName, StatusFormat};
use crate::cloud::{images, known, line, places, program, unavailable};
use crate::output;
use crate::session::Session;
use crate::signals::Ends;
use crate::user_cluster::{given_up, user_cluster};

/// The time without calls after which a detached sandbox exits.
const IDLE: Duration = Duration::from_mins(15);

pub(crate) async fn run(session: &Session, args: Sandbox) -> Result<Exit, Error> {
    match args.command {
        None => serve_here(session, args).await,
        Some(SandboxCommand::Stop(name)) => {
            let stopped = stop(&places(session, &named(&name)?)?).await;
            tell_stopped(stopped.map_err(|error| unavailable(&error))?);
            Ok(Exit::Success)
        }
        Some(SandboxCommand::Reset(name)) => {
            let name = named(&name)?;
            let was = reset(&places(session, &name)?).await;
            let was = was.map_err(|error| unavailable(&error))?;
            output::note(if was.existed {
                "the sandbox and its state were deleted"
            } else {
                "there was nothing to delete"
            });
            if let Some(left) = was.left {
                let color = session.look().color;
                output::note_prose(&render_failure(&given_up(&left), color).join("\n"));
            }
            Ok(Exit::Success)
        }
        Some(SandboxCommand::Status {
            name,
            output,
            caller,
            proxy,
            ci,
            claims,
        }) => {
            let name = named(&name)?;
            let selects = match ci {
                Some(_) => Some("--ci"),
                None => proxy.then_some("--proxy"),
            };
            if let Some(flag) = selects.filter(|_| output != StatusFormat::Env) {
                let ci = ci.map(Ci::name);
                let mut exports = vec!["status", "--output", "env", flag];
                exports.extend(ci);
                return Err(Error::usage_with(
                    format!(
                        "`{flag}` selects exports, but exports are printed only with `--output env`"
                    ),
                    "print them:",
                    commands::sandbox(&exports, &name),
                ));
            }
            if let Some(ci) = ci {
                let places = places(session, &name)?;
                let found = live(&places).map_err(|error| unavailable(&error))?;
                let found = found.ok_or_else(|| not_running(&places, &name))?;
                return job::print(&found, &places, ci, &claims).await;
            }
            let asked = Asked {
                format: output,
                caller: caller.as_deref(),
                proxy,
            };
            status(&places(session, &name)?, &name, asked)
        }
        Some(SandboxCommand::Scenarios { symptoms, output }) => {
            scenarios::list(output.output, symptoms);
            Ok(Exit::Success)
        }
        Some(SandboxCommand::Image { file }) => image::run(session, &file),
        Some(SandboxCommand::Relay { node }) => relay(session, node).await,
        Some(SandboxCommand::Kaniko { arguments }) => Ok(build(arguments).await),
    }
}

/// Describes the end of a sandbox.
fn tell_stopped(stopped: Stopped) {
    let Stopped { was_live, removed } = stopped;
    output::note(if was_live {
        "the sandbox was stopped; its state is kept"
    } else {
        "no sandbox was running"
    });
    if removed > 0 {
        let left = if was_live {
            "the sandbox"
        } else {
            "a killed sandbox"
        };
        output::note(&format!(
            "removed from the cluster what {left} had left: {removed} objects"
        ));
    }
}

/// Returns the name of a sandbox, whose scenario exists.
fn named(name: &SandboxName) -> Result<String, Error> {
    let name = Name {
        scenario: name.scenario.clone(),
        context: name.cluster.clone(),
    };
    let name = name.to_string();
    known(&name)?;
    Ok(name)
}

async fn serve_here(session: &Session, args: Sandbox) -> Result<Exit, Error> {
    // The sandbox's state contains tokens and keys, so only its owner may read any of its files.
    umask(Mode::RWXG | Mode::RWXO);
    let name = SandboxName {
        scenario: args.scenario,
        cluster: args.cluster,
    };
    let scenario = known(&name.scenario)?;
    let cluster = name.cluster.clone();
    let name = &named(&name)?;
    let options = Options {
        places: places(session, name)?,
        scenario,
        cluster: cluster
            .map(|context| user_cluster(session, context, args.namespaces))
            .transpose()?,
        program: program()?,
        images: images(session),
        idle: args.detached.then_some(IDLE),
        caller: args.caller,
        relay_image: runner(env!("CARGO_PKG_VERSION")),
        evaluator: Arc::new(built_in::evaluator(EvaluationLimits::default().of_each())),
    };
    let ended = CancellationToken::new();
    cancel_at_end(session, &ended)?;
    let job = args.ci.map(|ci| (ci, args.claims, options.places.clone()));
    let ready = |live: &Live, caller: &CallerFiles| {
        if !args.detached {
            match job {
                Some((ci, claims, places)) => job::print_later(live.clone(), places, ci, claims),
                None => output::print(&exports(live, caller).to_string()),
            }
            for line in welcome(live) {
                output::note(&line);
            }
        }
    };
    let changed = |live: &Live| {
        for line in live.cluster.iter().flat_map(of_cluster) {
            output::note(&line);
        }
    };
    serve(options, ended, ready, changed)
        .await
        .map_err(|error| unavailable(&error))?;
    if !args.detached {
        output::note(&format!(
            "sandbox `{name}` was stopped; to delete its state: {}",
            line(&["reset"], name)
        ));
    }
    Ok(Exit::Success)
}

/// Cancels when a signal asks for the end.
fn cancel_at_end(session: &Session, ended: &CancellationToken) -> Result<(), Error> {
    let mut ends = Ends::watch(session.inherited).map_err(|error| {
        sidestep_events::Failure::bug(format!("signals can't be watched: {error}"))
    })?;
    let asked = ended.clone();
    tokio::spawn(async move {
        ends.next().await;
        asked.cancel();
    });
    Ok(())
}

/// Serves as the process of a relay's pod.
async fn relay(session: &Session, node: String) -> Result<Exit, Error> {
    let stop = CancellationToken::new();
    cancel_at_end(session, &stop)?;
    let relayed = sidestep_sandbox::relay::run(stop, node).await;
    relayed.map_err(|error| {
        let (class, owner) = (Class::Failed, Owner::Operator);
        Failure::new(class, codes::sandbox::UNUSABLE, owner, error.to_string())
    })?;
    Ok(Exit::Success)
}

/// Returns the instructions for a sandbox that was just started in this terminal.
fn welcome(live: &Live) -> Vec<String> {
    let scenario = &live.scenario;
    let exports = line(&["status", "--output", "env"], scenario);
    let by_proxy = line(&["status", "--output", "env", "--proxy"], scenario);
    let mut lines = vec![format!(
        "sandbox `{scenario}` is running; Ctrl-C stops it and keeps its state"
    )];
    if !live.moved.is_empty() {
        lines.push(format!(
            "  the previous port of {} is in use: re-run the export command in each shell",
            live.moved.join(", ")
        ));
    }
    lines.extend([
        format!("  in another terminal:             eval \"$({exports})\""),
        format!("  Google's names, by a proxy:      eval \"$({by_proxy})\""),
    ]);
    lines.extend(live.cluster.iter().flat_map(of_cluster));
    lines
}

/// Describes a sandbox's cluster, if it is one of the user's.
fn of_cluster(cluster: &LiveCluster) -> Vec<String> {
    let LiveCluster { name, named, .. } = cluster;
    let context = show::line(&named.context);
    let version = show::line(&cluster.version);
    let mut lines = vec![format!("  {name} is context {context} ({version})")];
    let pods = match named.namespaces.as_slice() {
        [] => "all pods".to_owned(),
        some => format!("the pods of {}", show::line(&some.join(", "))),
    };
    lines.push(match &cluster.reach {
        Reach::Node => format!("  {pods} get their identity at http://{METADATA_ADDRESS}"),
        Reach::Relays(nodes) => match nodes.len() {
            0 => "  no pod gets an identity: the cluster has no nodes".to_owned(),
            1 => format!("  {pods} get their identity by a relay on its node"),
            some => format!("  {pods} get their identity by relays on its {some} nodes"),
        },
        Reach::No(why) => format!("  {pods} get no identity: {}", show::line(why)),
    });
    match &cluster.google_names {
        Some(GoogleNames::Known) => lines.push(format!(
            "  {pods} that are created from now on know Google's names, such as \
             storage.googleapis.com"
        )),
        Some(GoogleNames::Unknown(why)) => lines.push(format!(
            "  {pods} do not know Google's names: {}",
            show::line(why)
        )),
        None => {}
    }
    if !cluster.reviews {
        lines.push(
            "  tokens are checked by the cluster's public keys, since you may not create \
             tokenreviews; tokens of accounts in other namespaces are refused"
                .to_owned(),
        );
    }
    lines
}

/// The parameters of a status request.
struct Asked<'a> {
    format: StatusFormat,
    caller: Option<&'a str>,
    proxy: bool,
}

fn status(places: &Places, scenario: &str, asked: Asked<'_>) -> Result<Exit, Error> {
    let found = live(places).map_err(|error| unavailable(&error))?;
    let caller = || files(places, asked.caller).map_err(|error| unavailable(&error));
    match (asked.format, found) {
        (StatusFormat::Json, found) => output::json(&json!({ "live": found })),
        (StatusFormat::Env, Some(live)) => {
            let exports = if asked.proxy {
                proxy_exports(&live, places, &caller()?)
            } else {
                exports(&live, &caller()?)
            };
            output::print(&exports.to_string());
        }
        (StatusFormat::Human, Some(live)) => {
            let caller = caller()?;
            output::line(&format!(
                "sandbox `{scenario}` is running, process {}",
                live.pid
            ));
            let row = |name: &str, value: &str| output::line(&format!("  {name:<22} {value}"));
            row("KUBERNETES", &live.kubernetes);
            for (name, url) in &live.endpoints {
                row(name, &show::line(url));
            }
            row(
                "Google's names (TLS)",
                &format!("{0}, also as HTTPS_PROXY=http://{0}", live.google),
            );
            row("CA certificate", &show::path(&places.authority()));
            row("kubeconfig", &show::path(&caller.kubeconfig()));
            row("files", &show::path(&places.dir));
            for line in live.cluster.iter().flat_map(of_cluster) {
                output::line(&line);
            }
        }
        (StatusFormat::Env | StatusFormat::Human, None) => {
            return Err(not_running(places, scenario));
        }
    }
    Ok(Exit::Success)
}

fn not_running(places: &Places, scenario: &str) -> Error {
    let (help, command) = match installed(places) {
        Ok(None) => ("start it:", commands::sandbox(&[], scenario)),
        Ok(Some(_)) => (
            "what it installed in the cluster is still there; remove it:",
            commands::sandbox(&["stop"], scenario),
        ),
        Err(error) => return unavailable(&error).into(),
    };
    Error::usage_with(format!("no sandbox `{scenario}` is running"), help, command)
}

/// Runs the sandbox's kaniko, and returns kaniko's exit code.
async fn build(arguments: Vec<String>) -> Exit {
    // The umask of a container, so that an image does not depend on the user who serves the
    // sandbox.
    umask(Mode::WGRP | Mode::WOTH);
    let mut out = std::io::stdout();
    let code = kaniko::run(arguments.into_iter(), &Environment::of_process(), &mut out).await;
    let _ = out.flush();
    if code == 0 {
        Exit::Success
    } else {
        Exit::Failed
    }
}
