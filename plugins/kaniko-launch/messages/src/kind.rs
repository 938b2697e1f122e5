//! The meaning of a failure: class, code, owner and help.

use Class::Denied;
use sidestep_contract::codes::{self, Code};
pub use sidestep_contract::{Class, Owner};

/// The answer to a cause.
#[derive(Debug, Clone, Copy)]
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

/// Returns the answer that the table of failure codes gives for a code.
const fn of(code: &'static str) -> Facts {
    let row = Code::named(code);
    Facts {
        class: row.classes[0],
        code,
        owner: row.owners[0],
        what: row.means,
        help: row.todo,
    }
}

impl Facts {
    /// Chooses among the classes of a code that has several.
    const fn class(self, class: Class) -> Self {
        Self { class, ..self }
    }

    /// Replaces what happened, for one of several causes with the same code.
    const fn says(self, what: &'static str) -> Self {
        Self { what, ..self }
    }

    /// Replaces what to do, for one of several causes, or before commands.
    const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }
}

macro_rules! kinds {
    ($($kind:ident: $facts:expr;)*) => {
        /// The meaning of a cause.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $(#[doc = concat!("The cause with the answer `", stringify!($facts), "`.")] $kind,)*
        }

        impl Kind {
            /// Every kind of failure.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Returns the answer to this kind.
            pub const fn facts(self) -> &'static Facts {
                match self {
                    $(Self::$kind => const { &$facts },)*
                }
            }
        }
    };
}

kinds! {
    KeyRefused: of(codes::identity::KEY_REFUSED);
    NoIdentity: of(codes::pod::NO_IDENTITY);
    MetadataAway: of(codes::identity::METADATA_UNAVAILABLE);
    BindingMissing: of(codes::identity::BINDING_MISSING)
        .says("the build lacks permission to impersonate its Google service account")
        .help("grant roles/iam.workloadIdentityUser on that account");
    AccountGone: of(codes::identity::ACCOUNT_MISSING)
        .class(Denied)
        .says("the annotated Google service account does not exist")
        .help("create it again, or annotate another account");
    ApiDisabled: of(codes::identity::API_DISABLED)
        .says("an API that the build needs is not enabled")
        .help("an administrator of the project can enable it:");
    Perimeter: of(codes::kaniko::PERIMETER);
    ContextDenied: of(codes::kaniko::CONTEXT_DENIED);
    ContextRefused: of(codes::kaniko::CONTEXT_DENIED)
        .says("Cloud Storage refused to serve the context")
        .help("the message contains Cloud Storage's reason");
    ContextMissing: of(codes::kaniko::CONTEXT_MISSING);
    ContextBroken: of(codes::kaniko::CONTEXT_INVALID);
    PushAnonymous: of(codes::kaniko::PUSH_ANONYMOUS);
    PushDenied: of(codes::kaniko::PUSH_DENIED);
    PushRefused: of(codes::kaniko::PUSH_DENIED)
        .says("the registry does not let the build push")
        .help("the message contains the registry's reason");
    RepositoryMissing: of(codes::kaniko::REPOSITORY_MISSING)
        .help("an administrator of the project can create it:");
    TagImmutable: of(codes::kaniko::TAG_IMMUTABLE);
    PushFailed: of(codes::kaniko::PUSH_FAILED);
    DestinationWrong: of(codes::kaniko::DESTINATION_INVALID);
    BaseMissing: of(codes::kaniko::BASE_MISSING);
    BaseDenied: of(codes::kaniko::BASE_DENIED);
    BasePlatform: of(codes::kaniko::BASE_PLATFORM);
    ImageName: of(codes::kaniko::IMAGE_NAME);
    RateLimited: of(codes::kaniko::RATE_LIMITED);
    ServiceAway: of(codes::kaniko::SERVICE_UNAVAILABLE);
    Network: of(codes::kaniko::NETWORK);
    HostUnknown: of(codes::kaniko::HOST_UNKNOWN);
    Certificate: of(codes::kaniko::CERTIFICATE);
    PlainHttp: of(codes::kaniko::PLAIN_HTTP);
    DiskFull: of(codes::pod::DISK_FULL);
    ReadOnly: of(codes::pod::READ_ONLY);
    Privileges: of(codes::pod::PRIVILEGES);
    MountedPath: of(codes::pod::MOUNTED_PATH);
    NotContained: of(codes::pod::NOT_CONTAINED);
    ExecutorFlags: of(codes::kaniko::EXECUTOR);
    PlatformWrong: of(codes::kaniko::PLATFORM);
    DockerfileMissing: of(codes::kaniko::DOCKERFILE_MISSING)
        .help("list the files of the context:");
    DockerfileWrong: of(codes::kaniko::DOCKERFILE_INVALID);
    TargetMissing: of(codes::kaniko::TARGET_MISSING);
    StageMissing: of(codes::kaniko::STAGE_MISSING);
    SourceMissing: of(codes::kaniko::SOURCE_MISSING)
        .says("a COPY or ADD copies a file that the context does not contain")
        .help("check whether the folder contains the file, and whether an ignore file excludes it:");
    StageLacks: of(codes::kaniko::SOURCE_MISSING)
        .says("a COPY copies a file that its source stage does not contain")
        .help("stages are numbered from 0; check what the stage's instructions write there");
    CopyDestination: of(codes::kaniko::COPY_DESTINATION);
    UserUnknown: of(codes::kaniko::USER_UNKNOWN);
    InstructionWrong: of(codes::kaniko::INSTRUCTION_INVALID);
    SecretMissing: of(codes::kaniko::SECRET_MISSING);
    AddFailed: of(codes::kaniko::ADD_FAILED);
    ArchiveUnsafe: of(codes::kaniko::ARCHIVE_UNSAFE);
    RunFailed: of(codes::kaniko::RUN_FAILED);
    RunKilled: of(codes::kaniko::RUN_KILLED);
    RunNotStarted: of(codes::kaniko::RUN_NOT_STARTED);
    SnapshotTimeout: of(codes::kaniko::SNAPSHOT_TIMEOUT);
    Crashed: of(codes::kaniko::CRASHED);
}
