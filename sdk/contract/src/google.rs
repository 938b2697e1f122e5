//! Names of Google Cloud resources and members, and `gcloud` commands for them. Each kind of name
//! has one parser, so that a command, a grant and a request always mean the same thing.

mod account;
mod apis;
mod cluster;
pub mod condition;
pub mod deny;
mod member;
mod perimeter;
mod project;
mod repository;
mod resource;
pub mod roles;
mod spelling;
pub mod target;
#[cfg(test)]
mod tests;

pub use account::Account;
pub use apis::enable_apis;
pub use cluster::Cluster;
pub use member::{Member, let_act_as};
pub use perimeter::is_perimeter;
pub use project::{in_host, is_number, is_project, of_resource};
pub use repository::Repository;
pub use resource::{PREFIX_TITLE, Resource, grant, make_uniform, revoke, show_policy};
pub use spelling::Misspelt;
