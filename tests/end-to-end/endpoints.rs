//! The endpoints of a GKE cluster, changed by the real gcloud, and a run that knows only Google's
//! own names: through the sandbox's proxy, and with trust in its authority.

use serde_json::Value;

use crate::served::Served;
use crate::setup::{BUILD_ALONE, Setup, failure, find, program};

const UPDATE: &str = "gcloud container clusters update ci --location europe-west1";

/// Runs the pipeline with these exports and the setting `gkeEndpoint`.
fn run(served: &mut Served, exports: &[(String, String)], endpoint: &str) -> (i32, Vec<Value>) {
    let mut variables: Vec<(&str, &str)> = vec![("SIDESTEP_GKE_ENDPOINT", endpoint)];
    variables.extend(exports.iter().map(|(name, value)| (&**name, &**value)));
    served.setup.events_with(&["run"], &variables)
}

/// Returns the message of the build's failure.
fn message(events: &[Value]) -> &str {
    failure(events)["message"].as_str().expect("a message")
}

#[test]
fn a_cluster_is_reached_at_the_endpoint_that_it_has() {
    let Some(_) = program("gcloud") else { return };
    let setup = Setup::with_application();
    setup.write("sidestep.yaml", BUILD_ALONE);
    let mut served = Served::with(setup, &["sandbox"]);
    let proxy = served.shell(&["--proxy"]).exports.clone();

    // The public endpoint is the one that every cluster has.
    let (exit, events) = run(&mut served, &proxy, "auto");
    assert_eq!(exit, 0, "{events:#?}");
    // The DNS endpoint is there, but closed.
    let (exit, events) = run(&mut served, &proxy, "dns");
    assert_eq!(exit, 4, "{events:#?}");
    let closed = message(&events);
    assert!(closed.contains("at the DNS endpoint gke-"), "{closed}");
    assert!(
        closed.ends_with(".europe-west1.gke.goog: HTTP 403: Forbidden."),
        "{closed}"
    );
    let help = failure(&events)["help"].to_string();
    assert!(help.contains("container.clusters.connect"), "{help}");
    assert!(help.contains("--enable-dns-access"), "{help}");

    let shell = served.shell(&[]);
    shell.ok(&format!("{UPDATE} --enable-dns-access"));
    shell.ok(&format!("{UPDATE} --no-enable-ip-access"));
    let (exit, events) = run(&mut served, &proxy, "auto");
    assert_eq!(exit, 0, "{events:#?}");
    let removed = find(&events, "cleaned-up", |data| data["kind"] == "pod");
    assert_eq!(removed.expect("the pod")["removed"], true);
    let (exit, events) = run(&mut served, &proxy, "public");
    assert_eq!(exit, 1, "{events:#?}");
    assert!(
        message(&events)
            .ends_with("it has no public endpoint, which the setting `gkeEndpoint` asks for"),
        "{events:#?}"
    );
}
