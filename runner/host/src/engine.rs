use std::num::NonZeroUsize;

use wasmtime::{Config, Engine};

/// Bytes of stack for a guest and the host calls that it makes.
const STACK: usize = 16 << 20;

/// The engine of this runner and of the build that compiles embedded plugins for it: both must
/// agree on every setting, or the compiled code is refused.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // A guest that never calls the host still lets others run and can be dropped.
        .epoch_interruption(true)
        // Host calls are polled on the guest's own stack, and the clients of clouds and clusters
        // nest deep, above all where they are not optimised. Only what is touched takes memory.
        .async_stack_size(STACK)
        // Plugins are 32-bit; what no plugin needs is not there to attack.
        .wasm_memory64(false)
        .wasm_backtrace_max_frames(NonZeroUsize::new(64));
    Engine::new(&config)
}
