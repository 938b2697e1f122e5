//! The programs that the sandbox runs for images.

use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process_group};
use sidestep_contract::Image;
use sidestep_sandbox_kubernetes::ResolvedContainer;
use tokio::process::{Child, Command};

/// The search path of a container that sets none, as container runtimes set it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The images whose commands run as processes of this machine, without isolation. The operator names
/// them, because the text of a pipeline or a plugin then runs with the operator's permissions.
#[derive(Debug, Clone, Default)]
pub struct LocalImages {
    named: Vec<String>,
    helper: Option<String>,
}

/// A program that the sandbox runs for an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// Its own kaniko.
    Kaniko,
    /// The container's command.
    Command,
    /// The runner's own commands for pods.
    Helper,
}

impl LocalImages {
    /// Returns the images of these repositories, `HOST/PATH` or the short names of Docker Hub, with
    /// any tag and digest.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let names = names.into_iter();
        Self {
            named: names.map(|name| Image::split(name).repository()).collect(),
            helper: None,
        }
    }

    /// Adds the helper image, whose commands for pods the sandbox's own program runs.
    #[must_use]
    pub fn with_helper(self, image: Option<&str>) -> Self {
        Self {
            helper: image.map(|image| Image::split(image).repository()),
            ..self
        }
    }

    /// Returns the repositories of these images in order.
    pub fn repositories(&self) -> Vec<String> {
        let all = self.named.iter().chain(&self.helper);
        let mut all: Vec<String> = all.cloned().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Returns what the sandbox runs for an image; `None` if it can't run it.
    pub(super) fn program_of(&self, image: &str) -> Option<Program> {
        let split = Image::split(image);
        let repository = split.repository();
        if self.named.contains(&repository) {
            Some(Program::Command)
        } else if self.helper.as_ref() == Some(&repository) {
            Some(Program::Helper)
        } else if split.name.contains("kaniko") {
            Some(Program::Kaniko)
        } else {
            None
        }
    }
}

/// Returns the process of a container's command, in the container's own folder.
pub(super) fn command(container: &ResolvedContainer) -> io::Result<Command> {
    let mut words = container.command.iter().chain(&container.args);
    let Some(program) = words.next().filter(|_| !container.command.is_empty()) else {
        return Err(io::Error::other(
            "it has no files of the image, and so does not know the image's own program: set `command` or `script`",
        ));
    };
    let mut command = Command::new(program);
    command.args(words);
    let folder = container.working_dir.as_deref();
    let folder = folder.and_then(|path| local(path, container));
    command.current_dir(folder.unwrap_or_else(|| container.folder.clone()));
    Ok(command)
}

/// Returns the process of the helper image: only the commands that need nothing of this machine.
pub(super) fn helper(program: &Path, container: &ResolvedContainer) -> io::Result<Command> {
    let is_for_pods = container.args.first().is_some_and(|word| word == "pod");
    if !container.command.is_empty() || !is_for_pods {
        return Err(io::Error::other(
            "of the helper image it runs only the commands for pods",
        ));
    }
    let mut command = Command::new(program);
    command.args(&container.args).current_dir(&container.folder);
    Ok(command)
}

/// Returns the process of the sandbox's kaniko. No argument of a pod is one of the runner's own.
pub(super) fn kaniko(program: &Path, container: &ResolvedContainer) -> Command {
    let mut command = Command::new(program);
    command
        .args(["sandbox", "kaniko", "--"])
        .args(&container.args)
        .current_dir(&container.folder);
    command
}

/// Returns those variables of a container that the sandbox's own program reads as kaniko. The others
/// could make a loader run code of the pipeline's on this machine (`LD_PRELOAD`), or lead the
/// program to other servers and certificates.
pub(super) fn own_environment(container: &ResolvedContainer) -> Vec<(String, String)> {
    let known = container.env.iter();
    let known = known.filter(|(name, _)| sidestep_sandbox_kaniko::VARIABLES.contains(&&**name));
    known.cloned().collect()
}

/// Returns the variables of a container. A process has this machine's file system, so a value that
/// is a path in a volume becomes the path of the volume's local folder.
pub(super) fn environment(container: &ResolvedContainer) -> Vec<(String, String)> {
    let mut env = vec![("PATH".to_owned(), PATH.to_owned())];
    for (name, value) in &container.env {
        let path = local(value, container);
        let value = path.map_or_else(|| value.clone(), |path| path.display().to_string());
        env.push((name.clone(), value));
    }
    env
}

/// Returns the local path of a path in one of the container's volumes.
fn local(path: &str, container: &ResolvedContainer) -> Option<PathBuf> {
    container.mounts.iter().find_map(|mount| {
        let rest = Path::new(path).strip_prefix(&mount.path).ok()?;
        let whole = rest.as_os_str().is_empty();
        Some(if whole {
            mount.host.clone()
        } else {
            mount.host.join(rest)
        })
    })
}

/// The processes of a container: those of the group that its first process leads. They are killed
/// when it is dropped.
#[derive(Debug)]
pub(super) struct Group(Option<Pid>);

impl Group {
    /// Returns the group that a process leads.
    pub(super) fn of(leader: &Child) -> Self {
        let id = leader.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    /// Kills what is left of it, once.
    pub(super) fn kill(&mut self) {
        if let Some(group) = self.0.take() {
            // All of them may have ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use sidestep_sandbox_kubernetes::Mount;

    use super::*;

    fn container() -> ResolvedContainer {
        ResolvedContainer {
            name: "main".to_owned(),
            image: "busybox:1".to_owned(),
            command: Vec::new(),
            args: Vec::new(),
            env: vec![
                ("OUTPUTS".to_owned(), "/dev/termination-log".to_owned()),
                ("KEY".to_owned(), "/run/secrets/a/key.pem".to_owned()),
                ("OTHER".to_owned(), "/run/secrets/ab".to_owned()),
            ],
            mounts: [
                ("/dev/termination-log", "/pods/1/message"),
                ("/run/secrets/a", "/pods/1/volumes/a"),
            ]
            .map(|(path, host)| Mount {
                path: path.to_owned(),
                host: host.into(),
                read_only: false,
            })
            .into(),
            working_dir: None,
            folder: "/pods/1/main".into(),
            termination_message: "/pods/1/message".into(),
            restarts: 0,
            memory_limit: None,
        }
    }

    #[test]
    fn only_named_images_run_as_processes_whatever_their_tag() {
        let images = LocalImages::of(["busybox", "europe-docker.pkg.dev/demo/images/kaniko-tests"]);
        for (image, program) in [
            ("busybox:1.37", Some(Program::Command)),
            ("docker.io/library/busybox@sha256:0", Some(Program::Command)),
            ("example.com/busybox", None),
            ("busybox-more", None),
            ("ghcr.io/osscontainertools/kaniko:v1", Some(Program::Kaniko)),
            (
                "europe-docker.pkg.dev/demo/images/kaniko-tests:1",
                Some(Program::Command),
            ),
            ("python:3.13@sha256:kaniko", None),
        ] {
            assert_eq!(images.program_of(image), program, "{image}");
        }
        assert_eq!(LocalImages::default().program_of("busybox"), None);
        let helped = LocalImages::default().with_helper(Some("example.com/sidestep:1"));
        let program = helped.program_of("example.com/sidestep@sha256:0");
        assert_eq!(program, Some(Program::Helper));
    }

    #[test]
    fn the_helper_image_runs_only_the_commands_for_pods() {
        let mut container = container();
        container.args = vec!["run".to_owned()];
        assert!(helper("/bin/sidestep".as_ref(), &container).is_err());
        container.args = vec!["pod".to_owned(), "wait-for-identity".to_owned()];
        let command = helper("/bin/sidestep".as_ref(), &container).expect("a command");
        assert_eq!(command.as_std().get_program(), "/bin/sidestep");
    }

    #[test]
    fn the_sandbox_s_own_program_gets_no_variable_that_a_loader_reads() {
        let mut container = container();
        for name in [
            "LD_PRELOAD",
            "LD_AUDIT",
            "LD_LIBRARY_PATH",
            "GLIBC_TUNABLES",
            "TMPDIR",
            "HTTPS_PROXY",
            "SSL_CERT_FILE",
            "SIDESTEP_LOG_FILE",
            "SIDESTEP_ROOT",
            "SIDESTEP_ENDPOINT_REGISTRY",
            "STORAGE_EMULATOR_HOST",
        ] {
            container.env.push((name.to_owned(), "./x.so".to_owned()));
        }
        let env = own_environment(&container);
        let names: Vec<&str> = env.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["STORAGE_EMULATOR_HOST"]);
    }

    #[test]
    fn an_argument_of_a_build_is_none_of_the_runner_s() {
        let mut container = container();
        container.args = vec!["--workspace=/".to_owned()];
        let command = kaniko("/bin/sidestep".as_ref(), &container);
        let command = command.as_std();
        assert_eq!(command.get_current_dir(), Some(Path::new("/pods/1/main")));
        let args: Vec<_> = command.get_args().collect();
        assert_eq!(args, ["sandbox", "kaniko", "--", "--workspace=/"]);
    }

    #[test]
    fn paths_in_volumes_are_local_ones() {
        let env = environment(&container());
        let value = |name: &str| {
            let found = env.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(value("OUTPUTS"), Some("/pods/1/message"));
        assert_eq!(value("KEY"), Some("/pods/1/volumes/a/key.pem"));
        assert_eq!(value("OTHER"), Some("/run/secrets/ab"));
        assert_eq!(value("PATH"), Some(PATH));
    }

    #[test]
    fn the_program_of_an_image_without_a_command_is_unknown() {
        let mut container = container();
        let error = command(&container).expect_err("there is none");
        assert!(error.to_string().contains("set `command`"), "{error}");
        container.command = vec!["/bin/sh".to_owned(), "-c".to_owned()];
        container.args = vec!["true".to_owned()];
        let command = command(&container).expect("there is one");
        let command = command.as_std();
        assert_eq!(command.get_program(), "/bin/sh");
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["-c", "true"]);
        assert_eq!(command.get_current_dir(), Some(Path::new("/pods/1/main")));
    }
}
