use proptest::prelude::*;

use crate::{Command, Value};

fn bind(account: impl Into<Value>, pool: impl Into<Value>) -> Option<String> {
    let command = Command::new(&["gcloud", "iam", "service-accounts"])
        .words(&["add-iam-policy-binding"])
        .value(account)
        .option(
            "--member",
            Value::joined([
                "serviceAccount:".into(),
                pool.into(),
                Value::from("[builds/kaniko]"),
            ]),
        )
        .build()?;
    Some(command.to_line())
}

#[test]
fn a_command_with_a_value_that_is_not_known_is_not_built() {
    let member = "'serviceAccount:demo.svc.id.goog[builds/kaniko]'";
    assert_eq!(
        bind("b@demo", "demo.svc.id.goog").expect("a command"),
        format!("gcloud iam service-accounts add-iam-policy-binding b@demo --member {member}")
    );
    assert_eq!(bind("", "demo.svc.id.goog"), None);
    assert_eq!(bind("b@demo", ""), None, "a hole inside of a word");
    assert_eq!(bind("b@demo", None::<&str>), None);
    assert_eq!(bind(" ", "demo.svc.id.goog"), None);
}

#[test]
fn a_value_is_never_taken_for_an_option() {
    assert_eq!(bind("--impersonate-service-account=x@y", "p"), None);
    let option = Command::new(&["kubectl", "create"]).option("--user", "--as=root");
    assert_eq!(
        option.build().map(|command| command.to_line()).as_deref(),
        Some("kubectl create --user=--as=root")
    );
}

#[test]
fn words_to_replace_are_in_capitals() {
    let resume = |name| {
        let resume = Command::new(&["sidestep", "resume"]);
        resume.value(Value::to_replace(name)).build()
    };
    assert_eq!(
        resume("RUN").map(|command| command.to_line()).as_deref(),
        Some("sidestep resume RUN")
    );
    assert_eq!(resume("run"), None);
    assert_eq!(resume(""), None);
}

#[test]
fn a_value_can_be_looked_up_by_the_command() {
    let number = Command::new(&["gcloud", "projects", "describe"])
        .value("a b")
        .words(&["--format=value(projectNumber)"])
        .build()
        .and_then(Command::output);
    assert_eq!(
        bind("b@demo", number).expect("a command"),
        "gcloud iam service-accounts add-iam-policy-binding b@demo --member serviceAccount:\"$(gcloud projects describe 'a b' '--format=value(projectNumber)')\"'[builds/kaniko]'"
    );
    let unknown = Command::new(&["gcloud", "projects", "describe"]).value("");
    assert_eq!(
        bind("b@demo", unknown.build().and_then(Command::output)),
        None
    );
}

#[test]
fn a_command_reads_what_another_prints() {
    let text = Command::new(&["printf", "%s"])
        .value("{\"a\": \"it's\"}")
        .build();
    let apply = Command::new(&["kubectl", "apply", "-f", "-"]).reading(text);
    assert_eq!(
        apply.build().map(|command| command.to_line()).as_deref(),
        Some(r#"printf %s '{"a": "it'\''s"}' | kubectl apply -f -"#)
    );
    let none = Command::new(&["kubectl", "apply"]).reading(None);
    assert_eq!(none.build(), None);
}

#[test]
fn programs_read_a_list_of_arguments() {
    let simple = Command::new(&["sidestep", "logs"])
        .value("r")
        .build()
        .expect("a command");
    let json = serde_json::to_value(&simple).expect("JSON");
    assert_eq!(
        json,
        serde_json::json!({ "command": ["sidestep", "logs", "r"] })
    );
    let looked_up = Command::new(&["a"])
        .value(simple.output())
        .build()
        .expect("a command");
    let json = serde_json::to_value(&looked_up).expect("JSON");
    assert_eq!(
        json,
        serde_json::json!({ "command": ["a", [{ "output": [["sidestep", "logs", "r"]] }]] })
    );
    assert_eq!(
        serde_json::from_value::<Command>(json).expect("a command"),
        looked_up
    );
    let (words, input) = looked_up.clone().into_parts();
    assert_eq!(Command::from_parts(words, input), Some(looked_up));
}

proptest! {
    /// A shell parses the printed line back into the original words.
    #[test]
    fn a_shell_reads_the_words_back(values in prop::collection::vec("\\PC{1,12}", 1..5)) {
        let mut builder = Command::new(&["program"]);
        for value in &values {
            builder = builder.value(value);
        }
        match builder.build() {
            Some(command) => {
                let read = shlex::split(&command.to_line()).expect("words");
                prop_assert_eq!(&read[1..], values.as_slice());
            }
            None => prop_assert!(values.iter().any(|v| v.trim().is_empty() || v.starts_with('-'))),
        }
    }
}
