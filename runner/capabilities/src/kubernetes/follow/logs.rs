//! One container's log, read to its end over however many connections it takes.
//!
//! A `follow` stream ends when the kubelet rotates the file, when a connection drops, and when the
//! container is over; it doesn't say which. So the reader goes on from its position until the
//! container is known to be over, and then reads once more without following: only that read's end
//! is the log's end.

use std::time::Duration;

use futures::{AsyncBufReadExt as _, pin_mut};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::LogParams;
use tokio::sync::watch;

use super::lines::{Lines, Piece};
use super::position::{Position, Resume};

/// The pause before the first try after one that brought nothing; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How many reads in a row may fail once the container is over: its node may be gone for good.
const TRIES_AFTER_END: u32 = 5;

/// Reads the log of one container of one pod.
pub(super) struct LogReader {
    pods: Api<Pod>,
    pod: String,
    container: String,
    position: Position,
    /// Bytes that were already handed on of the line after `position`.
    handed_on: usize,
}

/// How a log's reading ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LogEnd {
    /// It was read to its end.
    Whole,
    /// The rest can't be had: the pod or its node went away first. Says why.
    CutOff(String),
}

/// How one connection ended.
enum Stream {
    Ended { brought_lines: bool },
    NotFound(String),
    Broken(String),
}

impl LogReader {
    /// A reader that goes on after `position`.
    pub(super) fn new(pods: Api<Pod>, pod: String, container: String, position: Position) -> Self {
        Self {
            pods,
            pod,
            container,
            position,
            handed_on: 0,
        }
    }

    /// Reads until the container is over (as `over` tells) and nothing is left, handing on each
    /// piece with the position that holds once it is stored.
    pub(super) async fn read(
        mut self,
        mut over: watch::Receiver<bool>,
        mut take: impl FnMut(Piece, Position),
    ) -> LogEnd {
        let mut pause = FIRST_PAUSE;
        let mut failed = 0;
        loop {
            let was_over = *over.borrow_and_update();
            let why = match self.stream(!was_over, &mut take).await {
                Stream::Ended { .. } if was_over => return LogEnd::Whole,
                Stream::Ended { brought_lines } => {
                    if brought_lines {
                        pause = FIRST_PAUSE;
                    }
                    failed = 0;
                    None
                }
                Stream::NotFound(why) if was_over => return LogEnd::CutOff(why),
                Stream::NotFound(why) | Stream::Broken(why) => Some(why),
            };
            if let Some(why) = why {
                failed += 1;
                if was_over && failed >= TRIES_AFTER_END {
                    return LogEnd::CutOff(why);
                }
            }
            // Either the pause is over, or the container is, which makes another read worthwhile.
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                changed = over.changed(), if !was_over => if changed.is_err() {
                    return LogEnd::CutOff("nobody watches the pod any more".to_owned());
                },
            }
        }
    }

    async fn stream(&mut self, follow: bool, take: &mut impl FnMut(Piece, Position)) -> Stream {
        let parameters = LogParams {
            container: Some(self.container.clone()),
            follow,
            timestamps: true,
            since_time: self.position.since(),
            ..LogParams::default()
        };
        let stream = match self.pods.log_stream(&self.pod, &parameters).await {
            Ok(stream) => stream,
            Err(kube::Error::Api(status)) if status.code == 404 => {
                return Stream::NotFound(status.message.clone());
            }
            Err(error) => return Stream::Broken(error.to_string()),
        };
        pin_mut!(stream);
        let mut lines = Lines::default();
        let mut passage = Passage::new(self.position, self.handed_on);
        let mut brought_lines = false;
        let end = loop {
            let (length, pieces) = match stream.fill_buf().await {
                Ok([]) => break Stream::Ended { brought_lines },
                Ok(bytes) => (bytes.len(), lines.push(bytes)),
                Err(error) => break Stream::Broken(error.to_string()),
            };
            stream.consume_unpin(length);
            for piece in pieces {
                brought_lines |= self.hand_on(&mut passage, piece, take);
            }
        };
        // Without its line's end, a rest is a last line only where nothing more can come.
        if let (false, Stream::Ended { .. }) = (follow, &end)
            && let Some(rest) = lines.finish()
        {
            self.hand_on(&mut passage, rest, take);
        }
        self.handed_on = passage.under_way();
        end
    }

    fn hand_on(
        &mut self,
        passage: &mut Passage,
        piece: Piece,
        take: &mut impl FnMut(Piece, Position),
    ) -> bool {
        let Some(piece) = passage.pass(piece) else {
            return false;
        };
        if piece.last
            && let Some(stamp) = piece.stamp
        {
            self.position = self.position.after(stamp);
        }
        take(piece, self.position);
        true
    }
}

/// Which pieces of one connection are new.
struct Passage {
    resume: Resume,
    /// Bytes of the first new line that earlier connections brought already.
    before: usize,
    /// Whether the line under way is new, and how many of its bytes have come by.
    new: bool,
    passed: usize,
}

impl Passage {
    fn new(position: Position, handed_on: usize) -> Self {
        Self {
            resume: Resume::new(position),
            before: handed_on,
            new: false,
            passed: 0,
        }
    }

    fn pass(&mut self, mut piece: Piece) -> Option<Piece> {
        if piece.first {
            self.new = piece.stamp.is_none_or(|stamp| self.resume.is_new(stamp));
            self.passed = 0;
        }
        if !self.new {
            return None;
        }
        let known = self
            .before
            .saturating_sub(self.passed)
            .min(piece.bytes.len());
        self.passed += piece.bytes.len();
        piece.bytes.drain(..known);
        piece.first &= self.before == 0;
        if piece.last {
            self.before = 0;
            self.passed = 0;
            return Some(piece);
        }
        (!piece.bytes.is_empty()).then_some(piece)
    }

    /// How many bytes of an unfinished new line have been handed on by now, those of earlier
    /// connections included.
    fn under_way(&self) -> usize {
        if self.new {
            self.passed.max(self.before)
        } else {
            self.before
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(bytes: &str, first: bool, last: bool) -> Piece {
        let stamp = "2026-11-24T04:30:27.5Z".parse().ok();
        Piece {
            stamp,
            bytes: bytes.into(),
            first,
            last,
        }
    }

    #[test]
    fn a_line_that_a_lost_connection_cut_is_finished_not_repeated() {
        let mut before = Passage::new(Position::default(), 0);
        assert_eq!(
            before.pass(piece("abc", true, false)),
            Some(piece("abc", true, false))
        );
        assert_eq!(before.under_way(), 3);
        let mut after = Passage::new(Position::default(), before.under_way());
        assert_eq!(after.pass(piece("ab", true, false)), None);
        assert_eq!(
            after.under_way(),
            3,
            "still three, if this connection is lost as well"
        );
        assert_eq!(
            after.pass(piece("cdef", false, true)),
            Some(piece("def", false, true))
        );
        assert_eq!(
            after.pass(piece("next", true, true)),
            Some(piece("next", true, true))
        );
        assert_eq!(after.under_way(), 0);
    }
}
