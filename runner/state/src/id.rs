use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use sidestep_names::{Encoding, Kind};
use thiserror::Error;

/// The maximum length of an id. Names of external objects are made from it and must stay below 63
/// characters.
const MAX_LENGTH: usize = 48;

/// The maximum length of the suffix of [`RunId::again`]: a dash and a 32-bit number.
const MAX_AGAIN: usize = 11;

/// Crockford's base 32 in lower case. It sorts like the numbers that it encodes, and is valid in a
/// Kubernetes name.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 2025-01-01T00:00:00Z in milliseconds. Forty bits from here last until 2059.
const EPOCH_MS: i64 = 1_735_689_600_000;

/// A run's id: 1 to 48 of `a-z 0-9 -`, not beginning or ending with `-`, so that it is valid in
/// names and labels of external objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

/// The error for a text that is not a valid run id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is not a valid run id: use 1 to {MAX_LENGTH} of a-z, 0-9 and -, beginning and ending with a letter or a digit"
)]
pub struct RunIdError(String);

impl RunId {
    /// Returns the id of a CI job's run: the first letters of the CI system's name for the run,
    /// then a digest of everything that distinguishes it from other runs. It leaves room for
    /// [`RunId::again`].
    pub(crate) fn of_ci(shown: &str, digest: &str) -> Self {
        // The digest covers all of the text, so ids stay distinct even if it is cut or replaced
        // here.
        let kept: String = shown
            .trim()
            .chars()
            .map(|c| match c.to_ascii_lowercase() {
                c if c.is_ascii_alphanumeric() => c,
                _ => '-',
            })
            .take(MAX_LENGTH - MAX_AGAIN - 1 - digest.len())
            .collect();
        let kept = kept.trim_matches('-');
        Self(if kept.is_empty() {
            digest.to_owned()
        } else {
            format!("{kept}-{digest}")
        })
    }

    /// Returns a new id: the time in milliseconds, then ten random bits. Ids sort by time.
    pub fn new_at(now: Timestamp) -> Self {
        let mut random = [0u8; 2];
        // Without randomness, ids of the same millisecond collide, which `Runs::create` detects.
        let _ = getrandom::fill(&mut random);
        let since = u64::try_from(now.as_millisecond() - EPOCH_MS).unwrap_or(0);
        let bits = (since << 10) | u64::from(u16::from_be_bytes(random) & 0x3ff);
        let id = (0..10u32)
            .rev()
            .map(|digit| char::from(ALPHABET[(bits >> (digit * 5)) as usize & 31]))
            .collect();
        Self(id)
    }

    /// Returns the id for running the same CI job again: `ID-2` for the second time.
    #[must_use]
    pub fn again(&self, time: u32) -> Self {
        let again = format!("{self}-{time}");
        if again.len() <= MAX_LENGTH {
            return Self(again);
        }
        let digest = Encoding::of(Kind::CiRunAgain)
            .text(&self.0)
            .number(time.into())
            .digest();
        Self::of_ci(&self.0, &digest)
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = RunIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let good = (1..=MAX_LENGTH).contains(&text.len())
            && text.bytes().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(RunIdError(text.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_ci_says_the_id_is_one() {
        let digest = "0123456789abcdef0123";
        for text in [
            "../../etc",
            "A".repeat(300).as_str(),
            "--",
            "",
            "Ünï/cødé",
            "x y",
        ] {
            let id = RunId::of_ci(text, digest);
            assert_eq!(id.as_str().parse::<RunId>(), Ok(id.clone()), "{text}");
            assert!(id.as_str().ends_with(digest), "{id}");
            let again = id.again(u32::MAX);
            assert_eq!(again.as_str().parse::<RunId>(), Ok(again.clone()), "{text}");
            assert_eq!(again.as_str(), format!("{id}-{}", u32::MAX));
        }
    }

    #[test]
    fn an_id_that_leaves_no_room_for_a_number_is_hashed_whole() {
        let ids = ["a".repeat(48), format!("{}b", "a".repeat(47))];
        let ids = ids.map(|id| id.parse::<RunId>().expect("an id"));
        let mut again: Vec<_> = ids
            .iter()
            .flat_map(|id| [id.again(2), id.again(3)])
            .collect();
        for id in &again {
            assert_eq!(id.as_str().parse::<RunId>().as_ref(), Ok(id));
        }
        again.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        again.dedup();
        assert_eq!(again.len(), 4, "{again:?}");
    }

    #[test]
    fn new_ids_sort_by_time() {
        let at = |ms: i64| RunId::new_at(Timestamp::from_millisecond(ms).expect("in range"));
        let times = [EPOCH_MS, EPOCH_MS + 1, 1_795_000_000_000, 2_500_000_000_000];
        let ids: Vec<_> = times.into_iter().map(at).collect();
        assert!(ids.is_sorted(), "{ids:?}");
        assert!(ids.iter().all(|id| id.as_str().parse::<RunId>().is_ok()));
    }

    #[test]
    fn a_path_is_no_run_id() {
        for text in ["", "..", "a/b", "-a", "a-", "A", &"a".repeat(49)] {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
    }
}
