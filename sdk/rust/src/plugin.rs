//! Support for the code that `#[sidestep::plugin]` generates. Not for direct use.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sidestep_contract::codes;

use crate::bindings::sidestep::host::types;
use crate::bindings::sidestep::step::runtime;
use crate::{Check, Class, Diagnostic, Error, Manifest, Owner, Result, Step};

pub use crate::bindings::exports::sidestep::step::plugin::Guest;
pub use crate::manifest::Facts;
pub use types::{Diagnostic as RawDiagnostic, Failure};

/// Runs the author's function on JSON text.
pub fn run<I: DeserializeOwned, O: Serialize>(
    inputs: &str,
    body: fn(&Step, I) -> Result<O>,
) -> Result<String, Failure> {
    report_panics();
    let inputs = read(inputs)?;
    let outputs = body(&Step::new(), inputs)?;
    write(&outputs).map_err(Failure::from)
}

/// Runs the author's check on JSON text.
pub fn check<I: DeserializeOwned>(
    inputs: &str,
    body: fn(&Check, I) -> Vec<Diagnostic>,
) -> Vec<RawDiagnostic> {
    report_panics();
    let found = checked(inputs, body);
    found.into_iter().map(Into::into).collect()
}

/// Runs the author's check on JSON text, with its own type of diagnostics.
pub(crate) fn checked<I: DeserializeOwned>(
    inputs: &str,
    body: fn(&Check, I) -> Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    match serde_json::from_str(inputs) {
        Ok(inputs) => body(&Check::new(), inputs),
        // Inputs that are known only later are absent: nothing can be said yet.
        Err(error) if error.to_string().starts_with("missing field") => Vec::new(),
        Err(error) => vec![Diagnostic::error(codes::inputs::INVALID, error.to_string())],
    }
}

/// Returns the manifest of a plugin whose function has this type.
pub fn manifest<I: JsonSchema, O: JsonSchema>(
    facts: &Facts,
    _: fn(&Step, I) -> Result<O>,
) -> Manifest {
    facts.manifest::<I, O>()
}

/// Returns the position of the manifest's JSON text in the guest's memory: its
/// address in the upper 32 bits, its length in the lower. The text is never freed,
/// because the instance ends with the call.
pub fn leak(manifest: &Manifest) -> u64 {
    let text: &'static str = serde_json::to_string(manifest).unwrap_or_default().leak();
    ((text.as_ptr() as u64) << 32) | text.len() as u64
}

pub(crate) fn read<I: DeserializeOwned>(inputs: &str) -> Result<I> {
    serde_json::from_str(inputs).map_err(|error| {
        Error::invalid_input(
            codes::inputs::INVALID,
            format!("the step's inputs can't be read: {error}"),
        )
        .help("compare `with` with the plugin's input schema (`sidestep plugin inspect`)")
    })
}

fn write(outputs: &impl Serialize) -> Result<String> {
    match serde_json::to_value(outputs) {
        Ok(Value::Null) => Ok("{}".to_owned()),
        Ok(outputs) => Ok(outputs.to_string()),
        Err(error) => Err(Error::new(
            Class::Failed,
            codes::plugin::OUTPUTS,
            Owner::Plugin,
            format!("the step's outputs can't be written: {error}"),
        )),
    }
}

/// Reports panics to the host, because the trap that follows has no message.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic
            .payload_as_str()
            .unwrap_or("a panic without a message");
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        runtime::panicked(message, &place);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_that_do_not_fit_are_the_author_s_error() {
        let error = read::<u8>("\"many\"").expect_err("not a number");
        assert_eq!(
            (error.class, error.owner),
            (Class::InvalidInput, Owner::Author)
        );
        assert!(error.message.contains("expected u8"), "{}", error.message);
    }

    #[test]
    fn no_outputs_are_an_empty_object() {
        assert_eq!(write(&()).expect("writes"), "{}");
        assert_eq!(
            write(&serde_json::json!({"a": 1})).expect("writes"),
            r#"{"a":1}"#
        );
    }

    #[test]
    fn outputs_that_json_can_t_hold_are_the_plugin_s_error() {
        let wrong = std::collections::BTreeMap::from([(vec![1_u8], 1)]);
        let error = write(&wrong).expect_err("keys must be text");
        assert_eq!(
            (error.code.as_str(), error.owner),
            ("plugin.outputs", Owner::Plugin)
        );
    }
}
