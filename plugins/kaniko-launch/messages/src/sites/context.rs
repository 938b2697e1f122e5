//! The context, the cache, settings and logging.

use super::{CONTEXT, FLAG, LOGGED};
use crate::kind::Kind::{ContextBroken, Crashed};
use crate::site::{Source, internal, link, never, says};

pub(super) const SOURCES: &[Source] = &[
    Source {
        file: "pkg/assert/assert.go",
        sites: &[
            says(Crashed, "Assertion violated [{}]: {}"),
            says(Crashed, "Unreachable Code: {}"),
        ],
    },
    Source {
        file: "pkg/buildcontext/azureblob.go",
        sites: &[never(
            CONTEXT,
            "AZURE_STORAGE_ACCESS_KEY environment variable is not set",
        )],
    },
    Source {
        file: "pkg/buildcontext/buildcontext.go",
        sites: &[says(
            ContextBroken,
            "unknown build context prefix provided, please use one of the following: gs://, dir://, tar://, s3://, git://, https://",
        )],
    },
    Source {
        file: "pkg/buildcontext/gcs.go",
        sites: &[link("getting bucketname and filepath from context: {}")],
    },
    Source {
        file: "pkg/buildcontext/git.go",
        sites: &[never(CONTEXT, "invalid branch: {}")],
    },
    Source {
        file: "pkg/buildcontext/https.go",
        sites: &[never(CONTEXT, "HTTPSTar bad status from server: {}")],
    },
    Source {
        file: "pkg/buildcontext/s3.go",
        sites: &[never(
            CONTEXT,
            "getting bucketname and filepath from context: {}",
        )],
    },
    Source {
        file: "pkg/buildcontext/tar.go",
        sites: &[
            never(CONTEXT, "unpacking tar from build context: {}"),
            never(
                CONTEXT,
                "no data found.. don't forget to add the '--interactive, -i' flag",
            ),
        ],
    },
    Source {
        file: "pkg/cache/cache.go",
        sites: &[
            never(LOGGED, "getting cache destination: {}").times(2),
            never(LOGGED, "getting reference for {}: {}"),
            never(LOGGED, "making transport for registry {}: {}"),
            never(LOGGED, "retrieving config file for {}: {}"),
            never(LOGGED, "cache entry expired: {}"),
            never(LOGGED, "locating cache image: {}"),
            never(LOGGED, "constructing layout path from {}: {}"),
            never(LOGGED, "retrieving index file for {}: {}"),
            never(LOGGED, "retrieving manifest file for {}: {}"),
            never(LOGGED, "initializing image with digest {}: {}"),
            never(LOGGED, "path contains no images"),
            never(LOGGED, "cache repo can't be deduced"),
            never(LOGGED, "getting tag for destination: {}"),
            never(LOGGED, "getting image from path: {}"),
            never(LOGGED, "no images found in OCI layout"),
            never(LOGGED, "expected one image, found {}"),
        ],
    },
    Source {
        file: "pkg/config/args.go",
        sites: &[never(FLAG, "invalid argument value. expect key=value, got {}").times(2)],
    },
    Source {
        file: "pkg/config/init.go",
        sites: &[
            internal("couldn't determine location of kaniko exe"),
            never(FLAG, "failed to stat {}: {}").times(3),
            never(FLAG, "refusing to remove /"),
            never(FLAG, "refusing to remove {}"),
            never(FLAG, "refusing to remove {} outside {}"),
        ],
    },
    Source {
        file: "pkg/config/options.go",
        sites: &[
            never(FLAG, "invalid git flag, must be in the key=value format"),
            never(FLAG, "{}: {}"),
            never(FLAG, "must be either \"gzip\" or \"zstd\""),
            never(FLAG, "must be either \"docker\" or \"oci\""),
            never(FLAG, "invalid secret format: {}"),
            never(FLAG, "invalid secret type: {} (file|env)"),
            never(FLAG, "unknown key {} in secret"),
            never(FLAG, "secret requires id=ID"),
            never(FLAG, "only one of src or env may be specified"),
            never(FLAG, "env cannot be specified for file type secrets"),
            never(FLAG, "secret with ID {} is already defined"),
        ],
    },
    Source {
        file: "pkg/creds/env_keychain.go",
        sites: &[
            never(LOGGED, "unsupported operation").times(3),
            never(LOGGED, "no matching env var set"),
        ],
    },
    Source {
        file: "pkg/logging/logging.go",
        sites: &[
            never(FLAG, "parsing log level: {}"),
            never(
                FLAG,
                "not a valid log format: {}. Please specify one of (text, color, json)",
            ),
        ],
    },
    Source {
        file: "pkg/tracing/tracing.go",
        sites: &[
            never(LOGGED, "process exited via logrus.Fatal"),
            never(LOGGED, "assertion violated [{}]: {}"),
        ],
    },
];
