//! Generated trees with generated pattern lists, walked as Docker walks a context.

use super::{Question, compare, ours, shown};
use crate::random::Random;
use sidestep_context::{Options, RelPath, Tree};
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ffi::OsStr,
    fs,
    num::NonZero,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
};

/// The default number of paths to compare.
const PATHS: usize = 50_000;
/// The maximum average number of paths in a tree: a million paths make 20,000 trees.
const PATHS_OF_A_TREE: usize = 50;
const SEED: u64 = 17;
/// The number of trees per call of the reference program.
const BATCH: usize = 2_000;
/// One of this many trees is also walked on disk.
const ON_DISK: usize = 20;

/// The kind of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
    Link,
}

/// An entry of a context.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) path: Vec<u8>,
    kind: Kind,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = match self.kind {
            Kind::Folder => "/",
            Kind::File => "",
            Kind::Link => "@",
        };
        write!(f, "{}{end}", shown(&self.path))
    }
}

impl Node {
    /// Returns the parent folders.
    pub(super) fn folders(&self) -> impl Iterator<Item = &[u8]> {
        let slashes = (0..self.path.len()).filter(|&at| self.path[at] == b'/');
        slashes.map(|at| &self.path[..at])
    }

    /// Returns the reference program's input form: a letter, and the path.
    pub(super) fn marked(&self) -> Vec<u8> {
        let mark = match self.kind {
            Kind::Folder => b"d",
            Kind::File => b"f",
            Kind::Link => b"l",
        };
        [&mark[..], &self.path].concat()
    }
}

/// Returns valid paths of a context, as files, and the folders above them.
pub(super) fn nodes(paths: &[Vec<u8>]) -> Vec<Node> {
    let mut kinds = BTreeMap::new();
    for path in paths
        .iter()
        .filter(|path| RelPath::new((*path).clone()).is_some())
    {
        kinds.entry(path.clone()).or_insert(Kind::File);
        for (at, _) in path.iter().enumerate().filter(|&(_, &b)| b == b'/') {
            kinds.insert(path[..at].to_vec(), Kind::Folder);
        }
    }
    let nodes = kinds.into_iter().map(|(path, kind)| Node { path, kind });
    nodes.collect()
}

/// Returns the entries of a walk on disk, without the ignore file and the Dockerfile.
fn on_disk(question: &Question) -> Option<BTreeSet<String>> {
    let folder = tempfile::tempdir().unwrap();
    for node in &question.tree {
        let at = folder.path().join(OsStr::from_bytes(&node.path));
        match node.kind {
            Kind::Folder => fs::create_dir(at).unwrap(),
            Kind::File => drop(fs::File::create_new(at).unwrap()),
            Kind::Link => symlink(".", at).unwrap(),
        }
    }
    fs::write(folder.path().join(".dockerignore"), &question.ignore).unwrap();
    let options = Options {
        threads: NonZero::<usize>::MIN,
        ..Options::new(folder.path())
    };
    let tree = Tree::read(&options).ok()?;
    let paths = tree.entries().iter().map(|entry| entry.path.as_bytes());
    let paths = paths.filter(|path| path != b".dockerignore");
    Some(paths.map(shown).collect())
}

/// Returns a tree of at most `PATHS_OF_A_TREE` paths, to a depth of 6, with empty folders and
/// links.
fn tree(random: &mut Random) -> Vec<Node> {
    const NAMES: [&str; 9] = ["a", "b", "c", "ab", "a.b", ".x", "x.js", "b c", "é"];
    let mut folders = vec![Vec::new()];
    let mut nodes = BTreeMap::new();
    for _ in 0..PATHS_OF_A_TREE * 2 {
        let folder: &Vec<u8> = &folders[random.below(folders.len())];
        let name = NAMES[random.below(NAMES.len())].as_bytes();
        let path = match &folder[..] {
            b"" => name.to_vec(),
            folder => [folder, b"/", name].concat(),
        };
        if nodes.len() == PATHS_OF_A_TREE || nodes.contains_key(&path) {
            continue;
        }
        let depth = path.split(|&b| b == b'/').count();
        let kind = match random.below(10) {
            0..4 if depth < 6 => Kind::Folder,
            4 => Kind::Link,
            _ => Kind::File,
        };
        if kind == Kind::Folder {
            folders.push(path.clone());
        }
        nodes.insert(path, kind);
    }
    let nodes = nodes.into_iter().map(|(path, kind)| Node { path, kind });
    nodes.collect()
}

/// Returns a pattern that matches, or nearly matches, a path of the tree.
fn pattern(random: &mut Random, tree: &[Node]) -> Vec<u8> {
    let path = &tree[random.below(tree.len())].path;
    let mut parts: Vec<Vec<u8>> = path.split(|&b| b == b'/').map(<[u8]>::to_vec).collect();
    match random.below(5) {
        0 => parts.truncate(1 + random.below(parts.len())),
        1 => drop(parts.drain(..random.below(parts.len()))),
        2 => {
            let last = parts.pop().unwrap();
            parts = vec![last];
        }
        _ => {}
    }
    for part in &mut parts {
        *part = match random.below(16) {
            0 | 1 => b"*".to_vec(),
            2 => b"**".to_vec(),
            3 => [&part[..1], b"*"].concat(),
            4 => [b"*", &part[part.len() - 1..]].concat(),
            5 => [b"?", part.get(1..).unwrap_or_default()].concat(),
            6 => b"[a-b]".to_vec(),
            _ => part.clone(),
        };
    }
    let mark: &[u8] = [&b""[..], b"!"][random.below(2)];
    let start: &[u8] = [&b""[..], b"", b"**/", b"/", b"*/"][random.below(5)];
    let end: &[u8] = [&b""[..], b"", b"", b"/", b"/*", b"/**", b"/**/x.js"][random.below(7)];
    [mark, start, &parts.join(&b'/'), end].concat()
}

fn question(random: &mut Random) -> Question {
    let tree = tree(random);
    let lines: Vec<_> = (0..=random.below(6))
        .map(|_| pattern(random, &tree))
        .collect();
    let paths = tree.iter().map(|node| node.path.clone()).collect();
    Question {
        ignore: lines.join(&b'\n'),
        paths,
        tree,
    }
}

#[test]
fn on_generated_trees_entry_by_entry() {
    let wanted = env::var("SIDESTEP_JUDGED_PATHS");
    let wanted = wanted.map_or(PATHS, |count| count.parse().expect("a number of paths"));
    let mut random = Random(SEED);
    let (mut paths, mut trees) = (0, 0);
    while paths < wanted || trees < wanted / PATHS_OF_A_TREE {
        let questions: Vec<_> = (0..BATCH.min(wanted / PATHS_OF_A_TREE))
            .map(|_| question(&mut random))
            .collect();
        paths += questions
            .iter()
            .map(|question| question.tree.len())
            .sum::<usize>();
        trees += questions.len();
        compare(&questions);
        for question in questions.iter().step_by(ON_DISK) {
            assert_eq!(ours(question).walked, on_disk(question), "{question:?}");
        }
    }
    #[expect(clippy::print_stdout, reason = "for whoever runs the tests")]
    {
        println!("judged {paths} paths of {trees} trees, seed {SEED}");
    }
}

#[test]
fn the_tree_of_the_reported_case() {
    let path = |text: &str| text.as_bytes().to_vec();
    let paths = [
        "config/secrets/key.pem",
        "config/app.yaml",
        "packages/a/dist/x.js",
        "packages/a/y.js",
    ];
    let tree = nodes(&paths.map(path));
    let question = Question {
        ignore: path("**/secrets\n**/dist\n!config\n!packages"),
        tree,
        paths: Vec::new(),
    };
    let want = [
        "config",
        "config/app.yaml",
        "packages",
        "packages/a",
        "packages/a/y.js",
    ];
    assert!(on_disk(&question).unwrap().iter().eq(want));
    compare(&[question]);
}
