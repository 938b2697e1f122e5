//! The context's archive, the executor, and the container that it runs in.

use super::{ANY, Crash, Fatal, Flags, IN_BUILD, IN_CONTEXT, Start, cause};
use crate::cause::Cause;
use crate::kind::Kind::{
    self, ContextBroken, Crashed, DiskFull, ExecutorFlags, MountedPath, NotContained,
    PlatformWrong, Privileges, ReadOnly, SnapshotTimeout,
};

// `compress/gzip`, `archive/tar` and `syscall` of Go, and pflag for flags.
pub(super) const CAUSES: &[Cause] = &[
    cause(&[Crash], Crashed, ""),
    cause(&[Flags], ExecutorFlags, "unknown flag: {}"),
    cause(&[Flags], ExecutorFlags, "unknown shorthand flag: {}"),
    cause(
        &[Start],
        NotContained,
        "kaniko should only be run inside of a container",
    ),
    cause(&[Fatal], PlatformWrong, "Invalid platform {}"),
    cause(&[Fatal], SnapshotTimeout, "Timed out snapshotting FS in {}"),
    cause(IN_CONTEXT, DiskFull, "*no space left on device"),
    cause(IN_CONTEXT, DiskFull, "*disk quota exceeded"),
    cause(IN_CONTEXT, ContextBroken, "gzip: {}"),
    cause(IN_CONTEXT, ContextBroken, "archive/tar: {}"),
    cause(IN_CONTEXT, ContextBroken, "flate: {}"),
    cause(IN_CONTEXT, ContextBroken, "unexpected EOF$"),
    cause(IN_CONTEXT, ContextBroken, "EOF$"),
    cause(
        IN_CONTEXT,
        ContextBroken,
        "tar entry {} is not allowed: references parent directory",
    ),
    cause(
        IN_CONTEXT,
        ContextBroken,
        "hardlink target {} is not allowed: references parent directory",
    ),
    cause(
        IN_CONTEXT,
        ContextBroken,
        "unknown build context prefix provided",
    ),
    cause(
        IN_CONTEXT,
        ContextBroken,
        "stat {}: no such file or directory",
    ),
    cause(ANY, ReadOnly, "read-only file system"),
    cause(IN_BUILD, MountedPath, "device or resource busy"),
    cause(ANY, Privileges, "operation not permitted"),
];

pub(super) const EXAMPLES: &[(&str, i64, Kind)] = &[
    (
        "panic: runtime error: invalid memory address or nil pointer dereference\n\ngoroutine 1 [running]:\nmain.main()",
        2,
        Crashed,
    ),
    (
        "time=\"2026-11-30T06:40:05Z\" level=panic msg=\"Assertion violated [run.process-set]: cmd.Process must be set\"\n\ngoroutine 1 [running]:\nmain.main()",
        2,
        Crashed,
    ),
    (
        "fatal error: concurrent map writes\n\ngoroutine 1 [running]:\nmain.main()",
        2,
        Crashed,
    ),
    (
        "Error: unknown flag: --image-fs-extract-retry",
        1,
        ExecutorFlags,
    ),
    ("Error: unknown shorthand flag: 'x' in -x", 1, ExecutorFlags),
    (
        "kaniko should only be run inside of a container, run with the --force flag if you are sure you want to continue",
        1,
        NotContained,
    ),
    (
        "time=\"2026-11-30T06:40:05Z\" level=fatal msg=\"Invalid platform \\\"a/b/c/d/e\\\": too many slashes in platform spec: a/b/c/d/e\"",
        1,
        PlatformWrong,
    ),
    (
        "FATA[5400] Timed out snapshotting FS in 90m",
        1,
        SnapshotTimeout,
    ),
    (
        "Error: error resolving source context: write /kaniko/buildcontext/context.tar.gz: no space left on device",
        1,
        DiskFull,
    ),
    (
        "Error: error resolving source context: write /kaniko/buildcontext/a: disk quota exceeded",
        1,
        DiskFull,
    ),
    (
        "Error: error resolving source context: gzip: invalid header",
        1,
        ContextBroken,
    ),
    (
        "Error: error resolving source context: error reading tar 3: archive/tar: invalid tar header",
        1,
        ContextBroken,
    ),
    (
        "Error: error resolving source context: error reading tar 3: flate: corrupt input before offset 5",
        1,
        ContextBroken,
    ),
    (
        "Error: error resolving source context: error reading tar 3: unexpected EOF",
        1,
        ContextBroken,
    ),
    (
        "Error: error resolving source context: EOF",
        1,
        ContextBroken,
    ),
    (
        "Error: error resolving source context: tar entry \"../x\" is not allowed: references parent directory",
        1,
        ContextBroken,
    ),
    (
        "Error: error resolving source context: hardlink target \"../x\" is not allowed: references parent directory",
        1,
        ContextBroken,
    ),
    (
        "Error: error resolving source context: unknown build context prefix provided, please use one of the following: gs://, dir://, tar://, s3://, git://, https://",
        1,
        ContextBroken,
    ),
    (
        "Error: error resolving source context: stat /kaniko/buildcontext/app: no such file or directory",
        1,
        ContextBroken,
    ),
    (
        "error building image: error building stage: failed to get filesystem from image: mkdir /usr: read-only file system",
        1,
        ReadOnly,
    ),
    (
        "error building image: deleting file system after stage 0: unlinkat //var/run/secrets/a: device or resource busy",
        1,
        MountedPath,
    ),
    (
        "error building image: error building stage: failed to get filesystem from image: chown /etc/shadow: operation not permitted",
        1,
        Privileges,
    ),
];
