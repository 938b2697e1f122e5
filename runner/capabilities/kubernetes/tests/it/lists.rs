//! Lists in pages.

use serde_json::{Value, json};
use sidestep_events::Class;
use sidestep_kubernetes::Most;

use crate::cluster::{Answer, Kind, client, status};
use crate::objects::pods;

/// Returns pages of pods of this many bytes each, by their number and their continuation.
fn pages(total: usize, bytes: usize) -> kube::Client {
    client(move |call| {
        let limit: usize = call.query["limit"].parse().expect("a number");
        let begin: usize = call
            .query
            .get("continue")
            .map_or(0, |token| token.parse().expect("its own"));
        let end = total.min(begin + limit);
        let items: Vec<Value> = (begin..end)
            .map(|n| {
                let text = "x".repeat(bytes);
                json!({"metadata": {"name": format!("p{n}"), "annotations": {"a": text}}})
            })
            .collect();
        let next = if end < total {
            end.to_string()
        } else {
            String::new()
        };
        let list = json!({
            "kind": "PodList", "apiVersion": "v1", "metadata": {"continue": next}, "items": items,
        });
        Answer::Json(200, list)
    })
}

#[tokio::test(start_paused = true)]
async fn a_list_stops_at_its_bytes_and_its_number() {
    let list = async |bytes_each, objects, bytes| {
        let pods = pods(pages(250, bytes_each));
        let listed = pods.list(None, None, Most { objects, bytes }).await;
        listed.map(|(items, more)| (items.len(), more))
    };
    assert_eq!(list(10, 1000, 1 << 20).await, Ok((250, false)));
    assert_eq!(list(10, 120, 1 << 20).await, Ok((120, true)));
    // Pages are made smaller until they fit.
    let (few, more) = list(100_000, 1000, 1 << 20).await.expect("a list");
    assert!((8..=10).contains(&few) && more, "{few}");
    let failure = list(100_000, 1000, 50_000).await.expect_err("too large");
    assert_eq!(failure.class, Class::Exhausted);
}

/// Returns a page of a list, and the position after it; empty at the end.
fn page(uids: &[&str], next: &str) -> Answer {
    let item = |uid: &&str| json!({"metadata": {"name": format!("pod-{uid}"), "uid": uid}});
    let items: Vec<Value> = uids.iter().map(item).collect();
    let metadata = json!({"resourceVersion": "1", "continue": next});
    let list = json!({"apiVersion": "v1", "kind": "PodList", "metadata": metadata, "items": items});
    Answer::Json(200, list)
}

fn expired() -> Answer {
    let message = "The provided continue parameter is too old";
    Answer::Json(410, status(410, "Expired", message))
}

/// Reads a whole list, with the number of its pages.
async fn whole(client: kube::Client) -> (Vec<String>, Option<u16>) {
    let objects = pods(client);
    let mut pages = objects.pages("app=x");
    let mut uids = Vec::new();
    loop {
        match pages.next().await {
            Ok(Some(page)) => uids.extend(page.iter().map(|pod| {
                let uid = pod["metadata"]["uid"].as_str();
                uid.expect("it has one").to_owned()
            })),
            Ok(None) => return (uids, None),
            Err(failure) => {
                let status = failure.details["status"].as_u64().expect("an answer");
                return (uids, Some(status as u16));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_to_its_last_page_and_each_object_comes_once() {
    let (uids, failed) = whole(client(|call| {
        assert_eq!(call.kind, Kind::ListPods);
        assert_eq!(
            (&*call.query["labelSelector"], &*call.query["limit"]),
            ("app=x", "100")
        );
        let position = call.query.get("continue").map(String::as_str);
        match (call.nth, position) {
            (0 | 2, None) => page(&["a", "b"], "after-b"),
            // The cluster has forgotten the position once, and a new pod has come meanwhile.
            (1, Some("after-b")) => expired(),
            (3, Some("after-b")) => page(&["c", "d"], "after-d"),
            (4, Some("after-d")) => page(&["e"], ""),
            other => panic!("not scripted: {other:?}"),
        }
    }))
    .await;
    assert_eq!(uids, ["a", "b", "c", "d", "e"]);
    assert_eq!(failed, None);
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_position_is_forgotten_every_time_ends() {
    let (uids, failed) = whole(client(|call| match call.query.get("continue") {
        None => page(&["a", "b"], "after-b"),
        Some(_) => expired(),
    }))
    .await;
    assert_eq!(uids, ["a", "b"], "each once");
    assert_eq!(failed, Some(410));
}
