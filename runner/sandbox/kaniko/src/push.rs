use crate::{
    Environment, failure::Failure, flags::Flags, image::Finished, log::Log, name::Reference,
    registry::Registry,
};
use std::{fs, io::Write as _};

/// Checks, before the build, that the identity may push. Returns the destinations.
pub(crate) async fn check(
    flags: &Flags,
    registry: &Registry<'_>,
    log: &Log<'_>,
) -> Result<Vec<Reference>, Failure> {
    let failed = |log: &Log<'_>, message: String| {
        log.warn("make sure you entered the correct tag name, and that you are authenticated correctly, and try again");
        Failure::Plain(format!("error checking push permissions: {message}"))
    };
    let mut destinations = Vec::new();
    for given in &flags.destinations {
        let parsed = Reference::parse(given);
        destinations.push(
            parsed.map_err(|why| failed(log, format!("getting tag for destination: {why}")))?,
        );
    }
    let cache = flags
        .cache_repo
        .as_deref()
        .filter(|repository| !repository.starts_with("oci:"));
    let cache = cache.map(Reference::parse).transpose();
    let cache = cache.map_err(|why| failed(log, format!("getting tag for destination: {why}")))?;
    let pushed = if flags.no_push {
        &[]
    } else {
        &destinations[..]
    };
    let mut checked = Vec::new();
    for target in pushed.iter().chain(&cache) {
        if flags.skip_push_permission_check || checked.contains(&target.context()) {
            continue;
        }
        registry.check_push(target).await.map_err(|why| {
            failed(
                log,
                format!("checking push permission for \"{}\": {why}", target.given),
            )
        })?;
        checked.push(target.context());
    }
    Ok(destinations)
}

/// Writes the digest files, then pushes.
pub(crate) async fn push(
    flags: &Flags,
    environment: &Environment,
    destinations: &[Reference],
    image: &Finished,
    registry: &Registry<'_>,
    log: &Log<'_>,
) -> Result<(), String> {
    let write = |path: &str, content: &str| environment.write(path, content);
    if let Some(path) = &flags.digest_file {
        write(path, &image.digest)
            .map_err(|why| format!("writing digest to file failed: {why}"))?;
    }
    let names = |tagged: bool| {
        let line = |name: &Reference| {
            let tag = if tagged {
                format!(":{}", name.version)
            } else {
                String::new()
            };
            format!("{}{tag}@{}\n", name.context(), image.digest)
        };
        destinations.iter().map(line).collect::<String>()
    };
    if let Some(path) = &flags.image_name_with_digest_file {
        write(path, &names(false))
            .map_err(|why| format!("writing image name with digest to file failed: {why}"))?;
    }
    if let Some(path) = &flags.image_name_tag_with_digest_file {
        write(path, &names(true)).map_err(|why| {
            format!("writing image name with image tag and digest to file failed: {why}")
        })?;
    }
    if let Some(path) = &flags.tar_path {
        let file = environment.create(path);
        file.and_then(|file| archive(file, destinations, image))
            .map_err(|why| format!("writing tarball to file failed: {why}"))?;
    }
    if let Some(path) = &flags.oci_layout_path {
        log.warn(&format!(
            "sandbox: no OCI layout is written to {path}; use --tar-path instead"
        ));
    }
    if flags.no_push {
        log.info("Skipping push to container registry due to --no-push flag");
        return Ok(());
    }
    for destination in destinations {
        log.info(&format!("Pushing image to {}", destination.given));
        to(destination, image, registry)
            .await
            .map_err(|why| format!("failed to push to destination {}: {why}", destination.given))?;
        log.info(&format!(
            "Pushed {}@{}",
            destination.context(),
            image.digest
        ));
    }
    Ok(())
}

async fn to(name: &Reference, image: &Finished, registry: &Registry<'_>) -> Result<(), String> {
    for layer in &image.layers {
        let pushed = registry.push_blob(name, &layer.digest, &layer.file).await;
        pushed.map_err(|why| why.to_string())?;
    }
    let mut config = tempfile::NamedTempFile::new().map_err(|why| why.to_string())?;
    config
        .write_all(&image.config)
        .map_err(|why| why.to_string())?;
    let pushed = registry
        .push_blob(name, &image.config_digest, config.path())
        .await;
    pushed.map_err(|why| why.to_string())?;
    let pushed = registry
        .push_manifest(name, image.manifest_type, &image.manifest)
        .await;
    pushed.map_err(|why| why.to_string())
}

/// Writes the image in the format of `docker load` (Docker image specification 1.2, "Combined Image
/// JSON + Filesystem Changeset Format").
fn archive(file: fs::File, destinations: &[Reference], image: &Finished) -> std::io::Result<()> {
    let mut tar = tar::Builder::new(file);
    let mut add = |name: &str, size: u64, content: &mut dyn std::io::Read| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(size);
        tar.append_data(&mut header, name, content)
    };
    let mut layers = Vec::new();
    for layer in &image.layers {
        let name = format!("{}.tar.gz", layer.digest.trim_start_matches("sha256:"));
        // A repeated layer is stored once.
        if !layers.contains(&name) {
            add(&name, layer.size, &mut fs::File::open(&layer.file)?)?;
        }
        layers.push(name);
    }
    let tags: Vec<String> = destinations
        .iter()
        .map(|name| format!("{}:{}", name.context(), name.version))
        .collect();
    let config = &image.config_digest;
    let manifest = serde_json::json!([{ "Config": config, "RepoTags": tags, "Layers": layers }]);
    let manifest = manifest.to_string();
    add(config, image.config.len() as u64, &mut &image.config[..])?;
    add(
        "manifest.json",
        manifest.len() as u64,
        &mut manifest.as_bytes(),
    )?;
    tar.finish()
}
