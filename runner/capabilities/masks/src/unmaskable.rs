use sidestep_events::{Class, Failure, Owner, codes};

use super::MIN_SECRET;

/// The reason why a secret cannot be masked, so that it may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unmaskable {
    /// It would be found everywhere.
    #[error(
        "it has fewer than {MIN_SECRET} bytes (control characters and other invisible ones do not \
         count), so it can't be masked in logs"
    )]
    TooShort,
    /// Searching for it would take too much memory.
    #[error("this run's secrets are too large or too many to be masked in logs")]
    TooMuch,
}

impl Unmaskable {
    /// Returns the failure of a secret that can't be used; `what` names it, never its text.
    pub fn failure(self, what: &str, owner: Owner) -> Failure {
        let (class, code, help) = match self {
            Self::TooShort => (
                Class::InvalidInput,
                codes::secret::TOO_SHORT,
                "use a longer secret, or pass the value as an input if it is not a secret",
            ),
            Self::TooMuch => (
                Class::Exhausted,
                codes::secret::TOO_LARGE,
                "use fewer or shorter secrets in one run",
            ),
        };
        Failure::new(class, code, owner, format!("{what} can't be used: {self}")).with_help(help)
    }
}
