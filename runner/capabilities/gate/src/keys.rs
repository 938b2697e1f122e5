//! Facts about keys for plugins, and the masks of the keys themselves.

use sidestep_events::Failure;
use sidestep_keys::{Entry, Key};

use crate::bindings::sidestep::host::types::{EntryKey, KeyFact};
use crate::{Gate, PerByte};

impl Gate {
    /// Masks the secret texts of keys that a call met. No plugin gets a byte of them, so a key for
    /// which the run's masks have no space left is not an error.
    pub async fn mask_keys(&self, function: PerByte, secrets: &[String]) -> Result<(), Failure> {
        for secret in secrets {
            let _room = self.charge(function.of(secret.len())).await?;
            let _full = self.step.masks.add(secret);
        }
        Ok(())
    }
}

/// Returns the contract's form of a key at one place.
pub fn entry_key(entry: Entry) -> EntryKey {
    EntryKey {
        entry: entry.entry,
        fact: fact(entry.key),
    }
}

/// Returns the contract's form of a key.
pub fn fact(key: Key) -> KeyFact {
    KeyFact {
        kind: key.kind.as_str().to_owned(),
        email: key.email,
        key_id: key.key_id,
        project: key.project,
        registry: key.registry,
        line: key.line,
    }
}
