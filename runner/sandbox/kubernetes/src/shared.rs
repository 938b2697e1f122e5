//! The state that all parts of the cluster share.

use std::sync::Arc;

use sidestep_sandbox_tls::Authority;
use tokio_util::sync::CancellationToken;

use crate::auth::Gatekeeper;
use crate::config::Config;
use crate::logs::Logs;
use crate::store::Store;
use crate::tokens::Tokens;

/// The state that all parts of the cluster share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) store: Arc<Store>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) gate: Gatekeeper,
    pub(crate) logs: Arc<Logs>,
    pub(crate) authority: Authority,
    pub(crate) shutdown: CancellationToken,
}
