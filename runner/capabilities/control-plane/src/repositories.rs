//! Repositories (Artifact Registry v1).

use google_cloud_artifactregistry_v1::model::repository::{DockerRepositoryConfig, Format, Mode};
use google_cloud_wkt as wkt;
use serde::Deserialize;
use sidestep_google::{Name, Service};

use super::{Answer, ControlPlane};

/// The parts of a repository that Sidestep reads. Google's type also holds the configuration of
/// every format and mode.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Repository {
    /// Its full name.
    pub name: String,
    /// The format of its packages.
    pub format: Format,
    /// Whether it stores packages itself.
    pub mode: Mode,
    /// The key that it is encrypted with; empty for a key of Google's.
    pub kms_key_name: String,
    /// The time of its creation.
    pub create_time: Option<wkt::Timestamp>,
    /// The settings for images.
    pub docker_config: Option<DockerRepositoryConfig>,
}

impl ControlPlane {
    /// Gets a repository, `projects/P/locations/L/repositories/R`.
    pub fn repository<'a>(&'a self, what: &'a str, repository: &Name) -> Answer<'a, Repository> {
        self.get(what, Service::ArtifactRegistry, format!("/v1/{repository}"))
    }
}

#[cfg(test)]
mod tests {
    use google_cloud_artifactregistry_v1::model;

    use super::*;

    #[test]
    fn a_repository_is_read_as_google_s_type_reads_it() {
        let time = wkt::Timestamp::clamp(1_767_225_600, 5_000_000);
        let docker = DockerRepositoryConfig::new().set_immutable_tags(true);
        let whole = model::Repository::new()
            .set_name("projects/demo/locations/europe/repositories/images")
            .set_format(Format::Docker)
            .set_mode(Mode::VirtualRepository)
            .set_kms_key_name("projects/demo/locations/europe/keyRings/a/cryptoKeys/b")
            .set_create_time(time)
            .set_description("images")
            .set_docker_config(docker);
        let json = serde_json::to_value(&whole).expect("JSON");
        let read: Repository = serde_json::from_value(json).expect("a repository");
        let expected = Repository {
            docker_config: whole.docker_config().map(|docker| (**docker).clone()),
            name: whole.name,
            format: whole.format,
            mode: whole.mode,
            kms_key_name: whole.kms_key_name,
            create_time: whole.create_time,
        };
        assert_eq!(read, expected);
    }
}
