//! Storage, metadata server and registry in one, and a run against them.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, Response, StatusCode, header},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};
use sidestep_sandbox_kaniko::{Environment, run};
use sidestep_test_harness::{Port, files};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

/// The server's content and faults.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    pub(crate) manifests: BTreeMap<String, Vec<u8>>,
    /// Status and body for a path that starts with the key.
    pub(crate) faults: BTreeMap<String, (u16, String)>,
    pub(crate) requests: Vec<String>,
    /// The token requests that were posted.
    pub(crate) forms: Vec<String>,
    upload: Vec<u8>,
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) address: SocketAddr,
}

/// The results of a run.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) log: String,
    pub(crate) digest: Option<String>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let port = Port::free().await;
        let server = Self {
            world: Arc::default(),
            address: port.address,
        };
        let router = Router::new().fallback(answer).with_state(server.clone());
        port.serve(router);
        server
    }

    /// Stores a context with these files.
    pub(crate) fn context(&self, content: &[(&str, &str)]) {
        let folder = tempfile::tempdir().unwrap();
        files::write(folder.path(), content);
        self.context_of(folder.path());
    }

    pub(crate) fn context_of(&self, folder: &Path) {
        self.context_is(archive(folder));
    }

    pub(crate) fn context_is(&self, archive: Vec<u8>) {
        let name = "/ctx/a%2Fctx.tar.gz".to_owned();
        self.world.lock().unwrap().objects.insert(name, archive);
    }

    pub(crate) fn fault(&self, path: &str, status: u16, body: &str) {
        let fault = (status, body.to_owned());
        self.world
            .lock()
            .unwrap()
            .faults
            .insert(path.to_owned(), fault);
    }

    /// Runs with the usual context and destination.
    pub(crate) async fn run(&self, more: &[&str]) -> Ran {
        let usual = [
            "--context=gs://ctx/a/ctx.tar.gz",
            "--destination=europe-docker.pkg.dev/p/r/app:1",
        ];
        self.run_with(&[&usual, more].concat(), &self.address.to_string())
            .await
    }

    pub(crate) async fn run_with(&self, args: &[&str], metadata: &str) -> Ran {
        self.run_in(args, metadata, &[]).await
    }

    /// Like `run`, with more variables.
    pub(crate) async fn run_in(&self, args: &[&str], metadata: &str, more: &[(&str, &str)]) -> Ran {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("termination-log");
        let url = format!("http://{}", self.address);
        let variables = [
            ("GCE_METADATA_HOST", metadata.to_owned()),
            ("SIDESTEP_ENDPOINT_STORAGE", url.clone()),
            ("SIDESTEP_ENDPOINT_REGISTRY", url),
            ("SIDESTEP_TERMINATION_LOG", file.display().to_string()),
        ];
        let more = more.iter().map(|&(name, value)| (name, value.to_owned()));
        let environment: Environment = variables
            .into_iter()
            .chain(more)
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let args = args.iter().map(|&arg| arg.to_owned());
        let usual = ["--log-format=text", "--digest-file=/dev/termination-log"].map(str::to_owned);
        let args: Vec<String> = usual.into_iter().chain(args).collect();
        // On a separate task, which requires that it can move between threads.
        let (code, log) = tokio::spawn(async move {
            let mut log = Vec::new();
            let code = run(args.into_iter(), &environment, &mut log).await;
            (code, String::from_utf8(log).unwrap())
        })
        .await
        .unwrap();
        Ran {
            code,
            log,
            digest: std::fs::read_to_string(file).ok(),
        }
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.world.lock().unwrap().requests.clone()
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

async fn answer(State(server): State<Server>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let header = |name: &str| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let authorization = header("authorization");
    let mut world = server.world.lock().unwrap();
    world.requests.push(format!("{} {path}", parts.method));
    let fault = world.faults.iter().find(|(start, _)| {
        let (method, start) = start.split_once(' ').unwrap_or(("", start));
        path.starts_with(start) && (method.is_empty() || method == parts.method.as_str())
    });
    if let Some((_, (status, body))) = fault {
        return reply(*status, body.clone().into_bytes());
    }
    let basic = format!("Basic {}", BASE64_STANDARD.encode("_token:pod-token"));
    match path.as_str() {
        _ if path.starts_with("/computeMetadata/v1/") => {
            assert_eq!(header("metadata-flavor"), "Google");
            let token = r#"{"access_token":"pod-token","expires_in":3599,"token_type":"Bearer"}"#;
            let body = if path.ends_with("/token") {
                token
            } else {
                "demo"
            };
            reply(200, body.into())
        }
        "/token" if parts.method == Method::POST => {
            world.forms.push(String::from_utf8(body.to_vec()).unwrap());
            let token = r#"{"access_token":"pod-token","expires_in":3599,"token_type":"Bearer"}"#;
            reply(200, token.into())
        }
        "/token" => {
            assert!(query.contains("service=registry"), "{query}");
            let token = if authorization == basic {
                "known"
            } else {
                "anonymous"
            };
            reply(200, format!(r#"{{"token":"{token}"}}"#).into())
        }
        "/v2/" => Response::builder()
            .status(401)
            .header(
                header::WWW_AUTHENTICATE,
                format!(
                    r#"Bearer realm="http://{}/token",service="registry""#,
                    server.address
                ),
            )
            .body(Body::empty())
            .unwrap(),
        _ if path.starts_with("/v2/") => {
            // Only Google's own hosts receive the pod's identity.
            let token = if path.starts_with("/v2/index.docker.io/") {
                "anonymous"
            } else {
                "known"
            };
            assert_eq!(authorization, format!("Bearer {token}"));
            registry(&mut world, &parts.method, &path, &query, &body)
        }
        _ => match world.objects.get(&path) {
            _ if authorization != "Bearer pod-token" => {
                reply(401, b"<Code>AuthenticationRequired</Code>".to_vec())
            }
            Some(object) => reply(200, object.clone()),
            None => reply(404, b"<Code>NoSuchKey</Code>".to_vec()),
        },
    }
}

fn registry(
    world: &mut World,
    method: &Method,
    path: &str,
    query: &str,
    body: &[u8],
) -> Response<Body> {
    let last = path.rsplit('/').next().unwrap().to_owned();
    match *method {
        Method::POST => located("/v2/upload/1"),
        Method::PATCH => {
            world.upload = body.to_vec();
            located("/v2/upload/2?state=x")
        }
        Method::PUT if path.starts_with("/v2/upload/") => {
            let upload = std::mem::take(&mut world.upload);
            let stated = query.replace("%3A", ":");
            assert_eq!(stated, format!("state=x&digest={}", digest(&upload)));
            world.blobs.insert(digest(&upload), upload);
            reply(201, Vec::new())
        }
        Method::PUT => {
            world.manifests.insert(path.to_owned(), body.to_vec());
            reply(201, Vec::new())
        }
        Method::DELETE => reply(204, Vec::new()),
        _ => {
            let found = if path.contains("/manifests/") {
                world.manifests.get(path)
            } else {
                world.blobs.get(&last)
            };
            match found {
                Some(bytes) => reply(200, bytes.clone()),
                None => reply(
                    404,
                    br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"Failed to fetch \"1\""}]}"#.to_vec(),
                ),
            }
        }
    }
}

fn located(at: &str) -> Response<Body> {
    let response = Response::builder()
        .status(StatusCode::ACCEPTED)
        .header(header::LOCATION, at);
    response.body(Body::empty()).unwrap()
}

fn reply(status: u16, body: Vec<u8>) -> Response<Body> {
    Response::builder()
        .status(status)
        .body(Body::from(body))
        .unwrap()
}

/// Returns an archive of a folder's content, as users create one with tar.
pub(crate) fn archive(folder: &Path) -> Vec<u8> {
    archive_of(folder, tar::HeaderMode::Deterministic)
}

/// Returns an archive that preserves the modes.
pub(crate) fn archive_as_it_is(folder: &Path) -> Vec<u8> {
    archive_of(folder, tar::HeaderMode::Complete)
}

fn archive_of(folder: &Path, mode: tar::HeaderMode) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(gzip);
    archive.follow_symlinks(false);
    archive.mode(mode);
    archive.append_dir_all(".", folder).unwrap();
    archive.into_inner().unwrap().finish().unwrap()
}
