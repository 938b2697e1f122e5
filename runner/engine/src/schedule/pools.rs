//! Handles matrices in which one instance's failure cancels the others.

use std::collections::HashMap;

use tokio_util::sync::CancellationToken;

use crate::{Node, Pool};

/// The cancellation token of each fail-fast matrix, by its name.
#[derive(Default)]
pub(super) struct Pools(HashMap<String, CancellationToken>);

impl Pools {
    /// Returns the token that cancels the instance's matrix, if it fails fast.
    pub(super) fn token(&mut self, node: &Node) -> Option<CancellationToken> {
        let pool = fails_fast(node)?;
        Some(self.0.entry(pool.name.clone()).or_default().clone())
    }

    /// Returns whether another instance of the same matrix has failed.
    pub(super) fn has_failed(&self, node: &Node) -> bool {
        fails_fast(node)
            .and_then(|pool| self.0.get(&pool.name))
            .is_some_and(CancellationToken::is_cancelled)
    }

    /// Cancels the other instances of the failed instance's matrix.
    pub(super) fn fail(&mut self, node: &Node) {
        if let Some(token) = self.token(node) {
            token.cancel();
        }
    }
}

fn fails_fast(node: &Node) -> Option<&Pool> {
    node.pool.as_ref().filter(|pool| pool.fail_fast)
}
