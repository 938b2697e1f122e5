use std::num::NonZeroUsize;

use wasmtime::{Config, Engine};

use crate::aot::in_place;

/// The size in bytes of the stack for a guest and the host calls that it makes.
const STACK: usize = 16 << 20;

/// Creates this runner's engine. The build that compiles embedded plugins must use the same
/// settings except for the processor, or the compiled code is refused.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    Engine::new(&config())
}

/// Creates the engine of the build that compiles embedded plugins. It targets any processor of this
/// architecture, since the runner may be copied to another machine.
pub(crate) fn portable() -> wasmtime::Result<Engine> {
    for_any_processor(config())
}

/// Creates an engine that uses no optional features of this machine's processor.
pub(crate) fn for_any_processor(mut config: Config) -> wasmtime::Result<Engine> {
    // With an explicit target, wasmtime assumes the architecture's baseline features.
    config.target(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH))?;
    Engine::new(&config)
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // Makes guests that never call the host yield to others, and lets them be dropped.
        .epoch_interruption(true)
        // Host calls are polled on the guest's stack, and the clients of clouds and clusters nest
        // deeply, above all in debug builds. Only pages that are touched take memory.
        .async_stack_size(STACK)
        // Plugins are 32-bit. Features that plugins do not need are off, to reduce the attack
        // surface.
        .wasm_memory64(false)
        .wasm_backtrace_max_frames(NonZeroUsize::new(64))
        // Only native debuggers use it, and registering it would read all of it.
        .native_unwind_info(false);
    in_place::allow(&mut config);
    config
}
