//! The budgets of expressions, schemas and patterns.

/// What the evaluations of one run may take. A step is a unit of wasmtime's fuel: about one
/// instruction of the module, the same on every machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationLimits {
    /// Steps of one evaluation.
    pub steps: u64,
    /// Steps of all evaluations together.
    pub steps_in_all: u64,
    /// Bytes of memory of one evaluation.
    pub memory: usize,
    /// Bytes that one answer may take in the runner.
    pub value: usize,
    /// Bytes that all answers together may take in the runner.
    pub values_in_all: usize,
}

impl Default for EvaluationLimits {
    fn default() -> Self {
        Self {
            steps: 1_000_000_000,
            steps_in_all: 100_000_000_000,
            memory: 64 << 20,
            value: 16 << 20,
            values_in_all: 256 << 20,
        }
    }
}

/// At most as many bytes as the value of a JSON text takes: `[0,0,0]` takes far more than its text.
pub(super) fn room(text: &[u8]) -> usize {
    let parts = text
        .iter()
        .filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{'))
        .count();
    text.len() + (parts + 1) * size_of::<serde_json::Value>()
}
