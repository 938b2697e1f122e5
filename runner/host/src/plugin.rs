use std::path::PathBuf;
use std::sync::Arc;

use sidestep_catalog::{ApiRange, Component as Described, Package, PluginError};
use sidestep_evaluator::Evaluator;
use sidestep_events::codes;
use sidestep_gate::bindings::AllPre;
use sidestep_gate::{Capability, StepState};
use sidestep_pipeline::Manifest;
use wasmtime::Engine;

use crate::aot::{self, Cache, Embedded};
use crate::compile::Compiler;
use crate::limits::Limits;
use crate::link::{self, Known, Linked};
use crate::room::Room;
use crate::ticker::Ticker;

/// The configuration of a host.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// Checks plugins' outputs against their own schemas.
    pub evaluator: Arc<dyn Evaluator>,
    /// The capabilities that can be linked to a plugin that requests them.
    pub capabilities: &'static [Capability],
    /// The cache folder of compiled plugins, which only this user may be able to write; `None` for
    /// no cache.
    pub cache_dir: Option<PathBuf>,
    /// The compiler for plugins.
    pub compiler: Compiler,
    /// The limits on each incarnation.
    pub limits: Limits,
    /// The memory that all incarnations share. Without it, each may use all that its limits allow.
    pub room: Option<Arc<Room>>,
}

impl HostConfig {
    /// Creates a configuration with no cache, the default limits, and no shared memory.
    pub fn new(evaluator: Arc<dyn Evaluator>, capabilities: &'static [Capability]) -> Self {
        Self {
            evaluator,
            capabilities,
            cache_dir: None,
            compiler: Compiler::default(),
            limits: Limits::default(),
            room: None,
        }
    }
}

/// Loads plugins. One host per process is enough.
pub struct PluginHost {
    evaluator: Arc<dyn Evaluator>,
    known: Known,
    engine: Engine,
    limits: Limits,
    compiler: Compiler,
    cache: Option<Cache>,
    room: Arc<Room>,
    ticker: Arc<Ticker>,
}

/// A plugin that is ready to run, any number of times and in parallel.
#[derive(Clone)]
pub struct Plugin(Arc<Loaded>);

pub(crate) struct Loaded {
    pub(crate) evaluator: Arc<dyn Evaluator>,
    pub(crate) engine: Engine,
    pub(crate) limits: Limits,
    pub(crate) room: Arc<Room>,
    pub(crate) described: Described,
    pub(crate) run: AllPre<StepState>,
    pub(crate) check: AllPre<StepState>,
    // Guests yield only while the ticker runs.
    _ticker: Arc<Ticker>,
}

impl PluginHost {
    /// Creates a host. If the cache can't be used, logs a warning and continues without it.
    pub fn new(config: HostConfig) -> Result<Self, PluginError> {
        let engine = crate::engine::engine().map_err(ours)?;
        let ticker = Ticker::start(&engine).map_err(ours)?;
        let cache = config.cache_dir.and_then(|folder| {
            Cache::open(&folder)
                .inspect_err(|error| {
                    tracing::warn!(folder = %folder.display(), %error, "compiled plugins can't be cached there");
                })
                .ok()
        });
        let each = config.limits.together();
        Ok(Self {
            engine,
            // Half the range of the counter, so that sums of shares can't overflow.
            room: config.room.unwrap_or_else(|| Room::new(u64::MAX / 2, each)),
            evaluator: config.evaluator,
            known: Known(config.capabilities),
            limits: config.limits,
            compiler: config.compiler,
            cache,
            ticker: Arc::new(ticker),
        })
    }

    /// Reads, compiles and links a component. Compiling may take seconds, so call it where blocking
    /// is allowed.
    pub fn load(&self, bytes: &[u8]) -> Result<Plugin, PluginError> {
        self.load_precompiled(bytes, &[])
    }

    /// Like [`load`](Self::load), with the component's compiled code from [`precompile`] in this
    /// runner's own build. Code that does not fit this machine is ignored. Never pass code from any
    /// other source.
    pub fn load_precompiled(
        &self,
        bytes: &[u8],
        precompiled: &[u8],
    ) -> Result<Plugin, PluginError> {
        let described = Described::read(bytes, Some(&ApiRange::supported()))?;
        let name = described.manifest.name.clone();
        let code = Some(Embedded::Bytes(precompiled)).filter(|code| !code.is_empty());
        self.compile(&name, bytes, described, code)
            .map_err(|error| error.about(&format!("plugin `{name}`")))
    }

    /// Loads a package that the catalog found.
    pub fn load_package(&self, package: &Package) -> Result<Plugin, PluginError> {
        self.compile(
            package.uses.as_str(),
            &package.bytes,
            package.component.clone(),
            package.precompiled.map(Embedded::Pages),
        )
        .map_err(|error| error.about(&format!("`{}`", package.uses.as_str())))
    }

    fn compile(
        &self,
        name: &str,
        bytes: &[u8],
        described: Described,
        precompiled: Option<Embedded<'_>>,
    ) -> Result<Plugin, PluginError> {
        link::preflight(self.known, &described)?;
        let source = aot::Source {
            name,
            bytes,
            digest: &described.digest,
            precompiled,
        };
        let component = aot::compile(&self.engine, &self.compiler, self.cache.as_ref(), &source)?;
        let Linked { run, check } = link::link(self.known, &self.engine, &component, &described)?;
        let exports = |error: wasmtime::Error| {
            PluginError::new(
                codes::plugin::EXPORTS,
                format!("it does not export a plugin: {error:#}"),
            )
            .with_help("a plugin must export `sidestep:step/plugin`; the SDK's macro does that")
        };
        Ok(Plugin(Arc::new(Loaded {
            evaluator: Arc::clone(&self.evaluator),
            engine: self.engine.clone(),
            limits: self.limits.clone(),
            room: Arc::clone(&self.room),
            run: AllPre::new(run).map_err(exports)?,
            check: AllPre::new(check).map_err(exports)?,
            described,
            _ticker: Arc::clone(&self.ticker),
        })))
    }
}

impl Plugin {
    /// Returns the plugin's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.0.described.manifest
    }

    /// Returns the digest of the plugin's bytes, as `sha256:HEX`.
    pub fn digest(&self) -> &str {
        &self.0.described.digest
    }

    pub(crate) fn loaded(&self) -> &Loaded {
        &self.0
    }
}

impl std::fmt::Debug for PluginHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginHost")
            .field("limits", &self.limits)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plugin({} {})", self.manifest().name, self.digest())
    }
}

/// Compiles a component for any machine of this architecture, for the build that embeds it together
/// with its code.
pub fn precompile(bytes: &[u8]) -> Result<Vec<u8>, PluginError> {
    let engine = crate::engine::portable().map_err(ours)?;
    Compiler::Here.compile(&engine, bytes, "", None)
}

fn ours(error: impl std::fmt::Display) -> PluginError {
    PluginError::new(
        codes::plugin::HOST,
        format!("the plugin host can't start: {error:#}"),
    )
}
