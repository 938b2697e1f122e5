//! On a real node: runs that are killed at random moments, and an API server that is.

use std::time::Duration;

use sidestep_cluster_testing::node_to_disturb;

use crate::node_runs::{Builds, kill, succeeded};
use crate::random_kills::{Moment, image};
use crate::soak::{Random, row, times};

/// The lines that a build writes, so that there are moments during it.
const LINES: u32 = 500;

#[test]
fn a_run_on_a_node_survives_random_kills_of_its_runner_and_of_the_api_server() {
    let Some((cluster, _turn)) = node_to_disturb() else {
        return;
    };
    let mut random = Random::of("kills on a node");
    let builds = Builds::start(cluster, LINES);
    let events = succeeded("whole", builds.run("build.yaml", "whole").end());
    let expected = image("whole", &(0, events.clone()));
    // Before it has reached the cluster once, a run does not wait for it.
    let reached = events
        .iter()
        .position(|event| event["step"] == "build" && event["type"] == "host-call");
    let reached = reached.expect("it calls the cluster") + 1;

    let kills = times(4, 20);
    for number in 0..kills {
        let name = format!("killed-{number}");
        let mut run = builds.run("build.yaml", &name);
        let point = Moment::choose(&mut random, 1..events.len()).come(&mut run);
        let mut all = kill(run);
        let ended = builds.resume(&name).end();
        let name = format!("{name}, after {point}");
        all.extend(succeeded(&name, ended));
        let events = all;
        let uids = builds.uids(&events);
        assert_eq!(image(&name, &(0, events)), expected, "{name}");
        assert_eq!(uids.len(), 1, "{name}: built once: {uids:?}");
    }

    let stops = times(3, 20);
    for number in 0..stops {
        let name = format!("stopped-{number}");
        let mut run = builds.run("build.yaml", &name);
        let point = Moment::choose(&mut random, reached..events.len()).come(&mut run);
        let stopped = cluster.stop("kube-apiserver");
        let down = random.within(0..3000);
        std::thread::sleep(Duration::from_millis(down));
        drop(stopped);
        let name = format!("{name}, {down} ms, after {point}");
        let events = succeeded(&name, run.end());
        let uids = builds.uids(&events);
        assert_eq!(image(&name, &(0, events)), expected, "{name}");
        assert_eq!(uids.len(), 1, "{name}: built once: {uids:?}");
    }
    builds.nothing_is_left();
    row(
        "SIGKILL at random moments on a real node, then `resume`",
        format!("{kills} runs, each built once"),
    );
    row(
        "the API server killed and started at random moments of a run",
        format!("{stops} runs, each built once"),
    );
}
