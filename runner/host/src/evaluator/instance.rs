//! One instance of the module, which answers questions one at a time.

use futures::FutureExt as _;
use wasmtime::{
    Engine, InstancePre, Linker, Memory, Module, ResourceLimiter, Store, TypedFunc, WasmParams,
    WasmResults,
};

use super::stored::Kept;

/// The unit in bytes in which memories grow (the WebAssembly specification, "Memory Instances").
const WASM_PAGE: usize = 64 << 10;

/// The module, ready to be instantiated.
pub(super) struct Prepared {
    engine: Engine,
    module: InstancePre<Memories>,
}

impl Prepared {
    pub(super) fn new(engine: &Engine, module: &Module) -> wasmtime::Result<Self> {
        Ok(Self {
            engine: engine.clone(),
            module: Linker::new(engine).instantiate_pre(module)?,
        })
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prepared")
    }
}

/// Grants memory up to a limit, and remembers a refusal.
struct Memories {
    most: usize,
    refused: bool,
}

impl ResourceLimiter for Memories {
    fn memory_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.refused |= desired > self.most;
        Ok(desired <= self.most)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// One instance of the module.
pub(super) struct Instance {
    store: Store<Memories>,
    memory: Memory,
    buffer: TypedFunc<u32, u32>,
    answer: TypedFunc<(), u64>,
}

impl Instance {
    /// Creates an instance that may use up to `memory` bytes, with `kept` as its initial memory.
    pub(super) fn new(prepared: &Prepared, memory: usize, kept: &[u8]) -> wasmtime::Result<Self> {
        let memories = Memories {
            most: memory,
            refused: false,
        };
        let mut store = Store::new(&prepared.engine, memories);
        store.limiter(|memories| memories);
        // Instantiation runs none of the module's code, since it has no start function. But copying
        // the data takes fuel, which does not belong to any question.
        store.set_fuel(u64::MAX)?;
        let instance = at_once(prepared.module.instantiate_async(&mut store))?;
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or_else(|| wasmtime::Error::msg("it exports no memory"))?;
        restore(&mut store, memory, kept)?;
        Ok(Self {
            memory,
            buffer: instance.get_typed_func(&mut store, "sidestep_buffer")?,
            answer: instance.get_typed_func(&mut store, "sidestep_answer")?,
            store,
        })
    }

    /// Passes a question and returns its answer, both as JSON, within `steps` steps.
    pub(super) fn answer(&mut self, question: &[u8], steps: u64) -> wasmtime::Result<Vec<u8>> {
        self.store.set_fuel(steps)?;
        let length = u32::try_from(question.len()).unwrap_or(u32::MAX);
        let at = self.call(&self.buffer.clone(), length)?;
        self.memory.write(&mut self.store, at as usize, question)?;
        let found = self.call(&self.answer.clone(), ())?;
        let (at, length) = ((found >> 32) as usize, (found & 0xffff_ffff) as usize);
        let text = self.memory.data(&self.store).get(at..at + length);
        text.map(<[u8]>::to_vec)
            .ok_or_else(|| wasmtime::Error::msg("its answer is outside of its memory"))
    }

    /// Returns how many of its steps the last question took.
    pub(super) fn steps_taken(&self, had: u64) -> u64 {
        had - self.store.get_fuel().unwrap_or(0).min(had)
    }

    /// Returns the content of the memory.
    pub(super) fn bytes(&self) -> &[u8] {
        self.memory.data(&self.store)
    }

    /// Returns the size of the memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    pub(super) fn was_refused_memory(&self) -> bool {
        self.store.data().refused
    }

    fn call<P, R>(&mut self, function: &TypedFunc<P, R>, parameters: P) -> wasmtime::Result<R>
    where
        P: WasmParams + Sync,
        R: WasmResults + Sync,
    {
        at_once(function.call_async(&mut self.store, parameters))
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Instance")
    }
}

/// Writes the stored content into a new memory.
fn restore(store: &mut Store<Memories>, memory: Memory, kept: &[u8]) -> wasmtime::Result<()> {
    let Some(mut kept) = Kept::read(kept) else {
        return Ok(());
    };
    let more = kept.size.saturating_sub(memory.data_size(&*store));
    memory.grow(&mut *store, (more / WASM_PAGE) as u64)?;
    while let Some((start, bytes)) = kept.next() {
        memory.write(&mut *store, start, bytes)?;
    }
    Ok(())
}

/// Runs the call to completion. The module runs as a fiber only to have its own stack; it never
/// waits.
fn at_once<T>(call: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    call.now_or_never()
        .unwrap_or_else(|| Err(wasmtime::Error::msg("it waited")))
}
