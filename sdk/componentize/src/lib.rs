//! Converts a guest module to a component with its manifest.
//!
//! A plugin is compiled to a core module for `wasm32-unknown-unknown`. This crate reads the
//! module's manifest by running it, converts the module to a component, and checks that the
//! component imports only the interfaces that the manifest requests. It then appends the manifest
//! as a custom section, so that readers do not have to run anything. It knows the contract's names,
//! but neither the runner nor cargo.

mod ask;
mod error;
mod imports;
mod manifest;
mod section;
mod strip;

pub use error::Error;
pub use manifest::{MANIFEST_EXPORT, MANIFEST_SECTION, MAX_MANIFEST};

/// A finished component.
#[derive(Debug, Clone)]
pub struct Component {
    /// The component, with its manifest.
    pub bytes: Vec<u8>,
    /// The manifest's JSON text.
    pub manifest: String,
    /// The imported interfaces, such as `sidestep:workspace/files@0.1.0`.
    pub imports: Vec<String>,
    /// The requested grant keys that no import needs.
    pub unused: Vec<String>,
}

/// Converts a guest's core module to a component.
pub fn componentize(module: &[u8]) -> Result<Component, Error> {
    convert(module, strip::manifest_code)
}

/// Converts a guest's core module to a component whose code stays as it is, so that the module's
/// debug information (DWARF) fits it. The component is larger: it keeps the manifest's code.
pub fn componentize_for_debugging(module: &[u8]) -> Result<Component, Error> {
    convert(module, |module| Ok(module.to_vec()))
}

fn convert(
    module: &[u8],
    strip: impl FnOnce(&[u8]) -> Result<Vec<u8>, Error>,
) -> Result<Component, Error> {
    wasmparser::Validator::new()
        .validate_all(module)
        .map_err(Error::Module)?;
    let manifest = ask::manifest(module)?;
    let requests = manifest::check(&manifest)?;
    let module = strip(module)?;
    let mut bytes = wit_component::ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| Error::Encode(format!("{error:#}")))?;
    let imports = imports::of(&bytes)?;
    let unused = imports::check(&imports, &requests)?;
    section::append(&mut bytes, MANIFEST_SECTION, manifest.as_bytes());
    wasmparser::Validator::new()
        .validate_all(&bytes)
        .map_err(Error::Component)?;
    Ok(Component {
        bytes,
        manifest,
        imports,
        unused,
    })
}
