//! SIGINT, SIGTERM and SIGHUP: the first stops the run, the second ends the process. SIGXFSZ: a
//! write that fails.

use sidestep_engine::{Stop, StopReason};
use sidestep_events::Exit;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::output::{note_apart, note_shortly};
use crate::settings::OnTerminate;

/// Watches for signals until it is dropped.
#[derive(Debug)]
pub(crate) struct Signals(tokio::task::JoinHandle<()>);

/// The three signals that ask a process to end.
struct Ends {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// Stops the run at the first signal. SIGINT always cancels: a person wants it to end.
    pub(crate) fn watch(stop: Stop, on_terminate: OnTerminate) -> std::io::Result<Self> {
        // A limit on the size of files is met as a full disk is, by the write that it refuses; by
        // default it would end the process, and leave the pod. Once heard, it never does.
        let file_size = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        drop(signal(file_size)?);
        let mut ends = Ends::watch()?;
        Ok(Self(tokio::spawn(async move {
            let exit = ends.next().await;
            let detach = on_terminate == OnTerminate::Detach && exit != Exit::Interrupted;
            stop.stop(StopReason::Asked { exit, detach });
            // A terminal that takes nothing must not keep the run from ending.
            note_apart(if detach {
                "Detaching: what runs outside is left as it is."
            } else {
                "Cancelling: cleaning up what was started. Once more ends it at once."
            });
            let exit = ends.next().await;
            note_shortly(
                "Ended at once: what was started may still be there; `sidestep resume` finds it.",
            );
            // Each record was written as it was made, so nothing is lost by ending here.
            std::process::exit(exit.code().into());
        })))
    }

    /// The run is over, and only what it said is still being shown: waits for a signal that ends
    /// that too.
    pub(crate) async fn next_after_the_end(self) -> Exit {
        drop(self);
        match Ends::watch() {
            Ok(mut ends) => ends.next().await,
            // They could be watched before, so this does not happen; then nothing ends it early.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Ends {
    fn watch() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
            _ = self.hangup.recv() => Exit::Hangup,
        }
    }
}
