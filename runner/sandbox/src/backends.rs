//! The servers of the sandbox, each opened on its state.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use sidestep_contract::google::Cluster;
use sidestep_sandbox_google::{Cloud, DockerImage, Images, Scenario, Seed};
use sidestep_sandbox_identity::{Access, Resource};
use sidestep_sandbox_kubernetes::{Config, Faults, service_account};
use sidestep_sandbox_registry::{ListedImage, Registry, Repositories};
use sidestep_sandbox_storage::{Seed as BucketSeed, Storage};

use crate::SandboxError;
use crate::live::Places;

/// Returns the options of the seed's cluster.
pub(crate) fn cluster_config(
    places: &Places,
    cluster: &str,
    seed: &Seed,
    scenario: &Scenario,
) -> Result<Config, SandboxError> {
    let named = Cluster::read(cluster).ok_or_else(|| {
        SandboxError::setup(
            "scenario",
            format!("`{cluster}` is not a valid cluster name"),
        )
    })?;
    let Cluster {
        project,
        location,
        name,
    } = &named;
    let mut config = Config::new(places.dir.join("kubernetes"), project, location, name);
    // The API server reports the version that GKE reports.
    if let Some(known) = seed.clusters.get(cluster) {
        config.version = format!("v{}", known.version);
    }
    // The seed defines the service accounts; node and namespace are the default ones.
    config
        .seed
        .retain(|object| object["kind"] != "ServiceAccount");
    for (namespace, accounts) in &seed.kubernetes {
        for (name, account) in accounts {
            let mut object = service_account(namespace, name, None);
            for (key, value) in &account.annotations {
                object["metadata"]["annotations"][key] = Value::from(value.as_str());
            }
            config.seed.push(object);
        }
    }
    config.seed.extend(scenario.objects.iter().cloned());
    if !scenario.faults.is_null() {
        config.faults = serde_json::from_value::<Faults>(scenario.faults.clone())
            .map_err(|error| SandboxError::setup("scenario", error))?;
    }
    Ok(config)
}

pub(crate) fn storage(
    places: &Places,
    seed: &Seed,
    access: &Arc<dyn Access>,
) -> Result<Storage, SandboxError> {
    let storage = Storage::open(&places.dir.join("storage"), Arc::clone(access))
        .map_err(|error| SandboxError::setup("Cloud Storage", error))?;
    for (name, bucket) in &seed.buckets {
        let seed = BucketSeed {
            name: name.clone(),
            project: bucket.project.clone(),
            location: bucket.location.clone(),
            uniform_access: bucket.uniform_bucket_level_access,
        };
        storage
            .seed(&seed)
            .map_err(|error| SandboxError::setup("Cloud Storage", error))?;
    }
    Ok(storage)
}

pub(crate) fn registry(
    places: &Places,
    cloud: &Cloud,
    access: &Arc<dyn Access>,
) -> Result<Registry, SandboxError> {
    Registry::open(
        &places.dir.join("registry"),
        Arc::clone(access),
        Arc::new(ArtifactRegistry(cloud.clone())),
    )
    .map_err(|error| SandboxError::setup("registry", error))
}

/// The repositories of Artifact Registry's API.
struct ArtifactRegistry(Cloud);

impl Repositories for ArtifactRegistry {
    fn exists(&self, repository: &Resource) -> bool {
        match repository {
            Resource::Repository {
                project,
                location,
                name,
            } => self.0.repository(project, location, name).is_some(),
            _ => false,
        }
    }

    fn create(&self, repository: &Resource) -> bool {
        match repository {
            Resource::Repository {
                project,
                location,
                name,
            } => {
                self.0.create_repository(project, location, name);
                true
            }
            _ => false,
        }
    }
}

/// The images in the registry.
pub(crate) struct Pushed(pub(crate) Registry);

impl Images for Pushed {
    fn images(&self, project: &str, location: &str, repository: &str) -> Vec<DockerImage> {
        let listed = self.0.images(project, location, repository);
        let image = |image: ListedImage| DockerImage {
            path: image.path,
            digest: image.digest,
            tags: image.tags,
            media_type: image.media_type,
            size: image.size,
            uploaded: image.uploaded.to_string(),
        };
        listed.into_iter().map(image).collect()
    }
}

/// Returns the seed's first cluster, which is the served one.
pub(crate) fn first_cluster(seed: &Seed) -> Result<String, SandboxError> {
    let names: &BTreeMap<_, _> = &seed.clusters;
    names
        .keys()
        .next()
        .cloned()
        .ok_or_else(|| SandboxError::setup("scenario", "it has no cluster"))
}

#[cfg(test)]
mod tests {
    use sidestep_sandbox_google::scenarios;

    use super::*;

    #[test]
    fn every_scenario_gives_a_cluster_its_faults() {
        let places = Places::new(std::path::Path::new("/nowhere"), "any");
        for scenario in scenarios() {
            let seed = scenario.seed().unwrap();
            let cluster = first_cluster(&seed).unwrap();
            let config = cluster_config(&places, &cluster, &seed, &scenario);
            let config = config.unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
            let faulty = config.faults != Faults::default();
            assert_eq!(faulty, !scenario.faults.is_null(), "{}", scenario.name);
        }
    }
}
