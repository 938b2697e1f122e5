use std::collections::HashMap;

/// The rest of one of a run's limits, and how much of it is reserved for each instance.
///
/// Half of the limit is reserved in equal parts for the instances that have not ended. So however
/// many instances flood their logs, every other one can still write as much as an ordinary step
/// does. The rest is first come, first served.
#[derive(Debug)]
pub(crate) struct Ledger {
    ceiling: u64,
    /// The bytes reserved for each instance at the start.
    each: u64,
    /// The bytes left of all reservations together.
    promised: u64,
    /// The bytes left of the reservations of instances that have begun.
    own: HashMap<String, u64>,
}

impl Ledger {
    /// Creates the ledger of a run that has written `used` bytes and has `instances` instances, of
    /// which `ended` have ended.
    pub(crate) fn new(ceiling: u64, used: u64, instances: usize, ended: &[&str]) -> Self {
        let instances = u64::try_from(instances.saturating_sub(ended.len())).unwrap_or(u64::MAX);
        let half = (ceiling / 2).min(ceiling.saturating_sub(used));
        let each = half.checked_div(instances).unwrap_or(0);
        Self {
            ceiling,
            each,
            promised: each * instances,
            own: ended.iter().map(|id| ((*id).to_owned(), 0)).collect(),
        }
    }

    /// Returns the maximum number of bytes that may be written in all.
    pub(crate) fn ceiling(&self) -> u64 {
        self.ceiling
    }

    /// Returns how many bytes the instance may write when `used` are written: the rest of its own
    /// reservation, and all that is not reserved.
    pub(crate) fn left(&self, instance: &str, used: u64) -> u64 {
        let own = self.own.get(instance).copied().unwrap_or(self.each);
        let kept = used.saturating_add(self.promised);
        own.saturating_add(self.ceiling.saturating_sub(kept))
    }

    /// Records that the instance has written `bytes`. They count against its reservation first.
    pub(crate) fn take(&mut self, instance: &str, bytes: u64) {
        let own = self.of(instance);
        let part = bytes.min(*own);
        *own -= part;
        self.promised = self.promised.saturating_sub(part);
    }

    /// Records that the instance has ended, and releases the rest of its reservation.
    pub(crate) fn end(&mut self, instance: &str) {
        self.take(instance, u64::MAX);
    }

    fn of(&mut self, instance: &str) -> &mut u64 {
        self.own.entry(instance.to_owned()).or_insert(self.each)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Even if instances take all that they may, every other one keeps its reservation, and the
        /// limit holds.
        #[test]
        fn a_promise_is_kept_whatever_others_take(
            ceiling in 0_u64..10_000,
            before in 0_u64..12_000,
            instances in 1_usize..20,
            takers in prop::collection::vec((0_usize..20, 0_u64..4_000, any::<bool>()), 0..60),
        ) {
            let mut ledger = Ledger::new(ceiling, before, instances, &[]);
            let each = ledger.each;
            let mut used = before;
            let mut written = vec![0; instances];
            for (instance, wanted, ends) in takers {
                let instance = instance % instances;
                let name = instance.to_string();
                let taken = wanted.min(ledger.left(&name, used));
                ledger.take(&name, taken);
                used += taken;
                written[instance] += taken;
                if ends {
                    ledger.end(&name);
                    written[instance] = u64::MAX / 2;
                }
                for (other, written) in written.iter().enumerate() {
                    let left = ledger.left(&other.to_string(), used);
                    prop_assert!(left >= each.saturating_sub(*written));
                }
            }
            prop_assert!(used <= ceiling.max(before));
        }
    }

    #[test]
    fn an_instance_that_ended_before_has_no_promise() {
        let mut ledger = Ledger::new(100, 0, 3, &["c"]);
        assert_eq!((ledger.each, ledger.left("c", 0)), (25, 50));
        ledger.take("c", 50);
        assert_eq!(ledger.left("c", 50), 0);
        assert_eq!(ledger.left("a", 50), 25);
    }

    #[test]
    fn what_an_ended_instance_did_not_use_is_for_the_others() {
        let mut ledger = Ledger::new(100, 0, 2, &[]);
        assert_eq!(ledger.left("a", 0), 75);
        ledger.end("b");
        assert_eq!(ledger.left("a", 0), 100);
        ledger.take("a", 100);
        assert_eq!(ledger.left("a", 100), 0);
    }

    #[test]
    fn nothing_is_promised_of_a_journal_that_is_full_already() {
        let ledger = Ledger::new(100, 100, 2, &[]);
        assert_eq!(ledger.left("a", 100), 0);
    }
}
