use crate::{Environment, failure::Failure, identity::Identity, name::Reference};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, header};
use serde_json::Value;
use std::{collections::HashMap, fmt, path::Path};
use tokio::{io::AsyncWriteExt as _, sync::Mutex};

/// The manifests that are understood.
const MANIFESTS: &str = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.index.v1+json";
/// The largest manifest or configuration that is read (the OCI distribution
/// specification asks registries to take 4 MiB).
const MOST: usize = 4 * 1024 * 1024;

/// Registries, by the OCI distribution specification 1.1.
pub(crate) struct Registry<'a> {
    http: Client,
    endpoint: Option<String>,
    /// The projects whose repositories the sandbox has; none: all of Google's.
    projects: Option<Vec<String>>,
    identity: &'a Identity,
    pull: bool,
    /// What to send in `Authorization`, by repository and actions.
    authorizations: Mutex<HashMap<String, Option<String>>>,
}

/// A registry's refusal, in the words of the library that kaniko uses.
#[derive(Debug)]
pub(crate) struct RegistryError {
    pub(crate) status: Option<StatusCode>,
    message: String,
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

type Result<T> = std::result::Result<T, RegistryError>;

impl<'a> Registry<'a> {
    pub(crate) fn new(
        environment: &Environment,
        identity: &'a Identity,
        pull: bool,
    ) -> std::result::Result<Self, Failure> {
        let http = Client::builder()
            .user_agent("kaniko/sidestep-sandbox")
            .build();
        let http = http.map_err(|error| Failure::Plain(format!("no HTTP client: {error}")))?;
        let endpoint = environment.endpoint("SIDESTEP_ENDPOINT_REGISTRY");
        let projects = environment
            .get("SIDESTEP_SANDBOX_PROJECTS")
            .map(|names| names.split(',').map(str::to_owned).collect());
        Ok(Self {
            http,
            endpoint,
            projects,
            identity,
            pull,
            authorizations: Mutex::default(),
        })
    }

    /// Whether a base image can be looked for at all: in the sandbox's registry,
    /// or in its own where that is allowed.
    pub(crate) fn reaches(&self, image: &Reference) -> bool {
        self.pull || self.endpoint.is_some() || image.is_googles()
    }

    /// Whether the sandbox's registry stands for this image's: what is not there is nowhere. Other
    /// people's projects (`gcr.io/distroless`) are the world outside, as Docker Hub is.
    pub(crate) fn owns(&self, image: &Reference) -> bool {
        let known = self.projects.as_ref().is_none_or(|projects| {
            let mut projects = projects.iter();
            projects.any(|project| {
                let rest = image.repository.strip_prefix(project.as_str());
                rest.is_some_and(|rest| rest.starts_with('/'))
            })
        });
        image.is_googles() && known
    }

    /// The server's address, and the repository's name there.
    fn place(&self, image: &Reference) -> (String, String) {
        match &self.endpoint {
            Some(endpoint) if self.owns(image) || !self.pull => (endpoint.clone(), image.context()),
            _ => (
                format!("https://{}", image.registry),
                image.repository.clone(),
            ),
        }
    }

    /// The address to call, and the one that messages show: the registry's own.
    fn url(&self, image: &Reference, rest: &str) -> (String, String) {
        let (base, repository) = self.place(image);
        let shown = format!("https://{}/v2/{}/{rest}", image.registry, image.repository);
        (format!("{base}/v2/{repository}/{rest}"), shown)
    }

    async fn call(
        &self,
        image: &Reference,
        actions: &str,
        (url, shown): (&str, &str),
        method: Method,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response> {
        let authorization = self.authorize(image, actions).await?;
        let mut request = with(self.http.request(method.clone(), url));
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        answer(request, &method, shown).await
    }

    /// The token dance: ask, be sent to a realm, and show the pod's identity there.
    async fn authorize(&self, image: &Reference, actions: &str) -> Result<Option<String>> {
        let (base, repository) = self.place(image);
        let key = format!("{base} {repository}:{actions}");
        let mut known = self.authorizations.lock().await;
        if let Some(known) = known.get(&key) {
            return Ok(known.clone());
        }
        // The sandbox's tokens are for its own registry.
        let outside = self.pull && !self.owns(image);
        let token = if image.is_googles() && !outside {
            self.identity.for_registry().await
        } else {
            None
        };
        let basic = token
            .map(|token| BASE64_STANDARD.encode(format!("_token:{}", token.secret())))
            .map(|basic| format!("Basic {basic}"));
        let shown = format!("https://{}/v2/", image.registry);
        let ping = self.http.get(format!("{base}/v2/")).send().await;
        let ping = ping.map_err(|error| transport(&Method::GET, &shown, error))?;
        let challenge = ping.headers().get(header::WWW_AUTHENTICATE);
        let challenge = challenge
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let authorization = if ping.status() != StatusCode::UNAUTHORIZED {
            None
        } else if let Some(fields) = challenge.strip_prefix("Bearer ") {
            let scope = format!("repository:{repository}:{actions}");
            Some(self.bearer(fields, &scope, basic).await?)
        } else {
            basic
        };
        known.insert(key, authorization.clone());
        Ok(authorization)
    }

    async fn bearer(&self, fields: &str, scope: &str, basic: Option<String>) -> Result<String> {
        let field = |name: &str| {
            fields.split(',').find_map(|field| {
                let (key, value) = field.trim().split_once('=')?;
                (key == name).then(|| value.trim_matches('"').to_owned())
            })
        };
        let refused = |message: String| RegistryError {
            status: None,
            message,
        };
        let realm = field("realm").unwrap_or_default();
        let mut url = Url::parse(&realm)
            .map_err(|_| refused(format!("malformed www-authenticate, bad realm: {realm}")))?;
        url.query_pairs_mut().append_pair("scope", scope);
        if let Some(service) = field("service") {
            url.query_pairs_mut().append_pair("service", &service);
        }
        let mut request = self.http.get(url.clone());
        if let Some(basic) = basic {
            request = request.header(header::AUTHORIZATION, basic);
        }
        let body = bounded(
            answer(request, &Method::GET, url.as_str()).await?,
            url.as_str(),
        )
        .await?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let token = body["token"]
            .as_str()
            .or_else(|| body["access_token"].as_str());
        let token =
            token.ok_or_else(|| refused(format!("no token in bearer response from {realm}")))?;
        Ok(format!("Bearer {token}"))
    }

    /// kaniko's permission check: start an upload and take it back.
    pub(crate) async fn check_push(&self, image: &Reference) -> Result<()> {
        let location = self.start_upload(image).await?;
        let shown = location.as_str();
        // What it answers to that does not matter to kaniko either.
        let _answer = self
            .call(image, PUSH, (shown, shown), Method::DELETE, |r| r)
            .await;
        Ok(())
    }

    async fn start_upload(&self, image: &Reference) -> Result<Url> {
        let (url, shown) = self.url(image, "blobs/uploads/");
        let started = self
            .call(image, PUSH, (&url, &shown), Method::POST, |r| r)
            .await?;
        location(&started, &shown)
    }

    /// Uploads a blob from a file, unless the repository has it.
    pub(crate) async fn push_blob(
        &self,
        image: &Reference,
        digest: &str,
        file: &Path,
    ) -> Result<()> {
        let (url, shown) = self.url(image, &format!("blobs/{digest}"));
        if self
            .call(image, PUSH, (&url, &shown), Method::HEAD, |r| r)
            .await
            .is_ok()
        {
            return Ok(());
        }
        let at = self.start_upload(image).await?;
        let local = |error: std::io::Error| RegistryError {
            status: None,
            message: format!("reading {}: {error}", file.display()),
        };
        let content = tokio::fs::File::open(file).await.map_err(local)?;
        let length = content.metadata().await.map_err(local)?.len();
        let with = |request: RequestBuilder| {
            request
                .header(header::CONTENT_TYPE, "application/octet-stream")
                .header(header::CONTENT_LENGTH, length)
                .body(content)
        };
        let sent = self
            .call(image, PUSH, (at.as_str(), at.as_str()), Method::PATCH, with)
            .await?;
        let mut end = location(&sent, at.as_str())?;
        end.query_pairs_mut().append_pair("digest", digest);
        self.call(
            image,
            PUSH,
            (end.as_str(), end.as_str()),
            Method::PUT,
            |r| r.header(header::CONTENT_LENGTH, 0),
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn push_manifest(
        &self,
        image: &Reference,
        kind: &str,
        manifest: &[u8],
    ) -> Result<()> {
        let (url, shown) = self.url(image, &format!("manifests/{}", image.version));
        let body = manifest.to_vec();
        self.call(image, PUSH, (&url, &shown), Method::PUT, |request| {
            request
                .header(header::CONTENT_TYPE, kind.to_owned())
                .body(body)
        })
        .await?;
        Ok(())
    }

    /// A manifest or an index.
    pub(crate) async fn manifest(&self, image: &Reference, reference: &str) -> Result<Value> {
        let (url, shown) = self.url(image, &format!("manifests/{reference}"));
        let with = |request: RequestBuilder| request.header(header::ACCEPT, MANIFESTS);
        let got = self
            .call(image, PULL, (&url, &shown), Method::GET, with)
            .await?;
        json(&bounded(got, &shown).await?, &shown)
    }

    /// A blob that is JSON.
    pub(crate) async fn config(&self, image: &Reference, digest: &str) -> Result<Value> {
        let (url, shown) = self.url(image, &format!("blobs/{digest}"));
        let got = self
            .call(image, PULL, (&url, &shown), Method::GET, |r| r)
            .await?;
        json(&bounded(got, &shown).await?, &shown)
    }

    /// A blob, to a file.
    pub(crate) async fn blob(&self, image: &Reference, digest: &str, file: &Path) -> Result<()> {
        let (url, shown) = self.url(image, &format!("blobs/{digest}"));
        let mut got = self
            .call(image, PULL, (&url, &shown), Method::GET, |r| r)
            .await?;
        let local = |error: std::io::Error| RegistryError {
            status: None,
            message: error.to_string(),
        };
        let mut out = tokio::fs::File::create(file).await.map_err(local)?;
        while let Some(chunk) = got
            .chunk()
            .await
            .map_err(|e| transport(&Method::GET, &shown, e))?
        {
            out.write_all(&chunk).await.map_err(local)?;
        }
        out.flush().await.map_err(local)
    }
}

const PUSH: &str = "push,pull";
const PULL: &str = "pull";

fn json(body: &[u8], shown: &str) -> Result<Value> {
    serde_json::from_slice(body).map_err(|error| RegistryError {
        status: None,
        message: format!("GET {shown}: {error}"),
    })
}

async fn bounded(mut got: Response, shown: &str) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = got
        .chunk()
        .await
        .map_err(|e| transport(&Method::GET, shown, e))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > MOST {
            let message = format!("GET {shown}: the answer is larger than 4 MiB");
            return Err(RegistryError {
                status: None,
                message,
            });
        }
    }
    Ok(body)
}

fn location(answer: &Response, shown: &str) -> Result<Url> {
    let location = answer
        .headers()
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok());
    location
        .and_then(|location| answer.url().join(location).ok())
        .ok_or_else(|| RegistryError {
            status: None,
            message: format!("POST {shown}: the answer has no Location"),
        })
}

fn transport(method: &Method, shown: &str, error: reqwest::Error) -> RegistryError {
    let method = match *method {
        Method::GET => "Get",
        Method::POST => "Post",
        Method::PUT => "Put",
        Method::PATCH => "Patch",
        _ => "Head",
    };
    RegistryError {
        status: None,
        message: format!("{method} \"{shown}\": {}", error.without_url()),
    }
}

async fn answer(request: RequestBuilder, method: &Method, shown: &str) -> Result<Response> {
    let got = request
        .send()
        .await
        .map_err(|error| transport(method, shown, error))?;
    let status = got.status();
    if status.is_success() {
        return Ok(got);
    }
    let body = bounded(got, shown).await?;
    let parsed: Value = serde_json::from_slice(&body).unwrap_or_default();
    let errors: Vec<String> = parsed["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(one)
        .collect();
    let what = match errors.as_slice() {
        [] => format!(
            "unexpected status code {status}: {}",
            String::from_utf8_lossy(&body)
        ),
        [one] => one.clone(),
        more => format!("multiple errors returned: {}", more.join("; ")),
    };
    Err(RegistryError {
        status: Some(status),
        message: format!("{method} {shown}: {what}"),
    })
}

fn one(error: &Value) -> String {
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    format!("{}: {}", text("code"), text("message"))
}
