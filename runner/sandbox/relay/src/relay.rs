//! The relay of a node.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::greeting::{self, Secret};
use crate::mux::{self, Opener};
use crate::origin::{Opening, Origin, Service};

/// The time that a pod's connection waits for a tunnel.
const PATIENCE: Duration = Duration::from_secs(10);
/// The timeout for the start of a tunnel.
const GREETING: Duration = Duration::from_secs(10);
/// The maximum number of connections at once: as many as a tunnel carries.
const MOST: usize = 512;
/// The pause between two beats of a tunnel.
pub(crate) const BEAT: Duration = Duration::from_secs(10);
/// The pause after a connection that could not be accepted: the next attempt may fail at once.
const PAUSE: Duration = Duration::from_millis(20);

/// The end of a relay: it had no tunnel for longer than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence;

/// The relay of a node: accepts the connections of its pods, and a tunnel of the sandbox.
#[derive(Debug)]
pub struct Relay {
    secret: Secret,
    control: TcpListener,
    servers: Vec<(Service, TcpListener)>,
    silence: Duration,
}

impl Relay {
    /// Creates a relay that accepts tunnels on `control`, and connections of pods on `servers`. It
    /// ends without a tunnel for `silence`.
    pub fn new(
        secret: Secret,
        control: TcpListener,
        servers: Vec<(Service, TcpListener)>,
        silence: Duration,
    ) -> Self {
        Self {
            secret,
            control,
            servers,
            silence,
        }
    }

    /// Works until it is stopped.
    ///
    /// # Errors
    /// [`Silence`] if no sandbox came for too long.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Silence> {
        let (current, tunnel) = watch::channel(None);
        let room = Arc::new(Semaphore::new(MOST));
        // All end with this function.
        let mut tasks = JoinSet::new();
        for (service, listener) in self.servers {
            tasks.spawn(serve(service, listener, tunnel.clone(), Arc::clone(&room)));
        }
        tasks.spawn(control(self.control, self.secret, current));
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            () = silent(tunnel, self.silence) => Err(Silence),
        }
    }
}

/// Ends when there was no tunnel for so long.
async fn silent(mut tunnel: watch::Receiver<Option<Opener>>, most: Duration) {
    loop {
        let opened = tunnel.wait_for(Option::is_some);
        if !matches!(tokio::time::timeout(most, opened).await, Ok(Ok(_))) {
            return;
        }
        if tunnel.wait_for(Option::is_none).await.is_err() {
            return;
        }
    }
}

/// Accepts tunnels. The latest one is used: the sandbox opens another when it has lost one.
async fn control(listener: TcpListener, secret: Secret, current: watch::Sender<Option<Opener>>) {
    let current = Arc::new(current);
    let mut tunnels = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        while tunnels.try_join_next().is_some() {}
        tunnels.spawn(tunnel(stream, secret.clone(), Arc::clone(&current)));
    }
}

/// Serves one tunnel.
async fn tunnel(
    mut stream: TcpStream,
    secret: Secret,
    current: Arc<watch::Sender<Option<Opener>>>,
) {
    let greeted = tokio::time::timeout(GREETING, greeting::ask(&mut stream, &secret)).await;
    if !matches!(greeted, Ok(Ok(true))) {
        tracing::warn!("a process without the secret of this relay tried to open a tunnel");
        return;
    }
    let (opener, moved) = mux::opening(stream);
    let mut seen = current.subscribe();
    current.send_replace(Some(opener.clone()));
    let is_this = |now: &Option<Opener>| now.as_ref().is_some_and(|now| now.is(&opener));
    tokio::select! {
        () = moved => {}
        () = beat(&opener) => {}
        // A connection that broke silently is noticed late, and the sandbox has a new one by then.
        _ = seen.wait_for(|now| !is_this(now)) => {}
    }
    current.send_if_modified(|now| {
        let ended = is_this(now);
        if ended {
            *now = None;
        }
        ended
    });
}

/// Shows the sandbox that the tunnel works, until it does not.
async fn beat(opener: &Opener) {
    loop {
        tokio::time::sleep(BEAT).await;
        let Some(mut stream) = opener.open().await else {
            return;
        };
        if stream.write_all(&Opening::Beat.encode()).await.is_err() {
            return;
        }
    }
}

/// Accepts the connections of pods to one server.
async fn serve(
    service: Service,
    listener: TcpListener,
    tunnel: watch::Receiver<Option<Opener>>,
    room: Arc<Semaphore>,
) {
    let mut connections = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let Ok((stream, source)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let tunnel = tunnel.clone();
        connections.spawn(async move {
            if let Err(error) = pass(stream, Origin { service, source }, tunnel).await {
                tracing::debug!(%error, %source, "a connection ended");
            }
            drop(place);
        });
    }
}

/// Passes one connection on. Without a tunnel, the pod's client sees that the connection ends.
async fn pass(
    mut stream: TcpStream,
    origin: Origin,
    mut tunnel: watch::Receiver<Option<Opener>>,
) -> io::Result<()> {
    let opened = async {
        loop {
            let opener = match tunnel.wait_for(Option::is_some).await {
                Ok(current) => current.clone(),
                Err(_) => return None,
            };
            if let Some(opener) = opener
                && let Some(opened) = opener.open().await
            {
                return Some(opened);
            }
            // The tunnel has just ended.
            tunnel.changed().await.ok()?;
        }
    };
    let opened = tokio::time::timeout(PATIENCE, opened).await;
    let Ok(Some(mut relayed)) = opened else {
        return Err(io::ErrorKind::NotConnected.into());
    };
    relayed.write_all(&Opening::Pod(origin).encode()).await?;
    copy_bidirectional(&mut stream, &mut relayed).await?;
    Ok(())
}
