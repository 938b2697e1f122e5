//! Parses the resources that inputs name as targets. An error completes the message about an input.

use super::{Repository, Resource};

/// Returns the repository of an image. `path` is the image without its tag and digest.
///
/// # Errors
/// Returns a clause that says why the image is not in a repository of Artifact Registry.
pub fn of_image(image: &str, path: &str) -> Result<Resource, String> {
    if Repository::is_left_out(path) {
        let registry = path.split('/').next().unwrap_or_default();
        return Err(format!(
            "{image} does not name a repository: an image of Artifact Registry is {registry}/PROJECT/REPOSITORY/NAME"
        ));
    }
    Repository::of_image(path).map(Resource::Repository).ok_or_else(|| {
        format!("{image} is not in Artifact Registry (LOCATION-docker.pkg.dev/P/R/NAME or gcr.io/P/NAME)")
    })
}

/// Returns the repository that a text names by its resource name or by its prefix of images.
///
/// # Errors
/// Returns a clause that says that it is neither.
pub fn of_repository(text: &str) -> Result<Resource, String> {
    let found = Repository::from_resource(text).or_else(|| Repository::of_image(text));
    found.map(Resource::Repository).ok_or_else(|| {
        format!("`{text}` is neither projects/P/locations/L/repositories/R nor HOST/P/R of Artifact Registry")
    })
}

/// Returns the secret that a text names, by its resource name or by that of a version.
///
/// # Errors
/// Returns a clause that says that it is not one.
pub fn of_secret(text: &str) -> Result<Resource, String> {
    match text.split('/').collect::<Vec<_>>()[..] {
        ["projects", project, "secrets", name]
        | ["projects", project, "secrets", name, "versions", _] => Ok(Resource::Secret {
            project: project.to_owned(),
            name: name.to_owned(),
        }),
        _ => Err(format!("`{text}` is not projects/P/secrets/S")),
    }
}
