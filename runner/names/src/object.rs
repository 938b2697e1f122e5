use crate::encoding::DIGEST;
use crate::{Encoding, Kind};

/// The maximum length of a DNS label (RFC 1123, section 2.1).
pub(crate) const MAX_LABEL: usize = 63;

/// Returns the name of an external object: a DNS label that depends only on the arguments. It
/// begins with readable text and ends with a digest of all four arguments.
pub fn object_name(run: &str, instance: &str, attempt: u32, purpose: &str) -> String {
    let digest = Encoding::of(Kind::Object)
        .text(run)
        .text(instance)
        .number(attempt.into())
        .text(purpose)
        .digest();
    let words = label(
        &format!("{instance}-{purpose}"),
        MAX_LABEL - DIGEST - 1 - "ss-".len(),
    );
    if words.is_empty() {
        format!("ss-{digest}")
    } else {
        format!("ss-{words}-{digest}")
    }
}

/// Returns the letters and digits of a text in lower case, with a single dash for other characters
/// between them, at most `most` characters, and no dash at either end.
pub(crate) fn label(text: &str, most: usize) -> String {
    let mut label = String::with_capacity(most);
    for character in text.chars() {
        if label.len() == most {
            break;
        }
        match character.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => label.push(c),
            _ if label.is_empty() || label.ends_with('-') => {}
            _ => label.push('-'),
        }
    }
    label.truncate(label.trim_end_matches('-').len());
    label
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_any_length_are_unique_labels() {
        let mut seen = HashSet::new();
        for letter in ["a", "-", "é", "[", "9", "日本"] {
            for length in 0..300 {
                let name = object_name("run", &letter.repeat(length), 1, "context");
                assert!(name.len() <= MAX_LABEL, "{name}");
                assert!(
                    name.bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                );
                assert!(!name.ends_with('-') && name.starts_with("ss-"), "{name}");
                seen.insert(name);
            }
        }
        // Without letters, the six texts of length 0 are the same.
        assert_eq!(seen.len(), 6 * 300 - 5);
    }

    #[test]
    fn every_part_counts() {
        let base = object_name("r", "build", 1, "pod");
        assert_eq!(base, object_name("r", "build", 1, "pod"));
        assert!(base.starts_with("ss-build-pod-"), "{base}");
        for other in [
            object_name("r2", "build", 1, "pod"),
            object_name("r", "build[a=1]", 1, "pod"),
            object_name("r", "build", 2, "pod"),
            object_name("r", "build", 1, "secret"),
        ] {
            assert_ne!(base, other);
        }
    }

    proptest! {
        /// Objects with different arguments have different names, and each name is a DNS label.
        #[test]
        fn objects_share_no_name(
            origins in prop::collection::hash_set(
                ("[ab-]{1,2}", "[ab\\[=,\\]-]{0,3}|[ab]{40,42}", 1_u32..12, "[ab1-]{0,2}"),
                0..60,
            ),
        ) {
            let mut names = HashMap::new();
            for (run, instance, attempt, purpose) in origins {
                let name = object_name(&run, &instance, attempt, &purpose);
                prop_assert!(name.len() <= MAX_LABEL && !name.ends_with('-'), "{}", name);
                let origin = (run, instance, attempt, purpose);
                let other = names.insert(name, origin.clone());
                prop_assert!(other.is_none(), "{:?} and {:?}", other, origin);
            }
        }
    }
}
