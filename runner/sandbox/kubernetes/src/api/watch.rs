//! Watches: changes since a resource version, with bookmarks, and 410 for a version that is too
//! old.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::request::{Form, Request, metadata_of};
use crate::selectors::Selector;
use crate::status::{ApiError, Cause};
use crate::store::{Change, Store};
use crate::table::table;

/// The duration of a watch without a timeout.
const DEFAULT_LIFE: Duration = Duration::from_mins(30);

/// The state that a watch runs on.
pub(crate) struct Context {
    pub(crate) store: Arc<Store>,
    /// The interval between bookmarks.
    pub(crate) bookmarks: Duration,
    pub(crate) shutdown: CancellationToken,
}

struct Watch {
    store: Arc<Store>,
    plural: &'static str,
    kind: &'static str,
    api_version: String,
    namespace: String,
    selector: Selector,
    form: Form,
    headed: bool,
    out: mpsc::Sender<Bytes>,
}

pub(crate) fn watch(context: Context, request: &Request, form: Form) -> Result<Response, ApiError> {
    let life = request
        .query
        .number::<u64>("timeoutSeconds")?
        .filter(|s| *s > 0)
        .map_or(DEFAULT_LIFE, Duration::from_secs);
    let from = request.query.version()?.unwrap_or(0);
    let initial = request.query.flag("sendInitialEvents");
    if initial && request.query.get("resourceVersionMatch") != Some("NotOlderThan") {
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        let cause = Cause::forbidden("resourceVersionMatch", why);
        return Err(ApiError::invalid_options("ListOptions", &cause));
    }
    let marks = request.query.flag("allowWatchBookmarks");
    let (out, mut rx) = mpsc::channel::<Bytes>(64);
    let watch = Watch {
        store: context.store.clone(),
        plural: request.kind.plural,
        kind: request.kind.kind,
        api_version: request.kind.api_version(),
        namespace: request.namespace.clone(),
        selector: request.selector()?,
        form,
        headed: false,
        out,
    };
    tokio::spawn(watch.run(from, initial, marks, life, context));
    let stream = futures::stream::poll_fn(move |cx| {
        rx.poll_recv(cx)
            .map(|chunk| chunk.map(Ok::<_, std::io::Error>))
    });
    Ok((
        [(header::CONTENT_TYPE, "application/json")],
        Body::from_stream(stream),
    )
        .into_response())
}

/// The client has disconnected.
struct Gone;

impl Watch {
    async fn run(
        mut self,
        from: u64,
        initial: bool,
        marks: bool,
        life: Duration,
        context: Context,
    ) {
        let out = self.out.clone();
        let watching = async {
            // If the client did not ask for the end, the stream is just closed, as after a restart.
            let _ = self
                .serve(from, initial, marks, life, context.bookmarks)
                .await;
        };
        tokio::select! {
            () = watching => {}
            () = out.closed() => {}
            () = context.shutdown.cancelled() => {}
        }
    }

    async fn serve(
        &mut self,
        from: u64,
        initial: bool,
        marks: bool,
        life: Duration,
        between: Duration,
    ) -> Result<(), Gone> {
        let mut ticks = self.store.ticks();
        let mut at = from;
        if from == 0 || initial {
            let (now, items) = self.store.list(self.plural, &self.namespace);
            for object in &items {
                if self.selector.matches(object) {
                    self.event("ADDED", object).await?;
                }
            }
            at = now;
            if initial {
                self.bookmark(at, true).await?;
            }
        }
        let end = tokio::time::sleep(life);
        tokio::pin!(end);
        let mut timer = tokio::time::interval_at(tokio::time::Instant::now() + between, between);
        loop {
            match self.store.since(self.plural, &self.namespace, at) {
                Ok((now, changes)) => {
                    at = at.max(now);
                    for change in &changes {
                        self.change(change).await?;
                    }
                }
                Err(oldest) => {
                    let error =
                        ApiError::expired(format!("too old resource version: {at} ({oldest})"));
                    return self.send("ERROR", error.status().clone()).await;
                }
            }
            tokio::select! {
                changed = ticks.changed() => if changed.is_err() { return Ok(()) },
                _ = timer.tick(), if marks => self.bookmark(at, false).await?,
                () = &mut end => {
                    if marks {
                        self.bookmark(at, false).await?;
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Sends a change, filtered by the watch's selectors.
    async fn change(&mut self, change: &Change) -> Result<(), Gone> {
        let fits = |o: &Option<Arc<Value>>| o.as_ref().is_some_and(|o| self.selector.matches(o));
        let (before, after) = (fits(&change.old), fits(&change.new));
        match (&change.new, before, after) {
            (Some(new), true, true) => self.event("MODIFIED", new).await,
            (Some(new), false, true) => self.event("ADDED", new).await,
            (new, true, false) => {
                // The object no longer matches, or was deleted: send the last state that matched.
                let mut last = change.old.as_deref().cloned().unwrap_or_default();
                if let Some(new) = new {
                    last["metadata"]["resourceVersion"] =
                        new["metadata"]["resourceVersion"].clone();
                }
                self.event("DELETED", &last).await
            }
            _ => Ok(()),
        }
    }

    async fn event(&mut self, kind: &str, object: &Value) -> Result<(), Gone> {
        let object = match self.form {
            Form::Plain => object.clone(),
            Form::Metadata => metadata_of(object),
            Form::Table(include) => {
                let meta = json!({ "resourceVersion": object["metadata"]["resourceVersion"] });
                let headings = !std::mem::replace(&mut self.headed, true);
                table(self.plural, [object], &meta, include, headings)
            }
        };
        self.send(kind, object).await
    }

    async fn bookmark(&mut self, rv: u64, initial: bool) -> Result<(), Gone> {
        let mut meta = json!({ "resourceVersion": rv.to_string(), "creationTimestamp": null });
        if initial {
            meta["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        let object = match self.form {
            Form::Plain => {
                json!({ "kind": self.kind, "apiVersion": self.api_version, "metadata": meta })
            }
            Form::Metadata => metadata_of(&json!({ "metadata": meta })),
            Form::Table(include) => table(self.plural, std::iter::empty(), &meta, include, false),
        };
        self.send("BOOKMARK", object).await
    }

    async fn send(&self, kind: &str, object: Value) -> Result<(), Gone> {
        let mut line = json!({ "type": kind, "object": object }).to_string();
        line.push('\n');
        self.out.send(line.into()).await.map_err(|_| Gone)
    }
}
