//! Fuzz targets for the readers of untrusted bytes.

use crate::tree::{self, Node, NodeKind};
use crate::{Kind, Origin, Pattern, Policy, Trust};

/// A target: its name, the reader, and the seed inputs.
pub type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

/// The targets of this crate.
pub const TARGETS: [Target; 3] = [
    ("policy-yaml", yaml, yaml_seeds),
    ("policy-file", policy, policy_seeds),
    ("policy-pattern", pattern, pattern_seeds),
];

/// Reads YAML as all user files are read, and walks the tree.
pub fn yaml(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let tree = tree::read("f.yaml", &text);
    if let Some(root) = &tree.root {
        walk(root, &text);
    }
}

/// Checks that the place of each node lies within the text.
fn walk(node: &Node, text: &str) {
    let lines = text.split('\n').count() + text.matches('\r').count() + 1;
    assert!(node.at.line as usize <= lines, "{:?}", node.at);
    match &node.kind {
        NodeKind::Map(entries) => entries.iter().for_each(|(_, value)| walk(value, text)),
        NodeKind::List(items) => items.iter().for_each(|item| walk(item, text)),
        NodeKind::Scalar(_) => {}
    }
}

/// Reads a policy.
pub fn policy(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Policy::parse("policy.yaml", &text) {
        Ok(policy) => {
            let origin = Origin::default();
            assert!(origin.trust == Trust::Verified || !policy.may_write_cache(&origin));
        }
        Err(problems) => assert!(!problems.is_empty()),
    }
}

/// Reads a pattern, and matches the pattern's own text and a part of it: `PATTERN NEWLINE TEXT`.
pub fn pattern(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (pattern, subject) = text.split_once('\n').unwrap_or((&text, "a/b.c"));
    for kind in [Kind::Name, Kind::Image, Kind::Path, Kind::Host] {
        if let Ok(read) = Pattern::parse(kind, pattern) {
            let _ = read.matches(subject);
            if !pattern.contains(['*', '?', '[', '{', '\\']) {
                let longer = format!("{}x", read.as_str());
                assert!(!read.matches(&longer), "{pattern:?} is anchored");
            }
        }
    }
}

fn yaml_seeds() -> Vec<Vec<u8>> {
    [
        "a: [1, \"two\", { b: ~ }]\nc: |\n  text\n  more\nd: &x { e: off }\nf: *x\n",
        "- 1.10\n- 010\n- 'x''y'\n- \"\\u0041\\n\"\n- >-\n  folded\n  text\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn policy_seeds() -> Vec<Vec<u8>> {
    [
        "version: 1\nmode: enforce\nrules:\n- match: { repository: github.com/acme/*, ref: refs/heads/main, trust: verified }\n  plugins: [{ name: \"sidestep/*\" }, { digest: \"sha256:00\" }]\n  allow:\n    workspace: { read: [\"**\"] }\n    storage: [{ bucket: ci, prefix: a/, actions: [get, create] }]\n    kubernetes: [{ cluster: \"**\", namespace: builds, serviceAccounts: [kaniko], images: [\"r.example/kaniko@*\"], limits: { memory: 16Gi } }]\n    http: [{ host: hooks.example.com, methods: [POST], paths: [\"/deploy/*\"] }]\n  secrets: [hook]\n  cache: write\n",
        "version: 1\nmode: audit\nrules:\n- match: { trust: fork }\n  allow: {}\n  secrets: none\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn pattern_seeds() -> Vec<Vec<u8>> {
    [
        "a/**/b*.c\na/x/y/bz.c",
        "*.example.com\nwww.example.com",
        "r.example/p@sha256:*\nr.example/p@sha256:0",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

#[cfg(test)]
mod tests {
    #[test]
    fn strangers_bytes_are_read_without_harm() {
        super::TARGETS
            .into_iter()
            .for_each(sidestep_mutations::check);
    }
}
