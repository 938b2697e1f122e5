//! Google Cloud: the addresses of its APIs, the credentials for them, and the meaning of their
//! errors.
//!
//! Endpoints come from the operator's settings, never from a pipeline: the credentials of this
//! process are sent to every endpoint.

mod cluster;
mod commands;
pub mod convert;
mod credentials;
mod endpoints;
mod failure;
mod federation;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod job;
mod name;
mod noting;
mod origin;
mod rest;
pub mod retry;
mod variables;

pub use cluster::{
    ApiServer, CLUSTER, DnsEndpoint, FindsClusters, IssuesTokens, ReachesClusters, TokenOf,
};
pub use credentials::Credentials;
pub use endpoints::{Endpoints, Service, UnknownService};
pub use failure::{of_api_error, of_client_error};
pub use federation::{Clock, Federation, JobIdentity};
pub use job::{IdToken, NotGiven};
pub use name::{Name, Named, account_of_any_project, service_account};
pub use noting::Noting;
pub use origin::Origin;
pub use rest::{Rest, documented};
pub use variables::Variables;
