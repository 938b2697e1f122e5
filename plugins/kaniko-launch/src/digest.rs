//! Checks the pushed image in its registries.

use sidestep::registry::Logins;
use sidestep::serde_json::{self, Value};
use sidestep::{Class, Diagnostic, Error, Owner, Result, Step, codes};

use crate::inputs::Outputs;

/// Checks each destination, and adds the image's facts. A registry that the runner can't ask is a
/// warning: kaniko has reported that the push succeeded.
pub(crate) fn check(step: &Step, outputs: &mut Outputs, logins: &Logins) -> Result<()> {
    outputs.checked = true;
    for image in &outputs.images {
        match logins.manifest(image.as_str()) {
            Ok(found) => {
                if let Some((size, layers)) = facts(&found.text) {
                    outputs.size = Some(size);
                    outputs.layers = Some(layers);
                }
            }
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) if error.code == codes::registry::NOT_FOUND => {
                return Err(not_there(image, &error));
            }
            Err(error) => {
                outputs.checked = false;
                step.annotate(not_checked(image, error));
            }
        }
    }
    Ok(())
}

/// Returns the size and the number of layers of a manifest (OCI image specification, "Image
/// Manifest"); `None` for an index.
fn facts(manifest: &str) -> Option<(u64, u64)> {
    let manifest: Value = serde_json::from_str(manifest).ok()?;
    let layers = manifest["layers"].as_array()?;
    let sizes = layers.iter().chain([&manifest["config"]]);
    let size = sizes.map(|part| part["size"].as_u64().unwrap_or_default());
    let size = size.fold(0, u64::saturating_add);
    Some((size, u64::try_from(layers.len()).ok()?))
}

fn not_there(image: &str, error: &Error) -> Error {
    Error::new(
        Class::Failed,
        codes::kaniko::NOT_PUSHED,
        Owner::Cloud,
        format!(
            "kaniko reported that it pushed {image}, but the registry does not have it: {}",
            error.message
        ),
    )
    .help("run the step again; if it happens again, check whether the registry deletes images")
}

fn not_checked(image: &str, error: Error) -> Diagnostic {
    let message = format!(
        "not checked: kaniko pushed {image}, but the runner could not look it up: {}",
        error.message
    );
    Diagnostic::warning(codes::registry::NOT_CHECKED, message).helps(error.help)
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;

    #[test]
    fn a_manifest_tells_the_size_and_the_layers() {
        let manifest =
            json!({ "config": { "size": 300 }, "layers": [{ "size": 1000 }, { "size": 20 }] });
        assert_eq!(facts(&manifest.to_string()), Some((1320, 2)));
        let empty = json!({ "config": { "size": 300 }, "layers": [] });
        assert_eq!(facts(&empty.to_string()), Some((300, 0)));
        assert_eq!(facts(&json!({ "manifests": [] }).to_string()), None);
        assert_eq!(facts("{"), None);
        let huge = json!({ "config": { "size": u64::MAX }, "layers": [{ "size": 1 }] });
        assert_eq!(facts(&huge.to_string()), Some((u64::MAX, 1)));
    }

    #[test]
    fn what_the_registry_says_of_a_lost_image_is_passed_on() {
        let error = Error::new(
            Class::NotFound,
            codes::registry::NOT_FOUND,
            Owner::Cloud,
            "cannot read x: gone",
        );
        let lost = not_there("ghcr.io/a/b@sha256:0", &error);
        assert_eq!(
            (lost.code.as_str(), lost.class),
            ("kaniko.not-pushed", Class::Failed)
        );
        assert!(lost.message.contains("gone"), "{lost}");
    }
}
