//! Checks which imports a component may have, and links them.

use semver::Version;
use sidestep_catalog::{Component as Described, Import, PluginError};
use sidestep_contract::{ALWAYS, is_always_linked};
use sidestep_events::codes;
use sidestep_gate::{Capability, StepState, link_always};
use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker};

/// A component with its imports linked, for each of its two uses.
pub(crate) struct Linked {
    /// For `run`, with everything that its manifest requests.
    pub(crate) run: InstancePre<StepState>,
    /// For `check`, with the workspace only; other functions trap.
    pub(crate) check: InstancePre<StepState>,
}

/// The capabilities that a runner supports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known(pub(crate) &'static [Capability]);

impl Known {
    /// Returns the capability of a grant key.
    fn requested(self, key: &str) -> Result<&'static Capability, PluginError> {
        let found = self.0.iter().find(|known| known.key.as_str() == key);
        found.ok_or_else(|| {
            PluginError::new(
                codes::plugin::CAPABILITY,
                format!("it requests `{key}`, a capability that this runner doesn't have"),
            )
            .with_help("update Sidestep, or use a version of the plugin that does not need it")
        })
    }

    /// Returns the capability of an interface, given without its version.
    fn of_interface(self, interface: &str) -> Option<&'static Capability> {
        let is = |known: &&Capability| known.key.interface() == interface;
        self.0.iter().find(is)
    }
}

/// Returns an error if the component can't be linked. It uses the imports and requests only, and
/// compiles nothing.
pub(crate) fn preflight(known: Known, described: &Described) -> Result<(), PluginError> {
    for key in described.manifest.requests.keys() {
        known.requested(key)?;
    }
    described
        .imports
        .iter()
        .try_for_each(|import| allowed(known, import, described))
}

/// Links the component. Call [`preflight`] first.
pub(crate) fn link(
    known: Known,
    engine: &Engine,
    component: &Component,
    described: &Described,
) -> Result<Linked, PluginError> {
    let mut run = Linker::new(engine);
    let mut check = Linker::new(engine);
    link_always(&mut run).map_err(|error| ours(&error))?;
    link_always(&mut check).map_err(|error| ours(&error))?;
    for key in described.manifest.requests.keys() {
        let capability = known.requested(key)?;
        (capability.link)(&mut run).map_err(|error| ours(&error))?;
        if capability.key == sidestep_policy::Capability::Workspace {
            (capability.link)(&mut check).map_err(|error| ours(&error))?;
        }
    }
    for import in described
        .imports
        .iter()
        .filter(|import| !in_check(known, import))
    {
        trap(&mut check, component, &import.to_string()).map_err(|error| ours(&error))?;
    }
    let pre = |linker: &Linker<StepState>| {
        linker.instantiate_pre(component).map_err(|error| {
            PluginError::new(
                codes::plugin::IMPORTS,
                format!("its imports don't match this runner: {error:#}"),
            )
            .with_help("build the plugin again with the SDK of this runner's version")
        })
    };
    Ok(Linked {
        run: pre(&run)?,
        check: pre(&check)?,
    })
}

/// Returns whether the interface is available in `check`.
fn in_check(known: Known, import: &Import) -> bool {
    is_always_linked(&import.interface)
        || known
            .of_interface(&import.interface)
            .is_some_and(|capability| capability.key == sidestep_policy::Capability::Workspace)
}

/// Defines every function of an imported interface as a trap. The interface's resources are those
/// of `sidestep:host/types`, which are linked.
fn trap(
    linker: &mut Linker<StepState>,
    component: &Component,
    interface: &str,
) -> wasmtime::Result<()> {
    let engine = component.engine().clone();
    let kind = component.component_type();
    for (name, import) in kind.imports(&engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else {
            continue;
        };
        if name != interface {
            continue;
        }
        let mut stubs = linker.instance(name)?;
        for (function, export) in instance.exports(&engine) {
            if matches!(export.ty, ComponentItem::ComponentFunc(_)) {
                let called = format!("{interface}#{function}");
                stubs.func_new(function, move |_, _, _, _| {
                    Err(wasmtime::Error::msg(format!(
                        "a `check` may only read the workspace, but it called `{called}`"
                    )))
                })?;
            }
        }
    }
    Ok(())
}

fn allowed(known: Known, import: &Import, described: &Described) -> Result<(), PluginError> {
    if let Some((_, version)) = ALWAYS.iter().find(|(name, _)| *name == import.interface) {
        return fits(import, version);
    }
    if import.interface.starts_with("wasi:") {
        return Err(PluginError::new(
            codes::plugin::WASI,
            format!("it imports `{import}`, but plugins have no WASI: no files, clocks, sockets or output of their own"),
        )
        .with_help("build it with `sidestep plugin build`; the SDK's `Step` provides a log, time and random numbers"));
    }
    let Some(capability) = known.of_interface(&import.interface) else {
        return Err(PluginError::new(
            codes::plugin::IMPORTS,
            format!("it imports `{import}`, which this runner doesn't have"),
        )
        .with_help("update Sidestep, or build the plugin without it"));
    };
    let key = capability.key.as_str();
    if !described.manifest.requests.contains_key(key) {
        return Err(PluginError::new(
            codes::plugin::NOT_REQUESTED,
            format!("it imports `{import}` and its manifest does not request `{key}`"),
        )
        .with_help(format!(
            "add `{key}` to the `requests` of `#[sidestep::plugin]`, or remove the call"
        )));
    }
    fits(import, capability.key.version())
}

/// Checks whether the host's version of an interface satisfies the requested one (semver: the same
/// major version, or the same minor one before 1.0, and not older than requested).
fn fits(import: &Import, here: &str) -> Result<(), PluginError> {
    let here = Version::parse(here).map_err(|error| ours(&error.into()))?;
    let fits = import.version.as_ref().is_some_and(|wanted| {
        let series = |version: &Version| match version.major {
            0 => (0, version.minor),
            major => (major, 0),
        };
        series(wanted) == series(&here) && *wanted <= here
    });
    if fits {
        return Ok(());
    }
    Err(PluginError::new(
        codes::plugin::API,
        format!("it needs `{import}`; this runner has version {here}"),
    )
    .with_help("update Sidestep, or use a version of the plugin that was built for it"))
}

fn ours(error: &wasmtime::Error) -> PluginError {
    PluginError::new(
        codes::plugin::LINK,
        format!("the runner can't link it: {error:#}"),
    )
    .with_help("this is a bug of Sidestep: please report it")
}
