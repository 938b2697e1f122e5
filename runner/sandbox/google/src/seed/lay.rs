//! Converts a seed to state.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sidestep_sandbox_identity::{Account, DenyPolicy, Project, Resource, State as IdentityState};

use super::{Grants, Seed, SeedCluster, SeedNodePool};
use crate::state::{Secret, SecretVersion, State};

/// The OAuth scopes of a node's token. They are shown but not enforced, so the scope leaves all
/// access control to IAM.
const NODE_SCOPES: [&str; 1] = ["https://www.googleapis.com/auth/cloud-platform"];

pub(super) fn identity(seed: &Seed) -> IdentityState {
    let mut state = IdentityState {
        workload_pools: seed.workload_pools(),
        custom_roles: seed.custom_roles.clone(),
        ..IdentityState::default()
    };
    state.newcomers.refusals = seed.new_account_refusals;
    for (id, project) in &seed.projects {
        let kept = Project {
            number: project.number.clone(),
            display_name: project.display_name.clone(),
        };
        state.projects.insert(id.clone(), kept);
    }
    hierarchy(seed, &mut state);
    for (email, account) in &seed.service_accounts {
        let kept = Account {
            project: account.project.clone(),
            email: email.clone(),
            unique_id: account.unique_id.clone(),
            display_name: account.display_name.clone(),
            description: String::new(),
            disabled: account.disabled,
            deleted: account.deleted,
        };
        state.accounts.insert(account.unique_id.clone(), kept);
    }
    for (name, bucket) in &seed.buckets {
        state
            .bucket_projects
            .insert(name.clone(), bucket.project.clone());
    }
    for (resource, grants) in policies(seed) {
        if !grants.is_empty() {
            state.seed_policy(&resource, &policy(seed, grants));
        }
    }
    state
}

/// Adds folders, organisations, and all deny policies.
fn hierarchy(seed: &Seed, state: &mut IdentityState) {
    let projects = seed.projects.iter().map(|(id, project)| {
        (
            format!("projects/{id}"),
            &project.parent,
            &project.deny_policies,
        )
    });
    let folders = seed.folders.iter();
    let folders =
        folders.map(|(name, folder)| (name.clone(), &folder.parent, &folder.deny_policies));
    for (name, parent, denies) in projects.chain(folders) {
        if let Some(parent) = parent {
            state.parents.insert(name.clone(), parent.clone());
        }
        for (id, policy) in denies {
            let policy = DenyPolicy {
                etag: "ACAB".to_owned(),
                ..policy.clone()
            };
            let all = state.deny_policies.entry(name.clone()).or_default();
            all.insert(id.clone(), policy);
        }
    }
    for (name, folder) in &seed.folders {
        state
            .folders
            .insert(name.clone(), folder.display_name.clone());
    }
}

/// Returns every policy of the seed with its resource.
fn policies(seed: &Seed) -> Vec<(Resource, &Grants)> {
    let projects = seed
        .projects
        .iter()
        .map(|(id, p)| (Resource::Project(id.clone()), &p.policy));
    let folders = seed.folders.iter().filter_map(|(name, folder)| {
        let resource = match name.split_once('/')? {
            ("folders", id) => Resource::Folder(id.to_owned()),
            ("organizations", id) => Resource::Organization(id.to_owned()),
            _ => return None,
        };
        Some((resource, &folder.policy))
    });
    let accounts = seed.service_accounts.iter().map(|(email, account)| {
        let project = account.project.clone();
        (
            Resource::ServiceAccount {
                project,
                email: email.clone(),
            },
            &account.policy,
        )
    });
    let buckets = seed
        .buckets
        .iter()
        .map(|(name, b)| (Resource::Bucket(name.clone()), &b.policy));
    let repositories = seed.repositories.iter().filter_map(|(name, repository)| {
        let parts: Vec<&str> = name.split('/').collect();
        let [
            "projects",
            project,
            "locations",
            location,
            "repositories",
            name,
        ] = parts[..]
        else {
            return None;
        };
        let resource = Resource::Repository {
            project: project.to_owned(),
            location: location.to_owned(),
            name: name.to_owned(),
        };
        Some((resource, &repository.policy))
    });
    let secrets = seed.secrets.iter().filter_map(|(name, secret)| {
        let (project, name) = name.strip_prefix("projects/")?.split_once("/secrets/")?;
        let resource = Resource::Secret {
            project: project.to_owned(),
            name: name.to_owned(),
        };
        Some((resource, &secret.policy))
    });
    projects
        .chain(folders)
        .chain(accounts)
        .chain(buckets)
        .chain(repositories)
        .chain(secrets)
        .collect()
}

/// Returns a policy in IAM's form. Members of a deleted account are marked as deleted.
fn policy(seed: &Seed, grants: &Grants) -> Value {
    let member = |member: &String| {
        let account = member
            .strip_prefix("serviceAccount:")
            .and_then(|e| seed.service_accounts.get(e));
        match account.filter(|a| a.deleted) {
            Some(account) => format!("deleted:{member}?uid={}", account.unique_id),
            None => member.clone(),
        }
    };
    let bindings = grants.iter().map(|(role, members)| {
        let members: Vec<String> = members.iter().map(member).collect();
        match role.split_once(" if ") {
            Some((role, expression)) => json!({
                "role": role, "members": members,
                "condition": { "title": "sandbox", "expression": expression },
            }),
            None => json!({"role": role, "members": members}),
        }
    });
    json!({ "bindings": bindings.collect::<Vec<_>>() })
}

pub(super) fn state(seed: &Seed, now: &str) -> State {
    let mut state = State {
        pools: seed.pools.clone(),
        ci: seed.ci.clone(),
        refusals: seed.refusals.clone(),
        ..State::default()
    };
    for (id, project) in &seed.projects {
        let enabled = project
            .services
            .iter()
            .filter(|(_, on)| **on)
            .map(|(name, _)| name.clone());
        state.services.insert(id.clone(), enabled.collect());
    }
    for (email, account) in &seed.service_accounts {
        for (id, key) in &account.keys {
            let name = format!(
                "projects/{}/serviceAccounts/{email}/keys/{id}",
                account.project
            );
            state.keys.insert(name, key.clone());
        }
    }
    for (name, cluster) in &seed.clusters {
        state
            .clusters
            .insert(name.clone(), gke_cluster(cluster, now));
    }
    for (name, repository) in &seed.repositories {
        let made = json!({
            "name": name, "format": "DOCKER", "mode": "STANDARD_REPOSITORY",
            "description": repository.description, "createTime": now, "updateTime": now,
        });
        state.repositories.insert(name.clone(), made);
    }
    for (name, secret) in &seed.secrets {
        let versions = secret.versions.iter().map(|text| SecretVersion {
            create_time: now.to_owned(),
            state: "ENABLED".to_owned(),
            data: STANDARD.encode(text),
        });
        let kept = Secret {
            create_time: now.to_owned(),
            versions: versions.collect(),
            ..Secret::default()
        };
        state.secrets.insert(name.clone(), kept);
    }
    state
}

/// Returns a cluster in the form of GKE's API.
fn gke_cluster(cluster: &SeedCluster, now: &str) -> Value {
    let workload_identity = match &cluster.workload_pool {
        Some(pool) => json!({ "workloadPool": pool }),
        None => json!({}),
    };
    let pools: Vec<Value> = cluster
        .node_pools
        .iter()
        .map(|(name, pool)| node_pool(name, pool, &cluster.version))
        .collect();
    let mut out = json!({
        "createTime": now,
        "initialClusterVersion": cluster.version,
        "currentMasterVersion": cluster.version,
        "currentNodeVersion": cluster.version,
        "currentNodeCount": pools.len(),
        "network": "default",
        "networkConfig": {"datapathProvider": "LEGACY_DATAPATH"},
        "workloadIdentityConfig": workload_identity,
        "nodePools": pools,
        "status": "RUNNING",
    });
    if cluster.autopilot {
        out["autopilot"] = json!({ "enabled": true });
    }
    for (key, value) in &cluster.more {
        out[key] = value.clone();
    }
    out
}

fn node_pool(name: &str, pool: &SeedNodePool, version: &str) -> Value {
    let mut config = json!({
        "machineType": pool.machine_type, "serviceAccount": pool.service_account,
        "imageType": "COS_CONTAINERD", "diskSizeGb": 100, "oauthScopes": NODE_SCOPES,
    });
    if let Some(mode) = &pool.metadata {
        config["workloadMetadataConfig"] = json!({ "mode": mode });
    }
    json!({"name": name, "config": config, "initialNodeCount": 1, "version": version, "status": "RUNNING"})
}
