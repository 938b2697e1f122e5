//! The scope of an event.

/// The step, instance, attempt and incarnation that an event belongs to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) step: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) attempt: Option<u32>,
    pub(crate) incarnation: Option<u32>,
}

impl Scope {
    pub(crate) fn run() -> Self {
        Self::default()
    }

    pub(crate) fn instance(step: &str, instance: &str) -> Self {
        Self {
            step: Some(step.to_owned()),
            instance: Some(instance.to_owned()),
            ..Self::default()
        }
    }

    pub(crate) fn attempt(&self, attempt: u32, incarnation: u32) -> Self {
        Self {
            attempt: Some(attempt),
            incarnation: Some(incarnation),
            ..self.clone()
        }
    }
}
