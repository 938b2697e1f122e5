//! Docker's configuration file on this machine, and its credential helpers.
//!
//! As in Docker's command line (`cli/config/configfile`), a helper for the registry (`credHelpers`),
//! or for all (`credsStore`), is asked in place of the file's own entries (`auths`).

mod helper;

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sidestep_contract::registry::login_key;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::{Login, Logins};

use super::reference::Repository;

#[cfg(any(test, fuzzing))]
pub(super) use helper::answered as of_helper;

/// The maximum size of the file, in bytes.
const LARGEST: u64 = 1 << 20;

/// Docker's configuration on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Docker {
    /// The configuration file.
    pub file: PathBuf,
    /// The folders of programs, in the order of `PATH`.
    pub programs: Vec<PathBuf>,
    /// The workspace, whose files are never run as helpers.
    pub workspace: PathBuf,
}

/// Credentials with their origin, for messages.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) login: Login,
    /// Completes "the registry rejects …".
    pub(super) from: String,
    /// Each text that must be masked.
    pub(super) secrets: Vec<String>,
}

impl Docker {
    /// Returns the credentials for a repository, if there are any.
    ///
    /// # Errors
    /// `registry.docker-config` if the file can't be read or a helper fails.
    pub(super) async fn find(&self, repository: &Repository) -> Result<Option<Found>, Failure> {
        let Some(text) = self.read()? else {
            return Ok(None);
        };
        let unusable = |why: &str| self.unusable(why);
        let document: Value =
            serde_json::from_str(&text).map_err(|_| unusable("it is not JSON"))?;
        let key = login_key(&repository.host);
        if let Some(name) = helper_of(&document, key) {
            let found = helper::ask(self, name, key).await?;
            return Ok(found.map(|(login, secrets)| Found {
                login,
                from: format!("the credentials of docker-credential-{name}"),
                secrets,
            }));
        }
        let logins = Logins::parse(&text).map_err(|why| unusable(&why.to_string()))?;
        let login = logins.find(&repository.host, &repository.path).cloned();
        Ok(login.map(|login| Found {
            login,
            from: format!("the credentials in {}", self.file.display()),
            secrets: logins.secrets().map(str::to_owned).collect(),
        }))
    }

    fn read(&self) -> Result<Option<String>, Failure> {
        let size = match std::fs::metadata(&self.file) {
            Ok(facts) if !facts.is_file() => return Err(self.unusable("it is not a file")),
            Ok(facts) => facts.len(),
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(self.unusable(&error.to_string())),
        };
        if size > LARGEST {
            return Err(self.unusable(&format!("it has {size} bytes; at most {LARGEST} are read")));
        }
        match std::fs::read_to_string(&self.file) {
            Ok(text) => Ok(Some(text)),
            Err(error) => Err(self.unusable(&error.to_string())),
        }
    }

    fn unusable(&self, why: &str) -> Failure {
        failure(format!(
            "Docker's configuration file {} can't be used: {why}",
            self.file.display()
        ))
        .with_help("correct it, or remove it and log in again with `docker login`")
    }

    /// Returns the path of a helper: a program of `PATH` that is not in the workspace, also by a
    /// link.
    fn program(&self, name: &str) -> Option<PathBuf> {
        let workspace = self.workspace.canonicalize();
        let workspace = workspace.as_deref().unwrap_or(&self.workspace);
        let folders = self.programs.iter().filter(|folder| folder.is_absolute());
        let mut files = folders.map(|folder| folder.join(format!("docker-credential-{name}")));
        files.find(|file| {
            let real = file.canonicalize();
            real.is_ok_and(|real| !real.starts_with(workspace) && is_program(&real))
        })
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let facts = std::fs::metadata(file);
    facts.is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

/// Returns the name of the helper for a registry's key. An entry of the registry applies even if it
/// is empty, which means the file's own credentials (Docker's `getConfiguredCredentialStore`).
fn helper_of<'d>(document: &'d Value, key: &str) -> Option<&'d str> {
    // A registry with a port or a dot in its name is a plain key of the map.
    let own = document["credHelpers"].get(key);
    let name = own.unwrap_or(&document["credsStore"]);
    name.as_str().filter(|name| !name.is_empty())
}

pub(super) fn failure(message: String) -> Failure {
    Failure::new(
        Class::Failed,
        codes::registry::DOCKER_CONFIG,
        Owner::Operator,
        message,
    )
}

#[cfg(test)]
mod tests;
