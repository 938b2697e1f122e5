use serde_json::json;

use super::*;

fn put(store: &Store, name: &str, data: &str) -> u64 {
    let key = Key::new("configmaps", "a", name);
    let object = json!({ "metadata": { "name": name }, "data": { "k": data } });
    let saved = store.write(|tx| tx.put(&key, object)).expect("writes");
    saved["metadata"]["resourceVersion"]
        .as_str()
        .and_then(|v| v.parse().ok())
        .expect("version")
}

#[test]
fn versions_grow_and_survive_reopening() {
    let dir = tempfile::tempdir().expect("folder");
    let store = Store::open(dir.path(), 10).expect("opens");
    let first = put(&store, "x", "1");
    assert_eq!(put(&store, "x", "1"), first, "an unchanged write is none");
    let second = put(&store, "x", "2");
    assert_eq!(second, first + 1);
    put(&store, "y", "1");
    store
        .write(|tx| tx.remove(&Key::new("configmaps", "a", "y")))
        .expect("removes");
    drop(store);
    let store = Store::open(dir.path(), 10).expect("opens again");
    assert_eq!(store.version(), second + 2);
    let (_, items) = store.list("configmaps", "a");
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["data"]["k"], "2");
}

#[test]
fn a_torn_last_line_is_dropped() {
    let dir = tempfile::tempdir().expect("folder");
    let store = Store::open(dir.path(), 10).expect("opens");
    put(&store, "x", "1");
    drop(store);
    let file = dir.path().join("changes.jsonl");
    let mut text = std::fs::read(&file).expect("journal");
    text.extend_from_slice(b"{\"rv\":99,\"key\":{\"res");
    std::fs::write(&file, text).expect("written");
    let store = Store::open(dir.path(), 10).expect("opens");
    assert_eq!(store.version(), 1);
    assert_eq!(put(&store, "x", "2"), 2);
    drop(store);
    assert_eq!(Store::open(dir.path(), 10).expect("opens").version(), 2);
}

#[test]
fn the_past_is_bounded() {
    let dir = tempfile::tempdir().expect("folder");
    let store = Store::open(dir.path(), 3).expect("opens");
    for n in 0..6 {
        put(&store, "x", &n.to_string());
    }
    assert!(store.since("configmaps", "a", 2).is_err());
    let (_, changes) = store.since("configmaps", "a", 3).expect("kept");
    assert_eq!(changes.len(), 3);
}
