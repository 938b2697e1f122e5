//! The callers, and their credential files for Google's libraries, gcloud and kubectl.
//!
//! The files of every caller are written in advance, so that a client selects a caller by its
//! folder. The sandbox serves all callers at once.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sidestep_sandbox_google::developer_credentials;
use sidestep_sandbox_identity::{DEVELOPER_LIFETIME, Identity};

use crate::SandboxError;
use crate::behind::Behind;
use crate::live::{Places, make_private, read, write};

/// The name of the sandbox's own user.
pub const DEVELOPER: &str = "developer";
/// The name of a caller that is authenticated and has no role.
const NOBODY: &str = "nobody";

/// A possible caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The name for `--as`: `developer`, `nobody`, or a service account's address.
    pub name: String,
    /// The IAM member, which `--as` accepts too.
    pub member: String,
}

impl Caller {
    /// Returns whether a text from a user names this caller.
    fn is(&self, text: &str) -> bool {
        let address = self.member.split_once(':').map(|(_, address)| address);
        text == self.name || text == self.member || address == Some(text)
    }
}

/// The files of one caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerFiles {
    name: String,
    dir: PathBuf,
}

impl CallerFiles {
    /// Returns the caller's name, as in `--as`: [`DEVELOPER`], or that of another caller.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path of the Application Default Credentials.
    pub fn credentials(&self) -> PathBuf {
        self.dir.join("credentials.json")
    }

    /// Returns the path of the kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.dir.join("kubeconfig")
    }

    /// Returns the path of the access token for gcloud.
    pub fn access_token(&self) -> PathBuf {
        self.dir.join("access-token")
    }
}

/// Returns the files of the requested caller, or of the developer if none is requested.
///
/// # Errors
/// If the caller does not exist; the error lists the callers.
pub fn files(places: &Places, asked: Option<&str>) -> Result<CallerFiles, SandboxError> {
    let asked = asked.unwrap_or(DEVELOPER);
    let callers: Vec<Caller> = read(&places.callers())?.unwrap_or_default();
    match callers.iter().find(|caller| caller.is(asked)) {
        Some(caller) => Ok(files_of(places, caller)),
        None => Err(SandboxError::UnknownCaller {
            asked: asked.to_owned(),
            known: callers.into_iter().map(|caller| caller.name).collect(),
        }),
    }
}

fn files_of(places: &Places, caller: &Caller) -> CallerFiles {
    let dir = if caller.name == DEVELOPER {
        places.dir.clone()
    } else {
        places.dir.join("callers").join(&caller.name)
    };
    CallerFiles {
        name: caller.name.clone(),
        dir,
    }
}

/// Writes callers' credentials.
#[derive(Clone)]
pub(crate) struct SignIn {
    pub(crate) places: Places,
    pub(crate) identity: Identity,
    pub(crate) behind: Arc<Behind>,
    /// The developer's IAM member.
    pub(crate) developer: String,
    /// The STS's address.
    pub(crate) sts: String,
}

impl SignIn {
    /// Returns the current callers.
    fn callers(&self) -> Vec<Caller> {
        let caller = |name: &str, member: String| Caller {
            name: name.to_owned(),
            member,
        };
        let mut callers = vec![caller(DEVELOPER, self.developer.clone())];
        for (project, _) in self.identity.projects() {
            for account in self.identity.accounts(&project) {
                let member = format!("serviceAccount:{}", account.email);
                callers.push(caller(&account.email, member));
            }
        }
        callers.push(caller(NOBODY, "user:nobody@example.com".to_owned()));
        callers
    }

    /// Rewrites the files of all callers, and the list of callers.
    pub(crate) fn everybody(&self) -> Result<Vec<Caller>, SandboxError> {
        let callers = self.callers();
        for caller in &callers {
            self.write_files(caller)?;
        }
        self.write_list(&callers)?;
        Ok(callers)
    }

    /// Adds new callers and removes deleted ones, until identity is dropped.
    pub(crate) async fn follow(self, mut known: Vec<Caller>) {
        let mut changes = self.identity.changes();
        while changes.changed().await.is_ok() {
            let callers = self.callers();
            if callers == known {
                continue;
            }
            let mut new = callers.iter().filter(|caller| !known.contains(caller));
            let written = new
                .try_for_each(|caller| self.write_files(caller))
                .and_then(|()| self.write_list(&callers));
            if let Err(error) = written {
                tracing::error!(%error, "a caller of the sandbox could not be signed in");
            }
            known = callers;
        }
    }

    fn write_list(&self, callers: &[Caller]) -> Result<(), SandboxError> {
        let text = serde_json::to_vec_pretty(callers).unwrap_or_default();
        write(&self.places.callers(), &text)
    }

    fn write_files(&self, caller: &Caller) -> Result<(), SandboxError> {
        let files = files_of(&self.places, caller);
        make_private(&files.dir)?;
        let subject = files.dir.join("subject-token");
        let proof = self.identity.mint_subject(&caller.member);
        write(&subject, proof.secret.as_bytes())?;
        let mut credentials = developer_credentials(&self.sts, &subject);
        // The account's address, as in gcloud's own credentials files.
        if let Some((_, email)) = caller.member.split_once(':') {
            credentials["account"] = email.into();
        }
        write(&files.credentials(), credentials.to_string().as_bytes())?;
        let token = self.identity.mint_for(&caller.member, DEVELOPER_LIFETIME);
        write(&files.access_token(), token.secret.as_bytes())?;
        let config = self.behind.kubeconfig(&token.secret);
        write(&files.kubeconfig(), config.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_asked_for_is_found_by_each_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::new(folder.path(), "healthy");
        make_private(&places.dir).unwrap();
        let list = r#"[{"name":"developer","member":"user:dev@example.com"},
            {"name":"a@p.iam.gserviceaccount.com","member":"serviceAccount:a@p.iam.gserviceaccount.com"}]"#;
        write(&places.callers(), list.as_bytes()).unwrap();
        let dir = |asked| files(&places, asked).map(|files| files.dir);
        for asked in [
            None,
            Some("developer"),
            Some("dev@example.com"),
            Some("user:dev@example.com"),
        ] {
            assert_eq!(dir(asked).unwrap(), places.dir);
        }
        let account = dir(Some("serviceAccount:a@p.iam.gserviceaccount.com")).unwrap();
        assert_eq!(
            account,
            places.dir.join("callers/a@p.iam.gserviceaccount.com")
        );
        let error = dir(Some("../x")).unwrap_err().to_string();
        assert_eq!(
            error,
            "the sandbox has no caller `../x`; its callers are developer, \
             a@p.iam.gserviceaccount.com"
        );
    }
}
