//! The time to start a run, and the overhead of each step compared with a process and a container.

use std::fmt::Write;
use std::time::Duration;

use super::container::Container;
use super::sample::in_turn;
use super::table::Row;
use super::workbench::{Workbench, to_end, to_line};
use super::{Result, Round};

/// The number of steps in a long pipeline.
const STEPS: u32 = 50;

/// The output of a step that prints something.
const LINE: &str = "the first line";

/// Measures a run's start and a step's overhead.
pub(crate) fn measure(bench: &Workbench, rounds: usize) -> Result<Vec<Row>> {
    Ok(vec![first_line(bench, rounds)?, overhead(bench, rounds)?])
}

fn first_line(bench: &Workbench, rounds: usize) -> Result<Row> {
    let pipeline = pipeline(1, &format!("    with: {{ message: {LINE} }}\n"));
    bench.write("line.yaml", &pipeline)?;
    let container = Container::make(bench, "echo", &["echo", LINE]);
    let run = || bench.sidestep(&["run", "line.yaml", "--output", "json"]);
    let shell = || {
        let mut shell = bench.command("/bin/sh");
        shell.args(["-c", &format!("echo {LINE}")]);
        shell
    };
    let things: Vec<Round<'_>> = vec![
        Box::new(|| to_line(run(), LINE)),
        Box::new(|| to_line(shell(), LINE)),
        Box::new(|| to_line(container.as_ref().map_err(Clone::clone)?.run(bench), LINE)),
    ];
    Row::new(
        "from `sidestep run` to the first step's first line",
        in_turn(rounds, things),
        &["a shell that echoes", "a container (runc) that echoes"],
    )
}

fn overhead(bench: &Workbench, rounds: usize) -> Result<Row> {
    bench.write("one.yaml", &pipeline(1, ""))?;
    bench.write("many.yaml", &pipeline(STEPS, ""))?;
    let container = Container::make(bench, "true", &["true"]);
    let step = || -> Result<Duration> {
        let one = to_end(bench.sidestep(&["run", "one.yaml"]))?;
        let many = to_end(bench.sidestep(&["run", "many.yaml"]))?;
        Ok(many.saturating_sub(one) / (STEPS - 1))
    };
    let things: Vec<Round<'_>> = vec![
        Box::new(step),
        Box::new(|| to_end(bench.command("/bin/true"))),
        Box::new(|| to_end(container.as_ref().map_err(Clone::clone)?.run(bench))),
    ];
    Row::new(
        &format!("one more step, of {STEPS} in a row that do nothing"),
        in_turn(rounds, things),
        &[
            "a process (/bin/true)",
            "a container (runc) that does nothing",
        ],
    )
}

/// Returns a pipeline of steps that do nothing, one after another.
fn pipeline(steps: u32, more: &str) -> String {
    let mut text = String::from("version: 1\nname: bench\nsteps:\n");
    for step in 1..=steps {
        let _ = write!(text, "  s{step}:\n    uses: ./noop.wasm\n{more}");
        if step > 1 {
            let _ = writeln!(text, "    needs: [s{}]", step - 1);
        }
    }
    text
}
