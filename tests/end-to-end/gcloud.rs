//! Unmodified gcloud against the sandbox's process: every command of a guide to Workload Identity.

use serde_json::Value;

use crate::served::{Served, Shell};
use crate::setup::program;

const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";

fn list<'v>(value: &'v Value, key: &str) -> Vec<&'v str> {
    let entries = value.as_array().unwrap().iter();
    entries.filter_map(|entry| entry[key].as_str()).collect()
}

#[test]
fn accounts_projects_and_services() {
    let Some(_) = program("gcloud") else { return };
    let mut served = Served::new();
    let shell = served.shell(&[]);
    shell.ok("gcloud iam service-accounts create robot-one --display-name=Robot");
    let robot = "robot-one@demo.iam.gserviceaccount.com";
    let described = shell.json(&format!("gcloud iam service-accounts describe {robot}"));
    assert_eq!(described["displayName"], "Robot");
    let accounts = shell.json("gcloud iam service-accounts list");
    assert!(list(&accounts, "email").contains(&robot), "{accounts}");

    let member = "serviceAccount:demo.svc.id.goog[builds/other]";
    let role = "roles/iam.workloadIdentityUser";
    let bound = shell.json(&format!(
        "gcloud iam service-accounts add-iam-policy-binding {robot} --role {role} --member {member}"
    ));
    assert_eq!(bound["bindings"][0]["members"][0], member);
    let bound = shell.json(&format!(
        "gcloud projects add-iam-policy-binding demo --role roles/viewer --member serviceAccount:{robot}"
    ));
    assert_eq!(bound, shell.json("gcloud projects get-iam-policy demo"));
    assert!(bound.to_string().contains(robot), "{bound}");
    let refused = shell.refused(
        "gcloud projects add-iam-policy-binding demo --role roles/viewer --member serviceAccount:gone@demo.iam.gserviceaccount.com",
    );
    assert!(
        refused.contains("Service account gone@demo.iam.gserviceaccount.com does not exist."),
        "{refused}"
    );

    shell.ok("gcloud services enable secretmanager.googleapis.com");
    let services = shell.json("gcloud services list --enabled");
    let services = services.to_string();
    assert!(
        services.contains("secretmanager.googleapis.com"),
        "{services}"
    );
    let token = shell.ok("gcloud auth print-access-token");
    let file = shell.get("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE");
    assert_eq!(token.trim(), std::fs::read_to_string(file).unwrap());
    // ADC uses the sandbox's STS.
    let token = shell.ok("gcloud auth application-default print-access-token");
    assert!(token.starts_with("ya29.sandbox-"));
}

#[test]
fn clusters_and_node_pools() {
    let Some(_) = program("gcloud") else { return };
    let mut served = Served::new();
    let shell = served.shell(&[]);
    let clusters = shell.json("gcloud container clusters list");
    assert_eq!(list(&clusters, "name"), ["ci"]);
    let at = "--location europe-west1";
    shell.ok(&format!(
        "gcloud container clusters update ci {at} --workload-pool demo.svc.id.goog"
    ));
    let cluster = shell.json(&format!("gcloud container clusters describe ci {at}"));
    let pool = &cluster["workloadIdentityConfig"]["workloadPool"];
    assert_eq!(pool, "demo.svc.id.goog");

    let pools = shell.json(&format!(
        "gcloud container node-pools list --cluster ci {at}"
    ));
    assert_eq!(list(&pools, "name"), ["default-pool"]);
    let pool = format!("default-pool --cluster ci {at}");
    shell.ok(&format!(
        "gcloud container node-pools update {pool} --workload-metadata GCE_METADATA"
    ));
    let described = shell.json(&format!("gcloud container node-pools describe {pool}"));
    assert_eq!(
        described["config"]["workloadMetadataConfig"]["mode"],
        "GCE_METADATA"
    );
}

#[test]
fn buckets_and_objects() {
    let Some(_) = program("gcloud") else { return };
    let mut served = Served::new();
    served.setup.write("tree/a", "first\n");
    served.setup.write("tree/below/b", "second\n");
    let shell = served.shell(&[]);
    shell.ok("gcloud storage buckets create gs://demo-new --location EU");
    let bucket = "gcloud storage buckets describe gs://demo-new";
    assert_eq!(shell.json(bucket)["uniform_bucket_level_access"], false);
    shell.ok("gcloud storage buckets update gs://demo-new --uniform-bucket-level-access");
    assert_eq!(shell.json(bucket)["uniform_bucket_level_access"], true);
    let viewer = "--role roles/storage.objectViewer --member serviceAccount:";
    let binding = "gcloud storage buckets add-iam-policy-binding gs://demo-new";
    let policy = shell
        .json(&format!("{binding} {viewer}{BUILDER}"))
        .to_string();
    assert!(
        policy.contains(BUILDER) && policy.contains("projectOwner:demo"),
        "{policy}"
    );
    let refused = shell.refused(&format!(
        "{binding} {viewer}gone@demo.iam.gserviceaccount.com"
    ));
    assert!(refused.contains("HTTPError 400"), "{refused}");
    assert!(refused.contains("does not exist."), "{refused}");

    shell.ok("gcloud storage cp -r tree gs://demo-new/");
    let all = shell.ok("gcloud storage ls gs://demo-new/**");
    assert_eq!(all, "gs://demo-new/tree/a\ngs://demo-new/tree/below/b\n");
    assert_eq!(
        shell.ok("gcloud storage cat gs://demo-new/tree/a"),
        "first\n"
    );
    shell.ok("gcloud storage cp gs://demo-new/tree/a gs://demo-contexts/copied");
    shell.ok("gcloud storage rm gs://demo-contexts/copied");
    assert_eq!(shell.ok("gcloud storage ls gs://demo-contexts"), "");
    shell.ok("gcloud storage rm -r gs://demo-new");
    let buckets = shell.json("gcloud storage buckets list");
    assert_eq!(list(&buckets, "name"), ["demo-contexts"]);
}

#[test]
fn repositories_and_secrets() {
    let Some(_) = program("gcloud") else { return };
    let mut served = Served::new();
    served.setup.write("word", "open sesame");
    served
        .setup
        .write("image/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
    let shell = served.shell(&[]);
    let at = "--location europe";
    shell.ok(&format!(
        "gcloud artifacts repositories create more {at} --repository-format docker"
    ));
    let all = shell.json(&format!("gcloud artifacts repositories list {at}"));
    let names = list(&all, "name");
    assert!(
        names
            .iter()
            .any(|name| name.ends_with("/repositories/more")),
        "{names:?}"
    );
    let described = shell.json(&format!("gcloud artifacts repositories describe more {at}"));
    assert_eq!(described["format"], "DOCKER");
    let policy = shell.json(&format!(
        "gcloud artifacts repositories add-iam-policy-binding more {at} --role roles/artifactregistry.writer --member serviceAccount:{BUILDER}"
    ));
    assert_eq!(
        policy["bindings"][0]["role"],
        "roles/artifactregistry.writer"
    );

    // The list contains the image that the sandbox's kaniko pushes with the developer's ADC.
    let kaniko = concat!(env!("CARGO_BIN_EXE_sidestep"), " sandbox kaniko");
    shell.ok(&format!(
        "{kaniko} --context=dir://image --destination=europe-docker.pkg.dev/demo/more/team/app:1"
    ));
    let more = "europe-docker.pkg.dev/demo/more";
    let images = shell.json(&format!(
        "gcloud artifacts docker images list {more} --include-tags"
    ));
    assert_eq!(images[0]["package"], format!("{more}/team/app"));
    assert_eq!(images[0]["tags"], serde_json::json!(["1"]));
    let tags = shell.json(&format!(
        "gcloud artifacts docker tags list {more}/team/app"
    ));
    let digest = images[0]["version"].as_str().unwrap();
    assert!(digest.starts_with("sha256:"), "{images}");
    assert!(tags.to_string().contains(digest), "{tags}");

    let greeting = "gcloud secrets versions access latest --secret greeting";
    assert_eq!(shell.ok(greeting), "hello from Secret Manager");
    shell.ok("gcloud secrets create word --replication-policy automatic");
    shell.ok("gcloud secrets versions add word --data-file word");
    let word = "gcloud secrets versions access 1 --secret word";
    assert_eq!(shell.ok(word), "open sesame");
}

/// Runs gcloud with the credentials of a key instead of the sandbox's token.
fn with_key(shell: &Shell<'_>, line: &str) -> std::process::Output {
    let mut command = shell.command(line);
    command.env_remove("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE");
    command.output().unwrap()
}

#[test]
fn a_key_is_its_account_until_it_is_deleted() {
    let Some(_) = program("gcloud") else { return };
    let mut served = Served::new();
    let shell = served.shell(&[]);
    let of = format!("--iam-account {BUILDER}");
    shell.ok(&format!(
        "gcloud iam service-accounts keys create key.json {of}"
    ));
    let keys = shell.json(&format!("gcloud iam service-accounts keys list {of}"));
    let name = keys[0]["name"].as_str().unwrap();
    let id = name.rsplit('/').next().unwrap();
    let activate = "gcloud auth activate-service-account --key-file key.json";
    assert!(with_key(&shell, activate).status.success());
    let listed = with_key(&shell, "gcloud storage ls gs://demo-contexts");
    assert!(listed.status.success(), "the builder may read there");
    let denied = with_key(&shell, "gcloud projects describe demo");
    let said = String::from_utf8_lossy(&denied.stderr).into_owned();
    assert!(
        said.contains(&format!("[{BUILDER}] does not have permission")),
        "{said}"
    );
    shell.ok(&format!(
        "gcloud iam service-accounts keys delete {id} {of}"
    ));
    let refused = with_key(&shell, activate);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("invalid_grant: Invalid JWT Signature."),
        "{said}"
    );
}
