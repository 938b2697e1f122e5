use serde_json::json;
use sidestep_bindings::sidestep::gcp::types::PolicyResource;
use sidestep_bindings::sidestep::gcp::{artifact_registry, gke, iam, project};
use sidestep_policy::Capability;
use sidestep_sandbox_identity::{Access as _, Resource};

use super::world::{BUILDER, CLUSTER, REPOSITORY, World, everything};
use iam::{Answer, Query};

const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/github";

#[tokio::test]
async fn projects_and_their_services() {
    use project::Host as _;
    let world = World::without("sts.googleapis.com").await;
    let (mut step, kept) = world.step(Capability::Project, &json!([{ "project": "demo" }]));
    let found = step.get(vec!["demo".into()]).await.expect("no trap");
    let found = found[0].as_ref().expect("it is there");
    assert_eq!((found.id.as_str(), found.number), ("demo", 123_456_789_012));
    assert_eq!(
        (&*found.display_name, &*found.state, &found.parent),
        ("Demo", "ACTIVE", &None)
    );
    let query = |service: &str| project::ServiceQuery {
        project: "demo".into(),
        service: service.into(),
    };
    let queries = ["iam.googleapis.com", "sts.googleapis.com"].map(query);
    let found = step.enabled(queries.into()).await.expect("no trap");
    assert!(matches!(found[..], [Ok(true), Ok(false)]), "{found:?}");
    let calls = kept.calls();
    let seen: Vec<(&str, &str)> = calls
        .iter()
        .map(|call| (call.function.exact(), call.target.exact()))
        .collect();
    assert_eq!(
        seen,
        [
            ("get", "get project demo"),
            ("enabled", "services project demo"),
            ("enabled", "services project demo")
        ]
    );
}

#[tokio::test]
async fn clusters_and_their_node_pools() {
    use gke::Host as _;
    let world = World::of(|seed| {
        let plain = seed.clusters[CLUSTER].clone();
        let mut other = plain.clone();
        other.workload_pool = None;
        other.autopilot = true;
        other.more.insert(
            "networkConfig".into(),
            json!({"datapathProvider": "ADVANCED_DATAPATH"}),
        );
        other.more.insert(
            "fleet".into(),
            json!({"project": "shared", "membership":
                "//gkehub.googleapis.com/projects/shared/locations/global/memberships/ci"}),
        );
        let pool = other.node_pools.get_mut("default-pool").expect("a pool");
        pool.metadata = None;
        seed.clusters
            .insert(CLUSTER.replace("/ci", "/other"), other);
    })
    .await;
    let granted = json!([{ "cluster": "projects/demo/**" }]);
    let (mut step, _) = world.step(Capability::Gke, &granted);
    let names = vec![CLUSTER.to_owned(), CLUSTER.replace("/ci", "/other")];
    let found = step.clusters(names.clone()).await.expect("no trap");
    let [Ok(ci), Ok(other)] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!((&*ci.name, &*ci.status), (CLUSTER, "RUNNING"));
    assert_eq!(ci.version, "1.36.3-gke.1000");
    assert_eq!(ci.workload_pool.as_deref(), Some("demo.svc.id.goog"));
    assert!(!ci.autopilot && !ci.dataplane_v2 && !ci.network_policy && ci.fleet.is_none());
    assert_eq!(other.workload_pool, None);
    assert!(other.autopilot && other.dataplane_v2 && other.network_policy);
    let fleet = other.fleet.as_ref().expect("a fleet");
    assert_eq!(
        (&*fleet.project, &*fleet.membership),
        ("shared", "projects/shared/locations/global/memberships/ci")
    );
    let found = step.node_pools(names).await.expect("no trap");
    let [Ok(ci), Ok(other)] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!((ci.len(), &*ci[0].name), (1, "default-pool"));
    assert_eq!(ci[0].metadata_mode.as_deref(), Some("GKE_METADATA"));
    assert_eq!(ci[0].service_account.as_deref(), Some("default"));
    assert_eq!(ci[0].machine_type, "e2-standard-4");
    assert!(!ci[0].oauth_scopes.is_empty());
    assert_eq!(other[0].metadata_mode, None);
}

#[tokio::test]
async fn repositories_and_permissions_on_them() {
    use artifact_registry::Host as _;
    let world = World::new().await;
    let granted = json!([{ "repository": REPOSITORY }]);
    let (mut step, _) = world.step(Capability::ArtifactRegistry, &granted);
    let found = step
        .repositories(vec![REPOSITORY.into()])
        .await
        .expect("no trap");
    let found = found[0].as_ref().expect("it is there");
    assert_eq!(
        (&*found.name, &*found.format, &*found.mode),
        (REPOSITORY, "DOCKER", "STANDARD_REPOSITORY")
    );
    assert_eq!((found.immutable_tags, &found.kms_key), (false, &None));
    // 2026-01-01T00:00:00Z
    assert_eq!(found.created, 1_767_225_600_000);
    let asked = [
        "artifactregistry.repositories.uploadArtifacts",
        "artifactregistry.repositories.nothingLikeThis",
    ];
    let query = artifact_registry::PermissionQuery {
        repository: REPOSITORY.into(),
        permissions: asked.map(Into::into).into(),
    };
    let held = step.test_permissions(vec![query]).await.expect("no trap");
    assert_eq!(held[0].as_ref().expect("an answer"), &asked[..1]);
}

#[tokio::test]
async fn a_repository_is_granted_by_either_of_its_names() {
    use artifact_registry::Host as _;
    let world = World::new().await;
    let granted = json!([{ "repository": "europe-docker.pkg.dev/demo/images" }]);
    let (mut step, kept) = world.step(Capability::ArtifactRegistry, &granted);
    let shared = REPOSITORY.replace("demo", "shared");
    let found = step
        .repositories(vec![REPOSITORY.into(), shared])
        .await
        .expect("no trap");
    assert!(found[0].is_ok(), "{found:?}");
    let refused = found[1].as_ref().expect_err("it is another one");
    assert_eq!(
        (&*refused.class, &*refused.code),
        ("refused", "grant.scope")
    );
    let calls = kept.calls();
    let allowed = calls.iter().find(|call| call.allowed).expect("a call");
    assert_eq!(
        allowed.target,
        "get repository europe-docker.pkg.dev/demo/images"
    );
}

#[tokio::test]
async fn identities() {
    use iam::Host as _;
    let world = World::of(|seed| {
        let key = |kind: &str| {
            json!({"keyType": kind, "keyOrigin": "GOOGLE_PROVIDED",
                "validAfterTime": "2026-01-01T00:00:00Z", "validBeforeTime": "2028-01-01T00:00:00Z"})
        };
        let builder = seed.service_accounts.get_mut(BUILDER).expect("there");
        builder.keys.insert("0a1b".into(), key("USER_MANAGED"));
    })
    .await;
    let granted = json!([{ "project": "demo" }, { "resource": "roles/*" }]);
    let (mut step, kept) = world.step(Capability::Iam, &granted);
    let queries = vec![
        Query::ServiceAccount(BUILDER.into()),
        Query::ServiceAccounts("demo".into()),
        Query::Keys(BUILDER.into()),
        Query::Role("roles/iam.workloadIdentityUser".into()),
    ];
    let found = step.read(queries).await.expect("no trap");
    let [
        Ok(Answer::ServiceAccount(account)),
        Ok(Answer::ServiceAccounts(accounts)),
        Ok(Answer::Keys(keys)),
        Ok(Answer::Role(role)),
    ] = &found[..]
    else {
        panic!("{found:?}");
    };
    assert_eq!(account.email, BUILDER);
    assert_eq!(
        account.name,
        format!("projects/demo/serviceAccounts/{BUILDER}")
    );
    assert_eq!(account.unique_id, "104729110382945671023");
    assert_eq!(account.display_name.as_deref(), Some("Image builder"));
    assert!(!account.disabled);
    assert_eq!(accounts.len(), 3, "{accounts:?}");
    let mine: Vec<_> = keys.iter().filter(|key| key.user_managed).collect();
    let [key] = &mine[..] else {
        panic!("{keys:?}");
    };
    assert_eq!(
        (&*key.id, key.valid_after, key.disabled),
        ("0a1b", Some(1_767_225_600_000), false)
    );
    assert_eq!(role.name, "roles/iam.workloadIdentityUser");
    assert!(
        role.permissions
            .iter()
            .any(|held| held == "iam.serviceAccounts.getAccessToken"),
        "{role:?}"
    );
    let calls = kept.calls();
    let mut seen: Vec<&str> = calls.iter().map(|call| call.target.exact()).collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            &*format!("get projects/demo/serviceAccounts/{BUILDER}"),
            "get roles/iam.workloadIdentityUser",
            "list demo",
            &*format!("listKeys projects/demo/serviceAccounts/{BUILDER}"),
        ]
    );
}

#[tokio::test]
async fn policies_with_their_conditions() {
    use iam::Host as _;
    let world = World::new().await;
    let condition = json!({"title": "a while", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"});
    let bucket = Resource::Bucket("demo-contexts".into());
    let mut policy = world.identity().policy(&bucket);
    policy["version"] = 3.into();
    policy["bindings"] = json!([{"role": "roles/storage.objectViewer",
        "members": [format!("serviceAccount:{BUILDER}")], "condition": condition}]);
    world.identity().set_policy(&bucket, policy).expect("set");

    let (mut step, _) = world.step(Capability::Iam, &everything(Capability::Iam));
    let queries = [
        PolicyResource::Project("demo".into()),
        PolicyResource::ServiceAccount(BUILDER.into()),
        PolicyResource::Bucket("demo-contexts".into()),
        PolicyResource::Repository(REPOSITORY.into()),
        PolicyResource::Secret("projects/demo/secrets/greeting".into()),
    ]
    .map(Query::Policy);
    let found = step.read(queries.into()).await.expect("no trap");
    let roles = [
        "roles/owner",
        "roles/iam.workloadIdentityUser",
        "roles/storage.objectViewer",
        "roles/artifactregistry.writer",
        "roles/secretmanager.secretAccessor",
    ];
    for (found, role) in found.iter().zip(roles) {
        let Ok(Answer::Policy(policy)) = found else {
            panic!("{role}: {found:?}");
        };
        assert!(!policy.etag.is_empty(), "{policy:?}");
        let binding = policy.bindings.iter().find(|found| found.role == role);
        let binding = binding.unwrap_or_else(|| panic!("{role}: {policy:?}"));
        assert!(!binding.members.is_empty());
        let conditional = role == "roles/storage.objectViewer";
        assert_eq!(binding.condition.is_some(), conditional);
        if let Some(condition) = &binding.condition {
            assert_eq!(
                (&*condition.title, policy.version),
                ("a while", 3),
                "{condition:?}"
            );
            assert!(condition.expression.starts_with("request.time < "));
        }
    }
}

#[tokio::test]
async fn pools_and_providers_page_by_page() {
    use iam::Host as _;
    let world = World::of(|seed| {
        for number in 0..250 {
            let name = POOL.replace("github", &format!("pool-{number:03}"));
            seed.pools.insert(name, json!({"displayName": "P"}));
        }
        seed.pools.insert(POOL.into(), json!({"description": "CI"}));
        seed.pools.insert(
            format!("{POOL}/providers/actions"),
            json!({
                "oidc": {"issuerUri": "https://token.actions.githubusercontent.com",
                    "allowedAudiences": ["ci"]},
                "attributeMapping": {"google.subject": "assertion.sub",
                    "attribute.repository": "assertion.repository"},
                "attributeCondition": "assertion.repository_owner == 'acme'",
            }),
        );
        seed.pools.insert(
            format!("{POOL}/providers/cloud"),
            json!({"aws": {"accountId": "1"}, "disabled": true}),
        );
    })
    .await;
    let granted = json!([{ "project": ["demo", "123456789012"] }]);
    let (mut step, _) = world.step(Capability::Iam, &granted);
    let queries = vec![
        Query::Pools("demo".into()),
        Query::Pool(POOL.into()),
        Query::Providers(POOL.into()),
        Query::Provider(format!("{POOL}/providers/actions")),
    ];
    let found = step.read(queries).await.expect("no trap");
    let [
        Ok(Answer::Pools(pools)),
        Ok(Answer::Pool(pool)),
        Ok(Answer::Providers(providers)),
        Ok(Answer::Provider(provider)),
    ] = &found[..]
    else {
        panic!("{found:?}");
    };
    // With that of the seed.
    assert_eq!(pools.len(), 252);
    assert_eq!((&*pool.name, &*pool.state), (POOL, "ACTIVE"));
    assert_eq!(pool.description.as_deref(), Some("CI"));
    let kinds: Vec<(&str, bool)> = providers
        .iter()
        .map(|provider| (&*provider.kind, provider.disabled))
        .collect();
    assert_eq!(kinds, [("oidc", false), ("aws", true)]);
    assert_eq!(
        provider.issuer.as_deref(),
        Some("https://token.actions.githubusercontent.com")
    );
    assert_eq!(provider.allowed_audiences, ["ci"]);
    let mapped: Vec<&str> = provider
        .mappings
        .iter()
        .map(|mapping| &*mapping.attribute)
        .collect();
    assert_eq!(mapped, ["google.subject", "attribute.repository"]);
    assert_eq!(
        provider.condition.as_deref(),
        Some("assertion.repository_owner == 'acme'")
    );
}
