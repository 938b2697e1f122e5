//! The command as its users run it, against the sandbox: a process each, as in a terminal.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod builds;
mod clients;
mod command;
mod emulators;
mod faults;
mod gc;
mod grants;
mod identity;
mod interrupted;
mod killed;
mod place;
mod plans;
mod schemas;
mod secrets;
mod small;
mod ways;
