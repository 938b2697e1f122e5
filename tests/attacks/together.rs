//! The total resources of all steps, whatever the limits of each.

use super::harness::{Arena, Bounds, Outcome};

const BOUNDS: Bounds = Bounds {
    memory: 512 << 20,
    time: std::time::Duration::from_mins(2),
    disk: 64 << 20,
};

/// Runs a pipeline with this ceiling, and without a limit on parallel steps.
fn run(steps: &str, memory: &str) -> Outcome {
    let mut arena = Arena::new();
    let pipeline = format!("version: 1\nname: arena\nmaxParallel: 200\nsteps:\n{steps}");
    arena.setup.write("sidestep.yaml", &pipeline);
    let mut command = arena.setup.command(&["run", "--max-parallel", "200"]);
    command.env("SIDESTEP_MEMORY", memory);
    arena.run_command(command, BOUNDS)
}

/// Returns a step with this many instances, and more keys.
fn step(name: &str, act: &str, mebibytes: u32, instances: u32, keys: &str) -> String {
    let numbers: Vec<String> = (0..instances).map(|n| n.to_string()).collect();
    format!(
        "  {name}:\n    uses: ./attacker.wasm\n    matrix: {{ n: [{}] }}\n    \
         with: {{ act: {act}, count: {mebibytes} }}\n{keys}",
        numbers.join(", ")
    )
}

/// The step after the attack.
const NEXT: &str = "  next:\n    needs: [attack]\n    if: \"always()\"\n    \
                    uses: ./attacker.wasm\n    with: { act: honest.answer }\n";

/// Counts the lines that report this ending for instances of this step.
fn count(outcome: &Outcome, mark: &str, step: &str) -> usize {
    let begins = format!("{mark} {step}");
    let said = outcome.said();
    let lines = said.lines().filter(|line| line.starts_with(&begins));
    lines.count()
}

#[test]
fn thirty_steps_of_a_hundred_mebibytes_take_turns_below_the_ceiling() {
    let steps = step("attack", "together.grow", 100, 30, "") + NEXT;
    let outcome = run(&steps, "256Mi");
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert_eq!(count(&outcome, "✓", "attack["), 30, "{outcome}");
    assert!(outcome.said().contains("waiting: "), "{outcome}");
    outcome.assert_next_step_ran();
}

#[test]
fn a_step_that_kept_memory_of_the_host_leaves_it_to_the_next() {
    let grow = "with: { act: together.grow, count: 100 }";
    let next = NEXT.replace("with: { act: honest.answer }", grow);
    let steps = step("attack", "budgets.keep-secrets", 0, 1, "") + &next;
    let outcome = run(&steps, "320Mi");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.said().contains("limit.host-memory"), "{outcome}");
    outcome.assert_next_step_ran();
}

#[test]
fn a_step_that_needs_more_than_the_ceiling_fails_and_names_it() {
    let steps = step("attack", "together.grow", 100, 1, "") + NEXT;
    let outcome = run(&steps, "64Mi");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    outcome.assert_next_step_ran();
    let said = outcome.said();
    assert!(said.contains("plugin.out-of-memory"), "{outcome}");
    assert!(
        said.contains("64 MiB that all steps together may have"),
        "{outcome}"
    );
    assert!(said.contains("raise `memory`"), "{outcome}");
}

#[test]
fn steps_that_keep_what_they_took_do_not_keep_small_ones_from_running() {
    let hold = step("attack", "together.hold", 200, 4, "    timeout: 3s\n");
    let honest = step("honest", "honest.answer", 0, 20, "");
    let outcome = run(&(hold + &honest + NEXT), "512Mi");
    assert_eq!(outcome.code, Some(5), "{outcome}");
    assert_eq!(count(&outcome, "✓", "honest["), 20, "{outcome}");
    outcome.assert_next_step_ran();
}

#[test]
fn a_step_that_waits_for_memory_ends_at_its_own_timeout() {
    let hold = step("attack", "together.hold", 200, 2, "    timeout: 4s\n");
    let outcome = run(&(hold + NEXT), "256Mi");
    // One step holds the memory and the other waits, both with the same timeout.
    assert_eq!(outcome.code, Some(5), "{outcome}");
    outcome.assert_next_step_ran();
}

#[test]
fn a_project_does_not_raise_the_ceiling() {
    let mut arena = Arena::new();
    arena.attack("act: honest.answer");
    arena.setup.write(".sidestep/config.yaml", "memory: 1Ti\n");
    let outcome = arena.run(&["run"], Bounds::default());
    assert_eq!(outcome.code, Some(6), "{outcome}");
    assert!(outcome.said().contains("memory"), "{outcome}");
}
