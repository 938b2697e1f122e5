use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use futures::{StreamExt as _, stream};
use sidestep_context::{Options, Tree, pack};
use tokio::net::TcpListener;

use super::*;
use crate::metadata::TOKEN;

/// The answers of a server, and what it was asked for.
struct Server {
    archive: Vec<u8>,
    /// The status of each answer; after the last one, the archive.
    refusals: Mutex<Vec<u16>>,
    /// The largest number of bytes that one answer sends before its connection ends.
    cut: usize,
    asked: Mutex<Vec<String>>,
}

impl Server {
    /// Serves the archive and the metadata server's tokens.
    async fn start(archive: Vec<u8>, refusals: &[u16], cut: usize) -> (Arc<Self>, Storage) {
        let mut refusals = refusals.to_vec();
        refusals.reverse();
        let server = Arc::new(Self {
            archive,
            refusals: Mutex::new(refusals),
            cut,
            asked: Mutex::default(),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&server));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let base = format!("http://{address}");
        let storage = Storage::new(Some(&base), &address).expect("a client");
        (server, storage.without_pauses())
    }
}

async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    if request.uri().path().ends_with(TOKEN) {
        return r#"{"access_token":"t"}"#.into_response();
    }
    assert_eq!(request.headers()["authorization"], "Bearer t");
    let header = |name: &str| {
        let value = request.headers().get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    };
    let range = header("range").to_owned();
    let mut asked = server.asked.lock().expect("not poisoned");
    asked.push(format!("{} {range}", request.uri()));
    if let Some(status) = server.refusals.lock().expect("not poisoned").pop() {
        let body = r#"{"error":{"message":"x has no access"}}"#;
        return (StatusCode::from_u16(status).expect("a status"), body).into_response();
    }
    let first = range
        .strip_prefix("bytes=")
        .and_then(|range| range.strip_suffix('-')?.parse().ok())
        .unwrap_or(0);
    let rest = &server.archive[first..];
    let status = if range.is_empty() { 200 } else { 206 };
    let answer = Response::builder()
        .status(status)
        .header("x-goog-generation", "7");
    if rest.len() <= server.cut {
        return answer.body(Body::from(rest.to_vec())).expect("an answer");
    }
    let part = Ok(rest[..server.cut].to_vec());
    let broken = async {
        // What was sent before is flushed.
        tokio::task::yield_now().await;
        Err(io::Error::other("the connection broke"))
    };
    let parts = stream::once(async { part }).chain(stream::once(broken));
    answer.body(Body::from_stream(parts)).expect("an answer")
}

/// Returns a context's digest and archive.
fn context() -> (String, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("bin")).expect("made");
    fs::write(path("bin/run.sh"), "#!/bin/sh\n").expect("written");
    fs::set_permissions(path("bin/run.sh"), fs::Permissions::from_mode(0o755)).expect("set");
    fs::write(path("Dockerfile"), "FROM scratch\n").expect("written");
    fs::write(
        path("large"),
        (0..=u8::MAX).cycle().take(90_000).collect::<Vec<_>>(),
    )
    .expect("written");
    symlink("/etc/passwd", path("link")).expect("made");
    let tree = Tree::read(&Options::new(folder.path())).expect("a tree");
    let mut archive = Vec::new();
    pack(&tree, &mut archive).expect("packed");
    (tree.digest().to_owned(), archive)
}

struct Pod {
    folder: tempfile::TempDir,
    places: Places,
}

impl Pod {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            places: Places::of(None).expect("nothing to read"),
        }
    }

    async fn fetch(&self, storage: &Storage, uri: &str) -> Result<Fetched, Error> {
        self.fetch_of(storage, uri, None, 1 << 20).await
    }

    async fn fetch_of(
        &self,
        storage: &Storage,
        uri: &str,
        digest: Option<String>,
        limit: u64,
    ) -> Result<Fetched, Error> {
        let context = Context {
            uri: uri.to_owned(),
            digest,
            into: self.folder.path().to_owned(),
            limit,
        };
        fetch_context(storage, &self.places, &context).await
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("a list");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("text")
            })
            .collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn a_context_is_checked_and_unpacked_without_the_dockerfiles_beside_it() {
    let (digest, archive) = context();
    let (server, storage) = Server::start(archive, &[], usize::MAX).await;
    let pod = Pod::new();
    let uri = format!("gs://b/unverified/ctx1-{digest}-{PACKER}.tar.gz");
    let fetched = pod.fetch(&storage, &uri).await.expect("fetched");
    assert!(fetched.checked);
    assert_eq!(pod.names(), ["Dockerfile", "bin", "large", "link"]);
    let path = |name: &str| pod.folder.path().join(name);
    let script = fs::metadata(path("bin/run.sh")).expect("it exists");
    assert_eq!(script.permissions().mode() & 0o777, 0o755);
    assert_eq!(
        fs::read_link(path("link")).expect("a link"),
        Path::new("/etc/passwd")
    );
    let asked = server.asked.lock().expect("not poisoned");
    assert_eq!(
        asked[..],
        [format!(
            "/storage/v1/b/b/o/unverified%2Fctx1-{digest}-{PACKER}.tar.gz?alt=media "
        )]
    );
}

#[tokio::test]
async fn a_download_that_breaks_goes_on_where_it_was_in_the_same_generation() {
    let (digest, archive) = context();
    let half = archive.len() / 2 + 1;
    let (server, storage) = Server::start(archive, &[503, 429], half).await;
    let pod = Pod::new();
    let uri = format!("gs://b/ctx1-{digest}-{PACKER}.tar.gz");
    assert!(pod.fetch(&storage, &uri).await.expect("fetched").checked);
    let asked = server.asked.lock().expect("not poisoned");
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert!(
        asked[3].ends_with(&format!("&generation=7 bytes={half}-")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn another_tree_is_refused_and_nothing_of_it_is_unpacked() {
    let (digest, archive) = context();
    let (_, storage) = Server::start(archive, &[], usize::MAX).await;
    let other = "0".repeat(64);
    let pod = Pod::new();
    for (uri, given) in [
        (format!("gs://b/ctx1-{other}-{PACKER}.tar.gz"), None),
        (
            format!("gs://b/ctx1-{digest}-{PACKER}.tar.gz"),
            Some(format!("sha256:{other}")),
        ),
    ] {
        let error = pod.fetch_of(&storage, &uri, given, 1 << 20).await;
        let error = error.expect_err("another tree");
        assert_eq!(error.reason, Reason::Wrong);
        assert!(error.message.contains("is another tree"), "{error}");
        assert_eq!(pod.names(), [""; 0]);
    }
}

#[tokio::test]
async fn a_refusal_names_who_has_no_access() {
    let (_, archive) = context();
    let pod = Pod::new();
    for (status, reason) in [(403, Reason::Denied), (404, Reason::Missing)] {
        let (_, storage) = Server::start(archive.clone(), &[status], 0).await;
        let error = pod.fetch(&storage, "gs://b/a.tar.gz").await;
        let error = error.expect_err("refused");
        assert_eq!(error.reason, reason);
        assert!(
            error.message.starts_with("cannot read gs://b/a.tar.gz: 40"),
            "{error}"
        );
        assert!(error.message.ends_with("x has no access"), "{error}");
    }
    let (server, storage) = Server::start(archive, &[500; 9], 0).await;
    let error = pod.fetch(&storage, "gs://b/a.tar.gz").await;
    assert_eq!(error.expect_err("away").reason, Reason::Unavailable);
    assert_eq!(server.asked.lock().expect("not poisoned").len(), 7);
}

#[tokio::test]
async fn sizes_are_limited_before_and_after_unpacking() {
    let (digest, archive) = context();
    let size = archive.len() as u64;
    let (_, storage) = Server::start(archive, &[], usize::MAX).await;
    let uri = format!("gs://b/ctx1-{digest}-{PACKER}.tar.gz");
    let pod = Pod::new();
    for (limit, part) in [
        (size - 1, "has more bytes than the limit"),
        (size, "its files need more than the limit"),
    ] {
        let error = pod.fetch_of(&storage, &uri, None, limit).await;
        let error = error.expect_err("too large");
        assert!(error.message.contains(part), "{error}");
        assert_eq!(pod.names(), [""; 0]);
    }
}

#[tokio::test]
async fn archives_of_others_are_unpacked_whole_and_unchecked() {
    let (_, archive) = context();
    let (_, storage) = Server::start(archive, &[], usize::MAX).await;
    let pod = Pod::new();
    let fetched = pod.fetch(&storage, "gs://b/a.tar.gz").await;
    assert!(!fetched.expect("fetched").checked);
    assert_eq!(pod.names(), ["context", "dockerfiles"]);
    let error = pod.fetch(&storage, "gs://b/a.tar.gz").await;
    let error = error.expect_err("it is not empty");
    assert!(
        error
            .message
            .ends_with("is not empty; name an empty folder"),
        "{error}"
    );
    for uri in ["gs://b", "gs://b/", "gs:///a", "https://b/a"] {
        let error = pod.fetch(&storage, uri).await.expect_err("no object");
        assert!(error.message.contains("gs://BUCKET/NAME"), "{error}");
    }
    let digest = Some("sha256:1".to_owned());
    let error = pod.fetch_of(&storage, "gs://b/a", digest, 1).await;
    assert!(
        error
            .expect_err("no digest")
            .message
            .contains("sha256:1 is not a digest")
    );
}
