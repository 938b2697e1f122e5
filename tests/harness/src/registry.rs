//! Docker's registry with a password file.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use crate::programs::program;

/// The user of the registry.
pub const USER: &str = "ci";
/// The user's password.
pub const PASSWORD: &str = "correct-horse-battery";
/// The line of the password file: bcrypt, the only form that the registry reads.
const ENTRY: &str = "ci:$2y$05$abcdefghijklmnopqrstuuSnF5tLPqPFqc0z9CY0HcSLFbSRlL67u\n";
/// The words before the address in the log.
const LISTENS: &str = "listening on ";

/// A registry on a free port of loopback. Dropping it ends it.
#[derive(Debug)]
pub struct DockerRegistry {
    process: Child,
    _folder: tempfile::TempDir,
    /// The host with its port, as in the names of images.
    pub host: String,
}

impl DockerRegistry {
    /// Starts `docker-registry`; `None` if it is not installed, which is reported.
    ///
    /// # Panics
    /// In CI, if it is not installed; if it does not start.
    pub fn start() -> Option<Self> {
        let program = program("docker-registry")?;
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("htpasswd"), ENTRY).expect("written");
        let config = format!(
            "version: 0.1\nlog: {{ level: info }}\nhttp: {{ addr: '127.0.0.1:0', secret: tests }}\n\
             storage: {{ filesystem: {{ rootdirectory: '{}' }} }}\n\
             auth: {{ htpasswd: {{ realm: tests, path: '{}' }} }}\n",
            at("data").display(),
            at("htpasswd").display(),
        );
        std::fs::write(at("config.yml"), config).expect("written");
        let mut process = Command::new(program)
            .arg("serve")
            .arg(at("config.yml"))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry starts");
        let mut log = BufReader::new(process.stderr.take().expect("a pipe"));
        let mut line = String::new();
        let host = loop {
            line.clear();
            let length = log.read_line(&mut line).expect("a log");
            assert!(length > 0, "docker-registry ended at once");
            if let Some((_, rest)) = line.split_once(LISTENS) {
                let end = rest.find('"').expect("the end of a text");
                break rest[..end].to_owned();
            }
        };
        // The log is read to its end, or the registry would wait for it.
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = log.read_to_end(&mut rest);
        });
        Some(Self {
            process,
            _folder: folder,
            host,
        })
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
