//! The output of a container that a scenario defines.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::faults::Written;
use crate::logs::{LogWriter, Logs, Output};

/// The number of bytes per write.
const CHUNK: usize = 16 << 10;
/// The pause after each write, so that a reader can be interrupted in the middle.
const PAUSE: Duration = Duration::from_millis(20);

/// Writes the bytes to the container's log, and returns the writer for the container's own output.
pub(super) async fn instead(
    written: &[Written],
    log: &LogWriter,
    logs: &Arc<Logs>,
) -> io::Result<LogWriter> {
    if written.is_empty() {
        return Ok(log.clone());
    }
    let mut bytes = Vec::new();
    for part in written {
        let part_bytes = STANDARD.decode(&part.base64).map_err(io::Error::other)?;
        for _ in 0..part.times {
            bytes.extend_from_slice(&part_bytes);
        }
    }
    for chunk in bytes.chunks(CHUNK) {
        log.write(Output::Stdout, chunk)?;
        tokio::time::sleep(PAUSE).await;
    }
    logs.nowhere()
}
