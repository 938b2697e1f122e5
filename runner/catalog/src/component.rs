use std::sync::Arc;

use semver::Version;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use sidestep_events::codes;
use sidestep_pipeline::Manifest;
use wasmparser::{Chunk, Encoding, Parser, Payload, Validator};

use crate::error::malformed;
use crate::{ApiRange, PluginError, shape};

/// The name of the custom section that holds a plugin's manifest.
pub const SECTION: &str = "sidestep:manifest";
/// The maximum size of a manifest, in bytes.
pub const MAX_MANIFEST: usize = 256 << 10;
/// The maximum size of a component, in bytes.
pub const MAX_COMPONENT: usize = 64 << 20;
/// The manifest format that this version reads.
const MANIFEST_VERSION: u32 = 1;

/// The metadata of a component, read without running any of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// The component's manifest.
    pub manifest: Arc<Manifest>,
    /// The component's imports.
    pub imports: Vec<Import>,
    /// The SHA-256 of the component's bytes: `sha256:` and 64 hex digits.
    pub digest: String,
    /// The component's size in bytes.
    pub size: usize,
}

/// An interface that a component imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The interface's name without the version: `sidestep:workspace/files`.
    pub interface: String,
    /// The interface's version, if the import has one.
    pub version: Option<Version>,
}

impl std::fmt::Display for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.interface)?;
        match &self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}

/// The part of a manifest that is read before its format is known.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    manifest_version: u32,
    #[serde(default)]
    api_version: String,
}

impl Component {
    /// Reads a component's manifest and imports. Rejects a component that would be too large to
    /// compile.
    ///
    /// The component is not validated here, since that may take long or overflow a stack; it is
    /// validated where it is compiled (see [`validate`]). A plugin that was built for an API
    /// outside of `range` is rejected before the rest of its manifest is read. Without a range,
    /// plugins of any version are read, for display.
    pub fn read(bytes: &[u8], range: Option<&ApiRange>) -> Result<Self, PluginError> {
        if bytes.len() > MAX_COMPONENT {
            return Err(PluginError::new(
                codes::plugin::TOO_LARGE,
                format!(
                    "it has {} bytes; the maximum is {MAX_COMPONENT}",
                    bytes.len()
                ),
            ));
        }
        shape::check(bytes)?;
        Self::described(bytes, range, || {
            format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
        })
    }

    /// Reads the manifest and imports of an embedded component. The runner's build checked, hashed
    /// and compiled it, so its shape is not checked, and its bytes are not read in full at every
    /// start.
    pub fn read_built_in(
        bytes: &'static [u8],
        digest: &str,
        range: &ApiRange,
    ) -> Result<Self, PluginError> {
        Self::described(bytes, Some(range), || digest.to_owned())
    }

    fn described(
        bytes: &[u8],
        range: Option<&ApiRange>,
        digest: impl FnOnce() -> String,
    ) -> Result<Self, PluginError> {
        let (sections, imports) = read_top_level(bytes)?;
        let manifest = Arc::new(read_manifest(&sections, range)?);
        Ok(Self {
            manifest,
            imports,
            digest: digest(),
            size: bytes.len(),
        })
    }
}

/// Validates a whole component. Untrusted bytes can make this use much time, memory and stack, so
/// call it in a process with limits.
pub fn validate(bytes: &[u8]) -> Result<(), PluginError> {
    Validator::new().validate_all(bytes).map_err(malformed)?;
    Ok(())
}

/// Returns the manifest sections and imports of the outermost component. Those of nested modules
/// and components do not belong to the plugin, and are skipped.
fn read_top_level(bytes: &[u8]) -> Result<(Vec<&[u8]>, Vec<Import>), PluginError> {
    let ends_early = || malformed("it ends too early");
    let mut sections = Vec::new();
    let mut imports = Vec::new();
    let mut parser = Parser::new(0);
    let mut rest = bytes;
    loop {
        let (payload, consumed) = match parser.parse(rest, true).map_err(malformed)? {
            Chunk::Parsed { payload, consumed } => (payload, consumed),
            Chunk::NeedMoreData(_) => return Err(ends_early()),
        };
        rest = rest.get(consumed..).ok_or_else(ends_early)?;
        match payload {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } => return Err(malformed("it is a core module, not a component")),
            Payload::ModuleSection {
                unchecked_range, ..
            }
            | Payload::ComponentSection {
                unchecked_range, ..
            } => rest = rest.get(unchecked_range.len()..).ok_or_else(ends_early)?,
            Payload::End(_) => return Ok((sections, imports)),
            Payload::CustomSection(section) if section.name() == SECTION => {
                sections.push(section.data());
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    imports.push(read_import(import.map_err(malformed)?.name.name));
                }
            }
            _ => {}
        }
    }
}

fn read_import(name: &str) -> Import {
    let versioned = name
        .split_once('@')
        .and_then(|(interface, version)| Some((interface, Version::parse(version).ok()?)));
    match versioned {
        Some((interface, version)) => Import {
            interface: interface.to_owned(),
            version: Some(version),
        },
        None => Import {
            interface: name.to_owned(),
            version: None,
        },
    }
}

fn read_manifest(sections: &[&[u8]], range: Option<&ApiRange>) -> Result<Manifest, PluginError> {
    let wrong = |message: String| {
        PluginError::new(codes::plugin::MANIFEST, message)
            .with_help("build the plugin again with the SDK")
    };
    let section = match sections {
        [one] => *one,
        [] => {
            return Err(wrong(format!(
                "it has no `{SECTION}` section, so it is not a Sidestep plugin"
            )));
        }
        more => {
            return Err(wrong(format!(
                "it has {} `{SECTION}` sections; there must be one",
                more.len()
            )));
        }
    };
    if section.len() > MAX_MANIFEST {
        return Err(wrong(format!(
            "its manifest has {} bytes; the maximum is {MAX_MANIFEST}",
            section.len()
        )));
    }
    let unreadable =
        |error: serde_json::Error| wrong(format!("its manifest can't be read: {error}"));
    let versions: Versions = serde_json::from_slice(section).map_err(unreadable)?;
    if versions.manifest_version != MANIFEST_VERSION {
        return Err(PluginError::new(
            codes::plugin::API,
            format!(
                "its manifest has version {}; this runner reads version {MANIFEST_VERSION}",
                versions.manifest_version
            ),
        )
        .with_help("update Sidestep"));
    }
    if let Some(range) = range {
        range.check(&versions.api_version)?;
    }
    serde_json::from_slice(section).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wasm_encoder::{
        Component as Encoded, ComponentImportSection, ComponentTypeRef, ComponentTypeSection,
        CustomSection, InstanceType, ModuleSection, NestedComponentSection,
    };

    use super::*;

    pub(crate) fn manifest() -> Value {
        json!({
            "manifestVersion": 1, "name": "p", "version": "1.0.0", "apiVersion": "0.1.0",
            "inputs": {"type": "object"}, "outputs": {"type": "object"},
        })
    }

    fn section(component: &mut Encoded, json: &Value) {
        component.section(&CustomSection {
            name: SECTION.into(),
            data: json.to_string().into_bytes().into(),
        });
    }

    fn code(bytes: &[u8]) -> &'static str {
        Component::read(bytes, Some(&ApiRange::supported()))
            .expect_err("it is wrong")
            .code
    }

    #[test]
    fn manifest_and_imports_are_read_from_the_top_level() {
        let mut component = Encoded::new();
        let mut types = ComponentTypeSection::new();
        types.instance(&InstanceType::new());
        component.section(&types);
        let mut imports = ComponentImportSection::new();
        for name in [
            "sidestep:workspace/files@0.1.0",
            "wasi:cli/stdin@0.2.0",
            "own",
        ] {
            imports.import(name, ComponentTypeRef::Instance(0));
        }
        component.section(&imports);
        section(&mut component, &manifest());
        let bytes = component.finish();
        let read = Component::read(&bytes, None).expect("it is right");
        assert_eq!(read.manifest.name, "p");
        assert_eq!(read.size, bytes.len());
        let imports: Vec<String> = read.imports.iter().map(ToString::to_string).collect();
        assert_eq!(
            imports,
            [
                "sidestep:workspace/files@0.1.0",
                "wasi:cli/stdin@0.2.0",
                "own"
            ]
        );
        assert_eq!(read.imports[0].interface, "sidestep:workspace/files");
    }

    #[test]
    fn two_manifests_are_refused() {
        let mut component = Encoded::new();
        section(&mut component, &manifest());
        section(&mut component, &manifest());
        assert_eq!(code(&component.finish()), "plugin.manifest");
    }

    #[test]
    fn a_nested_manifest_is_not_the_plugin_s() {
        let mut inner = Encoded::new();
        section(&mut inner, &manifest());
        let mut component = Encoded::new();
        component.section(&NestedComponentSection(&inner));
        let mut module = wasm_encoder::Module::new();
        module.section(&CustomSection {
            name: SECTION.into(),
            data: manifest().to_string().into_bytes().into(),
        });
        component.section(&ModuleSection(&module));
        let error = Component::read(&component.finish(), None).expect_err("no manifest");
        assert!(
            error.message.contains("it has no `sidestep:manifest`"),
            "{error}"
        );
    }

    #[test]
    fn a_newer_api_is_named_before_the_manifest_is_read_further() {
        let mut component = Encoded::new();
        let mut newer = manifest();
        newer["apiVersion"] = "0.2.0".into();
        newer["aFieldOfTomorrow"] = true.into();
        section(&mut component, &newer);
        let error = Component::read(&component.finish(), Some(&ApiRange::supported()))
            .expect_err("it is newer");
        assert_eq!(
            error.message,
            "it needs API 0.2.0; this runner supports 0.1.0 to 0.1.0"
        );
    }

    #[test]
    fn other_bytes_are_refused_not_panicked_on() {
        assert_eq!(code(b""), "plugin.malformed");
        assert_eq!(code(b"\0asm"), "plugin.malformed");
        assert_eq!(
            code(&wasm_encoder::Module::new().finish()),
            "plugin.malformed"
        );
        let mut component = Encoded::new();
        section(&mut component, &json!({"manifestVersion": 7}));
        assert_eq!(code(&component.finish()), "plugin.api");
        let mut component = Encoded::new();
        section(&mut component, &manifest());
        let whole = component.finish();
        for length in 0..whole.len() {
            assert!(Component::read(&whole[..length], None).is_err(), "{length}");
        }
    }
}
