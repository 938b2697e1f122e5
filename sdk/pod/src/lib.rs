//! Runs a pod for a plugin's step and follows it to its end.
//!
//! `kaniko-launch` and `pod-run` differ in what runs in the pod. They share its supervision: the pod
//! is created, watched and followed; problems that may resolve by themselves get their time; and the
//! end is attributed to the program, the cluster, this run or another client.
//!
//! A plugin describes its pod as [`Work`], calls [`start`] and [`follow`], and asks [`exit`] how it
//! ended.

mod amount;
mod context;
mod deadline;
mod ending;
mod exit;
mod follow;
mod helper;
mod link;
mod literal;
mod mesh;
mod nodes;
mod placement;
mod refused;
mod resources;
mod start;
mod told;
mod volumes;
mod watch;
mod work;

pub use amount::{Amount, Cpu};
pub use deadline::{GRACE, deadline};
pub use ending::{Program, Seen, seconds};
pub use exit::{Exit, exit};
pub use follow::{Followed, Following, follow};
pub use helper::{Context, fetch_context, wait_for_identity};
pub use link::linked_account;
pub use literal::literal;
pub use mesh::not_ready;
pub use nodes::{SERVED, serve_identities};
pub use placement::Placement;
pub use resources::{Resources, resources};
pub use start::{Started, start};
pub use volumes::{Volume, add, mount};
pub use work::{MountedSecret, Work};

/// The file in which the kubelet reads a container's termination message.
pub const LAST_WORDS: &str = "/dev/termination-log";
