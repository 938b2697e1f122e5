use crate::{Environment, access_token::NoToken, cause, flags::Flags, identity::Identity};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, StatusCode};
use sidestep_context::{RelPath, ignore::Ignore};
use std::{
    fs::{self, File},
    io::{Seek as _, Write as _},
    path::{Component, Path, PathBuf},
};

const STORAGE: &str = "https://storage.googleapis.com";
const NO_CREDENTIALS: &str = "dialing: credentials: could not find default credentials. See https://cloud.google.com/docs/authentication/external/set-up-adc for more information";
const NO_DOCKERFILE: &str =
    "please provide a valid path to a Dockerfile within the build context with --dockerfile";
/// Go's path escaping, except that a slash in the object's name is escaped too.
const OBJECT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b':')
    .remove(b'=')
    .remove(b'@');

/// A context on this machine.
#[derive(Debug)]
pub(crate) struct Context {
    /// The root of the unpacked context, or the folder that the flags name. No file outside of it
    /// is read.
    pub(crate) root: PathBuf,
    /// The context's folder: `root` or a folder below it.
    pub(crate) folder: PathBuf,
}

/// Brings the context to this machine.
pub(crate) async fn resolve(
    flags: &Flags,
    environment: &Environment,
    identity: &Identity,
    work: &Path,
) -> Result<Context, String> {
    let mut context = flags.context.clone();
    if let Some(bucket) = &flags.bucket
        && !context.contains("://")
    {
        context = format!("gs://{bucket}/{}", context.trim_matches('/'));
    }
    let root = if let Some(object) = context.strip_prefix("gs://") {
        let archive = fetch(object, environment, identity).await?;
        unpack(archive, work)?
    } else if let Some(archive) = context.strip_prefix("tar://") {
        let archive = environment
            .open(archive)
            .map_err(|error| format!("open {archive}: {error}"))?;
        unpack(archive, work)?
    } else if let Some((prefix, _)) = context
        .split_once("://")
        .filter(|(prefix, _)| *prefix != "dir")
    {
        return Err(format!(
            "unknown build context prefix provided, please use one of the following: gs://, dir://, tar:// (got {prefix}://)"
        ));
    } else {
        let folder = context.strip_prefix("dir://").unwrap_or(&context);
        environment
            .folder(folder)
            .map_err(|error| format!("{folder}: {error}"))?
    };
    let Some(below) = &flags.context_sub_path else {
        let folder = root.clone();
        return Ok(Context { root, folder });
    };
    let folder = inside(&root, &root, below).filter(|below| below.is_dir());
    let folder = folder.ok_or_else(|| {
        format!("failed to get context sub path {below}: it is not a folder of the context")
    })?;
    Ok(Context { root, folder })
}

/// A Dockerfile: its text, and the ignore files of its build.
#[derive(Debug)]
pub(crate) struct Dockerfile {
    pub(crate) text: String,
    /// The possible ignore files; the first existing one applies. Relative to the context's root.
    ignore_files: Vec<RelPath>,
}

impl Dockerfile {
    /// Reads the ignore file that applies.
    pub(crate) fn ignore(&self, context: &Context) -> Result<Ignore, String> {
        let ignore = Ignore::load_first(&context.root, self.ignore_files.iter().cloned());
        ignore.map_err(|why| why.to_string())
    }
}

/// Finds the Dockerfile. As with kaniko, it may be outside the context's sub path, but neither the
/// name nor a link may lead out of the unpacked context.
pub(crate) fn dockerfile(flags: &Flags, context: &Context) -> Result<Dockerfile, String> {
    let Context { root, folder } = context;
    let given = Path::new(&flags.dockerfile);
    let path = given.strip_prefix(folder).unwrap_or(given);
    let file = path.to_str().and_then(|path| inside(root, folder, path));
    let bytes = fs::read(file.ok_or(NO_DOCKERFILE)?).map_err(|_| NO_DOCKERFILE)?;
    let relative = |path: &Path| RelPath::clean(path.strip_prefix(root).ok()?);
    let beside = |path: &Path| {
        let mut name =
            cleaned(&folder.join(path.strip_prefix("/").unwrap_or(path))).into_os_string();
        name.push(".dockerignore");
        relative(Path::new(&name))
    };
    let ignore_files = [beside(path), relative(&folder.join(".dockerignore"))];
    Ok(Dockerfile {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        ignore_files: ignore_files.into_iter().flatten().collect(),
    })
}

/// Returns a path without `.` and `..`, like Go's `filepath.Join`.
pub(crate) fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
}

/// Returns the target of a path from a folder, or `None` if it is outside of `root`.
fn inside(root: &Path, folder: &Path, path: &str) -> Option<PathBuf> {
    let path = cleaned(&folder.join(path.trim_start_matches('/')));
    let path = path.canonicalize().ok()?;
    path.starts_with(root).then_some(path)
}

fn unpack(archive: File, work: &Path) -> Result<PathBuf, String> {
    let folder = work.join("context");
    fs::create_dir(&folder).map_err(|error| error.to_string())?;
    sidestep_context::unpack(archive, &folder)
        .map_err(|error| format!("unpacking the context: {error}"))?;
    folder.canonicalize().map_err(|error| error.to_string())
}

/// Fetches `BUCKET/OBJECT` by the XML API, as Google's Go client does.
async fn fetch(
    object: &str,
    environment: &Environment,
    identity: &Identity,
) -> Result<File, String> {
    let (bucket, name) = object.split_once('/').unwrap_or((object, ""));
    let name = if name.is_empty() {
        "context.tar.gz"
    } else {
        name
    };
    let path = format!("{bucket}/{}", utf8_percent_encode(name, OBJECT));
    let emulator = environment.endpoint("STORAGE_EMULATOR_HOST").map(|host| {
        if host.contains("://") {
            host
        } else {
            format!("http://{host}")
        }
    });
    let endpoint = environment.endpoint("SIDESTEP_ENDPOINT_STORAGE");
    let anonymous = endpoint.is_none() && emulator.is_some();
    let base = endpoint.or(emulator).unwrap_or_else(|| STORAGE.to_owned());
    let http = Client::builder()
        .build()
        .map_err(|error| error.to_string())?;
    let mut request = http.get(format!("{base}/{path}"));
    if !anonymous {
        let token = identity
            .for_storage()
            .await
            .map_err(|problem| match problem {
                NoToken::NoCredentials => NO_CREDENTIALS.to_owned(),
                NoToken::Unusable(why) => format!("dialing: {why}"),
                NoToken::Refused(why) => {
                    format!("Get \"{STORAGE}/{path}\": credentials: cannot fetch token: {why}")
                }
            })?;
        request = request.bearer_auth(token.secret());
    }
    let broken =
        |error: reqwest::Error| format!("Get \"{STORAGE}/{path}\": {}", cause::message(error));
    let mut answer = request.send().await.map_err(broken)?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Err("storage: object doesn't exist".into()),
        status => {
            let body = answer.text().await.unwrap_or_default();
            let code = status.as_u16();
            return Err(format!(
                "googleapi: got HTTP response code {code} with body: {body}"
            ));
        }
    }
    let mut file = tempfile::tempfile().map_err(|error| error.to_string())?;
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        file.write_all(&chunk).map_err(|error| error.to_string())?;
    }
    file.rewind().map_err(|error| error.to_string())?;
    Ok(file)
}
