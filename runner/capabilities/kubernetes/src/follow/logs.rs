//! Reads one container's log to its end over any number of connections.
//!
//! A `follow` stream ends when the kubelet rotates the file, when a connection drops, and when the
//! container ends; it does not report which. So the reader resumes from its position until the
//! container is known to have ended, and then reads once more without following: only the end of
//! that read is the end of the log.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use futures::{AsyncBufReadExt as _, pin_mut};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::LogParams;
use sidestep_gate::Position;
use sidestep_transport::causes;
use tokio::sync::watch;

use super::lines::PIECE;
use super::reading::{Reading, Taken};
use crate::tries::opening;

/// The pauses before retries after reads without data.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(100))
    .with_max_delay(LONGEST_PAUSE)
    .without_max_times()
    .with_jitter();
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The number of consecutive reads without data that may fail once the container has ended: its
/// node may be gone for good.
const TRIES_AFTER_END: u32 = 5;
/// The maximum silence of a connection once the container has ended. A running process may be
/// silent for hours; but an ended one has written everything, so a silent connection is a dead one
/// whose end never arrived.
const LONGEST_SILENCE: Duration = Duration::from_secs(20);

/// Reads the log of one container of one pod.
pub(super) struct LogReader {
    pods: Api<Pod>,
    pod: String,
    container: String,
    position: Position,
}

/// The result of reading a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LogEnd {
    /// It was read to its end.
    Whole,
    /// The rest cannot be read, for this reason: the pod or its node was gone first.
    CutOff(String),
}

/// The result of one connection.
enum Stream {
    Ended,
    NotFound(String),
    Broken(String),
}

impl LogReader {
    /// Returns a reader that resumes after the last whole line before `position`: the store of the
    /// log knows which part of the next line it has.
    pub(super) fn new(pods: Api<Pod>, pod: String, container: String, position: Position) -> Self {
        Self {
            pods,
            pod,
            container,
            position: position.without_part(),
        }
    }

    /// Reads until the container has ended (according to `over`) and nothing is left, and passes on
    /// each piece.
    pub(super) async fn read(
        mut self,
        mut over: watch::Receiver<bool>,
        mut take: impl FnMut(Taken),
    ) -> LogEnd {
        let mut pauses = PAUSES.build();
        let mut failed = 0;
        loop {
            let was_over = *over.borrow_and_update();
            let mut brought = false;
            let take = |taken: Taken| {
                brought = true;
                take(taken);
            };
            let end = self.stream(!was_over, over.clone(), take).await;
            if brought {
                (pauses, failed) = (PAUSES.build(), 0);
            }
            let why = match end {
                Stream::Ended if was_over => return LogEnd::Whole,
                Stream::Ended => None,
                Stream::NotFound(why) if was_over => return LogEnd::CutOff(why),
                Stream::NotFound(why) | Stream::Broken(why) => Some(why),
            };
            if brought {
                // A node that rotates the log meanwhile keeps nothing for the next read.
                continue;
            }
            let pause = pauses.next().unwrap_or(LONGEST_PAUSE);
            if let Some(why) = &why {
                tracing::debug!(?pause, %why, "the stream of a pod's log broke off");
            }
            match why {
                Some(why) if was_over => {
                    failed += 1;
                    if failed >= TRIES_AFTER_END {
                        return LogEnd::CutOff(why);
                    }
                }
                _ => failed = 0,
            }
            // Either the pause is over, or the container has ended, which makes another read
            // worthwhile. If the watch of the pod has ended, this task is about to end too.
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                Ok(()) = over.changed(), if !was_over => {}
            }
        }
    }

    async fn stream(
        &mut self,
        follow: bool,
        mut over: watch::Receiver<bool>,
        mut take: impl FnMut(Taken),
    ) -> Stream {
        let parameters = LogParams {
            container: Some(self.container.clone()),
            follow,
            timestamps: true,
            since_time: self.position.since(),
            ..LogParams::default()
        };
        let opened = opening(|| self.pods.log_stream(&self.pod, &parameters));
        let stream = match unless_silent(&mut over, opened).await {
            None => return silent(),
            Some(Ok(stream)) => stream,
            Some(Err(kube::Error::Api(status))) if status.code == 404 => {
                return Stream::NotFound(status.message.clone());
            }
            // The client's own message for it contains a debug dump.
            Some(Err(kube::Error::Api(status))) => return Stream::Broken(status.message.clone()),
            Some(Err(error)) => return Stream::Broken(causes::chain(&error)),
        };
        pin_mut!(stream);
        let mut reading = Reading::new(self.position, PIECE);
        let mut take = |taken: Taken| {
            if let Taken::Piece(_, position) = &taken {
                self.position = *position;
            }
            take(taken);
        };
        loop {
            let length = match unless_silent(&mut over, stream.fill_buf()).await {
                None => return silent(),
                Some(Ok([])) => break,
                Some(Ok(bytes)) => {
                    reading.push(bytes, &mut take);
                    bytes.len()
                }
                Some(Err(error)) => return Stream::Broken(error.to_string()),
            };
            stream.consume_unpin(length);
        }
        // A rest without a line feed is only a last line if nothing more can follow.
        match reading.finish(!follow, &mut take) {
            None => Stream::Ended,
            Some(said) => Stream::Broken(format!("the node says: {said}")),
        }
    }
}

fn silent() -> Stream {
    let seconds = LONGEST_SILENCE.as_secs();
    Stream::Broken(format!("the connection has been silent for {seconds} s"))
}

/// Waits for `work`; gives up once the container has ended and the connection is silent for too
/// long.
async fn unless_silent<T>(
    over: &mut watch::Receiver<bool>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let too_long = async {
        if over.wait_for(|over| *over).await.is_ok() {
            tokio::time::sleep(LONGEST_SILENCE).await;
        }
    };
    tokio::select! {
        biased;
        done = work => Some(done),
        () = too_long => None,
    }
}
