//! kaniko's command line and environment.

use sidestep::{Diagnostic, codes};
use sidestep_pod::{LAST_WORDS, literal};

use crate::build_secrets;
use crate::inputs::{Inputs, Kaniko};
use crate::layout;

/// The flags that the step sets, each with the input that decides it; empty if none does.
const OWN: &[(&str, &str)] = &[
    ("bucket", "context"),
    ("build-arg", "buildArgs"),
    ("cache", "cacheRepo"),
    ("cache-copy-layers", "cacheCopyLayers"),
    ("cache-repo", "cacheRepo"),
    ("cache-run-layers", "cacheRunLayers"),
    ("cache-ttl", "cacheTtl"),
    ("compressed-caching", "kaniko.compressedCaching"),
    ("context", "context"),
    ("context-sub-path", ""),
    ("custom-platform", "platform"),
    ("destination", "destinations"),
    ("digest-file", ""),
    ("dockerfile", "dockerfile"),
    ("dryrun", ""),
    ("help", ""),
    ("ignore-path", "kaniko.ignorePaths"),
    ("image-download-retry", "kaniko.pullRetries"),
    ("image-fs-extract-retry", "kaniko.pullRetries"),
    ("image-name-tag-with-digest-file", ""),
    ("image-name-with-digest-file", ""),
    ("label", "labels"),
    ("log-format", ""),
    ("log-timestamp", ""),
    ("no-push", ""),
    // The digest is written before the push, and would be that of an image that is not there.
    ("push-ignore-immutable-tag-errors", ""),
    ("push-retry", "kaniko.pushRetries"),
    ("registry-map", "kaniko.registryMaps"),
    ("registry-mirror", "kaniko.registryMirrors"),
    ("reproducible", "kaniko.reproducible"),
    ("secret", "buildSecrets"),
    ("single-snapshot", "kaniko.singleSnapshot"),
    ("snapshot-mode", "kaniko.snapshotMode"),
    ("target", "target"),
];

/// The environment variables that the step sets, or that change the build's identity or the server
/// of its context: those of Google's libraries and of registry clients.
const OWN_VARIABLES: &[(&str, &str)] = &[
    ("DOCKER_CONFIG", ""),
    ("GCE_METADATA_HOST", ""),
    ("GOOGLE_APPLICATION_CREDENTIALS", "googleKey"),
    ("HOME", ""),
    ("REGISTRY_AUTH_FILE", ""),
    ("STORAGE_EMULATOR_HOST", ""),
    ("XDG_RUNTIME_DIR", ""),
];

/// The prefix of kaniko's feature switches.
const FEATURE: &str = "FF_KANIKO_";
/// The prefix of the variables that stand for flags: `KANIKO_NO_PUSH`, `KANIKO_REGISTRY_MIRROR`.
const KANIKO: &str = "KANIKO_";
/// The prefix of those that send the Dockerfile's source to a server.
const TELEMETRY: &str = "KANIKO_TELEMETRY";

/// Returns kaniko's arguments. Each value is joined to its flag, so that none can be taken for
/// another.
pub(crate) fn arguments(inputs: &Inputs) -> Vec<String> {
    let mut arguments = vec![format!("--context={}", inputs.context)];
    arguments.extend(layout::arguments(&inputs.context, &inputs.dockerfile));
    arguments.extend([
        format!("--digest-file={LAST_WORDS}"),
        "--log-format=text".to_owned(),
    ]);
    let images = inputs.destinations.iter();
    arguments.extend(images.map(|image| format!("--destination={}", image.as_str())));
    let args = inputs.build_args.iter();
    arguments.extend(args.map(|(name, value)| format!("--build-arg={name}={}", quoted(value))));
    arguments.extend(build_secrets::arguments(inputs));
    let labels = inputs.labels.iter();
    arguments.extend(labels.map(|(name, value)| format!("--label={name}={value}")));
    let target = inputs.target.iter();
    arguments.extend(target.map(|target| format!("--target={target}")));
    let platform = inputs.platform.iter();
    arguments.extend(platform.map(|platform| format!("--custom-platform={platform}")));
    if let Some(layers) = inputs.layers() {
        arguments.extend(layers.arguments());
    }
    arguments.extend(inputs.kaniko.arguments());
    arguments.iter().map(|argument| literal(argument)).collect()
}

/// Returns the environment variables of kaniko's container.
pub(crate) fn environment(inputs: &Inputs) -> Vec<(String, String)> {
    let environment = inputs.kaniko.environment();
    let has_secrets = !inputs.build_secrets.is_empty();
    // Whatever its version's default.
    let switch = has_secrets.then(|| (build_secrets::SWITCH.to_owned(), "true".to_owned()));
    let environment = environment.filter(|(name, _)| !has_secrets || name != build_secrets::SWITCH);
    environment
        .chain(switch)
        .map(|(name, value)| (name, literal(&value)))
        .collect()
}

/// Escapes the value of a build argument. kaniko reads it as a shell reads a word: it removes quotes
/// and backslashes and replaces `$NAME`, and an apostrophe fails the build (kaniko 1.28.3, tried).
/// Docker passes it as it is.
fn quoted(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '\\' | '"' | '\'' | '$') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

/// Returns the problems of `kaniko`: arguments and variables that the step sets itself.
pub(crate) fn problems(kaniko: &Kaniko) -> Vec<Diagnostic> {
    let arguments = kaniko.extra_args.iter().filter_map(|text| argument(text));
    let features = kaniko.features.keys().filter_map(|name| feature(name));
    let env = kaniko.env.keys().filter_map(|name| variable(name));
    arguments.chain(features).chain(env).collect()
}

fn argument(text: &str) -> Option<Diagnostic> {
    let wrong = |message: String| Diagnostic::error(codes::kaniko::OPTION, message);
    let name = text.strip_prefix("--").unwrap_or_default();
    let name = name.split('=').next().unwrap_or_default();
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.starts_with('-') || !name.bytes().all(is_name) {
        let message = format!("`{text}` in `kaniko.extraArgs` is not a flag of kaniko");
        return Some(wrong(message).help("write `--FLAG` or `--FLAG=VALUE`, as one entry"));
    }
    let (_, input) = OWN.iter().find(|(own, _)| *own == name)?;
    let found = wrong(format!(
        "`--{name}` in `kaniko.extraArgs` is set by the step itself"
    ));
    Some(replaced(found, input))
}

fn feature(name: &str) -> Option<Diagnostic> {
    let rest = name.strip_prefix(FEATURE).unwrap_or_default();
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let is_feature = !rest.is_empty() && rest.bytes().all(is_part);
    (!is_feature).then(|| {
        let message = format!("`{name}` in `kaniko.features` is not a feature switch of kaniko");
        Diagnostic::error(codes::kaniko::OPTION, message)
            .help("the switches are named FF_KANIKO_… in kaniko's documentation")
    })
}

fn variable(name: &str) -> Option<Diagnostic> {
    let wrong = |message: String| Diagnostic::error(codes::kaniko::OPTION, message);
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(is_part) || name.as_bytes()[0].is_ascii_digit() {
        let message = format!("`{name}` in `kaniko.env` is not the name of a variable");
        return Some(wrong(message).help("use letters, digits and underscores"));
    }
    if name.starts_with(FEATURE) {
        let message = format!("`{name}` in `kaniko.env` is a feature switch");
        return Some(replaced(wrong(message), "kaniko.features"));
    }
    if name.starts_with(TELEMETRY) {
        let message =
            format!("`{name}` in `kaniko.env` would send the Dockerfile's source to a server");
        return Some(wrong(message).help("remove it"));
    }
    if name.starts_with(KANIKO) {
        let message = format!("`{name}` in `kaniko.env` stands for a flag of kaniko");
        let found = wrong(message);
        return Some(found.help("use the input for that flag, or `kaniko.extraArgs`"));
    }
    let (_, input) = OWN_VARIABLES.iter().find(|(own, _)| *own == name)?;
    let found = wrong(format!(
        "`{name}` in `kaniko.env` would change the build's identity or its context"
    ));
    Some(replaced(found, input))
}

fn replaced(found: Diagnostic, input: &str) -> Diagnostic {
    match input {
        "" => found.help("remove it"),
        input => found.help(format!("use `{input}`")),
    }
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::{from_value, json};

    use super::*;
    use crate::inputs::example;

    #[test]
    fn a_value_that_looks_like_a_flag_stays_a_value() {
        let inputs = example(&json!({
            "dockerfile": "--no-push",
            "target": "-x",
            "buildArgs": { "A": "--context=gs://evil/x" },
        }));
        let arguments = arguments(&inputs);
        assert!(
            arguments.iter().all(|argument| argument.starts_with("--")),
            "{arguments:?}"
        );
        assert!(arguments.contains(&"--dockerfile=--no-push".to_owned()));
        assert!(arguments.contains(&"--build-arg=A=--context=gs://evil/x".to_owned()));
        assert!(!arguments.contains(&"--no-push".to_owned()));
    }

    #[test]
    fn neither_the_kubelet_nor_kaniko_replaces_anything_in_a_value() {
        let inputs = example(&json!({
            "buildArgs": { "A": r#"$(KUBERNETES_SERVICE_HOST) $$ it's "q" \"# },
            "labels": { "l": "it's $x" },
            "kaniko": { "env": { "B": "$(C)" } },
        }));
        let found = arguments(&inputs);
        for expected in [
            r#"--build-arg=A=\$$(KUBERNETES_SERVICE_HOST) \$$\$$ it\'s \"q\" \\"#,
            "--label=l=it's $$x",
        ] {
            assert!(found.contains(&expected.to_owned()), "{found:?}");
        }
        let env = environment(&inputs);
        assert_eq!(env, [("B".to_owned(), "$$(C)".to_owned())]);
    }

    #[test]
    fn every_option_becomes_a_flag() {
        let inputs = example(&json!({
            "labels": { "team": "a=b" },
            "cacheRepo": "europe-docker.pkg.dev/demo/cache/layers",
            "cacheTtl": "2h",
            "cacheCopyLayers": true,
            "cacheRunLayers": false,
            "kaniko": {
                "snapshotMode": "redo", "singleSnapshot": true, "reproducible": true,
                "compressedCaching": false, "ignorePaths": ["/var/cache"],
                "registryMirrors": ["mirror.gcr.io"],
                "registryMaps": { "docker.io": ["one.example.com", "two.example.com/hub"] },
                "pushRetries": 5, "pullRetries": 0,
                "features": { "FF_KANIKO_COPY_AS_ROOT": true },
                "extraArgs": ["--use-new-run", "--verbosity=debug"],
                "env": { "HTTPS_PROXY": "http://proxy:3128" },
            },
        }));
        let found = arguments(&inputs);
        for expected in [
            "--label=team=a=b",
            "--cache=true",
            "--cache-repo=europe-docker.pkg.dev/demo/cache/layers",
            "--cache-ttl=7200s",
            "--cache-copy-layers=true",
            "--cache-run-layers=false",
            "--snapshot-mode=redo",
            "--single-snapshot=true",
            "--reproducible=true",
            "--compressed-caching=false",
            "--ignore-path=/var/cache",
            "--registry-mirror=mirror.gcr.io",
            "--registry-map=index.docker.io=one.example.com",
            "--registry-map=index.docker.io=two.example.com/hub",
            "--push-retry=5",
            "--image-download-retry=0",
            "--image-fs-extract-retry=0",
            "--use-new-run",
            "--verbosity=debug",
        ] {
            assert!(
                found.contains(&expected.to_owned()),
                "{expected}: {found:?}"
            );
        }
        let env = environment(&inputs);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            env,
            [
                pair("FF_KANIKO_COPY_AS_ROOT", "true"),
                pair("HTTPS_PROXY", "http://proxy:3128"),
            ]
        );
        assert!(problems(&inputs.kaniko).is_empty());
    }

    #[test]
    fn secrets_are_mounted_whatever_the_default_of_the_version() {
        let off = json!({ "features": { "FF_KANIKO_RUN_MOUNT_SECRET": false } });
        let inputs = example(&json!({ "buildSecrets": { "npm": "t" }, "kaniko": off }));
        let on = ("FF_KANIKO_RUN_MOUNT_SECRET".to_owned(), "true".to_owned());
        assert_eq!(environment(&inputs), [on]);
        assert_eq!(environment(&example(&json!({}))), []);
    }

    #[test]
    fn no_flag_is_set_twice() {
        let all = example(&json!({
            "cacheRepo": "europe-docker.pkg.dev/demo/cache/layers", "cacheTtl": "2h",
            "cacheCopyLayers": true, "cacheRunLayers": true, "target": "t",
            "platform": "linux/amd64", "labels": { "a": "b" }, "buildArgs": { "a": "b" },
            "buildSecrets": { "a": "b" },
            "kaniko": {
                "snapshotMode": "full", "singleSnapshot": true, "reproducible": true,
                "compressedCaching": true, "ignorePaths": ["/x"], "registryMirrors": ["m"],
                "registryMaps": { "a": ["b"] }, "pushRetries": 1, "pullRetries": 1,
            },
        }));
        for argument in arguments(&all) {
            let name = argument.trim_start_matches("--");
            let name = name.split('=').next().expect("a name");
            assert!(OWN.iter().any(|(own, _)| *own == name), "{argument}");
        }
    }

    #[test]
    fn what_the_step_sets_itself_is_refused() {
        let told = |kaniko: sidestep::serde_json::Value| -> Vec<String> {
            let kaniko: Kaniko = from_value(kaniko).expect("options");
            let found = problems(&kaniko).into_iter();
            found
                .map(|found| format!("{} -> {}", found.message, found.help[0].text()))
                .collect()
        };
        let arguments = json!({ "extraArgs": [
            "--context=gs://other/x", "--no-push", "--push-ignore-immutable-tag-errors",
            "--image-name-with-digest-file=/dev/termination-log", "context", "-v", "--", "--a b",
        ] });
        assert_eq!(
            told(arguments),
            [
                "`--context` in `kaniko.extraArgs` is set by the step itself -> use `context`",
                "`--no-push` in `kaniko.extraArgs` is set by the step itself -> remove it",
                "`--push-ignore-immutable-tag-errors` in `kaniko.extraArgs` is set by the step itself -> remove it",
                "`--image-name-with-digest-file` in `kaniko.extraArgs` is set by the step itself -> remove it",
                "`context` in `kaniko.extraArgs` is not a flag of kaniko -> write `--FLAG` or `--FLAG=VALUE`, as one entry",
                "`-v` in `kaniko.extraArgs` is not a flag of kaniko -> write `--FLAG` or `--FLAG=VALUE`, as one entry",
                "`--` in `kaniko.extraArgs` is not a flag of kaniko -> write `--FLAG` or `--FLAG=VALUE`, as one entry",
                "`--a b` in `kaniko.extraArgs` is not a flag of kaniko -> write `--FLAG` or `--FLAG=VALUE`, as one entry",
            ]
        );
        let env = json!({
            "env": {
                "FF_KANIKO_X": "1", "GOOGLE_APPLICATION_CREDENTIALS": "/x",
                "HOME": "/x", "KANIKO_NO_PUSH": "true", "KANIKO_TELEMETRY_URL": "https://x",
                "a b": "c",
            },
            "features": { "COPY_AS_ROOT": true },
        });
        assert_eq!(
            told(env),
            [
                "`COPY_AS_ROOT` in `kaniko.features` is not a feature switch of kaniko -> the switches are named FF_KANIKO_… in kaniko's documentation",
                "`FF_KANIKO_X` in `kaniko.env` is a feature switch -> use `kaniko.features`",
                "`GOOGLE_APPLICATION_CREDENTIALS` in `kaniko.env` would change the build's identity or its context -> use `googleKey`",
                "`HOME` in `kaniko.env` would change the build's identity or its context -> remove it",
                "`KANIKO_NO_PUSH` in `kaniko.env` stands for a flag of kaniko -> use the input for that flag, or `kaniko.extraArgs`",
                "`KANIKO_TELEMETRY_URL` in `kaniko.env` would send the Dockerfile's source to a server -> remove it",
                "`a b` in `kaniko.env` is not the name of a variable -> use letters, digits and underscores",
            ]
        );
    }
}
