//! The entries of a layer other than the copied ones.

use super::place::{beside, lead};
use crate::files::{Files, Node};
use std::collections::BTreeMap;

/// The maximum number of links to follow when a file is written.
const MOST_LINKS: usize = 40;

/// Adds the missing parent folders of a file. They get the file's owner.
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

/// Adds the folders above the copied files, which kaniko puts into the layer again.
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

/// Adds the existing targets of copied links, which kaniko puts into the layer too.
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

/// Returns the path at which a copied file is written. It follows an existing link at the
/// destination, and adds the link to the layer.
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
