//! Connections between a cluster and the machine.
//!
//! A socket in the file system crosses network namespaces. The machine reaches the API server on a
//! loopback port: the keeper passes connections from the port to a socket, and the node passes them
//! from the socket to the API server. Pods and the node reach a test that serves Google's names by a
//! second socket, which the test creates.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::Result;

/// The pause after a connection that could not be accepted: the next attempt may fail at once.
const PAUSE: Duration = Duration::from_millis(20);

/// Opens a loopback port for the socket's server, and returns its number.
pub(super) fn from_machine(socket: &Path) -> Result<u16> {
    from_address("127.0.0.1:0", socket)
}

/// Listens at an address for the socket's server, and returns the port. Callers are disconnected
/// while the socket has no server.
pub(super) fn from_address(address: &str, socket: &Path) -> Result<u16> {
    let error = |error| format!("cannot listen on {address}: {error}");
    let listener = TcpListener::bind(address).map_err(error)?;
    let port = listener.local_addr().map_err(error)?.port();
    let socket = socket.to_owned();
    thread::spawn(move || {
        each(listener.incoming(), |caller| {
            pass(caller, || UnixStream::connect(&socket));
        });
    });
    Ok(port)
}

/// Opens the socket for a server at an address.
pub(super) fn to_server(socket: &Path, address: &str) -> Result<()> {
    let listener = UnixListener::bind(socket)
        .map_err(|error| format!("cannot listen on {}: {error}", socket.display()))?;
    let address = address.to_owned();
    thread::spawn(move || {
        each(listener.incoming(), |caller| {
            pass(caller, || TcpStream::connect(&address));
        });
    });
    Ok(())
}

/// Calls `pass` with each connection. One that could not be accepted ends nothing: its caller may
/// have gone (`ECONNABORTED`), or this process has too many files (`EMFILE`) until others end.
fn each<C>(incoming: impl Iterator<Item = io::Result<C>>, mut pass: impl FnMut(C)) {
    for caller in incoming {
        match caller {
            Ok(caller) => pass(caller),
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

/// One end of a connection.
trait End: io::Read + io::Write + Sized + Send + 'static {
    fn again(&self) -> io::Result<Self>;
    fn finish(&self);
}

impl End for TcpStream {
    fn again(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn finish(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

impl End for UnixStream {
    fn again(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn finish(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

/// Passes bytes both ways until both ends have finished. A caller without a server is
/// disconnected.
fn pass<S: End>(caller: impl End, connect: impl FnOnce() -> io::Result<S>) {
    let Ok(server) = connect() else {
        return;
    };
    let (Ok(caller_again), Ok(server_again)) = (caller.again(), server.again()) else {
        return;
    };
    one_way(caller, server);
    one_way(server_again, caller_again);
}

fn one_way(mut from: impl End, mut to: impl End) {
    // Without a thread, both ends are closed.
    let _ = thread::Builder::new().spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        to.finish();
    });
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn a_refused_connection_does_not_close_the_port() {
        let refused = || Err(io::Error::from(io::ErrorKind::ConnectionAborted));
        let mut passed = Vec::new();
        let incoming = [refused(), Ok(1), refused(), refused(), Ok(2)];
        each(incoming.into_iter(), |caller| passed.push(caller));
        assert_eq!(passed, [1, 2]);
    }

    #[test]
    fn bytes_pass_both_ways_and_so_does_their_end() {
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = server.local_addr().expect("an address").to_string();
        let socket = std::env::temp_dir().join(format!("xtask-forward-{}", std::process::id()));
        let _ = std::fs::remove_file(&socket);
        to_server(&socket, &address).expect("a socket");
        let port = from_machine(&socket).expect("a port");

        let mut caller = TcpStream::connect(("127.0.0.1", port)).expect("connects");
        caller.write_all(b"question").expect("written");
        caller.finish();
        let (mut called, _) = server.accept().expect("a connection");
        let mut text = String::new();
        called
            .read_to_string(&mut text)
            .expect("its end comes through");
        assert_eq!(text, "question");
        called.write_all(b"answer").expect("written");
        drop(called);
        let mut text = String::new();
        caller
            .read_to_string(&mut text)
            .expect("its end comes through");
        assert_eq!(text, "answer");
        std::fs::remove_file(socket).expect("removed");
    }
}
