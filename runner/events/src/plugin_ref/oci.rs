//! References to OCI registries.

use sidestep_contract::codes;

use super::invalid::{InvalidPluginRef, shown};
use super::{OciReference, PluginRef};

const FORM: &str = "write oci://REGISTRY/REPOSITORY:TAG@sha256:…";

/// Parses a reference without its scheme: one registry, one repository and one digest, all in
/// characters without another meaning. The registry checks the rest of the name.
pub(super) fn parse(rest: &str) -> Result<OciReference, InvalidPluginRef> {
    let Some((name, digest)) = rest.split_once('@') else {
        return Err(InvalidPluginRef {
            code: codes::uses::DIGEST,
            message: "this reference to a plugin has no digest, and a tag can change".to_owned(),
            help: FORM.to_owned(),
        });
    };
    let digest_message = || InvalidPluginRef {
        code: codes::uses::DIGEST,
        message: format!("`{}` is not a SHA-256 digest in lower case", shown(digest)),
        help: FORM.to_owned(),
    };
    // OCI image specification, "Digests": the hex digits are in lower case.
    let hex = digest.strip_prefix("sha256:").ok_or_else(digest_message)?;
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if hex.len() != 64 || !hex.bytes().all(is_hex) {
        return Err(digest_message());
    }
    let plain = |segment: &str| {
        !["", ".", ".."].contains(&segment)
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte))
    };
    if !name.contains('/') || !name.split('/').all(plain) {
        return Err(InvalidPluginRef::form(
            format!("`{}` does not name a registry's repository", shown(name)),
            FORM,
        ));
    }
    Ok(OciReference(format!(
        "{}{name}@{digest}",
        PluginRef::SCHEME
    )))
}
