//! The four kinds of patch.

pub(crate) mod apply;
pub(crate) mod fields;
pub(crate) mod strategic;

use serde_json::Value;

use crate::status::ApiError;

/// Returns the merge key of a list of objects, by the field's name.
///
/// From the `patchMergeKey` tags of `k8s.io/api/core/v1` and `meta/v1`. `None` means that the list
/// is replaced as a whole.
pub(crate) fn merge_key(field: &str) -> Option<&'static str> {
    Some(match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "secrets"
        | "resourceClaims" => "name",
        "volumeMounts" => "mountPath",
        "volumeDevices" => "devicePath",
        "ports" => "containerPort",
        "hostAliases" | "podIPs" | "hostIPs" => "ip",
        "conditions" | "addresses" => "type",
        "topologySpreadConstraints" => "topologyKey",
        "ownerReferences" => "uid",
        _ => return None,
    })
}

/// Returns whether a field is a list of plain values that is merged as a set.
pub(crate) fn is_set(field: &str) -> bool {
    matches!(field, "finalizers" | "podCIDRs")
}

/// Applies a JSON patch (RFC 6902).
pub(crate) fn json(target: &mut Value, patch: Value) -> Result<(), ApiError> {
    if patch.is_object() {
        return Err(ApiError::bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type \
             []handlers.jsonPatchOp",
        ));
    }
    let operations: json_patch::Patch =
        serde_json::from_value(patch).map_err(|_| ApiError::inapplicable_patch())?;
    json_patch::patch(target, &operations).map_err(|_| ApiError::inapplicable_patch())
}

/// Applies a JSON merge patch (RFC 7386).
pub(crate) fn merge(target: &mut Value, patch: &Value) -> Result<(), ApiError> {
    if !patch.is_object() {
        return Err(ApiError::bad_request(
            "error decoding patch: it is not an object",
        ));
    }
    json_patch::merge(target, patch);
    Ok(())
}
