//! The files of the images.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sidestep_sandbox_tls::trust;

use crate::error::ImageError;
use crate::folders;
use crate::libraries;
use crate::object::{Machine, Object};

/// The path of the program in the images.
pub(crate) const PROGRAM: &str = "/usr/local/bin/sidestep";
/// The home folder of the user that the images run as.
pub(crate) const HOME: &str = "/root";

/// Folders for everybody: temporary files, and kaniko's. A pod may run as any user.
const SHARED: [&str; 3] = ["/kaniko", "/tmp", "/workspace"];

/// The file in which most clients find the public roots: that of OpenSSL on Debian.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Small files.
const FILES: [(&str, &str); 3] = [
    (
        "/etc/passwd",
        "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65534:65534:nonroot:/:/sbin/nologin\n",
    ),
    ("/etc/group", "root:x:0:\nnogroup:x:65534:\n"),
    // Without it, old C libraries ask for host names in another order.
    ("/etc/nsswitch.conf", "hosts: files dns\n"),
];

/// A file of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Folder,
    Text(String),
    /// A file of this machine.
    File(PathBuf),
    /// The loaded part of a program of this machine, and its size in bytes.
    Program(PathBuf, u64),
}

/// A file of an image, with its permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) mode: u32,
    pub(crate) content: Content,
}

/// The files of an image by their paths, each after its folder.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) machine: Machine,
    pub(crate) entries: BTreeMap<PathBuf, Entry>,
}

impl Root {
    /// Returns the files of an image of a program.
    pub(crate) fn of(program: &Path) -> Result<Self, ImageError> {
        let object = Object::read(program)?;
        let libraries = libraries::find(program, &object, &folders::of_loader(object.machine))?;
        let mut root = Self {
            machine: object.machine,
            entries: BTreeMap::new(),
        };
        // Readable by every user: a pod that runs as another one finds no file there, and no error.
        root.put(HOME, 0o755, Content::Folder);
        for folder in SHARED {
            root.put(folder, 0o1777, Content::Folder);
        }
        for (path, text) in FILES {
            root.put(path, 0o644, Content::Text(text.to_owned()));
        }
        root.put(CERTIFICATES, 0o644, Content::Text(trust::public_roots()));
        root.put(
            PROGRAM,
            0o755,
            Content::Program(program.to_owned(), object.loaded),
        );
        for (path, file) in libraries {
            root.put(path, 0o755, Content::File(file));
        }
        Ok(root)
    }

    fn put(&mut self, path: impl Into<PathBuf>, mode: u32, content: Content) {
        let path = path.into();
        for folder in path
            .ancestors()
            .skip(1)
            .filter(|folder| folder.parent().is_some())
        {
            let folder = self.entries.entry(folder.to_owned());
            folder.or_insert(Entry {
                mode: 0o755,
                content: Content::Folder,
            });
        }
        self.entries.insert(path, Entry { mode, content });
    }
}
