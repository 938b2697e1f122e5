use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use futures::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::mux::{self, MOST};
use crate::sources::SHARE;
use crate::{Mark, Peer, Relay, Secret, Service, Silence, Tunnels};

/// A ceiling for what takes milliseconds.
const LONG: Duration = Duration::from_mins(1);

/// The name of each relay's node.
const NODE: &str = "worker-1";

/// A relay of this process.
struct Node {
    control: SocketAddr,
    metadata: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<Result<(), Silence>>,
}

async fn loopback() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

async fn node(secret: &Secret, silence: Duration) -> Node {
    node_marked(secret, silence, Arc::new(|| async { None }.boxed())).await
}

async fn node_marked(secret: &Secret, silence: Duration, mark: Mark) -> Node {
    let (control_port, control) = loopback().await;
    let (metadata_port, metadata) = loopback().await;
    let servers = vec![(Service::Metadata, metadata_port)];
    let relay = Relay::new(
        secret.clone(),
        NODE.to_owned(),
        control_port,
        servers,
        silence,
        mark,
    );
    let stop = CancellationToken::new();
    let ended = tokio::spawn(relay.run(stop.clone()));
    Node {
        control,
        metadata,
        stop,
        ended,
    }
}

/// Serves what comes by the tunnels: `/` answers the caller's address, and `/echo` its body.
fn serve(secret: &Secret) -> Tunnels {
    let (tunnels, ends) = Tunnels::new(secret.clone());
    let router = Router::new()
        .route(
            "/",
            get(|ConnectInfo(peer): ConnectInfo<Peer>| async move {
                assert_eq!(&*peer.node, NODE);
                peer.address.to_string()
            }),
        )
        .route("/echo", post(|body: String| async move { body }));
    let service = router.into_make_service_with_connect_info::<Peer>();
    tokio::spawn(async move { axum::serve(ends.metadata, service).await });
    tunnels
}

async fn open(tunnels: &Tunnels, node: &Node) -> JoinHandle<()> {
    let stream = TcpStream::connect(node.control).await.expect("the relay");
    let moved = tunnels.open(stream, NODE).await.expect("a tunnel");
    tokio::spawn(moved)
}

/// Makes a request as a pod does. Returns the address that it came from, and the answer's body.
async fn ask(node: &Node, request: String) -> (SocketAddr, String) {
    let mut stream = TcpStream::connect(node.metadata)
        .await
        .expect("a connection");
    let own = stream.local_addr().expect("an address");
    let asked = async {
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = tokio::time::timeout(LONG, asked)
        .await
        .expect("in time")
        .expect("an answer");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (own, body.to_owned())
}

async fn ask_who(node: &Node) -> (SocketAddr, String) {
    ask(
        node,
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
    )
    .await
}

#[tokio::test]
async fn the_server_sees_the_address_of_the_pod() {
    let secret = Secret::random();
    let (node, tunnels) = (node(&secret, LONG).await, serve(&secret));
    // The request comes first, and waits for the tunnel.
    let (asked, _tunnel) = tokio::join!(ask_who(&node), open(&tunnels, &node));
    assert_eq!(asked.1, asked.0.to_string());
    node.stop.cancel();
    assert_eq!(node.ended.await.expect("no panic"), Ok(()));
}

#[tokio::test]
async fn connections_of_one_tunnel_do_not_mix() {
    let secret = Secret::random();
    let (node, tunnels) = (node(&secret, LONG).await, serve(&secret));
    let _tunnel = open(&tunnels, &node).await;
    let asked = (0..100).map(|number| {
        let body = format!("{number:03}").repeat(100_000);
        let node = &node;
        async move {
            let length = body.len();
            let request = format!(
                "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            assert!(ask(node, request).await.1 == body, "{number}");
        }
    });
    futures::future::join_all(asked).await;
}

/// Opens connections of one pod that say nothing.
async fn idle(node: &Node, pod: u8, number: usize) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for _ in 0..number {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind(([127, 0, 1, pod], 0).into())
            .expect("an address of the loopback network");
        open.push(socket.connect(node.metadata).await.expect("accepted"));
    }
    open
}

#[tokio::test]
async fn connections_that_say_nothing_keep_no_other_one_waiting() {
    let secret = Secret::random();
    let (node, tunnels) = (node(&secret, LONG).await, serve(&secret));
    let _tunnel = open(&tunnels, &node).await;
    // More than the protocol opens without an acknowledgement (256), of some pods.
    let mut silent = Vec::new();
    for pod in 1..=3 {
        silent.extend(idle(&node, pod, 100).await);
    }
    let (own, seen) = ask_who(&node).await;
    assert_eq!(seen, own.to_string());
}

#[tokio::test]
async fn one_pod_leaves_room_for_the_others() {
    let secret = Secret::random();
    let (node, tunnels) = (node(&secret, LONG).await, serve(&secret));
    let _tunnel = open(&tunnels, &node).await;
    let mut silent = idle(&node, 1, SHARE + 50).await;
    let (own, seen) = ask_who(&node).await;
    assert_eq!(seen, own.to_string());
    // Those beyond its share have ended.
    let mut last = silent.pop().expect("it is there");
    let ended = tokio::time::timeout(LONG, last.read_u8()).await;
    ended.expect("in time").expect_err("it is closed");
}

#[tokio::test]
async fn a_full_tunnel_carries_a_beat_too() {
    let (here, there) = tokio::io::duplex(1 << 20);
    let (opener, moved) = mux::opening(here);
    let moved = tokio::spawn(moved);
    let (taken, mut streams) = tokio::sync::mpsc::unbounded_channel();
    let accepted = tokio::spawn(mux::accepting(there, move |mut stream| {
        let taken = taken.clone();
        tokio::spawn(async move {
            stream.write_u8(1).await.expect("sent");
            stream.flush().await.expect("sent");
            taken.send(stream).expect("a test");
        });
    }));
    let mut open = Vec::new();
    for _ in 0..=MOST {
        let mut stream = opener.open().await.expect("a connection");
        stream.write_u8(1).await.expect("sent");
        stream.flush().await.expect("sent");
        stream.read_u8().await.expect("acknowledged");
        open.push(stream);
        streams.recv().await.expect("the other end");
    }
    assert!(!moved.is_finished() && !accepted.is_finished());
}

#[tokio::test]
async fn a_new_tunnel_takes_the_place_of_a_lost_one() {
    let secret = Secret::random();
    let (node, tunnels) = (node(&secret, LONG).await, serve(&secret));
    for _ in 0..3 {
        let tunnel = open(&tunnels, &node).await;
        let (own, seen) = ask_who(&node).await;
        assert_eq!(seen, own.to_string());
        tunnel.abort();
    }
    // The latest is used, also if the one before has not ended.
    let first = open(&tunnels, &node).await;
    let _second = open(&tunnels, &node).await;
    first.await.expect("the relay ends it");
    let (own, seen) = ask_who(&node).await;
    assert_eq!(seen, own.to_string());
}

#[tokio::test]
async fn a_stranger_opens_no_tunnel() {
    let secret = Secret::random();
    let (node, tunnels) = (node(&secret, LONG).await, serve(&secret));
    let _tunnel = open(&tunnels, &node).await;
    let strange = serve(&Secret::random());
    let stream = TcpStream::connect(node.control).await.expect("the relay");
    let Err(refused) = strange.open(stream, NODE).await else {
        panic!("a stranger has a tunnel");
    };
    assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
    let (own, seen) = ask_who(&node).await;
    assert_eq!(seen, own.to_string());
}

#[tokio::test]
async fn a_relay_without_a_sandbox_ends() {
    let secret = Secret::random();
    let silence = Duration::from_millis(300);
    let (node, tunnels) = (node(&secret, silence).await, serve(&secret));
    let mut tunnel = open(&tunnels, &node).await;
    tokio::time::timeout(2 * silence, &mut tunnel)
        .await
        .expect_err("the tunnel is kept open");
    assert!(!node.ended.is_finished(), "it has a tunnel");
    let Node { ended, control, .. } = node;
    tunnel.abort();
    let ended = tokio::time::timeout(LONG, ended).await.expect("it ends");
    assert_eq!(ended.expect("no panic"), Err(Silence));
    assert!(TcpStream::connect(control).await.is_err());
}

#[tokio::test]
async fn a_relay_without_a_tunnel_leaves_a_live_sandbox_s_objects() {
    let (asked, times) = (Arc::new(AtomicU32::new(0)), 6);
    // It changes at each of the first questions, and then no more.
    let count = Arc::clone(&asked);
    let mark: Mark = Arc::new(move || {
        let number = count.fetch_add(1, Ordering::Relaxed).min(times);
        async move { Some(number.to_string()) }.boxed()
    });
    let node = node_marked(&Secret::random(), Duration::from_millis(50), mark).await;
    let ended = tokio::time::timeout(LONG, node.ended).await;
    assert_eq!(ended.expect("it ends").expect("no panic"), Err(Silence));
    assert!(asked.load(Ordering::Relaxed) > times);
}
