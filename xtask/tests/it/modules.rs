//! A module with submodules is `name.rs` beside the folder `name`: one style, so that an editor's
//! tabs show names and not ten times `mod.rs`.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn no_module_is_a_mod_rs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<PathBuf> = ["fuzz", "plugins", "runner", "sdk", "tests", "xtask"]
        .map(|folder| root.join(folder))
        .into();
    let (mut files, mut wrong) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") {
                files += 1;
                if name == "mod.rs" {
                    wrong.push(path);
                }
            }
        }
    }
    assert!(files > 1_000, "{files}");
    assert!(
        wrong.is_empty(),
        "name these files after their module: {wrong:?}"
    );
}
