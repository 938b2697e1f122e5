//! Runs the parts of a cluster, inside its namespaces. If one ends, all end.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::cluster_folder::ClusterFolder;
use super::configuration::{self, GOOGLE_ADDRESS, NODE, SERVICE_ADDRESS};
use super::parts::{Part, Stage, parts};
use super::programs::Programs;
use super::{Extent, cgroups, claim, forward, mounts};
use crate::{Result, cargo};

/// How long a part may take to answer. A node takes 8 s on 2 idle cores.
const PATIENCE: Duration = Duration::from_mins(3);

/// What happens to a cluster.
enum Event {
    Ready,
    Failed(String),
    Ended(&'static str, io::Result<ExitStatus>),
    /// The keeper, or who started it, has gone.
    Abandoned,
}

/// Runs a cluster until a part ends or its keeper goes.
pub(super) fn run(place: &ClusterFolder, extent: Extent) -> Result<ExitCode> {
    let (events, happened) = channel();
    let lifeline = events.clone();
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = lifeline.send(Event::Abandoned);
    });
    let started = place.clone();
    thread::spawn(move || {
        let event = match bring_up(&started, extent, &events) {
            Ok(()) => Event::Ready,
            Err(why) => Event::Failed(why),
        };
        let _ = events.send(event);
    });
    for event in happened {
        match event {
            Event::Ready => tell("ready"),
            Event::Failed(why) => return end(place, &why),
            Event::Ended(name, status) => return end(place, &last_words(place, name, status)),
            Event::Abandoned => {
                clean_up(place);
                break;
            }
        }
    }
    Ok(ExitCode::FAILURE)
}

/// Prints a line for the process that started the cluster. It may have gone.
fn tell(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn end(place: &ClusterFolder, why: &str) -> Result<ExitCode> {
    ClusterFolder::write(&place.ended_file(), why)?;
    tell(&format!("error: {why}"));
    Ok(ExitCode::FAILURE)
}

fn bring_up(place: &ClusterFolder, extent: Extent, events: &Sender<Event>) -> Result<()> {
    let programs = Programs::of_sources()?;
    let cgroup = fs::read_to_string(place.cgroup_file())
        .map_err(|error| format!("cannot read the cgroup's name: {error}"))?;
    mounts::set_up(place, extent)?;
    configuration::write(place, &programs, &cgroup)?;
    forward::to_server(&place.socket(), &format!("{SERVICE_ADDRESS}:443"))?;
    forward::from_address(&format!("{GOOGLE_ADDRESS}:443"), &place.google_socket())?;
    let all = parts(place, &programs, extent);
    start(place, &programs, &all, Stage::First, events)?;
    let kubectl = |arguments: &[&str]| {
        let mut command = programs.command("kubectl");
        cargo::output(
            command
                .arg("--kubeconfig")
                .arg(place.kubeconfig_inside())
                .args(arguments),
        )
    };
    until("the API server", || kubectl(&["get", "--raw=/readyz"]))?;
    wait_for(&kubectl, "create", "namespace/default")?;
    if extent == Extent::Api {
        return Ok(());
    }
    let ctr = || {
        let mut command = Command::new(programs.package("usr/bin").join("ctr"));
        command.arg("--namespace=k8s.io");
        command
    };
    until("containerd", || {
        cargo::output(ctr().args(["images", "list"]))
    })?;
    for image in ["pause", "busybox"] {
        cargo::output(ctr().args(["images", "import"]).arg(programs.image(image)))?;
    }
    start(place, &programs, &all, Stage::WithApi, events)?;
    let node = format!("node/{NODE}");
    // Created: pods of a namespace without an account are refused.
    for object in [&*node, "serviceaccount/default"] {
        wait_for(&kubectl, "create", object)?;
    }
    wait_for(&kubectl, "condition=Ready", &node)
}

/// Starts the parts of a stage, and watches for the end of each.
fn start(
    place: &ClusterFolder,
    programs: &Programs,
    parts: &[Part],
    stage: Stage,
    events: &Sender<Event>,
) -> Result<()> {
    let parts: Vec<&Part> = parts.iter().filter(|part| part.stage == stage).collect();
    let names: Vec<&str> = parts.iter().map(|part| part.name).collect();
    tell(&format!("starting {}", names.join(", ")));
    for part in parts {
        let child = spawn(place, programs, part)?;
        let (events, part) = (events.clone(), part.clone());
        let (place, programs) = (place.clone(), programs.clone());
        thread::spawn(move || {
            let ended = keep(&place, &programs, &part, child);
            events.send(ended)
        });
    }
    Ok(())
}

/// Starts a part. Its log continues if it ran before.
fn spawn(place: &ClusterFolder, programs: &Programs, part: &Part) -> Result<Child> {
    let error = |error: io::Error| format!("cannot start {}: {error}", part.name);
    let log = place.log(part.name);
    let log = File::options().create(true).append(true).open(log);
    let log = log.map_err(error)?;
    let child = Command::new(&part.program)
        .args(&part.arguments)
        .args(more_arguments(place, part.name))
        .env("PATH", programs.path())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(error)?)
        .stderr(log)
        .spawn()
        .map_err(error)?;
    ClusterFolder::write(&place.running(part.name), &child.id().to_string())?;
    Ok(child)
}

/// Returns the arguments that a test has added to those of a part, one a line, before it started the
/// part again.
fn more_arguments(place: &ClusterFolder, part: &str) -> Vec<String> {
    let file = place.configuration(&format!("{part}.arguments"));
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Waits for the end of a part that was not stopped. Starts one again once it is no longer stopped.
fn keep(place: &ClusterFolder, programs: &Programs, part: &Part, mut child: Child) -> Event {
    loop {
        let status = child.wait();
        let _ = fs::remove_file(place.running(part.name));
        if !place.stopped(part.name).exists() {
            return Event::Ended(part.name, status);
        }
        while place.stopped(part.name).exists() {
            thread::sleep(Duration::from_millis(20));
        }
        child = match spawn(place, programs, part) {
            Ok(child) => child,
            Err(why) => return Event::Failed(why),
        };
    }
}

/// Asks until there is an answer.
fn until<T>(what: &str, mut ask: impl FnMut() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return Ok(answer),
            Err(why) if started.elapsed() > PATIENCE => {
                return Err(format!("{what} does not answer: {why}"));
            }
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn wait_for(
    kubectl: &impl Fn(&[&str]) -> Result<String>,
    condition: &str,
    object: &str,
) -> Result<()> {
    let condition = format!("--for={condition}");
    let timeout = format!("--timeout={}s", PATIENCE.as_secs());
    kubectl(&["wait", &condition, &timeout, object]).map(drop)
}

/// Returns what is known about the end of a part.
fn last_words(place: &ClusterFolder, name: &str, status: io::Result<ExitStatus>) -> String {
    let status = match status {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    let log = place.log(name);
    let text = fs::read_to_string(&log).unwrap_or_default();
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    format!(
        "{name} ended with {status}\nits log: {}\nthe last line: {}",
        log.display(),
        last.unwrap_or("none")
    )
}

/// Ends all other processes of the namespace, and removes what the keeper would remove.
fn clean_up(place: &ClusterFolder) {
    let started = Instant::now();
    while kill_others() && started.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(10));
    }
    if let Ok(cgroup) = fs::read_to_string(place.cgroup_file())
        && !cgroup.is_empty()
    {
        cgroups::remove(&cgroup);
    }
    mounts::leave(place);
    let kept = place.is_live();
    let _ = place.remove();
    // A live keeper ends the claim itself, once all others have ended.
    if !kept {
        claim::release_of(place);
    }
}

/// Kills the processes of the namespace except the first one and this one. Returns whether there
/// were any.
fn kill_others() -> bool {
    let own = std::process::id();
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let mut any = false;
    for id in ids.filter(|id| ![1, own].contains(id)) {
        any = true;
        if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    any
}
