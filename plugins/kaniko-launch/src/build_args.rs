//! Build arguments from a file of the workspace.

use std::collections::BTreeMap;

use sidestep::{Diagnostic, Error, Result, codes, workspace};

use crate::inputs::{Inputs, Known};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// Adds the file's values to the inputs.
pub(crate) fn add(inputs: &mut Inputs) -> Result<()> {
    if let Some(file) = &inputs.build_args_file {
        let found = read(file).map_err(|found| {
            let error = Error::invalid_input(found.code, found.message);
            error.helps(found.help)
        })?;
        inputs.build_args = over(found, &inputs.build_args);
    }
    Ok(())
}

/// Returns all known build arguments, or the problem of the file; `None` if some are not known yet.
pub(crate) fn known(
    inputs: &Known,
) -> std::result::Result<Option<BTreeMap<String, String>>, Diagnostic> {
    let (Some(args), Some(file)) = (&inputs.build_args, &inputs.build_args_file) else {
        // A check of inputs that another step provides knows neither.
        let args = inputs.build_args.clone();
        return Ok(args.filter(|_| inputs.build_args_file.is_some()));
    };
    match file {
        None => Ok(Some(args.clone())),
        Some(file) => read(file).map(|found| Some(over(found, args))),
    }
}

/// Returns the file's values with those of `buildArgs` over them.
fn over(
    mut file: BTreeMap<String, String>,
    args: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    file.extend(args.clone());
    file
}

fn read(file: &str) -> std::result::Result<BTreeMap<String, String>, Diagnostic> {
    match workspace::read(file, LARGEST) {
        Ok(bytes) => parse(file, &String::from_utf8_lossy(&bytes)),
        Err(error) if error.is_not_found() => {
            let message = format!("the file of build arguments {file} does not exist");
            Err(Diagnostic::error(codes::kaniko::BUILD_ARGS_FILE, message)
                .help("set `buildArgsFile` to a file of the workspace"))
        }
        Err(error) => Err(error.into()),
    }
}

fn parse(file: &str, text: &str) -> std::result::Result<BTreeMap<String, String>, Diagnostic> {
    let mut found = BTreeMap::new();
    for (line, number) in text.lines().zip(1_u32..) {
        let bare = line.trim_start();
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        let entry = bare.split_once('=').filter(|(name, _)| is_name(name));
        let Some((name, value)) = entry else {
            let message = "the line is not of the form NAME=VALUE";
            return Err(Diagnostic::error(codes::kaniko::BUILD_ARGS_FILE, message)
                .in_file(file)
                .at(number, 1)
                .help("write one argument a line, without quotes; comments begin with `#`"));
        };
        found.insert(name.to_owned(), value.to_owned());
    }
    Ok(found)
}

fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    !name.is_empty() && name.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_line_is_an_argument_a_comment_or_a_problem_with_its_place() {
        let text = "# versions\nGO=1.26\n\n  MODE=a=b c\r\nEMPTY=\n#X=1\n";
        let found = parse("args.env", text).expect("arguments");
        let expected = [("EMPTY", ""), ("GO", "1.26"), ("MODE", "a=b c")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(found, BTreeMap::from(expected));
        for (text, line) in [("A=1\nexport B=2\n", 2), ("=x\n", 1), ("word\n", 1)] {
            let found = parse("args.env", text).expect_err(text);
            assert_eq!(
                (found.file.as_deref(), found.line),
                (Some("args.env"), Some(line))
            );
            assert_eq!(found.code, "kaniko.build-args-file");
        }
    }

    #[test]
    fn what_the_step_sets_comes_before_the_file() {
        let args = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let all = over(
            args(&[("A", "file"), ("B", "file")]),
            &args(&[("A", "step"), ("C", "step")]),
        );
        assert_eq!(all, args(&[("A", "step"), ("B", "file"), ("C", "step")]));
    }

    #[test]
    fn arguments_that_another_step_provides_are_not_known() {
        let of = |inputs| known(&from_value(inputs).expect("known inputs"));
        let none = Some(BTreeMap::new());
        assert_eq!(
            of(json!({ "buildArgs": {}, "buildArgsFile": null })),
            Ok(none)
        );
        assert_eq!(
            of(json!({ "buildArgs": {} })),
            Ok(None),
            "the file comes later"
        );
        assert_eq!(of(json!({ "buildArgsFile": null })), Ok(None));
    }
}
