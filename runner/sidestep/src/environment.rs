//! The environment variables. The tables here list all variables that the runner reads, and the
//! reference is generated from them.

use std::ffi::OsString;

use sidestep_capabilities::http_client::{NO_PROXIES, PROXIES};
use sidestep_state::{RUN_KEY, ci_variables};

use crate::settings;

/// The policy that applies besides the machine's and the user's.
pub(crate) const POLICY: &str = "SIDESTEP_POLICY";

/// The filter of the runner's own log.
pub(crate) const LOG: &str = "SIDESTEP_LOG";
/// The format of the runner's own log.
pub(crate) const LOG_FORMAT: &str = "SIDESTEP_LOG_FORMAT";
/// The file of the runner's own log.
pub(crate) const LOG_FILE: &str = "SIDESTEP_LOG_FILE";

/// Variables with a common purpose.
pub(crate) struct Variables {
    pub(crate) names: Vec<&'static str>,
    /// Their purpose.
    pub(crate) about: &'static str,
}

/// Returns all variables that are read, except those of settings and those that a pipeline lists in
/// `env` and `secrets`.
pub(crate) fn all() -> Vec<Variables> {
    let one = |names: &[&'static str], about| Variables {
        names: names.to_vec(),
        about,
    };
    vec![
        one(
            &[POLICY],
            "a policy file that applies in addition to the machine's and the user's",
        ),
        one(
            &[RUN_KEY],
            "distinguishes jobs of one CI run to which the CI system gives the same variables, such \
             as the jobs of a matrix",
        ),
        one(
            &[LOG],
            "the levels of the runner's own log, for debugging, separated by commas: a level (`off`, \
             `error`, `warn`, `info`, `debug`, `trace`) for the runner's own crates, `NAME=LEVEL` for \
             the crate or module NAME, `*=LEVEL` for all. Other crates are at `warn` unless they are \
             named. `-vvv` is `trace`",
        ),
        one(
            &[LOG_FORMAT],
            "the format of that log: `text`, or `json` with one object per line",
        ),
        one(
            &[LOG_FILE],
            "the file to which the log is appended, instead of standard error; only its owner can read \
             it (mode 0600). A relative path is relative to the workspace; a link in the workspace is \
             refused. Steps cannot see the file, and build contexts leave it out",
        ),
        one(
            &[
                "HOME",
                "XDG_CONFIG_HOME",
                "XDG_STATE_HOME",
                "XDG_CACHE_HOME",
            ],
            HOMES,
        ),
        one(
            &["TMPDIR"],
            "the folder for temporary files and crash reports",
        ),
        one(
            &["NO_COLOR", "TERM", "CI"],
            "the look of the output: NO_COLOR turns colours off; a dumb terminal (TERM) gets no \
             colours and no redrawn lines; CI turns redrawn lines off",
        ),
        one(
            &["TRACEPARENT"],
            "the trace that a run is part of (W3C Trace Context)",
        ),
        Variables {
            names: PROXIES.to_vec(),
            about: "the proxy for requests to other hosts",
        },
        one(&NO_PROXIES, "hosts for which the proxy is not used"),
        one(
            &["SSL_CERT_FILE", "SSL_CERT_DIR"],
            "CA certificates to trust instead of the system's",
        ),
        one(
            &["GOOGLE_APPLICATION_CREDENTIALS"],
            "the credentials file for calls of Google's APIs",
        ),
        one(
            &["GOOGLE_CLOUD_QUOTA_PROJECT"],
            "the project whose quota calls of Google's APIs use",
        ),
        one(
            &["GCE_METADATA_HOST"],
            "the address of Google's metadata server",
        ),
        one(
            &["SIDESTEP_MOUNTS"],
            "the local folders of a pod's volumes, which the sandbox sets for `sidestep pod`",
        ),
        one(
            &["STORAGE_EMULATOR_HOST"],
            "the address of a Cloud Storage emulator, in the format of Google's client libraries",
        ),
        one(
            &["DOCKER_CONFIG"],
            "the folder of Docker's configuration file, for the runner's calls of registries that are not \
             Google's; `.docker` in HOME if it is not set",
        ),
        one(
            &["PATH"],
            "the folders of the credential helpers that Docker's configuration file names, outside of the \
             workspace",
        ),
        one(
            &["KUBECONFIG"],
            "the kubeconfig files with the contexts that the setting `clusters` and `sandbox --cluster` name",
        ),
        one(
            &["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"],
            "the cluster that the runner is in, for `inCluster`",
        ),
        Variables {
            names: ci_variables().collect(),
            about: "the id of the run, which derives from the CI job, so that a retried job resumes \
                    its run",
        },
        one(
            &[
                "GITHUB_REPOSITORY",
                "GITHUB_REF",
                "GITHUB_EVENT_NAME",
                "GITHUB_EVENT_PATH",
                "CI_SERVER_HOST",
                "CI_PROJECT_PATH",
                "CI_COMMIT_TAG",
                "CI_COMMIT_BRANCH",
                "CI_PIPELINE_SOURCE",
                "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH",
            ],
            "the origin of the code, for policies. A job can set these variables to any value, so \
             the origin is unverified",
        ),
        one(
            &[
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                "CI_SERVER_URL",
                "BUILDKITE_AGENT_ENDPOINT",
                "BUILDKITE_AGENT_ACCESS_TOKEN",
                "BUILDKITE_JOB_ID",
            ],
            "the CI system's ID token, which `identity.provider` exchanges and whose claims `wi-verify` \
             compares with a pool's conditions. GitLab's may be in a variable of any name",
        ),
    ]
}

const HOMES: &str = "the folders of the user's files (XDG Base Directory Specification 0.8); relative \
                     paths are ignored";

/// Returns a variable's value, if it is set and valid UTF-8.
#[expect(
    clippy::disallowed_methods,
    reason = "only this module reads environment variables"
)]
pub(crate) fn get(name: &str) -> Option<String> {
    assert_known(name);
    std::env::var(name).ok()
}

/// Returns a variable's value as the system has it, if it is set.
#[expect(
    clippy::disallowed_methods,
    reason = "only this module reads environment variables"
)]
pub(crate) fn get_os(name: &str) -> Option<OsString> {
    assert_known(name);
    std::env::var_os(name)
}

/// Returns the value of a variable that a pipeline names.
#[expect(
    clippy::disallowed_methods,
    reason = "only this module reads environment variables"
)]
pub(crate) fn of_pipeline(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Panics if a variable is missing in the tables. Every test that starts the runner checks this.
fn assert_known(name: &str) {
    debug_assert!(
        settings::is_variable(name) || all().iter().any(|known| known.names.contains(&name)),
        "{name} is read but is not in the table of variables"
    );
}
