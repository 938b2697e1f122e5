//! A pod that really runs, and its log.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::Client;
use serde_json::{Value, json};
use sidestep_gate::{Following as _, Update};

use super::{attempt, objects, on};
use crate::Deletion;
use crate::follow::{Gap, Outlet, Piece, PodFollow, Position, Target};

/// Keeps the lines of a log.
#[derive(Default)]
struct Lines {
    lines: Mutex<Vec<Vec<u8>>>,
    position: Mutex<Option<Position>>,
    lost: Mutex<Vec<String>>,
}

impl Lines {
    fn lines(&self) -> Vec<Vec<u8>> {
        self.lines.lock().expect("no panic").clone()
    }
}

impl Outlet for Lines {
    fn piece(&self, _: &str, piece: &Piece, position: Position) {
        let mut lines = self.lines.lock().expect("no panic");
        if piece.first {
            lines.push(Vec::new());
        }
        let last = lines.last_mut().expect("a line has begun");
        last.extend_from_slice(&piece.bytes);
        *self.position.lock().expect("no panic") = Some(position);
    }

    fn mask(&self, text: &str, _: bool) -> String {
        text.to_owned()
    }

    fn gap(&self, container: &str, gap: Gap) {
        let text = format!("{container}: {} to {}", gap.after, gap.before);
        self.lost.lock().expect("no panic").push(text);
    }

    fn without_events(&self, why: &str) {
        self.lost.lock().expect("no panic").push(why.to_owned());
    }

    fn cut_off(&self, _: &str, why: &str) {
        self.lost.lock().expect("no panic").push(why.to_owned());
    }
}

/// Follows a pod to its end. Returns the log, and the texts of the matches.
async fn follow(client: &Client, target: Target) -> (Arc<Lines>, Vec<Update>, Update) {
    let lines = Arc::new(Lines::default());
    let outlet = Arc::clone(&lines) as Arc<dyn Outlet>;
    let mut following = PodFollow::start(client.clone(), target, outlet, Arc::default());
    let mut updates = Vec::new();
    loop {
        let next = following
            .next(Duration::from_mins(2))
            .await
            .expect("no failure");
        match next.unwrap_or_else(|| panic!("nothing happens any more: {updates:?}")) {
            end @ Update::Ended(_) => return (lines, updates, end),
            update => updates.push(update),
        }
    }
}

/// Prints lines that a careless reader would change, then many, and ends with 3.
const SCRIPT: &str = r#"
printf 'plain\n\nbar\rbaz\r\n\377\376 not UTF-8\n'
i=0; while [ $i -lt 5000 ]; do echo "line $i of a log"; i=$((i+1)); done
head -c 40000 /dev/zero | tr '\0' x; echo
printf 'without an end'
exit 3
"#;

fn expected() -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = vec![
        b"plain".to_vec(),
        b"".to_vec(),
        b"bar\rbaz".to_vec(), // containerd drops the carriage return before a newline
        b"\xff\xfe not UTF-8".to_vec(),
    ];
    lines.extend((0..5000).map(|i| format!("line {i} of a log").into_bytes()));
    lines.push(vec![b'x'; 40000]);
    lines.push(b"without an end".to_vec());
    lines
}

fn pod(image: &str, script: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "build" },
        "spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
            "containers": [{
                "name": "main", "image": image, "command": ["sh", "-c", script],
            }],
        },
    })
}

#[test]
fn a_pod_runs_and_its_log_comes_whole() {
    let Some(cluster) = sidestep_cluster_testing::node() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let pods = objects(&client, "pods", namespace);
        let wish = pod(cluster.image(), SCRIPT);
        let (made, _) = pods
            .create(wish, "build", &attempt(1), false)
            .await
            .expect("created");
        let uid = made["metadata"]["uid"].as_str().map(str::to_owned);
        let target = Target {
            namespace: namespace.name().to_owned(),
            name: "build".to_owned(),
            uid: uid.clone(),
            containers: Vec::new(),
            patterns: vec![(
                "late".to_owned(),
                regex::Regex::new("line (4999)").expect("a pattern"),
            )],
            events: true,
            positions: HashMap::new(),
        };
        let (log, updates, end) = follow(&client, target.clone()).await;
        let lines = log.lines();
        assert_eq!(lines.len(), expected().len());
        for (line, wanted) in lines.iter().zip(expected()) {
            assert_eq!(
                String::from_utf8_lossy(line),
                String::from_utf8_lossy(&wanted)
            );
            assert_eq!(*line, wanted);
        }
        assert_eq!(*log.lost.lock().expect("no panic"), Vec::<String>::new());
        let Update::Ended(state) = end else {
            panic!("{end:?}");
        };
        let text = format!("{state:?}");
        assert!(text.contains("Failed") && text.contains('3'), "{text}");
        let all = format!("{updates:?}");
        assert!(all.contains("4999") && all.contains("Scheduled"), "{all}");

        // A follow that resumes at the last position has nothing to add.
        let position = *log.position.lock().expect("no panic");
        let positions = position
            .map(|at| ("main".to_owned(), at))
            .into_iter()
            .collect();
        let (rest, _, _) = follow(
            &client,
            Target {
                positions,
                ..target
            },
        )
        .await;
        assert_eq!(rest.lines(), Vec::<Vec<u8>>::new());

        let wait = Some(Duration::from_mins(1));
        let gone = pods.delete("build", uid.as_deref(), None, wait).await;
        assert_eq!(gone, Ok(Deletion::Gone));
    });
}

#[test]
fn a_running_pod_is_deleted_within_its_grace() {
    let Some(cluster) = sidestep_cluster_testing::node() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let pods = objects(&client, "pods", namespace);
        let wish = pod(cluster.image(), "echo started; sleep 1000");
        let (made, _) = pods
            .create(wish, "build", &attempt(1), false)
            .await
            .expect("created");
        let uid = made["metadata"]["uid"].as_str();
        namespace.ok(&[
            "wait",
            "pod/build",
            "--for=condition=Ready",
            "--timeout=180s",
        ]);
        let wait = Some(Duration::from_mins(1));
        assert_eq!(
            pods.delete("build", uid, None, wait).await,
            Ok(Deletion::Gone)
        );
        assert_eq!(pods.find("build").await, Ok(None));
    });
}
