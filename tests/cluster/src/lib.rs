//! A real Kubernetes API server or node for a test.
//!
//! The tests of one process share one cluster of each kind, which `cargo xtask cluster` runs in
//! namespaces of its own and which ends with the process. With `SIDESTEP_TEST_KUBECONFIG` the tests
//! use a cluster of the user's instead. A test that gets no cluster returns early: the reason has
//! been printed, and is a failure under `CI=true`.
#![allow(
    clippy::disallowed_methods,
    reason = "variables of the tests are not settings of the runner"
)]

mod google;
mod images;
mod namespace;
mod own;
mod parts;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

pub use google::GoogleNames;
pub use images::Images;
pub use namespace::Namespace;
use own::Own;
pub use parts::{Configured, Stopped};

/// The variable that names the kubeconfig of a user's cluster.
const KUBECONFIG: &str = "SIDESTEP_TEST_KUBECONFIG";

/// A cluster for tests.
#[derive(Debug)]
pub struct Cluster(Source);

/// Where a cluster comes from.
#[derive(Debug)]
enum Source {
    /// It was started by this process.
    Own(Own),
    /// The kubeconfig of the user's cluster.
    Users(PathBuf),
}

/// Returns an API server, or `None` if there is none here. Ours has no nodes and no controllers.
pub fn api() -> Option<&'static Cluster> {
    users().or_else(pinned_api)
}

/// Returns an API server of the pinned version, without nodes and controllers, even if the user names
/// a cluster: for comparisons with that version.
pub fn pinned_api() -> Option<&'static Cluster> {
    static API: OnceLock<Option<Cluster>> = OnceLock::new();
    API.get_or_init(|| Cluster::start("api", &["--api-only"]))
        .as_ref()
}

/// Returns a cluster whose node runs pods, or `None` if there is none here.
pub fn node() -> Option<&'static Cluster> {
    static NODE: OnceLock<Option<Cluster>> = OnceLock::new();
    users().or_else(|| NODE.get_or_init(|| Cluster::start("node", &[])).as_ref())
}

/// Returns another cluster with a node, for tests that stop its parts, drain it or change its
/// configuration. They take turns: the cluster is as it was when the returned guard is dropped.
pub fn node_to_disturb() -> Option<(&'static Cluster, MutexGuard<'static, ()>)> {
    static NODE: OnceLock<Option<Cluster>> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::new(());
    let node = NODE.get_or_init(|| Cluster::start("disturbed", &[]));
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    Some((node.as_ref()?, turn))
}

/// Returns the user's cluster.
fn users() -> Option<&'static Cluster> {
    static USERS: OnceLock<Option<Cluster>> = OnceLock::new();
    let of_variable = || {
        let kubeconfig = std::env::var_os(KUBECONFIG)?;
        Some(Cluster(Source::Users(kubeconfig.into())))
    };
    USERS.get_or_init(of_variable).as_ref()
}

impl Cluster {
    fn start(name: &str, extent: &[&str]) -> Option<Self> {
        match Own::start(name, extent) {
            Ok(own) => Some(Self(Source::Own(own))),
            Err(why) => {
                not_run(&why);
                None
            }
        }
    }

    /// Returns the kubeconfig of an administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        match &self.0 {
            Source::Own(own) => own.kubeconfig(),
            Source::Users(kubeconfig) => kubeconfig.clone(),
        }
    }

    /// Returns an image with a shell that the node has or can pull.
    pub fn image(&self) -> &'static str {
        match &self.0 {
            Source::Own(_) => "sidestep.test/busybox:1",
            Source::Users(_) => "docker.io/library/busybox:1",
        }
    }

    /// Returns a command that runs a program on the node: in the namespaces of the cluster, with its
    /// `KUBECONFIG`. `None` for a user's cluster.
    pub fn on_the_node(&self, program: &str) -> Option<Command> {
        match &self.0 {
            Source::Own(own) => Some(own.exec(program)),
            Source::Users(_) => None,
        }
    }

    /// Runs kubectl.
    pub fn kubectl(&self, arguments: &[&str]) -> Output {
        let mut command = match &self.0 {
            Source::Own(own) => own.exec("kubectl"),
            Source::Users(kubeconfig) => {
                let mut command = Command::new("kubectl");
                command.env("KUBECONFIG", kubeconfig);
                command
            }
        };
        command.args(arguments).output().expect("kubectl starts")
    }

    /// Runs kubectl, and returns what it prints.
    ///
    /// # Panics
    /// If kubectl fails.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.kubectl(arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "kubectl {arguments:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Returns images that are on the node: those that the runner writes, and a builder's. Returns
    /// `None`, and prints it, for a cluster of the user's, into which no archive can be loaded.
    pub fn images(&self, runner: &Path) -> Option<&Images> {
        match &self.0 {
            Source::Own(own) => Some(Images::import(own, runner)),
            Source::Users(_) => {
                let why = format!("images cannot be loaded into the cluster of {KUBECONFIG}");
                not_run(&why);
                None
            }
        }
    }

    /// Returns an image of Google's Python and Go clients that is on the node. Returns `None`, and
    /// prints it, if it was not made, and for a cluster of the user's.
    ///
    /// The programs are `/bin/python3 /opt/clients/storage.py`, with the packages in
    /// `/opt/clients/packages`, and `/opt/clients/storage`. Both take `write` or `read`, a bucket, an
    /// object and a text.
    pub fn clients(&self) -> Option<String> {
        let image = match &self.0 {
            Source::Own(own) => images::clients(own),
            Source::Users(_) => Err(format!(
                "images cannot be loaded into the cluster of {KUBECONFIG}"
            )),
        };
        image.map_err(|why| not_run(&why)).ok()
    }

    /// Lets pods and the node reach a server of this test at the address of Google's names, port 443,
    /// one test at a time. Returns `None` for a cluster of the user's.
    pub fn google_names(&self, server: SocketAddr) -> Option<GoogleNames> {
        match &self.0 {
            Source::Own(own) => Some(GoogleNames::serve(own.folder(), server)),
            Source::Users(_) => None,
        }
    }

    /// Creates a namespace with a default service account, which ends with the returned value.
    pub fn namespace(&self) -> Namespace<'_> {
        Namespace::create(self)
    }
}

/// Prints that a test does not run, and why.
///
/// # Panics
/// Under `CI=true`.
fn not_run(why: &str) {
    let line = format!("not run: tests on a cluster: {why}");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{line}");
    #[expect(clippy::print_stderr, reason = "for the person who runs the tests")]
    {
        eprintln!("{line}");
    }
}

/// Returns the program of `cargo xtask`, which cargo puts above the tests.
fn xtask() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let folder = test.parent().and_then(Path::parent)?;
    Some(folder.join("xtask")).filter(|program| program.is_file())
}
