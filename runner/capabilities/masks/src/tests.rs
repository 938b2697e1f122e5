//! The texts that the mask finds, and those that it leaves unchanged.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use proptest::prelude::*;
use serde_json::json;
use sidestep_events::Owner;

use super::*;

fn masks(secrets: &[&str]) -> Masks {
    let masks = Masks::new();
    for secret in secrets {
        assert_eq!(masks.add(secret), Ok(()));
    }
    masks
}

/// An encoding's name, and its encoder.
type Layer = (&'static str, fn(&str) -> String);

/// Returns the encodings of one layer, as programs write them.
fn layers() -> Vec<Layer> {
    vec![
        ("base64", |text| STANDARD.encode(text)),
        ("base64 URL-safe", |text| URL_SAFE.encode(text)),
        ("JSON", |text| Value::from(text).to_string()),
        ("percent", |text| {
            percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string()
        }),
    ]
}

/// Returns the encodings of one layer that escape every character.
fn full_layers() -> Vec<Layer> {
    vec![
        ("all JSON", |text| {
            text.encode_utf16()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect()
        }),
        ("all percent", |text| {
            text.bytes().map(|byte| format!("%{byte:02x}")).collect()
        }),
    ]
}

#[test]
fn a_secret_that_is_too_short_is_refused() {
    let masks = Masks::new();
    for secret in ["", "abc", "a\0b\n\nc", "\u{200b}\u{200b}é", " \u{1b}ab\r\n"] {
        let refused = masks.add(secret).expect_err(secret);
        assert_eq!(refused, Unmaskable::TooShort);
        let failure = refused.failure("the secret x", Owner::Operator);
        assert_eq!(failure.code, "secret.too-short");
    }
    assert_eq!(masks.text("abc"), "abc");
    assert_eq!(masks.add("abcd"), Ok(()));
}

#[test]
fn secrets_without_end_are_refused() {
    let masks = Masks::new();
    let refused = (0..10).find_map(|n| masks.add(&n.to_string().repeat(900_000)).err());
    assert_eq!(refused, Some(Unmaskable::TooMuch));
    assert!(masks.found_in(&"0".repeat(900_000)));
    let failure = Unmaskable::TooMuch.failure("a composed secret", Owner::Plugin);
    assert_eq!(failure.code, "secret.too-large");
}

#[test]
fn runs_of_overlapping_secrets_become_one_mask() {
    let masked = |secrets: &[&str], text: &str| masks(secrets).text(text).into_owned();
    assert_eq!(masked(&["abcd", "cdef"], "x abcdef y abcd"), "x *** y ***");
    assert_eq!(masked(&["abcd", "cdef"], "abc def"), "abc def");
    assert_eq!(masked(&["abcd", "0abcdef9"], "1 0abcdef9 2"), "1 *** 2");
    let apart = ["bbbb", "dddd", "abbbbcdddde"];
    assert_eq!(masked(&apart, "xabbbbcddddey"), "x***y");
    assert_eq!(masked(&apart, "xabbbbcddddy"), "xa***c***y");
}

#[test]
fn what_can_not_be_seen_hides_no_secret_and_stays_elsewhere() {
    let masks = masks(&["hunter22"]);
    for between in [
        "\0",
        "\u{1b}",
        "\n",
        "\r\n",
        "\u{7f}",
        "\u{8}",
        "\t",
        "\u{85}",
        "\u{9b}",
        "\u{ad}",
        "\u{200b}",
        "\u{202e}",
        "\u{2028}",
        "\u{feff}",
        "\u{e0041}",
        "\u{1b}[31m",
        "\u{1b}[0;1m",
        "\u{1b}[2K",
        "\u{1b}]0;title\u{7}",
        "\u{1b}]8;;https://a.example\u{1b}\\",
        "\u{1b}(B",
        "\u{1b}7",
        "\u{1b}Px\u{1b}\\",
        "\0\u{1b}[1m\r\u{200d}",
    ] {
        for at in 1..8 {
            let (start, end) = "hunter22".split_at(at);
            let text = format!("\u{1b}[36ma {start}{between}{end} b\u{1b}[0m\r");
            let expected = "\u{1b}[36ma *** b\u{1b}[0m\r";
            assert_eq!(masks.text(&text), expected, "{text:?}");
        }
    }
    // Masked as a whole with all invisible characters between any two of its own, and with far more
    // than can be held back.
    let spread: String = "hunter22"
        .chars()
        .flat_map(|c| [c, '\0', '\u{200b}'])
        .collect();
    assert_eq!(masks.text(&format!("{spread}!")), "***\0\u{200b}!");
    let far = format!("hun{}ter22", "\0".repeat(100_000));
    assert!(!masks.text(&far).contains("hun"));
    let plain = "\u{1b}[1mhunt\u{1b}[0m\r\n\0 \u{200b}er22";
    assert_eq!(masks.text(plain), plain);
}

#[test]
fn a_secret_with_controls_of_its_own_is_found_without_them() {
    let masks = masks(&["line one\nline\u{1b}[1m two"]);
    assert_eq!(masks.text("a line one\r\nline\u{1b}[1m two b"), "a *** b");
    assert_eq!(masks.text("a line oneline[1m two b"), "a *** b");
    let bracket = super::tests::masks(&["ab[31mcd"]);
    assert_eq!(bracket.text("ab\u{1b}[31mcd ab[31\0mcd"), "*** ***");
}

#[test]
fn a_secret_is_found_under_two_layers() {
    for secret in [
        "hunter22",
        "s3cr3t-väl?ue~/",
        "p@ss \"word\"\\n/é%41+",
        "[]{}?&=日本",
    ] {
        let masks = masks(&[secret]);
        let all = layers();
        let full = full_layers();
        let pairs = all
            .iter()
            .flat_map(|outer| all.iter().map(move |inner| (outer, inner)))
            .chain(
                full.iter()
                    .flat_map(|outer| all.iter().map(move |inner| (outer, inner))),
            )
            .chain(
                full.iter()
                    .flat_map(|outer| full.iter().map(move |inner| (outer, inner))),
            );
        for ((outer_name, outer), (inner_name, inner)) in pairs {
            for before in 0..4 {
                for after in 0..4 {
                    let text = format!("{}{secret}{}", &"_-x."[..before], &"!z=~"[..after]);
                    for text in [outer(&text), outer(&inner(&text))] {
                        assert!(
                            masks.found_in(&text),
                            "{outer_name} of {inner_name}: {text}"
                        );
                        let masked = masks.text(&text).into_owned();
                        assert!(masked.contains(MASK), "{masked}");
                        assert!(!masks.found_in(&masked), "{masked}");
                    }
                }
            }
        }
    }
}

#[test]
fn other_spellings_are_found() {
    let masks = masks(&["p@ss \"word\"\n/é"]);
    for text in [
        "p%40ss%20%22word%22%0A%2F%C3%A9",
        "p%40ss%20%22word%22%0a%2f%c3%a9",
        "p%40ss+%22word%22%0A%2F%C3%A9",
        r#"{"x":"p@ss \"word\"\n\/\u00E9"}"#,
        r"p\x40ss \x22word\x22\x0a/é",
        "log: p@ss \"word\"",
    ] {
        assert!(masks.found_in(text), "{text}");
    }
    // Base64 with line ends, as MIME has it (RFC 2045, section 6.8).
    let encoded = STANDARD.encode("some text before p@ss \"word\"\n/é and after");
    let lines: Vec<_> = encoded
        .as_bytes()
        .chunks(16)
        .map(String::from_utf8_lossy)
        .collect();
    assert!(masks.found_in(&lines.join("\r\n")));
}

#[test]
fn a_value_is_found_by_place_and_number() {
    let numbers = masks(&["12345678"]);
    let value = json!({"a": {"b/c": ["x", 1_234_567_890]}});
    assert_eq!(numbers.find(&value), Some("/a/b~1c/1".into()));
    assert_eq!(numbers.find(&json!({"a": "1234"})), None);
    assert_eq!(numbers.find(&json!({"12345678": 1})), Some("/***".into()));
    // Characters that a pointer escapes are masked before.
    let slashes = masks(&["ab/cd~ef"]);
    let value = json!({"x": {"k ab/cd~ef/": {"y": ["ab/cd~ef"]}}});
    assert_eq!(slashes.find(&value), Some("/x/k ***~1".into()));
    let below = json!({"~1": "ab/cd~\0ef"});
    assert_eq!(slashes.find(&below), Some("/~01".into()));
    let mut value = json!({"ab/cd~ef": [{"n": 1}, "ab/cd~ef"]});
    slashes.value(&mut value);
    assert_eq!(value, json!({"***": [{"n": 1}, "***"]}));
}

/// Generates a character of a text, or an invisible one that may be between two.
fn noise() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just(""),
        Just("\0"),
        Just("\u{1b}"),
        Just("\u{1b}[1m"),
        Just("\n"),
        Just("\u{7f}"),
        Just("\u{202e}"),
        Just("\u{85}"),
    ]
}

proptest! {
    /// A secret with invisible characters between its own, encoded or not, is masked, and no
    /// visible part of it remains.
    #[test]
    fn no_secret_comes_through(
        secret in "[a-z0-9%\\\\\"é日+/ ]{1,4}[A-Za-z0-9%\\\\\"é日+/-]{4,12}",
        between in prop::collection::vec(noise(), 20),
        layer in 0_usize..7,
    ) {
        let masks = masks(&[&secret]);
        let spread: String = secret
            .chars()
            .zip(between.iter().cycle())
            .flat_map(|(c, noise)| [c.to_string(), (*noise).to_owned()])
            .collect();
        let all: Vec<_> = layers().into_iter().chain(full_layers()).collect();
        let text = match all.get(layer) {
            Some((_, encode)) => encode(&secret),
            None => spread,
        };
        let masked = masks.text(&text).into_owned();
        prop_assert!(masked.contains(MASK));
        prop_assert!(!masks.found_in(&masked));
    }

    /// A text without a secret passes unchanged.
    #[test]
    fn other_texts_pass(text in "[a-z%\\\\\u{0}\u{1b}\u{202e}é日 ]{0,60}") {
        let masks = masks(&["HUNTER-22"]);
        prop_assert_eq!(masks.text(&text), text.as_str());
    }
}
