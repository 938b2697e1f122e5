//! The programs: flags, prefixes, and what runs beside a build.

use super::{COMMAND, FLAG, WARMER};
use crate::kind::Kind::{DockerfileMissing, NotContained, PlatformWrong};
use crate::site::{Source, link, never, outer, says};

pub(super) const SOURCES: &[Source] = &[
    Source {
        file: "cmd/executor/cmd/login.go",
        sites: &[
            never(COMMAND, "username required"),
            never(
                COMMAND,
                "a password must be supplied via --password or --password-stdin",
            ),
            never(
                COMMAND,
                "only one of --password or --password-stdin may be specified",
            ),
            never(COMMAND, "password is blank"),
        ],
    },
    Source {
        file: "cmd/executor/cmd/push.go",
        sites: &[
            never(COMMAND, "at least one --destination is required"),
            never(COMMAND, "resolving path: {}"),
            never(COMMAND, "path {} not readable: {}"),
            never(COMMAND, "checking push permissions: {}"),
            never(COMMAND, "loading image: {}"),
            never(COMMAND, "pushing image: {}"),
        ],
    },
    Source {
        file: "cmd/executor/cmd/root.go",
        sites: &[
            never(FLAG, "failed to set registry mirror {}").times(2),
            never(
                FLAG,
                "invalid value {} for KANIKO_NO_PUSH environment variable",
            ),
            never(FLAG, "failed to set registry map {}"),
            says(PlatformWrong, "Invalid platform {}: {}"),
            never(FLAG, "error resolving secrets: {}"),
            never(FLAG, "you must provide --destination, or use --no-push"),
            never(
                FLAG,
                "--compression=zstd cannot be used with --image-format=docker, the Docker schema2 format has no zstd layer media type, use --image-format=oci",
            ),
            never(
                FLAG,
                "--tar-path writes a Docker schema2 tarball and cannot be used with --image-format=oci, use --oci-layout-path to write an OCI image",
            ),
            never(
                FLAG,
                "--compression=zstd cannot be used with --tar-path, the Docker schema2 tarball has no zstd layer media type, use --oci-layout-path for zstd layers",
            ),
            never(FLAG, "cache flags invalid: {}"),
            outer("error resolving source context: {}"),
            outer("error resolving dockerfile path: {}"),
            never(
                FLAG,
                "you must provide --destination if setting ImageNameDigestFile",
            ),
            never(
                FLAG,
                "you must provide --destination if setting ImageNameTagDigestFile",
            ),
            says(
                NotContained,
                "kaniko should only be run inside of a container, run with the --force flag if you are sure you want to continue",
            ),
            outer("error checking push permissions: {}"),
            outer("error resolving relative paths to absolute paths: {}"),
            outer("error changing to root dir: {}"),
            outer("error building image: {}"),
            outer("error pushing image: {}"),
            never(
                FLAG,
                "if using cache with --no-push, specify cache repo with --cache-repo",
            ),
            link("getting absolute path for dockerfile: {}"),
            link("getting absolute path for src context/dockerfile path: {}"),
            says(
                DockerfileMissing,
                "please provide a valid path to a Dockerfile within the build context with --dockerfile",
            ),
            never(FLAG, "environment variable for secret {} not set: {}"),
            never(FLAG, "copying secret {}: {}"),
            link("copying dockerfile: {}"),
            link("copying Dockerfile.dockerignore: {}"),
            never(
                FLAG,
                "please specify a path to the build context with the --context flag or a bucket with the --bucket flag",
            ),
            link("couldn't resolve relative path {} to an absolute path: {}"),
        ],
    },
    Source {
        file: "cmd/warmer/cmd/root.go",
        sites: &[
            never(
                WARMER,
                "you must select at least one image to cache or a dockerfilepath to parse",
            ),
            never(WARMER, "error validating dockerfile path: {}"),
            never(WARMER, "failed to create cache directory: {}"),
            never(WARMER, "failed warming cache: {}"),
            never(WARMER, "Invalid platform {}: {}"),
            never(WARMER, "getting absolute path for dockerfile: {}"),
            never(
                WARMER,
                "please provide a valid path to a Dockerfile within the build context with --dockerfile",
            ),
        ],
    },
    Source {
        file: "pkg/warmer/lock.go",
        sites: &[
            never(WARMER, "creating warmer lock dir {}: {}"),
            never(WARMER, "opening warmer lock {}: {}"),
            never(WARMER, "acquiring exclusive lock on {}: {}"),
        ],
    },
    Source {
        file: "pkg/warmer/warm.go",
        sites: &[
            never(WARMER, "failed to parse Dockerfile: {}"),
            never(WARMER, "failed to warm any of the given images"),
            never(WARMER, "failed to acquire cache lock: {}").times(2),
            never(WARMER, "failed to rename manifest file: {}"),
            never(WARMER, "failed to verify image name: {}: {}").times(2),
            never(WARMER, "failed to retrieve image: {}: {}").times(2),
            never(WARMER, "failed to retrieve digest: {}: {}").times(2),
            never(WARMER, "failed to write {} to tar buffer: {}"),
            never(WARMER, "failed to retrieve manifest for {}: {}"),
            never(WARMER, "failed to save manifest to buffer for {}: {}"),
            never(WARMER, "failed to create ocilayout for: {}: {}"),
            never(WARMER, "failed to append image {} to ocilayout: {}"),
            never(WARMER, "request failed: {}"),
            never(WARMER, "reading dockerfile at path {}: {}"),
            never(WARMER, "parsing dockerfile: {}"),
            never(WARMER, "resolving base name {}: {}"),
        ],
    },
];
