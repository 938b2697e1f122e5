//! No message is written in Rust's debug form: `{error:?}` prints the insides of a library's error,
//! which nobody can read and which may hold anything.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where a debug form quotes a text, and why. Errors must not be written so there either.
const QUOTES: [(&str, &str); 13] = [
    ("runner/dockerfile/", "as BuildKit's and Go's %q"),
    ("runner/sandbox/", "as the servers that it stands for"),
    ("plugins/kaniko-launch/src/dockerfile", "as Go's %q"),
    ("runner/sidestep/build.rs", "writes Rust literals"),
    ("runner/state/src/id.rs", "a text of the user's"),
    ("sdk/rust/src/values/text.rs", "a text of the author's"),
    ("runner/policy/src/pattern.rs", "an implementation of Debug"),
    ("runner/launch/src/prepare/check.rs", "a key, never printed"),
    ("runner/pipeline/src/problems.rs", "a key, never printed"),
    (
        "runner/launch/src/prepare/contexts.rs",
        "a key, never printed",
    ),
    (
        "plugins/kaniko-launch/src/resources/cpu.rs",
        "a text of the author's",
    ),
    ("runner/capabilities/registry/src/index.rs", "for fuzzing"),
    ("plugins/wi-verify/src/verdict.rs", "for tests"),
];

/// What errors are called.
const ERRORS: [&str; 10] = [
    "error", "err", "e", "why", "cause", "source", "failure", "status", "refusal", "trap",
];

/// The sources that a user meets, and modules that only tests have.
#[derive(Default)]
struct Sources {
    files: Vec<PathBuf>,
    tests: BTreeSet<PathBuf>,
}

impl Sources {
    fn read(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            if path.is_dir() {
                if !matches!(&*name, "tests" | "target") {
                    self.read(&path);
                }
            } else if name.ends_with(".rs") && !matches!(&*name, "tests.rs" | "fuzz.rs") {
                self.note_tests(&path);
                self.files.push(path);
            }
        }
    }

    /// Notes the modules of a file that are there for tests only.
    fn note_tests(&mut self, file: &Path) {
        let text = fs::read_to_string(file).expect("text");
        let stem = file.file_stem().expect("a name");
        let folder = file.parent().expect("a folder");
        let folder = match stem.to_str() {
            Some("mod" | "lib" | "main") => folder.to_owned(),
            _ => folder.join(stem),
        };
        for rest in text.split("#[cfg(test)]\n").skip(1) {
            let line = rest.lines().next().unwrap_or_default().trim();
            let module = line.trim_start_matches("pub(crate) ").strip_prefix("mod ");
            if let Some(module) = module.and_then(|module| module.strip_suffix(';')) {
                self.tests.insert(folder.join(module).with_extension("rs"));
            }
        }
    }
}

/// The part of a file that is not tests.
fn without_tests(text: &str) -> &str {
    let tests = ["#[cfg(test)]\nmod ", "#[cfg(test)]\npub(crate) mod "].map(|begin| {
        text.match_indices(begin)
            .find(|(at, _)| {
                let line = text[at + "#[cfg(test)]\n".len()..].lines().next();
                line.is_some_and(|line| line.ends_with('{'))
            })
            .map_or(text.len(), |(at, _)| at)
    });
    &text[..tests[0].min(tests[1])]
}

/// What stands in debug form in a line: the names, empty for an argument that has none.
fn debug_forms(line: &str) -> Vec<String> {
    if line.trim_start().starts_with("//") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (end, _) in line.match_indices(":?}").chain(line.match_indices(":#?}")) {
        let name = line[..end].rsplit('{').next().unwrap_or_default();
        let is_name = name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        if is_name && line[..end].contains('{') {
            found.push(name.to_owned());
        }
    }
    if line.contains("dbg!(") {
        found.push("dbg!".to_owned());
    }
    found
}

#[test]
fn no_message_holds_a_debug_form() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = Sources::default();
    for folder in ["runner", "sdk", "plugins"] {
        sources.read(&root.join(folder));
    }
    assert!(sources.files.len() > 300, "{}", sources.files.len());
    let mut wrong = Vec::new();
    for file in sources
        .files
        .iter()
        .filter(|file| !sources.tests.contains(*file))
    {
        let text = fs::read_to_string(file).expect("text");
        let place = file.strip_prefix(&root).expect("within").to_string_lossy();
        let quotes = QUOTES.iter().any(|(path, _)| place.starts_with(path));
        for (number, line) in (1..).zip(without_tests(&text).lines()) {
            let mut forms = debug_forms(line);
            forms.retain(|name| !quotes || ERRORS.contains(&name.as_str()));
            if !forms.is_empty() {
                wrong.push(format!("{place}:{number}: {}", line.trim()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "write what a person can read, or say in QUOTES why this is a text:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn debug_forms_are_found() {
    assert_eq!(debug_forms(r#"format!("no: {error:?}")"#), ["error"]);
    assert_eq!(debug_forms(r#"format!("no: {:#?}", error)"#), [""]);
    assert_eq!(debug_forms(r#"format!("{0:?} and {a.b:?}")"#), ["0", "a.b"]);
    assert_eq!(debug_forms("dbg!(error);"), ["dbg!"]);
    assert!(debug_forms("// like `{error:?}`").is_empty());
    assert!(debug_forms(r#"format!("{error}")"#).is_empty());
    assert!(debug_forms("`${NAME:?why}`").is_empty());
}
