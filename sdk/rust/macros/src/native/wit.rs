//! Runs wit-bindgen on the contract.

use std::path::{Path, PathBuf};

use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator as _};
use wit_bindgen_rust::Opts;

/// The bindings of the contract.
pub(crate) struct Bindings {
    /// The source that wit-bindgen generates.
    pub(crate) source: String,
    /// The files that it comes from.
    pub(crate) files: Vec<PathBuf>,
}

/// Generates the bindings of the world in a folder, with the options of the guests' bindings.
pub(crate) fn generate(folder: &Path, world: &str) -> Result<Bindings, String> {
    let mut resolve = Resolve::default();
    let shown = |error: &dyn std::fmt::Display| format!("{}: {error:#}", folder.display());
    let folder = folder.canonicalize().map_err(|error| shown(&error))?;
    let (package, sources) = resolve.push_path(&folder).map_err(|error| shown(&error))?;
    let files = sources.paths().map(Path::to_owned).collect();
    let world = resolve
        .select_world(&[package], Some(world))
        .map_err(|error| shown(&error))?;
    let options = Opts {
        generate_all: true,
        ..Opts::default()
    };
    let mut generated = Files::default();
    options
        .build()
        .generate(&mut resolve, world, &mut generated)
        .map_err(|error| shown(&error))?;
    let source = generated.iter().map(|(_, bytes)| bytes).next();
    let source = source.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    Ok(Bindings {
        source: source.ok_or("wit-bindgen generated no source")?,
        files,
    })
}
