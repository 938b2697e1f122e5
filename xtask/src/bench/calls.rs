//! The cost of a plugin's host call, compared with the usual way of a script step: starting a
//! program that makes a system call.

use std::cell::Cell;
use std::time::Duration;

use super::sample::in_turn;
use super::table::Row;
use super::workbench::{Workbench, printed, to_end};
use super::{Result, Round};

/// The number of clock calls in one step. Their total is measured to a millisecond.
const CLOCK: u32 = 2_000_000;

/// The number of file metadata calls in one step.
const STAT: u32 = 20_000;

/// Measures a call that needs no grant, and one that passes the permission gate.
pub(crate) fn measure(bench: &Workbench, rounds: usize) -> Result<Vec<Row>> {
    let pipeline = format!(
        "version: 1\nname: calls\nsteps:\n  call:\n    uses: ./caller.wasm\n    \
         with: {{ path: file.txt, clock: {CLOCK}, stat: {STAT} }}\n    \
         grants: {{ workspace: {{ read: [file.txt] }} }}\n"
    );
    bench.write("calls.yaml", &pipeline)?;
    bench.write("file.txt", "a file to look at\n")?;
    // One run gives both times: the first row's round runs it, and the second row's round reads its
    // part.
    let stat = Cell::new(Err(String::from("not measured")));
    let clock = || -> Result<Duration> {
        let events = printed(bench.sidestep(&["run", "calls.yaml", "--output", "json"]))?;
        stat.set(each(&events, "stat", STAT));
        each(&events, "clock", CLOCK)
    };
    let process = |program: &'static str, argument: &'static str| {
        move || {
            let mut command = bench.command(program);
            command.arg(argument);
            to_end(command)
        }
    };
    let things: Vec<Round<'_>> = vec![
        Box::new(clock),
        Box::new(|| stat.replace(Err("not measured".into()))),
        Box::new(process("date", "+%s")),
        Box::new(process("stat", "file.txt")),
    ];
    let mut samples = in_turn(rounds, things).into_iter();
    let mut next = || samples.next().expect("as many as things");
    let (clock, stat, date, stat_program) = (next(), next(), next(), next());
    Ok(vec![
        Row::new(
            "a host call: the clock",
            vec![clock, date],
            &["a process (date)"],
        )?,
        Row::new(
            "a recorded host call through the gate: a file's metadata",
            vec![stat, stat_program],
            &["a process (stat)"],
        )?,
    ])
}

/// Returns the time of one call, from the step's output, which is the total in milliseconds.
fn each(events: &str, output: &str, calls: u32) -> Result<Duration> {
    let name = format!("\"{output}\":");
    let milliseconds: u64 = events
        .lines()
        .filter(|line| line.contains("\"step-finished\""))
        .find_map(|line| {
            let (_, value) = line.split_once(&name)?;
            let end = value.find(|c: char| !c.is_ascii_digit())?;
            value[..end].parse().ok()
        })
        .ok_or_else(|| format!("the step has no output `{output}`"))?;
    Ok(Duration::from_millis(milliseconds) / calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calls_time_is_read_from_the_steps_end() {
        let events = r#"{"type":"log","data":{"message":"\"stat\":7"}}
{"type":"step-finished","data":{"status":"succeeded","outputs":{"clock":20,"stat":4000},"durationMs":1}}"#;
        assert_eq!(each(events, "clock", 20_000), Ok(Duration::from_micros(1)));
        assert_eq!(each(events, "stat", 20_000), Ok(Duration::from_micros(200)));
        assert!(each(events, "other", 1).is_err());
    }
}
