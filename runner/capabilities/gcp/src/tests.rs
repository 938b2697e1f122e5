//! The capabilities against the sandbox's servers of Google's APIs.

mod attacks;
mod creations;
mod evidence;
mod hierarchy;
mod policies;
mod reads;
mod refusals;
mod secrets;
mod world;
