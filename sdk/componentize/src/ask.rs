//! Reads the manifest from a module by running it without access to anything.

use wasmtime::{Config, Engine, Linker, Module, Store, StoreLimits, StoreLimitsBuilder};

use crate::Error;
use crate::manifest::{MANIFEST_EXPORT, MAX_MANIFEST};

/// Far more fuel than a manifest needs (about a million instructions).
const FUEL: u64 = 1_000_000_000;

/// Far more memory than a manifest needs, in bytes.
const MEMORY: usize = 256 * 1024 * 1024;

/// Returns the manifest's JSON text. Every import traps, and time and memory are limited.
pub(crate) fn manifest(module: &[u8]) -> Result<String, Error> {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config).map_err(failed)?;
    let module = Module::new(&engine, module).map_err(failed)?;
    if module.get_export(MANIFEST_EXPORT).is_none() {
        return Err(Error::NoManifest);
    }
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits: &mut StoreLimits| limits);
    store.set_fuel(FUEL).map_err(failed)?;
    let mut linker = Linker::new(&engine);
    linker
        .define_unknown_imports_as_traps(&module)
        .map_err(failed)?;
    let instance = linker.instantiate(&mut store, &module).map_err(failed)?;
    let place = instance
        .get_typed_func::<(), u64>(&mut store, MANIFEST_EXPORT)
        .map_err(failed)?
        .call(&mut store, ())
        .map_err(failed)?;
    let memory = instance
        .get_memory(&mut store, "memory")
        .ok_or_else(|| Error::Ask("it does not export its memory".to_owned()))?;
    text(memory.data(&store), place)
}

/// Returns the text at an address (upper 32 bits) with a length (lower 32 bits).
fn text(memory: &[u8], place: u64) -> Result<String, Error> {
    let start = usize::try_from(place >> 32).unwrap_or(usize::MAX);
    let length = usize::try_from(place & 0xffff_ffff).unwrap_or(usize::MAX);
    if length > MAX_MANIFEST {
        return Err(Error::Manifest(format!(
            "it has {length} bytes, more than the maximum of {MAX_MANIFEST}"
        )));
    }
    let bytes = start
        .checked_add(length)
        .and_then(|end| memory.get(start..end))
        .ok_or_else(|| Error::Ask("its answer is outside its memory".to_owned()))?;
    String::from_utf8(bytes.to_vec()).map_err(|_| Error::Ask("its answer is not UTF-8".to_owned()))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Ask(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_in_memory_is_read() {
        let memory = b"..{}..";
        assert_eq!(text(memory, (2 << 32) | 2).expect("inside"), "{}");
        assert!(matches!(text(memory, (5 << 32) | 2), Err(Error::Ask(_))));
        assert!(matches!(text(memory, u64::MAX), Err(Error::Manifest(_))));
        assert!(matches!(text(b"\xff", 1), Err(Error::Ask(_))));
    }
}
