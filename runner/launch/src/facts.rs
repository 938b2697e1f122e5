//! What is known of the code that runs: for `git` in expressions, and for policies.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use sidestep_files::given;
use sidestep_policy::{Origin, Trust};

/// The most bytes of GitHub's event file that are read; GitHub sends at most 25 MB.
const MAX_EVENT: u64 = 25 << 20;

/// What `git` is in expressions; parts that are not known are null.
pub(crate) fn git(workspace: &Path) -> Value {
    // All are asked before the first is waited for.
    let ask = |args: &[&str]| {
        Command::new("git")
            .arg("-C")
            .arg(workspace)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
    };
    let commit = ask(&["rev-parse", "HEAD"]);
    let short = ask(&["rev-parse", "--short=12", "HEAD"]);
    let branch = ask(&["symbolic-ref", "--short", "-q", "HEAD"]);
    let answer = |asked: std::io::Result<Child>| {
        let output = asked.ok()?.wait_with_output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let text = text.trim();
        (output.status.success() && !text.is_empty()).then(|| text.to_owned())
    };
    json!({
        "commit": answer(commit),
        "shortCommit": answer(short),
        "branch": answer(branch),
    })
}

/// Where the code comes from, by the CI's environment. A job can set these variables as it likes,
/// so nothing here is verified.
pub(crate) fn origin(env: impl Fn(&str) -> Option<String>) -> Origin {
    let env = |name: &str| env(name).filter(|value| !value.is_empty());
    if let Some(repository) = env("GITHUB_REPOSITORY") {
        let event = env("GITHUB_EVENT_NAME");
        let fork = event
            .as_deref()
            .is_some_and(|event| event.starts_with("pull_request"))
            && env("GITHUB_EVENT_PATH").is_some_and(|path| is_fork(Path::new(&path)));
        return Origin {
            repository: Some(format!("github.com/{repository}")),
            git_ref: env("GITHUB_REF"),
            event,
            trust: if fork { Trust::Fork } else { Trust::Unverified },
        };
    }
    if let (Some(host), Some(project)) = (env("CI_SERVER_HOST"), env("CI_PROJECT_PATH")) {
        let tag = env("CI_COMMIT_TAG").map(|tag| format!("refs/tags/{tag}"));
        let branch = || env("CI_COMMIT_BRANCH").map(|branch| format!("refs/heads/{branch}"));
        let source = env("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH");
        return Origin {
            repository: Some(format!("{host}/{project}")),
            git_ref: tag.or_else(branch),
            event: env("CI_PIPELINE_SOURCE"),
            trust: if source.is_some_and(|source| source != project) {
                Trust::Fork
            } else {
                Trust::Unverified
            },
        };
    }
    Origin::default()
}

/// Whether the pull request of GitHub's event file comes from another repository. One that can't
/// be read counts as such.
fn is_fork(event: &Path) -> bool {
    let read = || {
        let event: Value = serde_json::from_slice(&given::read(event, MAX_EVENT).ok()?).ok()?;
        let name = |side: &str| {
            event["pull_request"][side]["repo"]["full_name"]
                .as_str()
                .map(str::to_owned)
        };
        Some(name("head")? == name("base")?)
    };
    !read().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_request_is_a_fork_s_unless_shown_otherwise() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("event.json");
        let trust = |head: &str| {
            let event = json!({"pull_request": {
                "head": {"repo": {"full_name": head}}, "base": {"repo": {"full_name": "acme/app"}},
            }});
            std::fs::write(&file, event.to_string()).expect("written");
            let path = file.display().to_string();
            origin(|name| match name {
                "GITHUB_REPOSITORY" => Some("acme/app".into()),
                "GITHUB_EVENT_NAME" => Some("pull_request".into()),
                "GITHUB_EVENT_PATH" => Some(path.clone()),
                _ => None,
            })
            .trust
        };
        assert_eq!(trust("acme/app"), Trust::Unverified);
        assert_eq!(trust("evil/app"), Trust::Fork);
        assert!(is_fork(Path::new("/nonexistent")));
    }
}
