//! The commands of the helper image.

use clap::Subcommand;

/// `sidestep pod …`, which pods of steps run.
#[derive(Debug, Subcommand)]
pub enum Pod {
    /// Wait until the metadata server of the pod's node answers, for at most a minute
    WaitForIdentity,
}
