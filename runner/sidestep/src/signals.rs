//! Handles signals: SIGINT, SIGTERM and SIGHUP stop a run, and SIGXFSZ makes a write fail.

mod inherited;
mod rule;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use sidestep_engine::{Stop, StopReason};
use sidestep_events::Exit;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::output::{note_apart, note_shortly};
use crate::settings::OnTerminate;

pub(crate) use inherited::Inherited;
use rule::{Act, Rule};

/// Makes a write beyond the file size limit fail, as on a full disk. By default, SIGXFSZ would end
/// the process and leave the pod behind. Child processes get the default again.
pub(crate) fn survive_file_size_limit() -> std::io::Result<()> {
    let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // The handler stays after the runtime that set it is dropped.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let _inside = runtime.enter();
    signal(kind).map(drop)
}

/// Watches for signals until it is dropped.
#[derive(Debug)]
pub(crate) struct Signals {
    task: tokio::task::JoinHandle<()>,
    /// Whether the run is over, and only its output is still being shown.
    over: Arc<AtomicBool>,
    ends: mpsc::UnboundedReceiver<Exit>,
}

/// Receives the signals that ask a process to end, except those that it was started to ignore.
pub(crate) struct Ends {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
    hangup: Option<Signal>,
}

impl Signals {
    /// Stops the run at the first signal. SIGINT always cancels, since it comes from a person at a
    /// terminal.
    pub(crate) fn watch(
        stop: Stop,
        on_terminate: OnTerminate,
        inherited: Inherited,
    ) -> std::io::Result<Self> {
        let mut ends = Ends::watch(inherited)?;
        let over = Arc::new(AtomicBool::new(false));
        let (send, receive) = mpsc::unbounded_channel();
        let is_over = Arc::clone(&over);
        let task = tokio::spawn(async move {
            let mut rule = Rule::default();
            loop {
                let exit = ends.next().await;
                match rule.take(exit, Instant::now()) {
                    Act::Nothing => {}
                    Act::Stop | Act::Force if is_over.load(Ordering::Acquire) => {
                        let _ = send.send(exit);
                    }
                    Act::Stop => {
                        let detach =
                            on_terminate == OnTerminate::Detach && exit != Exit::Interrupted;
                        stop.stop(StopReason::Asked { exit, detach });
                        // A blocked terminal must not prevent the run from ending.
                        note_apart(match (detach, exit) {
                            (true, _) => {
                                "Detaching: pods and other objects of the run are not removed; `sidestep resume` continues the run."
                            }
                            (false, Exit::Interrupted) => {
                                "Cancelling and cleaning up. Press Ctrl-C again to exit immediately."
                            }
                            (false, _) => "Cancelling and cleaning up.",
                        });
                    }
                    Act::Force => {
                        note_shortly(
                            "Exited without cleaning up: pods and other objects of the run may still exist; `sidestep resume` finds them.",
                        );
                        crate::log::finish();
                        // Each record was written at once, so nothing is lost by exiting here.
                        std::process::exit(exit.code().into());
                    }
                }
            }
        });
        Ok(Self {
            task,
            over,
            ends: receive,
        })
    }

    /// Waits for a signal that ends the output after the run is over. That is any signal, or, if a
    /// signal stopped the run, one that forces the end.
    pub(crate) async fn next_after_the_end(mut self) -> Exit {
        self.over.store(true, Ordering::Release);
        match self.ends.recv().await {
            Some(exit) => exit,
            // The task ends only by sending this value.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Ends {
    /// Starts to receive signals. No handler is set for a signal that the process was started to
    /// ignore, so that child processes ignore it too.
    pub(crate) fn watch(inherited: Inherited) -> std::io::Result<Self> {
        let heard = |kind: SignalKind| {
            let ignored = inherited.ignores(kind.as_raw_value());
            (!ignored).then(|| signal(kind)).transpose()
        };
        Ok(Self {
            interrupt: heard(SignalKind::interrupt())?,
            terminate: heard(SignalKind::terminate())?,
            hangup: heard(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) -> Exit {
        tokio::select! {
            () = next(self.interrupt.as_mut()) => Exit::Interrupted,
            () = next(self.terminate.as_mut()) => Exit::Terminated,
            () = next(self.hangup.as_mut()) => Exit::Hangup,
        }
    }
}

async fn next(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
