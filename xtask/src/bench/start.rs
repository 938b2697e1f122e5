//! The cost of a start: instructions, processor time, memory, and the size of the program.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::container::Container;
use super::sample::in_turn;
use super::table::{Figure, Row};
use super::workbench::{Workbench, printed, to_end};
use super::{Result, Round};
use crate::cargo;

/// These take milliseconds, and their targets are ratios of two of them.
const LEAST_ROUNDS: usize = 50;

/// An in-memory folder, if the machine has one (`shm_open(3)`).
const MEMORY: &str = "/dev/shm";

const STEP: &str = "version: 1\nname: one\nsteps:\n  one:\n    uses: ./noop.wasm\n";

/// Measures the start and the whole of a run with one step that does nothing.
pub(crate) fn measure(bench: &Workbench, rounds: usize) -> Result<Vec<Row>> {
    let rounds = rounds.max(LEAST_ROUNDS);
    bench.write("one.yaml", STEP)?;
    Ok(vec![
        version(bench, rounds)?,
        in_memory(bench, rounds)?,
        on_disk(bench, rounds)?,
    ])
}

/// Measures the figures that are counted once.
pub(crate) fn figures(bench: &Workbench) -> Vec<Figure> {
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    let size = fs::metadata(bench.runner()).map_err(|error| error.to_string());
    vec![
        Figure {
            what: "instructions of `sidestep validate pipelines/quickstart.yaml`, millions",
            value: instructions(bench).map(|count| count.div_ceil(1_000_000)),
            goal: 25,
        },
        Figure {
            what: "size of the runner, MB",
            value: size.map(|size| megabytes(size.len())),
            goal: 60,
        },
        Figure {
            what: "peak memory of a run of one step (VmHWM), MB",
            value: bench
                .write("one.yaml", STEP)
                .and_then(|_| most_memory(bench))
                .map(megabytes),
            goal: 25,
        },
    ]
}

/// Measures the processor time of `--version`: the cost of the loader and the command line.
fn version(bench: &Workbench, rounds: usize) -> Result<Row> {
    let things: Vec<Round<'_>> = vec![
        Box::new(|| processor_time(bench.sidestep(&["--version"]))),
        Box::new(|| processor_time(bench.command("/bin/true"))),
    ];
    let row = Row::new(
        "`sidestep --version`, user and system time",
        in_turn(rounds, things),
        &["a process (/bin/true)"],
    )?;
    Ok(row.with_note("the goal is 2.5 times that".into()))
}

/// Returns the processor time of a single-threaded program, as the scheduler counts it in
/// nanoseconds (proc_pid_schedstat(5)). The counter of a program that has exited remains readable
/// until the program is waited for.
fn processor_time(mut command: Command) -> Result<Duration> {
    let failed = |error: std::io::Error| error.to_string();
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let taken = ended(&mut child).and_then(|()| {
        let line = fs::read_to_string(format!("/proc/{}/schedstat", child.id())).map_err(failed)?;
        let nanoseconds = line.split_whitespace().next().and_then(|n| n.parse().ok());
        nanoseconds.ok_or_else(|| format!("not a time: {line}"))
    });
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        return Err(format!("{} failed", command.get_program().display()));
    }
    taken.map(Duration::from_nanos)
}

/// Waits for the end of a program's output, and then for the program's exit.
fn ended(child: &mut Child) -> Result<()> {
    let failed = |error: std::io::Error| error.to_string();
    let mut output = child.stdout.take().ok_or("it was asked for above")?;
    output.read_to_end(&mut Vec::new()).map_err(failed)?;
    let stat = format!("/proc/{}/stat", child.id());
    // proc_pid_stat(5): the state follows the program's name, which ends at the last bracket.
    while !fs::read_to_string(&stat)
        .map_err(failed)?
        .rsplit_once(") ")
        .is_some_and(|(_, state)| state.starts_with('Z'))
    {
        std::thread::yield_now();
    }
    Ok(())
}

fn in_memory(bench: &Workbench, rounds: usize) -> Result<Row> {
    let what = "a run of one step that does nothing, all in memory (tmpfs)";
    let memory = Memory::make()?;
    let inner = bench.within(&memory.0)?;
    inner.write("one.yaml", STEP)?;
    let container = Container::make(&inner, "memory", &["true"]);
    let row = Row::new(
        what,
        in_turn(
            rounds,
            vec![
                Box::new(|| to_end(inner.sidestep(&["run", "one.yaml"]))),
                Box::new(|| to_end(container.as_ref().map_err(Clone::clone)?.run(&inner))),
            ],
        ),
        &["a container (runc) that does nothing"],
    )?;
    Ok(row.with_note("the goal is 1/4 of that".into()))
}

fn on_disk(bench: &Workbench, rounds: usize) -> Result<Row> {
    let container = Container::make(bench, "disk", &["true"]);
    let things: Vec<Round<'_>> = vec![
        Box::new(|| to_end(bench.sidestep(&["run", "one.yaml"]))),
        Box::new(|| to_end(container.as_ref().map_err(Clone::clone)?.run(bench))),
        Box::new(|| synced(&bench.folder.join("synced"))),
    ];
    Row::new(
        "the same on the disk",
        in_turn(rounds, things),
        &[
            "a container (runc) that does nothing",
            "one `fdatasync`, which every run waits for",
        ],
    )
}

/// Returns how long the disk takes to write a new file of the size of a short journal.
fn synced(path: &Path) -> Result<Duration> {
    let write = || -> std::io::Result<Duration> {
        let file = fs::File::create(path)?;
        std::io::Write::write_all(&mut &file, &[0; 2048])?;
        let started = Instant::now();
        file.sync_data()?;
        Ok(started.elapsed())
    };
    write().map_err(|error| format!("{}: {error}", path.display()))
}

/// An in-memory folder, removed when this value is dropped.
struct Memory(PathBuf);

impl Memory {
    fn make() -> Result<Self> {
        let kind = printed({
            let mut stat = Command::new("stat");
            stat.args(["-f", "-c", "%T", MEMORY]);
            stat
        })?;
        if kind.trim() != "tmpfs" {
            return Err(format!("{MEMORY} is not in memory"));
        }
        let folder = Path::new(MEMORY).join(format!("sidestep-bench-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns the number of instructions that callgrind counts. Callgrind supports no SHA and no
/// AVX-512 instructions.
fn instructions(bench: &Workbench) -> Result<u64> {
    let mut command = bench.sidestep(&[]);
    let runner = command.get_program().to_owned();
    let mut counted = bench.command("valgrind");
    counted
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(cargo::root())
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(runner)
        .args(["validate", "pipelines/quickstart.yaml"])
        .stderr(Stdio::piped());
    // The caches that it keeps between runs exist at the second run.
    command
        .current_dir(cargo::root())
        .args(["validate", "pipelines/quickstart.yaml"]);
    to_end(command)?;
    let output = counted.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stderr);
    number_after(&text, "Collected :").ok_or_else(|| format!("valgrind: {}", text.trim()))
}

/// Returns the peak memory of a run in bytes, by GNU time.
fn most_memory(bench: &Workbench) -> Result<u64> {
    let command = bench.sidestep(&["run", "one.yaml"]);
    let report = bench.folder.join("memory.txt");
    let mut timed = bench.command("time");
    timed
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .args(["-f", "kibibytes: %M", "-o"])
        .arg(&report)
        .arg(command.get_program())
        .args(command.get_args());
    to_end(command)?;
    to_end(timed)?;
    let text = fs::read_to_string(&report).map_err(|error| error.to_string())?;
    let kibibytes = number_after(&text, "kibibytes:");
    kibibytes
        .map(|number| number << 10)
        .ok_or_else(|| format!("time: {}", text.trim()))
}

fn number_after(text: &str, label: &str) -> Option<u64> {
    let (_, rest) = text.split_once(label)?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_what_the_tools_print() {
        let text = "==6457== Events    : Ir\n==6457== Collected : 78075261\n==6457==\n";
        assert_eq!(number_after(text, "Collected :"), Some(78_075_261));
        assert_eq!(number_after("kibibytes: 972\n", "kibibytes:"), Some(972));
        assert_eq!(number_after("", "Collected :"), None);
    }

    #[test]
    fn the_processor_time_of_a_program_that_ended_is_known() {
        let taken = processor_time(Command::new("/bin/true")).expect("it ends well");
        assert!(taken > Duration::ZERO && taken < Duration::from_secs(1));
        assert!(processor_time(Command::new("/bin/false")).is_err());
    }
}
