use crate::{Encoding, Kind};

/// The maximum length of a Kubernetes label's value
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/>).
const MAX_LABEL: usize = 63;

/// Returns the value of the label that selects a run's objects: the run's id if it is a valid
/// label, otherwise `r`, its valid characters, `_`, and a digest of the whole id.
pub fn run_label(run: &str) -> String {
    let safe = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_id = (1..=MAX_LABEL).contains(&run.len())
        && run.bytes().all(safe)
        && !run.starts_with('-')
        && !run.ends_with('-');
    if is_id {
        return run.to_owned();
    }
    let kept: String = run
        .bytes()
        .filter(|b| safe(*b))
        .map(char::from)
        .take(40)
        .collect();
    let digest = Encoding::of(Kind::Label).text(run).digest();
    // A label must begin and end with a letter or a digit.
    format!("r{kept}_{digest}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_runs_id_is_its_label() {
        assert_eq!(run_label("1234-0a1b-2"), "1234-0a1b-2");
    }

    proptest! {
        /// Different runs have different labels, and each is valid in Kubernetes.
        #[test]
        fn runs_share_no_label(
            runs in prop::collection::hash_set("[a-cA-C_/-]{0,4}|[ab]{62,64}", 0..40),
        ) {
            let mut labels = HashMap::new();
            for run in runs {
                let label = run_label(&run);
                let ends = [label.as_bytes()[0], label.as_bytes()[label.len() - 1]];
                prop_assert!(label.len() <= MAX_LABEL, "{}", label);
                prop_assert!(ends.iter().all(u8::is_ascii_alphanumeric), "{}", label);
                let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
                prop_assert!(label.bytes().all(allowed), "{}", label);
                let other = labels.insert(label, run.clone());
                prop_assert!(other.is_none(), "{:?} and {:?}", other, run);
            }
        }
    }
}
