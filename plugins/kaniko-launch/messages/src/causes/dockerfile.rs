//! The Dockerfile and its instructions, in kaniko's and BuildKit's words.

use super::{Dockerfile, IN_BUILD, cause};
use crate::cause::Cause;
use crate::kind::Kind::{
    self, AddFailed, ArchiveUnsafe, CopyDestination, DiskFull, DockerfileMissing, DockerfileWrong,
    InstructionWrong, Privileges, RunFailed, RunKilled, RunNotStarted, SecretMissing,
    SourceMissing, StageLacks, StageMissing, TargetMissing, UserUnknown,
};

pub(super) const CAUSES: &[Cause] = &[
    cause(
        &[Dockerfile],
        DockerfileMissing,
        "please provide a valid path to a Dockerfile within the build context",
    ),
    cause(
        IN_BUILD,
        RunFailed,
        "waiting for process to exit: exit status {}",
    ),
    cause(
        IN_BUILD,
        RunKilled,
        "waiting for process to exit: signal: {}",
    ),
    // The file system is full also where an instruction began to write.
    cause(IN_BUILD, DiskFull, "*no space left on device"),
    cause(IN_BUILD, DiskFull, "*disk quota exceeded"),
    // The container may not change users.
    cause(
        IN_BUILD,
        Privileges,
        "starting command: *operation not permitted$",
    ),
    cause(IN_BUILD, RunNotStarted, "starting command: {}"),
    cause(
        IN_BUILD,
        UserUnknown,
        "user {} is not a uid and does not exist on the system",
    ),
    cause(IN_BUILD, UserUnknown, "lookup user {}: "),
    cause(IN_BUILD, SecretMissing, "secret not defined: {}"),
    cause(
        IN_BUILD,
        SourceMissing,
        "failed to get fileinfo for /kaniko/buildcontext/{}: lstat",
    ),
    cause(
        IN_BUILD,
        SourceMissing,
        "failed to get relative files: lstat /kaniko/buildcontext/{}: no such file",
    ),
    cause(
        IN_BUILD,
        SourceMissing,
        "could not copy source: lstat /kaniko/buildcontext/{}: no such file",
    ),
    cause(
        IN_BUILD,
        StageLacks,
        "failed to get fileinfo for /kaniko/deps/{}: lstat",
    ),
    cause(
        IN_BUILD,
        StageLacks,
        "failed to get relative files: lstat /kaniko/deps/{}: no such file",
    ),
    cause(
        IN_BUILD,
        StageLacks,
        "could not copy source: lstat /kaniko/deps/{}: no such file",
    ),
    cause(
        IN_BUILD,
        CopyDestination,
        "when specifying multiple sources in a COPY command, destination must be a directory",
    ),
    cause(
        IN_BUILD,
        CopyDestination,
        "resolving dest symlink: {}: not a directory",
    ),
    cause(IN_BUILD, InstructionWrong, "parsing value from chmod: {}"),
    cause(IN_BUILD, InstructionWrong, "invalid exposed port: {}"),
    cause(IN_BUILD, InstructionWrong, "invalid protocol: {}"),
    cause(
        IN_BUILD,
        InstructionWrong,
        "getting user group from chown: strconv.{}",
    ),
    cause(IN_BUILD, DockerfileWrong, "unsupported mount type {}"),
    cause(
        IN_BUILD,
        TargetMissing,
        "error finding target stage: {} is not a valid target build stage",
    ),
    cause(
        IN_BUILD,
        StageMissing,
        "COPY --from={} refers to a stage that does not exist",
    ),
    cause(IN_BUILD, StageMissing, "{} refers to invalid stage"),
    cause(IN_BUILD, DockerfileWrong, "parsing dockerfile: {}"),
    cause(
        IN_BUILD,
        DockerfileWrong,
        "dockerfile must contain at least one FROM instruction",
    ),
    cause(
        IN_BUILD,
        DockerfileWrong,
        "failed to parse ONBUILD instructions: {}",
    ),
    cause(IN_BUILD, DockerfileWrong, "expanding meta ARGs: {}"),
    cause(IN_BUILD, DockerfileWrong, "resolving base name {}: "),
    cause(
        IN_BUILD,
        DockerfileWrong,
        "quotes wrapping arg values must be matched",
    ),
    cause(IN_BUILD, DockerfileWrong, "failed to process {}"),
    cause(
        IN_BUILD,
        ArchiveUnsafe,
        "tar entry {} is not allowed: references parent directory",
    ),
    cause(
        IN_BUILD,
        ArchiveUnsafe,
        "hardlink target {} is not allowed: references parent directory",
    ),
    cause(
        IN_BUILD,
        AddFailed,
        "downloading remote source file: invalid response status {}",
    ),
    cause(IN_BUILD, AddFailed, "unpacking local tar: {}"),
];

pub(super) const EXAMPLES: &[(&str, i64, Kind)] = &[
    (
        "error building image: error building stage: failed to execute command: starting command: fork/exec /bin/sh: operation not permitted",
        1,
        Privileges,
    ),
    (
        "error building image: error building stage: failed to execute command: getting user group from chown: getting user group from chown: strconv.ParseUint: parsing \"4294967296\": value out of range",
        1,
        InstructionWrong,
    ),
    (
        "error building image: error building stage: failed to get files used from context: unsupported mount type \"foo\"",
        1,
        DockerfileWrong,
    ),
    (
        "Error: error resolving dockerfile path: please provide a valid path to a Dockerfile within the build context with --dockerfile",
        1,
        DockerfileMissing,
    ),
    (
        "error building image: error building stage: failed to execute command: waiting for process to exit: exit status 7",
        7,
        RunFailed,
    ),
    (
        "error building image: error building stage: failed to execute command: waiting for process to exit: signal: killed",
        255,
        RunKilled,
    ),
    (
        "error building image: error building stage: failed to take snapshot: write /kaniko/layers/a.tar: no space left on device",
        1,
        DiskFull,
    ),
    (
        "error building image: error building stage: failed to get filesystem from image: write /usr/lib/a: disk quota exceeded",
        1,
        DiskFull,
    ),
    (
        "error building image: error building stage: failed to execute command: starting command: fork/exec /bin/sh: no such file or directory",
        1,
        RunNotStarted,
    ),
    (
        "error building image: error building stage: failed to execute command: getting user group from chown: getting user group from chown: user bob is not a uid and does not exist on the system",
        1,
        UserUnknown,
    ),
    (
        "error building image: error building stage: failed to execute command: adding default HOME variable: lookup user bob: user: unknown user bob",
        1,
        UserUnknown,
    ),
    (
        "error building image: error building stage: failed to execute command: secret not defined: npm",
        1,
        SecretMissing,
    ),
    (
        "error building image: error building stage: failed to get files used from context: failed to get fileinfo for /kaniko/buildcontext/go.mod: lstat /kaniko/buildcontext/go.mod: no such file or directory",
        1,
        SourceMissing,
    ),
    (
        "error building image: error building stage: failed to get files used from context: failed to get relative files: lstat /kaniko/buildcontext/yarn.lock: no such file or directory",
        1,
        SourceMissing,
    ),
    (
        "error building image: error building stage: failed to execute command: could not copy source: lstat /kaniko/buildcontext/yarn.lock: no such file or directory",
        1,
        SourceMissing,
    ),
    (
        "error building image: error building stage: failed to get files used from context: failed to get fileinfo for /kaniko/deps/0/app/dist: lstat /kaniko/deps/0/app/dist: no such file or directory",
        1,
        StageLacks,
    ),
    (
        "error building image: error building stage: failed to get files used from context: failed to get relative files: lstat /kaniko/deps/0/gone: no such file or directory",
        1,
        StageLacks,
    ),
    (
        "error building image: error building stage: failed to execute command: could not copy source: lstat /kaniko/deps/0/gone: no such file or directory",
        1,
        StageLacks,
    ),
    (
        "error building image: error building stage: failed to get files used from context: when specifying multiple sources in a COPY command, destination must be a directory and end in '/'",
        1,
        CopyDestination,
    ),
    (
        "error building image: error building stage: failed to execute command: resolving dest symlink: failed to lstat: lstat /a/b/c: not a directory",
        1,
        CopyDestination,
    ),
    (
        "error building image: error building stage: failed to execute command: getting permissions from chmod: parsing value from chmod: invalid syntax",
        1,
        InstructionWrong,
    ),
    (
        "error building image: failed to optimize instructions: invalid exposed port: 80/tcp/x",
        1,
        InstructionWrong,
    ),
    (
        "error building image: failed to optimize instructions: invalid protocol: zzz",
        1,
        InstructionWrong,
    ),
    (
        "error building image: error finding target stage: \"nix\" is not a valid target build stage",
        1,
        TargetMissing,
    ),
    (
        "error building image: stage 0: COPY --from=7 refers to a stage that does not exist",
        1,
        StageMissing,
    ),
    (
        "error building image: COPY --from=0 a / refers to invalid stage: 0",
        1,
        StageMissing,
    ),
    (
        "error building image: parsing dockerfile: dockerfile parse error on line 2: unknown instruction: FOO (did you mean FROM?)",
        1,
        DockerfileWrong,
    ),
    (
        "error building image: dockerfile must contain at least one FROM instruction",
        1,
        DockerfileWrong,
    ),
    (
        "error building image: failed to parse ONBUILD instructions: dockerfile parse error on line 1: unknown instruction: FOO",
        1,
        DockerfileWrong,
    ),
    (
        "error building image: expanding meta ARGs: unexpected end of statement while looking for matching double-quote",
        1,
        DockerfileWrong,
    ),
    (
        "error building image: resolving args: resolving base name ${A: unexpected end of statement",
        1,
        DockerfileWrong,
    ),
    (
        "error building image: quotes wrapping arg values must be matched",
        1,
        DockerfileWrong,
    ),
    (
        "error building image: failed to optimize instructions: failed to process \"\\\"b\": unexpected end of statement while looking for matching double-quote",
        1,
        DockerfileWrong,
    ),
    (
        "error building image: error building stage: failed to get filesystem from image: tar entry \"../x\" is not allowed: references parent directory",
        1,
        ArchiveUnsafe,
    ),
    (
        "error building image: error building stage: failed to get filesystem from image: hardlink target \"../x\" is not allowed: references parent directory",
        1,
        ArchiveUnsafe,
    ),
    (
        "error building image: error building stage: failed to execute command: downloading remote source file: invalid response status 404",
        1,
        AddFailed,
    ),
    (
        "error building image: error building stage: failed to execute command: unpacking local tar: archive/tar: invalid tar header",
        1,
        AddFailed,
    ),
];
