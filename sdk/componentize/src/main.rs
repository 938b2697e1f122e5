//! `sidestep-componentize IN.wasm -o OUT.wasm`: converts a plugin's core module to a component.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: sidestep-componentize IN.wasm -o OUT.wasm";

fn main() -> ExitCode {
    let mut stderr = std::io::stderr();
    let result = arguments(std::env::args_os().skip(1)).and_then(|(from, to)| {
        let module = std::fs::read(&from).map_err(|e| format!("{}: {e}", from.display()))?;
        let component = sidestep_componentize::componentize(&module)
            .map_err(|error| format!("{}: {error}", from.display()))?;
        std::fs::write(&to, &component.bytes).map_err(|e| format!("{}: {e}", to.display()))?;
        Ok(component)
    });
    let (text, code) = match result {
        Ok(component) => (notes(&component), ExitCode::SUCCESS),
        Err(error) => (format!("error: {error}\n"), ExitCode::FAILURE),
    };
    // If standard error is closed, only the exit code reports the result.
    let _ = stderr.write_all(text.as_bytes());
    code
}

fn notes(component: &sidestep_componentize::Component) -> String {
    match component.unused.join("`, `") {
        keys if keys.is_empty() => keys,
        keys => format!("warning: requested but not used: `{keys}`\n"),
    }
}

fn arguments(
    arguments: impl Iterator<Item = std::ffi::OsString>,
) -> Result<(PathBuf, PathBuf), String> {
    let (mut from, mut to) = (None, None);
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        if argument == "-o" && to.is_none() {
            to = Some(arguments.next().ok_or(USAGE)?.into());
        } else if from.is_none() && !argument.to_string_lossy().starts_with('-') {
            from = Some(argument.into());
        } else {
            return Err(USAGE.to_owned());
        }
    }
    from.zip(to).ok_or_else(|| USAGE.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<(PathBuf, PathBuf), String> {
        arguments(words.iter().map(Into::into))
    }

    #[test]
    fn both_files_must_be_named() {
        assert_eq!(parse(&["a", "-o", "b"]), Ok(("a".into(), "b".into())));
        assert_eq!(parse(&["-o", "b", "a"]), Ok(("a".into(), "b".into())));
        for wrong in [
            &[][..],
            &["a"],
            &["a", "-o"],
            &["a", "b"],
            &["--help"],
            &["-o", "b"],
        ] {
            assert_eq!(parse(wrong), Err(USAGE.to_owned()));
        }
    }
}
