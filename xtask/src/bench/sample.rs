//! Repeated time measurements of one operation.

use std::time::Duration;

use crate::Result;

/// Measures once.
pub(crate) type Round<'a> = Box<dyn FnMut() -> Result<Duration> + 'a>;

/// The times of one operation, sorted. There is at least one.
#[derive(Debug, Clone)]
pub(crate) struct Sample(Vec<Duration>);

impl Sample {
    /// Returns the median.
    pub(crate) fn median(&self) -> Duration {
        self.0[self.0.len() / 2]
    }

    /// Returns the shortest time.
    pub(crate) fn min(&self) -> Duration {
        self.0[0]
    }

    /// Returns the longest time.
    pub(crate) fn max(&self) -> Duration {
        self.0[self.0.len() - 1]
    }
}

/// Measures operations in turn, so that other load on the machine affects all of them alike. The
/// first round fills caches and is not counted. An operation that fails once is not measured again.
pub(crate) fn in_turn(rounds: usize, mut things: Vec<Round<'_>>) -> Vec<Result<Sample>> {
    let mut times: Vec<Result<Vec<Duration>>> = things.iter().map(|_| Ok(Vec::new())).collect();
    for turn in 0..=rounds {
        for (measure, times) in things.iter_mut().zip(&mut times) {
            let Ok(so_far) = times else { continue };
            match measure() {
                Ok(_) if turn == 0 => {}
                Ok(time) => so_far.push(time),
                Err(why) => *times = Err(why),
            }
        }
    }
    let sorted = |times: Result<Vec<Duration>>| {
        times.map(|mut times| {
            times.sort();
            Sample(times)
        })
    };
    times.into_iter().map(sorted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_turn_is_not_counted_and_a_failure_spoils_only_its_own() {
        let mut next = [9, 3, 1, 2].into_iter();
        let good: Round<'_> = Box::new(move || Ok(Duration::from_secs(next.next().expect("four"))));
        let bad: Round<'_> = Box::new(|| Err("no".into()));
        let samples = in_turn(3, vec![good, bad]);
        let good = samples[0].as_ref().expect("it was measured");
        let seconds = [good.min(), good.median(), good.max()].map(|time| time.as_secs());
        assert_eq!(seconds, [1, 2, 3]);
        assert_eq!(samples[1].as_ref().expect_err("it failed"), "no");
    }
}
