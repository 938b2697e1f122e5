//! Embeds the SDK, so that `sidestep plugin new` can unpack it where no registry has it.
//!
//! The files come from `sdk/`. The only one that is made here is the root manifest: the part of the
//! workspace's `Cargo.toml` that the manifests of the SDK inherit from.
#![allow(clippy::disallowed_methods, reason = "not a setting of the runner")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The packages, by their folders in `sdk/` and in the copy.
const PACKAGES: [&str; 3] = ["contract", "rust", "rust/macros"];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sdk = root.join("sdk");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it for build scripts"));

    let workspace = read(&root.join("Cargo.toml"));
    let manifests = PACKAGES.map(|package| read(&sdk.join(package).join("Cargo.toml")));
    let manifest = out.join("sdk-Cargo.toml");
    fs::write(&manifest, root_manifest(&workspace, &manifests))
        .expect("cargo's own folder is writable");

    let mut files = vec![("Cargo.toml".to_owned(), manifest)];
    for package in PACKAGES {
        let folder = sdk.join(package);
        files.push((format!("{package}/Cargo.toml"), folder.join("Cargo.toml")));
        add(&folder.join("src"), &format!("{package}/src"), &mut files);
    }
    // A link in the repository, and a folder of the package.
    add(&sdk.join("wit"), "rust/wit", &mut files);
    files.sort();

    let mut list = String::from("&[\n");
    for (name, path) in files {
        let path = path.canonicalize().expect("it was just read");
        let _ = writeln!(
            list,
            "({name:?}, include_str!({:?})),",
            path.display().to_string()
        );
    }
    list.push(']');
    fs::write(out.join("sdk.rs"), list).expect("cargo's own folder is writable");
}

/// Returns the manifest of a workspace with only the SDK.
fn root_manifest(workspace: &str, manifests: &[String]) -> String {
    let inherited = |name: &str| {
        let line = format!("{name} = {{ workspace = true");
        manifests
            .iter()
            .any(|manifest| manifest.contains(&format!("\n{line}")))
    };
    let mut text = String::from(
        "# The SDK, as `sidestep plugin new` unpacks it.\n\
         [workspace]\nresolver = \"3\"\nmembers = [",
    );
    text.push_str(&PACKAGES.map(|package| format!("\"{package}\"")).join(", "));
    text.push_str("]\n");
    for section in workspace.split("\n[").skip(1) {
        let (title, body) = section.split_once("]\n").unwrap_or((section, ""));
        let all = |_: &str| true;
        let inherited = |line: &str| {
            line.split_once(" = ")
                .is_some_and(|(name, _)| inherited(name))
        };
        let is_kept: &dyn Fn(&str) -> bool = match title {
            "workspace.package" => &all,
            title if title.starts_with("workspace.lints.") => &all,
            "workspace.dependencies" => &inherited,
            _ => continue,
        };
        let _ = writeln!(text, "\n[{title}]");
        let lines = body.lines().filter(|line| line.contains(" = "));
        for line in lines.filter(|line| is_kept(line)) {
            let _ = writeln!(text, "{line}");
        }
    }
    text.replace("path = \"sdk/", "path = \"")
}

/// Adds the files of a folder.
fn add(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("the folder is readable").path();
        let file = path.file_name().expect("a name").to_string_lossy();
        let name = format!("{name}/{file}");
        if path.is_dir() {
            add(&path, &name, files);
        } else {
            files.push((name, path));
        }
    }
}

fn read(path: &Path) -> String {
    println!("cargo::rerun-if-changed={}", path.display());
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
