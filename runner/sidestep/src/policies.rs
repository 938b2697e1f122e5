//! Finding the operator's policies. All that are found apply.

use std::io::ErrorKind;
use std::path::Path;

use sidestep_events::{Diagnostic, Exit};
use sidestep_policy::Policy;

use crate::commands::Session;
use crate::problems::Problems;

/// The policies, with their texts for messages.
pub(crate) struct Policies {
    pub(crate) policies: Vec<Policy>,
    pub(crate) sources: Vec<(String, String)>,
}

/// Reads the machine's, the user's, `SIDESTEP_POLICY`'s and the flag's policy. The first two need
/// not be there; one that is there and can't be read stops everything.
pub(crate) fn find(session: &Session, flag: Option<&Path>) -> Result<Policies, Problems> {
    let variable = std::env::var_os("SIDESTEP_POLICY").filter(|value| !value.is_empty());
    let named = variable.as_ref().map(Path::new);
    let places = [
        (Some(session.places.machine_policy.as_path()), false),
        (Some(session.places.user_policy.as_path()), false),
        (named, true),
        (flag, true),
    ];
    let mut found = Policies {
        policies: Vec::new(),
        sources: Vec::new(),
    };
    let mut problems = Problems::default();
    for (path, required) in places {
        let Some(path) = path else { continue };
        let path = session.workspace.join(path);
        let name = path.display().to_string();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && !required => continue,
            Err(error) => {
                let message = format!("the policy {name} can't be read: {error}");
                let problem = Diagnostic::error("policy.unreadable", message);
                problems.found.push(problem.with_exit(Exit::Configuration));
                continue;
            }
        };
        match Policy::parse(&name, &text) {
            Ok(policy) => found.policies.push(policy),
            Err(wrong) => problems.found.extend(wrong),
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
