use std::path::Path;

use super::*;

fn native() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let bindings = wit::generate(&folder, "sidestep:step/all").expect("the contract");
    assert!(bindings.files.len() > 10, "{:?}", bindings.files);
    convert(&bindings.source)
        .expect("it is converted")
        .to_string()
}

#[test]
fn nothing_of_the_native_bindings_can_end_the_process() {
    let text = native();
    for part in ["unsafe", "extern \"C\"", "unreachable", "wit_bindgen"] {
        assert!(!text.contains(part), "{part}");
    }
}

#[test]
fn every_capability_has_answers() {
    let text = native();
    for capability in Capability::ALL {
        let interface = capability
            .interface()
            .replace([':', '/'], " :: ")
            .replace('-', "_");
        let answers = format!("{interface} :: Answers < '_ >");
        assert!(text.contains(&answers), "{answers}");
    }
}

#[test]
fn a_folder_without_a_contract_is_named() {
    let error = expand(quote!("no/such/folder")).expect_err("there is none");
    assert!(error.to_string().contains("no/such/folder"), "{error}");
}
