//! The actions that writes ask for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use sidestep_bindings::sidestep::storage::objects::{self as wit, Host as _};
use sidestep_events::{Foreign, Owner};
use sidestep_gate::{CallError, Services};
use sidestep_gate_testing::state_with;
use sidestep_google::{Credentials, Endpoints};
use sidestep_policy::Capability;

use crate::{Calls, Storage};

/// A bucket that accepts every write, and the number of its requests.
async fn bucket() -> (Storage, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = requests.clone();
    let written = move || {
        count.fetch_add(1, Ordering::Relaxed);
        async { axum::Json(json!({"generation": "7", "metageneration": "1", "size": "5"})) }
    };
    let router = axum::Router::new().fallback(axum::routing::any(written));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut endpoints = Endpoints::default();
    endpoints.set_storage_emulator(format!("http://{address}").parse().expect("a URL"));
    let storage = Storage::new(Arc::new(endpoints), Arc::new(Credentials::anonymous()));
    (storage, requests)
}

fn options(if_generation_match: Option<u64>) -> wit::PutOptions {
    wit::PutOptions {
        preconditions: wit::Preconditions {
            if_generation_match,
            if_metageneration_match: None,
        },
        content_type: None,
        cache_control: None,
        custom_time: None,
        metadata: Vec::new(),
        on_exit: wit::OnExit::Keep,
    }
}

/// Returns the failure's action, or `None` if the write was made.
fn refused(result: Result<wit::Written, CallError>) -> Option<String> {
    match result {
        Ok(_) => None,
        Err(CallError::Failure(failure)) => {
            assert_eq!(failure.code, "grant.scope", "{failure}");
            assert_eq!(failure.owner, Owner::Author);
            let message = Foreign::exact(&failure.message).to_owned();
            let action = ["create", "update", "compose"].into_iter();
            let mut action = action.filter(|action| message.contains(&format!("{action} gs://")));
            action.next().map(str::to_owned)
        }
        Err(CallError::Trap(trap)) => panic!("{trap:?}"),
    }
}

/// The granted actions, the precondition, and the action that is missing for `put` and for
/// `compose`.
type Row = (
    &'static [&'static str],
    Option<u64>,
    Option<&'static str>,
    Option<&'static str>,
);

#[tokio::test]
async fn a_write_that_can_replace_an_object_needs_the_grant_to_update() {
    let rows: [Row; 6] = [
        (&["get", "create", "compose"], Some(0), None, None),
        (
            &["get", "create", "compose"],
            None,
            Some("update"),
            Some("update"),
        ),
        (
            &["get", "create", "compose"],
            Some(7),
            Some("update"),
            Some("update"),
        ),
        (&["get", "create", "compose", "update"], None, None, None),
        (&["get", "create", "compose", "update"], Some(7), None, None),
        (&["get", "update"], None, Some("create"), Some("compose")),
    ];
    for (actions, generation, put, compose) in rows {
        let (storage, requests) = bucket().await;
        let granted = json!([{"bucket": "contexts", "actions": actions}]);
        let services = Services::default().with(Arc::new(storage));
        let (state, _) = state_with(&[(Capability::Storage, granted)], services);
        let mut step = Calls(state);
        let content = wit::Content::Bytes(b"bytes".to_vec());
        let putting = step.put("contexts".into(), "a".into(), content, options(generation));
        let written = Box::pin(putting).await;
        assert_eq!(
            refused(written).as_deref(),
            put,
            "{actions:?} {generation:?}"
        );
        let source = wit::Source {
            name: "part".into(),
            generation: None,
        };
        let sources = vec![source];
        let composing = step.compose("contexts".into(), "a".into(), sources, options(generation));
        let composed = Box::pin(composing).await;
        assert_eq!(refused(composed).as_deref(), compose, "{actions:?}");
        let made = usize::from(put.is_none()) + usize::from(compose.is_none());
        assert_eq!(requests.load(Ordering::Relaxed), made, "{actions:?}");
    }
}
