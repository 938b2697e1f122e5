//! Checks the inputs and the Dockerfile before the build starts.

use std::borrow::Cow;

use sidestep::google::Repository;
use sidestep::{Diagnostic, Error, ImageRef, Result, codes, workspace};

use crate::build_args;
use crate::build_secrets;
use crate::dockerfile::problems;
use crate::flags;
use crate::inputs::{Inputs, Known};
use crate::layout;

/// The largest Dockerfile that is read.
const LARGEST: u64 = 1 << 20;

/// Checks the inputs and the Dockerfile in the workspace.
pub(crate) fn check(inputs: &Known) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = key_in_secret(inputs).into_iter().collect();
    found.extend(inputs.context.as_deref().and_then(layout::warning));
    found.extend(inputs.resources().problems(codes::kaniko::RESOURCES));
    let destinations = inputs.destinations.iter().flatten();
    let images = destinations.chain(inputs.cache_repo.iter().flatten());
    found.extend(images.filter_map(without_repository));
    found.extend(inputs.kaniko.iter().flat_map(flags::problems));
    found.extend(without_cache(inputs));
    let ids = inputs
        .build_secrets
        .iter()
        .flat_map(|secrets| secrets.keys());
    let executor = inputs
        .executor
        .as_deref()
        .and_then(|image| image.parse().ok());
    found.extend(build_secrets::problems(ids, executor.as_ref()));
    let build_args = match build_args::known(inputs) {
        Ok(known) => known,
        Err(problem) => {
            found.push(problem);
            None
        }
    };
    // What another step decides can't be read yet.
    if let (Some(path), Some(dockerfile)) = (&inputs.path, &inputs.dockerfile) {
        let inputs = Known {
            build_args,
            ..inputs.clone()
        };
        found.extend(dockerfile_problems(path, dockerfile, &inputs));
    }
    found
}

/// Refuses values that another step provided, before anything starts: the check did not see them.
pub(crate) fn late(inputs: &Inputs) -> Result<()> {
    let images = inputs.destinations.iter().chain(&inputs.cache_repo);
    let mut found = images.filter_map(without_repository);
    let ids = inputs.build_secrets.keys();
    let of_secrets = || build_secrets::problems(ids, Some(&inputs.executor));
    match found
        .next()
        .or_else(|| flags::problems(&inputs.kaniko).into_iter().next())
        .or_else(|| of_secrets().into_iter().next())
    {
        None => Ok(()),
        Some(found) => {
            let error = Error::invalid_input(found.code, found.message);
            Err(error.helps(found.help))
        }
    }
}

/// Reports an Artifact Registry image without a repository: it is `HOST/PROJECT/REPOSITORY/NAME`
/// (<https://cloud.google.com/artifact-registry/docs/docker/names>).
fn without_repository(image: &ImageRef) -> Option<Diagnostic> {
    Repository::is_left_out(image.repository()).then(|| {
        let message = format!("the image {image} does not name a repository to push to");
        let host = image.registry();
        Diagnostic::error(codes::kaniko::DESTINATION, message)
            .help(format!("write {host}/PROJECT/REPOSITORY/NAME"))
    })
}

/// Reports options of a cache that the build does not use.
fn without_cache(inputs: &Known) -> Vec<Diagnostic> {
    // A repository that another step provides is absent here.
    if inputs.cache_repo != Some(None) {
        return Vec::new();
    }
    let options = [
        ("cacheTtl", matches!(inputs.cache_ttl, Some(Some(_)))),
        ("cacheCopyLayers", inputs.cache_copy_layers == Some(true)),
        (
            "cacheRunLayers",
            matches!(inputs.cache_run_layers, Some(Some(_))),
        ),
    ];
    let options = options.iter().filter(|(_, is_set)| *is_set);
    let problem = |(name, _): &(&str, bool)| {
        let message = format!("`{name}` has no effect without `cacheRepo`");
        Diagnostic::error(codes::kaniko::OPTION, message)
            .help("set `cacheRepo` to a repository for cached layers")
    };
    options.map(problem).collect()
}

fn key_in_secret(inputs: &Known) -> Option<Diagnostic> {
    let key = inputs.google_key.as_ref()?;
    let namespace = inputs.namespace.as_deref().unwrap_or("the namespace");
    let message = format!(
        "`googleKey` gives the build a service account's key: anyone who can read Secret {} of {namespace} can use the key until it is deleted",
        key.secret
    );
    Some(
        Diagnostic::warning(codes::identity::KEY_IN_SECRET, message)
            .help("use Workload Identity instead: remove `googleKey` and link `serviceAccount` to the key's account")
            .help("the run prints the commands, and docs/ways.md explains them"),
    )
}

fn dockerfile_problems(path: &str, dockerfile: &str, inputs: &Known) -> Vec<Diagnostic> {
    let file = match path {
        "." | "" => dockerfile.to_owned(),
        path => format!("{}/{dockerfile}", path.trim_end_matches('/')),
    };
    match workspace::read(&file, LARGEST) {
        Ok(bytes) => problems(&file, &text(&bytes), inputs),
        Err(error) if error.is_not_found() => {
            vec![
                Diagnostic::error(
                    codes::dockerfile::MISSING,
                    format!("the Dockerfile {file} does not exist"),
                )
                .help("set `dockerfile` to its path, relative to `path`"),
            ]
        }
        Err(error) => vec![error.into()],
    }
}

/// Decodes a Dockerfile. It need not be UTF-8: kaniko passes other encodings in a comment or a
/// label through, so invalid bytes must not stop the check.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::{from_value, json};

    use super::*;
    use crate::inputs::example;

    #[test]
    fn a_dockerfile_that_is_not_utf8_is_read_and_its_faults_are_found() {
        let latin1 = b"FROM scratch\n# g\xe9r\xe9\nLABEL by=\"Ren\xe9\"\nCOPY a /a\n";
        let known = Known::default();
        assert!(problems("Dockerfile", &text(latin1), &known).is_empty());
        let found = problems(
            "Dockerfile",
            &text(b"FROM scratch\n# \xe9\nCPY a /a\n"),
            &known,
        );
        assert_eq!(
            (&found[0].code[..], found[0].line),
            ("dockerfile.syntax", Some(3))
        );
    }

    #[test]
    fn options_without_their_cache_are_errors() {
        let messages = |inputs| -> Vec<String> {
            let known: Known = from_value(inputs).expect("known inputs");
            check(&known)
                .into_iter()
                .map(|found| found.message)
                .collect()
        };
        let all = json!({ "cacheRepo": null, "cacheTtl": "2h", "cacheCopyLayers": true, "cacheRunLayers": false });
        let told = |name: &str| format!("`{name}` has no effect without `cacheRepo`");
        let expected = ["cacheTtl", "cacheCopyLayers", "cacheRunLayers"].map(told);
        assert_eq!(messages(all), expected);
        // Another step provides the repository.
        let late = json!({ "cacheTtl": "2h", "cacheCopyLayers": true, "cacheRunLayers": false });
        assert_eq!(messages(late), [""; 0]);
        let unset = json!({ "cacheRepo": null, "cacheTtl": null, "cacheCopyLayers": false, "cacheRunLayers": null });
        assert_eq!(messages(unset), [""; 0]);
    }

    #[test]
    fn an_option_that_another_step_provides_is_checked_when_the_step_starts() {
        let inputs = example(&json!({ "kaniko": { "extraArgs": ["--no-push"] } }));
        let error = late(&inputs).expect_err("it sets that itself");
        assert_eq!(error.code, "kaniko.option");
    }

    #[test]
    fn a_destination_without_a_repository_is_an_error() {
        let codes = |image: &str| -> Vec<String> {
            let known = json!({ "destinations": [image] });
            let known: Known = from_value(known).expect("known inputs");
            check(&known).into_iter().map(|found| found.code).collect()
        };
        for image in [
            "europe-docker.pkg.dev/demo/hello:1",
            "us-docker.pkg.dev/hello",
        ] {
            assert_eq!(codes(image), ["kaniko.destination"], "{image}");
            let cached: Known = from_value(json!({ "cacheRepo": image })).expect("known inputs");
            assert_eq!(check(&cached)[0].code, "kaniko.destination", "{image}");
            // Named by another step, it is seen when the step starts.
            for late in [
                json!({ "destinations": [image] }),
                json!({ "cacheRepo": image }),
            ] {
                let error = super::late(&example(&late)).expect_err(image);
                assert_eq!(error.code, "kaniko.destination");
            }
        }
        for image in [
            "europe-docker.pkg.dev/demo/images/hello:1",
            "gcr.io/demo/hello",
            "ghcr.io/demo/hello",
        ] {
            assert_eq!(codes(image), [""; 0], "{image}");
            let late = example(&json!({ "destinations": [image] }));
            assert_eq!(super::late(&late), Ok(()), "{image}");
        }
    }

    #[test]
    fn a_key_is_warned_of_and_what_is_not_known_is_not_read() {
        // A workspace that is asked natively would end the process.
        let known: Known = from_value(json!({
            "path": ".", "namespace": "builds", "googleKey": { "secret": "builder-key" },
        }))
        .expect("known inputs");
        let found = check(&known);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code, "identity.key-in-secret");
        assert!(
            found[0].message.contains("builder-key of builds"),
            "{found:?}"
        );
        assert!(check(&Known::default()).is_empty());
    }
}
