//! The permissions that answers prove, and those that they do not.

use serde_json::json;
use sidestep_bindings::sidestep::gcp::{artifact_registry, gke, iam, project};
use sidestep_events::Evidence;
use sidestep_policy::Capability;

use super::world::{BUILDER, CLUSTER, REPOSITORY, World, everything};
use crate::Calls;

fn shown(step: &Calls<'_>) -> Vec<Evidence> {
    let seen = Evidence::ALL.into_iter();
    seen.filter(|evidence| step.gate.shown().has(*evidence))
        .collect()
}

/// Reads a project, one of its services, a cluster, its node pools and an account, each in a step
/// of its own, and returns the evidence of each.
async fn reads(world: &World) -> [Vec<Evidence>; 5] {
    use gke::Host as _;
    use iam::Host as _;
    use project::Host as _;
    let step = |capability| world.step(capability, &everything(capability)).0;
    let mut of_project = step(Capability::Project);
    of_project.get(vec!["demo".into()]).await.expect("no trap");
    let mut of_service = step(Capability::Project);
    let query = project::ServiceQuery {
        project: "demo".into(),
        service: "sts.googleapis.com".into(),
    };
    of_service.enabled(vec![query]).await.expect("no trap");
    let mut of_cluster = step(Capability::Gke);
    let names = vec![CLUSTER.to_owned()];
    of_cluster.clusters(names.clone()).await.expect("no trap");
    let mut of_nodes = step(Capability::Gke);
    of_nodes.node_pools(names).await.expect("no trap");
    let mut of_account = step(Capability::Iam);
    let query = iam::Query::ServiceAccount(BUILDER.into());
    of_account.read(vec![query]).await.expect("no trap");
    [of_project, of_service, of_cluster, of_nodes, of_account].map(|step| shown(&step))
}

#[tokio::test]
async fn what_is_well_shows_no_missing_right() {
    let world = World::new().await;
    for seen in reads(&world).await {
        assert_eq!(seen, [Evidence::Contact]);
    }
}

#[tokio::test]
async fn what_is_off_or_not_there_shows_a_missing_right() {
    let off = World::of(|seed| {
        let demo = seed.projects.get_mut("demo").expect("a project");
        demo.services.remove("sts.googleapis.com");
        let cluster = seed.clusters.get_mut(CLUSTER).expect("a cluster");
        cluster.workload_pool = None;
        for pool in cluster.node_pools.values_mut() {
            pool.metadata = None;
        }
    })
    .await;
    let missing = [Evidence::Contact, Evidence::MissingRight];
    let [project, service, cluster, nodes, _] = reads(&off).await;
    assert_eq!(project, [Evidence::Contact]);
    for seen in [service, cluster, nodes] {
        assert_eq!(seen, missing);
    }

    use iam::Host as _;
    let (mut step, _) = off.step(Capability::Iam, &everything(Capability::Iam));
    let gone = iam::Query::ServiceAccount("gone@demo.iam.gserviceaccount.com".into());
    step.read(vec![gone]).await.expect("no trap");
    assert_eq!(shown(&step), missing);
}

#[tokio::test]
async fn a_probe_shows_a_missing_right_and_a_denial_itself() {
    use artifact_registry::Host as _;
    let world = World::new().await;
    let query = || artifact_registry::PermissionQuery {
        repository: REPOSITORY.into(),
        permissions: vec!["artifactregistry.repositories.get".into()],
    };
    let granted = json!([{ "repository": REPOSITORY }]);
    let (mut owner, _) = world.step(Capability::ArtifactRegistry, &granted);
    owner
        .test_permissions(vec![query()])
        .await
        .expect("no trap");
    assert_eq!(shown(&owner), [Evidence::Contact]);
    let mut guest = world.guest(Capability::ArtifactRegistry);
    guest
        .test_permissions(vec![query()])
        .await
        .expect("no trap");
    assert_eq!(shown(&guest), [Evidence::Contact, Evidence::MissingRight]);
    let mut guest = world.guest(Capability::ArtifactRegistry);
    guest
        .repositories(vec![REPOSITORY.into()])
        .await
        .expect("no trap");
    assert_eq!(shown(&guest), [Evidence::Contact, Evidence::Denied]);
}

#[tokio::test]
async fn a_call_that_is_refused_here_shows_nothing() {
    use project::Host as _;
    let world = World::new().await;
    let granted = json!([{ "project": "other" }]);
    let (mut step, _) = world.step(Capability::Project, &granted);
    step.get(vec!["demo".into()]).await.expect("no trap");
    assert_eq!(shown(&step), []);
}
