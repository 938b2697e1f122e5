//! Finds the operator's policies. All policies that are found apply.

use std::path::Path;

use sidestep_events::{Diagnostic, Exit, codes};
use sidestep_files::own::{self, OwnError};
use sidestep_files::{OpenError, given};
use sidestep_policy::Policy;
use sidestep_report::Problems;

use crate::site::{PolicyFiles, Site};

/// The policies, and their texts for messages.
pub(crate) struct Policies {
    pub(crate) policies: Vec<Policy>,
    pub(crate) sources: Vec<(String, String)>,
}

/// The way in which the path of a policy was chosen.
#[derive(Debug, Clone, Copy)]
enum Named {
    /// It is a default path. The file may be missing; if it exists, only the user and root may be
    /// able to write it.
    ByPlace,
    /// The user who started the runner named it. Such a policy can only narrow permissions.
    ByCaller,
}

/// Reads a policy. Returns `None` if a file at a default path does not exist. An existing policy
/// that can't be used is an error, since skipping it would lift its limits.
fn read(path: &Path, named: Named) -> Result<Option<String>, Diagnostic> {
    let limit = sidestep_policy::tree::MAX_BYTES as u64;
    let unreadable = |error: OpenError| {
        let message = format!("the policy {} can't be read: {error}", path.display());
        Diagnostic::error(codes::policy::UNREADABLE, message)
    };
    let opened = match named {
        Named::ByCaller => return given::read_text(path, limit).map(Some).map_err(unreadable),
        Named::ByPlace => own::open(path),
    };
    match opened {
        Ok(file) => {
            let text = sidestep_files::read(file, limit).and_then(sidestep_files::text);
            text.map(Some).map_err(unreadable)
        }
        Err(OwnError::Io(error)) => match OpenError::from(error) {
            OpenError::NotFound => Ok(None),
            error => Err(unreadable(error)),
        },
        Err(OwnError::NotOwn(not_own)) => {
            let message = format!("the policy {} can't be trusted: {not_own}", path.display());
            let help = "read the file, then make yourself its only owner and writer:";
            Err(Diagnostic::error(codes::policy::NOT_OWN, message)
                .with_help(help)
                .with_helps(not_own.repair()))
        }
    }
}

/// Reads the policies of the machine, the user, `SIDESTEP_POLICY` and the flag. The first two may
/// be missing. An existing policy that can't be read stops everything.
pub(crate) fn find(site: &Site, flag: Option<&Path>) -> Result<Policies, Problems> {
    let PolicyFiles {
        machine,
        user,
        named,
    } = &site.policies;
    let places = [
        (machine.as_deref(), Named::ByPlace),
        (user.as_deref(), Named::ByPlace),
        (named.as_deref(), Named::ByCaller),
        (flag, Named::ByCaller),
    ];
    let mut found = Policies {
        policies: Vec::new(),
        sources: Vec::new(),
    };
    let mut problems = Problems::default();
    for (path, named) in places {
        let Some(path) = path else { continue };
        let path = site.workspace.join(path);
        let name = path.display().to_string();
        let text = match read(&path, named) {
            Ok(Some(text)) => text,
            Ok(None) => continue,
            Err(problem) => {
                problems.extend([problem.with_exit(Exit::Configuration)]);
                continue;
            }
        };
        match Policy::parse(&name, &text) {
            Ok(policy) => found.policies.push(policy),
            Err(wrong) => problems.extend(wrong),
        }
        problems = problems.with_source(&name, &text);
        found.sources.push((name, text));
    }
    if problems.has_errors() {
        Err(problems)
    } else {
        Ok(found)
    }
}
