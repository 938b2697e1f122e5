//! Uploads a build context, unless the bucket already holds the same content.
//!
//! The object is named by the digest of the tree, which is known before anything is compressed; so
//! a context that the bucket already holds is neither compressed nor sent.

use sidestep::google::{self, Member, Resource, grant};
use sidestep::storage::{self, Object, ObjectRef, PutOptions};
use sidestep::workspace::{self, ChangedMode, PackOptions, Packed};
use sidestep::{Bucket, Class, Creation, Error, Owner, Result, Step};

/// The object's metadata: what it was made from, and by which packer.
const TREE: &str = "sidestep-tree";
const PACKER: &str = "sidestep-packer";

/// The folder to upload and the bucket that receives it.
#[sidestep::data]
#[derive(Debug)]
struct Inputs {
    /// The context's folder, relative to the workspace.
    #[serde(default = "here")]
    path: String,
    /// The Dockerfile, relative to `path`. Its own ignore file takes precedence over
    /// `.dockerignore`.
    #[serde(default = "dockerfile")]
    dockerfile: String,
    /// Patterns in .dockerignore syntax, applied after those of the ignore file.
    #[serde(default)]
    ignore: Vec<String>,
    /// Whether files keep the modes that they have in the workspace. By default, a file gets mode
    /// 644, or 755 if anyone may execute it, so that every machine makes the same archive.
    #[serde(default)]
    keep_modes: bool,
    /// The bucket.
    bucket: Bucket,
    /// The prefix of the object's name.
    #[serde(default = "contexts")]
    prefix: String,
}

/// The uploaded context.
#[sidestep::data]
#[derive(Debug)]
struct Outputs {
    /// `gs://BUCKET/OBJECT`.
    uri: String,
    /// The tree's digest: of names, modes and contents, not of the archive.
    digest: String,
    /// The object's generation.
    generation: u64,
    /// Bytes of the archive.
    size: u64,
    /// The number of files, folders and links in the archive.
    entries: u64,
    /// Whether this step uploaded the archive; false if the bucket already held it.
    sent: bool,
}

fn here() -> String {
    ".".to_owned()
}

fn dockerfile() -> String {
    "Dockerfile".to_owned()
}

fn contexts() -> String {
    "contexts/".to_owned()
}

/// Uploads a build context, unless the bucket already holds the same content.
#[sidestep::plugin(
    name = "context-upload",
    requests(
        workspace = "[{'read': [inputs.path + '/**']}]",
        storage = "[{'bucket': bucket(inputs.bucket), 'prefix': inputs.prefix, 'actions': ['get', 'create']}]"
    )
)]
fn run(_: &Step, inputs: Inputs) -> Result<Outputs> {
    let mut options = PackOptions::new(&inputs.path);
    options.dockerfile = Some(inputs.dockerfile);
    options.ignore = inputs.ignore;
    options.keep_modes = inputs.keep_modes;
    options.largest = 3;
    let packed = workspace::pack(&options)?;
    describe(&inputs.path, &packed);

    let bucket = inputs.bucket.as_str();
    let name = format!("{}{}", inputs.prefix, packed.name);
    let uri = format!("gs://{bucket}/{name}");
    let done = |generation, size, sent| Outputs {
        uri: uri.clone(),
        digest: packed.digest.clone(),
        generation,
        size,
        entries: packed.entries,
        sent,
    };
    if let Some(object) = there_already(bucket, &name, &packed)? {
        sidestep::info!("not sent: the bucket already holds this context, {uri}");
        return Ok(done(object.generation, object.size, false));
    }
    let options = PutOptions::new()
        .if_absent()
        .content_type("application/gzip")
        .metadata(TREE, &packed.digest)
        .metadata(PACKER, &packed.packer);
    let written = storage::put(bucket, &name, &packed.blob, &options)
        .map_err(|error| unsent(error, bucket, &inputs.prefix))?;
    let sent = written.outcome == Creation::Created;
    if sent {
        sidestep::info!("sent {} to {uri}", bytes(written.size));
    } else {
        // Another run uploaded the same content first.
        sidestep::info!("not sent: another run uploaded this context meanwhile, {uri}");
    }
    Ok(done(written.generation, written.size, sent))
}

/// Returns the failure of an upload. The help contains a grant only if the permission to create
/// objects is missing, and the grant is limited to the step's prefix; a 403 has many other reasons
/// (a disabled API, a perimeter, billing, a retention policy), which the message names.
fn unsent(error: Error, bucket: &str, prefix: &str) -> Error {
    const CREATE: &str = "storage.objects.create";
    let lacks = error.class == Class::Denied
        && error.owner == Owner::Cloud
        && error.message.contains(CREATE)
        && !google::is_perimeter(&error.message);
    let resource = Resource::Objects {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
    };
    let role = "roles/storage.objectCreator";
    let who = refused(&error.message);
    let error = error.context("the context was not uploaded");
    if !lacks {
        return error;
    }
    let resource_shown = resource.shown();
    match who.and_then(|member| grant(&resource, &member, role)) {
        Some(command) => error
            .help(format!(
                "an administrator of {} can grant it:",
                resource.carrier()
            ))
            .help(command),
        None => error.help(format!("the caller needs {role} on {resource_shown}")),
    }
}

/// Returns the refused principal, if the message names it: Cloud Storage writes `X does not have
/// …`.
fn refused(message: &str) -> Option<Member> {
    let (before, _) = message.split_once(" does not have ")?;
    Member::of_caller(before.rsplit(' ').next()?)
}

/// Returns the object if it exists and holds this tree.
fn there_already(bucket: &str, name: &str, packed: &Packed) -> Result<Option<Object>> {
    let object = match storage::stat(ObjectRef::new(bucket, name)) {
        Ok(object) => object,
        Err(error) if error.is_not_found() => return Ok(None),
        // A caller that may only create objects can still upload; the write shows whether it
        // exists.
        Err(error) if error.class == Class::Denied => return Ok(None),
        Err(error) => return Err(error),
    };
    let holds = |key: &str, value: &str| {
        object
            .metadata
            .iter()
            .any(|entry| entry.key == key && entry.value == value)
    };
    let same = holds(TREE, &packed.digest) && holds(PACKER, &packed.packer);
    Ok(same.then_some(object))
}

fn describe(path: &str, packed: &Packed) {
    sidestep::info!(
        "folder {path}: {} {}, {}; {} left out by ignore rules",
        packed.entries,
        if packed.entries == 1 {
            "entry"
        } else {
            "entries"
        },
        bytes(packed.size),
        packed.ignored
    );
    for file in packed.largest.iter().filter(|file| file.size >= 10 << 20) {
        sidestep::info!("large file: {} ({})", file.path, bytes(file.size));
    }
    for mode in &packed.modes {
        let said = changed(mode);
        if mode.matters {
            sidestep::warn!("{said}; `keepModes: true` keeps it");
        } else {
            sidestep::info!("{said}");
        }
    }
    for entry in &packed.skipped {
        sidestep::warn!("skipped {}: {}", entry.path, entry.reason);
    }
}

/// Describes a changed mode and the files that have it.
fn changed(mode: &ChangedMode) -> String {
    let ChangedMode { about, example, .. } = mode;
    match mode.count {
        0 | 1 => format!("{example}: {about}"),
        count => format!("{example} and {} more: {about}", count - 1),
    }
}

/// Formats a number of bytes: `312 B`, `1.5 MiB`.
fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut unit = 0;
    let mut tenths = u128::from(count) * 10 / 1024;
    while tenths >= 10 * 1024 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests;
