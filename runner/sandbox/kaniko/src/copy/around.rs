//! What a layer holds besides what is copied.

use super::place::{beside, lead};
use crate::files::{Files, Node};
use std::collections::BTreeMap;

/// How many links a file is written through.
const MOST_LINKS: usize = 40;

/// The folders that a file needs and that are not there: they are the file's owner's.
pub(crate) fn add_parents(
    nodes: &mut BTreeMap<String, Node>,
    into: &Files,
    path: &str,
    owner: Option<(u64, u64)>,
) {
    for (at, _) in path.match_indices('/') {
        let folder = &path[..at];
        if !into.0.contains_key(folder) {
            nodes.entry(folder.to_owned()).or_insert(Node::Folder {
                mode: 0o755,
                owner: owner.unwrap_or((0, 0)),
            });
        }
    }
}

/// The folders above what is copied: kaniko puts them into the layer again.
pub(crate) fn add_above(nodes: &mut BTreeMap<String, Node>, into: &Files) {
    let above = |path: &String| -> Vec<String> {
        let slashes = path.match_indices('/');
        slashes.map(|(at, _)| path[..at].to_owned()).collect()
    };
    let folders: Vec<String> = nodes.keys().flat_map(above).collect();
    for folder in folders {
        if let Some(node @ Node::Folder { .. }) = into.0.get(&folder) {
            nodes.entry(folder).or_insert_with(|| node.clone());
        }
    }
}

/// What copied links lead to, as far as it was there: kaniko puts that into the layer, too.
pub(super) fn add_targets(nodes: &mut BTreeMap<String, Node>, into: &Files) {
    let targets: Vec<String> = nodes
        .iter()
        .filter_map(|(path, node)| match node {
            Node::Link { target } => into.resolve(&lead(path, target)),
            Node::File { .. } | Node::Folder { .. } => None,
        })
        .collect();
    for target in targets {
        if let Some(node) = into.0.get(&target) {
            nodes.entry(target).or_insert_with(|| node.clone());
        }
    }
}

/// Where a file is written that is copied to a path: through the link that stands there. The layer
/// then holds the link, too.
pub(super) fn written_through(
    nodes: &mut BTreeMap<String, Node>,
    into: &Files,
    mut path: String,
) -> String {
    for _ in 0..MOST_LINKS {
        let Some(link @ Node::Link { target }) = into.0.get(&path) else {
            break;
        };
        nodes.insert(path.clone(), link.clone());
        path = beside(into, &format!("/{}", lead(&path, target)), "");
    }
    path
}
