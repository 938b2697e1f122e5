//! Reading of logs: a part of a log, or all of its future lines.

use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use futures::Stream;
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::line::Line;
use super::{LogId, Logs};
use crate::clock::nanoseconds;

/// The requested part of a log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    pub(crate) follow: bool,
    pub(crate) timestamps: bool,
    pub(crate) since: Option<Timestamp>,
    pub(crate) tail: Option<u64>,
    pub(crate) limit: Option<u64>,
}

impl Logs {
    /// Reads a log. A followed one ends when its container has ended.
    pub(crate) fn read(
        self: &Arc<Self>,
        id: LogId,
        selection: Selection,
        shutdown: CancellationToken,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (out, mut rx) = mpsc::channel(64);
        let logs = self.clone();
        tokio::spawn(async move {
            let closed = out.clone();
            tokio::select! {
                result = logs.send(&id, &selection, &out) => {
                    if let Err(error) = result {
                        // The receiver may be closed; then the error cannot be reported.
                        let _ = out.send(Err(error)).await;
                    }
                }
                () = closed.closed() => {}
                () = shutdown.cancelled() => {}
            }
        });
        futures::stream::poll_fn(move |cx| rx.poll_recv(cx))
    }

    async fn send(
        &self,
        id: &LogId,
        selection: &Selection,
        out: &mpsc::Sender<io::Result<Bytes>>,
    ) -> io::Result<()> {
        let path = self.path(id);
        let mut told = self.subscribe(id);
        let file = match tokio::fs::File::open(&path).await {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut skip = match selection.tail {
            Some(tail) => count(&path, selection.since).await?.saturating_sub(tail),
            None => 0,
        };
        let mut reader = BufReader::new(file);
        let mut left = selection.limit.unwrap_or(u64::MAX);
        let (mut raw, mut fresh) = (Vec::new(), true);
        loop {
            // Marked before the read, so that later writes wake the wait below.
            let ended = match &mut told {
                Some(told) => {
                    told.borrow_and_update();
                    told.has_changed().is_err()
                }
                None => true,
            };
            loop {
                reader.read_until(b'\n', &mut raw).await?;
                if raw.last() != Some(&b'\n') {
                    break;
                }
                let line = Line::parse(&raw);
                let begins = fresh;
                // As in the kubelet, skipped bytes count too, so that a log may begin with the end
                // of an older line, which has no timestamp.
                fresh = line.as_ref().is_none_or(|line| line.whole);
                if let Some(line) = line
                    && selection.since.is_none_or(|since| line.time >= since)
                {
                    let shown = skip == 0;
                    if shown {
                        let mut text = Vec::with_capacity(line.text.len() + 36);
                        if selection.timestamps && begins {
                            text.extend_from_slice(nanoseconds(line.time).as_bytes());
                            text.push(b' ');
                        }
                        text.extend_from_slice(line.text);
                        if line.whole {
                            text.push(b'\n');
                        }
                        text.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                        left -= text.len() as u64;
                        if out.send(Ok(text.into())).await.is_err() || left == 0 {
                            return Ok(());
                        }
                    } else if line.whole {
                        skip -= 1;
                    }
                }
                raw.clear();
            }
            if ended || !selection.follow {
                return Ok(());
            }
            if let Some(told) = &mut told {
                // An error means that the writer is closed: one more read gets the rest.
                let _ = told.changed().await;
            }
        }
    }

    fn subscribe(&self, id: &LogId) -> Option<watch::Receiver<u64>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(id).map(watch::Sender::subscribe)
    }
}

async fn count(path: &Path, since: Option<Timestamp>) -> io::Result<u64> {
    let mut reader = BufReader::new(tokio::fs::File::open(path).await?);
    let (mut raw, mut lines) = (Vec::new(), 0);
    while reader.read_until(b'\n', &mut raw).await? > 0 {
        if let Some(line) = Line::parse(&raw)
            && line.whole
            && since.is_none_or(|since| line.time >= since)
        {
            lines += 1;
        }
        raw.clear();
    }
    Ok(lines)
}
