//! Images, packages and tags of a repository. They are read-only, since pushes create them.

use serde_json::{Value, json};
use sidestep_sandbox_identity::Resource;

use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::{Answer, ApiError};
use crate::images::DockerImage;
use crate::page::page;

/// A repository, as the parts of its name.
pub(super) struct Repository<'a> {
    pub(super) project: &'a str,
    pub(super) location: &'a str,
    pub(super) name: &'a str,
}

impl Repository<'_> {
    fn full_name(&self) -> String {
        let Self {
            project,
            location,
            name,
        } = self;
        format!("projects/{project}/locations/{location}/repositories/{name}")
    }

    /// Handles a request for a path below the repository's name.
    pub(super) fn handle(&self, cloud: &Cloud, call: &Call, rest: &[&str]) -> Answer {
        let permission = match rest {
            ["dockerImages"] => "artifactregistry.dockerimages.list",
            ["packages"] => "artifactregistry.packages.list",
            ["packages", _, "tags"] => "artifactregistry.tags.list",
            ["packages", _, "versions"] => "artifactregistry.versions.list",
            _ => return Err(call.unserved()),
        };
        let resource = Resource::Repository {
            project: self.project.to_owned(),
            location: self.location.to_owned(),
            name: self.name.to_owned(),
        };
        call.needs(cloud, permission, &resource)?;
        if cloud
            .repository(self.project, self.location, self.name)
            .is_none()
        {
            return Err(ApiError::not_found("Requested entity was not found."));
        }
        let images = cloud.images(self.project, self.location, self.name);
        let repository = self.full_name();
        match rest {
            ["packages"] => {
                let mut packages: Vec<Value> = images
                    .iter()
                    .map(|image| json!({ "name": package(&repository, &image.path) }))
                    .collect();
                packages.dedup();
                page(call, "packages", packages)
            }
            ["packages", path, "tags"] => {
                let of = images.iter().filter(|image| is(image, path));
                page(
                    call,
                    "tags",
                    of.flat_map(|i| tags(&repository, i)).collect(),
                )
            }
            ["packages", path, "versions"] => {
                let of = images.iter().filter(|image| is(image, path));
                page(
                    call,
                    "versions",
                    of.map(|i| version(&repository, i)).collect(),
                )
            }
            _ => page(
                call,
                "dockerImages",
                images.iter().map(|i| self.image(&repository, i)).collect(),
            ),
        }
    }

    fn image(&self, repository: &str, image: &DockerImage) -> Value {
        let Self {
            project,
            location,
            name,
        } = self;
        let DockerImage { path, digest, .. } = image;
        let path_in_name = path.replace('/', "%2F");
        let mut out = json!({
            "name": format!("{repository}/dockerImages/{path_in_name}@{digest}"),
            "uri": format!("{location}-docker.pkg.dev/{project}/{name}/{path}@{digest}"),
            "imageSizeBytes": image.size.to_string(),
            "uploadTime": image.uploaded,
            "updateTime": image.uploaded,
            "mediaType": image.media_type,
        });
        if !image.tags.is_empty() {
            out["tags"] = json!(image.tags);
        }
        out
    }
}

/// Returns whether an image belongs to a package. A package's id has `%2F` where the image's name
/// has a slash, and clients escape it once more.
fn is(image: &DockerImage, package: &str) -> bool {
    image.path == package.replace("%2F", "/")
}

fn package(repository: &str, path: &str) -> String {
    format!("{repository}/packages/{}", path.replace('/', "%2F"))
}

fn tags(repository: &str, image: &DockerImage) -> Vec<Value> {
    let package = package(repository, &image.path);
    let tag = |tag: &String| {
        json!({
            "name": format!("{package}/tags/{tag}"),
            "version": format!("{package}/versions/{}", image.digest),
        })
    };
    image.tags.iter().map(tag).collect()
}

fn version(repository: &str, image: &DockerImage) -> Value {
    let package = package(repository, &image.path);
    json!({
        "name": format!("{package}/versions/{}", image.digest),
        "createTime": image.uploaded, "updateTime": image.uploaded,
    })
}
