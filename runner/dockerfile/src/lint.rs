//! The options of `# check=…`, by the rules of BuildKit's `linter.ParseLintOptions`, which kaniko
//! calls.

/// The maximum number of options; text after the last `;` belongs to the third.
const OPTIONS: usize = 3;
/// The values that Go's `strconv.ParseBool` accepts.
const BOOLEANS: [&str; 12] = [
    "1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False",
];

/// Checks the value of the directive. The error is kaniko's message.
pub(crate) fn check(value: &str) -> Result<(), String> {
    let refused = |what: &str| format!("parsing lint options: invalid check option {what:?}");
    for option in value.splitn(OPTIONS, ';') {
        let (name, value) = option.split_once('=').ok_or_else(|| refused(option))?;
        match name.trim() {
            "skip" | "experimental" => {}
            "error" if BOOLEANS.contains(&value.trim()) => {}
            "error" => {
                let value = value.trim();
                return Err(format!(
                    "parsing lint options: failed to parse check option {option:?}: strconv.ParseBool: parsing {value:?}: invalid syntax"
                ));
            }
            other => return Err(refused(other)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_options_are_known_and_one_takes_a_boolean() {
        for good in [
            "skip=all",
            "skip=JSONArgsRecommended,",
            "error=T",
            "skip=a;\terror\t=\t1",
            "experimental=all;skip=;error=0",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("all", "invalid check option \"all\""),
            ("skip=a;eror=true", "invalid check option \"eror\""),
            ("skip=a;", "invalid check option \"\""),
            (
                "error=yes",
                "failed to parse check option \"error=yes\": strconv.ParseBool: parsing \"yes\": invalid syntax",
            ),
            (
                "skip=a;skip=b;error=1;skip=c",
                "failed to parse check option \"error=1;skip=c\": strconv.ParseBool: parsing \"1;skip=c\": invalid syntax",
            ),
        ] {
            assert_eq!(check(bad), Err(format!("parsing lint options: {why}")));
        }
    }
}
