//! Dockerfiles that are symbolic links.

use std::os::unix::fs::symlink;

use crate::setup::{BUILD_ALONE, Setup, find};

#[test]
fn a_linked_dockerfile_is_shown_by_both_names_and_built() {
    let mut setup = Setup::new();
    setup.write("build/app.Dockerfile", "FROM scratch\nCOPY a /a\n");
    setup.write("a", "a\n");
    setup.write("sidestep.yaml", BUILD_ALONE);
    symlink("build/app.Dockerfile", setup.workspace().join("Dockerfile")).unwrap();
    let output = setup.run(&["plan"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(
        shown.contains("read Dockerfile → build/app.Dockerfile\n"),
        "{shown}"
    );
    let (exit, events) = setup.events(&["run", "--sandbox"]);
    assert_eq!(exit, 0, "{events:#?}");
    let copied = find(&events, "log", |data| {
        data["message"]
            .as_str()
            .is_some_and(|line| line.contains("COPY a /a"))
    });
    assert!(copied.is_some(), "{events:#?}");
}

#[test]
fn a_dockerfile_that_leaves_its_context_is_an_error_before_the_run() {
    let mut setup = Setup::new();
    setup.write("elsewhere/Dockerfile", "FROM scratch\nCOPY a /a\n");
    setup.write("app/a", "a\n");
    let inputs = "with: { path: app, ";
    setup.write(
        "sidestep.yaml",
        &BUILD_ALONE
            .replace("with: { path: \".\", ", inputs)
            .replace("with: { context", &format!("{inputs}context")),
    );
    symlink(
        "../elsewhere/Dockerfile",
        setup.workspace().join("app/Dockerfile"),
    )
    .unwrap();
    let output = setup.run(&["validate"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("`app/Dockerfile` is a link that leaves `app`"),
        "{said}"
    );
    assert!(said.contains("make `path` a folder"), "{said}");
}

#[test]
fn a_dockerfile_that_links_to_itself_is_an_error_that_says_what_to_replace() {
    let mut setup = Setup::new();
    setup.write("sidestep.yaml", BUILD_ALONE);
    symlink("Dockerfile", setup.workspace().join("Dockerfile")).unwrap();
    let output = setup.run(&["validate"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("workspace.link-loop"), "{said}");
    assert!(
        said.contains("help: replace `Dockerfile`, or a link that it leads through, with the file"),
        "{said}"
    );
}
