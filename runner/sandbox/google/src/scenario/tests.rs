use std::collections::BTreeSet;
use std::sync::Arc;

use sidestep_evaluator_guest::Native;
use sidestep_sandbox_identity::{Access as _, Caller, Clock, Identity, Resource};

use super::*;

fn identity(name: &str) -> Identity {
    let seed = Scenario::named(name).unwrap().seed().unwrap();
    Identity::new(seed.identity(), Clock::system(), Arc::new(Native))
}

#[test]
fn every_scenario_makes_a_seed_and_breaks_something() {
    let all = scenarios();
    let names: BTreeSet<&str> = all.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names.len(), all.len(), "names are unique");
    let healthy = all[0].seed().unwrap();
    for scenario in &all {
        let seed = scenario.seed().unwrap_or_else(|e| panic!("{e}"));
        let in_cluster = !scenario.faults.is_null() || !scenario.objects.is_empty();
        let changed = seed != healthy || in_cluster;
        assert_eq!(changed, scenario.name != "healthy", "{}", scenario.name);
        assert!(scenario.description.ends_with('.'), "{}", scenario.name);
    }
}

#[test]
fn scenarios_about_kubernetes_need_the_sandboxs_own() {
    let all = scenarios();
    let of_google: Vec<&str> = all
        .iter()
        .filter(|scenario| !scenario.needs_own_cluster())
        .map(|scenario| scenario.name.as_str())
        .collect();
    assert_eq!(
        of_google,
        [
            "healthy",
            "caller-rejected",
            "job-without-id-token",
            "job-without-id-token-gitlab",
            "job-provider-by-project-id",
            "job-pool-in-place-of-provider",
            "job-provider-missing",
            "job-provider-disabled",
            "job-provider-deleted",
            "job-pool-disabled",
            "job-pool-deleted",
            "job-of-github-enterprise",
            "job-issuer-unreachable",
            "job-audience",
            "job-on-another-branch",
            "job-condition-in-another-case",
            "job-condition-name-for-id",
            "job-condition-unmapped",
            "job-unprotected-ref",
            "job-subject-too-long",
            "job-without-binding",
            "job-subject-with-ids",
            "job-subject-without-ids",
            "job-with-environment",
            "job-binding-id-for-name",
            "job-binding-name-for-id",
            "job-binding-in-another-case",
            "job-binding-unmapped",
            "job-binding-by-project-id",
            "job-binding-other-role",
            "job-cluster-denied",
            "job-namespace-denied",
            "api-disabled",
            "registry-api-disabled",
            "no-workload-pool",
            "metadata-server-off",
            "node-account",
            "account-deleted",
            "account-disabled",
            "account-recreated",
            "new-account-unknown",
            "no-binding",
            "ksa-ns-swapped",
            "project-number-in-member",
            "wrong-role",
            "pool-of-another-project",
            "binding-for-another",
            "binding-by-project-id",
            "swapped-in-project",
            "binding-expired",
            "binding-undecided",
            "deny-policy-on-tokens",
            "deny-policy-unread",
            "exchange-unknown",
            "bucket-denied",
            "bucket-expired",
            "registry-denied",
            "deny-policy",
            "repository-missing",
            "created-on-push",
            "perimeter",
            "not-uniform",
        ]
    );
}

#[test]
fn at_least_sixty_scenarios_break_one_link_each() {
    let all = scenarios();
    let of_links = all.iter().filter(|scenario| {
        let one = scenario.job.is_some() || scenario.workload.is_some();
        assert!(
            scenario.job.is_none() || scenario.workload.is_none(),
            "{} breaks two",
            scenario.name
        );
        one
    });
    let count = of_links.count();
    assert!(count >= 60, "only {count}");
    for workload in all.iter().filter_map(|scenario| scenario.workload.as_ref()) {
        assert!(workload.link <= 16, "{workload:?}");
        assert_eq!(
            workload.says.is_empty(),
            workload.source.is_empty(),
            "{workload:?}"
        );
    }
}

/// Returns the names of the files in the folder of scenarios.
fn files() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|f| {
            f.unwrap()
                .file_name()
                .to_string_lossy()
                .replace(".json", "")
        })
        .collect()
}

/// Returns what is wrong between the files and the rows of `scenarios()`.
fn differences(files: &BTreeSet<String>, rows: &BTreeSet<String>) -> Vec<String> {
    let forgotten = files
        .difference(rows)
        .map(|name| format!("scenarios/{name}.json has no row in scenarios(), in src/scenario.rs"));
    let misnamed = rows
        .difference(files)
        .map(|name| format!("the scenario {name} is not in a file of that name"));
    forgotten.chain(misnamed).collect()
}

#[test]
fn each_scenario_file_is_listed_under_its_own_name() {
    let rows: BTreeSet<String> = scenarios().into_iter().skip(1).map(|s| s.name).collect();
    assert_eq!(differences(&files(), &rows), Vec::<String>::new());
}

#[test]
fn a_new_scenario_is_a_file_and_a_row_and_a_forgotten_row_is_named() {
    let text = r#"{
        "name": "dummy",
        "description": "The builder is disabled, and its build hangs.",
        "patch": [{
            "op": "add",
            "path": "/serviceAccounts/builder@demo.iam.gserviceaccount.com/disabled",
            "value": true
        }],
        "faults": {"hang": {}}
    }"#;
    let dummy = Scenario::read(text).unwrap();
    let seed = dummy.seed().unwrap();
    assert!(seed.service_accounts["builder@demo.iam.gserviceaccount.com"].disabled);
    let (mut with_file, mut with_row) = (files(), files());
    with_file.insert(dummy.name.clone());
    assert_eq!(
        differences(&with_file, &with_row),
        ["scenarios/dummy.json has no row in scenarios(), in src/scenario.rs"]
    );
    with_row.insert(dummy.name);
    assert_eq!(differences(&with_file, &with_row), Vec::<String>::new());
    assert_eq!(
        differences(&files(), &with_row),
        ["the scenario dummy is not in a file of that name"]
    );
}

#[test]
fn the_healthy_builder_can_do_its_work_and_no_more() {
    let identity = identity("healthy");
    let builder = Caller::Member("serviceAccount:builder@demo.iam.gserviceaccount.com".into());
    let bucket = Resource::Bucket("demo-contexts".into());
    let repository = Resource::Repository {
        project: "demo".into(),
        location: "europe".into(),
        name: "images".into(),
    };
    assert!(identity.allows(&builder, "storage.objects.get", &bucket));
    assert!(!identity.allows(&builder, "storage.objects.create", &bucket));
    assert!(identity.allows(
        &builder,
        "artifactregistry.repositories.uploadArtifacts",
        &repository
    ));
    assert!(!identity.allows(
        &builder,
        "artifactregistry.repositories.delete",
        &repository
    ));
    let developer = Caller::Member("user:dev@example.com".into());
    assert!(identity.allows(&developer, "storage.objects.create", &bucket));
    assert!(identity.allows(
        &developer,
        "container.clusters.update",
        &Resource::Project("demo".into())
    ));
}

#[test]
fn a_deleted_account_is_named_as_deleted() {
    let identity = identity("account-deleted");
    assert!(
        identity
            .account("builder@demo.iam.gserviceaccount.com")
            .is_none()
    );
    let policy = identity.policy(&Resource::Bucket("demo-contexts".into()));
    let text = policy.to_string();
    assert!(
        text.contains("deleted:serviceAccount:builder@demo.iam.gserviceaccount.com?uid="),
        "{text}"
    );
}

#[test]
fn a_patch_that_does_not_fit_says_so() {
    let text = r#"{"name": "x", "patch": [{"op": "remove", "path": "/projects/nowhere"}]}"#;
    let error = Scenario::read(text).unwrap().seed().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("scenario x: its patch can't be applied to the seed"),
        "{error}"
    );
    let text = r#"{"name": "x", "merge": {"projcets": {}}}"#;
    let error = Scenario::read(text).unwrap().seed().unwrap_err();
    assert!(error.to_string().contains("projcets"), "{error}");
    assert!(Scenario::read("3").is_err());
}
