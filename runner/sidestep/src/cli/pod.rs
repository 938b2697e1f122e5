//! The commands of the helper image.

use std::path::PathBuf;

use clap::Subcommand;
use sidestep_contract::units;

/// `sidestep pod …`, which pods of steps run.
#[derive(Debug, Subcommand)]
pub enum Pod {
    /// Wait until the metadata server of the pod's node answers, for at most a minute
    WaitForIdentity,
    /// Fetch the archive of a context as the pod's identity, check its digest, and unpack it
    FetchContext {
        /// The archive, as gs://BUCKET/OBJECT
        uri: String,
        /// The empty folder to unpack into, as an absolute path
        into: PathBuf,
        /// The digest of its tree; that in the archive's name by default
        #[arg(long, value_name = "sha256:HEX")]
        digest: Option<String>,
        /// The largest size of the archive, and of the unpacked files
        #[arg(long, value_name = "SIZE", default_value = "10Gi", value_parser = size)]
        limit: u64,
    },
}

fn size(text: &str) -> Result<u64, String> {
    units::bytes(text).map_err(|misfit| misfit.to_string())
}
