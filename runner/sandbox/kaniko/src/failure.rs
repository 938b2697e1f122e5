/// The reason why a run failed. The messages are kaniko's.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Found before the build: printed with the prefix `Error: ` and followed by the usage text.
    Usage(String),
    /// Found later: the message alone.
    Plain(String),
}
