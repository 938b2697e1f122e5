//! Creation, reading, server-side apply and deletion on a real API server.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sidestep_events::{Class, OnExit, codes};
use sidestep_gate_testing::Record;

use super::{attempt, config_map, objects, on};
use crate::link::{apply_for_the_step, create_with_secret, open};
use crate::{Deletion, Most, Objects, Target, made_by};

fn most(objects: u32) -> Most {
    let bytes = 4 << 20;
    Most { objects, bytes }
}

#[test]
fn an_object_is_created_once_for_each_attempt() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let maps = objects(&client, "configmaps", namespace);
        let create = async |value: &str, number, dry_run| {
            let map = config_map("one", value);
            maps.create(map, "one", &attempt(number), dry_run).await
        };
        let (asked, new) = create("first", 1, true).await.expect("it could be created");
        assert!(new && asked["metadata"]["uid"].is_string(), "{asked}");
        assert_eq!(maps.find("one").await, Ok(None));

        let (made, new) = create("first", 1, false).await.expect("created");
        assert!(new);
        assert_eq!(made["metadata"]["labels"]["app"], "test");
        assert_eq!(
            made["metadata"]["annotations"]["sidestep.dev/made-by"],
            "run/build/1/plan"
        );
        assert!(made["metadata"]["managedFields"].is_null(), "{made}");
        let (again, new) = create("changed", 1, false).await.expect("its own");
        assert!(!new);
        assert_eq!(again["metadata"]["uid"], made["metadata"]["uid"]);
        assert_eq!(again["data"]["key"], "first");

        let failure = create("first", 2, false)
            .await
            .expect_err("another's")
            .failure;
        assert_eq!(failure.class, Class::Conflict);
        assert!(
            failure.code == codes::kubernetes::ALREADY_EXISTS,
            "{failure:?}"
        );
        let failure = maps.get("missing").await.expect_err("there is none");
        assert_eq!(failure.class, Class::NotFound);
    });
}

#[test]
fn a_secret_is_read_without_its_data() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        namespace.ok(&["create", "secret", "generic", "words", "--from-literal=a=b"]);
        let secrets = objects(&client, "secrets", namespace);
        let secret = secrets.get("words").await.expect("there is one");
        assert_eq!(secret["type"], "Opaque");
        assert!(
            secret["data"].is_null() && secret["stringData"].is_null(),
            "{secret}"
        );
        let (listed, _) = secrets.list(None, None, most(10)).await.expect("a list");
        assert!(listed.iter().all(|secret| secret["data"].is_null()));

        // `kubectl apply` keeps all that it applied in an annotation.
        let file = std::env::temp_dir().join(format!("{}.json", namespace.name()));
        let applied = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "applied" },
            "stringData": { "key": "a-secret-text" }, "data": { "other": "aGlkZGVu" },
        });
        std::fs::write(&file, applied.to_string()).expect("written");
        namespace.ok(&["apply", "--filename", &file.to_string_lossy()]);
        std::fs::remove_file(&file).expect("removed");
        let secret = secrets.get("applied").await.expect("there is one");
        let shown = secret.to_string();
        assert!(
            !shown.contains("a-secret-text") && !shown.contains("aGlkZGVu"),
            "{shown}"
        );
    });
}

/// A node gives a pod any Secret that its spec names, so the pod must not exist before its own.
#[test]
fn a_pod_whose_own_secret_exists_already_is_not_made() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        namespace.ok(&["create", "secret", "generic", "words", "--from-literal=a=b"]);
        let pods = objects(&client, "pods", namespace);
        let failure = create_with_secret(client.clone(), namespace.name(), "words").await;
        assert_eq!(failure, Err(codes::kubernetes::ALREADY_EXISTS.to_owned()));
        assert_eq!(pods.find("build").await, Ok(None));
    });
}

#[test]
fn lists_are_selected_and_cut() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let maps = objects(&client, "configmaps", namespace);
        for name in ["one", "two", "three"] {
            let map = config_map(name, "x");
            maps.create(map, name, &attempt(1), false)
                .await
                .expect("created");
        }
        namespace.ok(&["label", "configmap", "two", "app=other", "--overwrite"]);
        let names = |(items, more): (Vec<Value>, bool)| {
            let names = items.iter().map(|item| item["metadata"]["name"].as_str());
            (
                names
                    .map(|name| name.unwrap_or_default().to_owned())
                    .collect::<Vec<_>>(),
                more,
            )
        };
        let selected = maps
            .list(Some("app=test"), None, most(10))
            .await
            .expect("a list");
        assert_eq!(
            names(selected),
            (vec!["one".to_owned(), "three".to_owned()], false)
        );
        let cut = maps.list(Some("app"), None, most(2)).await.expect("a list");
        assert_eq!(
            names(cut),
            (vec!["one".to_owned(), "three".to_owned()], true)
        );
        let field = maps
            .list(None, Some("metadata.name=two"), most(10))
            .await
            .expect("a list");
        assert_eq!(names(field), (vec!["two".to_owned()], false));
        let failure = maps
            .list(Some("app in"), None, most(10))
            .await
            .expect_err("no selector");
        assert_eq!(failure.class, Class::InvalidInput, "{failure:?}");
    });
}

#[test]
fn an_apply_takes_over_fields_of_others_only_by_force() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let maps = objects(&client, "configmaps", namespace);
        let apply = async |value: &str, force, dry_run| {
            maps.apply(&config_map("one", value), "one", force, dry_run)
                .await
        };
        let asked = apply("first", false, true)
            .await
            .expect("it could be applied");
        assert_eq!(asked["data"]["key"], "first");
        assert_eq!(maps.find("one").await, Ok(None));
        apply("first", false, false).await.expect("created");
        let second = apply("second", false, false).await.expect("its own field");
        assert_eq!(second["data"]["key"], "second");

        let patch = [
            "patch",
            "configmap",
            "one",
            "--patch",
            r#"{"data":{"key":"theirs"}}"#,
        ];
        namespace.ok(&patch);
        let failure = apply("third", false, false).await;
        let failure = failure.expect_err("their field").failure;
        assert_eq!(failure.class, Class::Conflict, "{failure:?}");
        assert!(failure.message.contains(".data.key"), "{failure:?}");
        let third = apply("third", true, false).await.expect("by force");
        assert_eq!(third["data"]["key"], "third");

        let owner = attempt(1);
        let map = config_map("one", "x");
        let theirs = maps.apply_owned(map, "one", &owner, true, false).await;
        let failure = theirs.expect_err("not of a step").failure;
        assert_eq!(failure.class, Class::Conflict);
    });
}

#[test]
fn a_deletion_is_of_one_uid_and_is_waited_for() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let maps = objects(&client, "configmaps", namespace);
        let mut held = config_map("held", "x");
        held["metadata"]["finalizers"] = json!(["sidestep.test/held"]);
        let (made, _) = maps
            .create(held, "held", &attempt(1), false)
            .await
            .expect("created");
        let uid = made["metadata"]["uid"].as_str();

        let other = Some("00000000-0000-0000-0000-000000000000");
        assert_eq!(
            maps.delete("held", other, None, None).await,
            Ok(Deletion::Gone)
        );
        assert!(
            maps.get("held").await.is_ok(),
            "another object is not touched"
        );
        assert_eq!(
            maps.delete("missing", None, None, None).await,
            Ok(Deletion::Gone)
        );

        let patience = Duration::from_millis(300);
        let going = maps
            .delete("held", uid, None, Some(patience))
            .await
            .expect("accepted");
        let Deletion::Going { object, unseen } = going else {
            panic!("a finalizer holds it: {going:?}");
        };
        assert_eq!(unseen, None);
        assert_eq!(object.uid, made["metadata"]["uid"].as_str().expect("a uid"));

        // The watch of the second deletion sees the end.
        let started = Instant::now();
        let (gone, ()) = tokio::join!(
            maps.delete("held", uid, None, Some(Duration::from_mins(1))),
            async {
                let merge = r#"{"metadata":{"finalizers":null}}"#;
                namespace.ok(&[
                    "patch",
                    "configmap",
                    "held",
                    "--type=merge",
                    "--patch",
                    merge,
                ]);
            }
        );
        assert_eq!(gone, Ok(Deletion::Gone));
        assert!(started.elapsed() < Duration::from_secs(30));
        assert_eq!(maps.find("held").await, Ok(None));
    });
}

#[test]
fn what_is_applied_for_a_step_is_deleted_by_what_the_journal_has_of_it() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let name = namespace.name();
        let apply = async |value: &str| apply_for_the_step(client.clone(), name, value).await;
        let maps = objects(&client, "configmaps", namespace);
        for value in ["first", "second"] {
            let (applied, records) = apply(value).await;
            let applied: Value = serde_json::from_str(&applied.expect("applied")).expect("JSON");
            assert_eq!(applied["data"]["key"], value);
            assert_eq!(open(&records), [true]);
            let Some(Record::Intent(intent)) = records
                .iter()
                .find(|record| matches!(record, Record::Intent(_)))
            else {
                panic!("{records:?}");
            };
            assert_eq!(intent.on_exit, OnExit::Delete);
            if value == "second" {
                // As the clean-up does, which has only the intent.
                let target = Target::of_journal(&intent.kind, name);
                let found = Objects::new(client.clone(), target);
                let object = found.find(&intent.name).await.expect("an answer");
                let object = object.expect("it exists");
                assert_eq!(made_by(&object), Some("run/step/1/sha256:00"));
                let uid = object["metadata"]["uid"].as_str();
                let patience = Some(Duration::from_mins(1));
                let deletion = found.delete(&intent.name, uid, None, patience).await;
                assert_eq!(deletion, Ok(Deletion::Gone));
            }
        }
        assert_eq!(maps.find("settings").await, Ok(None));

        // The object of another client is neither changed nor deleted.
        namespace.ok(&[
            "create",
            "configmap",
            "settings",
            "--from-literal=key=theirs",
        ]);
        let (refused, records) = apply("third").await;
        assert_eq!(refused, Err(codes::kubernetes::ALREADY_EXISTS.to_owned()));
        assert_eq!(open(&records), [false]);
        let theirs = maps.get("settings").await.expect("it exists");
        assert_eq!(theirs["data"]["key"], "theirs");
    });
}
