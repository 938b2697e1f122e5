//! The build context as its users see it, compared with other tools.

#![allow(
    clippy::disallowed_methods,
    reason = "the tests read variables of their own, not settings of the runner"
)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod archive;
mod attacks;
mod context;
mod dockerfiles;
mod judge;
mod random;
