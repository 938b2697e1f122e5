//! The start of a connection before the TLS handshake: nothing, or `CONNECT`.

use std::io;

use sidestep_sandbox_base::names::is_googles;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};

/// The first byte of a TLS record that begins a handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 0x16;
/// The maximum size of a request's head, in bytes.
const MOST: u64 = 16 * 1024;

/// Returns the connection once the client begins the handshake; `None` if it was rejected.
pub(super) async fn open<Io>(stream: Io) -> io::Result<Option<BufReader<Io>>>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = BufReader::new(stream);
    match stream.fill_buf().await?.first() {
        None => return Ok(None),
        Some(&HANDSHAKE) => return Ok(Some(stream)),
        Some(_) => {}
    }
    let answer = match target(&head(&mut stream).await?) {
        Ok(()) => {
            stream
                .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                .await?;
            return Ok(Some(stream));
        }
        Err(error) => error.text(),
    };
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(None)
}

/// Returns a request's first line; its header fields are not needed.
async fn head(stream: &mut BufReader<impl AsyncRead + Unpin>) -> io::Result<String> {
    let mut first = String::new();
    let mut rest = stream.take(MOST);
    rest.read_line(&mut first).await?;
    let mut line = String::new();
    while rest.read_line(&mut line).await? > 0 && line.trim_end() != "" {
        line.clear();
    }
    Ok(first)
}

/// The reason why a client is rejected.
#[derive(Debug, PartialEq, Eq)]
struct ProxyError {
    code: u16,
    why: String,
}

impl ProxyError {
    /// Returns the response. The reason is also in the first line, which is the part that most
    /// clients show.
    fn text(&self) -> String {
        let Self { code, why } = self;
        let length = why.len() + 1;
        format!(
            "HTTP/1.1 {code} {why}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{why}\n"
        )
    }
}

/// Checks that a request is for a tunnel to one of Google's names.
fn target(line: &str) -> Result<(), ProxyError> {
    let refuse = |code, why: String| Err(ProxyError { code, why });
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next());
    let Some(target) = target.filter(|_| method == "CONNECT") else {
        return refuse(
            400,
            "this port of the sandbox speaks TLS, and CONNECT as an HTTPS proxy".to_owned(),
        );
    };
    let printable: String = target.chars().filter(char::is_ascii_graphic).collect();
    match printable.rsplit_once(':') {
        Some((host, "443")) if is_googles(host) => Ok(()),
        _ => refuse(
            403,
            format!("the sandbox's proxy reaches only Google's hosts on port 443, not {printable}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn tunnels_lead_to_googles_names_only() {
        assert_eq!(
            target("CONNECT storage.googleapis.com:443 HTTP/1.1\r\n"),
            Ok(())
        );
        for (line, code) in [
            ("CONNECT example.com:443 HTTP/1.1\r\n", 403),
            ("CONNECT gcr.io:80 HTTP/1.1\r\n", 403),
            ("CONNECT gcr.io HTTP/1.1\r\n", 403),
            ("GET http://storage.googleapis.com/ HTTP/1.1\r\n", 400),
            ("\r\n", 400),
        ] {
            assert_eq!(target(line).unwrap_err().code, code, "{line}");
        }
        let refused = target("CONNECT example.com:443 HTTP/1.1\r\n").unwrap_err();
        assert!(
            refused
                .text()
                .starts_with("HTTP/1.1 403 the sandbox's proxy reaches")
        );
    }
}
