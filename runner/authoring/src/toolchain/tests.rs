use std::fs;

use super::*;
use crate::compiler::Version;

const RUSTUP: &str = "/r/toolchains/stable";

fn needed() -> Needed {
    Needed {
        version: Version::parse("1.95").expect("a version"),
        project: "count-lines".to_owned(),
    }
}

fn compiler(sysroot: &str, version: &str) -> Compiler {
    Compiler {
        name: format!("rustc {version}"),
        version: Version::parse(version).expect("a version"),
        sysroot: sysroot.into(),
        host: "x86_64-unknown-linux-gnu".to_owned(),
    }
}

/// Returns the message of an error, and its help.
fn texts(error: AuthoringError) -> Vec<String> {
    let AuthoringError::Failed(failure) = error else {
        panic!("not a missing tool: {error:?}");
    };
    let help = failure.help.iter().map(sidestep_events::Help::exact);
    let message = failure.message.exact().to_owned();
    std::iter::once(message).chain(help).collect()
}

fn chosen(
    active: Option<(&str, &str)>,
    debian: Option<&str>,
    files: &[&str],
) -> Result<Toolchain, Vec<String>> {
    let active = active.map_or(Asked::Absent, |(sysroot, version)| {
        Asked::Answered(compiler(sysroot, version))
    });
    let debian = debian.map(|version| compiler("/usr", version));
    let exists = |path: &Path| files.iter().any(|file| path == Path::new(file));
    choose(&active, debian.as_ref(), &needed(), exists).map_err(texts)
}

const OF_RUSTUP: &str = "/r/toolchains/stable/lib/rustlib/wasm32-unknown-unknown/lib";
const OF_DEBIAN: &str = "/usr/lib/rustlib/wasm32-unknown-unknown/lib";

#[test]
fn the_first_toolchain_with_the_target_is_used() {
    const SOURCE: &str = "/usr/lib/rustlib/src/rust/library/std";
    const LINKER: &str = "/r/toolchains/stable/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld";
    let new = Some("1.95.0");
    let rustup = Some((RUSTUP, "1.95.0"));
    let both = [OF_RUSTUP, OF_DEBIAN];
    assert_eq!(chosen(rustup, new, &both), Ok(Toolchain::Active));
    let system = Some(("/usr", "1.96.1"));
    assert_eq!(chosen(system, new, &both), Ok(Toolchain::Active));
    assert_eq!(chosen(rustup, new, &[OF_DEBIAN]), Ok(Toolchain::Debian));
    assert_eq!(
        chosen(rustup, new, &[SOURCE, LINKER]),
        Ok(Toolchain::DebianFromSource(LINKER.into()))
    );
}

#[test]
fn a_compiler_that_is_too_old_is_not_chosen() {
    let rustup = Some((RUSTUP, "1.95.0"));
    let told = chosen(rustup, Some("1.85.0"), &[OF_DEBIAN]).expect_err("Debian's is too old");
    assert_eq!(told[2], "rustup target add wasm32-unknown-unknown");
    let old = Some((RUSTUP, "1.85.0"));
    let both = [OF_RUSTUP, OF_DEBIAN];
    assert_eq!(chosen(old, Some("1.95.0"), &both), Ok(Toolchain::Debian));
    let told = chosen(old, None, &both).expect_err("it is too old");
    assert_eq!(
        told,
        [
            "rustc 1.85.0 is older than Rust 1.95, which `count-lines` needs",
            "update it:",
            "rustup update",
        ]
    );
}

#[test]
fn a_missing_target_is_named_with_the_command_that_installs_it() {
    let told = |sysroot: &str, files: &[&str]| {
        let active = Some((sysroot, "1.95.0"));
        chosen(active, None, files).expect_err("no target")
    };
    assert_eq!(
        told(RUSTUP, &[APT]),
        [
            "rustc 1.95.0 can't compile for wasm32-unknown-unknown, the target of plugins",
            "install the target:",
            "rustup target add wasm32-unknown-unknown",
        ]
    );
    let debian = told("/usr", &[APT]);
    assert_eq!(debian[2], "sudo apt-get install libstd-rust-dev-wasm32");
    assert_eq!(debian[4], "sudo apt-get install rust-web-src lld");
    // Fedora's has the same sysroot; Nix' and Homebrew's have others.
    for (sysroot, files) in [("/usr", &[][..]), ("/nix/store/x-rustc", &[APT])] {
        let other = told(sysroot, files);
        assert!(other[1].contains("https://rustup.rs"), "{other:?}");
    }
    let none = chosen(None, None, &[]).expect_err("no Rust");
    assert_eq!(none[0], "cargo and rustc are not on the path");
}

#[test]
fn an_old_compiler_is_named_and_not_the_manifest() {
    let old = "echo 'rustc 1.75.0 (82e1608df 2023-12-21) (built from a source tarball)'; echo 'host: x86_64-unknown-linux-gnu'";
    for (script, message) in [
        (
            format!("case $1 in -vV) {old};; *) echo /usr;; esac"),
            "rustc 1.75.0 (82e1608df 2023-12-21) (built from a source tarball) is older than Rust 1.95, which `count-lines` needs",
        ),
        (
            "echo 'error: no default is configured' >&2; exit 1".to_owned(),
            "the rustc on the path does not work: error: no default is configured",
        ),
        (
            "echo \"error: toolchain '1.99' is not installed\" >&2; exit 1".to_owned(),
            "the rustc on the path does not work: error: toolchain '1.99' is not installed",
        ),
        (
            "exit 1".to_owned(),
            "the rustc on the path does not work: exit status: 1",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rustc");
        fs::write(&file, script).expect("written");
        let program = || {
            let mut shell = Command::new("sh");
            shell.arg(&file);
            shell
        };
        let active = Compiler::ask(program, folder.path());
        let error = choose(&active, None, &needed(), |_| true).expect_err("it can't build");
        assert_eq!(texts(error)[0], message);
    }
}
