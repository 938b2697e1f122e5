//! Custom sections at the top level of a component.

use wasm_encoder::{CustomSection, Encode, Section};

/// Appends a custom section. A component is a list of sections, so an appended section is on its
/// top level.
pub(crate) fn append(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    let section = CustomSection {
        name: name.into(),
        data: data.into(),
    };
    component.push(section.id());
    section.encode(component);
}
