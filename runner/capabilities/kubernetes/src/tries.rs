//! Sending a request again whose answer never came.

use std::time::Duration;

/// How often a request is sent at most.
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Sends a request, again if the connection was lost or the server stumbled. What the server says
/// of being too busy (429, 503, 504), the client heeds by itself.
///
/// Only for requests that may be sent twice: whoever creates something has to know its own.
pub(super) async fn tried<T, F>(send: impl Fn() -> F) -> Result<T, kube::Error>
where
    F: Future<Output = Result<T, kube::Error>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match send().await {
            Err(error) if may_heal(&error) => {
                tracing::debug!(%error, "a request to an API server is sent again");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            answer => return answer,
        }
    }
    send().await
}

fn may_heal(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 408 | 500 | 502),
        // The connection failed, the body was cut off, or what came of it is no whole JSON.
        kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::SerdeError(_) => true,
        _ => false,
    }
}
