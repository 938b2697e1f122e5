//! The environment of a CI job, as the sandbox's CI systems give it.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sidestep_sandbox_google::ci::{CLAIM, GITHUB, GITLAB, Job};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::SandboxError;
use crate::exports::{Exports, endpoints};
use crate::live::{Live, Places};

/// A job of a CI system.
#[derive(Debug, Clone, Copy)]
pub struct JobOf<'a> {
    /// The CI system: `github` or `gitlab`.
    pub ci: &'a str,
    /// The claims to set, beside those of the scenario.
    pub claims: &'a [(String, String)],
}

impl JobOf<'_> {
    /// The CI systems.
    pub const SYSTEMS: [&'static str; 2] = [GITHUB, GITLAB];

    /// Returns the claims as parameters of a query.
    fn query(&self) -> String {
        let parameters = self.claims.iter().map(|(name, value)| {
            let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
            format!(
                "&{CLAIM}{}={value}",
                utf8_percent_encode(name, NON_ALPHANUMERIC)
            )
        });
        parameters.collect()
    }
}

/// Returns the variables of a job that uses a live sandbox: those that its CI system sets, the
/// identity that its settings name, and the sandbox's addresses.
///
/// # Errors
/// If the sandbox does not answer.
pub async fn job_exports(
    live: &Live,
    places: &Places,
    of: JobOf<'_>,
) -> Result<Exports, SandboxError> {
    let path = places.job_token();
    let bearer = std::fs::read_to_string(&path).map_err(SandboxError::state(&path))?;
    let (ci, query) = (of.ci, of.query());
    let job = start(&live.ci, &format!("/{ci}/job?{query}"), &bearer)
        .await
        .map_err(|why| SandboxError::setup("CI", why))?;
    let mut list = Vec::new();
    let mut own = |name: &str, value: String| list.push((name.to_owned(), value));
    match (ci, job.token) {
        (GITLAB, token) => {
            own("GITLAB_CI", "true".to_owned());
            own("CI_SERVER_URL", job.issuer);
            if let Some(token) = token {
                own("GOOGLE_TOKEN", token);
            }
        }
        _ => {
            own("GITHUB_ACTIONS", "true".to_owned());
            if job.id_token {
                let url = format!("{}/{ci}/id-token?api-version=2.0{query}", live.ci);
                own("ACTIONS_ID_TOKEN_REQUEST_URL", url);
                own("ACTIONS_ID_TOKEN_REQUEST_TOKEN", bearer);
            }
        }
    }
    own("SIDESTEP_IDENTITY_PROVIDER", job.provider);
    if let Some(account) = job.service_account {
        own("SIDESTEP_IDENTITY_SERVICE_ACCOUNT", account);
    }
    list.extend(endpoints(live));
    Ok(Exports(list))
}

/// Starts a job at the CI system.
async fn start(url: &str, path: &str, bearer: &str) -> Result<Job, String> {
    let address = url.strip_prefix("http://").unwrap_or_default();
    let said = |error: std::io::Error| format!("it can't be asked for a job: {error}");
    let mut stream = TcpStream::connect(address).await.map_err(said)?;
    // HTTP/1.0: the answer ends with the connection.
    let request =
        format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {bearer}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(said)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.map_err(said)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    serde_json::from_str(body).map_err(|_| {
        let status = head.lines().next().unwrap_or("nothing");
        format!("it answers a request for a job with {status}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_parameters_of_a_query() {
        let claims = [("ref".to_owned(), "refs/heads/a b&c".to_owned())];
        let of = JobOf {
            ci: "github",
            claims: &claims,
        };
        assert_eq!(of.query(), "&claim.ref=refs%2Fheads%2Fa%20b%26c");
    }
}
