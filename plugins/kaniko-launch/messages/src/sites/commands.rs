//! The Dockerfile's instructions.

use super::FLAG;
use crate::kind::Kind::{AddFailed, InstructionWrong, RunNotStarted, SecretMissing, UserUnknown};
use crate::site::{Source, internal, link, never, says};

pub(super) const SOURCES: &[Source] = &[
    Source {
        file: "pkg/commands/add.go",
        sites: &[
            link("getting permissions from chmod: {}"),
            link("getting user group from chown: {}"),
            link("downloading remote source file: {}"),
            link("determining dest for tar: {}"),
            says(AddFailed, "unpacking local tar: {}"),
            link("executing copy command: {}"),
            internal("cached command image is nil {}"),
            link("retrieve image layers: {}"),
            internal("expected {} layers but got {}"),
            link("extracting fs from image: {}"),
        ],
    },
    Source {
        file: "pkg/commands/commands.go",
        sites: &[internal("{} is not a supported command")],
    },
    Source {
        file: "pkg/commands/copy.go",
        sites: &[
            link("getting user group from chown: {}").times(2),
            link("resolving src: {}"),
            link("getting permissions from chmod: {}"),
            link("could not copy source: {}"),
            link("find destination path: {}").times(2),
            link("resolving dest symlink: {}"),
            link("copying dir: {}"),
            link("copying symlink: {}"),
            link("copying file: {}"),
            link("expanding heredoc content: {}"),
            link("creating file: {}"),
            internal("cached command image is nil {}"),
            link("retrieve image layers: {}"),
            internal("expected {} layers but got {}"),
            link("extracting fs from image: {}"),
            internal("dest path must be abs"),
            link("failed to lstat: {}"),
            link("failed to eval symlinks: {}"),
        ],
    },
    Source {
        file: "pkg/commands/expose.go",
        sites: &[
            says(InstructionWrong, "invalid exposed port: {}"),
            says(InstructionWrong, "invalid protocol: {}"),
        ],
    },
    Source {
        file: "pkg/commands/run.go",
        sites: &[
            internal("failed to produce secretId for: {}"),
            says(SecretMissing, "secret not defined: {}"),
            never(FLAG, "environment variable for secret {} not set: {}"),
            never(FLAG, "failed to read secret file {} for {}: {}"),
            link("stat bind target {}: {}"),
            link("creating swap dir: {}"),
            link("saving bind target: {}"),
            link("copying bind source {} to {}: {}"),
            link("resolving user {}: {}").times(2),
            link("credentials: {}"),
            link("adding default HOME variable: {}"),
            says(RunNotStarted, "starting command: {}"),
            link("getting group id for process: {}"),
            link("waiting for process to exit: {}"),
            says(UserUnknown, "lookup user {}: {}"),
            internal("command image is nil {}"),
            link("retrieving image layers: {}"),
            internal("expected {} layers but got {}"),
            link("extracting fs from image: {}"),
            internal("paths must not be empty"),
            link("failed to create swap dir: {}"),
            internal("expected directory {} to not exist (1), but it does"),
            link("failed to rename (1) {} -> {}: {}"),
            link("failed to rename (2) {} -> {}: {}"),
            link("failed to rename (3) {} -> {}: {}"),
            internal("expected directory {} to not exist (2), but it does"),
        ],
    },
    Source {
        file: "pkg/commands/user.go",
        sites: &[
            link("resolving user {}: {}"),
            link("resolving group {}: {}"),
        ],
    },
    Source {
        file: "pkg/commands/volume.go",
        sites: &[link("could not create directory for volume {}: {}")],
    },
    Source {
        file: "pkg/commands/workdir.go",
        sites: &[
            link("getting user group: {}"),
            link("creating workdir {}: {}"),
            internal("command image is nil {}"),
            link("retrieving image layers: {}"),
            internal("expected {} layers but got {}"),
            link("extracting fs from image: {}"),
        ],
    },
];
