//! The circumstances in which a run was started, which its resumption must share.

use std::path::Path;

use sidestep_events::{Command, Header, commands};

use crate::error::Error;

/// The circumstances that a user asks for when resuming a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// An additional policy.
    pub policy: Option<&'a Path>,
    /// The sandbox scenario, if the user named one.
    pub sandbox: Option<&'a str>,
    /// Whether the user named the workspace. Otherwise it is the current folder.
    pub names_workspace: bool,
}

impl Asked<'_> {
    /// Checks that a run with this header was started in the same workspace and, if the user named
    /// a sandbox, in that sandbox.
    pub(crate) fn check(&self, workspace: &Path, header: &Header) -> Result<(), Error> {
        if let Some(started) = elsewhere(workspace, header) {
            let gone = matches!(Path::new(started).try_exists(), Ok(false));
            // A workspace that was moved can only be told from another one by its owner.
            if !(gone && self.names_workspace) {
                return Err(other_workspace(header, started, gone));
            }
        }
        if self.sandbox.is_some() && self.sandbox != header.sandbox.as_deref() {
            return Err(Error::usage_with(
                format!("run {} was started {}", header.run, cloud(header)),
                "resume the run as it was started:",
                how_to_resume(workspace, header),
            ));
        }
        Ok(())
    }
}

fn other_workspace(header: &Header, started: &str, gone: bool) -> Error {
    let message = format!("run {} was started in the workspace {started}", header.run);
    if gone {
        let help =
            "that folder no longer exists; if it was moved, name its new path with --workspace";
        return Error::usage(message, help);
    }
    let help = "a run builds the files of its workspace; resume it there:";
    Error::usage_with(message, help, commands::resume_in(&header.run, started))
}

/// Returns the workspace as a journal's header names it.
pub(crate) fn name_of(workspace: &Path) -> String {
    workspace.to_string_lossy().into_owned()
}

/// Returns the workspace that the run was started in, if it is another one.
pub(crate) fn elsewhere<'h>(workspace: &Path, header: &'h Header) -> Option<&'h str> {
    let started = header.workspace.as_deref()?;
    (started != name_of(workspace)).then_some(started)
}

/// Describes the cloud that the run was started against, to follow "was started".
pub(crate) fn cloud(header: &Header) -> String {
    match &header.sandbox {
        Some(scenario) => format!("in the sandbox `{scenario}`"),
        None => "against Google Cloud".to_owned(),
    }
}

/// Returns the command that resumes the run from the current workspace.
pub(crate) fn how_to_resume(workspace: &Path, header: &Header) -> Option<Command> {
    match elsewhere(workspace, header) {
        Some(workspace) => commands::resume_in(&header.run, workspace),
        None => commands::resume(&header.run),
    }
}

#[cfg(test)]
mod tests {
    use sidestep_events::JOURNAL_VERSION;

    use super::*;

    fn header(sandbox: Option<&str>, workspace: Option<&str>) -> Header {
        Header {
            format: JOURNAL_VERSION,
            writer: "sidestep 0.0.0".into(),
            run: "r".into(),
            plan_digest: "sha256:00".into(),
            sandbox: sandbox.map(str::to_owned),
            caller: None,
            workspace: workspace.map(str::to_owned),
        }
    }

    /// Returns whether the run is resumed with these flags in the folder `/`.
    fn resumes(header: &Header, sandbox: Option<&str>, names_workspace: bool) -> bool {
        let asked = Asked {
            policy: None,
            sandbox,
            names_workspace,
        };
        asked.check(Path::new("/"), header).is_ok()
    }

    #[test]
    fn a_run_is_resumed_as_it_was_started() {
        let real = header(None, Some("/"));
        let sandboxed = header(Some("healthy"), Some("/"));
        assert!(resumes(&real, None, false) && resumes(&sandboxed, None, false));
        assert!(resumes(&sandboxed, Some("healthy"), false));
        assert!(!resumes(&sandboxed, Some("build-hangs"), false));
        assert!(!resumes(&real, Some("healthy"), false));
    }

    #[test]
    fn a_run_is_resumed_in_its_workspace() {
        let without = header(None, None);
        assert!(resumes(&without, None, false), "an earlier version's");
        for named in [false, true] {
            assert!(!resumes(&header(None, Some("/proc")), None, named));
        }
        let gone = header(None, Some("/proc/no such folder"));
        assert!(resumes(&gone, None, true) && !resumes(&gone, None, false));
    }
}
