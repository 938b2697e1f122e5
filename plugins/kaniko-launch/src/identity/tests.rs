use sidestep::gcp::gke::{ClusterFacts, Label, NodePool, Taint};
use sidestep::serde_json::json;

use super::landing::SERVES;
use super::*;
use crate::inputs::example;

fn pool(name: &str, mode: Option<&str>) -> NodePool {
    NodePool {
        name: name.to_owned(),
        status: "RUNNING".to_owned(),
        version: String::new(),
        metadata_mode: mode.map(str::to_owned),
        service_account: Some("default".to_owned()),
        oauth_scopes: Vec::new(),
        machine_type: String::new(),
        labels: Vec::new(),
        taints: Vec::new(),
    }
}

fn facts(pools: Vec<NodePool>) -> Facts {
    Facts {
        link: Some(Link::read(
            Some("builder@demo.iam.gserviceaccount.com"),
            "demo",
        )),
        cluster: Some(ClusterFacts {
            name: "ci".to_owned(),
            status: "RUNNING".to_owned(),
            version: String::new(),
            autopilot: false,
            workload_pool: Some("demo.svc.id.goog".to_owned()),
            fleet: None,
            dataplane_v2: false,
            network_policy: false,
        }),
        pools,
    }
}

fn anywhere() -> Inputs {
    example(&json!({ "nodeSelector": {} }))
}

#[test]
fn a_build_that_can_only_be_itself_is_not_warned_of() {
    let inputs = anywhere();
    let served = facts(vec![pool("a", Some(SERVES))]);
    assert_eq!(Identity::known(&inputs, served).warning(), None);
    let mut autopilot = facts(vec![pool("a", None)]);
    autopilot.cluster.as_mut().expect("facts").autopilot = true;
    assert_eq!(Identity::known(&inputs, autopilot).warning(), None);
    let kept = example(&json!({}));
    let unserved = facts(vec![pool("a", None)]);
    assert_eq!(Identity::known(&kept, unserved).warning(), None);
}

#[test]
fn the_node_s_account_is_warned_of_with_the_pools_and_the_way_out() {
    let inputs = anywhere();
    let both = vec![pool("a", Some("GCE_METADATA")), pool("b", None)];
    let warning = Identity::known(&inputs, facts(both))
        .warning()
        .expect("a warning");
    assert_eq!(warning.code, "identity.node-account");
    assert!(
        warning.message.starts_with("the build runs as"),
        "{warning:?}"
    );
    let commands: Vec<String> = warning
        .help
        .iter()
        .map(ToString::to_string)
        .filter(|line| line.starts_with("gcloud "))
        .collect();
    assert!(commands[0].contains("node-pools update a "), "{commands:?}");
    assert!(commands[1].contains("node-pools update b "), "{commands:?}");
    assert!(commands[2].contains("builder@demo.iam.gserviceaccount.com --project demo"));
    assert!(commands[3].contains("buckets add-iam-policy-binding gs://contexts --member serviceAccount:builder@demo.iam.gserviceaccount.com"));
    assert!(
        commands[4].contains(
            "repositories add-iam-policy-binding images --location europe --project demo"
        )
    );
    assert_eq!(commands.len(), 5);

    let mixed = vec![pool("a", Some(SERVES)), pool("b", None)];
    let warning = Identity::known(&inputs, facts(mixed))
        .warning()
        .expect("a warning");
    assert!(warning.message.contains("may run as"), "{warning:?}");
}

#[test]
fn pools_that_do_not_take_the_build_do_not_count() {
    let inputs = example(&json!({ "nodeSelector": { "for": "builds" } }));
    let mut other = pool("other", None);
    let mut builds = pool("builds", Some(SERVES));
    builds.labels.push(Label {
        key: "for".to_owned(),
        value: "builds".to_owned(),
    });
    let mut tainted = builds.clone();
    tainted.metadata_mode = None;
    tainted.taints.push(Taint {
        key: "gpu".to_owned(),
        value: String::new(),
        effect: "NO_SCHEDULE".to_owned(),
    });
    let all = vec![other.clone(), builds.clone(), tainted];
    assert_eq!(Identity::known(&inputs, facts(all)).warning(), None);
    other.labels.clone_from(&builds.labels);
    let all = vec![other, builds];
    assert!(Identity::known(&inputs, facts(all)).warning().is_some());
}

#[test]
fn without_workload_identity_it_is_turned_on_first() {
    let inputs = anywhere();
    let mut off = facts(vec![pool("a", None)]);
    off.cluster.as_mut().expect("facts").workload_pool = None;
    off.link = Some(Link::Direct);
    let warning = Identity::known(&inputs, off).warning().expect("a warning");
    assert!(
        warning.help[1].ends_with("--workload-pool=demo.svc.id.goog"),
        "{warning:?}"
    );
    assert!(warning.help[3].contains("--member principal://iam.googleapis.com/projects/\"$(gcloud projects describe demo '--format=value(projectNumber)')\"/locations/global/workloadIdentityPools/demo.svc.id.goog/subject/ns/builds/sa/kaniko "), "{warning:?}");
}

#[test]
fn a_key_is_warned_of_wherever_the_build_lands() {
    let inputs = example(&json!({ "googleKey": { "secret": "builder-key" } }));
    let served = facts(vec![pool("a", Some(SERVES))]);
    let warning = Identity::known(&inputs, served).warning().expect("one");
    assert_eq!(warning.code, "identity.key-in-secret");
    assert!(
        warning.message.contains("builds/builder-key"),
        "{warning:?}"
    );
    let starts = [
        "gcloud iam",
        "kubectl annotate",
        "then",
        "gcloud iam",
        "kubectl delete",
    ];
    for (line, start) in warning.help[1..].iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
}

#[test]
fn a_misspelt_annotation_is_in_no_grant() {
    let inputs = anywhere();
    for text in [
        "serviceAccount:allUsers",
        "builder",
        "$(reboot)@x",
        "104729110382945671023",
    ] {
        let mut found = facts(vec![pool("a", None)]);
        found.link = Some(Link::read(Some(text), "demo"));
        let identity = Identity::known(&inputs, found);
        assert_eq!(identity.member(), None, "{text}");
        assert_eq!(identity.bind(), None, "{text}");
        assert_eq!(identity.roles(), [], "{text}");
        let warning = identity.warning().expect("a warning");
        let spelt = warning.help.iter().any(|help| help.contains(text));
        assert!(!spelt, "{warning:?}");
        let (why, _) = identity.misspelt().expect("it is misspelt");
        assert!(why.contains(text), "{why}");
    }
}

#[test]
fn a_refusal_s_text_chooses_nobody() {
    let inputs = anywhere();
    let identity = Identity::known(&inputs, facts(Vec::new()));
    let builder = "builder@demo.iam.gserviceaccount.com";
    assert_eq!(identity.refused(builder), identity.member());
    assert_eq!(identity.refused("Caller"), identity.member());
    for other in ["evil@evil.iam.gserviceaccount.com", "dev@example.com"] {
        assert_eq!(identity.refused(other), None, "{other}");
    }
}

#[test]
fn no_command_has_a_hole_where_only_the_settings_know_the_cluster() {
    let inputs = example(&json!({ "cluster": "staging", "nodeSelector": {} }));
    let direct = || Facts {
        link: Some(Link::Direct),
        ..Facts::default()
    };
    let identity = Identity::known(&inputs, direct());
    // The principal has the project's number, which nobody here can look up.
    assert_eq!(identity.roles(), []);
    assert_eq!(identity.serve(), []);
    let linked = Facts {
        link: Some(Link::read(Some("builder@demo.iam.gserviceaccount.com"), "")),
        ..Facts::default()
    };
    let identity = Identity::known(&inputs, linked);
    assert_eq!(identity.bind(), None, "the pool is not known");
    assert_eq!(identity.roles().len(), 2, "the account is");
}
