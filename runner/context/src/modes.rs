//! The modes of files in the archive.
//!
//! Machines differ in the modes that they give to files (`umask`, shared folders), and a context
//! has to be the same on each. So a file has mode 644, or 755 if anyone may execute it, and a
//! folder 755. A key of mode 600 can then be read by every user of an image, so such a change is
//! always reported.

use crate::Entry;
use std::{collections::BTreeMap, fmt};

/// The mode bits that an archive stores.
pub(crate) const BITS: u32 = 0o7777;
const SPECIAL: [(u32, &str); 3] = [(0o4000, "setuid"), (0o2000, "setgid"), (0o1000, "sticky")];
const MAY: [(u32, &str); 3] = [(4, "read"), (2, "write"), (1, "execute")];
const WHO: [(u32, &str); 3] = [(6, "owner"), (3, "group"), (0, "others")];

/// Entries whose mode in the archive differs from the one on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedMode {
    /// The mode on disk.
    pub was: u32,
    /// The mode in the archive.
    pub sent: u32,
    /// The number of such entries.
    pub count: u64,
    /// The path of one of them; invalid UTF-8 is replaced.
    pub example: String,
}

impl ChangedMode {
    /// Returns whether the mode in the archive grants more than the one on disk, or loses a bit
    /// that changes the behaviour of a program or a folder. Other changes are caused by a `umask`
    /// alone.
    pub fn matters(&self) -> bool {
        self.sent & !self.was != 0 || self.was & !0o777 != 0
    }
}

impl fmt::Display for ChangedMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { was, sent, .. } = self;
        write!(f, "mode {was:04o} is sent as {sent:04o}")?;
        for (what, bits) in [("adds", sent & !was), ("drops", was & !sent)] {
            let words = words(bits);
            if !words.is_empty() {
                write!(f, ", which {what} {}", words.join(", "))?;
            }
        }
        Ok(())
    }
}

/// Returns the bits of a mode as text: `setuid`, `read for group and others`.
fn words(bits: u32) -> Vec<String> {
    let special = SPECIAL.iter().filter(|(bit, _)| bits & bit != 0);
    let mut words: Vec<String> = special.map(|(_, name)| (*name).to_owned()).collect();
    for (bit, may) in MAY {
        let who = WHO.iter().filter(|(shift, _)| bits & (bit << shift) != 0);
        let who: Vec<&str> = who.map(|(_, who)| *who).collect();
        if !who.is_empty() {
            words.push(format!("{may} for {}", who.join(" and ")));
        }
    }
    words
}

/// Sets each entry's mode to the one that is the same on every machine. Returns the changes.
pub(crate) fn normalise(entries: &mut [Entry]) -> Vec<ChangedMode> {
    let mut changed: BTreeMap<(u32, u32), ChangedMode> = BTreeMap::new();
    for entry in entries {
        let (was, sent) = (entry.mode, entry.kind.mode());
        entry.mode = sent;
        if was == sent {
            continue;
        }
        let known = changed.entry((was, sent)).or_insert_with(|| ChangedMode {
            was,
            sent,
            count: 0,
            example: entry.path.to_str_lossy().into_owned(),
        });
        known.count += 1;
    }
    changed.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_says_which_bits_it_adds_and_drops() {
        for (was, sent, said, matters) in [
            (
                0o600,
                0o644,
                "mode 0600 is sent as 0644, which adds read for group and others",
                true,
            ),
            (
                0o4755,
                0o755,
                "mode 4755 is sent as 0755, which drops setuid",
                true,
            ),
            (
                0o1777,
                0o755,
                "mode 1777 is sent as 0755, which drops sticky, write for group and others",
                true,
            ),
            (
                0o664,
                0o644,
                "mode 0664 is sent as 0644, which drops write for group",
                false,
            ),
            (
                0o2710,
                0o755,
                "mode 2710 is sent as 0755, which adds read for group and others, execute for others, which drops setgid",
                true,
            ),
        ] {
            let change = ChangedMode {
                was,
                sent,
                count: 1,
                example: "a".to_owned(),
            };
            assert_eq!(
                (change.to_string().as_str(), change.matters()),
                (said, matters)
            );
        }
    }
}
