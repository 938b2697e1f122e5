//! Every public function of the SDK has an example, which the documentation's tests compile.

use std::fs;

use crate::sources::{Sources, without_tests};

/// The SDK's folder.
const SDK: &str = "sdk/rust/src/";
/// Files whose items only generated code uses; the documentation hides them.
const HIDDEN: [&str; 3] = ["plugin.rs", "bindings.rs", "manifest.rs"];

/// Returns the public functions of a source whose doc comments have no example.
fn without_example(source: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut has_example = false;
    for line in source.lines().map(str::trim) {
        if line == "/// # Examples" {
            has_example = true;
        } else if line.starts_with("pub fn ") || line.starts_with("pub const fn ") {
            if !has_example {
                found.push(line);
            }
            has_example = false;
        } else if !line.starts_with("///") && !line.starts_with("#[") {
            has_example = false;
        }
    }
    found
}

#[test]
fn every_public_function_of_the_sdk_has_an_example() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for (place, file) in Sources::all().shipped() {
        let Some(name) = place.strip_prefix(SDK) else {
            continue;
        };
        if HIDDEN.contains(&name) {
            continue;
        }
        let text = fs::read_to_string(file).expect("text");
        let source = without_tests(&text);
        seen += source.matches("/// # Examples").count();
        let bare = without_example(source).into_iter();
        wrong.extend(bare.map(|function| format!("{place}: {function}")));
    }
    assert!(seen > 100, "{seen}");
    assert!(
        wrong.is_empty(),
        "give each a section `# Examples`:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_function_without_an_example_is_found() {
    let source =
        "/// A.\n///\n/// # Examples\n#[must_use]\npub fn a() {}\n\n/// B.\npub fn b() {}\n";
    assert_eq!(without_example(source), ["pub fn b() {}"]);
}
