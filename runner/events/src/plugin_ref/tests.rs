use super::*;
use crate::show;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn help(text: &str) -> String {
    PluginRef::parse(text).expect_err(text).help
}

#[test]
fn each_kind_has_a_form_of_its_own() {
    let oci = format!("oci://ghcr.io/acme/notify:1.2@{DIGEST}");
    let built_in = PluginRef::parse("sidestep/wi-verify").expect("a name");
    assert!(matches!(&built_in, PluginRef::BuiltIn(name) if name.name() == "wi-verify"));
    let file = PluginRef::parse("./sidestep/wi-verify").expect("a path");
    assert!(matches!(&file, PluginRef::File(file) if file.path() == "./sidestep/wi-verify"));
    let oci_ref = PluginRef::parse(&oci).expect("a reference");
    assert!(matches!(&oci_ref, PluginRef::Oci(oci) if oci.reference().starts_with("ghcr.io/acme")));
    for absolute in ["/sidestep/wi-verify", "../sidestep/wi-verify"] {
        assert!(matches!(PluginRef::parse(absolute), Ok(PluginRef::File(_))));
    }
}

#[test]
fn a_text_is_canonical_and_reads_back_as_the_same_value() {
    let oci = format!("oci://localhost:5000/x@{DIGEST}");
    for (written, canonical) in [
        ("sidestep/3d", "sidestep/3d"),
        ("./a.wasm", "./a.wasm"),
        (".//a/./b.wasm", "./a/b.wasm"),
        ("./../a.wasm", "../a.wasm"),
        ("../../a.wasm", "../../a.wasm"),
        ("./a/../b.wasm", "./a/../b.wasm"),
        ("//a//b", "/a/b"),
        ("/./a", "/a"),
        (
            "./\u{e9}t\u{e9} \"1\"\\.wasm",
            "./\u{e9}t\u{e9} \"1\"\\.wasm",
        ),
        ("./cafe\u{301}.wasm", "./cafe\u{301}.wasm"),
        (oci.as_str(), oci.as_str()),
    ] {
        let parsed = PluginRef::parse(written).expect(written);
        assert_eq!(parsed.as_str(), canonical);
        assert_eq!(PluginRef::parse(canonical).as_ref(), Ok(&parsed));
        let json = serde_json::to_string(&parsed).expect("JSON");
        assert_eq!(
            serde_json::from_str::<PluginRef>(&json).expect("stored"),
            parsed
        );
    }
}

#[test]
fn a_stored_text_of_another_form_is_an_error() {
    for text in [
        "\"sidestep//x\"",
        "\"./a/./b\"",
        "\"sidestep/evil.wasm\"",
        "\"wi-verify\"",
        "\"\"",
        "7",
        "{\"BuiltIn\":\"sidestep/x\"}",
    ] {
        assert!(serde_json::from_str::<PluginRef>(text).is_err(), "{text}");
    }
}

#[test]
fn a_name_without_a_kind_is_never_guessed() {
    assert_eq!(
        help("wi-verify"),
        "write sidestep/wi-verify for the built-in plugin, or ./wi-verify for a file"
    );
    assert_eq!(
        help("sidestep/evil.wasm"),
        "name a file by its path: ./sidestep/evil.wasm"
    );
    assert_eq!(help("evil.wasm"), "name a file by its path: ./evil.wasm");
    assert_eq!(help("acme/tool"), "name a file by its path: ./acme/tool");
    for text in [
        "",
        " ",
        "sidestep",
        "sidestep/",
        "sidestep/-x",
        "sidestep/x-",
        "sidestep/x--y",
        "sidestep/X",
        "sidestep/x ",
        "sidestep/x\n",
        "sidestep/\u{43e}",
        "Sidestep/x",
        "sidestep\\x",
        ".",
        "..",
        "~/x",
        "file:///x",
        "https://x/y.wasm",
        "OCI://x/y",
        "./",
        "/",
        "../",
        "./x/",
        "./x/.",
        "./x/..",
        "./\n",
        "./a\u{202e}b",
        "./a\u{200b}",
        "./a\u{2028}b",
        "./a\0",
    ] {
        // Only `sidestep` is a bare name.
        let error = PluginRef::parse(text).expect_err(text);
        assert_eq!(error.code, "uses.form", "{text:?}");
        let said = format!("{}{}", error.message, error.help);
        assert!(!show::is_escaped(&said), "{said:?}");
        let argument = PluginRef::parse_argument(text);
        assert_eq!(argument.is_ok(), text == "sidestep", "{text:?}");
    }
    let long = format!("./{}", "x".repeat(MAX_REFERENCE));
    let error = PluginRef::parse(&long).expect_err("too long");
    assert!(error.message.len() < 300, "{}", error.message);
}

#[test]
fn the_command_line_takes_a_bare_name_for_a_built_in_plugin() {
    let named = PluginRef::parse_argument("wi-verify").expect("a name");
    assert_eq!(
        named,
        PluginRef::parse("sidestep/wi-verify").expect("a name")
    );
    assert!(PluginRef::parse_argument("wi-verify.wasm").is_err());
    assert!(matches!(
        PluginRef::parse_argument("./wi-verify"),
        Ok(PluginRef::File(_))
    ));
}

#[test]
fn a_registry_is_named_with_a_whole_digest() {
    for (text, code) in [
        ("oci://ghcr.io/x/y".to_owned(), "uses.digest"),
        ("oci://ghcr.io/x/y:1".to_owned(), "uses.digest"),
        (
            format!("oci://ghcr.io/x/y@{}", &DIGEST[..70]),
            "uses.digest",
        ),
        (
            format!("oci://ghcr.io/x/y@{}", DIGEST.to_uppercase()),
            "uses.digest",
        ),
        (format!("oci://ghcr.io/x@{DIGEST}@{DIGEST}"), "uses.digest"),
        (format!("oci://ghcr.io@{DIGEST}"), "uses.form"),
        (format!("oci:///x@{DIGEST}"), "uses.form"),
        (format!("oci://ghcr.io/../x@{DIGEST}"), "uses.form"),
        (format!("oci://ghcr.io/x y@{DIGEST}"), "uses.form"),
        (
            format!("oci://user:pw\u{40}ghcr.io/x@{DIGEST}"),
            "uses.digest",
        ),
    ] {
        assert_eq!(
            PluginRef::parse(&text).expect_err(&text).code,
            code,
            "{text}"
        );
    }
}
