//! Checks of the sources themselves: rules of [STYLE.md](../../../STYLE.md) and ARCHITECTURE.md that
//! no compiler or lint checks.
#![allow(clippy::unwrap_used)]

mod debug_forms;
mod failure_codes;
mod layers;
mod modules;
mod sources;
