//! Pipelines from standard input, and variables from a file.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::setup::Setup;

/// A pipeline that shows the variables that it reads.
const READS: &str = "version: 1
name: reads
env: [SHOWN, UNSET]
x-upload: &upload { uses: sidestep/context-upload }
steps:
  context:
    <<: *upload
    with: { bucket: demo-contexts, prefix: \"${{ default(env.SHOWN, 'none') }}-${{ default(env.UNSET, 'none') }}/\" }
";

fn piped(setup: &mut Setup, arguments: &[&str], text: &str) -> Output {
    let mut child = setup
        .command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn prefix(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    let with = &plan["instances"][0]["with"]["literal"];
    with["prefix"].as_str().expect("known").to_owned()
}

#[test]
fn a_pipeline_is_read_from_standard_input() {
    let mut setup = Setup::with_application();
    let output = piped(&mut setup, &["validate", "-"], READS);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "-: valid (1 steps)\n"
    );
    let output = piped(&mut setup, &["run", "-", "--sandbox"], READS);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let wrong = READS.replace("prefix:", "prefx:");
    let output = piped(&mut setup, &["validate", "-"], &wrong);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("standard input:8:"), "{said}");
    let output = piped(&mut setup, &["validate", "-"], &" ".repeat((1 << 20) + 1));
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("standard input has more than 1048576 bytes"),
        "{said}"
    );
}

#[test]
fn a_file_of_variables_gives_only_what_the_pipeline_lists() {
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", READS);
    setup.write("job.env", "# for the job\nSHOWN=file\nHIDDEN=\"x y\"\n");
    let plan = ["plan", "--output", "json", "--env-file", "job.env"];
    let output = setup.run(&plan);
    assert_eq!(prefix(&output), "file-none/");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        !shown.contains("HIDDEN") && !shown.contains("x y"),
        "{shown}"
    );
    // The file wins over the environment, which still provides the rest.
    let variables = [("SHOWN", "process"), ("UNSET", "process")];
    let output = setup.command(&plan).envs(variables).output().unwrap();
    assert_eq!(prefix(&output), "file-process/");
    setup.write("job.env", "SHOWN=1\nhunter2\n");
    let output = setup.run(&plan);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("job.env:2: this line has no `=`"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_secret_of_the_file_is_used_and_never_shown() {
    let mut setup = Setup::with_application();
    setup.write(
        "sidestep.yaml",
        "version: 1\nname: x\nsecrets: { token: { env: TOKEN } }\nsteps:\n  context: { uses: sidestep/context-upload, with: { bucket: demo-contexts } }\n",
    );
    let missing = setup.run(&["run", "--sandbox"]);
    assert_ne!(missing.status.code(), Some(0));
    setup.write("job.env", "TOKEN='correct horse'\n");
    let output = setup.run(&[
        "run",
        "--sandbox",
        "--env-file",
        "job.env",
        "--output",
        "json",
    ]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("correct horse"));
}
