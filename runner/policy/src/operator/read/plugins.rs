//! Reads a rule's `plugins`.

use sidestep_events::PluginRef;

use super::Reader;
use crate::operator::plugins::{Entry, Listing, SignedBy};
use crate::pattern::{Kind, Pattern};
use crate::tree::{Node, NodeKind};

const EXAMPLE: &str = "plugins: [{ name: \"sidestep/*\" }, { digest: \"sha256:…\" }]";
const BY_DIGEST: &str = "a file is listed by the digest that `sidestep plugin inspect` prints";

impl Reader<'_> {
    /// Reads `plugins`; `line` is the line of the key.
    pub(super) fn plugins(&mut self, node: &Node, line: u32) -> Listing {
        let entries = match &node.kind {
            NodeKind::List(items) => items.iter().filter_map(|item| self.entry(item)).collect(),
            _ => {
                self.wrong(node.at, "`plugins` must be a list", EXAMPLE);
                Vec::new()
            }
        };
        Listing { line, entries }
    }

    fn entry(&mut self, item: &Node) -> Option<Entry> {
        let before = self.problems.len();
        self.keys(item, &["name", "reference", "digest", "signer"]);
        let digest = item.get("digest").and_then(|node| self.digest(node));
        let name = item.get("name").and_then(|node| self.name(node));
        let reference = item.get("reference").and_then(|node| self.reference(node));
        let signer = item.get("signer").and_then(|node| self.signer(node));
        if self.problems.len() > before {
            return None;
        }
        match (name, reference, signer, digest) {
            (Some(name), None, None, digest) => Some(Entry::BuiltIn { name, digest }),
            (Some(_), ..) => {
                self.wrong(
                    item.at,
                    "this entry matches no plugin: `name` is for built-in plugins, `reference` and \
                     `signer` are for a registry's",
                    "write an entry for each kind",
                );
                None
            }
            (None, None, None, Some(digest)) => Some(Entry::Bytes(digest)),
            (None, None, None, None) => {
                self.wrong(
                    item.at,
                    "this entry names no plugin",
                    "write `name`, `digest`, `reference` or `signer`",
                );
                None
            }
            (None, reference, signer, digest) => Some(Entry::Oci {
                reference,
                signer,
                digest,
            }),
        }
    }

    /// Reads a pattern of built-in plugins' names.
    fn name(&mut self, node: &Node) -> Option<Pattern> {
        let pattern = self.pattern(node, Kind::Name)?;
        if pattern.as_str().starts_with(PluginRef::COLLECTION) {
            return Some(pattern);
        }
        self.wrong(
            node.at,
            "`name` is for built-in plugins, whose names begin with `sidestep/`",
            BY_DIGEST,
        );
        None
    }

    /// Reads a pattern of references to registries; the scheme is removed.
    fn reference(&mut self, node: &Node) -> Option<Pattern> {
        let text = node.scalar().map(|scalar| scalar.text.as_str());
        let Some(rest) = text.and_then(|text| text.strip_prefix(PluginRef::SCHEME)) else {
            self.wrong(
                node.at,
                "`reference` is for a registry's plugins and begins with `oci://`",
                BY_DIGEST,
            );
            return None;
        };
        match Pattern::parse(Kind::Image, rest) {
            Ok(pattern) => Some(pattern),
            Err(problem) => {
                self.wrong(node.at, problem, "");
                None
            }
        }
    }

    fn digest(&mut self, node: &Node) -> Option<String> {
        let text = node.scalar().map(|scalar| scalar.text.as_str());
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let whole = text.filter(|text| {
            text.strip_prefix("sha256:")
                .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(is_hex))
        });
        if whole.is_none() {
            self.wrong(
                node.at,
                "a digest must be `sha256:` and 64 hexadecimal digits in lower case",
                "`sidestep plugin inspect` prints it",
            );
        }
        whole.map(str::to_owned)
    }

    /// Reads issuer and identity. Both are required: an identity without its issuer proves nothing.
    fn signer(&mut self, node: &Node) -> Option<SignedBy> {
        self.keys(node, &["issuer", "identity"]);
        let mut part = |name: &str| match node.get(name) {
            Some(node) => self.pattern(node, Kind::Name),
            None => {
                self.wrong(
                    node.at,
                    format!("`signer` has no `{name}`"),
                    "write `signer: { issuer: …, identity: … }`",
                );
                None
            }
        };
        let (issuer, identity) = (part("issuer"), part("identity"));
        Some(SignedBy {
            issuer: issuer?,
            identity: identity?,
        })
    }

    /// Reads one pattern.
    fn pattern(&mut self, node: &Node, kind: Kind) -> Option<Pattern> {
        if !matches!(node.kind, NodeKind::Scalar(_)) {
            self.wrong(node.at, "a pattern must be a string", "");
            return None;
        }
        self.patterns(Some(node), kind)?.pop()
    }
}
