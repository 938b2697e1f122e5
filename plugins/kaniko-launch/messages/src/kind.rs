//! What a failure means: class, code, owner and help.

use Class::{Denied, Exhausted, Failed, NotFound, TimedOut, Unavailable};
use Owner::{Author, Cloud, Cluster};
pub use sidestep_contract::{Class, Owner};

/// The answer to a cause.
#[derive(Debug)]
pub struct Facts {
    /// The class, which decides the exit code and `retry`.
    pub class: Class,
    /// The code.
    pub code: &'static str,
    /// Who can repair it.
    pub owner: Owner,
    /// What happened.
    pub what: &'static str,
    /// What to do; the plugin adds commands to some.
    pub help: &'static str,
}

macro_rules! kinds {
    ($($kind:ident: $class:ident, $code:literal, $owner:ident, $what:literal, $help:literal;)*) => {
        /// What a cause means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $(#[doc = concat!("`", $code, "`: ", $what, ".")] $kind,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The answer.
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
    KeyRefused: Denied, "identity.key-refused", Cloud,
        "Google does not accept the service account's key",
        "the key was deleted, or belongs to another account; build without it";
    NoIdentity: Unavailable, "pod.no-identity", Cluster,
        "the build got no Google identity: no metadata server answered on its node",
        "retry: the metadata server of a new pod can be a few seconds late";
    MetadataAway: Unavailable, "identity.metadata-unavailable", Cloud,
        "the metadata server did not give a token",
        "retry: `retry: { attempts: 3, on: [unavailable] }`";
    BindingMissing: Denied, "identity.binding-missing", Cloud,
        "the build may not act as its Google service account",
        "grant roles/iam.workloadIdentityUser on that account";
    AccountGone: Denied, "identity.account-missing", Cloud,
        "the annotated Google service account does not exist",
        "create it again, or annotate another account";
    ApiDisabled: Denied, "identity.api-disabled", Cloud,
        "an API that the build needs is not enabled",
        "an administrator of the project can enable it:";
    Perimeter: Denied, "kaniko.perimeter", Cloud,
        "VPC Service Controls or an organization policy denied the request",
        "give the identifier to the organization's administrator: the audit log names the perimeter";
    ContextDenied: Denied, "kaniko.context-denied", Cloud,
        "the build's account may not read the context",
        "grant roles/storage.objectViewer on the contexts of that bucket";
    ContextRefused: Denied, "kaniko.context-denied", Cloud,
        "Cloud Storage refused to give the context",
        "the message holds its reason";
    ContextMissing: Failed, "kaniko.context-missing", Author,
        "the context is not in its bucket",
        "run context-upload before this step and pass its `uri`";
    ContextBroken: Failed, "kaniko.context-invalid", Author,
        "the context is not an archive that kaniko can unpack",
        "build the context with context-upload: kaniko takes .tar.gz only";
    PushAnonymous: Unavailable, "kaniko.push-anonymous", Cluster,
        "kaniko asked the registry without any identity: the metadata server did not answer in time",
        "retry: `retry: { attempts: 3, on: [unavailable] }`";
    PushDenied: Denied, "kaniko.push-denied", Cloud,
        "the build may not push",
        "grant roles/artifactregistry.writer on the repository";
    PushRefused: Denied, "kaniko.push-denied", Cloud,
        "the registry does not let the build push",
        "the message holds the registry's reason";
    RepositoryMissing: NotFound, "kaniko.repository-missing", Cloud,
        "the repository that the image is pushed to does not exist",
        "an administrator of the project can create it:";
    TagImmutable: Failed, "kaniko.tag-immutable", Author,
        "the tag exists already, and the repository does not let tags move",
        "push another tag, or nothing but the digest";
    PushFailed: Failed, "kaniko.push-failed", Author,
        "the image was built and not pushed",
        "the message holds the registry's reason";
    DestinationWrong: Failed, "kaniko.destination-invalid", Author,
        "a destination is not a valid image name",
        "write HOST/REPOSITORY:TAG, in lower case";
    BaseMissing: Failed, "kaniko.base-missing", Author,
        "a base image does not exist",
        "correct its name or tag in the FROM, or in the `COPY --from`";
    BaseDenied: Denied, "kaniko.base-denied", Cloud,
        "the registry does not let the build pull a base image",
        "grant the build's account roles/artifactregistry.reader, or correct the image's name: registries refuse unknown ones too";
    BasePlatform: Failed, "kaniko.base-platform", Author,
        "a base image does not exist for the platform that is built",
        "set `platform` to one that the image has, or choose another base image";
    ImageName: Failed, "kaniko.image-name", Author,
        "a FROM or a `COPY --from` came to a text that is not an image name",
        "an ARG that it is made of got no value, or another one, from `buildArgs`";
    RateLimited: Unavailable, "kaniko.rate-limited", Author,
        "a registry's limit of requests is reached",
        "retry later, or pull through a repository of your own";
    ServiceAway: Unavailable, "kaniko.service-unavailable", Cloud,
        "Cloud Storage or a registry failed to answer",
        "retry: `retry: { attempts: 3, on: [unavailable] }`";
    Network: Unavailable, "kaniko.network", Cluster,
        "the build's pod lost or never had its network",
        "retry: `retry: { attempts: 3, on: [unavailable] }`; with a service mesh, the sidecar may start after kaniko";
    HostUnknown: Failed, "kaniko.host-unknown", Author,
        "a host name can't be resolved in the cluster",
        "correct the name; if it is right, the cluster's DNS does not know it";
    Certificate: Failed, "kaniko.certificate", Cluster,
        "a server's certificate is not trusted",
        "use a registry with a public certificate, or an executor image that trusts its authority";
    PlainHttp: Failed, "kaniko.plain-http", Author,
        "a registry does not speak TLS",
        "use a registry with TLS: kaniko-launch does not pass `--insecure`";
    DiskFull: Exhausted, "pod.disk-full", Author,
        "the build ran out of disk",
        "raise `ephemeralStorage`: archive, extracted files and layers need room at the same time";
    ReadOnly: Failed, "pod.read-only", Cluster,
        "kaniko met a read-only file system",
        "kaniko unpacks images into its own root: remove `readOnlyRootFilesystem` and mounts below the image's paths";
    Privileges: Failed, "pod.privileges", Cluster,
        "the pod lacks a right that kaniko needs",
        "kaniko needs root with CHOWN, DAC_OVERRIDE, FOWNER, SETUID and SETGID: Pod Security `baseline`, not `restricted`";
    MountedPath: Failed, "pod.mounted-path", Cluster,
        "an image writes to a path at which the pod has a mount",
        "move the mount that was injected into the pod, or the image's path";
    NotContained: Failed, "pod.not-contained", Cluster,
        "kaniko does not recognise its container",
        "the cluster's container runtime hides it from kaniko; use another node pool or executor";
    ExecutorFlags: Failed, "kaniko.executor", Author,
        "the executor does not know a flag that kaniko-launch passes",
        "use kaniko 1.24 or later as `executor`";
    PlatformWrong: Failed, "kaniko.platform", Author,
        "`platform` is not a valid platform",
        "write OS/ARCHITECTURE, such as linux/arm64";
    DockerfileMissing: Failed, "kaniko.dockerfile-missing", Author,
        "the context does not hold the Dockerfile",
        "list what the context holds:";
    DockerfileWrong: Failed, "kaniko.dockerfile-invalid", Author,
        "kaniko can't read the Dockerfile",
        "`sidestep validate` shows the line";
    TargetMissing: Failed, "kaniko.target-missing", Author,
        "`target` names no stage of the Dockerfile",
        "kaniko takes a stage's name, not its number";
    StageMissing: Failed, "kaniko.stage-missing", Author,
        "a `COPY --from` names a stage that does not come before it",
        "name the stage (`FROM … AS NAME`) and copy from that name";
    SourceMissing: Failed, "kaniko.source-missing", Author,
        "a COPY or ADD takes a file that the context does not hold",
        "see whether the file is in the folder, or left out by an ignore file:";
    StageLacks: Failed, "kaniko.source-missing", Author,
        "a COPY takes a file that a stage does not hold",
        "stages are counted from 0; see what the stage's own instructions leave there";
    CopyDestination: Failed, "kaniko.copy-destination", Author,
        "a COPY or ADD can't write to its destination",
        "end the destination with `/` where several files are copied; no parent of it may be a file";
    UserUnknown: Failed, "kaniko.user-unknown", Author,
        "a user or group does not exist in the image",
        "create it in a RUN before, or write its number";
    InstructionWrong: Failed, "kaniko.instruction-invalid", Author,
        "an instruction of the Dockerfile has a value that kaniko can't use",
        "correct the value";
    SecretMissing: Failed, "kaniko.secret-missing", Author,
        "a RUN requires a secret, and kaniko-launch passes none",
        "remove `required=true`, or take what the secret gives from an earlier step";
    AddFailed: Failed, "kaniko.add-failed", Author,
        "an ADD could not download or unpack its source",
        "check the URL or the archive";
    ArchiveUnsafe: Failed, "kaniko.archive-unsafe", Author,
        "an archive or image has an entry that leaves its folder",
        "build the archive or the image anew: kaniko refuses such entries";
    RunFailed: Failed, "kaniko.run-failed", Author,
        "a RUN instruction failed",
        "the command's own output is in the log";
    RunKilled: Failed, "kaniko.run-killed", Author,
        "a RUN instruction was ended by a signal",
        "`killed` mostly means that memory ran out: raise `memory`";
    RunNotStarted: Failed, "kaniko.run-not-started", Author,
        "a RUN instruction's command can't be started",
        "the image holds no such program or shell, or one for another platform";
    SnapshotTimeout: TimedOut, "kaniko.snapshot-timeout", Author,
        "taking a snapshot of the file system took too long",
        "write fewer files in one RUN";
    Crashed: Failed, "kaniko.crashed", Author,
        "kaniko itself crashed",
        "try another version as `executor`; the trace is in the log";
}
