//! Files, archives, users and transports.

use super::{CODE, FLAG, LOGGED};
use crate::kind::Kind::{
    ArchiveUnsafe, CopyDestination, InstructionWrong, SnapshotTimeout, UserUnknown,
};
use crate::site::{Source, internal, link, never, says};

pub(super) const SOURCES: &[Source] = &[
    Source {
        file: "pkg/util/command_util.go",
        sites: &[
            link("failed to resolve environment: {}"),
            link("failed to resolve environment for dest path: {}"),
            link("failed to resolve sources: {}"),
            link("resolving sources: {}"),
            link("matching sources: {}"),
            says(CopyDestination, "when specifying multiple sources in a COPY command, destination must be a directory and end in '/'").times(2),
            link("failed to get fileinfo for {}: {}"),
            link("failed to get relative files: {}"),
            link("failed to lookup current user: {}"),
            link("failed parsing uid and gid {}:{}: {}"),
            link("identifying uid and gid for user {}: {}"),
            link("getting user group from chown: {}"),
            says(InstructionWrong, "parsing value from chmod: {}"),
            says(UserUnknown, "user {} is not a uid and does not exist on the system"),
        ],
    },
    Source {
        file: "pkg/util/fs_util.go",
        sites: &[
            internal("image cannot be nil"),
            link("initializing filesystem ignore list: {}"),
            internal("must supply an extract function"),
            link("error reading tar {}: {}"),
            says(ArchiveUnsafe, "tar entry {} is not allowed: references parent directory").times(2),
            link("resolving whiteout path for {}: {}"),
            link("removing whiteout {}: {}"),
            link("resolving path for {}: {}"),
            link("error removing {} to make way for new file: {}"),
            link("error removing symlink {} to make way for new directory: {}"),
            link("error removing {} to make way for new link: {}"),
            says(ArchiveUnsafe, "hardlink target {} is not allowed: references parent directory"),
            link("invalid hardlink target {}: {}"),
            link("error removing {} to make way for new symlink: {}"),
            link("getting stat of present file: {}"),
            internal("can't convert fs.FileInfo of {} to linux syscall.Stat_t"),
            link("reseting file ownership to root: {}"),
            link("creating parent dir: {}"),
            link("reseting file ownership: {}"),
            link("creating file: {}"),
            link("copying file: {}").times(2),
            internal("invalid response status {}"),
            link("copying dir: {}").times(2),
            link("parsing .dockerignore: {}"),
            link("error removing {} to make way for new directory: {}"),
            link("error calling stat on {}: {}").times(2),
            internal("numeric user-id or group-id greater than {} are not properly supported"),
            link("couldn't modify times: atime {} mtime {}: {}"),
            never(LOGGED, "not a symlink"),
            link("getting file info: {}"),
            link("copying file or symlink: {}"),
            link("copying ownership: {}"),
            link("copying file mode: {}"),
            link("copying file timestamps: {}"),
            link("getting {} from src: {}"),
            link("setting {} on dest: {}"),
            internal("failed to retrieve timestamps from: {}"),
            link("failed to copy timestamps: {}"),
            internal("UID={} but GID=-1, i.e. it is not set for {}"),
            internal("GID={} but UID=-1, i.e. it is not set for {}"),
            internal("destination cannot be a symlink"),
            link("checking filesystem mount paths for ignore list: {}"),
            never(FLAG, "Could not parse duration '{}'"),
            says(SnapshotTimeout, "Timed out snapshotting FS in {}"),
            never(CODE, "Timed out snapshotting FS in {}"),
        ],
    },
    Source {
        file: "pkg/util/groupids_fallback.go",
        sites: &[
            link("open: {}"),
        ],
    },
    Source {
        file: "pkg/util/syscall_credentials.go",
        sites: &[
            link("get uid/gid: {}"),
            link("lookup: {}"),
            link("group ids for user: {}"),
            link("parseuint: {}"),
        ],
    },
    Source {
        file: "pkg/util/tar_util.go",
        sites: &[
            link("failed to get file info for {}: {}"),
            link("failed to write {} attribute to {}: {}"),
            link("failed to read {} attribute from {}: {}"),
            never(CODE, "unsupported compression algorithm: {}"),
            never(CODE, "path does not lead to local tar archive"),
        ],
    },
    Source {
        file: "pkg/util/transport_util.go",
        sites: &[
            never(FLAG, "failed to load certificate {} for {}: {}"),
            never(FLAG, "failed to load client certificate/key '{}={}', expected format: {}=/path/to/cert,/path/to/key"),
            never(FLAG, "failed to load client certificate/key '{}' for {}: {}"),
        ],
    },
    Source {
        file: "pkg/util/util.go",
        sites: &[
            never(CODE, "platform and architecture is not supported"),
            link("unable to complete operation after {} attempts, last error: {}"),
        ],
    },
];
