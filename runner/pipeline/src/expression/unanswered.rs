//! The reasons why an expression, a schema or a pattern has no result.

use std::fmt;

use sidestep_evaluator::{Answer, Budget, Stopped};
use sidestep_events::{Class, Diagnostic, Failure, Owner, codes};

/// The reason why an expression, a schema or a pattern has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unanswered {
    message: String,
    stopped: Option<Stopped>,
}

/// The error codes for untrusted input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code {
    /// The code when the input is wrong.
    pub(crate) wrong: &'static str,
    /// The code when the input exceeds a budget.
    pub(crate) budget: &'static str,
}

impl Code {
    /// Returns the codes of an expression with its own code for a wrong one.
    pub(crate) const fn expression(wrong: &'static str) -> Self {
        Self {
            wrong,
            budget: codes::expression::BUDGET,
        }
    }

    /// Returns the codes of a schema with its own code for a wrong one.
    pub(crate) const fn schema(wrong: &'static str) -> Self {
        Self {
            wrong,
            budget: codes::schema::BUDGET,
        }
    }

    fn of(self, stopped: Option<&Stopped>) -> &'static str {
        match stopped {
            None => self.wrong,
            Some(Stopped::Budget(_)) => self.budget,
            Some(Stopped::Broken(_)) => codes::evaluator::BROKEN,
        }
    }
}

impl Unanswered {
    /// Creates the reason for a wrong question; `message` is one sentence.
    pub(crate) fn wrong(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            stopped: None,
        }
    }

    /// Creates the reason for an answer of the wrong kind.
    pub(crate) fn of(answer: Answer) -> Self {
        match answer {
            Answer::Wrong(message) => Self::wrong(message),
            _ => Stopped::Broken("it returned an answer of the wrong kind".to_owned()).into(),
        }
    }

    /// Prefixes the message with `what` and a colon.
    pub(crate) fn about(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Returns whether the question itself is wrong, rather than over budget.
    pub(crate) fn is_wrong(&self) -> bool {
        self.stopped.is_none()
    }

    /// Returns whether every later question fails for the same reason.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self.stopped,
            Some(
                Stopped::Broken(_)
                    | Stopped::Budget(Budget::StepsInAll(_) | Budget::ValuesInAll(_))
            )
        )
    }

    fn help(&self) -> Option<&'static str> {
        match &self.stopped {
            None => None,
            Some(Stopped::Budget(Budget::StepsInAll(_) | Budget::ValuesInAll(_))) => {
                Some("split the pipeline, or let steps compute these values")
            }
            Some(Stopped::Budget(_)) => {
                Some("simplify it, or let a step compute it and read the step's output")
            }
            Some(Stopped::Broken(_)) => Some("build the runner with `cargo xtask build`"),
        }
    }

    /// Returns the error for a file's diagnostics.
    pub(crate) fn diagnostic(&self, code: Code) -> Diagnostic {
        let diagnostic = Diagnostic::error(code.of(self.stopped.as_ref()), self.message.clone());
        match self.help() {
            Some(help) => diagnostic.with_help(help),
            None => diagnostic,
        }
    }

    /// Returns the failure of a step or a run. `owner` is the author of the expression, schema or
    /// pattern.
    pub(crate) fn failure(&self, code: Code, owner: Owner) -> Failure {
        let (class, owner) = match &self.stopped {
            None => (Class::InvalidInput, owner),
            Some(Stopped::Budget(_)) => (Class::Exhausted, owner),
            Some(Stopped::Broken(_)) => (Class::Failed, Owner::Sidestep),
        };
        let code = code.of(self.stopped.as_ref());
        let failure = Failure::new(class, code, owner, self.message.clone());
        match self.help() {
            Some(help) => failure.with_help(help),
            None => failure,
        }
    }
}

impl From<Budget> for Unanswered {
    fn from(budget: Budget) -> Self {
        Stopped::Budget(budget).into()
    }
}

impl From<Stopped> for Unanswered {
    fn from(stopped: Stopped) -> Self {
        Self {
            message: stopped.to_string(),
            stopped: Some(stopped),
        }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
