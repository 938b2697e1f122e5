//! Embeds the built-in plugins: every `NAME.wasm` in the folder `SIDESTEP_PLUGINS`, with its
//! compiled code `NAME.cwasm` if that exists. Also embeds the evaluator's compiled code and memory,
//! `evaluator/evaluator.cwasm` and `.memory`. Without the variable, nothing is embedded: plugins are
//! found only in files, and expressions and schemas cannot be evaluated.
//!
//! Components are hashed here, so that the runner does not hash them at each start. Compiled code
//! fills whole pages, so that it is executed in place instead of being copied.
#![allow(clippy::disallowed_methods, reason = "not a setting of the runner")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest as _, Sha256};

fn main() {
    println!("cargo::rerun-if-env-changed=SIDESTEP_PLUGINS");
    let mut list = String::from("&[\n");
    let (mut evaluator, mut memory) = (Vec::new(), Vec::new());
    if let Some(folder) = env::var_os("SIDESTEP_PLUGINS") {
        evaluator = read_evaluator(Path::new(&folder), "cwasm");
        memory = memory_of(&evaluator, &read_evaluator(Path::new(&folder), "memory"));
        for component in components(Path::new(&folder)) {
            let name = component.file_stem().unwrap_or_default().to_string_lossy();
            let compiled = component.with_extension("cwasm");
            let compiled = if compiled.is_file() {
                println!("cargo::rerun-if-changed={}", compiled.display());
                format!(
                    "Some(&Pages(*include_bytes!({:?})))",
                    compiled.display().to_string()
                )
            } else {
                "None".to_owned()
            };
            println!("cargo::rerun-if-changed={}", component.display());
            let _ = writeln!(
                list,
                "BuiltIn {{ name: {name:?}, component: include_bytes!({:?}), digest: {:?}, \
                 precompiled: {compiled} }},",
                component.display().to_string(),
                digest(&component)
            );
        }
    }
    list.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it for build scripts"));
    fs::write(out.join("built_in.rs"), list).expect("cargo's own folder is writable");
    fs::write(out.join("evaluator.cwasm"), evaluator).expect("cargo's own folder is writable");
    fs::write(out.join("evaluator.memory"), memory).expect("cargo's own folder is writable");
}

/// Returns the saved memory of this code, or nothing if it belongs to other code. `kept` begins with
/// the SHA-256 of its code.
fn memory_of(code: &[u8], kept: &[u8]) -> Vec<u8> {
    let of_code = kept
        .split_first_chunk::<32>()
        .filter(|(digest, _)| Sha256::digest(code)[..] == digest[..]);
    of_code
        .map(|(_, memory)| memory.to_vec())
        .unwrap_or_default()
}

/// A file of the evaluator; empty if it was not built yet, as when the tools that compile it are
/// built.
fn read_evaluator(folder: &Path, extension: &str) -> Vec<u8> {
    let path = folder.join("evaluator/evaluator").with_extension(extension);
    println!("cargo::rerun-if-changed={}", path.display());
    fs::read(path).unwrap_or_default()
}

/// The digest that the runner would make of these bytes.
fn digest(component: &Path) -> String {
    let bytes = fs::read(component)
        .unwrap_or_else(|error| panic!("SIDESTEP_PLUGINS: {}: {error}", component.display()));
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn components(folder: &Path) -> Vec<PathBuf> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("SIDESTEP_PLUGINS: {}: {error}", folder.display()))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wasm")
        })
        .collect();
    found.sort();
    found
}
