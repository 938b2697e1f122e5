/// How a run ends badly. The messages are kaniko's.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Found before the build: `Error: ` before it and the usage text after it.
    Usage(String),
    /// Found later: the message alone.
    Plain(String),
}
