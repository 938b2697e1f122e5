use crate::log::Format;
use std::{collections::BTreeMap, fmt::Write as _};

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// `--flag` is `--flag=true`; a value needs the `=`.
    Bool(bool),
    /// One value; the last counts.
    Value(&'static str),
    /// A value each time.
    List,
}
use Takes::{Bool, List, Value};

/// kaniko's flags: name, short name, what it takes, what it is for.
const FLAGS: &[(&str, Option<char>, Takes, &str)] = &[
    (
        "build-arg",
        None,
        List,
        "a value for an ARG of the Dockerfile",
    ),
    (
        "bucket",
        Some('b'),
        Value(""),
        "the bucket that holds the context",
    ),
    (
        "cache",
        None,
        Bool(false),
        "look layers up in a cache repository",
    ),
    (
        "cache-copy-layers",
        None,
        Bool(false),
        "cache layers of COPY",
    ),
    (
        "cache-dir",
        None,
        Value("/cache"),
        "a folder with base images",
    ),
    (
        "cache-repo",
        None,
        Value(""),
        "the cache repository; DESTINATION/cache where not given",
    ),
    ("cache-run-layers", None, Bool(true), "cache layers of RUN"),
    (
        "cache-ttl",
        None,
        Value("336h0m0s"),
        "how long a cached layer counts",
    ),
    (
        "cleanup",
        None,
        Bool(false),
        "empty the file system at the end",
    ),
    (
        "compressed-caching",
        None,
        Bool(true),
        "compress cached layers",
    ),
    ("compression", None, Value(""), "gzip or zstd"),
    (
        "compression-level",
        None,
        Value("-1"),
        "how hard to compress",
    ),
    (
        "context",
        Some('c'),
        Value("/workspace/"),
        "the build context: gs://, tar://, dir:// or a folder",
    ),
    (
        "context-sub-path",
        None,
        Value(""),
        "a folder inside the context to build in",
    ),
    (
        "credential-helpers",
        None,
        List,
        "which helpers to ask for credentials",
    ),
    (
        "custom-platform",
        None,
        Value(""),
        "the platform to build for",
    ),
    ("destination", Some('d'), List, "where to push the image"),
    (
        "digest-file",
        None,
        Value(""),
        "a file for the image's digest",
    ),
    (
        "dockerfile",
        Some('f'),
        Value("Dockerfile"),
        "the Dockerfile, in the context",
    ),
    ("force", None, Bool(false), "build outside of a container"),
    ("git", None, Value(""), "how to clone a context from git"),
    ("ignore-path", None, List, "a path that no snapshot takes"),
    (
        "ignore-var-run",
        None,
        Bool(true),
        "leave /var/run out of snapshots",
    ),
    (
        "image-download-retry",
        None,
        Value("0"),
        "tries for a base image",
    ),
    ("image-format", None, Value(""), "oci or docker"),
    (
        "image-fs-extract-retry",
        None,
        Value("0"),
        "tries for unpacking a base image",
    ),
    (
        "image-name-tag-with-digest-file",
        None,
        Value(""),
        "a file for NAME:TAG@DIGEST",
    ),
    (
        "image-name-with-digest-file",
        None,
        Value(""),
        "a file for NAME@DIGEST",
    ),
    ("insecure", None, Bool(false), "push without TLS"),
    ("insecure-pull", None, Bool(false), "pull without TLS"),
    ("insecure-registry", None, List, "a registry without TLS"),
    ("kaniko-dir", None, Value("/kaniko"), "kaniko's own folder"),
    ("label", None, List, "a label of the image"),
    ("log-format", None, Value("color"), "text, color or json"),
    ("log-timestamp", None, Bool(false), "times in the log"),
    ("no-push", None, Bool(false), "build and do not push"),
    (
        "no-push-cache",
        None,
        Bool(false),
        "do not push to the cache repository",
    ),
    (
        "oci-layout-path",
        None,
        Value(""),
        "a folder for the image in OCI layout",
    ),
    (
        "pull",
        None,
        Bool(false),
        "the sandbox's own: fetch base images that it does not have",
    ),
    (
        "push-ignore-immutable-tag-errors",
        None,
        Bool(false),
        "take an immutable tag for a success",
    ),
    ("push-retry", None, Value("0"), "tries for the push"),
    (
        "registry-certificate",
        None,
        List,
        "a registry's certificate",
    ),
    (
        "registry-client-cert",
        None,
        List,
        "a client certificate for a registry",
    ),
    (
        "registry-map",
        None,
        List,
        "registries to use in place of others",
    ),
    ("registry-mirror", None, List, "a mirror of docker.io"),
    ("reproducible", None, Bool(false), "no times in the image"),
    (
        "single-snapshot",
        None,
        Bool(false),
        "one snapshot at the end",
    ),
    (
        "skip-default-registry-fallback",
        None,
        Bool(false),
        "mirrors only",
    ),
    (
        "skip-push-permission-check",
        None,
        Bool(false),
        "do not check the permission to push first",
    ),
    (
        "skip-tls-verify",
        None,
        Bool(false),
        "do not verify the registry's certificate at push",
    ),
    (
        "skip-tls-verify-pull",
        None,
        Bool(false),
        "do not verify it at pull",
    ),
    (
        "skip-tls-verify-registry",
        None,
        List,
        "a registry whose certificate is not verified",
    ),
    (
        "skip-unused-stages",
        None,
        Bool(true),
        "build only the stages that are needed",
    ),
    ("snapshot-mode", None, Value("full"), "full, redo or time"),
    ("tar-path", None, Value(""), "a file for the image as a tar"),
    ("target", None, Value(""), "the stage to build"),
    (
        "use-new-run",
        None,
        Bool(false),
        "another way to find what RUN changed",
    ),
    (
        "verbosity",
        Some('v'),
        Value("info"),
        "trace, debug, info, warn, error, fatal or panic",
    ),
];

/// The flags that change what this kaniko does. The others are taken and have no
/// meaning here: there is no snapshot, no cache and no file system to look after.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are kaniko's switches")]
pub(crate) struct Flags {
    pub(crate) context: String,
    pub(crate) bucket: Option<String>,
    pub(crate) context_sub_path: Option<String>,
    pub(crate) dockerfile: String,
    pub(crate) destinations: Vec<String>,
    pub(crate) build_args: Vec<(String, Option<String>)>,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) target: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) cache_repo: Option<String>,
    pub(crate) no_push: bool,
    pub(crate) skip_push_permission_check: bool,
    pub(crate) digest_file: Option<String>,
    pub(crate) tar_path: Option<String>,
    pub(crate) oci_layout_path: Option<String>,
    pub(crate) image_name_with_digest_file: Option<String>,
    pub(crate) image_name_tag_with_digest_file: Option<String>,
    pub(crate) reproducible: bool,
    pub(crate) pull: bool,
    pub(crate) log_format: Format,
}

impl Flags {
    /// Reads flags as kaniko's own parser does; the error is its message.
    pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut values = read(args)?;
        let mut list = |name: &str| values.remove(name).unwrap_or_default();
        let destinations = list("destination");
        let build_args = list("build-arg")
            .into_iter()
            .map(|arg| match arg.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (arg, None),
            });
        let build_args = build_args.collect();
        let labels = list("label")
            .into_iter()
            .map(|label| match label.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (label, String::new()),
            });
        let labels = labels.collect();
        let value = |name: &str| values.get(name).and_then(|all| all.last()).cloned();
        let given = |name: &str| value(name).filter(|value| !value.is_empty());
        let is = |name: &str| value(name).as_deref() == Some("true");
        let log_format = match given("log-format").as_deref() {
            None | Some("color") => Format::Color,
            Some("text") => Format::Text,
            Some("json") => Format::Json,
            Some(other) => {
                return Err(format!(
                    "not a valid log format: \"{other}\". Please specify one of (text, color, json)"
                ));
            }
        };
        let level = given("verbosity").unwrap_or_else(|| "info".into());
        let levels = [
            "trace", "debug", "info", "warn", "warning", "error", "fatal", "panic",
        ];
        if !levels.contains(&level.to_lowercase().as_str()) {
            return Err(format!(
                "parsing log level: not a valid logrus Level: \"{level}\""
            ));
        }
        let cache = is("cache") && !is("no-push-cache");
        let cache_repo = given("cache-repo").or_else(|| {
            let destination: &String = destinations.first().filter(|_| cache)?;
            Some(format!("{}/cache", repository(destination)))
        });
        Ok(Self {
            context: given("context").unwrap_or_else(|| "/workspace/".into()),
            bucket: given("bucket"),
            context_sub_path: given("context-sub-path"),
            dockerfile: given("dockerfile").unwrap_or_else(|| "Dockerfile".into()),
            build_args,
            labels,
            target: given("target"),
            platform: given("custom-platform"),
            cache_repo,
            no_push: is("no-push"),
            skip_push_permission_check: is("skip-push-permission-check"),
            digest_file: given("digest-file"),
            tar_path: given("tar-path"),
            oci_layout_path: given("oci-layout-path"),
            image_name_with_digest_file: given("image-name-with-digest-file"),
            image_name_tag_with_digest_file: given("image-name-tag-with-digest-file"),
            reproducible: is("reproducible"),
            pull: is("pull"),
            log_format,
            destinations,
        })
    }
}

/// A destination without tag and digest.
fn repository(destination: &str) -> &str {
    let name = destination
        .split_once('@')
        .map_or(destination, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    }
}

type Values = BTreeMap<&'static str, Vec<String>>;

fn read(mut args: impl Iterator<Item = String>) -> Result<Values, String> {
    let mut values = Values::new();
    while let Some(arg) = args.next() {
        let (flag, shown, inline) = if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let flag = FLAGS.iter().find(|flag| flag.0 == name);
            (
                flag.ok_or_else(|| format!("unknown flag: --{name}"))?,
                format!("--{name}"),
                value,
            )
        } else if let Some(short) = arg.strip_prefix('-').filter(|short| !short.is_empty()) {
            let letter = short.chars().next().unwrap_or_default();
            let rest = &short[letter.len_utf8()..];
            let flag = FLAGS.iter().find(|flag| flag.1 == Some(letter));
            let flag =
                flag.ok_or_else(|| format!("unknown shorthand flag: '{letter}' in -{short}"))?;
            let value = (!rest.is_empty()).then(|| rest.trim_start_matches('=').to_owned());
            (flag, format!("-{letter}"), value)
        } else {
            return Err(format!("unknown command \"{arg}\" for \"executor\""));
        };
        let value = match (flag.2, inline) {
            (Bool(_), value) => boolean(value.as_deref().unwrap_or("true"), &shown)?,
            (_, Some(value)) => value,
            (_, None) => args
                .next()
                .ok_or_else(|| format!("flag needs an argument: {shown}"))?,
        };
        values.entry(flag.0).or_default().push(value);
    }
    Ok(values)
}

/// As Go reads a boolean.
fn boolean(value: &str, shown: &str) -> Result<String, String> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok("true".into()),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok("false".into()),
        _ => Err(format!(
            "invalid argument \"{value}\" for \"{shown}\" flag: strconv.ParseBool: parsing \"{value}\": invalid syntax"
        )),
    }
}

/// The usage text that follows an error of the first kind.
pub(crate) fn usage() -> String {
    let mut text = String::from("Usage:\n  executor [flags]\n\nFlags:\n");
    for (name, short, takes, help) in FLAGS {
        let short = short.map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
        let (kind, default) = match takes {
            Bool(true) => ("", " (default true)".to_owned()),
            Bool(false) | List if matches!(takes, Bool(_)) => ("", String::new()),
            Value(default) if !default.is_empty() => {
                (" string", format!(" (default \"{default}\")"))
            }
            _ => (" string", String::new()),
        };
        let flag = format!("--{name}{kind}");
        writeln!(text, "  {short}{flag:<42} {help}{default}").expect("a String takes all");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Flags, String> {
        Flags::parse(args.iter().map(|&arg| arg.to_owned()))
    }

    #[test]
    fn values_stay_values() {
        let flags = parse(&[
            "--context=gs://b/o",
            "-d",
            "r/a:1",
            "--destination=r/b",
            "--build-arg=A=-x=y",
            "--build-arg",
            "--no-push",
            "--label=a=b",
            "--cache=false",
            "--target=-t",
            "--digest-file=/dev/termination-log",
        ])
        .unwrap();
        assert_eq!(flags.destinations, ["r/a:1", "r/b"]);
        let pair = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
        assert_eq!(
            flags.build_args,
            [pair("A", Some("-x=y")), pair("--no-push", None)]
        );
        assert!(!flags.no_push);
        assert_eq!(flags.target.as_deref(), Some("-t"));
        assert_eq!(flags.cache_repo, None);
        assert_eq!(
            parse(&["--cache", "-d=h:1/a/b:2"])
                .unwrap()
                .cache_repo
                .unwrap(),
            "h:1/a/b/cache"
        );
    }

    #[test]
    fn mistakes_are_told_as_kaniko_tells_them() {
        assert_eq!(
            parse(&["--platform=x"]).unwrap_err(),
            "unknown flag: --platform"
        );
        assert_eq!(
            parse(&["--context"]).unwrap_err(),
            "flag needs an argument: --context"
        );
        assert!(
            parse(&["--cache=maybe"])
                .unwrap_err()
                .starts_with("invalid argument \"maybe\" for \"--cache\"")
        );
        assert!(
            parse(&["--log-format=xml"])
                .unwrap_err()
                .contains("not a valid log format")
        );
        assert!(usage().lines().count() > 55);
    }
}
