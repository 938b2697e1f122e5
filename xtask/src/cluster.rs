//! `cargo xtask cluster`: Kubernetes on this machine, for the tests.
//!
//! A cluster lives in network, mount and process namespaces of its own. Its first process is
//! process 1 of its process namespace, so the kernel ends everything with it. Three processes of
//! this program run each cluster:
//!
//! - the keeper ([`keeper`]), outside the namespaces, removes what a namespace does not: the
//!   cgroups and the folder;
//! - the first process ([`first`]) only collects ended processes;
//! - its child ([`node`]) sets up the namespaces, starts etcd, Kubernetes and containerd, and ends
//!   when one of them does.

mod cache;
mod cgroups;
mod claim;
mod clients;
mod cluster_folder;
mod command;
mod configuration;
mod digest;
mod enter;
mod first;
mod forward;
mod keeper;
mod machine;
mod mounts;
mod node;
mod packages;
mod parts;
mod programs;
mod stopping;
mod unused;

use std::process::ExitCode;

use crate::{Result, say};
use claim::Claim;
use cluster_folder::ClusterFolder;
use command::Command;

/// How much of a cluster is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// etcd and the API server.
    Api,
    /// A whole node, on which pods run.
    Node,
}

/// The flag of [`Extent::Api`].
const API_ONLY: &str = "--api-only";

/// Runs a `cargo xtask cluster` command.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    match command::parse(arguments)? {
        Command::Help => println!("{}", command::USAGE),
        Command::Build(extent) => {
            let programs = programs::build(extent)?;
            if extent == Extent::Node {
                clients::make(&programs)?;
            }
            println!("{}", programs.kubernetes().display());
        }
        Command::Check(extent) => {
            machine::check(extent)?;
            programs::check(extent)?;
        }
        Command::Clients => println!("{}", clients::image()?.display()),
        Command::Up { name, extent } => up(&name, extent)?,
        Command::Down { name } => down(&name)?,
        Command::Status => status()?,
        Command::Stop { place, part } => stopping::stop(&place, &part)?,
        Command::Start { place, part } => stopping::start(&place, &part)?,
        Command::Exec {
            name,
            folder,
            words,
        } => {
            let place = folder.map_or_else(|| ClusterFolder::named(&name), ClusterFolder::at);
            return enter::exec(&place, &name, &words);
        }
        Command::Keep { folder, extent } => return keeper::run(&ClusterFolder::at(folder), extent),
        Command::First { folder, extent } => return first::run(&ClusterFolder::at(folder), extent),
        Command::Node { folder, extent } => return node::run(&ClusterFolder::at(folder), extent),
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the programs of clusters at low priority. Returns the reason if this machine cannot run a
/// node.
pub(crate) fn prepare() -> Result<()> {
    machine::check(Extent::Node)?;
    programs::build(Extent::Node).map(drop)
}

/// Makes the image of Google's clients. Returns the reason if it cannot be had.
pub(crate) fn prepare_clients() -> Result<()> {
    clients::make(&programs::build(Extent::Node)?)
}

fn up(name: &str, extent: Extent) -> Result<()> {
    machine::check(extent)?;
    let place = ClusterFolder::named(name);
    let refused = || {
        format!(
            "cluster `{name}` is already up; end it with\n{}",
            command::line("down", name)
        )
    };
    if place.is_live() {
        return Err(refused());
    }
    programs::build(extent)?;
    let taken = keeper::start_detached(&place, extent)?.ok_or_else(refused)?;
    say::beside(&format!(
        "cluster `{name}` is up after {:.1} s",
        taken.as_secs_f32()
    ));
    let objects = match extent {
        Extent::Api => "namespaces",
        Extent::Node => "nodes",
    };
    println!("export KUBECONFIG={}", place.kubeconfig().display());
    println!("{} kubectl get {objects}", command::line("exec", name));
    println!("{}", command::line("down", name));
    Ok(())
}

fn down(name: &str) -> Result<()> {
    let place = ClusterFolder::named(name);
    let said = match (place.is_live(), place.ended()) {
        (true, _) => {
            keeper::end(&place)?;
            format!("cluster `{name}` is down")
        }
        (false, Some(why)) => format!("cluster `{name}` had already ended: {why}"),
        (false, None) => format!("cluster `{name}` is not up"),
    };
    cgroups::sweep();
    // A cluster that was started in the meantime is another one.
    if let Some(claim) = Claim::take(&place)? {
        place.remove()?;
        claim.release();
    }
    say::beside(&said);
    Ok(())
}

fn status() -> Result<()> {
    let names = cluster_folder::names()?;
    if names.is_empty() {
        println!("no cluster is up");
    }
    for name in names {
        let place = ClusterFolder::named(&name);
        match (place.is_live(), place.ended()) {
            (true, _) => println!("{name}: up, KUBECONFIG={}", place.kubeconfig().display()),
            (false, Some(why)) => println!("{name}: ended: {why}"),
            (false, None) => println!(
                "{name}: killed; remove it with {}",
                command::line("down", &name)
            ),
        }
    }
    Ok(())
}
