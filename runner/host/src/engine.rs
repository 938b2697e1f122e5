use std::num::NonZeroUsize;

use wasmtime::{Config, Engine};

use crate::aot::in_place;

/// Bytes of stack for a guest and the host calls that it makes.
const STACK: usize = 16 << 20;

/// Makes the engine of this runner. The build that compiles embedded plugins for it must agree on
/// every setting but the processor, or the compiled code is refused.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    Engine::new(&config())
}

/// Makes the engine of the build that compiles embedded plugins: for any processor of this kind,
/// since the runner may be copied to another machine.
pub(crate) fn portable() -> wasmtime::Result<Engine> {
    for_any_processor(config())
}

/// Makes an engine that uses no feature of this machine's processor that another may lack.
pub(crate) fn for_any_processor(mut config: Config) -> wasmtime::Result<Engine> {
    // With a target that is named, wasmtime takes the least of its kind.
    config.target(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH))?;
    Engine::new(&config)
}

fn config() -> Config {
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
        .wasm_backtrace_max_frames(NonZeroUsize::new(64))
        // For debuggers of the machine's own code alone; registering it would read all of it.
        .native_unwind_info(false);
    in_place::allow(&mut config);
    config
}
