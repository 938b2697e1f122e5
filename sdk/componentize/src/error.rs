//! Errors of building a component.

/// The reason why a component could not be built. Each message says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input is not a core module.
    #[error(
        "this is not a valid core WebAssembly module: {0}; build the plugin for wasm32-unknown-unknown"
    )]
    Module(#[source] wasmparser::BinaryReaderError),
    /// The module has no manifest function.
    #[error(
        "the module has no manifest function; put #[sidestep::plugin(name = \"…\")] on the plugin's function and build the crate as a cdylib"
    )]
    NoManifest,
    /// The manifest function did not return normally.
    #[error("the module's manifest function failed: {0}")]
    Ask(String),
    /// The manifest is not valid.
    #[error("the manifest is not valid: {0}")]
    Manifest(String),
    /// The encoder refused the module.
    #[error("the module can't be converted to a component: {0}")]
    Encode(String),
    /// The component imports an interface that it does not request.
    #[error(
        "the plugin uses `{import}` but does not request it; add `{key} = \"…\"` to requests(…) of #[sidestep::plugin]"
    )]
    NotRequested {
        /// The imported interface.
        import: String,
        /// The grant key of the interface.
        key: &'static str,
    },
    /// The component imports an interface that no plugin may use.
    #[error(
        "the plugin imports `{0}`, which is not part of Sidestep's contract; one of its dependencies needs it"
    )]
    Foreign(String),
    /// The finished component is not valid.
    #[error("the component is not valid: {0}")]
    Component(#[source] wasmparser::BinaryReaderError),
}
