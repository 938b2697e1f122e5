//! Every place in the source of kaniko 1.28.3 that creates an error, collected by hand.

mod build;
mod command;
mod commands;
mod context;
mod files;

use crate::site::Source;

const WARMER: &str = "another program: the warmer";
const COMMAND: &str = "another command of the executor";
const CONTEXT: &str = "only for a context that is not gs://";
const FLAG: &str = "only with a flag or variable that kaniko-launch does not set";
const LOGGED: &str = "logged as a warning or at debug level, and the build continues";
const CODE: &str = "cannot happen with the arguments that the code gives";

/// Returns every source file with its sites.
pub fn sites() -> impl Iterator<Item = &'static Source> {
    [
        command::SOURCES,
        context::SOURCES,
        build::SOURCES,
        commands::SOURCES,
        files::SOURCES,
    ]
    .into_iter()
    .flatten()
}
