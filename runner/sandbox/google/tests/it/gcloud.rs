//! The real gcloud against the servers: every command that a diagnosis prints.

use serde_json::{Value, json};
use sidestep_sandbox_google::{Api, router};
use sidestep_sandbox_identity::{Access as _, Caller, Resource};
use sidestep_test_harness::{programs::program, serve};

use crate::world::{BUILDER, CLUSTER, DEVELOPER, World};

/// gcloud, configured for a world, as the developer.
struct Gcloud {
    world: World,
    folder: tempfile::TempDir,
    endpoints: Vec<(String, String)>,
}

impl Gcloud {
    async fn at(scenario: &str) -> Option<Self> {
        program("gcloud")?;
        let world = World::of(scenario);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), world.token(DEVELOPER)).unwrap();
        let mut endpoints = Vec::new();
        for api in Api::ALL {
            let name = format!("CLOUDSDK_API_ENDPOINT_OVERRIDES_{}", api.endpoint_name());
            let served = serve(router(&world.cloud, api)).await;
            endpoints.push((name, format!("{served}/")));
        }
        Some(Self {
            world,
            folder,
            endpoints,
        })
    }

    /// Runs a command line whose words contain no spaces.
    async fn run(&self, line: &str) -> Result<Value, String> {
        let mut command = tokio::process::Command::new("gcloud");
        command
            .args(line.split_whitespace())
            .arg("--format=json")
            .env_clear()
            .envs(std::env::vars().filter(|(key, _)| matches!(key.as_str(), "PATH" | "LANG")))
            .env("HOME", self.folder.path())
            .env("CLOUDSDK_CONFIG", self.folder.path().join("config"))
            .env(
                "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
                self.folder.path().join("token"),
            )
            .env("CLOUDSDK_CORE_PROJECT", "demo")
            .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
            .env("CLOUDSDK_CORE_CHECK_GCE_METADATA", "false")
            .env("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "true")
            .env("CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "true")
            .envs(self.endpoints.iter().cloned());
        let output = command.output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            return Err(errors);
        }
        let text = String::from_utf8(output.stdout).unwrap();
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|e| format!("{e}: {text}"))
    }

    async fn ok(&self, line: &str) -> Value {
        self.run(line)
            .await
            .unwrap_or_else(|e| panic!("gcloud {line}: {e}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn service_accounts() {
    let Some(gcloud) = Gcloud::at("no-binding").await else {
        return;
    };
    gcloud
        .ok("iam service-accounts create deployer --project demo --display-name=Deployer")
        .await;
    let email = "deployer@demo.iam.gserviceaccount.com";
    let identity = gcloud.world.cloud.identity();
    assert_eq!(identity.account(email).unwrap().display_name, "Deployer");
    let again = gcloud
        .run("iam service-accounts create deployer")
        .await
        .unwrap_err();
    assert!(again.contains("already exists"), "{again}");

    let listed = gcloud.ok("iam service-accounts list --project demo").await;
    let emails: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|a| a["email"].as_str())
        .collect();
    assert!(
        emails.contains(&email) && emails.contains(&BUILDER),
        "{emails:?}"
    );

    gcloud
        .ok(&format!("iam service-accounts disable {email}"))
        .await;
    let described = gcloud
        .ok(&format!("iam service-accounts describe {email}"))
        .await;
    assert_eq!(described["disabled"], true);
    gcloud
        .ok(&format!("iam service-accounts enable {email}"))
        .await;
    assert!(!identity.account(email).unwrap().disabled);
    assert_eq!(
        gcloud
            .ok(&format!(
                "iam service-accounts keys list --iam-account {email}"
            ))
            .await,
        json!([])
    );

    let member = "serviceAccount:demo.svc.id.goog[builds/kaniko]";
    let role = "roles/iam.workloadIdentityUser";
    let bind = format!(
        "iam service-accounts add-iam-policy-binding {BUILDER} --project demo --role {role} --member {member} --condition=None"
    );
    gcloud.ok(&bind).await;
    let resource = Resource::ServiceAccount {
        project: "demo".into(),
        email: BUILDER.into(),
    };
    assert_eq!(
        identity.policy(&resource)["bindings"],
        json!([{"role": role, "members": [member]}])
    );
    let wrong = bind.replace("demo.svc.id.goog", "123456789012.svc.id.goog");
    let refused = gcloud.run(&wrong).await.unwrap_err();
    assert!(
        refused.contains("Identity Pool does not exist (123456789012.svc.id.goog)"),
        "{refused}"
    );

    gcloud
        .ok(&format!("iam service-accounts delete {email}"))
        .await;
    assert!(identity.account(email).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_and_services() {
    let Some(gcloud) = Gcloud::at("api-disabled").await else {
        return;
    };
    let project = gcloud.ok("projects describe demo").await;
    assert_eq!(project["projectNumber"], "123456789012");
    let listed = gcloud.ok("projects list").await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let policy = gcloud
        .ok("projects add-iam-policy-binding demo --member user:eve@example.com --role roles/viewer --condition=None")
        .await;
    assert!(
        policy["bindings"].to_string().contains("eve@example.com"),
        "{policy}"
    );
    let eve = gcloud.world.token("user:eve@example.com");
    gcloud
        .world
        .call(
            Api::CloudResourceManager,
            Some(&eve),
            "GET",
            "/v1/projects/demo",
            Value::Null,
        )
        .await
        .ok();

    let cloud = &gcloud.world.cloud;
    assert!(!cloud.is_enabled("demo", "iamcredentials.googleapis.com"));
    gcloud
        .ok("services enable iamcredentials.googleapis.com sts.googleapis.com --project demo")
        .await;
    assert!(cloud.is_enabled("demo", "iamcredentials.googleapis.com"));
    let enabled = gcloud.ok("services list --enabled").await.to_string();
    assert!(
        enabled.contains("iamcredentials.googleapis.com") && !enabled.contains("containerregistry")
    );
    let unknown = gcloud
        .run("services enable nonsense.googleapis.com")
        .await
        .unwrap_err();
    assert!(unknown.contains("nonsense.googleapis.com"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_and_node_pools() {
    let Some(gcloud) = Gcloud::at("no-workload-pool").await else {
        return;
    };
    let place = "--location europe-west1 --project demo";
    let pool_update = format!(
        "container node-pools update default-pool --cluster ci {place} --workload-metadata=GKE_METADATA"
    );
    assert!(
        gcloud
            .run(&pool_update)
            .await
            .unwrap_err()
            .contains("Workload Identity")
    );
    gcloud
        .ok(&format!(
            "container clusters update ci {place} --workload-pool=demo.svc.id.goog"
        ))
        .await;
    let cluster = gcloud
        .ok(&format!("container clusters describe ci {place}"))
        .await;
    assert_eq!(
        cluster["workloadIdentityConfig"]["workloadPool"],
        "demo.svc.id.goog"
    );
    assert!(
        gcloud
            .world
            .cloud
            .identity()
            .has_workload_pool("demo.svc.id.goog")
    );
    gcloud.ok(&pool_update).await;
    let pools = gcloud
        .ok(&format!("container node-pools list --cluster ci {place}"))
        .await;
    assert_eq!(
        pools[0]["config"]["workloadMetadataConfig"]["mode"],
        "GKE_METADATA"
    );
    let listed = gcloud.ok("container clusters list --project demo").await;
    assert_eq!(
        (&listed[0]["name"], &listed[0]["location"]),
        (&json!("ci"), &json!("europe-west1"))
    );
    let stored = gcloud.world.cloud.snapshot().clusters[CLUSTER].clone();
    assert_eq!(
        stored["nodePools"][0]["config"]["workloadMetadataConfig"]["mode"],
        "GKE_METADATA"
    );
    let missing = gcloud
        .run(&format!("container clusters describe nope {place}"))
        .await
        .unwrap_err();
    assert!(
        missing.contains("Not found: projects/demo/locations/europe-west1/clusters/nope"),
        "{missing}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn artifacts_and_secrets() {
    let Some(gcloud) = Gcloud::at("registry-denied").await else {
        return;
    };
    let identity = gcloud.world.cloud.identity();
    let described = gcloud
        .ok("artifacts repositories describe images --location europe --project demo")
        .await;
    assert_eq!(described["format"], "DOCKER");
    let role = "roles/artifactregistry.writer";
    let line = format!(
        "artifacts repositories add-iam-policy-binding images --location europe --project demo --member serviceAccount:{BUILDER} --role {role} --condition=None"
    );
    gcloud.ok(&line).await;
    let resource = Resource::Repository {
        project: "demo".into(),
        location: "europe".into(),
        name: "images".into(),
    };
    assert!(identity.policy(&resource).to_string().contains(BUILDER));
    gcloud
        .ok("artifacts repositories create more --location europe --repository-format=docker")
        .await;
    assert!(
        gcloud
            .world
            .cloud
            .repository("demo", "europe", "more")
            .is_some()
    );
    let listed = gcloud
        .ok("artifacts repositories list --location europe")
        .await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let everywhere = gcloud
        .ok("artifacts repositories list --project demo")
        .await;
    assert_eq!(everywhere.as_array().unwrap().len(), 2);
    gcloud
        .ok("artifacts repositories delete more --location europe")
        .await;
    assert!(
        gcloud
            .world
            .cloud
            .repository("demo", "europe", "more")
            .is_none()
    );

    let accessed = gcloud
        .ok("secrets versions access latest --secret greeting")
        .await;
    assert_eq!(
        accessed["payload"]["data"],
        "aGVsbG8gZnJvbSBTZWNyZXQgTWFuYWdlcg=="
    );
    gcloud.ok("secrets describe greeting").await;
    let bind = "secrets add-iam-policy-binding greeting --member user:eve@example.com --role roles/secretmanager.secretAccessor";
    gcloud.ok(bind).await;
    let missing = gcloud
        .run("secrets versions access latest --secret nope")
        .await
        .unwrap_err();
    assert!(missing.contains("not found"), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles() {
    let Some(gcloud) = Gcloud::at("healthy").await else {
        return;
    };
    let role = gcloud
        .ok("iam roles describe roles/iam.workloadIdentityUser")
        .await;
    assert!(
        role["includedPermissions"]
            .to_string()
            .contains("iam.serviceAccounts.getAccessToken")
    );
    gcloud.ok("iam roles create pusher --project demo --title Pusher --permissions artifactregistry.repositories.uploadArtifacts").await;
    let made = gcloud
        .world
        .cloud
        .identity()
        .role("projects/demo/roles/pusher")
        .unwrap();
    assert!(
        made.permissions
            .contains("artifactregistry.repositories.uploadArtifacts")
    );
}

/// Returns the status and the answer when a pod of `builds/kaniko` requests a token.
async fn token_of_the_pod(world: &World) -> (u16, String) {
    let path = "instance/service-accounts/default/token";
    let reply = world.metadata(World::pod("kaniko"), path).await;
    (reply.status, reply.text)
}

/// Returns whether a pod of `builds/kaniko` has the builder's identity.
async fn pod_is_the_builder(world: &World) -> bool {
    let email = world
        .metadata(
            World::pod("kaniko"),
            "instance/service-accounts/default/email",
        )
        .await;
    token_of_the_pod(world).await.0 == 200 && email.text == BUILDER
}

#[tokio::test(flavor = "multi_thread")]
async fn repairs_mend_what_the_scenarios_cut() {
    let place = "--location europe-west1 --project demo";
    let bind = format!(
        "iam service-accounts add-iam-policy-binding {BUILDER} --project demo --role roles/iam.workloadIdentityUser --member serviceAccount:demo.svc.id.goog[builds/kaniko] --condition=None"
    );
    let metadata = format!(
        "container node-pools update default-pool --cluster ci {place} --workload-metadata=GKE_METADATA"
    );
    let pool = format!("container clusters update ci {place} --workload-pool=demo.svc.id.goog");
    let enable = "services enable iamcredentials.googleapis.com sts.googleapis.com --project demo"
        .to_owned();
    let create = "iam service-accounts create builder --project demo".to_owned();
    let cases = [
        ("api-disabled", vec![enable]),
        ("no-workload-pool", vec![pool, metadata.clone()]),
        ("metadata-server-off", vec![metadata]),
        ("account-deleted", vec![create, bind.clone()]),
        (
            "account-disabled",
            vec![format!(
                "iam service-accounts enable {BUILDER} --project demo"
            )],
        ),
        ("account-recreated", vec![bind.clone()]),
        ("no-binding", vec![bind.clone()]),
        ("ksa-ns-swapped", vec![bind.clone()]),
        ("project-number-in-member", vec![bind.clone()]),
        ("wrong-role", vec![bind]),
    ];
    for (scenario, repairs) in cases {
        let Some(gcloud) = Gcloud::at(scenario).await else {
            return;
        };
        for repair in &repairs {
            assert!(
                !pod_is_the_builder(&gcloud.world).await,
                "{scenario}: repaired before {repair}"
            );
            gcloud.ok(repair).await;
        }
        let token = token_of_the_pod(&gcloud.world).await;
        assert!(
            pod_is_the_builder(&gcloud.world).await,
            "{scenario}: {}",
            token.0
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_pools_and_their_providers() {
    let Some(gcloud) = Gcloud::at("healthy").await else {
        return;
    };
    let pool = "iam workload-identity-pools";
    let place = "--location global --project demo";
    gcloud
        .ok(&format!("{pool} create github {place} --description=CI"))
        .await;
    let made = gcloud.ok(&format!("{pool} describe github {place}")).await;
    assert_eq!(
        (&made["state"], &made["description"]),
        (&json!("ACTIVE"), &json!("CI"))
    );
    let again = gcloud.run(&format!("{pool} create github {place}")).await;
    assert!(again.unwrap_err().contains("already exists"));

    let provider = format!("{pool} providers create-oidc actions {place}");
    let options = "--issuer-uri=https://token.actions.githubusercontent.com --attribute-mapping=google.subject=assertion.sub";
    let nowhere = format!("{provider} --workload-identity-pool other {options}");
    assert!(gcloud.run(&nowhere).await.is_err());
    gcloud
        .ok(&format!(
            "{provider} --workload-identity-pool github {options}"
        ))
        .await;
    let listed = format!("{pool} providers list {place} --workload-identity-pool github");
    let listed = gcloud.ok(&listed).await;
    assert_eq!(
        (&listed[0]["name"], &listed[0]["attributeMapping"]),
        (
            &json!(
                "projects/123456789012/locations/global/workloadIdentityPools/github/providers/actions"
            ),
            &json!({"google.subject": "assertion.sub"})
        )
    );

    let provider = format!("{place} --workload-identity-pool github");
    let update = format!(
        "{pool} providers update-oidc actions {provider} --attribute-condition=assertion.repository_id=='4' --attribute-mapping=google.subject=assertion.sub,attribute.repository_id=assertion.repository_id --issuer-uri=https://ghe.example.com/_services/token"
    );
    gcloud.ok(&update).await;
    let described = format!("{pool} providers describe actions {provider}");
    let found = gcloud.ok(&described).await;
    assert_eq!(
        (&found["attributeCondition"], &found["oidc"]["issuerUri"]),
        (
            &json!("assertion.repository_id=='4'"),
            &json!("https://ghe.example.com/_services/token")
        )
    );
    gcloud
        .ok(&format!("{pool} providers delete actions {provider}"))
        .await;
    assert_eq!(gcloud.ok(&described).await["state"], "DELETED");
    gcloud
        .ok(&format!("{pool} providers undelete actions {provider}"))
        .await;
    assert_eq!(gcloud.ok(&described).await["state"], "ACTIVE");
    gcloud.ok(&format!("{pool} delete github {place}")).await;
    let listed = gcloud.ok(&format!("{pool} list {place}")).await;
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    let listed = gcloud
        .ok(&format!("{pool} list {place} --show-deleted"))
        .await;
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    gcloud.ok(&format!("{pool} undelete github {place}")).await;
    gcloud
        .ok(&format!("{pool} update github {place} --disabled"))
        .await;
    let found = gcloud.ok(&format!("{pool} describe github {place}")).await;
    assert_eq!(found["disabled"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn deny_policies() {
    let Some(gcloud) = Gcloud::at("deny-policy").await else {
        return;
    };
    let identity = gcloud.world.cloud.identity();
    let kind = "--kind=denypolicies";
    let folder = "--attachment-point=cloudresourcemanager.googleapis.com/folders/5647382910";
    let listed = gcloud
        .ok(&format!("iam policies list {folder} {kind}"))
        .await;
    assert_eq!(
        listed["policies"][0]["displayName"], "No pushes by the builder",
        "{listed}"
    );
    assert_eq!(
        listed["policies"][0].get("rules"),
        None,
        "a list has no rules"
    );
    let mut policy = gcloud
        .ok(&format!("iam policies get no-pushes {folder} {kind}"))
        .await;
    let rule = &mut policy["rules"][0]["denyRule"];
    let denied = rule["deniedPrincipals"].clone();
    rule["exceptionPrincipals"] = denied;
    let file = gcloud.folder.path().join("policy.json");
    std::fs::write(&file, policy.to_string()).unwrap();
    let file = format!("--policy-file={}", file.display());
    gcloud
        .ok(&format!(
            "iam policies update no-pushes {folder} {kind} {file}"
        ))
        .await;
    let builder = Caller::Member(format!("serviceAccount:{BUILDER}"));
    let images = Resource::Repository {
        project: "demo".into(),
        location: "europe".into(),
        name: "images".into(),
    };
    let pushes = "artifactregistry.repositories.uploadArtifacts";
    assert!(identity.allows(&builder, pushes, &images));
    // The etag in the file is that of the first version.
    let stale = gcloud
        .run(&format!(
            "iam policies update no-pushes {folder} {kind} {file}"
        ))
        .await
        .unwrap_err();
    assert!(stale.contains("concurrent policy changes"), "{stale}");

    let project = "--attachment-point=cloudresourcemanager.googleapis.com/projects/demo";
    let new = json!({ "rules": [{ "denyRule": {
        "deniedPrincipals": ["principalSet://goog/public:all"],
        "deniedPermissions": ["artifactregistry.googleapis.com/*.*"],
    } }] });
    let file = gcloud.folder.path().join("new.json");
    std::fs::write(&file, new.to_string()).unwrap();
    let file = format!("--policy-file={}", file.display());
    gcloud
        .ok(&format!(
            "iam policies create no-registry {project} {kind} {file}"
        ))
        .await;
    assert!(!identity.allows(&builder, pushes, &images));
    gcloud
        .ok(&format!("iam policies delete no-registry {project} {kind}"))
        .await;
    assert!(identity.allows(&builder, pushes, &images));
}
