//! The phase in which kaniko failed.

/// A phase of kaniko, which the outer prefix of its error names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It fetched and unpacked the context.
    Context,
    /// It looked for the Dockerfile.
    Dockerfile,
    /// It read its flags.
    Flags,
    /// It checked that it may push.
    PushCheck,
    /// It built: the Dockerfile, base images, instructions, snapshots.
    Build,
    /// It pushed the image that it had built.
    Push,
    /// It began: before anything of the user's was read.
    Start,
    /// It ended through its logger.
    Fatal,
    /// The program itself crashed.
    Crash,
}

/// Each outer prefix with its phase. The first that matches decides.
pub(crate) const OUTER: &[(Phase, &str)] = &[
    (Phase::Context, "Error: error resolving source context: "),
    (
        Phase::Dockerfile,
        "Error: error resolving dockerfile path: ",
    ),
    (Phase::Flags, "Error: "),
    (Phase::PushCheck, "error checking push permissions: "),
    (Phase::Build, "error building image: "),
    (Phase::Push, "error pushing image: "),
    (
        Phase::Start,
        "error resolving relative paths to absolute paths: ",
    ),
    (Phase::Start, "error changing to root dir: "),
    (Phase::Crash, "panic: "),
    (Phase::Crash, "fatal error: "),
    (Phase::Crash, "SIGSEGV: "),
];

/// The one outer message that wraps nothing.
pub(crate) const NOT_CONTAINED: &str = "kaniko should only be run inside of a container";

impl Phase {
    /// Returns the name that the documentation uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Context => "context",
            Self::Dockerfile => "dockerfile",
            Self::Flags => "flags",
            Self::PushCheck => "push check",
            Self::Build => "build",
            Self::Push => "push",
            Self::Start => "start",
            Self::Fatal => "fatal",
            Self::Crash => "crash",
        }
    }
}
