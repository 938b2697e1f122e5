//! The meaning of a failure: class, code, owner and help.

use Class::{Denied, Exhausted, Failed, NotFound, TimedOut, Unavailable};
use Owner::{Author, Cloud, Cluster};
use sidestep_contract::codes;
pub use sidestep_contract::{Class, Owner};

/// The answer to a cause.
#[derive(Debug)]
pub struct Facts {
    /// The class, which decides the exit code and `retry`.
    pub class: Class,
    /// The code.
    pub code: &'static str,
    /// The owner, who can fix it.
    pub owner: Owner,
    /// A sentence that says what happened.
    pub what: &'static str,
    /// A sentence that says what to do; the plugin adds commands to some.
    pub help: &'static str,
}

macro_rules! kinds {
    ($($kind:ident: $class:ident, $code:path, $owner:ident, $what:literal, $help:literal;)*) => {
        /// The meaning of a cause.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $(#[doc = concat!("The ", stringify!($class), " cause: ", $what, ".")] $kind,)*
        }

        impl Kind {
            /// Every kind of failure.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Returns the answer to this kind.
            pub const fn facts(self) -> &'static Facts {
                match self {
                    $(Self::$kind => &Facts {
                        class: $class,
                        code: $code,
                        owner: $owner,
                        what: $what,
                        help: $help,
                    },)*
                }
            }
        }
    };
}

kinds! {
    KeyRefused: Denied, codes::identity::KEY_REFUSED, Cloud,
        "Google does not accept the service account's key",
        "the key was deleted, or belongs to another account; build without it";
    NoIdentity: Unavailable, codes::pod::NO_IDENTITY, Cluster,
        "the build got no Google identity: no metadata server answered on its node",
        "retry: the metadata server of a new pod can be a few seconds late";
    MetadataAway: Unavailable, codes::identity::METADATA_UNAVAILABLE, Cloud,
        "the metadata server did not give a token",
        "retry: `retry: { attempts: 3, on: [unavailable] }`";
    BindingMissing: Denied, codes::identity::BINDING_MISSING, Cloud,
        "the build may not act as its Google service account",
        "grant roles/iam.workloadIdentityUser on that account";
    AccountGone: Denied, codes::identity::ACCOUNT_MISSING, Cloud,
        "the annotated Google service account does not exist",
        "create it again, or annotate another account";
    ApiDisabled: Denied, codes::identity::API_DISABLED, Cloud,
        "an API that the build needs is not enabled",
        "an administrator of the project can enable it:";
    Perimeter: Denied, codes::kaniko::PERIMETER, Cloud,
        "VPC Service Controls or an organization policy denied the request",
        "give the identifier to the organization's administrator: the audit log names the perimeter";
    ContextDenied: Denied, codes::kaniko::CONTEXT_DENIED, Cloud,
        "the build's account may not read the context",
        "grant roles/storage.objectViewer on the contexts of that bucket";
    ContextRefused: Denied, codes::kaniko::CONTEXT_DENIED, Cloud,
        "Cloud Storage refused to serve the context",
        "the message contains Cloud Storage's reason";
    ContextMissing: Failed, codes::kaniko::CONTEXT_MISSING, Author,
        "the context is not in its bucket",
        "run context-upload before this step and pass its `uri`";
    ContextBroken: Failed, codes::kaniko::CONTEXT_INVALID, Author,
        "the context is not an archive that kaniko can unpack",
        "build the context with context-upload: kaniko takes .tar.gz only";
    PushAnonymous: Unavailable, codes::kaniko::PUSH_ANONYMOUS, Cluster,
        "kaniko called the registry without credentials: the metadata server did not answer in time",
        "retry: `retry: { attempts: 3, on: [unavailable] }`";
    PushDenied: Denied, codes::kaniko::PUSH_DENIED, Cloud,
        "the build may not push",
        "grant roles/artifactregistry.writer on the repository";
    PushRefused: Denied, codes::kaniko::PUSH_DENIED, Cloud,
        "the registry does not let the build push",
        "the message contains the registry's reason";
    RepositoryMissing: NotFound, codes::kaniko::REPOSITORY_MISSING, Cloud,
        "the repository that the image is pushed to does not exist",
        "an administrator of the project can create it:";
    TagImmutable: Failed, codes::kaniko::TAG_IMMUTABLE, Author,
        "the tag already exists, and the repository does not allow tags to be overwritten",
        "push another tag, or push by digest only";
    PushFailed: Failed, codes::kaniko::PUSH_FAILED, Author,
        "the image was built but not pushed",
        "the message contains the registry's reason";
    DestinationWrong: Failed, codes::kaniko::DESTINATION_INVALID, Author,
        "a destination is not a valid image name",
        "write HOST/REPOSITORY:TAG, in lower case";
    BaseMissing: Failed, codes::kaniko::BASE_MISSING, Author,
        "a base image does not exist",
        "correct its name or tag in the FROM, or in the `COPY --from`";
    BaseDenied: Denied, codes::kaniko::BASE_DENIED, Cloud,
        "the registry does not let the build pull a base image",
        "grant the build's account roles/artifactregistry.reader, or correct the image's name: registries also refuse unknown names";
    BasePlatform: Failed, codes::kaniko::BASE_PLATFORM, Author,
        "a base image does not exist for the build's platform",
        "set `platform` to one that the image supports, or choose another base image";
    ImageName: Failed, codes::kaniko::IMAGE_NAME, Author,
        "a FROM or a `COPY --from` resolves to text that is not an image name",
        "one of its ARGs has no value, or `buildArgs` gives it the wrong one";
    RateLimited: Unavailable, codes::kaniko::RATE_LIMITED, Author,
        "a registry's rate limit is reached",
        "retry later, or pull through a repository of your own";
    ServiceAway: Unavailable, codes::kaniko::SERVICE_UNAVAILABLE, Cloud,
        "Cloud Storage or a registry failed to answer",
        "retry: `retry: { attempts: 3, on: [unavailable] }`";
    Network: Unavailable, codes::kaniko::NETWORK, Cluster,
        "the build's pod lost its network or never had one",
        "retry: `retry: { attempts: 3, on: [unavailable] }`; with a service mesh, the sidecar may start after kaniko";
    HostUnknown: Failed, codes::kaniko::HOST_UNKNOWN, Author,
        "a host name can't be resolved in the cluster",
        "correct the name; if it is right, the cluster's DNS does not know it";
    Certificate: Failed, codes::kaniko::CERTIFICATE, Cluster,
        "a server's certificate is not trusted",
        "use a registry with a public certificate, or an executor image that trusts its authority";
    PlainHttp: Failed, codes::kaniko::PLAIN_HTTP, Author,
        "a registry does not support TLS",
        "use a registry with TLS: kaniko-launch does not pass `--insecure`";
    DiskFull: Exhausted, codes::pod::DISK_FULL, Author,
        "the build ran out of disk",
        "raise `ephemeralStorage`: the archive, the extracted files and the layers need space at the same time";
    ReadOnly: Failed, codes::pod::READ_ONLY, Cluster,
        "kaniko can't write to a read-only file system",
        "kaniko unpacks images into its own root: remove `readOnlyRootFilesystem` and mounts below the image's paths";
    Privileges: Failed, codes::pod::PRIVILEGES, Cluster,
        "the pod lacks a privilege that kaniko needs",
        "kaniko needs root with CHOWN, DAC_OVERRIDE, FOWNER, SETUID and SETGID: Pod Security `baseline`, not `restricted`";
    MountedPath: Failed, codes::pod::MOUNTED_PATH, Cluster,
        "an image writes to a path at which the pod has a mount",
        "move the mount that was injected into the pod, or the image's path";
    NotContained: Failed, codes::pod::NOT_CONTAINED, Cluster,
        "kaniko does not detect that it runs in a container",
        "the cluster's container runtime hides it from kaniko; use another node pool or executor";
    ExecutorFlags: Failed, codes::kaniko::EXECUTOR, Author,
        "the executor does not know a flag that kaniko-launch passes",
        "use kaniko 1.24 or later as `executor`";
    PlatformWrong: Failed, codes::kaniko::PLATFORM, Author,
        "`platform` is not a valid platform",
        "write OS/ARCHITECTURE, such as linux/arm64";
    DockerfileMissing: Failed, codes::kaniko::DOCKERFILE_MISSING, Author,
        "the context does not contain the Dockerfile",
        "list the files of the context:";
    DockerfileWrong: Failed, codes::kaniko::DOCKERFILE_INVALID, Author,
        "kaniko can't read the Dockerfile",
        "`sidestep validate` shows the line";
    TargetMissing: Failed, codes::kaniko::TARGET_MISSING, Author,
        "`target` does not name a stage of the Dockerfile",
        "kaniko accepts a stage's name, not its number";
    StageMissing: Failed, codes::kaniko::STAGE_MISSING, Author,
        "a `COPY --from` names a stage that does not come before it",
        "name the stage (`FROM … AS NAME`) and copy from that name";
    SourceMissing: Failed, codes::kaniko::SOURCE_MISSING, Author,
        "a COPY or ADD copies a file that the context does not contain",
        "check whether the folder contains the file, and whether an ignore file excludes it:";
    StageLacks: Failed, codes::kaniko::SOURCE_MISSING, Author,
        "a COPY copies a file that its source stage does not contain",
        "stages are numbered from 0; check what the stage's instructions write there";
    CopyDestination: Failed, codes::kaniko::COPY_DESTINATION, Author,
        "a COPY or ADD can't write to its destination",
        "end the destination with `/` to copy several files; none of its parents may be a file";
    UserUnknown: Failed, codes::kaniko::USER_UNKNOWN, Author,
        "a user or group does not exist in the image",
        "create it in an earlier RUN, or use its number";
    InstructionWrong: Failed, codes::kaniko::INSTRUCTION_INVALID, Author,
        "an instruction of the Dockerfile has a value that kaniko can't use",
        "correct the value";
    SecretMissing: Failed, codes::kaniko::SECRET_MISSING, Author,
        "a RUN requires a secret, and kaniko-launch passes none",
        "remove `required=true`, or fetch what the secret is for in an earlier step";
    AddFailed: Failed, codes::kaniko::ADD_FAILED, Author,
        "an ADD could not download or unpack its source",
        "check the URL or the archive";
    ArchiveUnsafe: Failed, codes::kaniko::ARCHIVE_UNSAFE, Author,
        "an archive or image has an entry that points outside its folder",
        "rebuild the archive or the image: kaniko refuses such entries";
    RunFailed: Failed, codes::kaniko::RUN_FAILED, Author,
        "a RUN instruction failed",
        "the command's own output is in the log";
    RunKilled: Failed, codes::kaniko::RUN_KILLED, Author,
        "a RUN instruction was killed by a signal",
        "`killed` usually means that memory ran out: raise `memory`";
    RunNotStarted: Failed, codes::kaniko::RUN_NOT_STARTED, Author,
        "a RUN instruction's command can't be started",
        "the image has no such program or shell, or has it for another platform";
    SnapshotTimeout: TimedOut, codes::kaniko::SNAPSHOT_TIMEOUT, Author,
        "taking a snapshot of the file system took too long",
        "write fewer files in one RUN";
    Crashed: Failed, codes::kaniko::CRASHED, Author,
        "kaniko itself crashed",
        "try another version as `executor`; the trace is in the log";
}
