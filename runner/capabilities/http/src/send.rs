//! One request of a plugin, from its parts to its answer.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use sidestep_bindings::sidestep::http::client as wit;
use sidestep_events::Failure;
use sidestep_gate::{Blob, Masks};
use sidestep_policy::Call as _;

use super::client::HttpClient;
use super::failure::{lost, wrong};
use super::target::Target;

/// The maximum number of bytes of an answer's body that a plugin gets.
pub(super) const LARGEST: usize = 4 << 20;
/// The number of bytes that are read beyond the limit, so that no secret is split.
const BEYOND: usize = 64 << 10;
/// The maximum timeout that a plugin may set, and the default.
const LONGEST: Duration = Duration::from_mins(10);
const USUAL: Duration = Duration::from_mins(1);
/// Headers about how, or to which host, a request is sent; only the host sets them.
const OURS: [&str; 9] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "proxy-authorization",
    "proxy-connection",
];

/// A header or a parameter.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) secret: bool,
}

pub(super) enum Body {
    None,
    Bytes(Vec<u8>),
    Blob(Blob),
}

/// The rest of a request, with its secrets.
pub(super) struct Prepared {
    pub(super) query: Vec<Field>,
    pub(super) headers: Vec<Field>,
    pub(super) body: Body,
    /// Milliseconds.
    pub(super) timeout: Option<u64>,
    pub(super) most: u64,
}

/// Sends the request, once.
pub(super) async fn send(
    http: &HttpClient,
    masks: &Arc<Masks>,
    target: Target,
    prepared: Prepared,
) -> Result<wit::Response, Failure> {
    let what = format!("send {}", target.call().describe());
    let mut target = target;
    if !prepared.query.is_empty() {
        let mut query = target.url.query_pairs_mut();
        for field in &prepared.query {
            query.append_pair(&field.name, &field.value);
        }
    }
    let timeout = prepared
        .timeout
        .map_or(USUAL, Duration::from_millis)
        .min(LONGEST);
    let mut request = http
        .request(target)?
        .timeout(timeout)
        .headers(headers(prepared.headers)?);
    request = match prepared.body {
        Body::None => request,
        Body::Bytes(bytes) => request.body(bytes),
        Body::Blob(blob) => request.body(reqwest::Body::wrap_stream(blob.stream())),
    };
    let answer = request.send().await.map_err(|error| lost(&what, error))?;
    let status = answer.status().as_u16();
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| wit::Header {
            name: masks.text(name.as_str()).into_owned(),
            value: masks
                .text(&String::from_utf8_lossy(value.as_bytes()))
                .into_owned(),
        })
        .collect();
    let most = usize::try_from(prepared.most)
        .unwrap_or(LARGEST)
        .min(LARGEST);
    let (body, truncated) = body(&what, masks, answer, most).await?;
    Ok(wit::Response {
        status,
        headers,
        body,
        truncated,
    })
}

fn headers(fields: Vec<Field>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let shown = field.name.escape_debug().to_string();
        let name = HeaderName::try_from(field.name)
            .map_err(|_| wrong(format!("`{shown}` is not a valid header name")))?;
        if OURS.contains(&name.as_str()) {
            return Err(wrong(format!("the header `{name}` is set by the host")));
        }
        // The error would contain the value.
        let mut value = HeaderValue::try_from(field.value)
            .map_err(|_| wrong(format!("the value of `{name}` can't be sent in a header")))?;
        value.set_sensitive(field.secret);
        headers.append(name, value);
    }
    Ok(headers)
}

/// Returns the first bytes of an answer, masked: the server may echo a secret of the request.
async fn body(
    what: &str,
    masks: &Arc<Masks>,
    mut answer: reqwest::Response,
    most: usize,
) -> Result<(Vec<u8>, bool), Failure> {
    let mut stream = masks.stream();
    let mut body = Vec::new();
    let mut read = 0;
    let whole = loop {
        match answer.chunk().await.map_err(|error| lost(what, error))? {
            None => break true,
            Some(chunk) => {
                read += chunk.len();
                body.extend(stream.push(&chunk));
            }
        }
        if read > most + BEYOND {
            break false;
        }
    };
    // The bytes that are held back of an incomplete body may be half a secret.
    if whole {
        body.extend(stream.finish());
    }
    let truncated = !whole || body.len() > most;
    body.truncate(most);
    Ok((body, truncated))
}
