use sidestep_events::{Class, Diagnostic, Failure, Help, Owner, codes};

/// The error when a plugin can't be found, read or loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PluginError {
    /// The error code, dotted and extensible like a failure's: `plugin.not-found`, `plugin.api`.
    pub code: &'static str,
    /// The problem, with the plugin's name or path.
    pub message: String,
    /// The steps to fix it, one per entry.
    pub help: Vec<String>,
}

impl PluginError {
    /// Creates an error without help.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            help: Vec::new(),
        }
    }

    /// Adds a next step.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds the name of the plugin to the message.
    #[must_use]
    pub fn about(mut self, plugin: &str) -> Self {
        self.message = format!("{plugin}: {}", self.message);
        self
    }

    /// Returns the error as the failure of a step.
    pub fn failure(&self) -> Failure {
        let owner = match self.code {
            codes::plugin::NOT_FOUND
            | codes::plugin::OUTSIDE
            | codes::plugin::API
            | codes::pipeline::UNSUPPORTED => Owner::Author,
            codes::plugin::HOST => Owner::Operator,
            _ => Owner::Plugin,
        };
        let class = match self.code {
            codes::plugin::COMPILE_LIMIT | codes::plugin::TOO_COMPLEX => Class::Exhausted,
            codes::plugin::HOST => Class::Failed,
            _ => Class::InvalidInput,
        };
        let mut failure = Failure::new(class, self.code, owner, self.message.clone());
        failure.help = self.help.iter().map(Help::from).collect();
        failure
    }

    /// Returns the error as a diagnostic before the run.
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.code, self.message.clone());
        if self.help.is_empty() {
            diagnostic
        } else {
            diagnostic.with_help(self.help.join("\n"))
        }
    }
}

/// Returns the error for bytes that are not a component that this runner can read.
pub(crate) fn malformed(error: impl std::fmt::Display) -> PluginError {
    PluginError::new(
        codes::plugin::MALFORMED,
        format!("this runner can't read it as a WebAssembly component: {error}"),
    )
    .with_help("build the plugin again with `sidestep plugin build`")
}
