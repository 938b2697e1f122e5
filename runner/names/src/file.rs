use crate::{Encoding, Kind};

/// The maximum length of a name that is kept unchanged. File systems allow 255 bytes.
const MAX_PLAIN: usize = 120;
/// The maximum number of characters of a name before its digest.
const KEPT: usize = 80;

/// Returns a file name for a step instance.
///
/// A name of safe characters only is kept. In every other name each unsafe character becomes `-`,
/// and `~` and a digest of the whole name follow. `~` is never safe, so the two forms never
/// collide. Capitals count as unsafe, because some file systems ignore case.
pub fn file_name(instance: &str) -> String {
    let safe = |c: char| {
        c.is_ascii_lowercase()
            || c.is_ascii_digit()
            || matches!(c, '_' | '-' | '=' | '[' | ']' | ',')
    };
    if !instance.is_empty() && instance.len() <= MAX_PLAIN && instance.chars().all(safe) {
        return instance.to_owned();
    }
    let kept: String = instance
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .map(|c| if safe(c) { c } else { '-' })
        .take(KEPT)
        .collect();
    let digest = Encoding::of(Kind::File).text(instance).digest();
    format!("{kept}~{digest}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_instance_never_names_a_file_elsewhere() {
        assert_eq!(file_name("build[arch=amd64]"), "build[arch=amd64]");
        assert_eq!(file_name("build-image"), "build-image");
        let long = "x".repeat(5000);
        for instance in [
            "../../etc/passwd",
            "a[b=/c]",
            "",
            ".",
            "a\0b",
            long.as_str(),
        ] {
            let name = file_name(instance);
            assert!(
                !name.contains(['/', '.', '\0']) && name.len() < 130,
                "{name}"
            );
        }
        assert_ne!(file_name("a[b=/]"), file_name("a[b=-]"));
        assert_ne!(file_name("a[b=/]"), file_name("a[b=:]"));
        assert_ne!(file_name("Build").to_lowercase(), file_name("build"));
    }

    proptest! {
        /// Different instances have different files, even on file systems that ignore case.
        #[test]
        fn instances_share_no_file(
            instances in prop::collection::hash_set("[a-cA-C~\"/=-]{0,4}|[ab]{118,122}", 0..60),
        ) {
            let mut names = HashMap::new();
            for instance in instances {
                let name = file_name(&instance);
                prop_assert!(name.len() < 130 && !name.contains('/'), "{}", name);
                let other = names.insert(name.to_lowercase(), instance.clone());
                prop_assert!(other.is_none(), "{:?} and {:?}", other, instance);
                // A file name that is itself used as an instance has another file name.
                if name != instance {
                    prop_assert_ne!(file_name(&name), name);
                }
            }
        }
    }
}
