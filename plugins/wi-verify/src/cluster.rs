//! Link 3: the cluster has a workload identity pool.

use sidestep::gcp::gke::ClusterFacts;
use sidestep::google::{Member, Resource, grant};
use sidestep::{Class, Result, codes};

use crate::commands;
use crate::identity::Workload;
use crate::verdict::{Verdict, cluster, is_callers, perimeter};

/// Judges the cluster's workload pool. Without the cluster's facts, nothing further can be checked,
/// and no build can start either.
pub(crate) fn pool(
    workload: &Workload,
    read: Result<ClusterFacts>,
    caller: &str,
) -> (Verdict, Option<ClusterFacts>) {
    let Workload {
        project,
        location,
        cluster: name,
        ..
    } = workload;
    let facts = match read {
        Ok(facts) => facts,
        Err(error) if error.is_not_found() => {
            let error = cluster(
                Class::NotFound,
                codes::identity::CLUSTER_MISSING,
                format!("there is no cluster {name} in {location} of project {project}"),
            )
            .help("list the clusters, and correct `cluster`:")
            .helps(commands::list_clusters(project));
            return (Verdict::Broken(error), None);
        }
        Err(error) if is_callers(&error) => return (Verdict::Broken(error), None),
        Err(error) if error.class == Class::Denied && !error.code.ends_with("api-disabled") => {
            let what = format!("reading the cluster {name}");
            if let Some(error) = perimeter(&what, &error) {
                return (Verdict::Broken(error), None);
            }
            let mut broken = cluster(
                Class::Denied,
                codes::identity::CLUSTER_DENIED,
                format!(
                    "{caller} lacks permission to read the cluster {name}, so it can't start a build there either.\n{}",
                    error.message
                ),
            );
            let resource = Resource::Project(project.clone());
            let role = "roles/container.clusterViewer";
            broken = match Member::of_caller(caller).and_then(|it| grant(&resource, &it, role)) {
                Some(command) => broken
                    .help("an administrator of the project can grant it:")
                    .help(command),
                None => broken.help(format!("the caller needs {role} on project {project}")),
            };
            return (Verdict::Broken(broken), None);
        }
        Err(error) => return (Verdict::Broken(error), None),
    };
    let verdict = match &facts.workload_pool {
        Some(pool) => Verdict::Holds(pool.clone()),
        None => Verdict::Broken(
            cluster(
                Class::Denied,
                codes::identity::NO_WORKLOAD_POOL,
                format!("the cluster {name} has no workload pool: Workload Identity is off, and pods run as their node's account"),
            )
            .help("enable Workload Identity on the cluster (this takes some minutes; link 4 then checks the node pools):")
            .helps(workload.gke().make_pool()),
        ),
    };
    (verdict, Some(facts))
}

#[cfg(test)]
pub(crate) fn example() -> ClusterFacts {
    ClusterFacts {
        name: "projects/demo/locations/europe-west1/clusters/ci".to_owned(),
        status: "RUNNING".to_owned(),
        version: "1.36".to_owned(),
        autopilot: false,
        workload_pool: Some("demo.svc.id.goog".to_owned()),
        fleet: None,
        dataplane_v2: false,
        network_policy: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{self, Way};

    fn judge(read: Result<ClusterFacts>) -> Verdict {
        let workload = identity::example(Way::Direct).workload;
        pool(&workload, read, "dev@example.com").0
    }

    #[test]
    fn a_cluster_without_a_pool_gets_one() {
        assert_eq!(
            judge(Ok(example())),
            Verdict::Holds("demo.svc.id.goog".to_owned())
        );
        let off = ClusterFacts {
            workload_pool: None,
            ..example()
        };
        let error = judge(Ok(off)).broken();
        assert_eq!(error.code, "identity.no-workload-pool");
        assert_eq!(
            error.help[1],
            "gcloud container clusters update ci --location europe-west1 --project demo --workload-pool=demo.svc.id.goog"
        );
    }

    #[test]
    fn who_may_not_look_is_told_what_to_ask_for() {
        let denied = cluster(Class::Denied, "x", "no");
        let error = judge(Err(denied)).broken();
        assert_eq!(error.code, "identity.cluster-denied");
        assert!(
            error.help[1]
                .contains("--member user:dev@example.com --role roles/container.clusterViewer")
        );
        let workload = identity::example(Way::Direct).workload;
        let denied = Err(cluster(Class::Denied, "x", "no"));
        let error = pool(&workload, denied, "the caller").0.broken();
        assert_eq!(
            error.help,
            ["the caller needs roles/container.clusterViewer on project demo"]
        );
        let missing = cluster(Class::NotFound, "x", "no");
        assert_eq!(
            judge(Err(missing)).broken().code,
            "identity.cluster-missing"
        );
    }
}
