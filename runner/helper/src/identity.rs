//! Waits for the metadata server of a pod's node.
//!
//! GKE's metadata server can be some seconds late for a new pod, and clients such as kaniko ask it
//! once and then go on without an identity.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use tokio::time::{Instant, sleep};

use crate::metadata::TOKEN;

/// The time between two requests.
const PAUSE: Duration = Duration::from_millis(250);
/// The time that one request may take.
const ANSWER: Duration = Duration::from_secs(3);

/// Waits until the metadata server at `host` answers for this pod, for at most `patience`. Returns
/// whether it does. A refusal is an answer: the program that needs the identity reports it.
pub async fn wait_for_identity(host: &str, patience: Duration) -> bool {
    let client = Client::builder().no_proxy().timeout(ANSWER).build();
    let Ok(client) = client else {
        return false;
    };
    let began = Instant::now();
    loop {
        if answers(&client, host).await {
            return true;
        }
        if began.elapsed() + PAUSE >= patience {
            return false;
        }
        sleep(PAUSE).await;
    }
}

async fn answers(client: &Client, host: &str) -> bool {
    let request = client.get(format!("http://{host}/{TOKEN}"));
    match request.header("Metadata-Flavor", "Google").send().await {
        Ok(answer) => {
            let status = answer.status();
            !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    /// Serves answers in their order, the last of them again and again. Returns the address and the
    /// number of requests so far.
    async fn server(answers: &'static [u16]) -> (String, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let asked = Arc::clone(&count);
        let answer = move || async move {
            let index = asked.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            axum::http::StatusCode::from_u16(answers[index]).expect("a status")
        };
        let router = Router::new().route(&format!("/{TOKEN}"), get(answer));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (address, count)
    }

    #[tokio::test]
    async fn a_server_that_is_late_is_waited_for() {
        let (address, count) = server(&[503, 429, 200]).await;
        assert!(wait_for_identity(&address, Duration::from_mins(1)).await);
        assert_eq!(count.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_refusal_is_an_answer() {
        for status in [&[403_u16], &[404]] {
            let (address, count) = server(status).await;
            assert!(wait_for_identity(&address, Duration::from_mins(1)).await);
            assert_eq!(count.load(Ordering::SeqCst), 1);
        }
    }

    #[tokio::test]
    async fn without_a_server_the_wait_ends() {
        let (address, _) = server(&[503]).await;
        assert!(!wait_for_identity(&address, Duration::ZERO).await);
    }
}
