//! Answers of registries, in the words of go-containerregistry and Artifact Registry.

use super::{IN_BUILD, PUSHING, REGISTRY, cause};
use crate::cause::Cause;
use crate::kind::Kind::{
    self, BaseDenied, BaseMissing, BasePlatform, DestinationWrong, ImageName, NoIdentity,
    PushDenied, PushRefused, RateLimited, RepositoryMissing, ServiceAway, TagImmutable,
};

// The codes are those of the OCI distribution specification, "Error Codes"; `unexpected status
// code` is go-containerregistry's word for an answer without them.
pub(super) const CAUSES: &[Cause] = &[
    cause(
        PUSHING,
        PushDenied,
        "Permission \"artifactregistry.repositories.uploadArtifacts\" denied on resource \"{}\"",
    ),
    cause(
        PUSHING,
        TagImmutable,
        "*The repository has enabled tag immutability",
    ),
    cause(
        PUSHING,
        TagImmutable,
        "*cannot be overwritten because the tag is immutable",
    ),
    cause(
        PUSHING,
        RepositoryMissing,
        "gcr.io repo does not exist. Creating on push requires",
    ),
    cause(PUSHING, RepositoryMissing, "NAME_UNKNOWN: {}"),
    cause(REGISTRY, RateLimited, "TOOMANYREQUESTS"),
    cause(REGISTRY, RateLimited, "unexpected status code 429"),
    cause(REGISTRY, ServiceAway, "unexpected status code 5"),
    cause(REGISTRY, ServiceAway, "UNAVAILABLE"),
    cause(PUSHING, PushRefused, "UNAUTHORIZED: {}"),
    cause(PUSHING, PushRefused, "DENIED: {}"),
    cause(PUSHING, PushRefused, "unexpected status code 401 {}"),
    cause(PUSHING, PushRefused, "unexpected status code 403 {}"),
    cause(PUSHING, DestinationWrong, "getting tag for destination: {}"),
    cause(IN_BUILD, BaseMissing, "GET {}: MANIFEST_UNKNOWN"),
    cause(IN_BUILD, BaseMissing, "GET {}: NAME_UNKNOWN"),
    cause(IN_BUILD, BaseMissing, "GET {}: unexpected status code 404"),
    cause(IN_BUILD, NoIdentity, "Unauthenticated request"),
    cause(IN_BUILD, BaseDenied, "GET {}: UNAUTHORIZED"),
    cause(IN_BUILD, BaseDenied, "GET {}: DENIED"),
    cause(IN_BUILD, BaseDenied, "GET {}: unexpected status code 401"),
    cause(IN_BUILD, BaseDenied, "GET {}: unexpected status code 403"),
    cause(IN_BUILD, BasePlatform, "no child with platform {}"),
    cause(IN_BUILD, ImageName, "could not parse reference: {}"),
    cause(
        IN_BUILD,
        ImageName,
        "repository can only contain the characters {}",
    ),
    cause(
        IN_BUILD,
        ImageName,
        "tag can only contain the characters {}",
    ),
];

pub(super) const EXAMPLES: &[(&str, i64, Kind)] = &[
    (
        "error checking push permissions: checking push permission for \"europe-docker.pkg.dev/demo/images/app:1\": POST https://europe-docker.pkg.dev/v2/demo/images/app/blobs/uploads/: DENIED: Permission \"artifactregistry.repositories.uploadArtifacts\" denied on resource \"projects/demo/locations/europe/repositories/images\" (or it may not exist)",
        1,
        PushDenied,
    ),
    (
        "error pushing image: failed to push to destination europe-docker.pkg.dev/demo/images/app:1: PUT https://europe-docker.pkg.dev/v2/demo/images/app/manifests/1: MANIFEST_INVALID: cannot update tag 1. The repository has enabled tag immutability",
        1,
        TagImmutable,
    ),
    (
        "error pushing image: failed to push to destination 1.dkr.ecr.eu-west-1.amazonaws.com/app:1: PUT https://1.dkr.ecr.eu-west-1.amazonaws.com/v2/app/manifests/1: TAG_INVALID: The image tag '1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable.",
        1,
        TagImmutable,
    ),
    (
        "error checking push permissions: checking push permission for \"gcr.io/demo/app:1\": POST https://gcr.io/v2/demo/app/blobs/uploads/: DENIED: gcr.io repo does not exist. Creating on push requires the artifactregistry.repositories.createOnPush permission",
        1,
        RepositoryMissing,
    ),
    (
        "error checking push permissions: checking push permission for \"europe-docker.pkg.dev/demo/images/app:1\": POST https://europe-docker.pkg.dev/v2/demo/images/app/blobs/uploads/: NAME_UNKNOWN: Repository \"images\" not found",
        1,
        RepositoryMissing,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: GET https://index.docker.io/v2/library/alpine/manifests/3: TOOMANYREQUESTS: You have reached your pull rate limit.",
        1,
        RateLimited,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: GET https://registry.example.com/v2/a/manifests/1: unexpected status code 429 Too Many Requests",
        1,
        RateLimited,
    ),
    (
        "error pushing image: failed to push to destination europe-docker.pkg.dev/demo/images/app:1: PUT https://europe-docker.pkg.dev/v2/demo/images/app/manifests/1: unexpected status code 502 Bad Gateway: <html>",
        1,
        ServiceAway,
    ),
    (
        "error pushing image: failed to push to destination europe-docker.pkg.dev/demo/images/app:1: PUT https://europe-docker.pkg.dev/v2/demo/images/app/manifests/1: UNAVAILABLE: try again later",
        1,
        ServiceAway,
    ),
    (
        "error checking push permissions: checking push permission for \"ghcr.io/demo/app:1\": POST https://ghcr.io/v2/demo/app/blobs/uploads/: UNAUTHORIZED: authentication required",
        1,
        PushRefused,
    ),
    (
        "error pushing image: failed to push to destination ghcr.io/demo/app:1: PUT https://ghcr.io/v2/demo/app/manifests/1: DENIED: permission_denied: write_package",
        1,
        PushRefused,
    ),
    (
        "error checking push permissions: checking push permission for \"registry.example.com/app:1\": POST https://registry.example.com/v2/app/blobs/uploads/: unexpected status code 401 Unauthorized",
        1,
        PushRefused,
    ),
    (
        "error checking push permissions: checking push permission for \"registry.example.com/app:1\": POST https://registry.example.com/v2/app/blobs/uploads/: unexpected status code 403 Forbidden",
        1,
        PushRefused,
    ),
    (
        "error checking push permissions: getting tag for destination: repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: Demo/app",
        1,
        DestinationWrong,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: GET https://europe-docker.pkg.dev/v2/demo/images/base/manifests/9: MANIFEST_UNKNOWN: Failed to fetch \"9\"",
        1,
        BaseMissing,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: GET https://europe-docker.pkg.dev/v2/demo/gone/base/manifests/9: NAME_UNKNOWN: Repository \"gone\" not found",
        1,
        BaseMissing,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: GET https://registry.example.com/v2/base/manifests/9: unexpected status code 404 Not Found: page not found",
        1,
        BaseMissing,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: GET https://europe-docker.pkg.dev/v2/token?scope=repository%3Ademo%2Fimages%2Fbase%3Apull: DENIED: Unauthenticated request. Unauthenticated requests do not have permission \"artifactregistry.repositories.downloadArtifacts\" on resource \"projects/demo/locations/europe/repositories/images\"",
        1,
        NoIdentity,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: GET https://index.docker.io/v2/demo/private/manifests/latest: UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:demo/private Type:repository]]",
        1,
        BaseDenied,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: GET https://europe-docker.pkg.dev/v2/demo/images/base/manifests/9: DENIED: Permission \"artifactregistry.repositories.downloadArtifacts\" denied on resource \"projects/demo/locations/europe/repositories/images\" (or it may not exist)",
        1,
        BaseDenied,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: GET https://registry.example.com/v2/base/manifests/9: unexpected status code 401 Unauthorized",
        1,
        BaseDenied,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: GET https://registry.example.com/v2/base/manifests/9: unexpected status code 403 Forbidden",
        1,
        BaseDenied,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: no child with platform linux/s390x in index index.docker.io/library/demo:1",
        1,
        BasePlatform,
    ),
    (
        "error building image: could not parse reference: Bad:Image:x",
        1,
        ImageName,
    ),
    (
        "error building image: repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: Base",
        1,
        ImageName,
    ),
    (
        "error building image: tag can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-.ABCDEFGHIJKLMNOPQRSTUVWXYZ`: a b",
        1,
        ImageName,
    ),
];
