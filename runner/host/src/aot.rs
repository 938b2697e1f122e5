//! Compiles components, caches the compiled code and loads it again.
//!
//! Compiled code is executed without any checks, so it may only come from two sources: the runner's
//! own binary, and a folder that only this user can write, whose entries carry a digest. This
//! module, [`in_place`] and [`loaded`] are the only ones of the runner that may use `unsafe`.

pub(crate) mod in_place;
mod loaded;

use std::fs::{self, DirBuilder};
use std::hash::{Hash as _, Hasher};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use sidestep_catalog::{Pages, PluginError};
use sidestep_events::codes;
use sidestep_files::own;
use sidestep_names::{Encoding, Kind};
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::compile::Compiler;
use loaded::Loaded;

/// The length of an entry's header, which is the SHA-256 of the code.
const HEADER: usize = 32;

/// A component to compile.
pub(crate) struct Source<'a> {
    /// The name in messages.
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a [u8],
    /// The SHA-256 of the bytes, as `sha256:HEX`.
    pub(crate) digest: &'a str,
    /// The code that the runner's own build compiled, if it did.
    pub(crate) precompiled: Option<Embedded<'a>>,
}

/// Code that the runner's own build compiled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Embedded<'a> {
    /// Code that is executed in place.
    Pages(&'static Pages<[u8]>),
    /// Code that is copied first.
    Bytes(&'a [u8]),
}

impl Embedded<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Pages(pages) => pages.bytes().is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
        }
    }
}

/// A folder of compiled components.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens the folder, and creates it if needed. Fails if other users can write to it.
    pub(crate) fn open(folder: &Path) -> std::io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        // Anyone who can write to the folder can inject code.
        own::folder(folder).map_err(std::io::Error::other)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    fn entry(&self, engine: &Engine, digest: &str) -> PathBuf {
        let mut compiled_for = Hashed(Vec::new());
        engine
            .precompile_compatibility_hash()
            .hash(&mut compiled_for);
        let name = Encoding::of(Kind::Compiled)
            .text(digest)
            .bytes(&compiled_for.0)
            .digest();
        let digest = digest.trim_start_matches("sha256:");
        self.folder.join(format!("{digest}-{name}.cwasm"))
    }

    /// Returns the component with that digest, if the cache has it undamaged.
    fn get(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let path = self.entry(engine, digest);
        let mut file = own::open(&path).ok()?;
        let mut header = [0; HEADER];
        let code = file
            .read_exact(&mut header)
            .and_then(|()| Loaded::read(file))
            .ok()
            .filter(|code| Sha256::digest(code.bytes())[..] == header);
        let Some(code) = code else {
            tracing::warn!(path = %path.display(), "a compiled plugin is damaged; compiling it again");
            return None;
        };
        let component = execute(engine, code)?;
        // The cleanup of the cache goes by the time of last use.
        if let Ok(file) = fs::File::options().append(true).open(&path)
            && let Err(error) = file.set_modified(SystemTime::now())
        {
            tracing::debug!(path = %path.display(), %error, "the time of a compiled plugin's last use can't be stored");
        }
        Some(component)
    }

    /// Stores compiled code. A cache that can't be written is not an error: the code is just not
    /// cached.
    fn put(&self, engine: &Engine, digest: &str, code: &[u8]) {
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(&Sha256::digest(code))?;
            file.write_all(code)?;
            file.persist(self.entry(engine, digest))?;
            Ok(())
        };
        if let Err(error) = write() {
            tracing::warn!(folder = %self.folder.display(), %error, "a compiled plugin can't be cached");
        }
    }
}

/// A hasher that keeps the bytes that a value feeds to it.
struct Hashed(Vec<u8>);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Not used: the bytes are read instead.
    fn finish(&self) -> u64 {
        0
    }
}

/// Returns the compiled component: from `precompiled` if it fits this engine, else from the cache,
/// else by compiling it and storing the result.
pub(crate) fn compile(
    engine: &Engine,
    compiler: &Compiler,
    cache: Option<&Cache>,
    source: &Source<'_>,
) -> Result<Component, PluginError> {
    if let Some(component) = source
        .precompiled
        .and_then(|code| deserialize_embedded(engine, code))
    {
        return Ok(component);
    }
    if let Some(component) = cache.and_then(|cache| cache.get(engine, source.digest)) {
        return Ok(component);
    }
    let scratch = cache.map(|cache| cache.folder.as_path());
    let code = compiler.compile(engine, source.bytes, source.name, scratch)?;
    if let Some(cache) = cache {
        cache.put(engine, source.digest, &code);
    }
    deserialize(engine, &code).ok_or_else(|| {
        PluginError::new(
            codes::plugin::HOST,
            "the compiling process is another version of the runner",
        )
    })
}

/// Executes code from the cache where it was read to, without another copy. Returns `None` if it was
/// made by another version of wasmtime or for another engine.
#[allow(unsafe_code)]
fn execute(engine: &Engine, code: Loaded) -> Option<Component> {
    if !in_place::IS_POSSIBLE {
        return deserialize(engine, code.bytes());
    }
    let code = code.keep();
    // SAFETY: as for `deserialize`. The pages stay for as long as the process, and nothing else has
    // their address.
    known(unsafe { Component::deserialize_raw(engine, code.into()) })
}

/// Loads compiled code. Returns `None` if it was made by another version of wasmtime or for another
/// engine.
#[allow(unsafe_code)]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: the code was written by `Engine::precompile_component`: in this process or its own
    // child (into a file that has no name), in this runner's build (embedded in its binary), or by
    // this user into a folder that no other user can write to, where its digest proves that it is
    // intact. Wasmtime itself refuses code of another version, configuration or machine.
    known(unsafe { Component::deserialize(engine, code) })
}

/// Returns the component, unless its code belongs to another engine.
fn known(component: wasmtime::Result<Component>) -> Option<Component> {
    component
        .inspect_err(|error| tracing::debug!(%error, "the compiled code belongs to another engine"))
        .ok()
}

/// Loads the compiled code of an embedded component. Returns `None` if it was made by another
/// version of wasmtime or for another engine.
#[allow(unsafe_code)]
fn deserialize_embedded(engine: &Engine, code: Embedded<'_>) -> Option<Component> {
    let pages = match code {
        Embedded::Pages(pages) if in_place::claim(pages) => pages,
        Embedded::Pages(pages) => return deserialize(engine, pages.bytes()),
        Embedded::Bytes(bytes) => return deserialize(engine, bytes),
    };
    // SAFETY: as in `deserialize`; in addition, the bytes never change, since they are a `static`.
    known(unsafe { Component::deserialize_raw(engine, pages.bytes().into()) })
}

/// Loads the evaluator's compiled code. The error is one sentence: the code was made by another
/// version of wasmtime or for another engine, or this system does not let programs execute code
/// that they load.
#[allow(unsafe_code)]
pub(crate) fn deserialize_module(engine: &Engine, code: Embedded<'_>) -> Result<Module, String> {
    // SAFETY: the code was written by `Engine::precompile_module` in this runner's own build, which
    // embedded it in its binary. Wasmtime itself refuses code of another version, configuration or
    // machine. Pages are never changed, since they are a `static`.
    let module = unsafe {
        match code {
            Embedded::Pages(pages) if in_place::claim(pages) => {
                Module::deserialize_raw(engine, pages.bytes().into())
            }
            Embedded::Pages(pages) => Module::deserialize(engine, pages.bytes()),
            Embedded::Bytes(bytes) => Module::deserialize(engine, bytes),
        }
    };
    module.map_err(|error| {
        tracing::debug!(%error, "the evaluator's code can't be loaded");
        match error.downcast_ref::<rustix::io::Errno>() {
            Some(errno) => format!(
                "this system does not let the runner execute compiled code ({errno}); a setting \
                 such as systemd's MemoryDenyWriteExecute forbids it"
            ),
            None => "the evaluator was built for another runner or machine".to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;
    use crate::engine::engine;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn source(precompiled: &[u8]) -> Source<'_> {
        Source {
            name: "empty",
            bytes: EMPTY,
            digest: "sha256:e",
            precompiled: Some(Embedded::Bytes(precompiled)),
        }
    }

    fn compiled(engine: &Engine, cache: &Cache) -> PathBuf {
        compile(engine, &Compiler::Here, Some(cache), &source(&[])).expect("it compiles");
        cache.entry(engine, "sha256:e")
    }

    #[test]
    fn an_entry_that_is_damaged_anywhere_is_made_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(&folder.path().join("aot")).expect("usable");
        let engine = engine().expect("an engine");
        let entry = compiled(&engine, &cache);
        let good = fs::read(&entry).expect("kept");
        for at in [0, HEADER, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 0x40;
            fs::write(&entry, &bad).expect("written");
            assert!(cache.get(&engine, "sha256:e").is_none(), "{at}");
            compiled(&engine, &cache);
            assert_eq!(fs::read(&entry).expect("kept"), good, "{at}");
        }
        for short in [0, 10, HEADER, good.len() - 1] {
            fs::write(&entry, &good[..short]).expect("written");
            assert!(cache.get(&engine, "sha256:e").is_none(), "{short}");
        }
    }

    #[test]
    fn code_of_another_engine_is_compiled_anew() {
        let engine = engine().expect("an engine");
        let other = Engine::default();
        let code = other.precompile_component(EMPTY).expect("it compiles");
        assert!(deserialize(&engine, &code).is_none());
        for code in [&code[..], b"no code at all"] {
            compile(&engine, &Compiler::Here, None, &source(code)).expect("it falls back");
        }
    }

    #[test]
    fn embedded_code_is_taken_up_where_it_lies() {
        let code = crate::engine::portable()
            .and_then(|engine| engine.precompile_component(EMPTY))
            .expect("it compiles");
        let pages = in_place::tests::pages(&code);
        let engine = engine().expect("an engine");
        let component =
            deserialize_embedded(&engine, Embedded::Pages(pages)).expect("of this engine");
        let within = pages.bytes().as_ptr_range();
        assert!(within.contains(&component.image_range().start));
        // Code that does not fit the engine is refused here too.
        let other = in_place::tests::pages(b"no code at all");
        assert!(deserialize_embedded(&engine, Embedded::Pages(other)).is_none());
    }

    #[test]
    fn the_folder_is_ours_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().join("own");
        Cache::open(&own).expect("made");
        assert_eq!(fs::metadata(&own).expect("there").mode() & 0o777, 0o700);
        fs::set_permissions(&own, fs::Permissions::from_mode(0o777)).expect("set");
        assert!(Cache::open(&own).is_err());
    }
}
