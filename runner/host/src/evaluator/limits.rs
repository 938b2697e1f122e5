//! The budgets of expressions, schemas and patterns.

/// The limits on the evaluations of one run. A step is a unit of wasmtime's fuel: about one
/// instruction of the module, the same on every machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationLimits {
    /// The maximum number of steps of one evaluation.
    pub steps: u64,
    /// The maximum number of steps of all evaluations together.
    pub steps_in_all: u64,
    /// The maximum memory of one evaluation, in bytes.
    pub memory: usize,
    /// The maximum memory of one answer in the runner, in bytes.
    pub value: usize,
    /// The maximum memory of all answers together in the runner, in bytes.
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

impl EvaluationLimits {
    /// Returns these limits on each evaluation, without limits on all of them together: for a
    /// process that answers for as long as it is used.
    #[must_use]
    pub fn of_each(self) -> Self {
        Self {
            steps_in_all: u64::MAX,
            values_in_all: usize::MAX,
            ..self
        }
    }
}

/// Returns an upper bound, in bytes, for the memory of a parsed JSON text. It can be far more than
/// the text's length, as in `[0,0,0]`.
pub(super) fn room(text: &[u8]) -> usize {
    let parts = text
        .iter()
        .filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{'))
        .count();
    text.len() + (parts + 1) * size_of::<serde_json::Value>()
}
