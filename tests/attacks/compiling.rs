//! Components that are small to read and large to compile.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::forge;
use super::harness::{Arena, Bounds, Outcome};

/// Returns an arena whose plugin is this component.
fn arena(component: &[u8]) -> Arena {
    let arena = Arena::new();
    fs::write(arena.setup.workspace().join("attacker.wasm"), component).expect("written");
    arena.attack("act: forged");
    arena
}

/// Validates the component with these settings and returns the outcome.
fn validate(component: &[u8], settings: &[(&str, &str)]) -> Outcome {
    let mut arena = arena(component);
    let mut command = arena.setup.command(&["validate"]);
    command.envs(settings.iter().copied());
    arena.run_command(command, Bounds::default())
}

/// Asserts that the component was refused with these words before anything started.
fn assert_refused(outcome: &Outcome, code: &str, words: &str) {
    assert_eq!(outcome.code, Some(2), "{outcome}");
    assert!(outcome.said().contains(code), "{outcome}");
    // Messages are wrapped.
    let said = outcome.said();
    let said: Vec<&str> = said
        .split_whitespace()
        .filter(|word| *word != "│")
        .collect();
    let said = said.join(" ");
    assert!(said.contains(words), "{outcome}");
}

#[test]
fn three_kilobytes_of_nested_components_are_counted_and_not_compiled() {
    let component = forge::nested(10, 100);
    assert!(component.len() < 4_000, "{} bytes", component.len());
    let outcome = validate(&component, &[]);
    assert_refused(&outcome, "plugin.too-complex", "core instances");
}

#[test]
fn eight_kilobytes_without_any_module_are_counted_too() {
    let component = forge::hollow(10, 260);
    assert!(component.len() < 9_000, "{} bytes", component.len());
    let outcome = validate(&component, &[]);
    assert_refused(&outcome, "plugin.too-complex", "definitions");
}

#[test]
fn a_million_functions_in_five_megabytes_are_not_compiled() {
    let component = forge::functions(1_000_000, &forge::shortest());
    assert!(component.len() < 6_000_000, "{} bytes", component.len());
    let outcome = validate(&component, &[]);
    assert_refused(&outcome, "plugin.too-complex", "1000000 functions");
}

#[test]
fn types_nested_to_overflow_the_stack_do_not_end_the_runner() {
    let outcome = validate(&forge::nested_types(1_000_000), &[]);
    assert_refused(
        &outcome,
        "plugin.compile-crashed",
        "the compiler crashed on it",
    );
}

#[test]
fn functions_that_take_long_end_at_the_limit_of_time() {
    let component = forge::functions(200, &forge::busy(100_000));
    let outcome = validate(&component, &[("SIDESTEP_COMPILE_TIME", "2s")]);
    assert_refused(&outcome, "plugin.compile-limit", "2 s of CPU time");
    assert!(outcome.said().contains("compileTime"), "{outcome}");
}

#[test]
fn functions_that_take_much_memory_end_at_its_limit() {
    let component = forge::functions(100_000, &forge::shortest());
    let outcome = validate(&component, &[("SIDESTEP_COMPILE_MEMORY", "128Mi")]);
    assert_refused(&outcome, "plugin.compile-limit", "128 MiB of memory");
    assert!(outcome.said().contains("compileMemory"), "{outcome}");
    assert!(outcome.memory < 256 << 20, "{outcome}");
}

#[test]
fn a_project_does_not_raise_the_limits_for_its_own_plugins() {
    let mut arena = arena(&forge::functions(1, &forge::shortest()));
    let raised = "compileTime: 10h\ncompileMemory: 1Ti\n";
    arena.setup.write(".sidestep/config.yaml", raised);
    let outcome = arena.run(&["run"], Bounds::default());
    assert_eq!(outcome.code, Some(6), "{outcome}");
    assert!(outcome.said().contains("compileTime"), "{outcome}");
}

#[test]
fn an_interrupt_ends_the_compiler_too() {
    let mut arena = arena(&forge::functions(400, &forge::busy(100_000)));
    let started = Instant::now();
    let mut runner = arena
        .setup
        .command(&["run"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stderr = BufReader::new(runner.stderr.take().expect("piped"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("readable");
    assert!(line.starts_with("compiling ./attacker.wasm ("), "{line}");
    let compilers = children(runner.id());
    assert_eq!(compilers.len(), 1);
    let pid = Pid::from_child(&runner);
    kill_process(pid, Signal::INT).expect("it runs");
    let status = runner.wait().expect("a child");
    assert_eq!(status.signal(), Some(Signal::INT.as_raw()), "{status}");
    while is_running(compilers[0]) {
        assert!(started.elapsed() < Duration::from_mins(1), "it goes on");
        std::thread::yield_now();
    }
}

/// Returns the child processes of a process.
fn children(of: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("there");
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| stat(*pid).is_some_and(|(_, parent)| parent == of))
        .collect()
}

/// Returns whether a process exists and has not exited.
fn is_running(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
}

/// Returns the state and the parent of a process (proc_pid_stat(5)).
fn stat(pid: u32) -> Option<(String, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}
