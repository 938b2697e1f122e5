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

/// Returns a tree as text: `{a=1,b=[x,y]}`.
fn shown(node: &Node) -> String {
    match &node.kind {
        NodeKind::Scalar(scalar) => scalar.text.clone(),
        NodeKind::List(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(","))
        }
        NodeKind::Map(entries) => {
            let entries = entries.iter();
            let entries: Vec<String> = entries
                .map(|(key, value)| format!("{}={}", key.text, shown(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

#[test]
fn merge_keys_add_what_a_map_lacks() {
    for (text, merged) in [
        ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n", "{y=3,x=1}"),
        ("a: &a {x: 1, y: 2}\nb: {y: 3, <<: *a}\n", "{y=3,x=1}"),
        ("b:\n  <<: {x: 1}\n  z: 2\n", "{z=2,x=1}"),
        ("b: {<<: [{x: 1}, {x: 2, y: 2}], z: 0}\n", "{z=0,x=1,y=2}"),
        ("b: {<<: []}\n", "{}"),
        // A merged map is merged already.
        ("a: &a {<<: {x: 1}, y: 2}\nb: {<<: *a}\n", "{y=2,x=1}"),
        // Values are not merged, only keys.
        ("b: {<<: {x: {p: 1}}, x: {q: 2}}\n", "{x={q=2}}"),
        // In quotes it is a key like any other, also in a merged map.
        ("b: {\"<<\": 1, '<': 2}\n", "{<<=1,<=2}"),
        ("b: {<<: {\"<<\": 1}, x: 2}\n", "{x=2,<<=1}"),
        ("b: {!!str <<: 1}\n", "{<<=1}"),
        // A value is no key.
        ("b: [<<]\n", "[<<]"),
    ] {
        let tree = read("f", text);
        assert!(tree.problems.is_empty(), "{text}: {:?}", tree.problems);
        let root = tree.root.expect("a map");
        assert_eq!(shown(root.get("b").expect("b")), merged, "{text}");
    }
}

#[test]
fn only_maps_are_merged_and_only_once() {
    for (text, code) in [
        ("b: {<<: 1}\n", "yaml.merge"),
        ("b: {<<: }\n", "yaml.merge"),
        ("b: {<<: [{x: 1}, 2]}\n", "yaml.merge"),
        ("b: {<<: [[{x: 1}]]}\n", "yaml.merge"),
        ("b: {<<: {}, <<: {}}\n", "yaml.duplicate-key"),
        ("a: &a {<<: *a}\n", "yaml.alias"),
    ] {
        assert_eq!(codes(&read("f", text)), [code], "{text}");
    }
    // Merging counts like writing out.
    let wide: String = (0..2_000).map(|i| format!("k{i}: 1\n  ")).collect();
    let mut text = format!("a: &a\n  {wide}\n");
    for i in 0..200 {
        text.push_str(&format!("b{i}: {{<<: *a}}\n"));
    }
    assert_eq!(codes(&read("f", &text)), ["yaml.too-large"]);
}

#[test]
fn a_repeated_value_has_the_place_of_the_outermost_alias() {
    let text = "a: &a {x: 1}\nb: &b {y: *a}\nc: *b\nd:\n  <<: *a\n";
    let root = read("f", text).root.expect("a map");
    let places = |path: &[&str]| {
        let at = path
            .iter()
            .fold(&root, |node, key| node.get(key).expect(key))
            .at;
        let used = at.used.map(|used| (used.line, used.column));
        ((at.line, at.column), used)
    };
    assert_eq!(places(&["a", "x"]), ((1, 11), None));
    assert_eq!(places(&["b", "y", "x"]), ((1, 11), Some((2, 11))));
    assert_eq!(places(&["c", "y", "x"]), ((1, 11), Some((3, 4))));
    assert_eq!(places(&["d", "x"]), ((1, 11), Some((5, 7))));
    assert_eq!(places(&["d"]).1, None);
}
