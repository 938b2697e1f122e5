use proptest::prelude::*;

use super::characters::{color_sequence, is_hidden};
use super::*;
use crate::Foreign;

/// Generates parts of attacks, with any characters in between.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\u{1b}[31m"),
        Just("\u{1b}]52;c;cHduZWQ=\u{7}"),
        Just("\u{9b}2J"),
        Just("\u{202e}"),
        Just("\u{200d}"),
        Just("\u{34f}"),
        Just("\u{2028}"),
        Just("\r\n"),
        Just("\r"),
        Just("\n"),
        Just("\t"),
        Just("  "),
        Just("::set-env name=A::b"),
        Just("##["),
        Just("##VSO[task.setvariable]"),
        Just("#"),
        Just("teamcity["),
        Just("--- group"),
        Just("^^^ +++"),
        Just("'"),
        Just("\\"),
        Just("%0A,:"),
    ]
    .prop_map(str::to_owned);
    let any = prop::collection::vec(any::<char>(), 0..4).prop_map(String::from_iter);
    prop::collection::vec(prop_oneof![piece, any], 0..12).prop_map(|parts| parts.concat())
}

/// Fails on anything that a terminal or a CI system would act on.
fn harmless(lines: &str) -> Result<(), TestCaseError> {
    for line in lines.split('\n') {
        for character in line.chars() {
            prop_assert!(!is_hidden(character) || character == '\t', "{line:?}");
        }
        let low = line.to_lowercase();
        for marker in ["##[", "##vso[", "##teamcity["] {
            prop_assert!(!low.contains(marker), "{line:?}");
        }
        let begins = line.trim_start();
        for start in ["::", "--- ", "+++ ", "~~~ ", "^^^ "] {
            prop_assert!(!begins.starts_with(start), "{line:?}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_line_is_one_line_and_does_nothing(text in hostile()) {
        let shown = line(&Foreign::from(text));
        prop_assert!(!shown.contains(['\n', '\t']));
        harmless(&format!("· {shown}"))?;
    }

    #[test]
    fn each_line_of_a_block_begins_with_ours(text in hostile()) {
        for shown in block(&Foreign::from(text), "  why   ", "     ·  ") {
            prop_assert!(shown.starts_with("  why") || shown.starts_with("     ·"), "{shown:?}");
            prop_assert!(!shown.contains('\t'));
            harmless(&shown)?;
        }
    }

    #[test]
    fn a_line_of_a_log_does_nothing(text in hostile()) {
        harmless(&format!("│ {}", log_line(&Foreign::from(text))))?;
    }

    #[test]
    fn nothing_gets_through_the_seal(text in hostile()) {
        let out = sealed(&text);
        let plain = super::characters::without_colors(&out);
        harmless(&plain)?;
        prop_assert_eq!(sealed(&out), out);
    }

    #[test]
    fn what_is_shown_passes_the_seal_unchanged(text in hostile()) {
        let text = Foreign::from(text);
        let lines = [
            format!("· {}", line(&text)),
            format!("│ {}", log_line(&text)),
            block(&text, "· ", "· ").join("\n"),
            json(&text).expect("a string"),
        ];
        for shown in lines {
            prop_assert_eq!(sealed(&shown), shown);
        }
    }

    #[test]
    fn json_has_the_exact_text_in_harmless_characters(text in hostile()) {
        for shown in [json(&[&text]), json_pretty(&[&text])] {
            let shown = shown.expect("a list");
            harmless(&shown)?;
            prop_assert_eq!(serde_json::from_str::<[String; 1]>(&shown).expect("JSON"), [text.clone()]);
        }
    }

    #[test]
    fn a_workflow_command_has_one_line(text in hostile()) {
        let (data, property) = (github_data(&text), github_property(&text));
        prop_assert!(!property.contains([':', ',']), "{property:?}");
        let command = format!("::error title={property}::{data}");
        prop_assert!(!command.contains('\n'));
        prop_assert!(command.chars().all(|c| !is_hidden(c)), "{command:?}");
        prop_assert!(!command.contains("##["));
    }

    #[test]
    fn a_word_of_a_command_is_harmless(text in hostile()) {
        let word = shell_word(&text);
        prop_assert!(!word.contains(['\n', '\t']) || !word.starts_with('$'), "{word:?}");
        harmless(&format!("$ echo {word}"))?;
    }
}

#[test]
fn a_shell_reads_the_exact_word() {
    let words = [
        "plain-1.0/x:y@z",
        "",
        "it's \"$(rm -rf /)\" `x` $HOME \\ *",
        "a\u{1b}b\n\u{202e}c\t'd'\\e\u{9b}",
        "##[add-path]/x ##vso[y] '##[z]",
        "=cmd",
    ];
    for word in words {
        let shown = shell_word(word);
        let script = format!("printf %s {shown}");
        let mut bash = std::process::Command::new("bash");
        let read = bash.arg("-c").arg(&script).output().expect("bash is there");
        assert_eq!(String::from_utf8_lossy(&read.stdout), word, "{shown}");
    }
    assert_eq!(shell_word("plain-1.0/x:y@z"), "plain-1.0/x:y@z");
    assert_eq!(shell_word("a\u{1b}b"), r"$'a\033b'");
}

#[test]
fn what_is_hidden_is_what_unicode_says() {
    let hidden = regex::Regex::new(r"^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]$").expect("a pattern");
    for character in char::MIN..=char::MAX {
        let reserved = matches!(character, '\u{2065}' | '\u{e0000}'..='\u{e001f}');
        let expected = hidden.is_match(character.encode_utf8(&mut [0; 4]));
        assert_eq!(
            is_hidden(character),
            expected || reserved,
            "{:x}",
            u32::from(character)
        );
    }
}

#[test]
fn escapes_can_be_read() {
    assert_eq!(line("a\u{1b}]0;x\u{7}\n"), r"a\u{1b}]0;x\u{7}");
    assert_eq!(line("\u{1b}[31mred\tx\r\ny"), r"\u{1b}[31mred\tx\r\ny");
    assert_eq!(line("a ##[add-path]/x"), "a # #[add-path]/x");
    assert_eq!(
        log_line("\u{1b}[1;31mred\u{1b}[0m\u{7}\tx\r\n"),
        "red\\u{7}\tx"
    );
    assert_eq!(log_line("10%\r50%\u{1b}[K"), r"10%\r50%\u{1b}[K");
    assert_eq!(
        block("one\n::two\n", "why  ", "  ·  "),
        ["why  one", "  ·  ::two"]
    );
    assert_eq!(
        sealed("::set-env name=a::b\n ok\n"),
        ": :set-env name=a::b\n ok\n"
    );
    assert_eq!(
        sealed("\u{1b}[1m  ::x\u{1b}[0m"),
        "\u{1b}[1m  : :x\u{1b}[0m"
    );
    assert_eq!(sealed("---\nkind: Role\n--- x"), "---\nkind: Role\n- -- x");
    assert_eq!(
        json("\u{202e}\u{e0001}##[x").expect("JSON"),
        r#""\u202e\udb40\udc01\u0023#[x""#
    );
    assert_eq!(github_property("a,b:c\n"), "a%2Cb%3Ac");
    assert_eq!(github_data("100%\r\n::x"), "100%25%0A::x");
    assert_eq!(excerpt("a\tb\u{200b}\rc\r\n"), "a\tb\\u{200b}\\rc\n");
    assert_eq!(color_sequence("\u{1b}[38;5;1mx"), Some(9));
    assert_eq!(color_sequence("\u{1b}[2Jx"), None);
}
