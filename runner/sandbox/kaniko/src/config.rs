//! The instructions that change an image's configuration only.

use crate::{expand::Lookup, image::Image, stages::unfold, words};
use parse_dockerfile::{Command, Flag, HealthcheckArguments, Instruction, JsonOrStringArray};
use serde_json::{Value, json};

/// What expansion needs.
pub(crate) struct Scope<'a> {
    pub(crate) escape: char,
    pub(crate) lookup: Lookup<'a>,
}

impl Scope<'_> {
    pub(crate) fn expand(&self, text: &str) -> String {
        crate::expand::expand(text, self.escape, self.lookup)
    }
}

/// Performs an instruction. `false`: it is none of those.
pub(crate) fn apply(
    image: &mut Image,
    instruction: &Instruction<'_>,
    scope: &Scope<'_>,
) -> Result<bool, String> {
    match instruction {
        Instruction::Env(env) => {
            let pairs = words::pairs(&env.arguments.value, scope.escape);
            // All of one instruction see the values from before it.
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(name, value)| (scope.expand(name), scope.expand(value)))
                .collect();
            for (name, value) in &pairs {
                set_env(image, name, value);
            }
        }
        Instruction::Label(label) => {
            for (name, value) in words::pairs(&label.arguments.value, scope.escape) {
                set_label(image, &scope.expand(&name), &scope.expand(&value));
            }
        }
        Instruction::User(user) => set(image, "User", scope.expand(&user.arguments.value)),
        Instruction::Stopsignal(signal) => {
            set(image, "StopSignal", scope.expand(&signal.arguments.value));
        }
        Instruction::Expose(expose) => {
            for port in expose
                .arguments
                .iter()
                .map(|port| scope.expand(&port.value))
            {
                for port in port.split_whitespace() {
                    let protocol = if port.contains('/') { "" } else { "/tcp" };
                    insert(
                        image,
                        "ExposedPorts",
                        &format!("{port}{protocol}"),
                        json!({}),
                    );
                }
            }
        }
        Instruction::Volume(volume) => {
            let volumes = match &volume.arguments {
                JsonOrStringArray::Json(list) => list
                    .value
                    .iter()
                    .map(|v| scope.expand(&v.value))
                    .collect::<Vec<_>>(),
                JsonOrStringArray::String(list) => {
                    list.iter().map(|v| scope.expand(&v.value)).collect()
                }
            };
            for volume in &volumes {
                insert(image, "Volumes", volume, json!({}));
            }
        }
        Instruction::Cmd(cmd) => {
            let command = command(image, &cmd.arguments, scope);
            set(image, "Cmd", command);
        }
        Instruction::Entrypoint(entrypoint) => {
            let command = command(image, &entrypoint.arguments, scope);
            set(image, "Entrypoint", command);
        }
        Instruction::Shell(shell) => {
            let shell: Vec<&str> = shell.arguments.iter().map(|part| &part.value[..]).collect();
            set(image, "Shell", json!(shell));
        }
        Instruction::Healthcheck(check) => {
            let value = healthcheck(image, &check.options, &check.arguments, scope)?;
            set(image, "Healthcheck", value);
        }
        _ => return Ok(false),
    }
    Ok(true)
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

fn command(image: &mut Image, command: &Command<'_>, scope: &Scope<'_>) -> Value {
    match command {
        Command::Exec(parts) => parts
            .value
            .iter()
            .map(|part| part.value.to_string())
            .collect(),
        Command::Shell(text) => {
            let shell = image
                .settings()
                .get("Shell")
                .and_then(Value::as_array)
                .cloned();
            let mut parts = shell.unwrap_or_else(|| vec!["/bin/sh".into(), "-c".into()]);
            parts.push(unfold(text.value, scope.escape).into());
            parts.into()
        }
        _ => Value::Null,
    }
}

fn healthcheck(
    image: &mut Image,
    options: &[Flag<'_>],
    arguments: &HealthcheckArguments<'_>,
    scope: &Scope<'_>,
) -> Result<Value, String> {
    let HealthcheckArguments::Cmd { arguments, .. } = arguments else {
        return Ok(json!({ "Test": ["NONE"] }));
    };
    let test = match arguments {
        Command::Shell(text) => json!(["CMD-SHELL", unfold(text.value, scope.escape)]),
        exec => {
            let Value::Array(mut parts) = command(image, exec, scope) else {
                return Ok(Value::Null);
            };
            parts.insert(0, "CMD".into());
            parts.into()
        }
    };
    let mut check = json!({ "Test": test });
    for flag in options {
        let value = flag
            .value
            .as_ref()
            .map(|value| scope.expand(&value.value))
            .unwrap_or_default();
        let key = match &*flag.name.value {
            "interval" => "Interval",
            "timeout" => "Timeout",
            "start-period" => "StartPeriod",
            "start-interval" => "StartInterval",
            "retries" => {
                let retries: u32 = value
                    .parse()
                    .map_err(|_| format!("invalid retries: {value}"))?;
                check["Retries"] = retries.into();
                continue;
            }
            other => return Err(format!("unknown flag: --{other}")),
        };
        check[key] = nanoseconds(&value)
            .ok_or_else(|| format!("time: invalid duration \"{value}\""))?
            .into();
    }
    Ok(check)
}

/// Go's durations: `1m30s`, `1.5h`, `500ms`.
fn nanoseconds(text: &str) -> Option<u64> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ns" => 1.0,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 6e10,
            "h" => 3.6e12,
            _ => return None,
        };
        total += number * unit;
        rest = &rest[end..];
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked just before"
    )]
    (!text.is_empty() && total < 1e18).then_some(total as u64)
}
