//! SIGINT, SIGTERM and SIGHUP: the first stops the run, the second ends the process.

use sidestep_engine::{Stop, StopReason};
use sidestep_events::Exit;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::output::note;
use crate::settings::OnTerminate;

/// Watches for signals until it is dropped.
#[derive(Debug)]
pub(crate) struct Signals(tokio::task::JoinHandle<()>);

impl Signals {
    /// Stops the run at the first signal. SIGINT always cancels: a person wants it to end.
    pub(crate) fn watch(stop: Stop, on_terminate: OnTerminate) -> std::io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        Ok(Self(tokio::spawn(async move {
            let exit = next(&mut interrupt, &mut terminate, &mut hangup).await;
            let detach = on_terminate == OnTerminate::Detach && exit != Exit::Interrupted;
            note(if detach {
                "Detaching: what runs outside is left as it is."
            } else {
                "Cancelling: cleaning up what was started. Once more ends it at once."
            });
            stop.stop(StopReason::Asked { exit, detach });
            let exit = next(&mut interrupt, &mut terminate, &mut hangup).await;
            note("Ended at once: what was started may still be there; `sidestep resume` finds it.");
            // Each record was written as it was made, so nothing is lost by ending here.
            std::process::exit(exit.code().into());
        })))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal, hangup: &mut Signal) -> Exit {
    tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
        _ = hangup.recv() => Exit::Hangup,
    }
}
