//! Google's names, served by a test.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// The address in a cluster of our own.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 96, 0, 2));

/// The cluster has one such address, so one test at a time serves it.
static SERVED: Mutex<()> = Mutex::new(());

/// The address at which pods and the node of a cluster reach a server of this test, until this value
/// is dropped.
#[derive(Debug)]
pub struct GoogleNames {
    socket: PathBuf,
    configuration: PathBuf,
    /// The node's `/etc/hosts` as it was, if it was changed.
    hosts: Option<String>,
    _alone: MutexGuard<'static, ()>,
}

impl GoogleNames {
    /// Passes connections from port 443 of the address on to a server.
    pub(crate) fn serve(folder: &Path, server: SocketAddr) -> Self {
        let alone = SERVED.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = folder.join("google.socket");
        let listener = UnixListener::bind(&socket).expect("a socket for Google's names");
        thread::spawn(move || {
            for caller in listener.incoming().map_while(io::Result::ok) {
                let _ = pass(&caller, server);
            }
        });
        Self {
            socket,
            configuration: folder.join("configuration"),
            hosts: None,
            _alone: alone,
        }
    }

    /// Returns the address.
    pub fn address(&self) -> IpAddr {
        ADDRESS
    }

    /// Lets the node pull from registries of these names: it finds them at the address, and trusts
    /// their authority (PEM).
    pub fn for_the_node(&mut self, registries: &[String], authority: &str) {
        let certificate = self.registries().join("ca.crt");
        fs::write(&certificate, authority).expect("written");
        for name in registries {
            let folder = self.registries().join(name);
            fs::create_dir_all(&folder).expect("created");
            let text = format!(
                "server = \"https://{name}\"\n[host.\"https://{name}\"]\nca = \"{}\"\n",
                certificate.display()
            );
            fs::write(folder.join("hosts.toml"), text).expect("written");
        }
        let hosts = fs::read_to_string(self.hosts_file()).expect("a file of hosts");
        let line = format!("{hosts}\n{ADDRESS} {}\n", registries.join(" "));
        fs::write(self.hosts_file(), line).expect("written");
        self.hosts.get_or_insert(hosts);
    }

    fn registries(&self) -> PathBuf {
        self.configuration.join("registries")
    }

    fn hosts_file(&self) -> PathBuf {
        self.configuration.join("hosts")
    }
}

impl Drop for GoogleNames {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.socket);
        if let Some(hosts) = &self.hosts {
            let _ = fs::write(self.hosts_file(), hosts);
            let _ = fs::remove_dir_all(self.registries());
            let _ = fs::create_dir(self.registries());
        }
    }
}

/// Passes bytes both ways until both ends have finished.
fn pass(caller: &UnixStream, server: SocketAddr) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    let (mut from_caller, mut to_caller) = (caller.try_clone()?, caller.try_clone()?);
    let (mut from_server, mut to_server) = (server.try_clone()?, server);
    thread::spawn(move || {
        let _ = io::copy(&mut from_caller, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let _ = io::copy(&mut from_server, &mut to_caller);
        let _ = to_caller.shutdown(Shutdown::Write);
    });
    Ok(())
}
