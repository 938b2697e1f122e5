//! Google Cloud: where its APIs are, as whom they are called, and what their errors mean.
//!
//! Endpoints come from the operator's settings, never from a pipeline: the credentials of this
//! process go to whatever an endpoint names.

mod control_plane;
mod credentials;
mod endpoints;
mod failure;
mod name;
mod origin;
mod rest;
pub(crate) mod retry;

pub use control_plane::ControlPlane;
pub use credentials::Credentials;
pub use endpoints::{Endpoints, Service, UnknownService};
pub(crate) use failure::{failed, of_api_error, of_client_error};
pub(crate) use name::{Name, Named, service_account};
pub use origin::Origin;
pub(crate) use rest::{MOST_PAGES, PAGE, Rest, too_many};
