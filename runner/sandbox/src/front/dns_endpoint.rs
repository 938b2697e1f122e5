//! The DNS endpoint of the sandbox's cluster: Google's frontend, which asks IAM about each caller
//! before the API server sees the request.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use serde_json::json;
use sidestep_sandbox_base::Authorization;
use sidestep_sandbox_google::Cloud;
use sidestep_sandbox_identity::{Access as _, Resource};

use super::route::host;

/// The permission to connect (Kubernetes Engine, "DNS-based endpoint").
const CONNECT: &str = "container.clusters.connect";

/// Returns the API server behind the check.
pub(crate) fn behind(cloud: &Cloud, api_server: Router) -> Router {
    api_server.layer(from_fn_with_state(cloud.clone(), check))
}

async fn check(State(cloud): State<Cloud>, request: Request, next: Next) -> Response {
    // A closed endpoint answers everybody alike.
    let Some(project) = cloud.open_dns_endpoint(&host(&request)) else {
        return refused("Forbidden.");
    };
    let bearer = Authorization::of(request.headers()).bearer();
    let caller = cloud.identity().caller(bearer);
    let project = Resource::Project(project);
    let may = |caller| cloud.identity().allows(&caller, CONNECT, &project);
    if caller.is_ok_and(may) {
        next.run(request).await
    } else {
        let name = project.name();
        refused(&format!(
            "Permission '{CONNECT}' denied on resource '{name}' (or it may not exist)."
        ))
    }
}

/// Returns a refusal of the frontend, which is not in the form of Kubernetes.
fn refused(message: &str) -> Response {
    let body =
        json!({ "error": { "code": 403, "message": message, "status": "PERMISSION_DENIED" } });
    (StatusCode::FORBIDDEN, Json(body)).into_response()
}
