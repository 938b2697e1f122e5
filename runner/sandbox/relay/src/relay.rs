//! The relay of a node.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::greeting::{self, Secret};
use crate::mux::{self, MOST, Opener, Stream};
use crate::origin::{Opening, Origin, Service};
use crate::sources::Sources;

/// The time that a pod's connection waits for a tunnel.
const PATIENCE: Duration = Duration::from_secs(10);
/// The timeout for the start of a tunnel.
const GREETING: Duration = Duration::from_secs(10);
/// The pause between two beats of a tunnel.
pub(crate) const BEAT: Duration = Duration::from_secs(10);
/// The pause after a connection that could not be accepted: the next attempt may fail at once.
const PAUSE: Duration = Duration::from_millis(20);

/// Returns what a live sandbox changes from time to time, also without a tunnel to this relay.
pub type Mark = Arc<dyn Fn() -> BoxFuture<'static, Option<String>> + Send + Sync>;

/// The end of a relay: it had no tunnel for longer than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence;

/// The relay of a node: accepts the connections of its pods, and a tunnel of the sandbox.
pub struct Relay {
    secret: Secret,
    node: String,
    control: TcpListener,
    servers: Vec<(Service, TcpListener)>,
    silence: Duration,
    mark: Mark,
}

impl Relay {
    /// Creates the relay of a node, which accepts tunnels on `control`, and connections of pods on
    /// `servers`. It ends without a tunnel for `silence`, if the mark did not change in that time.
    pub fn new(
        secret: Secret,
        node: String,
        control: TcpListener,
        servers: Vec<(Service, TcpListener)>,
        silence: Duration,
        mark: Mark,
    ) -> Self {
        Self {
            secret,
            node,
            control,
            servers,
            silence,
            mark,
        }
    }

    /// Works until it is stopped.
    ///
    /// # Errors
    /// [`Silence`] if no sandbox came for too long.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Silence> {
        let (current, tunnel) = watch::channel(None);
        let room = Arc::new(Semaphore::new(MOST));
        let sources = Sources::default();
        // All end with this function.
        let mut tasks = JoinSet::new();
        for (service, listener) in self.servers {
            let pods = Pods {
                tunnel: tunnel.clone(),
                room: Arc::clone(&room),
                sources: sources.clone(),
            };
            tasks.spawn(pods.serve(service, listener));
        }
        let greeter = Greeter {
            secret: self.secret,
            node: self.node,
            current,
        };
        tasks.spawn(control(self.control, Arc::new(greeter)));
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            () = silent(tunnel, self.silence, self.mark) => Err(Silence),
        }
    }
}

/// Ends when there was no tunnel for so long, and no other sign of a sandbox.
async fn silent(mut tunnel: watch::Receiver<Option<Opener>>, most: Duration, mark: Mark) {
    loop {
        let before = mark().await;
        let opened = tunnel.wait_for(Option::is_some);
        if !matches!(tokio::time::timeout(most, opened).await, Ok(Ok(_))) {
            let now = mark().await;
            if now.is_none() || now == before {
                return;
            }
            tracing::warn!("the sandbox works, and has no tunnel to this node");
            continue;
        }
        if tunnel.wait_for(Option::is_none).await.is_err() {
            return;
        }
    }
}

/// Takes tunnels of the sandbox only.
struct Greeter {
    secret: Secret,
    node: String,
    current: watch::Sender<Option<Opener>>,
}

/// Accepts tunnels. The latest one is used: the sandbox opens another when it has lost one.
async fn control(listener: TcpListener, greeter: Arc<Greeter>) {
    let mut tunnels = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        while tunnels.try_join_next().is_some() {}
        tunnels.spawn(tunnel(stream, Arc::clone(&greeter)));
    }
}

/// Serves one tunnel.
async fn tunnel(mut stream: TcpStream, greeter: Arc<Greeter>) {
    let current = &greeter.current;
    let met = greeting::meet_sandbox(&mut stream, &greeter.secret, &greeter.node);
    let greeted = tokio::time::timeout(GREETING, met).await;
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

/// The connections of pods.
struct Pods {
    tunnel: watch::Receiver<Option<Opener>>,
    room: Arc<Semaphore>,
    sources: Sources,
}

impl Pods {
    /// Accepts the connections to one server.
    async fn serve(self, service: Service, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let Ok(place) = Arc::clone(&self.room).acquire_owned().await else {
                return;
            };
            let Ok((stream, source)) = listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            while connections.try_join_next().is_some() {}
            let Some(share) = self.sources.share_of(source.ip()) else {
                tracing::debug!(%source, "too many connections of one address");
                continue;
            };
            let tunnel = self.tunnel.clone();
            connections.spawn(async move {
                if let Err(error) = pass(stream, Origin { service, source }, tunnel).await {
                    tracing::debug!(%error, %source, "a connection ended");
                }
                drop((place, share));
            });
        }
    }
}

/// Passes one connection on. Without a tunnel, the pod's client sees that the connection ends.
async fn pass(
    mut stream: TcpStream,
    origin: Origin,
    tunnel: watch::Receiver<Option<Opener>>,
) -> io::Result<()> {
    let accepted = tokio::time::timeout(PATIENCE, accepted(origin, tunnel)).await;
    let mut relayed = accepted.map_err(|_| io::ErrorKind::TimedOut)??;
    copy_bidirectional(&mut stream, &mut relayed).await?;
    Ok(())
}

/// Opens a connection in the tunnel, once there is one, and waits until the sandbox has it.
async fn accepted(
    origin: Origin,
    mut tunnel: watch::Receiver<Option<Opener>>,
) -> io::Result<Stream> {
    let ended = |_| io::Error::from(io::ErrorKind::NotConnected);
    loop {
        let current = tunnel.wait_for(Option::is_some).await;
        let opener = current.map(|current| current.clone()).map_err(ended)?;
        if let Some(opener) = opener
            && let Some(mut opened) = opener.open().await
        {
            opened.write_all(&Opening::Pod(origin).encode()).await?;
            opened.flush().await?;
            // A tunnel opens no more once many connections are not acknowledged, and a server may
            // wait for the request before it writes anything.
            opened.read_u8().await?;
            return Ok(opened);
        }
        // The tunnel has just ended.
        tunnel.changed().await.map_err(ended)?;
    }
}
