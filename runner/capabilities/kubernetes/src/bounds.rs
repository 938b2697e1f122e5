//! Bounds on an API server's answers, for every client.
//!
//! kube reads an answer, and every error, to its end before it looks at them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use kube::client::Body;
use serde_json::{Value, json};
use tower::{BoxError, Layer, Service};

use super::down;

/// The maximum size of an answer with one object, and of one line of a watch, in bytes. An API
/// server accepts requests of 3 MiB (its `MaxRequestBodyBytes`).
const LARGEST_ANSWER: usize = 4 << 20;
/// The number of bytes that are read of an error.
const LARGEST_ERROR: usize = 64 << 10;
/// The maximum length of the message that an error which is no `Status` becomes, in bytes.
const LONGEST_MESSAGE: usize = 2 << 10;
/// The timeout of an error's body.
const PATIENCE: Duration = Duration::from_secs(30);

/// Marks a request whose caller has limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// The caller reads only a part of the answer.
    Part,
    /// As well, and an error as the server sent it.
    AsSent,
}

/// Bounds the answers that a client reads, and gives each error the form of the API.
#[derive(Debug, Clone, Copy)]
pub struct Bounds;

/// A service behind [`Bounds`].
#[derive(Debug, Clone)]
pub struct Bounded<S> {
    service: S,
    /// Whether the server has answered a request.
    answered: Arc<AtomicBool>,
}

/// An answer was larger than any that an API server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer is larger than {LARGEST_ANSWER} bytes")]
pub(super) struct TooLarge;

/// The part of an answer whose size is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// All of it.
    Whole,
    /// Each line, of a watch.
    Line,
    /// None: its reader has limits of its own.
    None,
}

impl Unit {
    fn of<B>(request: &Request<B>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        if is_log(request.uri().path()) || request.extensions().get::<Reads>().is_some() {
            Self::None
        } else if query.split('&').any(|part| part == "watch=true") {
            Self::Line
        } else {
            Self::Whole
        }
    }
}

/// Returns whether a path is that of a pod's log, and not of an object called `log`.
fn is_log(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(
        parts[..],
        ["", "api", "v1", "namespaces", _, "pods", _, "log"]
    )
}

/// A body that fails beyond its limit.
#[derive(Debug)]
pub struct BoundedBody {
    body: UnsyncBoxBody<Bytes, BoxError>,
    unit: Unit,
    /// The bytes of the unit so far.
    read: usize,
}

impl<S> Layer<S> for Bounds {
    type Service = Bounded<S>;

    fn layer(&self, service: S) -> Self::Service {
        Bounded {
            service,
            answered: Arc::default(),
        }
    }
}

impl<S, B> Service<Request<Body>> for Bounded<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<BoundedBody>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let unit = Unit::of(&request);
        let as_sent = request.extensions().get() == Some(&Reads::AsSent);
        let answer = self.service.call(request);
        let answered = Arc::clone(&self.answered);
        Box::pin(async move {
            let answer = answer.await.map_err(|error| {
                let error = error.into();
                if answered.load(Ordering::Relaxed) && down::is_refused(error.as_ref()) {
                    return down::Down(error).into();
                }
                error
            })?;
            answered.store(true, Ordering::Relaxed);
            let (head, body) = answer.into_parts();
            let body = body.map_err(Into::into).boxed_unsync();
            let is_error = head.status.is_client_error() || head.status.is_server_error();
            let body = if is_error && !as_sent {
                let status = of_error(head.status.as_u16(), &beginning(body).await?);
                BoundedBody::new(
                    Full::from(status).map_err(Into::into).boxed_unsync(),
                    Unit::None,
                )
            } else {
                BoundedBody::new(body, unit)
            };
            Ok(Response::from_parts(head, body))
        })
    }
}

impl BoundedBody {
    fn new(body: UnsyncBoxBody<Bytes, BoxError>, unit: Unit) -> Self {
        Self {
            body,
            unit,
            read: 0,
        }
    }

    /// Counts bytes, and returns whether they are within the limit.
    fn count(&mut self, data: &[u8]) -> bool {
        let first = match self.unit {
            Unit::None => return true,
            Unit::Whole => data.len(),
            Unit::Line => data
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(data.len()),
        };
        self.read = self.read.saturating_add(first);
        let within = self.read <= LARGEST_ANSWER;
        if first < data.len() {
            let last = data.iter().rev().position(|byte| *byte == b'\n');
            self.read = last.unwrap_or(data.len());
        }
        within
    }
}

impl HttpBody for BoundedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
            && !self.count(data)
        {
            return Poll::Ready(Some(Err(TooLarge.into())));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Reads the first bytes of an error, or what has arrived of it in time.
async fn beginning(mut body: UnsyncBoxBody<Bytes, BoxError>) -> Result<Bytes, BoxError> {
    let mut bytes = BytesMut::new();
    let read = async {
        while bytes.len() < LARGEST_ERROR
            && let Some(frame) = body.frame().await
        {
            if let Ok(data) = frame?.into_data() {
                let room = LARGEST_ERROR - bytes.len();
                bytes.extend_from_slice(&data[..data.len().min(room)]);
            }
        }
        Ok::<(), BoxError>(())
    };
    tokio::time::timeout(PATIENCE, read)
        .await
        .unwrap_or(Ok(()))?;
    Ok(bytes.freeze())
}

/// Returns an error as the API's `Status`. kube takes any JSON object for one, so a proxy's would
/// lose its HTTP code.
fn of_error(code: u16, body: &[u8]) -> Bytes {
    let mut json = serde_json::from_slice::<Value>(body).unwrap_or_default();
    if json["kind"] == "Status" {
        if json["code"].as_u64().is_none_or(|code| code == 0) {
            json["code"] = code.into();
        }
        return json.to_string().into();
    }
    let text = String::from_utf8_lossy(body);
    // The form of Google's errors (AIP-193).
    let text = json["error"]["message"].as_str().unwrap_or(text.trim());
    let message = match &text[..text.floor_char_boundary(LONGEST_MESSAGE)] {
        "" => format!("HTTP {code}"),
        text => text.to_owned(),
    };
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "code": code, "message": message,
    });
    status.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(uri: &str) -> Unit {
        Unit::of(&Request::get(uri).body(()).expect("a request"))
    }

    #[test]
    fn only_logs_and_what_is_counted_elsewhere_have_no_limit() {
        assert_eq!(unit("/api/v1/namespaces/a/pods/b"), Unit::Whole);
        assert_eq!(unit("/api/v1/namespaces/a/pods?limit=5"), Unit::Whole);
        assert_eq!(
            unit("/api/v1/namespaces/a/pods?&watch=true&limit=5"),
            Unit::Line
        );
        assert_eq!(
            unit("/api/v1/namespaces/a/pods/b/log?&follow=true"),
            Unit::None
        );
        for object in [
            "/api/v1/namespaces/a/configmaps/log",
            "/api/v1/namespaces/a/pods/log",
            "/apis/example.com/v1/namespaces/pods/things/log",
        ] {
            assert_eq!(unit(object), Unit::Whole, "{object}");
        }
        let mut counted = Request::get("/api/v1/pods").body(()).expect("a request");
        counted.extensions_mut().insert(Reads::Part);
        assert_eq!(Unit::of(&counted), Unit::None);
    }

    #[test]
    fn the_lines_of_a_watch_are_counted_one_by_one() {
        let body =
            |unit| BoundedBody::new(Full::default().map_err(Into::into).boxed_unsync(), unit);
        let (most, line) = (vec![b'x'; LARGEST_ANSWER], vec![b'x'; 10]);
        let mut watch = body(Unit::Line);
        for _ in 0..3 {
            assert!(watch.count(&most));
            assert!(watch.count(b"\nxx\n"));
        }
        assert!(watch.count(&line) && watch.count(b"x\n") && watch.count(&line));
        assert!(!watch.count(&most));
        let mut whole = body(Unit::Whole);
        assert!(whole.count(&most) && !whole.count(b"\n"));
    }

    #[tokio::test]
    async fn an_error_is_as_the_server_sent_it_for_who_asks_for_that() {
        for (reads, sent) in [(Reads::Part, false), (Reads::AsSent, true)] {
            let server = tower::service_fn(|_: Request<Body>| async {
                let answer = Response::builder()
                    .status(403)
                    .body(Body::from(b"no".to_vec()));
                Ok::<_, BoxError>(answer.expect("an answer"))
            });
            let mut request = Request::get("/version").body(Body::empty()).expect("one");
            request.extensions_mut().insert(reads);
            let answer = Bounds.layer(server).call(request).await.expect("an answer");
            let body = answer
                .into_body()
                .collect()
                .await
                .expect("a body")
                .to_bytes();
            assert_eq!(body == "no", sent, "{reads:?}");
        }
    }

    #[test]
    fn an_error_is_a_status_with_its_http_code() {
        let own = r#"{"kind":"Status","code":404,"reason":"NotFound","message":"no"}"#;
        let rows = [
            (404, own, 404, "no"),
            (503, r#"{"kind":"Status","message":"no"}"#, 503, "no"),
            (
                503,
                r#"{"error": "upstream"}"#,
                503,
                r#"{"error": "upstream"}"#,
            ),
            (
                403,
                r#"{"error": {"code": 403, "message": "Permission denied."}}"#,
                403,
                "Permission denied.",
            ),
            (502, "<h1>Bad Gateway</h1>\n", 502, "<h1>Bad Gateway</h1>"),
            (500, "", 500, "HTTP 500"),
            (429, "[]", 429, "[]"),
        ];
        for (http, body, code, message) in rows {
            let status = of_error(http, body.as_bytes());
            let status: Value = serde_json::from_slice(&status).expect("JSON");
            assert_eq!(
                (&status["code"], &status["message"]),
                (&json!(code), &json!(message))
            );
        }
        let long = "ä".repeat(LONGEST_MESSAGE);
        assert!(of_error(500, long.as_bytes()).len() < LONGEST_MESSAGE + 200);
    }
}
