//! The cost of a step's log: its time compared with a shell that writes the same, and its size on
//! disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::sample::in_turn;
use super::table::Row;
use super::workbench::{Workbench, to_end};
use super::{Result, Round};

/// The number of lines and the bytes per line.
const LOGS: [(u64, u64); 2] = [(1_000_000, 64), (20_000, 4 << 10)];

/// More rounds would take minutes, and the size on disk is the same in each.
const MOST_ROUNDS: usize = 3;

/// Measures logs of short lines and of long ones.
pub(crate) fn measure(bench: &Workbench, rounds: usize) -> Result<Vec<Row>> {
    let row = |(lines, bytes)| log(bench, rounds.min(MOST_ROUNDS), lines, bytes);
    LOGS.into_iter().map(row).collect()
}

fn log(bench: &Workbench, rounds: usize, lines: u64, bytes: u64) -> Result<Row> {
    let pipeline = format!(
        "version: 1\nname: logs\nsteps:\n  log:\n    uses: ./noop.wasm\n    \
         with: {{ lines: {lines}, bytes: {bytes} }}\n"
    );
    bench.write("logs.yaml", &pipeline)?;
    let shell = || {
        let mut shell = bench.command("/bin/sh");
        let line = format!("yes \"$(printf '%0{bytes}d' 0)\" | head -n {lines} >lines.log");
        shell.args(["-c", &line]);
        to_end(shell)
    };
    let things: Vec<Round<'_>> = vec![
        Box::new(|| to_end(bench.sidestep(&["run", "logs.yaml"]))),
        Box::new(shell),
    ];
    let samples = in_turn(rounds, things);
    let row = Row::new(
        &format!("a step that logs {lines} lines of {bytes} bytes"),
        samples,
        &["a shell that writes them to a file"],
    )?;
    let run = latest(&bench.folder.join("state/sidestep/runs"))?;
    let (journal, logs) = (size(&run.join("journal")), below(&run.join("logs")));
    let hundredths = (journal + logs) * 100 / (lines * bytes);
    Ok(row.with_note(format!(
        "journal {} KiB, log file {} KiB: (journal + log file) : log = {}.{:02}",
        journal >> 10,
        logs >> 10,
        hundredths / 100,
        hundredths % 100
    )))
}

/// Returns the folder of the most recent run.
fn latest(runs: &Path) -> Result<PathBuf> {
    let failed = |error| format!("cannot read {}: {error}", runs.display());
    let mut latest: Option<(SystemTime, PathBuf)> = None;
    for entry in fs::read_dir(runs).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let made = fs::metadata(path.join("journal")).and_then(|data| data.modified());
        if let Ok(made) = made
            && latest.as_ref().is_none_or(|(last, _)| made > *last)
        {
            latest = Some((made, path));
        }
    }
    let latest = latest.ok_or_else(|| format!("there is no run in {}", runs.display()))?;
    Ok(latest.1)
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |data| data.len())
}

/// Returns the total bytes of all files in a folder.
fn below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| size(&entry.path())).sum()
}
