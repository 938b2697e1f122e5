use std::collections::BTreeSet;

use super::*;

#[test]
fn every_code_is_there_once_and_complete() {
    let mut seen = BTreeSet::new();
    for code in all() {
        assert!(seen.insert(code.name), "{} is there twice", code.name);
        let word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        assert!(code.name.split('.').all(word), "{}", code.name);
        assert!(
            !code.means.is_empty() && !code.todo.is_empty(),
            "{}",
            code.name
        );
        assert_eq!(
            code.classes.is_empty(),
            code.owners.is_empty(),
            "{}",
            code.name
        );
    }
    assert!(seen.len() > 350, "{}", seen.len());
}

#[test]
fn a_constant_is_named_like_its_code() {
    assert_eq!(pod::EVICTED, "pod.evicted");
    assert_eq!(kaniko::BASE_DENIED, "kaniko.base-denied");
    assert_eq!(pipeline::UNSUPPORTED, "unsupported");
}

#[test]
fn a_row_is_found_by_its_constant() {
    const ROW: Code = Code::named(kaniko::BASE_DENIED);
    assert_eq!(
        (ROW.name, ROW.owners),
        ("kaniko.base-denied", &[Owner::Cloud][..])
    );
    for code in all() {
        assert_eq!(Code::named(code.name).means, code.means, "{}", code.name);
    }
    for name in ["", "kaniko.base-denie", "kaniko.base-denied-"] {
        let found = std::panic::catch_unwind(|| Code::named(name));
        assert!(found.is_err(), "{name}");
    }
}

#[test]
fn the_text_of_a_row_fits_its_cell() {
    for code in all() {
        for text in [code.means, code.todo] {
            let fits = !text.contains(['|', '\n']) && !text.ends_with('.');
            assert!(fits, "{}: {text}", code.name);
        }
    }
}

#[test]
fn the_documentation_has_the_table() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut pages = String::new();
    for page in ["failures.md", "dockerfiles.md"] {
        let text = std::fs::read_to_string(docs.join(page)).expect("a page");
        let filled = fill(&text).expect("marks of topics");
        assert_eq!(text, filled, "docs/{page}: run `cargo xtask generate`");
        pages.push_str(&text);
    }
    for topic in &TOPICS {
        let mark = format!("<!-- codes: {} -->", topic.name);
        assert_eq!(pages.matches(&mark).count(), 1, "{mark}");
    }
}
