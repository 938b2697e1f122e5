//! Collects facts about the code that runs: for `git` in expressions, and for policies.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use sidestep_files::given;
use sidestep_policy::{Origin, Trust};

/// The maximum number of bytes read from GitHub's event file; GitHub sends at most 25 MB.
const MAX_EVENT: u64 = 25 << 20;

/// Returns the value of `git` in expressions. Parts that are unknown, or that no expression reads,
/// are null.
pub(crate) fn git(workspace: &Path, reads: impl Fn(&str) -> bool) -> Value {
    let [commit, short, branch] = ["commit", "shortCommit", "branch"].map(reads);
    // An option of `rev-parse` applies to the names after it, so one process returns both.
    let commits = match (commit, short) {
        (true, true) => &["rev-parse", "HEAD", "--short=12", "HEAD"][..],
        (true, false) => &["rev-parse", "HEAD"],
        (false, true) => &["rev-parse", "--short=12", "HEAD"],
        (false, false) => &[],
    };
    let commits = ask(workspace, commits);
    let branch = if branch {
        ask(workspace, &["symbolic-ref", "--short", "-q", "HEAD"])
    } else {
        None
    };
    // Both processes are started before the first is awaited, so that they run in parallel.
    let mut commits = lines(commits).into_iter();
    let mut next = |asked: bool| asked.then(|| commits.next()).flatten();
    json!({
        "commit": next(commit),
        "shortCommit": next(short),
        "branch": lines(branch).into_iter().next(),
    })
}

/// Starts git, unless the question is empty.
fn ask(workspace: &Path, question: &[&str]) -> Option<Child> {
    if question.is_empty() {
        return None;
    }
    Command::new("git")
        .arg("-C")
        .arg(workspace)
        .args(question)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()
}

/// Returns git's output lines, or nothing if git fails.
fn lines(asked: Option<Child>) -> Vec<String> {
    let answer = || {
        let output = asked?.wait_with_output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then_some(text)
    };
    let text = answer().unwrap_or_default();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// Returns the origin of the code, according to the CI system's environment. A job can set these
/// variables freely, so nothing here is verified.
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

/// Returns whether the pull request in GitHub's event file comes from another repository. If the
/// file can't be read, returns `true`.
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
    fn git_answers_what_is_read_and_only_that() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = |args: &[&str]| {
            let mut git = Command::new("git");
            git.arg("-C").arg(folder.path()).args(args);
            let output = git.output().expect("git");
            assert!(output.status.success(), "{args:?}: {output:?}");
            String::from_utf8(output.stdout)
                .expect("text")
                .trim()
                .to_owned()
        };
        let all = |part: &str| matches!(part, "commit" | "shortCommit" | "branch");
        let nothing = json!({"commit": null, "shortCommit": null, "branch": null});
        assert_eq!(git(folder.path(), all), nothing, "no repository");
        run(&["init", "-q", "-b", "trunk"]);
        // A branch without commits still has a name.
        let unborn = json!({"commit": null, "shortCommit": null, "branch": "trunk"});
        assert_eq!(git(folder.path(), all), unborn);
        let name = ["-c", "user.name=n", "-c", "user.email=e"];
        run(&[&name[..], &["commit", "-q", "--allow-empty", "-m", "m"]].concat());
        let commit = run(&["rev-parse", "HEAD"]);
        let whole = json!({"commit": commit, "shortCommit": commit[..12], "branch": "trunk"});
        assert_eq!(git(folder.path(), all), whole);
        assert_eq!(git(folder.path(), |_| false), nothing);
        for part in ["commit", "shortCommit", "branch"] {
            let mut expected = nothing.clone();
            expected[part] = whole[part].clone();
            assert_eq!(git(folder.path(), |asked| asked == part), expected);
        }
        run(&["checkout", "-q", "--detach"]);
        let detached = json!({"commit": commit, "shortCommit": commit[..12], "branch": null});
        assert_eq!(git(folder.path(), all), detached);
    }

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
