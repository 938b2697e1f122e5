//! Fails a task that takes too long and reports where its time went, before CI kills it without a
//! message.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::say;

/// The time limit of `.ci/run`, which CI kills at 90 minutes.
const LIMIT: Duration = Duration::from_mins(80);

/// Ends the task when its time is up, unless this value is dropped first.
pub(crate) struct Limit {
    _alive: Sender<()>,
}

impl Limit {
    /// Starts the clock.
    pub(crate) fn start() -> Self {
        let (alive, dropped) = channel();
        thread::spawn(move || {
            if is_over(&dropped, LIMIT) {
                let minutes = LIMIT.as_secs() / 60;
                eprintln!("error: this took longer than {minutes} minutes, the limit");
                say::times();
                end_descendants(std::process::id());
                std::process::exit(1);
            }
        });
        Self { _alive: alive }
    }
}

/// Returns whether the time passed before the other end was dropped.
fn is_over(dropped: &Receiver<()>, limit: Duration) -> bool {
    dropped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout)
}

/// Sends SIGTERM to all descendants of a process.
fn end_descendants(of: u32) {
    let mut found = vec![of];
    let mut next = 0;
    let parents = parents();
    while let Some(&parent) = found.get(next) {
        next += 1;
        found.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(id, _)| *id),
        );
    }
    let ids = found.iter().skip(1).map(u32::to_string);
    // `kill` reports an error for a process that has exited meanwhile, which does not matter.
    let _ = Command::new("kill")
        .args(ids)
        .stderr(Stdio::null())
        .status();
}

/// Returns every process with its parent, from `/proc`.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let id = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            let (_, fields) = stat.rsplit_once(')')?;
            Some((id, fields.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_passes_unless_the_task_ends_before() {
        let (alive, dropped) = channel();
        assert!(is_over(&dropped, Duration::ZERO));
        drop(alive);
        assert!(!is_over(&dropped, LIMIT));
    }

    #[test]
    fn processes_of_processes_are_ended() {
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 600 & echo started; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut output = shell.stdout.take().expect("piped");
        // Its standard output stays open until the sleep has ended as well.
        let mut first = [0; 8];
        std::io::Read::read_exact(&mut output, &mut first).expect("started");
        let children: Vec<u32> = parents()
            .into_iter()
            .filter(|(_, parent)| *parent == shell.id())
            .map(|(id, _)| id)
            .collect();
        assert_eq!(children.len(), 1);
        end_descendants(shell.id());
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut output, &mut rest).expect("closed");
        shell.wait().expect("ended");
    }
}
