//! The containers of the helper image, which is the runner itself.

use sidestep::serde_json::{Value, json};
use sidestep::{ByteSize, HelperImage};

use crate::resources::{Resources, resources};

/// The container that waits for the pod's identity.
const IDENTITY: &str = "sidestep-identity";
/// The container that fetches the pod's context.
pub(crate) const CONTEXT: &str = "sidestep-context";
/// The user of a container that writes no files, who owns none.
const UNPRIVILEGED: u32 = 65534;

/// A context that is unpacked before the work starts.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The archive, `gs://BUCKET/OBJECT`.
    pub uri: &'a str,
    /// The digest of its tree, if it is known.
    pub digest: Option<&'a str>,
    /// The largest size of the archive, and of the unpacked files.
    pub limit: ByteSize,
    /// The volume that receives the files.
    pub volume: &'a str,
    /// The folder at which the work's container mounts the volume.
    pub folder: &'a str,
    /// The user that owns the files, root if absent.
    pub user: Option<u32>,
    /// The user's group.
    pub group: Option<u32>,
}

/// Returns whether a container is one of the helper image.
pub(crate) fn is_helper(container: &str) -> bool {
    [IDENTITY, CONTEXT].contains(&container)
}

/// Returns the init container that waits for the metadata server of the pod's node. It needs no
/// privileges and ends by itself after a minute. `work` are the amounts of the work's container.
pub fn wait_for_identity(helper: &HelperImage, work: Resources) -> Value {
    let mut container = container(IDENTITY, helper, work);
    container["args"] = json!(["pod", "wait-for-identity"]);
    container["securityContext"]["runAsUser"] = UNPRIVILEGED.into();
    container["securityContext"]["runAsNonRoot"] = true.into();
    container
}

/// Returns the init container that fetches a context. `work` are the amounts of the work's
/// container.
pub fn fetch_context(helper: &HelperImage, context: &Context<'_>, work: Resources) -> Value {
    let mut container = container(CONTEXT, helper, work);
    let mut args = vec![
        "pod".to_owned(),
        "fetch-context".to_owned(),
        format!("--limit={}", context.limit),
    ];
    args.extend(context.digest.map(|digest| format!("--digest={digest}")));
    // What follows is never read as an option.
    args.extend(["--", context.uri, context.folder].map(str::to_owned));
    container["args"] = args.iter().map(|arg| crate::literal(arg)).collect();
    container["volumeMounts"] = json!([{ "name": context.volume, "mountPath": context.folder }]);
    container["terminationMessagePath"] = crate::LAST_WORDS.into();
    container["terminationMessagePolicy"] = "FallbackToLogsOnError".into();
    let security = &mut container["securityContext"];
    security["runAsUser"] = context.user.unwrap_or(0).into();
    if let Some(group) = context.group {
        security["runAsGroup"] = group.into();
    }
    if context.user.is_some_and(|user| user != 0) {
        security["runAsNonRoot"] = true.into();
    }
    container
}

/// Returns an init container of the helper image.
fn container(name: &str, helper: &HelperImage, work: Resources) -> Value {
    json!({
        "name": name,
        "image": helper.image().as_str(),
        "resources": amounts(work),
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
            "seccompProfile": { "type": "RuntimeDefault" },
        },
    })
}

/// Returns the amounts of a helper container: a scope with limits, or a quota, wants an amount of
/// each container. Its disk space is that of the work: the kubelet evicts a pod that uses more than
/// the largest such limit of its containers, and volumes count (Kubernetes, "Local ephemeral
/// storage").
fn amounts(work: Resources) -> Value {
    let mut amounts = resources(Resources {
        cpu: None,
        memory: None,
        ..work
    });
    amounts["requests"]["cpu"] = "10m".into();
    amounts["requests"]["memory"] = "32Mi".into();
    amounts["limits"]["cpu"] = "1".into();
    amounts["limits"]["memory"] = "256Mi".into();
    amounts
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::from_value;

    use super::*;

    fn helper() -> HelperImage {
        "example.com/sidestep:1".parse().expect("an image")
    }

    #[test]
    fn a_helper_never_limits_the_disk_space_of_the_work() {
        let alone = wait_for_identity(&helper(), Resources::default());
        assert!(alone["resources"]["limits"]["ephemeral-storage"].is_null());
        let work = Resources {
            ephemeral_storage: from_value(json!("20Gi")).expect("an amount"),
            memory: from_value(json!("64Gi")).expect("an amount"),
            ..Resources::default()
        };
        let limits = &wait_for_identity(&helper(), work)["resources"]["limits"];
        assert_eq!(limits["ephemeral-storage"], "20Gi");
        assert_eq!(limits["memory"], "256Mi");
    }

    #[test]
    fn a_context_belongs_to_the_user_of_the_work() {
        let mut context = Context {
            uri: "gs://b/$(HOME)",
            digest: Some("sha256:1"),
            limit: "1Gi".parse().expect("a size"),
            volume: "v",
            folder: "/workspace",
            user: None,
            group: None,
        };
        let container = fetch_context(&helper(), &context, Resources::default());
        assert_eq!(
            container["args"],
            json!([
                "pod",
                "fetch-context",
                "--limit=1Gi",
                "--digest=sha256:1",
                "--",
                "gs://b/$$(HOME)",
                "/workspace",
            ])
        );
        assert_eq!(container["securityContext"]["runAsUser"], 0);
        assert!(container["securityContext"]["runAsNonRoot"].is_null());
        context.user = Some(1000);
        let container = fetch_context(&helper(), &context, Resources::default());
        assert_eq!(container["securityContext"]["runAsUser"], 1000);
        assert_eq!(container["securityContext"]["runAsNonRoot"], true);
    }
}
