//! The instructions that change only an image's configuration.

use crate::{image::Image, scope::Scope};
use serde_json::{Value, json};
use sidestep_dockerfile::{Command, Flag, Healthcheck, Instruction, Kind, duration, is_signal};

/// Performs such an instruction; `None` for others. The error is kaniko's message.
pub(crate) fn apply(
    image: &mut Image,
    instruction: &Instruction,
    scope: &Scope,
) -> Result<(), String> {
    match &instruction.kind {
        Kind::Env(pairs) => {
            // All variables of one instruction see the values from before it.
            let mut set = Vec::new();
            for pair in pairs {
                set.push((
                    scope.expand(&pair.name.text)?,
                    scope.expand(&pair.value.text)?,
                ));
            }
            for (name, value) in &set {
                set_env(image, name, value);
            }
        }
        Kind::User(user) => set(image, "User", scope.expand(&user.text)?),
        Kind::Stopsignal(signal) => {
            let signal = scope.expand(&signal.text)?;
            if !is_signal(&signal) {
                return Err(format!("invalid signal: {signal}"));
            }
            set(image, "StopSignal", signal);
        }
        Kind::Expose(ports) => {
            for port in scope.words(ports)? {
                insert(image, "ExposedPorts", &exposed(port)?, json!({}));
            }
        }
        Kind::Volume(volumes) => {
            for volume in scope.words(volumes)? {
                insert(image, "Volumes", &volume, json!({}));
            }
        }
        Kind::Cmd(cmd) => {
            let command = command(image, cmd);
            set(image, "Cmd", command);
        }
        Kind::Entrypoint(entrypoint) => {
            let command = command(image, entrypoint);
            set(image, "Entrypoint", command);
        }
        Kind::Shell(shell) => {
            let shell: Vec<&str> = shell.iter().map(|part| part.text.as_str()).collect();
            set(image, "Shell", json!(shell));
        }
        Kind::Healthcheck(check) => {
            let value = healthcheck(check, &instruction.flags)?;
            set(image, "Healthcheck", value);
        }
        _ => {}
    }
    Ok(())
}

/// Returns a port with its protocol.
fn exposed(port: String) -> Result<String, String> {
    let port = if port.contains('/') {
        port
    } else {
        format!("{port}/tcp")
    };
    match port.split('/').collect::<Vec<_>>().as_slice() {
        [_, "tcp" | "udp"] => Ok(port),
        [_, protocol] => Err(format!("invalid protocol: {protocol}")),
        _ => Err(format!("invalid exposed port: {port}")),
    }
}

pub(crate) fn workdir(image: &Image) -> String {
    let workdir = image
        .config
        .get("config")
        .and_then(|config| config.get("WorkingDir"));
    workdir
        .and_then(Value::as_str)
        .filter(|dir| !dir.is_empty())
        .unwrap_or("/")
        .to_owned()
}

pub(crate) fn set(image: &mut Image, key: &str, value: impl Into<Value>) {
    image.settings().insert(key.to_owned(), value.into());
}

pub(crate) fn set_label(image: &mut Image, name: &str, value: &str) {
    insert(image, "Labels", name, value.into());
}

fn set_env(image: &mut Image, name: &str, value: &str) {
    let env = image.settings().entry("Env").or_insert_with(|| json!([]));
    if !env.is_array() {
        *env = json!([]);
    }
    let Some(env) = env.as_array_mut() else {
        return;
    };
    let prefix = format!("{name}=");
    let pair = Value::from(format!("{prefix}{value}"));
    match env
        .iter_mut()
        .find(|pair| pair.as_str().is_some_and(|pair| pair.starts_with(&prefix)))
    {
        Some(old) => *old = pair,
        None => env.push(pair),
    }
}

fn insert(image: &mut Image, map: &str, key: &str, value: Value) {
    let entry = image.settings().entry(map).or_insert_with(|| json!({}));
    if !entry.is_object() {
        *entry = json!({});
    }
    entry[key] = value;
}

fn command(image: &mut Image, command: &Command) -> Value {
    match command {
        Command::Exec(parts) => parts.iter().map(|part| part.text.clone()).collect(),
        Command::Shell(text) => {
            let shell = image
                .settings()
                .get("Shell")
                .and_then(Value::as_array)
                .cloned();
            let mut parts = shell.unwrap_or_else(|| vec!["/bin/sh".into(), "-c".into()]);
            parts.push(text.text.as_str().into());
            parts.into()
        }
    }
}

fn healthcheck(check: &Healthcheck, flags: &[Flag]) -> Result<Value, String> {
    let test = match check {
        Healthcheck::None => return Ok(json!({ "Test": ["NONE"] })),
        Healthcheck::Command(Command::Shell(text)) => json!(["CMD-SHELL", text.text]),
        Healthcheck::Command(Command::Exec(parts)) => {
            let parts = parts.iter().map(|part| part.text.as_str());
            std::iter::once("CMD").chain(parts).collect()
        }
    };
    let mut check = json!({ "Test": test });
    for flag in flags {
        let value = flag.value.as_deref().unwrap_or_default();
        let (key, number) = match flag.name.as_str() {
            "retries" => ("Retries", value.parse().unwrap_or_default()),
            "interval" => ("Interval", duration(value)?),
            "timeout" => ("Timeout", duration(value)?),
            "start-period" => ("StartPeriod", duration(value)?),
            _ => ("StartInterval", duration(value)?),
        };
        check[key] = number.into();
    }
    Ok(check)
}
