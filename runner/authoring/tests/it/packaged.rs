//! The crates of the SDK can be published, and the copy in the runner has the same files.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use flate2::read::GzDecoder;
use sidestep_authoring::carried;

use crate::project::target;

/// The packages, with their folders in the copy.
const PACKAGES: [(&str, &str); 3] = [
    ("sidestep-contract", "contract"),
    ("sidestep-sdk", "rust"),
    ("sidestep-sdk-macros", "rust/macros"),
];

/// Files that cargo adds to a package.
const OF_CARGO: [&str; 3] = ["Cargo.lock", "Cargo.toml.orig", ".cargo_vcs_info.json"];

/// The most bytes of the copy.
const MOST: usize = 1 << 20;

/// Returns the files of a package as cargo packs them.
fn packed(file: &Path) -> BTreeMap<String, String> {
    let bytes = std::fs::read(file).expect("a package");
    let mut archive = tar::Archive::new(GzDecoder::new(&bytes[..]));
    let mut files = BTreeMap::new();
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").into_owned();
        let path = path.iter().skip(1).collect::<std::path::PathBuf>();
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("text");
        files.insert(path.display().to_string(), text);
    }
    files
}

#[test]
fn the_sdk_is_packaged_whole_and_the_runner_carries_the_same_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = target();
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(root)
        .env("CARGO_TARGET_DIR", &target)
        .args(["package", "--offline", "--allow-dirty", "--quiet"]);
    // The packages are compiled as their users compile them, without the workspace.
    for (package, _) in PACKAGES {
        cargo.args(["-p", package]);
    }
    assert!(cargo.status().expect("cargo runs").success());

    let version = env!("CARGO_PKG_VERSION");
    let mut known: BTreeMap<String, &str> = carried()
        .iter()
        .map(|(name, text)| ((*name).to_owned(), *text))
        .collect();
    assert!(known.remove("Cargo.toml").is_some(), "the root manifest");
    let size: usize = carried().iter().map(|(_, text)| text.len()).sum();
    assert!(size < MOST, "{size}");
    for (package, folder) in PACKAGES {
        let file = target.join(format!("package/{package}-{version}.crate"));
        let mut files = packed(&file);
        let original = files.remove("Cargo.toml.orig").expect("the manifest");
        files.insert("Cargo.toml".to_owned(), original);
        for (name, text) in files {
            if OF_CARGO.contains(&name.as_str()) {
                continue;
            }
            let copy = known.remove(&format!("{folder}/{name}"));
            assert!(
                copy == Some(&text),
                "{folder}/{name} differs from the package"
            );
        }
    }
    assert!(known.is_empty(), "not in a package: {:?}", known.keys());
}
