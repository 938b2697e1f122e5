//! Reading the Dockerfile, building and pushing.

use super::{COMMAND, FLAG, LOGGED};
use crate::kind::Kind::{
    Crashed, DestinationWrong, DockerfileWrong, PlatformWrong, PushFailed, StageMissing,
};
use crate::site::{Source, internal, link, never, says};

pub(super) const SOURCES: &[Source] = &[
    Source {
        file: "pkg/dockerfile/buildargs.go",
        sites: &[link("failed to parse target platform {}: {}")],
    },
    Source {
        file: "pkg/dockerfile/dockerfile.go",
        sites: &[
            never(FLAG, "request failed: {}"),
            link("reading dockerfile at path {}: {}"),
            says(DockerfileWrong, "parsing dockerfile: {}"),
            says(DockerfileWrong, "expanding meta ARGs: {}"),
            link("parsing lint options: {}"),
            says(
                DockerfileWrong,
                "quotes wrapping arg values must be matched",
            ),
            link("{} is not a valid target build stage"),
            says(
                StageMissing,
                "COPY --from={} refers to a stage that does not exist",
            ),
            says(DockerfileWrong, "resolving base name {}: {}"),
            says(
                DockerfileWrong,
                "dockerfile must contain at least one FROM instruction",
            ),
            link("error finding target stage: {}"),
            link("resolving args: {}"),
            says(DockerfileWrong, "failed to parse ONBUILD instructions: {}"),
            link("stage {}: {}"),
        ],
    },
    Source {
        file: "pkg/executor/build.go",
        sites: &[
            never(FLAG, "labels must be of the form key=value, got {}"),
            link("resolving cache key: {}"),
            never(LOGGED, "shortcut key not found"),
            says(
                Crashed,
                "Unreachable Code: populateCompositeKey: both files and stageFinalCacheKeys are nil",
            ),
            internal("failed resolving cache pointer"),
            link("failed to get files used from context: {}").times(3),
            link("failed to hash composite key: {}").times(2),
            link("failed to get filesystem from image: {}"),
            link("failed to execute command: {}"),
            link("failed to save layer: {}"),
            link("failed to take snapshot: {}"),
            link("failed to save snapshot to image: {}"),
            internal(
                "layer with media type {} cannot be converted to a media type that matches {}",
            ),
            link("checking layer diffID failed: {}"),
            says(
                Crashed,
                "Unreachable Code: we should always have a final stage",
            )
            .times(2),
            link("precompute: failed to get baseImage: {}"),
            link("precompute: failed to optimize stage {}: {}"),
            link("failed to initialize ignore list: {}"),
            never(FLAG, "context snapshot is missing").times(2),
            never(FLAG, "failed to unpack context snapshot: {}").times(2),
            link("failed to get baseImage: {}"),
            link("failed to optimize instructions: {}"),
            link("error building stage: {}"),
            link("invalid platform {}: {}"),
            link("to create workspace for stage {}: {}"),
            link("could not save file: {}"),
            link("deleting file system after stage {}: {}"),
            link("could not find relative path to {}: {}").times(2),
            says(StageMissing, "{} refers to invalid stage: {}"),
            never(LOGGED, "store entry holds {}"),
            never(FLAG, "{} is not a valid snapshot mode"),
        ],
    },
    Source {
        file: "pkg/executor/composite_cache.go",
        sites: &[link("could not add path: {}")],
    },
    Source {
        file: "pkg/executor/load.go",
        sites: &[
            never(COMMAND, "reading OCI layout: {}"),
            never(COMMAND, "reading OCI index manifest: {}"),
            never(
                COMMAND,
                "OCI layout must contain exactly one image, found {}",
            ),
        ],
    },
    Source {
        file: "pkg/executor/push.go",
        sites: &[
            says(DestinationWrong, "getting tag for destination: {}").times(2),
            never(FLAG, "getting new insecure registry: {}").times(2),
            link("making transport for registry {}: {}").times(2),
            link("checking push permission for {}: {}"),
            never(FLAG, "request failed: {}"),
            never(FLAG, "must provide at least one destination to push"),
            link("error fetching digest: {}"),
            link("writing digest to file failed: {}"),
            never(FLAG, "writing empty layout: {}"),
            never(FLAG, "appending image: {}"),
            never(FLAG, "writing image name with digest to file failed: {}"),
            never(
                FLAG,
                "writing image name with image tag and digest to file failed: {}",
            ),
            never(FLAG, "writing tarball to file failed: {}"),
            link("resolving pushAuth: {}"),
            says(PushFailed, "failed to push to destination {}: {}"),
            never(LOGGED, "getting cache destination: {}"),
            never(LOGGED, "setting empty image created time: {}"),
            never(LOGGED, "appending layer onto empty image: {}"),
            never(LOGGED, "getting cache destination for pointer: {}"),
            never(LOGGED, "building pointer image: {}"),
        ],
    },
    Source {
        file: "pkg/filesystem/resolve.go",
        sites: &[
            internal("dest path must be abs"),
            link("resolvePaths: failed to lstat: {}"),
        ],
    },
    Source {
        file: "pkg/image/image_util.go",
        sites: &[
            internal("no images found in OCI layout"),
            internal("expected one image, found {}"),
        ],
    },
    Source {
        file: "pkg/image/remote/remote.go",
        sites: &[
            never(
                FLAG,
                "image not found on any configured mapped registries for {}",
            ),
            never(FLAG, "Unable to setup transport for registry {}: {}"),
            says(PlatformWrong, "Invalid platform {}: {}"),
        ],
    },
    Source {
        file: "pkg/image/transform.go",
        sites: &[
            never(
                FLAG,
                "cannot relabel zstd layer {} to docker schema2, which has no zstd media type, use --image-format=oci",
            ),
            internal("cannot relabel layer media type {} to {}"),
        ],
    },
    Source {
        file: "pkg/snapshot/layered_map.go",
        sites: &[link("error creating hash for {}: {}")],
    },
    Source {
        file: "pkg/snapshot/snapshot.go",
        sites: &[
            link("unable to add file {} to layered map: {}").times(2),
            link("unable to whiteout file {} in layered map: {}").times(2),
            internal("unexpected file type: {}"),
        ],
    },
];
