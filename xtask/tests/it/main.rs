//! Checks of the sources themselves: rules of [STYLE.md](../../../STYLE.md) and ARCHITECTURE.md that
//! no compiler or lint checks. And the clusters that the tests run.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "no setting of the runner")]

mod cluster;
mod debug_forms;
mod english;
mod examples;
mod failure_codes;
mod layers;
mod linked;
mod modules;
mod sources;
