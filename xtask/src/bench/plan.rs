//! The time to check and plan a large file.

use std::fmt::Write;

use super::sample::in_turn;
use super::table::Row;
use super::workbench::{Workbench, to_end};
use super::{Result, Round};

/// The numbers of step instances.
const MANY: u32 = 10_000;
const FEWER: [(u32, &str); 2] = [
    (5_000, "the same with 5,000 steps"),
    (1_000, "the same with 1,000 steps"),
];

/// Measures `sidestep validate`, whose time should grow in proportion to the number of steps.
pub(crate) fn measure(bench: &Workbench, rounds: usize) -> Result<Vec<Row>> {
    let mut things: Vec<Round<'_>> = Vec::new();
    for steps in [MANY].into_iter().chain(FEWER.map(|(steps, _)| steps)) {
        let name = format!("plan-{steps}.yaml");
        bench.write(&name, &pipeline(steps))?;
        things.push(Box::new(move || {
            to_end(bench.sidestep(&["validate", &name]))
        }));
    }
    let row = Row::new(
        "check and plan a file with 10,000 step instances",
        in_turn(rounds, things),
        &FEWER.map(|(_, name)| name),
    )?;
    Ok(vec![row.with_note("the goal is 500 ms".to_owned())])
}

/// Returns a pipeline of steps in a row: each needs the one before it.
fn pipeline(steps: u32) -> String {
    let mut text = String::from("version: 1\nname: bench\nsteps:\n");
    for step in 1..=steps {
        let _ = write!(text, "  s{step}: {{ uses: ./noop.wasm");
        if step > 1 {
            let _ = write!(text, ", needs: [s{}]", step - 1);
        }
        text.push_str(" }\n");
    }
    text
}
