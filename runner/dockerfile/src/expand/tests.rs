use super::*;

fn lookup(name: &str) -> Option<String> {
    match name {
        "A" => Some("a b".to_owned()),
        "E" => Some(String::new()),
        "V" => Some("1.22.3".to_owned()),
        _ => None,
    }
}

#[test]
fn every_form_is_replaced() {
    let cases = [
        ("$A/x", "a b/x"),
        ("${A}x", "a bx"),
        ("$Ax", ""),
        ("${N:-d}", "d"),
        ("${E:-d}", "d"),
        ("${E-d}", ""),
        ("${A:+y}", "y"),
        ("${N:+y}", ""),
        ("${N:-${A}}", "a b"),
        ("'$A'", "$A"),
        ("\"$A\"", "a b"),
        (r"\$A", "$A"),
        (r#""\n""#, r"\n"),
        ("$", "$"),
        ("a$", "a$"),
        (r"a\ b", "a b"),
        ("${V%.*}", "1.22"),
        ("${V%%.*}", "1"),
        ("${V#*.}", "22.3"),
        ("${V##*.}", "3"),
        ("${V/./-}", "1-22.3"),
        ("${V//./-}", "1-22-3"),
        ("a<b", "a<b"),
    ];
    for (word, want) in cases {
        assert_eq!(expand(word, &lookup).expect(word).text, want, "{word}");
    }
}

#[test]
fn what_is_no_substitution_is_refused_in_the_parsers_words() {
    let why = |word: &str| expand(word, &lookup).expect_err(word);
    assert_eq!(
        why("${"),
        "failed to process \"${\": syntax error: missing '}'"
    );
    assert_eq!(
        why("${}"),
        "failed to process \"${}\": syntax error: bad substitution"
    );
    assert_eq!(
        why("${A"),
        "failed to process \"${A\": unsupported modifier (\u{fffd}) in substitution"
    );
    assert_eq!(
        why("${N?}"),
        "failed to process \"${N?}\": N: is not allowed to be unset"
    );
    assert_eq!(
        why("${E:?say it}"),
        "failed to process \"${E:?say it}\": E: say it"
    );
    assert!(why("'a").ends_with("looking for matching single-quote"));
}

#[test]
fn what_is_not_set_is_told_where_it_counts() {
    let unset = |word: &str| expand(word, &lookup).expect(word).unset;
    assert_eq!(unset("x:$N"), ["N"]);
    assert!(unset("${N:-d}").is_empty());
    assert!(unset("${A:-$N}").is_empty(), "the word is not used");
    assert_eq!(unset("${M:-$N}"), ["N"]);
    assert!(unset("${M:+$N}").is_empty());
    assert_eq!(unset("${A:+$N}"), ["N"]);
    assert_eq!(
        expand("${N:-d}$A", &lookup).expect("read").asked,
        ["N", "A"]
    );
}

#[test]
fn what_is_nested_or_grows_without_end_is_refused() {
    for (begin, end) in [("${a:-", "}"), ("${a:-\"", "\"}"), ("${a/", "}")] {
        let word = begin.repeat(20_000) + &end.repeat(20_000);
        assert!(expand(&word, &|_| None).is_err(), "{begin}");
    }
    let nested = "${a:-".repeat(50) + "x" + &"}".repeat(50);
    assert_eq!(expand(&nested, &|_| None).expect("read").text, "x");
    let large = "x".repeat(1024 * 1024);
    let lookup = |_: &str| Some(large.clone());
    assert!(expand("$a", &lookup).is_ok());
    assert!(expand("$a$a", &lookup).is_err());
    assert!(expand("${a//x/xx}", &lookup).is_err());
}
