//! The time of the last request, so that an unused sandbox can end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};

use crate::behind::Behind;
use crate::clients::programs_only;

/// The time of the last request.
#[derive(Clone)]
pub(crate) struct Activity {
    began: Instant,
    last: Arc<AtomicU64>,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            last: Arc::new(AtomicU64::new(0)),
        }
    }

    fn touch(&self) {
        self.last
            .store(self.began.elapsed().as_secs(), Ordering::Relaxed);
    }

    /// Wraps a router: requests from a page in a browser are rejected, and each other request is
    /// recorded.
    pub(crate) fn watched(&self, router: Router) -> Router {
        let activity = self.clone();
        programs_only(
            router.layer(middleware::from_fn(move |request: Request, next: Next| {
                activity.touch();
                next.run(request)
            })),
        )
    }

    /// Resolves once there has been no request, and no pod has run, for that long.
    pub(crate) async fn idle(&self, limit: Option<Duration>, behind: &Behind) {
        let Some(limit) = limit else {
            return std::future::pending().await;
        };
        let mut look = tokio::time::interval(limit.div_f64(30.0).max(Duration::from_millis(100)));
        loop {
            look.tick().await;
            if behind.running() > 0 {
                self.touch();
            }
            let last = Duration::from_secs(self.last.load(Ordering::Relaxed));
            if self.began.elapsed().saturating_sub(last) > limit {
                return;
            }
        }
    }
}
