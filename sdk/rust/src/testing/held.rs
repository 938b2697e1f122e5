//! The handles of a test. Unlike those of the runner, their contents can be read.

use std::cell::RefCell;
use std::fmt;

use super::runtime;
use super::state::Bytes;
use crate::Result;
use crate::bindings::sidestep::host::types::{Failure, Update};

/// The most times that a followed object may have nothing to report, one after another. A plugin
/// that still waits would do so for ever.
const SILENT: u32 = 10_000;

/// A sequence of bytes that the host holds. A plugin can pass it on and read facts about it, but
/// never sees the bytes.
pub struct Blob {
    bytes: Vec<u8>,
    digest: Option<String>,
    size: Option<u64>,
}

/// A secret that the host holds, and masks wherever text leaves the run. It has no functions: a
/// plugin can only use it in place of a value.
pub struct Secret {
    text: String,
}

type Next = Box<dyn FnMut(u64) -> Result<Option<Update>>>;

/// An external object that the host watches for the plugin.
pub struct Follow {
    next: RefCell<Next>,
    log: String,
    /// How often there was nothing to report.
    silent: RefCell<u32>,
}

impl Blob {
    /// Returns the digest, if it is known without reading the bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// let archive = sidestep::testing::blob("content");
    /// assert_eq!(archive.digest(), None);
    /// ```
    pub fn digest(&self) -> Option<String> {
        self.digest.clone()
    }

    /// Returns the number of bytes, if it is known without reading them.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(sidestep::testing::blob("content").size(), Some(7));
    /// ```
    pub fn size(&self) -> Option<u64> {
        self.size
    }
}

impl Follow {
    /// Returns the next update, or none if none arrives within `timeout` milliseconds.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::kubernetes::Update;
    /// use sidestep::testing::follow;
    ///
    /// let followed = follow([Update::Status("{}".to_owned())], "");
    /// assert!(matches!(followed.next(1000), Ok(Some(Update::Status(_)))));
    /// ```
    pub fn next(&self, timeout: u64) -> Result<Option<Update>, Failure> {
        if runtime::is_cancelled() {
            runtime::sleep(0)?;
        }
        let next = (self.next.borrow_mut())(timeout)?;
        let mut silent = self.silent.borrow_mut();
        if next.is_some() {
            *silent = 0;
            return Ok(next);
        }
        *silent += 1;
        assert!(
            *silent < SILENT,
            "the step waits for ever: the test's updates end without `Update::Ended`"
        );
        runtime::sleep(timeout)?;
        Ok(None)
    }

    /// Returns the last bytes of a container's log, cut at a line.
    ///
    /// # Examples
    ///
    /// ```
    /// let followed = sidestep::testing::follow([], "first\nsecond\n");
    /// assert_eq!(followed.tail("main", 8).expect("its log"), "second\n");
    /// ```
    pub fn tail(&self, _container: &str, max: u32) -> Result<String, Failure> {
        let mut start = self.log.len().saturating_sub(max as usize);
        if start > 0 {
            let line = self.log.as_bytes()[start - 1..].iter();
            let end = line.take_while(|byte| **byte != b'\n').count();
            start = (start + end).min(self.log.len());
        }
        Ok(self.log[start..].to_owned())
    }
}

/// Returns a blob with these bytes, whose size is known and whose digest is not.
///
/// # Examples
///
/// ```
/// use sidestep::testing::{blob, bytes};
///
/// let archive = blob("content");
/// assert_eq!((archive.size(), bytes(&archive)), (Some(7), &b"content"[..]));
/// ```
pub fn blob(bytes: impl Into<Vec<u8>>) -> Blob {
    let bytes = bytes.into();
    Blob {
        size: Some(bytes.len() as u64),
        digest: None,
        bytes,
    }
}

/// Returns a blob without bytes, of which these facts are known.
///
/// # Examples
///
/// ```
/// let archive = sidestep::testing::blob_of(Some("sha256:0123"), None);
/// assert_eq!(archive.digest().as_deref(), Some("sha256:0123"));
/// ```
pub fn blob_of(digest: Option<&str>, size: Option<u64>) -> Blob {
    Blob {
        bytes: Vec::new(),
        digest: digest.map(str::to_owned),
        size,
    }
}

/// Returns the bytes of a blob.
///
/// # Examples
///
/// ```
/// use sidestep::testing::{blob, bytes};
///
/// assert_eq!(bytes(&blob("content")), b"content");
/// ```
pub fn bytes(blob: &Blob) -> &[u8] {
    &blob.bytes
}

/// Returns a secret with this text.
///
/// # Examples
///
/// ```
/// use sidestep::testing::{Host, secret, text};
///
/// let host = Host::new();
/// host.secrets().get(|name| Ok(secret(format!("value of {name}"))));
/// let token = host.step(|_| sidestep::secrets::get("token"))?;
/// assert_eq!(text(&token), "value of token");
/// # Ok::<(), sidestep::Error>(())
/// ```
pub fn secret(text: impl Into<String>) -> Secret {
    Secret { text: text.into() }
}

/// Returns the text of a secret.
///
/// # Examples
///
/// ```
/// use sidestep::testing::{secret, text};
///
/// assert_eq!(text(&secret("password")), "password");
/// ```
pub fn text(secret: &Secret) -> &str {
    &secret.text
}

/// Returns a followed object that reports these updates, and has this log. After the last update, it
/// has nothing to report; after [`Update::Ended`], it reports that again.
///
/// # Examples
///
/// ```
/// use sidestep::kubernetes::Update;
/// use sidestep::testing::{Host, follow};
///
/// let ended = || Update::Ended(r#"{ "status": { "phase": "Succeeded" } }"#.to_owned());
/// let followed = follow([ended()], "done\n");
/// assert!(matches!(followed.next(1000), Ok(Some(Update::Ended(_)))));
/// assert_eq!(followed.tail("main", 1024).expect("its log"), "done\n");
/// ```
pub fn follow(updates: impl IntoIterator<Item = Update>, log: &str) -> Follow {
    let updates: Vec<Update> = updates.into_iter().collect();
    let mut updates = updates.into_iter();
    let mut ended = None;
    let mut follow = follow_by(move |_| {
        if ended.is_none() {
            let next = updates.next();
            if let Some(Update::Ended(state)) = &next {
                ended = Some(state.clone());
            }
            return Ok(next);
        }
        Ok(ended.clone().map(Update::Ended))
    });
    log.clone_into(&mut follow.log);
    follow
}

/// Returns a followed object whose updates a closure makes: it gets the timeout in milliseconds, and
/// may fail.
///
/// # Examples
///
/// ```
/// use sidestep::kubernetes::Update;
///
/// let mut number = 0;
/// let followed = sidestep::testing::follow_by(move |_| {
///     number += 1;
///     Ok(Some(Update::Event(format!("{{ \"count\": {number} }}"))))
/// });
/// assert!(matches!(followed.next(1000), Ok(Some(Update::Event(_)))));
/// ```
pub fn follow_by(next: impl FnMut(u64) -> Result<Option<Update>> + 'static) -> Follow {
    Follow {
        next: RefCell::new(Box::new(next)),
        log: String::new(),
        silent: RefCell::new(0),
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.digest {
            Some(digest) => write!(f, "Blob({digest:?})"),
            None => write!(f, "Blob({:?})", Bytes(&self.bytes)),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({:?})", self.text)
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follow")
    }
}
