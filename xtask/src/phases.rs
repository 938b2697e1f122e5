//! Measures the time of a task's phases. A phase lasts until the next one begins.

use std::fs;
use std::time::{Duration, Instant};

/// Clock ticks of `/proc` per second: proc_pid_stat(5) counts in `sysconf(_SC_CLK_TCK)`, which is
/// 100 on every Linux that Rust supports.
const TICKS: u64 = 100;

/// The phases of a task so far.
pub(crate) struct Phases {
    done: Vec<Phase>,
    current: Option<Started>,
}

struct Phase {
    name: String,
    wall: Duration,
    /// User and system time of the processes that ended in this phase.
    cpu: Duration,
}

struct Started {
    name: String,
    at: Instant,
    cpu: Duration,
}

impl Phases {
    pub(crate) const fn new() -> Self {
        Self {
            done: Vec::new(),
            current: None,
        }
    }

    /// Ends the current phase and starts another.
    pub(crate) fn begin(&mut self, name: &str) {
        self.finish();
        self.current = Some(Started {
            name: name.to_owned(),
            at: Instant::now(),
            cpu: cpu_of_children(),
        });
    }

    /// Ends the last phase. Returns a line for each phase, and their total.
    pub(crate) fn end(&mut self) -> Vec<String> {
        self.finish();
        let line = |name: &str, wall: Duration, cpu: Duration| {
            format!(
                "{:>6} s, {:>6} s of CPU  {name}",
                wall.as_secs(),
                cpu.as_secs()
            )
        };
        let sum = |of: fn(&Phase) -> Duration| self.done.iter().map(of).sum();
        let mut lines: Vec<String> = self
            .done
            .iter()
            .map(|phase| line(&phase.name, phase.wall, phase.cpu))
            .collect();
        lines.push(line(
            "in all",
            sum(|phase| phase.wall),
            sum(|phase| phase.cpu),
        ));
        lines
    }

    fn finish(&mut self) {
        if let Some(started) = self.current.take() {
            self.done.push(Phase {
                name: started.name,
                wall: started.at.elapsed(),
                cpu: cpu_of_children().saturating_sub(started.cpu),
            });
        }
    }
}

/// Returns the user and system time of this process's ended children and their descendants.
fn cpu_of_children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    Duration::from_millis(ticks_of_children(&stat) * 1000 / TICKS)
}

/// Returns `cutime` plus `cstime` of a process (proc_pid_stat(5)) in ticks, or zero if they are
/// missing.
fn ticks_of_children(stat: &str) -> u64 {
    // The program's name is in brackets and may contain blanks. The third field follows it.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut times = fields.split_whitespace().skip(13).take(2);
    let mut next = || times.next().and_then(|ticks| ticks.parse::<u64>().ok());
    next().unwrap_or(0) + next().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_children_is_read_behind_any_name() {
        let stat = "7 (a) b c) S 1 7 7 0 -1 4194560 600 900 0 0 11 12 130 140 20 0 1 0 5 0 0";
        assert_eq!(ticks_of_children(stat), 270);
        assert_eq!(ticks_of_children(""), 0);
    }

    #[test]
    fn each_phase_has_a_line_and_the_last_one_is_the_sum() {
        let mut phases = Phases::new();
        phases.begin("format");
        phases.begin("tests");
        let lines = phases.end();
        let names: Vec<_> = lines
            .iter()
            .map(|line| line.rsplit("  ").next().unwrap_or_default())
            .collect();
        assert_eq!(names, ["format", "tests", "in all"]);
    }
}
