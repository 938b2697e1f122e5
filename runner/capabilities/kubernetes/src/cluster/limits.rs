//! The limits of a cluster's client.

use std::time::Duration;

use kube::Config;

/// The timeout of a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// The maximum silence of a connection. A server ends a watch after five minutes at most (as kube
/// asks it to), and the log of a silent container is read on from where it was.
const LONGEST_SILENCE: Duration = Duration::from_mins(6);

/// Sets the limits of a client. Its own retries honour any pause that a server asks for, and hide
/// whether a create may have been carried out; the callers retry.
pub(super) fn bounded(config: &mut Config) {
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(LONGEST_SILENCE);
    config.default_retry = false;
}
