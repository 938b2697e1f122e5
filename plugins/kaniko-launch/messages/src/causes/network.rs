//! The network, in the words of Go's `net`, `net/http` and `crypto/tls`.

use super::{Build, IN_CONTEXT, Push, PushCheck, REGISTRY, REMOTE, cause};
use crate::cause::Cause;
use crate::kind::Kind::{self, Certificate, HostUnknown, Network, PlainHttp, PushFailed};

pub(super) const CAUSES: &[Cause] = &[
    cause(
        REMOTE,
        PlainHttp,
        "http: server gave HTTP response to HTTPS client",
    ),
    cause(REMOTE, Certificate, "tls: {}"),
    cause(REMOTE, Certificate, "x509: {}"),
    // Google's own names always exist: without them the pod has no working DNS.
    cause(IN_CONTEXT, Network, "dial tcp: lookup {}: no such host"),
    cause(
        &[PushCheck, Build, Push],
        HostUnknown,
        "dial tcp: lookup {}: no such host",
    ),
    cause(REMOTE, Network, "dial tcp"),
    cause(REMOTE, Network, "read tcp"),
    cause(REMOTE, Network, "write tcp"),
    cause(REMOTE, Network, "net/http: "),
    cause(REMOTE, Network, "http2: "),
    cause(REMOTE, Network, "stream error: "),
    cause(REMOTE, Network, "context deadline exceeded"),
    cause(REGISTRY, Network, "EOF$"),
    cause(REGISTRY, Network, "unexpected EOF$"),
    // What else a registry says to a push that it did not take.
    cause(&[Push], PushFailed, "failed to push to destination {}"),
];

pub(super) const EXAMPLES: &[(&str, i64, Kind)] = &[
    (
        "error checking push permissions: checking push permission for \"registry.local/app:1\": Get \"https://registry.local/v2/\": http: server gave HTTP response to HTTPS client",
        1,
        PlainHttp,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: Get \"https://registry.local/v2/\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
        1,
        Certificate,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: Get \"https://registry.local/v2/\": x509: certificate signed by unknown authority",
        1,
        Certificate,
    ),
    (
        "Error: error resolving source context: Get \"https://storage.googleapis.com/contexts/a.tar.gz\": dial tcp: lookup storage.googleapis.com on 10.0.0.10:53: no such host",
        1,
        Network,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: Get \"https://nope.invalid/v2/\": dial tcp: lookup nope.invalid on 10.0.0.10:53: no such host",
        1,
        HostUnknown,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: Get \"https://index.docker.io/v2/\": dial tcp 10.1.2.3:443: connect: connection refused",
        1,
        Network,
    ),
    (
        "error pushing image: failed to push to destination europe-docker.pkg.dev/demo/images/app:1: Patch \"https://europe-docker.pkg.dev/v2/demo/images/app/blobs/uploads/1\": read tcp 10.0.0.2:40000->10.1.2.3:443: read: connection reset by peer",
        1,
        Network,
    ),
    (
        "error pushing image: failed to push to destination europe-docker.pkg.dev/demo/images/app:1: Patch \"https://europe-docker.pkg.dev/v2/demo/images/app/blobs/uploads/1\": write tcp 10.0.0.2:40000->10.1.2.3:443: write: broken pipe",
        1,
        Network,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: Get \"https://index.docker.io/v2/\": net/http: TLS handshake timeout",
        1,
        Network,
    ),
    (
        "error pushing image: failed to push to destination europe-docker.pkg.dev/demo/images/app:1: Patch \"https://europe-docker.pkg.dev/v2/demo/images/app/blobs/uploads/1\": http2: client connection lost",
        1,
        Network,
    ),
    (
        "error building image: error building stage: failed to get filesystem from image: error reading tar 5: stream error: stream ID 7; INTERNAL_ERROR; received from peer",
        1,
        Network,
    ),
    (
        "error checking push permissions: checking push permission for \"europe-docker.pkg.dev/demo/images/app:1\": Get \"https://europe-docker.pkg.dev/v2/\": context deadline exceeded",
        1,
        Network,
    ),
    (
        "error building image: unable to complete operation after 3 attempts, last error: Get \"https://index.docker.io/v2/\": EOF",
        1,
        Network,
    ),
    (
        "error building image: error building stage: failed to get filesystem from image: error reading tar 5: unexpected EOF",
        1,
        Network,
    ),
    (
        "error pushing image: failed to push to destination europe-docker.pkg.dev/demo/images/app:1: PUT https://europe-docker.pkg.dev/v2/demo/images/app/manifests/1: BLOB_UNKNOWN: blob unknown to registry",
        1,
        PushFailed,
    ),
];
