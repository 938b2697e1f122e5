//! An HTTP server on a socket that answers, and breaks off, as a test defines.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A complete request.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// The answer to a request.
pub(crate) enum Reply {
    /// A status, headers and a body.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// A body of which only the first bytes are sent before the connection is lost.
    Cut(Vec<(&'static str, String)>, Vec<u8>, usize),
    /// A body that starts, and continues after this delay, if ever.
    Stalled(Vec<(&'static str, String)>, Vec<u8>),
    /// A body without an end.
    Endless(Vec<(&'static str, String)>),
    /// The connection is reset without an answer.
    Reset,
    /// No answer is ever sent.
    Silence,
}

impl Reply {
    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Self {
        let kind = ("content-type", "application/json".to_owned());
        Self::Whole(status, vec![kind], value.to_string().into_bytes())
    }
}

/// A server that lives as long as the runtime.
pub(crate) struct Server {
    pub(crate) url: Url,
    /// The number of bytes sent in endless bodies.
    pub(crate) endless: Arc<AtomicU64>,
}

pub(crate) async fn serve(reply: impl Fn(Request) -> Reply + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let endless = Arc::new(AtomicU64::new(0));
    let reply = Arc::new(reply);
    let sent = Arc::clone(&endless);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (reply, sent) = (reply.clone(), sent.clone());
            tokio::spawn(async move {
                // These tests are about clients that disconnect.
                let _ = answer(stream, &*reply, &sent).await;
            });
        }
    });
    Server {
        url: format!("http://{address}").parse().expect("a URL"),
        endless,
    }
}

async fn answer(
    mut stream: TcpStream,
    reply: &(impl Fn(Request) -> Reply + ?Sized),
    sent: &AtomicU64,
) -> io::Result<()> {
    let request = read(&mut stream).await?;
    match reply(request) {
        Reply::Whole(status, headers, body) => {
            let length = ("content-length", body.len().to_string());
            head(&mut stream, status, &headers, &length).await?;
            stream.write_all(&body).await?;
            stream.shutdown().await
        }
        Reply::Cut(headers, body, after) => {
            let length = ("content-length", body.len().to_string());
            head(&mut stream, 200, &headers, &length).await?;
            stream.write_all(&body[..after]).await?;
            stream.shutdown().await
        }
        Reply::Stalled(headers, body) => {
            let length = ("content-length", (body.len() + 1).to_string());
            head(&mut stream, 200, &headers, &length).await?;
            stream.write_all(&body).await?;
            stream.read_u8().await.map(drop)
        }
        Reply::Endless(headers) => {
            let chunked = ("transfer-encoding", "chunked".to_owned());
            head(&mut stream, 200, &headers, &chunked).await?;
            let chunk = [b"10000\r\n".as_slice(), &vec![b'x'; 0x1_0000], b"\r\n"].concat();
            loop {
                stream.write_all(&chunk).await?;
                sent.fetch_add(0x1_0000, Ordering::Relaxed);
            }
        }
        Reply::Reset => stream.set_zero_linger(),
        Reply::Silence => stream.read_u8().await.map(drop),
    }
}

async fn head(
    stream: &mut TcpStream,
    status: u16,
    headers: &[(&'static str, String)],
    length: &(&'static str, String),
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Said\r\nconnection: close\r\n");
    for (name, value) in headers.iter().chain([length]) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await
}

async fn read(stream: &mut TcpStream) -> io::Result<Request> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        more(stream, &mut bytes).await?;
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().to_owned();
    let target = first.next().unwrap_or_default();
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    if headers.get("expect").is_some_and(|e| e == "100-continue") {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let mut body = bytes.split_off(head + 4);
    if let Some(length) = headers.get("content-length") {
        let length: usize = length.parse().map_err(io::Error::other)?;
        while body.len() < length {
            more(stream, &mut body).await?;
        }
    } else if headers.contains_key("transfer-encoding") {
        body = unchunked(stream, body).await?;
    }
    let url = Url::parse("http://server.example")
        .and_then(|base| base.join(target))
        .map_err(io::Error::other)?;
    Ok(Request {
        method,
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body,
    })
}

/// Reads a chunked body (RFC 9112, 7.1), of which some bytes have already been read.
async fn unchunked(stream: &mut TcpStream, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let end = loop {
            match bytes[at..].windows(2).position(|two| two == b"\r\n") {
                Some(end) => break at + end,
                None => more(stream, &mut bytes).await?,
            }
        };
        let size = std::str::from_utf8(&bytes[at..end]).map_err(io::Error::other)?;
        let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        while bytes.len() < end + 2 + size + 2 {
            more(stream, &mut bytes).await?;
        }
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        at = end + 2 + size + 2;
    }
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let count = stream.read(&mut buffer).await?;
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    bytes.extend_from_slice(&buffer[..count]);
    Ok(())
}
