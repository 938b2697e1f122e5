//! A new project is built and tested as it is.

use std::fs;

use sidestep_authoring::SDK_FOLDER;

use crate::project::Workspace;

#[test]
fn a_new_project_passes_its_tests_and_builds_with_its_lock_file() {
    let Some(workspace) = Workspace::new("first-step") else {
        return;
    };
    workspace.cargo(&["fmt", "--check"]);
    workspace.cargo(&["test", "--locked", "--quiet"]);

    let built = workspace.build(false).expect("it builds");
    assert_eq!(built.file, workspace.project.join("first-step.wasm"));
    let bytes = fs::read(&built.file).expect("the component");
    assert_eq!(built.component.size, bytes.len());
    assert!(bytes.len() < 256 * 1024, "{}", bytes.len());
    assert_eq!(built.component.manifest.name, "first-step");
    assert_eq!(built.unused, Vec::<String>::new());
    let mut imports: Vec<&str> = built
        .component
        .imports
        .iter()
        .map(|import| import.interface.as_str())
        .collect();
    imports.sort_unstable();
    assert_eq!(
        imports,
        [
            "sidestep:host/types",
            "sidestep:step/runtime",
            "sidestep:workspace/files"
        ]
    );
    let again = workspace.build(false).expect("it builds again");
    assert_eq!(again.component.digest, built.component.digest);
    let lock = fs::read_to_string(workspace.project.join("Cargo.lock")).expect("a lock file");
    assert!(lock.contains("name = \"first-step\""), "{lock}");

    // A missing SDK is restored, and a debug build has what its traps need.
    fs::remove_dir_all(workspace.project.join(SDK_FOLDER)).expect("removed");
    let debug = workspace.build(true).expect("it builds");
    let bytes = fs::read(&debug.file).expect("the component");
    let name = b".debug_line";
    assert!(bytes.windows(name.len()).any(|part| part == name));
    assert_ne!(debug.component.digest, built.component.digest);
}
