use super::*;

fn codes(tree: &Tree) -> Vec<&str> {
    tree.problems.iter().map(|p| p.code.exact()).collect()
}

#[test]
fn places_and_texts_are_kept() {
    let tree = read("f", "a: 1.10\nb:\n  - 'x y'\n");
    let root = tree.root.expect("a map");
    let a = root.get("a").and_then(Node::scalar).expect("a scalar");
    assert_eq!((a.text.as_str(), a.plain), ("1.10", true));
    assert_eq!(
        root.get("a").map(|n| (n.at.line, n.at.column, n.at.length)),
        Some((1, 4, 4))
    );
    let NodeKind::List(items) = &root.get("b").expect("b").kind else {
        panic!("a list");
    };
    assert_eq!((items[0].at.line, items[0].at.column), (3, 5));
    assert_eq!(
        items[0].scalar().and_then(|s| s.verbatim).map(|p| p.column),
        Some(6)
    );
}

#[test]
fn duplicates_are_all_reported_and_the_first_stays() {
    let tree = read("f", "a: 1\na: 2\nb: {c: 1, c: 2}\n");
    assert_eq!(codes(&tree), ["yaml.duplicate-key", "yaml.duplicate-key"]);
    let root = tree.root.expect("a map");
    assert_eq!(
        root.get("a")
            .and_then(Node::scalar)
            .map(|s| s.text.as_str()),
        Some("1")
    );
}

#[test]
fn a_billion_laughs_ends_early() {
    let mut text = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for i in 1..30 {
        let refs = vec![format!("*a{}", i - 1); 9].join(", ");
        text.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
    }
    assert_eq!(codes(&read("f", &text)), ["yaml.too-large"]);
    let mut deep = String::from("a0: &a0 [x]\n");
    for i in 1..5000 {
        deep.push_str(&format!("a{i}: &a{i} [*a{}]\n", i - 1));
    }
    assert_eq!(codes(&read("f", &deep)), ["yaml.too-deep"]);
}

#[test]
fn what_is_not_one_plain_document_is_an_error() {
    for (text, code) in [
        ("a: [", "yaml.syntax"),
        ("a: 1\n---\nb: 2\n", "yaml.documents"),
        ("a: !thing x\n", "yaml.tag"),
        ("? [a]\n: b\n", "yaml.key"),
        ("a: &a [*a]\n", "yaml.alias"),
    ] {
        let tree = read("f", text);
        assert_eq!(codes(&tree), [code], "{text}");
        assert!(tree.root.is_none());
    }
    assert_eq!(codes(&read("f", &"[".repeat(10_000))), ["yaml.syntax"]);
    assert_eq!(
        codes(&read("f", &" ".repeat(MAX_BYTES + 1))),
        ["yaml.too-large"]
    );
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = read("f", &text);
    }

    #[test]
    fn no_yaml_like_text_panics(text in "[a-c:&*\\[\\]{},'\"|>\n #!-]{0,120}") {
        let _ = read("f", &text);
    }
}

#[test]
fn a_map_of_very_many_keys_is_read_in_no_time() {
    let text: String = (0..90_000).map(|key| format!("k{key}: 1\n")).collect();
    let began = std::time::Instant::now();
    let tree = read("f", &text);
    assert_eq!(codes(&tree), [""; 0]);
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}
