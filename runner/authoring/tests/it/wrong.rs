//! Wrong plugins, each with the message that its author gets.

use sidestep_authoring::AuthoringError;
use sidestep_events::Help;

use crate::project::Workspace;

/// The attribute of the template, as far as mistakes change it.
const REQUESTS: &str = "requests(workspace = \"[{'read': [inputs.path]}]\")";

/// Returns the message of a build that fails, with its code and its help.
fn message(workspace: &Workspace) -> String {
    let (code, message, help) = match workspace.build(true).expect_err("it is wrong") {
        AuthoringError::Wrong(found) => {
            let first = found.into_iter().next().expect("a mistake");
            (first.code, first.message, first.help)
        }
        AuthoringError::Failed(failure) => (failure.code, failure.message, failure.help),
    };
    let help: Vec<String> = help.iter().map(Help::exact).collect();
    let text = format!("{}: {}\n{}", code.exact(), message.exact(), help.join("\n"));
    let folder = workspace.project.display().to_string();
    text.trim_end().replace(&folder, "PROJECT")
}

/// The wrong plugins: what is changed in the new project's source.
const MISTAKES: [(&str, &str, &str); 11] = [
    ("a request is missing", REQUESTS, "pure"),
    (
        "a request of something else",
        "requests(workspace = ",
        "requests(storage = ",
    ),
    (
        "an expression that ends too early",
        "[inputs.path]}]\"",
        "[inputs.path]\"",
    ),
    (
        "a name that is not an input",
        "inputs.path]}]",
        "inputs.file]}]",
    ),
    ("a name that is not `inputs`", "[inputs.path]}]", "[path]}]"),
    (
        "an unknown function",
        "[inputs.path]}]",
        "[trim(inputs.path)]}]",
    ),
    ("an unknown key of a scope", "{'read'", "{'write'"),
    (
        "a request that is a text",
        "\"[{'read': [inputs.path]}]\"",
        "\"'all'\"",
    ),
    (
        "inputs that accept anything",
        "#[sidestep::data]\nstruct Inputs",
        "#[derive(sidestep::serde::Deserialize, sidestep::schemars::JsonSchema)]\n#[serde(crate = \"sidestep::serde\")]\n#[schemars(crate = \"sidestep::schemars\")]\nstruct Inputs",
    ),
    (
        "a function that is not a plugin",
        "#[sidestep::plugin(name = \"wrong-step\", requests(workspace = \"[{'read': [inputs.path]}]\"))]",
        "#[expect(dead_code)]",
    ),
    ("code that does not compile", "Ok(Outputs {", "Ok(Output {"),
];

#[test]
fn each_mistake_is_named_with_its_correction() {
    let mut messages = Vec::new();
    for (what, from, to) in MISTAKES {
        let Some(workspace) = Workspace::new("wrong-step") else {
            return;
        };
        workspace.replace(from, to);
        messages.push(format!("# {what}\n{}", message(&workspace)));
    }
    insta::assert_snapshot!(messages.join("\n\n"));
}
