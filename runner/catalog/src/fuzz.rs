//! Fuzz targets for the readers of untrusted bytes.

use crate::{ApiRange, Component, SECTION};

/// A target: its name, the reader, and seed inputs.
pub type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

/// The targets of this crate.
pub const TARGETS: [Target; 2] = [
    ("catalog-component", component, component_seeds),
    ("catalog-manifest", manifest, manifest_seeds),
];

/// The header of a component (component-model, Binary.md).
const HEADER: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// Reads a component.
pub fn component(bytes: &[u8]) {
    if let Ok(component) = Component::read(bytes, Some(&ApiRange::supported())) {
        assert_eq!(component.size, bytes.len());
        assert!(bytes.starts_with(&HEADER));
    }
}

/// Reads a component that contains only this manifest.
pub fn manifest(bytes: &[u8]) {
    component(&with_manifest(bytes));
    let _ = Component::read(&with_manifest(bytes), None);
}

fn with_manifest(json: &[u8]) -> Vec<u8> {
    let mut section = Vec::new();
    leb128(&mut section, SECTION.len());
    section.extend_from_slice(SECTION.as_bytes());
    section.extend_from_slice(json);
    let mut whole = HEADER.to_vec();
    whole.push(0);
    leb128(&mut whole, section.len());
    whole.extend(section);
    whole
}

fn leb128(into: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            into.push(low);
            return;
        }
        into.push(low | 0x80);
    }
}

fn component_seeds() -> Vec<Vec<u8>> {
    let whole = with_manifest(&manifest_seeds()[0]);
    // A component nested three levels deep.
    let mut nested = whole.clone();
    for _ in 0..3 {
        let mut outer = HEADER.to_vec();
        outer.push(4);
        leb128(&mut outer, nested.len());
        outer.extend(&nested);
        nested = outer;
    }
    vec![whole, nested]
}

fn manifest_seeds() -> Vec<Vec<u8>> {
    [
        r##"{"manifestVersion":1,"name":"p","version":"1.0.0","apiVersion":"0.1.0","description":"d","inputs":{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"string","pattern":"^[a-z]+$"}}},"outputs":{"type":"object"},"requests":{"workspace":"[{'read': [inputs.a]}]"},"pure":true}"##,
        r#"{"manifestVersion":2}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_inputs_are_plugins() {
        for seed in &component_seeds()[..1] {
            let read = Component::read(seed, Some(&ApiRange::supported()));
            assert_eq!(read.expect("a plugin").manifest.name, "p");
        }
    }

    #[test]
    fn strangers_bytes_are_read_without_harm() {
        TARGETS.into_iter().for_each(sidestep_mutations::check);
    }
}
