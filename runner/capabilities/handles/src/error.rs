use sidestep_events::{Failure, show};
use wasmtime::component::ResourceTableError;

/// The reason why a host call has no answer: a failure that the plugin may handle, or a trap that
/// ends the incarnation.
#[derive(Debug)]
pub enum CallError {
    /// The plugin gets it as the call's error.
    Failure(Box<Failure>),
    /// The plugin is stopped: it broke the contract, or the host is broken.
    Trap(wasmtime::Error),
}

/// A failure that stops the plugin, because the call has no error to return, or because the plugin
/// may not continue.
#[derive(Debug, thiserror::Error)]
#[error("the plugin was stopped: {}", show::line(&.0.code))]
pub struct Stopped(pub Box<Failure>);

impl Stopped {
    /// Returns the trap that ends the incarnation with this failure.
    pub fn trap(failure: Failure) -> wasmtime::Error {
        wasmtime::Error::new(Self(Box::new(failure)))
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

impl From<wasmtime::Error> for CallError {
    fn from(error: wasmtime::Error) -> Self {
        Self::Trap(error)
    }
}

impl From<ResourceTableError> for CallError {
    fn from(error: ResourceTableError) -> Self {
        Self::Trap(error.into())
    }
}
