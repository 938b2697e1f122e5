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

/// How a host works.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// Checks what plugins answer against their own schemas.
    pub evaluator: Arc<dyn Evaluator>,
    /// What can be linked to a plugin that requests it.
    pub capabilities: &'static [Capability],
    /// Where compiled plugins are kept: a folder that only this user can write, or nowhere.
    pub cache_dir: Option<PathBuf>,
    /// How plugins are compiled.
    pub compiler: Compiler,
    /// What each incarnation may use.
    pub limits: Limits,
    /// The memory that all incarnations share; without one, each has what its limits say.
    pub room: Option<Arc<Room>>,
}

impl HostConfig {
    /// No cache, the usual limits, and memory of its own.
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

/// Loads plugins; one a process is enough.
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

/// A plugin that is ready to run, as often and as much side by side as wanted.
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
    // Guests yield only as long as somebody ticks.
    _ticker: Arc<Ticker>,
}

impl PluginHost {
    /// Makes a host. A cache that can't be used is said in the trace and done without.
    pub fn new(config: HostConfig) -> Result<Self, PluginError> {
        let engine = crate::engine::engine().map_err(ours)?;
        let ticker = Ticker::start(&engine).map_err(ours)?;
        let cache = config.cache_dir.and_then(|folder| {
            Cache::open(&folder)
                .inspect_err(|error| {
                    tracing::warn!(folder = %folder.display(), %error, "compiled plugins can't be kept there");
                })
                .ok()
        });
        let each = config.limits.together();
        Ok(Self {
            engine,
            // Half of what there is to count: no sum of shares overflows.
            room: config.room.unwrap_or_else(|| Room::new(u64::MAX / 2, each)),
            evaluator: config.evaluator,
            known: Known(config.capabilities),
            limits: config.limits,
            compiler: config.compiler,
            cache,
            ticker: Arc::new(ticker),
        })
    }

    /// Reads, compiles and links a component. Compiling may take seconds: call it where blocking is
    /// allowed.
    pub fn load(&self, bytes: &[u8]) -> Result<Plugin, PluginError> {
        self.load_precompiled(bytes, &[])
    }

    /// Like [`load`](Self::load), with the component's compiled code beside it as this runner's own
    /// build made it with [`precompile`]. Code that doesn't fit this machine is not used; code from
    /// any other origin must not be given.
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

    /// Loads what the catalog found.
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
                format!("it exports no plugin: {error:#}"),
            )
            .with_help("a plugin exports `sidestep:step/plugin`; the SDK's macro does so")
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
    /// What the plugin says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.0.described.manifest
    }

    /// `sha256:` of its bytes.
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

/// Compiles a component for machines like this one, for the build that embeds it beside its code.
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
