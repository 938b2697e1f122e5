//! The git calls that a pipeline causes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::setup::Setup;

/// Runs `sidestep plan` on a pipeline that uses this expression, in a workspace whose `git` records
/// each call before it answers. Returns the calls and the output.
fn calls(expression: &str) -> (Vec<String>, serde_json::Value) {
    let mut setup = Setup::with_application();
    let programs = setup.folder().join("programs");
    fs::create_dir(&programs).unwrap();
    let log = setup.folder().join("git.log");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >>{}\ncase \"$*\" in *symbolic-ref*) echo trunk;; \
         *HEAD*HEAD*) echo c0ffee; echo c0f;; *) echo c0ffee;; esac\n",
        log.display()
    );
    fs::write(programs.join("git"), script).unwrap();
    fs::set_permissions(programs.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    setup.write(
        "sidestep.yaml",
        &format!(
            "version: 1\nname: p\nsteps:\n  s:\n    uses: sidestep/context-upload\n    \
             with: {{ bucket: demo-contexts, prefix: \"{expression}\" }}\n"
        ),
    );
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut plan = setup.command(&["plan", "--output", "json"]);
    let output = plan.env("PATH", path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let workspace = format!(
        "-C {} ",
        setup.workspace().canonicalize().unwrap().display()
    );
    let calls = fs::read_to_string(log).unwrap_or_default();
    let calls = calls.lines().map(|call| call.replace(&workspace, ""));
    (calls.collect(), plan["git"].clone())
}

#[test]
fn git_is_started_for_what_expressions_read_and_no_more() {
    let nothing = serde_json::json!({"commit": null, "shortCommit": null, "branch": null});
    assert_eq!(calls("plain/"), (Vec::new(), nothing.clone()));
    let (commit, git) = calls("${{ git.commit }}/");
    assert_eq!(commit, ["rev-parse HEAD"]);
    assert_eq!(git["commit"], "c0ffee");
    let (both, git) = calls("${{ git.commit + git.shortCommit }}/");
    assert_eq!(both, ["rev-parse HEAD --short=12 HEAD"]);
    assert_eq!(
        (&git["commit"], &git["shortCommit"]),
        (&"c0ffee".into(), &"c0f".into())
    );
    let (branch, git) = calls("${{ git.branch }}/");
    assert_eq!(branch, ["symbolic-ref --short -q HEAD"]);
    assert_eq!(git["branch"], "trunk");
    // If a name is computed, its part is not known before the evaluation.
    let (mut all, _) = calls("${{ string(size(git)) }}/");
    all.sort();
    assert_eq!(
        all,
        [
            "rev-parse HEAD --short=12 HEAD",
            "symbolic-ref --short -q HEAD"
        ]
    );
}
