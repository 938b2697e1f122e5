use super::*;

/// Returns kaniko's message; the expected ones are from the log of kaniko 1.28.3.
fn said(text: &str) -> String {
    match parse(text) {
        Ok(_) => "taken".to_owned(),
        Err(errors) => errors
            .iter()
            .map(Error::to_string)
            .collect::<Vec<_>>()
            .join(" | "),
    }
}

#[test]
fn faults_are_said_in_kanikos_words() {
    let line = |number: u32, what: &str| format!("dockerfile parse error on line {number}: {what}");
    for (text, want) in [
        ("# only\n", "file with no instructions".to_owned()),
        (
            "ARG A\n",
            "dockerfile must contain at least one FROM instruction".to_owned(),
        ),
        (
            "RUN x\nFROM a\n",
            "no build stage in current context".to_owned(),
        ),
        (
            "FROM ab\nCOPPY x y\n",
            line(2, "unknown instruction: COPPY (did you mean COPY?)"),
        ),
        (
            "FROM ab c\n",
            line(1, "FROM requires either one or three arguments"),
        ),
        (
            "FROM ab AS 1x\n",
            line(
                1,
                "invalid name for build stage: \"1x\", name can't start with a number or contain symbols",
            ),
        ),
        ("FROM ab\nRUN --user=x y\n", line(2, "unknown flag: --user")),
        (
            "FROM ab\nCOPY x\n",
            line(
                2,
                "COPY requires at least two arguments, but only one was provided. Destination could not be determined",
            ),
        ),
        (
            "FROM ab\nCMD [1]\n",
            "when using JSON array syntax, arrays must be comprised of strings only".to_owned(),
        ),
        ("FROM ab\nENV A\n", "ENV must have two arguments".to_owned()),
        ("FROM ab\nRUN <<EOF\nx\n", "unterminated heredoc".to_owned()),
        (
            "FROM ab\nSHELL bash\n",
            line(2, "SHELL requires the arguments to be in JSON form"),
        ),
        (
            "FROM ab\nHEALTHCHECK\n",
            line(2, "HEALTHCHECK requires at least one argument"),
        ),
        (
            "FROM ab\nHEALTHCHECK --interval=1x CMD y\n",
            line(2, "time: unknown unit \"x\" in duration \"1x\""),
        ),
        (
            "FROM ab\nONBUILD FROM x\n",
            line(2, "FROM isn't allowed as an ONBUILD trigger"),
        ),
        (
            "FROM ab\nUSER\n",
            line(2, "USER requires exactly one argument"),
        ),
        (
            "FROM ab\nLABEL a=b c\n",
            "Syntax error - can't find = in \"c\". Must be of the form: name=value".to_owned(),
        ),
    ] {
        assert_eq!(said(text), want, "{text}");
    }
}

#[test]
fn what_kaniko_builds_is_taken() {
    for text in [
        "FROM ab AS x\nFROM cd AS X\n",
        "from ab as x\nrun cat <<A <<B\n1\nA\n2\nB\n",
        "FROM ab\nMAINTAINER me\nARG A=1 B\nENV A b c\nSTOPSIGNAL 9\nVOLUME [\"/a\"]\n",
        "FROM ab\nCOPY --link --parents --exclude=a --exclude=b x y /z/\nADD --checksum=1 u /v\n",
        "FROM ab\nHEALTHCHECK NONE\nRUN [ -f x ] \\\n\n# c\n && y\nRUN\nCMD []\n",
        "FROM ab\nONBUILD RUN <<EOF\nx\nEOF\nEXPOSE 80/tcp\n",
    ] {
        assert_eq!(said(text), "taken", "{text}");
    }
}

#[test]
fn places_are_those_of_the_text() {
    let text =
        "ARG A\nFROM b:$A \\\n  AS \\\n  c\nCOPY --from=x \\\n --chmod=1 <<'E' d/ /e/\nf\nE\n";
    let file = parse(text).expect("a Dockerfile");
    let stage = &file.stages[0];
    let name = stage.from.name.as_ref().expect("a name");
    assert!(text[name.at..].starts_with("c\nCOPY"));
    let copy = &stage.instructions[0];
    assert!(text[copy.flags[1].at..].starts_with("--chmod"));
    let Kind::Copy(copying) = &copy.kind else {
        unreachable!("it is a COPY")
    };
    assert!(text[copying.destination.at..].starts_with("/e/"));
    assert_eq!(&*copy.heredocs[0].text, "f\n");
}

#[test]
fn a_line_of_nothing_but_triggers_is_read_and_refused() {
    let text = "FROM a\n".to_owned() + &"ONBUILD \\\n".repeat(100_000) + "RUN x";
    let errors = parse(&text).expect_err("refused");
    assert_eq!(
        errors[0].message,
        "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"
    );
}

#[test]
fn options_of_a_check_that_kaniko_refuses_are_an_error_at_their_value() {
    let errors = parse("# check=error=yes\nFROM scratch\nCOPY a /a\n").expect_err("refused");
    assert_eq!(errors[0].at, "# check=".len());
    assert_eq!(
        errors[0].kanikos(),
        "parsing dockerfile: parsing lint options: failed to parse check option \"error=yes\": strconv.ParseBool: parsing \"yes\": invalid syntax"
    );
    assert!(parse("# check=skip=all;error=true\nFROM scratch\n").is_ok());
    // The value ends at its first space.
    assert!(parse("# check=skip=A, B;eror=true\nFROM scratch\n").is_ok());
    let errors = parse("# check=error = T\nFROM scratch\n").expect_err("refused");
    assert!(
        errors[0]
            .message
            .ends_with("invalid check option \"error\"")
    );
    // It is found after a shebang, which ends the other directives, but not after a blank.
    let errors = parse("#!/bin/x\n# check=eror=true\nFROM scratch\n").expect_err("refused");
    assert_eq!(errors[0].at, "#!/bin/x\n# check=".len());
    assert!(parse("#!/bin/x\n# escape=x\nFROM scratch\n").is_ok());
    assert!(parse(" # check=eror=true\nFROM scratch\n").is_ok());
    // After a comment, or after another directive that ends the directives, it is a comment.
    assert!(parse("# hello\n# check=nonsense\nFROM scratch\n").is_ok());
    for twice in ["syntax=a", "escape=`", "check=skip=all"] {
        let text = format!("# {twice}\n# {twice}\nFROM scratch\n");
        let errors = parse(&text).expect_err("refused");
        assert!(errors[0].message.starts_with("only one "), "{errors:?}");
    }
    let errors = parse("# escape=x\nFROM scratch\n").expect_err("refused");
    assert!(
        errors[0].message.contains("invalid escape token"),
        "{errors:?}"
    );
}
