use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt as _;
use sidestep_events::{Done, Failure, IntentId};
use sidestep_gate::NewIntent;

use super::*;

const MIB: u64 = 1 << 20;

/// Counts the reported waits.
#[derive(Default)]
pub(crate) struct Waits(AtomicUsize);

impl Waits {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl StepSink for Waits {
    fn event(&self, event: Event) {
        assert!(matches!(event, Event::StepWaiting(_)), "{event:?}");
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    async fn intent(&self, _: NewIntent) -> Result<IntentId, Failure> {
        unreachable!("a share makes nothing")
    }

    async fn done(&self, _: Done) -> Result<(), Failure> {
        unreachable!("a share makes nothing")
    }

    async fn checkpoint(&self, _: serde_json::Value) -> Result<(), Failure> {
        unreachable!("a share remembers nothing")
    }
}

fn join(room: &Arc<Room>) -> Share {
    room.join(Arc::new(Waits::default()))
}

/// Returns whether the guest's memory gets the room without waiting.
fn has(share: &Share, mebibytes: u64) -> bool {
    let held = share.hold(mebibytes * MIB).now_or_never();
    held.is_some_and(|held| held.is_ok())
}

/// Returns whether a call gets the room without waiting.
fn takes(share: &Share, mebibytes: u64) -> bool {
    let taken = share.take(mebibytes * MIB).now_or_never();
    taken.is_some_and(|taken| taken.is_ok())
}

#[test]
fn steps_start_while_there_is_room_for_the_eldest_to_grow() {
    let room = Room::new(512 * MIB, 256 * MIB);
    let admitted: Vec<_> = std::iter::from_fn(|| room.admit().ok()).collect();
    // 240 MiB beyond the floor are reserved for one of them.
    assert_eq!(admitted.len(), (512 - 240) / 16);
    drop(admitted);
    assert_eq!(room.lock().taken, 0);
}

#[test]
fn the_eldest_always_has_room_and_the_others_wait_for_it() {
    let room = Room::new(512 * MIB, 256 * MIB);
    let _all: Vec<_> = std::iter::from_fn(|| room.admit().ok()).collect();
    let (first, second, third) = (join(&room), join(&room), join(&room));
    assert!(has(&second, 16), "a floor needs no room");
    assert!(!has(&second, 64));
    assert!(has(&first, 256));
    assert!(!has(&second, 17));
    drop(first);
    // Now the second is the oldest.
    assert!(!has(&third, 17));
    assert!(has(&second, 256));
    drop(second);
    assert!(has(&third, 256));
}

#[test]
fn one_that_waits_goes_on_when_another_ends() {
    let room = Room::new(300 * MIB, 256 * MIB);
    let first = join(&room);
    let waits = Arc::new(Waits::default());
    let second = room.join(waits.clone());
    assert!(has(&first, 256));
    let mut waiting = Box::pin(second.hold(200 * MIB));
    assert!(waiting.as_mut().now_or_never().is_none());
    assert!(waiting.as_mut().now_or_never().is_none());
    drop(first);
    assert_eq!(waiting.as_mut().now_or_never(), Some(Ok(())));
    drop(waiting);
    assert_eq!(waits.count(), 1);
    drop(second);
    assert_eq!(room.lock().taken, 0);
}

#[test]
fn calls_count_with_the_guest_and_give_back() {
    let room = Room::new(300 * MIB, 256 * MIB);
    let (first, second) = (join(&room), join(&room));
    assert!(has(&first, 200));
    assert!(takes(&first, 56));
    assert!(!takes(&first, 1), "it has all that one may have");
    let mut waiting = Box::pin(second.take(80 * MIB));
    assert!(waiting.as_mut().now_or_never().is_none());
    first.give_back(56 * MIB);
    // The oldest may need them again.
    assert!(waiting.as_mut().now_or_never().is_none());
    drop(first);
    assert_eq!(waiting.as_mut().now_or_never(), Some(Ok(())));
    drop(waiting);
    second.give_back(80 * MIB);
    assert_eq!(room.lock().taken, 0);
}

#[test]
fn more_than_one_could_have_alone_is_refused_at_once() {
    let room = Room::new(64 * MIB, 256 * MIB);
    let share = join(&room);
    assert!(has(&share, 64));
    let beyond = Beyond { ceiling: 64 * MIB };
    assert_eq!(share.hold(65 * MIB).now_or_never(), Some(Err(beyond)));
    assert_eq!(share.take(MIB).now_or_never(), Some(Err(64 * MIB)));
}

#[test]
fn whatever_comes_and_goes_the_eldest_can_grow() {
    let room = Room::new(512 * MIB, 128 * MIB);
    let (mut admitted, mut shares) = (Vec::new(), Vec::new());
    let mut seed = 7_u64;
    for _ in 0..20_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let pick = (seed >> 33) as usize;
        let (what, which, size) = (pick % 7, pick / 7, (pick / 70 % 140) as u64);
        match what {
            0 => admitted.extend(room.admit().ok()),
            1 => shares.push(join(&room)),
            2 if !admitted.is_empty() => drop(admitted.swap_remove(which % admitted.len())),
            3 if !shares.is_empty() => drop(shares.swap_remove(which % shares.len())),
            4 if !shares.is_empty() => drop(takes(&shares[which % shares.len()], size)),
            5 if !shares.is_empty() => shares[which % shares.len()].give_back(size * MIB),
            _ if !shares.is_empty() => drop(has(&shares[which % shares.len()], size)),
            _ => {}
        }
        let state = room.lock();
        let kept = room.each - state.eldest().map_or(0, |(_, has)| has);
        assert!(state.taken + kept <= room.ceiling, "{state:?}");
        let beyond: u64 = state.shares.values().map(|held| held.beyond_floor()).sum();
        assert_eq!(state.taken, beyond + FLOOR * admitted.len() as u64);
    }
}
