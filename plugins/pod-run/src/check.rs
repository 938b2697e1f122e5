//! Checks the inputs before anything starts.

mod context;

use std::collections::BTreeMap;

use sidestep::serde_json::Value;
use sidestep::{Diagnostic, Error, Result, codes};

use crate::inputs::{Capabilities, Inputs, Known, Sidecar};
use crate::pod::{CONTAINER, OUTPUTS};

/// The largest script: Linux limits one argument of a program to 128 KiB (execve(2)).
const LARGEST_SCRIPT: usize = 100 * 1024;

/// Checks what is known of the inputs.
pub(crate) fn check(inputs: &Known) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some(script) = &inputs.script {
        if !inputs.command.is_empty() {
            found.push(
                wrong("`script` and `command` are both set")
                    .help("remove one of the two: the shell of `shell` runs the script"),
            );
        }
        if script.as_str().len() > LARGEST_SCRIPT {
            found.push(
                wrong(format!(
                    "the script has {} bytes; the limit is {LARGEST_SCRIPT}",
                    script.as_str().len()
                ))
                .help("put it into the image"),
            );
        }
    }
    found.extend(context::context(inputs));
    let names = inputs.env.keys().map(|name| (name, "env"));
    let secret = inputs.secret_env.keys().map(|name| (name, "secretEnv"));
    found.extend(names.chain(secret).filter_map(variable));
    found.extend(twice(&inputs.env, &inputs.secret_env));
    found.extend(inputs.secret_files.keys().filter_map(file));
    found.extend(sidecars(&inputs.sidecars));
    found.extend(inputs.capabilities.iter().flat_map(capabilities));
    let amounts = sidestep_pod::Resources {
        cpu: inputs.cpu,
        memory: inputs.memory,
        ephemeral_storage: inputs.ephemeral_storage,
    };
    found.extend(amounts.problems(codes::pod::INPUT));
    found
}

/// Refuses values that another step provided, before anything starts: the check did not see them.
pub(crate) fn late(inputs: &Inputs) -> Result<()> {
    let values = |map: &BTreeMap<String, String>| {
        let pairs = map.iter();
        pairs
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect()
    };
    let known = Known {
        command: inputs.command.clone(),
        script: inputs.script.clone(),
        context: Some(inputs.context.clone()),
        context_digest: Some(inputs.context_digest.clone()),
        context_folder: Some(inputs.context_folder.clone()),
        helper_image: Some(inputs.helper_image.as_ref().map(ToString::to_string)),
        env: values(&inputs.env),
        secret_env: values(&inputs.secret_env),
        secret_files: values(&inputs.secret_files),
        sidecars: inputs.sidecars.clone(),
        capabilities: inputs.capabilities.clone(),
        cpu: inputs.cpu,
        memory: inputs.memory,
        ephemeral_storage: inputs.ephemeral_storage,
        ..Known::default()
    };
    match check(&known).into_iter().next() {
        None => Ok(()),
        Some(found) => {
            let error = Error::invalid_input(found.code, found.message);
            Err(error.helps(found.help))
        }
    }
}

fn wrong(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::pod::INPUT, message)
}

fn variable((name, input): (&String, &str)) -> Option<Diagnostic> {
    if name == OUTPUTS {
        let message = format!("`{input}` sets {OUTPUTS}, which the step sets itself");
        return Some(wrong(message).help("remove it"));
    }
    let mut bytes = name.bytes();
    let begins = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let is_name = begins && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (!is_name).then(|| {
        wrong(format!(
            "`{input}` sets `{name}`, which is not a variable's name"
        ))
        .help("use letters, digits and underscores, and no digit at the start")
    })
}

fn twice(
    env: &BTreeMap<String, Value>,
    secret_env: &BTreeMap<String, Value>,
) -> Option<Diagnostic> {
    let name = env.keys().find(|name| secret_env.contains_key(*name))?;
    let message = format!("`env` and `secretEnv` both set {name}");
    Some(wrong(message).help("remove one of the two"))
}

fn file(name: &String) -> Option<Diagnostic> {
    let is_name = !name.is_empty() && !name.contains('/') && !name.starts_with("..");
    (!is_name).then(|| {
        wrong(format!(
            "`secretFiles` sets `{name}`, which is not a file's name"
        ))
        .help("name a file without a folder; all of them are in /run/secrets/sidestep")
    })
}

fn sidecars(sidecars: &[Sidecar]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (index, sidecar) in sidecars.iter().enumerate() {
        let name = &sidecar.name;
        if name == CONTAINER {
            let message = format!("a sidecar has the name `{CONTAINER}`, which is the command's");
            found.push(wrong(message).help("give the sidecar another name"));
        }
        if sidecars[..index].iter().any(|other| other.name == *name) {
            found.push(
                wrong(format!("two sidecars have the name `{name}`"))
                    .help("give one of them another name"),
            );
        }
        found.extend(sidecar.resources().problems(codes::pod::INPUT));
    }
    found
}

fn capabilities(capabilities: &Capabilities) -> Vec<Diagnostic> {
    let all = capabilities.add.iter().chain(&capabilities.drop);
    all.filter_map(|name| {
        let short = name.strip_prefix("CAP_")?;
        let message = format!("`capabilities` names {name}; Kubernetes leaves the prefix out");
        Some(wrong(message).help(format!("write {short}")))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::{from_value, json};

    use super::*;
    use crate::inputs::example;

    fn messages(inputs: Value) -> Vec<String> {
        let known: Known = from_value(inputs).expect("known inputs");
        let found = check(&known).into_iter();
        found
            .map(|one| {
                assert!(!one.help.is_empty(), "{one:?}");
                one.message
            })
            .collect()
    }

    #[test]
    fn each_mistake_is_found_before_the_run() {
        let found = messages(json!({
            "script": "make", "command": ["make"],
            "env": { "1A": "x", "SIDESTEP_OUTPUTS": "x", "TOKEN": "x" },
            "secretEnv": { "TOKEN": "t" },
            "secretFiles": { "a/b": "t" },
            "sidecars": [{ "name": "main", "image": "a" }, { "name": "db", "image": "a" }, { "name": "db", "image": "a" }],
            "capabilities": { "add": ["CAP_SYS_ADMIN"] },
            "memory": { "request": "2Gi", "limit": "1Gi" },
        }));
        let expected = [
            "`script` and `command` are both set",
            "`env` sets `1A`, which is not a variable's name",
            "`env` sets SIDESTEP_OUTPUTS, which the step sets itself",
            "`env` and `secretEnv` both set TOKEN",
            "`secretFiles` sets `a/b`, which is not a file's name",
            "a sidecar has the name `main`, which is the command's",
            "two sidecars have the name `db`",
            "`capabilities` names CAP_SYS_ADMIN; Kubernetes leaves the prefix out",
            "`memory` requests 2Gi, more than its limit of 1Gi",
        ];
        assert_eq!(found, expected);
        assert_eq!(messages(json!({})), [""; 0]);
    }

    #[test]
    fn a_script_that_no_program_could_be_given_is_too_large() {
        let found = messages(json!({ "script": "x".repeat(LARGEST_SCRIPT + 1) }));
        assert!(found[0].contains("102401 bytes"), "{found:?}");
    }

    #[test]
    fn a_value_of_another_step_is_checked_when_the_step_starts() {
        let inputs = example(&json!({ "env": { "a-b": "x" } }));
        let error = late(&inputs).expect_err("it is not a name");
        assert_eq!(error.code, "pod.input");
        assert_eq!(late(&example(&json!({}))), Ok(()));
    }
}
