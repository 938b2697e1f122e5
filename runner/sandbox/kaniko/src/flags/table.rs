//! kaniko's flags.

/// The kind of a flag's value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// `--flag` is `--flag=true`; a value needs the `=`.
    Bool(bool),
    /// One value; the last one applies.
    Value(&'static str),
    /// One value for each occurrence.
    List,
}
use Takes::{Bool, List, Value};

/// A flag.
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) short: Option<char>,
    pub(super) takes: Takes,
    /// The flag's help text.
    pub(super) help: &'static str,
}

const fn flag(name: &'static str, takes: Takes, help: &'static str) -> Flag {
    Flag {
        name,
        short: None,
        takes,
        help,
    }
}

const fn short(name: &'static str, short: char, takes: Takes, help: &'static str) -> Flag {
    Flag {
        name,
        short: Some(short),
        takes,
        help,
    }
}

/// All flags, sorted by name.
pub(super) const FLAGS: &[Flag] = &[
    flag("build-arg", List, "a value for an ARG of the Dockerfile"),
    short(
        "bucket",
        'b',
        Value(""),
        "the bucket that holds the context",
    ),
    flag("cache", Bool(false), "look up layers in a cache repository"),
    flag("cache-copy-layers", Bool(false), "cache layers of COPY"),
    flag("cache-dir", Value("/cache"), "a folder with base images"),
    flag(
        "cache-repo",
        Value(""),
        "the cache repository; DESTINATION/cache if not given",
    ),
    flag("cache-run-layers", Bool(true), "cache layers of RUN"),
    flag(
        "cache-ttl",
        Value("336h0m0s"),
        "how long a cached layer is valid",
    ),
    flag("cleanup", Bool(false), "clean the file system at the end"),
    flag("compressed-caching", Bool(true), "compress cached layers"),
    flag("compression", Value(""), "gzip or zstd"),
    flag("compression-level", Value("-1"), "the compression level"),
    short(
        "context",
        'c',
        Value("/workspace/"),
        "the build context: gs://, tar://, dir:// or a folder",
    ),
    flag(
        "context-sub-path",
        Value(""),
        "a folder inside the context to build in",
    ),
    flag("credential-helpers", List, "the credential helpers to use"),
    flag("custom-platform", Value(""), "the platform to build for"),
    short("destination", 'd', List, "where to push the image"),
    flag("digest-file", Value(""), "a file for the image's digest"),
    short(
        "dockerfile",
        'f',
        Value("Dockerfile"),
        "the Dockerfile, in the context",
    ),
    flag("force", Bool(false), "build outside of a container"),
    flag("git", Value(""), "how to clone a context from git"),
    flag("ignore-path", List, "a path to exclude from snapshots"),
    flag(
        "ignore-var-run",
        Bool(true),
        "exclude /var/run from snapshots",
    ),
    flag(
        "image-download-retry",
        Value("0"),
        "retries of a base image's download",
    ),
    flag("image-format", Value(""), "oci or docker"),
    flag(
        "image-fs-extract-retry",
        Value("0"),
        "retries of unpacking a base image",
    ),
    flag(
        "image-name-tag-with-digest-file",
        Value(""),
        "a file for NAME:TAG@DIGEST",
    ),
    flag(
        "image-name-with-digest-file",
        Value(""),
        "a file for NAME@DIGEST",
    ),
    flag("insecure", Bool(false), "push without TLS"),
    flag("insecure-pull", Bool(false), "pull without TLS"),
    flag("insecure-registry", List, "a registry without TLS"),
    flag("kaniko-dir", Value("/kaniko"), "kaniko's own folder"),
    flag("label", List, "a label of the image"),
    flag("log-format", Value("color"), "text, color or json"),
    flag("log-timestamp", Bool(false), "timestamps in the log"),
    flag("no-push", Bool(false), "build and do not push"),
    flag(
        "no-push-cache",
        Bool(false),
        "do not push to the cache repository",
    ),
    flag(
        "oci-layout-path",
        Value(""),
        "a folder for the image in OCI layout",
    ),
    flag(
        "pull",
        Bool(false),
        "only in the sandbox: fetch base images that it does not have",
    ),
    flag(
        "push-ignore-immutable-tag-errors",
        Bool(false),
        "treat an immutable tag as a success",
    ),
    flag("push-retry", Value("0"), "retries of the push"),
    flag("registry-certificate", List, "a registry's certificate"),
    flag(
        "registry-client-cert",
        List,
        "a client certificate for a registry",
    ),
    flag("registry-map", List, "registries that replace others"),
    flag("registry-mirror", List, "a mirror of docker.io"),
    flag("reproducible", Bool(false), "no timestamps in the image"),
    flag("secret", List, "a secret for RUN --mount=type=secret"),
    flag("single-snapshot", Bool(false), "one snapshot at the end"),
    flag(
        "skip-default-registry-fallback",
        Bool(false),
        "use only mirrors",
    ),
    flag(
        "skip-push-permission-check",
        Bool(false),
        "do not check the permission to push first",
    ),
    flag(
        "skip-tls-verify",
        Bool(false),
        "do not verify the registry's certificate at push",
    ),
    flag(
        "skip-tls-verify-pull",
        Bool(false),
        "do not verify the registry's certificate at pull",
    ),
    flag(
        "skip-tls-verify-registry",
        List,
        "a registry whose certificate is not verified",
    ),
    flag(
        "skip-unused-stages",
        Bool(true),
        "build only the stages that are needed",
    ),
    flag("snapshot-mode", Value("full"), "full, redo or time"),
    flag("tar-path", Value(""), "a file for the image as a tar"),
    flag("target", Value(""), "the stage to build"),
    flag(
        "use-new-run",
        Bool(false),
        "a different way to detect the changes of RUN",
    ),
    short(
        "verbosity",
        'v',
        Value("info"),
        "trace, debug, info, warn, error, fatal or panic",
    ),
];
