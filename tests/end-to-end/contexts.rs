//! The content of a context, and the input of a build whose context another step packs.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::setup::{BUILD_ALONE, Setup, find};

#[test]
fn a_link_that_a_copy_names_is_warned_of_before_the_run() {
    let mut setup = Setup::new();
    setup.write(
        "Dockerfile",
        "FROM scratch\nCOPY lf /lf\nCOPY linkdir /x\nCOPY l* /all/\n",
    );
    setup.write("real/f", "f\n");
    setup.write("sidestep.yaml", BUILD_ALONE);
    symlink("real/f", setup.workspace().join("lf")).unwrap();
    symlink("real", setup.workspace().join("linkdir")).unwrap();
    let output = setup.run(&["validate"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    insta::assert_snapshot!(said);
}

#[test]
fn a_dockerfile_that_the_packing_step_does_not_send_is_an_error_before_the_run() {
    let mut setup = Setup::new();
    setup.write(".dockerignore", "docker\n");
    setup.write("docker/app.Dockerfile", "FROM scratch\nCOPY a /a\n");
    setup.write("a", "a\n");
    let named = "with: { dockerfile: docker/app.Dockerfile, ";
    let built = BUILD_ALONE.replace("with: { context", &format!("{named}context"));
    setup.write("sidestep.yaml", &built);
    let output = setup.run(&["validate"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    insta::assert_snapshot!(said);
    // The advice is correct.
    let both = built.replace("with: { path", &format!("{named}path"));
    setup.write("sidestep.yaml", &both);
    let (exit, events) = setup.events(&["run", "--sandbox"]);
    assert_eq!(exit, 0, "{events:#?}");
}

#[test]
fn a_mode_that_a_context_changes_is_said_and_kept_on_demand() {
    let mut setup = Setup::with_application();
    setup.write("key.pem", "k\n");
    setup.write("sidestep.yaml", BUILD_ALONE);
    let chmod = |setup: &Setup, file: &str, mode| {
        set_permissions(setup.workspace().join(file), Permissions::from_mode(mode)).unwrap();
    };
    for file in ["Dockerfile", "hello.txt", "sidestep.yaml"] {
        chmod(&setup, file, 0o644);
    }
    chmod(&setup, "key.pem", 0o600);
    let words = "key.pem: mode 0600 is sent as 0644, which adds read for group and others";
    let listed = |setup: &mut Setup, more: &[&str]| {
        let output = setup.run(&[&["context", "ls"], more].concat());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = listed(&mut setup, &[]);
    let hint = format!("{words}; --keep-modes keeps it");
    assert!(said.contains(&hint), "{said}");
    assert!(!listed(&mut setup, &["--keep-modes"]).contains("mode"));
    let mut said_by_run = |pipeline: &str| {
        setup.write("sidestep.yaml", pipeline);
        let (exit, events) = setup.events(&["run", "--sandbox"]);
        assert_eq!(exit, 0, "{events:#?}");
        let is_mode = |data: &serde_json::Value| {
            let line = data["message"].as_str();
            line.is_some_and(|line| line.contains("is sent as"))
        };
        let said = find(&events, "log", is_mode);
        said.map(|data| (data["level"].to_string(), data["message"].clone()))
    };
    let (level, message) = said_by_run(BUILD_ALONE).expect("it is said");
    assert_eq!(level, "\"warn\"");
    assert_eq!(message, format!("{words}; `keepModes: true` keeps it"));
    let keeping = BUILD_ALONE.replace("with: { path", "with: { keepModes: true, path");
    assert_eq!(said_by_run(&keeping), None);
}
