//! Clean-up that meets errors, and namespaces with many pods.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, Request};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use sidestep_test_harness::serve;
use tokio::runtime::Runtime;

use crate::gc::{fate, gc, hanging, kill};
use crate::interrupted::{pod_of, pod_runs, signal, until};
use crate::setup::{BUILD_ALONE, Setup};

/// A cluster whose namespace `ci` has expired pods of steps.
struct Cluster {
    pods: Mutex<BTreeMap<String, Value>>,
    /// The number of lists whose position is still to be forgotten.
    forgets: Mutex<u32>,
    /// The pod whose deletion is never answered.
    stuck: Option<&'static str>,
}

impl Cluster {
    fn of(names: impl Iterator<Item = String>) -> Self {
        let pod = |name: String| {
            let pod = json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {
                    "name": name, "namespace": "ci", "uid": format!("uid-of-{name}"),
                    "annotations": {
                        "sidestep.dev/made-by": "elsewhere/build/1/sha256:00",
                        "sidestep.dev/expires": "2000-01-01T00:00:00Z",
                    },
                },
            });
            (name, pod)
        };
        Self {
            pods: Mutex::new(names.map(pod).collect()),
            forgets: Mutex::new(0),
            stuck: None,
        }
    }

    async fn answer(&self, request: Request) -> Response {
        let query = Query::<HashMap<String, String>>::try_from_uri(request.uri()).unwrap();
        let path = request.uri().path().to_owned();
        match (request.method(), path.rsplit_once("/pods")) {
            (&Method::GET, Some((_, ""))) => self.list(&query),
            (&Method::DELETE, Some((_, name))) => {
                let name = name.trim_start_matches('/');
                if self.stuck == Some(name) {
                    std::future::pending::<()>().await;
                }
                match self.pods.lock().unwrap().remove(name) {
                    Some(pod) => pod.to_string().into_response(),
                    None => status(404, "NotFound"),
                }
            }
            _ => status(403, "Forbidden"),
        }
    }

    fn list(&self, query: &HashMap<String, String>) -> Response {
        let after = query.get("continue").filter(|token| !token.is_empty());
        let mut forgets = self.forgets.lock().unwrap();
        if after.is_some() && *forgets > 0 {
            *forgets -= 1;
            return status(410, "Expired");
        }
        let pods = self.pods.lock().unwrap();
        let rest = pods
            .iter()
            .filter(|(name, _)| after.is_none_or(|after| *name > after));
        let limit: usize = query["limit"].parse().unwrap();
        let page: Vec<_> = rest.clone().take(limit).collect();
        let token = match page.last() {
            Some((name, _)) if rest.count() > limit => name.as_str(),
            _ => "",
        };
        let items: Vec<_> = page.iter().map(|(_, pod)| pod).collect();
        let metadata = json!({ "resourceVersion": "1", "continue": token });
        let list =
            json!({ "apiVersion": "v1", "kind": "PodList", "metadata": metadata, "items": items });
        list.to_string().into_response()
    }

    /// Serves the cluster as `far`.
    fn serve(self, setup: &Setup, runtime: &Runtime) -> Arc<Self> {
        let cluster = Arc::new(self);
        let served = Arc::clone(&cluster);
        let answer = move |request: Request| {
            let cluster = Arc::clone(&served);
            async move { cluster.answer(request).await }
        };
        let address = runtime.block_on(serve(Router::new().fallback(answer)));
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": address}}],
            "users": [{"name": "u", "user": {"token": "t0ken-of-a-kubeconfig"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        });
        setup.write("kubeconfig", &kubeconfig.to_string());
        let config = setup.folder().join("config/sidestep");
        fs::create_dir_all(&config).unwrap();
        let clusters = "clusters: { far: { context: c } }\n";
        fs::write(config.join("config.yaml"), clusters).unwrap();
        cluster
    }
}

fn status(code: u16, reason: &str) -> Response {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason,
        "message": reason,
    });
    (StatusCode::from_u16(code).unwrap(), status.to_string()).into_response()
}

const KUBECONFIG: [(&str, &str); 1] = [("KUBECONFIG", "kubeconfig")];

#[test]
fn every_expired_pod_is_found_in_a_namespace_with_many() {
    let runtime = Runtime::new().unwrap();
    let mut setup = Setup::new();
    let names: Vec<String> = (0..1100).map(|n| format!("ss-{n:04}")).collect();
    let cluster = Cluster::of(names.iter().cloned());
    *cluster.forgets.lock().unwrap() = 1;
    let cluster = cluster.serve(&setup, &runtime);
    let flags = ["--cluster", "far", "--namespace", "ci"];
    let planned = gc(
        &mut setup,
        &[&flags[..], &["--dry-run"]].concat(),
        &KUBECONFIG,
    );
    let would = |name: &String| (format!("ci/{name}"), "would-remove".to_owned());
    assert_eq!(planned, names.iter().map(would).collect::<Vec<_>>());
    let found = gc(&mut setup, &flags, &KUBECONFIG);
    assert_eq!(found.len(), names.len(), "each pod once");
    assert!(
        found.iter().all(|(_, fate)| fate == "being-removed"),
        "{found:?}"
    );
    assert_eq!(cluster.pods.lock().unwrap().len(), 0);
}

#[test]
fn a_run_reports_the_pods_that_it_removed_before_the_cluster_stopped_answering() {
    let runtime = Runtime::new().unwrap();
    let mut setup = Setup::with_application();
    let cluster = Cluster {
        stuck: Some("ss-2"),
        ..Cluster::of(["ss-1", "ss-2"].map(str::to_owned).into_iter())
    };
    cluster.serve(&setup, &runtime);
    setup.write(
        "sidestep.yaml",
        "version: 1
name: far
steps:
  build:
    uses: sidestep/kaniko-launch
    with: { cluster: far, context: \"gs://demo-contexts/c.tar.gz\", destinations: [\"registry.example.com/a:1\"], namespace: ci, serviceAccount: kaniko }
",
    );
    let output = setup.command(&["run"]).envs(KUBECONFIG).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("being removed (uid uid-of-ss-1): pod ci/ss-1"),
        "{told}"
    );
    assert!(
        !told.contains("pod ci/ss-2"),
        "nothing is known of it: {told}"
    );
}

#[test]
fn a_run_that_cannot_be_cleaned_up_hides_no_other() {
    let mut setup = Setup::with_application();
    let (dead, _, pod) = hanging(&mut setup, &[]);
    let (broken, run, left) = hanging(&mut setup, &[]);
    kill(dead);
    kill(broken);
    let folder = setup.folder().join("state/sidestep/runs").join(&run);
    let lock = folder.join("lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();

    let sandbox = "--sandbox=build-hangs";
    let output = setup.run(&["gc", sandbox]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("removed: pod {pod}")), "{told}");
    let failed = format!(
        "failed: run {} (its objects could not be removed)",
        folder.display()
    );
    assert!(told.contains(&failed), "{told}");
    assert!(
        told.contains(&lock.display().to_string()),
        "the reason: {told}"
    );

    fs::remove_dir(&lock).unwrap();
    let found = gc(&mut setup, &[sandbox], &[]);
    assert_eq!(fate(&found, &left), Some("removed"), "{found:?}");
}

#[test]
fn a_copied_run_is_not_taken_for_the_run_that_it_names() {
    let mut setup = Setup::with_application();
    let (child, run, pod) = hanging(&mut setup, &[]);
    kill(child);
    let runs = setup.folder().join("state/sidestep/runs");
    fs::rename(runs.join(&run), runs.join("copied")).unwrap();
    let output = setup.run(&["gc", "--sandbox=build-hangs"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(
        told.contains(&format!("belongs to run {run}, not to this run")),
        "{told}"
    );
    fs::rename(runs.join("copied"), runs.join(&run)).unwrap();
    let found = gc(&mut setup, &["--sandbox=build-hangs"], &[]);
    assert_eq!(
        fate(&found, &pod),
        Some("removed"),
        "it was not recorded as absent"
    );
}

#[test]
fn a_damaged_run_leaves_the_pod_of_another_plan() {
    let mut setup = Setup::with_application();
    setup.write("one.yaml", BUILD_ALONE);
    setup.write("two.yaml", &BUILD_ALONE.replace("  build:", "  image:"));
    let hang = |setup: &mut Setup, file: &str, state: &str| {
        let sandbox = "--sandbox=build-hangs";
        let arguments = ["run", file, sandbox, "--run-id", "same", "--output", "json"];
        let mut child = setup
            .command(&arguments)
            .env("SIDESTEP_STATE", format!("dir:{state}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pod = pod_of(&until(&mut child, pod_runs));
        (child, pod)
    };
    // A run of another host, whose id is the same.
    let elsewhere = setup.folder().join("elsewhere").display().to_string();
    let here = setup.folder().join("here").display().to_string();
    let (mut live, living) = hang(&mut setup, "one.yaml", &elsewhere);
    let (dead, pod) = hang(&mut setup, "two.yaml", &here);
    assert_ne!(living, pod);
    kill(dead);
    let journal = setup.folder().join("here/same/journal");
    let mut bytes = fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&journal, &bytes).unwrap();

    let state = format!("dir:{here}");
    let found = gc(
        &mut setup,
        &["--sandbox=build-hangs"],
        &[("SIDESTEP_STATE", &state)],
    );
    assert_eq!(fate(&found, &pod), Some("removed"), "{found:?}");
    let kept = fate(&found, &living);
    assert!(kept.is_none_or(|fate| fate == "kept"), "{found:?}");
    assert_eq!(live.try_wait().unwrap(), None);
    signal(&live, "INT");
    std::io::copy(&mut live.stdout.take().unwrap(), &mut std::io::sink()).unwrap();
    assert_eq!(live.wait().unwrap().code(), Some(130));
}
