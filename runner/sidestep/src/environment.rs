//! The environment variables. The tables here list all variables that the runner reads, and the
//! reference is generated from them.

use std::ffi::OsString;

use sidestep_capabilities::http_client::PROXIES;
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
            "a policy file that applies besides the machine's and the user's",
        ),
        one(
            &[RUN_KEY],
            "tells jobs of one CI run apart that the CI system gives equal variables, such as those \
             of a matrix",
        ),
        one(
            &[LOG],
            "what the runner logs of its own work, for finding the cause of a failure: a level (`off`, \
             `error`, `warn`, `info`, `debug`, `trace`) for its own crates, `NAME=LEVEL` for the crate \
             or module NAME, `*=LEVEL` for all, with commas between them. Others are at `warn` unless \
             they are named. `-vvv` is `trace`",
        ),
        one(
            &[LOG_FORMAT],
            "how that log is written: `text`, or `json` with one object a line",
        ),
        one(
            &[LOG_FILE],
            "the file that the log is appended to, which only its owner can read (mode 0600), in place \
             of standard error. A relative path begins at the workspace",
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
            "the folder of temporary files, and of the report of a crash",
        ),
        one(
            &["NO_COLOR", "TERM", "CI"],
            "how the output looks: no colours with NO_COLOR; no colours and no lines drawn anew on \
             a dumb terminal; no lines drawn anew with CI",
        ),
        one(
            &["TRACEPARENT"],
            "the trace that a run is part of (W3C Trace Context)",
        ),
        Variables {
            names: PROXIES.to_vec(),
            about: "the proxy that reaches other hosts",
        },
        one(
            &["NO_PROXY", "no_proxy"],
            "hosts that are reached without the proxy",
        ),
        one(
            &["SSL_CERT_FILE", "SSL_CERT_DIR"],
            "certificates of authorities in place of the system's",
        ),
        one(
            &["GOOGLE_APPLICATION_CREDENTIALS"],
            "the file of the credentials that Google is called with",
        ),
        one(
            &["GOOGLE_CLOUD_QUOTA_PROJECT"],
            "the project whose quota calls of Google count against",
        ),
        one(
            &["GCE_METADATA_HOST"],
            "the address of Google's metadata server",
        ),
        one(
            &["STORAGE_EMULATOR_HOST"],
            "the address of an emulator of Cloud Storage, as gcloud's libraries take it",
        ),
        one(
            &["KUBECONFIG"],
            "the kubeconfig files whose contexts the setting `clusters` names",
        ),
        one(
            &["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"],
            "the cluster that the runner is in, for `inCluster`",
        ),
        Variables {
            names: ci_variables().collect(),
            about: "the id of the run: the job of a CI system, so that a job that is tried again \
                    goes on with its run",
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
            "where the code comes from, for policies. A job can set them as it likes, so nothing \
             that they say is verified",
        ),
        one(
            &[
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                "CI_SERVER_URL",
            ],
            "the CI system's id token, whose claims `wi-verify` compares with a pool's conditions",
        ),
    ]
}

const HOMES: &str = "where the files of the user lie (XDG Base Directory Specification 0.8); a \
                     relative path is not used";

/// Returns a variable's value, if it is set and valid UTF-8.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where variables are read"
)]
pub(crate) fn get(name: &str) -> Option<String> {
    assert_known(name);
    std::env::var(name).ok()
}

/// Returns a variable's value as the system has it, if it is set.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where variables are read"
)]
pub(crate) fn get_os(name: &str) -> Option<OsString> {
    assert_known(name);
    std::env::var_os(name)
}

/// Returns the value of a variable that a pipeline names.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where variables are read"
)]
pub(crate) fn of_pipeline(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Panics if a variable is missing in the tables. Every test that starts the runner checks this.
fn assert_known(name: &str) {
    debug_assert!(
        settings::is_variable(name) || all().iter().any(|known| known.names.contains(&name)),
        "{name} is read and stands in no table"
    );
}
