//! Identity and Access Management, `iam.googleapis.com/v1`, and the deny policies of `/v2`.
//!
//! Reference: <https://cloud.google.com/iam/docs/reference/rest>.

mod accounts;
mod deny;
mod keys;
mod pools;
mod roles;

use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::Answer;

pub(crate) fn handle(cloud: &Cloud, call: &Call) -> Answer {
    let (_, path, _) = call.route();
    match path.as_slice() {
        ["v1", "projects", project, "serviceAccounts"] => {
            accounts::collection(cloud, call, project)
        }
        ["v1", "projects", project, "serviceAccounts", account] => {
            accounts::one(cloud, call, project, account)
        }
        [
            "v1",
            "projects",
            project,
            "serviceAccounts",
            account,
            "keys",
            rest @ ..,
        ] => keys::handle(cloud, call, project, account, rest),
        ["v1", "permissions"] => roles::testable(call),
        ["v1", "roles", rest @ ..] => roles::predefined(call, rest),
        ["v1", "projects", project, "roles", rest @ ..] => {
            roles::custom(cloud, call, project, rest)
        }
        [
            "v1",
            "projects",
            project,
            "locations",
            "global",
            "workloadIdentityPools",
            rest @ ..,
        ] => pools::handle(cloud, call, project, rest),
        ["v2", "policies", point, "denypolicies", rest @ ..] => {
            deny::handle(cloud, call, point, rest)
        }
        _ => Err(call.unserved()),
    }
}
