//! Guests of the workspace, built as `cargo xtask` does.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::not_run;

const TARGET: &str = "wasm32-unknown-unknown";

/// Returns whether the compiler can build for WebAssembly. If it cannot, reports that the test is not
/// run.
///
/// # Panics
/// In CI, if the target is missing.
pub fn can_be_built() -> bool {
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .expect("rustc runs");
    let sysroot = PathBuf::from(String::from_utf8(sysroot.stdout).expect("a path").trim());
    let library = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    if !library.is_dir() {
        not_run(&format!("the target {TARGET} is not installed"));
    }
    library.is_dir()
}

/// Builds guests and returns their modules. If the compiler cannot build for WebAssembly, reports
/// that the test is not run.
///
/// # Panics
/// If a guest does not build, or in CI if the target is missing.
pub fn modules<const N: usize>(packages: [&str; N]) -> Option<[Vec<u8>; N]> {
    if !can_be_built() {
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(&root)
        .args(["build", "--profile", "guest", "--target", TARGET]);
    for package in packages {
        cargo.args(["-p", package]);
    }
    let built = cargo.status().expect("cargo runs").success();
    assert!(built, "{packages:?} do not build");
    Some(packages.map(|package| {
        let file = format!("{TARGET}/guest/{}.wasm", package.replace('-', "_"));
        std::fs::read(target.join(file)).expect("the guest's module")
    }))
}
