//! Masking: keeps known secrets out of logs, events and failures.
//!
//! A secret is found in a text however it is split into pieces, with invisible characters between
//! its own (controls, colours, line ends), and under at most two layers of these, in any order:
//! base64 (RFC 4648, both alphabets, at any position in a group of three), percent-encoding (RFC
//! 3986, any of its characters), and the escapes of JSON (RFC 8259, any of its characters). Two
//! limits: under base64, a text is searched for as JSON and percent-encoding have to escape it, not
//! with more escapes; and a text (a secret, or a line of it) of more than 2 KiB is searched for
//! under one layer of base64, one of more than 64 KiB under none.
//!
//! Masking is best effort: a text that a plugin cut, reversed or encrypted is not found. Secrets
//! are safe because plugins hold handles and never the text.

mod automaton;
mod covers;
mod events;
mod finder;
mod forms;
mod needles;
mod stream;
mod unmaskable;
mod values;
mod view;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use finder::Finder;
use needles::Needles;
pub use stream::MaskStream;
pub use unmaskable::Unmaskable;

/// The minimum length of a secret, in bytes, without invisible ones: a shorter one would be found
/// everywhere.
pub const MIN_SECRET: usize = 4;

/// The replacement of a secret.
pub const MASK: &str = "***";

/// The secrets known to one run.
pub struct Masks {
    current: RwLock<Arc<Needles>>,
}

impl Masks {
    /// Returns masks without any secret.
    pub fn new() -> Self {
        Self {
            current: RwLock::new(Arc::new(Needles::new())),
        }
    }

    /// Adds a secret.
    ///
    /// # Errors
    /// The reason why it cannot be masked: then it may not be used.
    pub fn add(&self, secret: &str) -> Result<(), Unmaskable> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if !current.knows(secret) {
            *current = Arc::new(current.with(secret)?);
        }
        Ok(())
    }

    /// Returns the text without any known secret.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        mask(&self.current(), text)
    }

    /// Returns the bytes without any known secret; `None` if they hold none.
    pub fn bytes(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        without(&self.current(), bytes)
    }

    /// Returns whether the text contains a known secret, in any form.
    pub fn found_in(&self, text: &str) -> bool {
        found_in(&self.current(), text)
    }

    /// Returns the path (a JSON pointer, RFC 6901) of the first value that contains a known secret,
    /// in a text, a number or a key. A secret in a key is masked in the path.
    pub fn find(&self, value: &Value) -> Option<String> {
        values::find(&self.current(), value)
    }

    /// Masks every text, number and key of a JSON value in place.
    pub fn value(&self, value: &mut Value) {
        values::mask_all(&self.current(), value);
    }

    /// Masks a text that arrives in pieces, such as a pod's log.
    pub fn stream(self: &Arc<Self>) -> MaskStream {
        self.stream_after(0)
    }

    /// Masks a text whose first bytes, masked, have been returned by an earlier stream.
    ///
    /// The text is passed from its beginning again, so that the rest is masked as it would have
    /// been without the interruption; the output for its first `known` bytes is not returned.
    pub fn stream_after(self: &Arc<Self>, known: u64) -> MaskStream {
        MaskStream::new(Arc::clone(self), known)
    }

    fn current(&self) -> Arc<Needles> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Masks {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Masks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masks(…)")
    }
}

fn mask<'t>(needles: &Arc<Needles>, text: &'t str) -> Cow<'t, str> {
    match without(needles, text.as_bytes()) {
        None => Cow::Borrowed(text),
        // Secrets are whole characters, and so is the rest.
        Some(masked) => Cow::Owned(String::from_utf8_lossy(&masked).into_owned()),
    }
}

fn without(needles: &Arc<Needles>, bytes: &[u8]) -> Option<Vec<u8>> {
    let covers = Finder::find(needles, bytes);
    (!covers.is_empty()).then(|| covers::replace(bytes, 0, &covers, &mut false))
}

fn found_in(needles: &Arc<Needles>, text: &str) -> bool {
    !Finder::find(needles, text.as_bytes()).is_empty()
}

#[cfg(test)]
mod tests;
