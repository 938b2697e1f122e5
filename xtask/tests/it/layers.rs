//! The layers of ARCHITECTURE.md match the code: a room depends only on rooms below it, and rooms
//! that must not know wasmtime, Kubernetes or Google do not depend on them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms of the language and its contracts, which know no engine and no cloud.
const PLAIN: [&str; 4] = [
    "runner/pipeline",
    "runner/policy",
    "runner/context",
    "runner/events",
];
/// Name prefixes of the dependencies that they must not have.
const CLOUDS: [&str; 5] = [
    "wasmtime",
    "kube",
    "k8s-openapi",
    "google-cloud-",
    "oci-client",
];
/// Rooms outside the tables: generators, guests and tests.
const APART: [&str; 1] = ["runner/evaluator/guest"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the rooms of each table in ARCHITECTURE.md with their layers: the runner's, then the
/// sandbox's.
fn tables(page: &str) -> Vec<BTreeMap<String, u32>> {
    let mut tables = Vec::new();
    for line in page.lines() {
        if line.starts_with("| layer |") {
            tables.push(BTreeMap::new());
        }
        let mut cells = line.split('|').skip(1).map(str::trim);
        let Some(layer) = cells.next().and_then(|cell| cell.parse().ok()) else {
            continue;
        };
        let rooms = cells.next().unwrap_or_default();
        let rooms = rooms.split('`').skip(1).step_by(2).map(str::to_owned);
        let table: &mut BTreeMap<String, u32> = tables.last_mut().expect("a heading before rows");
        for room in rooms {
            let twice = table.insert(room.clone(), layer);
            assert_eq!(twice, None, "{room} is listed twice");
        }
    }
    tables
}

/// Returns the normal dependencies of a room, without dev and build dependencies, by their names in
/// its manifest.
fn dependencies(manifest: &str) -> Vec<String> {
    let part = manifest
        .split("\n[")
        .find_map(|part| part.strip_prefix("dependencies]\n"));
    let lines = part.unwrap_or_default().lines();
    let names = lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.trim());
    names
        .map(|name| name.trim_end_matches(".workspace").to_owned())
        .collect()
}

/// Returns the folder of each of our crates, from the workspace's table of dependencies.
fn places(workspace: &str) -> BTreeMap<String, String> {
    let lines = workspace
        .lines()
        .filter_map(|line| line.split_once(" = { path = \""));
    lines
        .map(|(name, rest)| {
            let place = rest.split('"').next().unwrap_or_default();
            (name.to_owned(), place.to_owned())
        })
        .collect()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_room_stands_in_the_picture_and_depends_on_what_is_below_it() {
    let tables = tables(&read("ARCHITECTURE.md"));
    let [runner, sandbox] = &tables[..] else {
        panic!("two tables: {tables:?}");
    };
    let places = places(&read("Cargo.toml"));
    let mut wrong = Vec::new();
    for room in places.values().filter(|room| room.starts_with("runner/")) {
        let known = runner.contains_key(room) || sandbox.contains_key(room);
        if !known && !APART.contains(&room.as_str()) {
            wrong.push(format!("{room} is not in ARCHITECTURE.md"));
        }
    }
    for (room, layer) in runner.iter().chain(sandbox) {
        for name in dependencies(&read(format!("{room}/Cargo.toml"))) {
            let Some(below) = places.get(&name) else {
                continue;
            };
            let own = if sandbox.contains_key(room) {
                sandbox
            } else {
                runner
            };
            let allowed = match (own.get(below), room.as_str()) {
                (Some(lower), _) => lower < layer,
                // The binary serves the sandbox. The sandbox's servers use the rooms below all
                // others.
                (None, "runner/sidestep") => below == "runner/sandbox",
                (None, room) => {
                    room.starts_with("runner/sandbox")
                        && [
                            "runner/context",
                            "runner/dockerfile",
                            "runner/evaluator",
                            "runner/files",
                            "sdk/contract",
                        ]
                        .contains(&below.as_str())
                }
            };
            if !allowed {
                wrong.push(format!("{room} (layer {layer}) depends on {below}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_language_and_its_contracts_know_no_engine_and_no_cloud() {
    for room in PLAIN {
        let found = dependencies(&read(format!("{room}/Cargo.toml")));
        assert!(found.len() >= 3, "{room}: {found:?}");
        let cloud = found
            .iter()
            .find(|name| CLOUDS.iter().any(|cloud| name.starts_with(cloud)));
        assert_eq!(cloud, None, "{room}");
    }
}

#[test]
fn manifests_and_tables_are_read() {
    let manifest = "[package]\nname = \"a\"\n\n[dependencies]\nb = { workspace = true }\nc.workspace = true\n\n[dev-dependencies]\nd = \"1\"\n";
    assert_eq!(dependencies(manifest), ["b", "c"]);
    let tables =
        tables("| layer | rooms |\n|---|---|\n| 2 | `x`, `y/z` | text |\n| 1 | `w` | - |\n");
    let layers: Vec<_> = tables[0]
        .iter()
        .map(|(room, layer)| (room.as_str(), *layer))
        .collect();
    assert_eq!(layers, [("w", 1), ("x", 2), ("y/z", 2)]);
}
