//! Counts the lines of a file. Replace it with your own step.

use sidestep::{Step, workspace};

/// The step's inputs: the keys of `with` in a pipeline.
#[sidestep::data]
struct Inputs {
    /// The file to count, relative to the workspace.
    path: String,
}

/// The step's outputs: later steps read `steps.ID.outputs.lines`.
#[sidestep::data]
struct Outputs {
    /// The number of lines.
    lines: usize,
}

/// The most bytes that are read of the file.
const MOST: u64 = 1024 * 1024;

/// Counts the lines of a file.
#[sidestep::plugin(name = "PLUGIN_NAME", requests(workspace = "[{'read': [inputs.path]}]"))]
fn run(_: &Step, inputs: Inputs) -> sidestep::Result<Outputs> {
    let text = workspace::read_to_string(&inputs.path, MOST)?;
    sidestep::info!(path = inputs.path; "read {} bytes", text.len());
    Ok(Outputs {
        lines: text.lines().count(),
    })
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;
    use sidestep::testing::Host;

    use super::*;

    #[test]
    fn the_lines_of_the_file_are_counted() -> sidestep::Result<()> {
        let host = Host::new();
        host.workspace()
            .read(|_path, _max| Ok(b"one\ntwo".to_vec()));
        let outputs = host.run(run, json!({ "path": "README.md" }))?;
        assert_eq!(outputs.lines, 2);
        assert_eq!(host.calls(), [r#"workspace::read("README.md", 1048576)"#]);
        assert_eq!(host.log(), ["info: read 7 bytes, path=README.md"]);
        Ok(())
    }

    #[test]
    fn it_requests_only_the_file_that_it_reads() {
        let requests = sidestep_manifest().requests;
        assert_eq!(requests["workspace"], "[{'read': [inputs.path]}]");
        assert_eq!(requests.len(), 1);
    }
}
