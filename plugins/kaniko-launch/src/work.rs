//! The build as the supervision of its pod needs to know it.

use sidestep::{Class, Error, Owner, codes};
use sidestep_pod::{MountedSecret, Placement, Program, Resources, Work};

use crate::inputs::{GoogleKey, Inputs, Known};
use crate::logins;
use crate::pod::{CONTAINER, VOLUME};
use crate::repair::describe_secret;

impl Inputs {
    /// Returns the description of the build's pod.
    pub(crate) fn work(&self) -> Work<'_> {
        let key = self.google_key.iter().map(|key| MountedSecret {
            volume: VOLUME,
            not_mounted: Box::new(|message| not_mounted(message, key, self)),
        });
        let logins = self.registry_secret.iter().map(|secret| MountedSecret {
            volume: logins::VOLUME,
            not_mounted: Box::new(|message| logins::not_mounted(message, secret, self)),
        });
        Work {
            noun: "build",
            program: CONTAINER,
            exits: Program::Kaniko,
            container: CONTAINER,
            sidecars: Vec::new(),
            image: &self.executor,
            image_input: "executor",
            cluster: &self.cluster,
            namespace: &self.namespace,
            service_account: &self.service_account,
            node_selector: &self.node_selector,
            memory_limit: self.memory.and_then(|memory| memory.limit),
            less_memory: Some(
                "or use less: fewer and smaller files in one RUN or COPY, no layer cache",
            ),
            pod_security: "kaniko unpacks images as root and with a container's default capabilities: build in a namespace whose Pod Security level is `baseline`. The levels of this namespace are among its labels:",
            pull_grace: self.pull_grace.get(),
            pending_grace: self.pending_grace.get(),
            context: None,
            secrets: key.chain(logins).collect(),
        }
    }

    /// Returns where and when the pod runs.
    pub(crate) fn placement(&self) -> Placement<'_> {
        Placement {
            labels: &self.pod_labels,
            annotations: &self.pod_annotations,
            queue: self.queue.as_deref(),
            tolerations: &self.tolerations,
            affinity: self.affinity.as_ref(),
            priority_class: self.priority_class.as_deref(),
            runtime_class: self.runtime_class.as_deref(),
        }
    }

    /// Returns the container's amounts.
    pub(crate) fn resources(&self) -> Resources {
        Resources {
            cpu: self.cpu,
            memory: self.memory,
            ephemeral_storage: self.ephemeral_storage,
        }
    }
}

impl Known {
    /// Returns the container's amounts, as far as they are known.
    pub(crate) fn resources(&self) -> Resources {
        Resources {
            cpu: self.cpu,
            memory: self.memory,
            ephemeral_storage: self.ephemeral_storage,
        }
    }
}

/// Returns the error of a pod that does not get the Secret of its key.
fn not_mounted(message: &str, key: &GoogleKey, inputs: &Inputs) -> Error {
    Error::new(
        Class::NotFound,
        codes::identity::KEY_MISSING,
        Owner::Author,
        format!(
            "the build's pod can't mount the key `{}` of Secret {}/{}: {message}",
            key.key, inputs.namespace, key.secret
        ),
    )
    .help("check what the Secret contains:")
    .helps(describe_secret(inputs, key))
    .help("or use no key, which is safer: remove `googleKey` (docs/ways.md)")
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use crate::inputs::example;

    #[test]
    fn a_key_s_secret_that_can_t_be_mounted_is_named() {
        let inputs = example(&json!({ "googleKey": { "secret": "builder-key" } }));
        let work = inputs.work();
        let [secret] = &work.secrets[..] else {
            panic!("one Secret: {work:?}");
        };
        let error = (secret.not_mounted)("secret \"builder-key\" not found");
        assert_eq!(error.code, "identity.key-missing");
        assert_eq!(
            error.message,
            "the build's pod can't mount the key `key.json` of Secret builds/builder-key: secret \"builder-key\" not found"
        );
        assert!(example(&json!({})).work().secrets.is_empty());
        let inputs = example(&json!({ "registrySecret": "registry" }));
        let error = (inputs.work().secrets[0].not_mounted)("not found");
        assert_eq!(error.code, "registry.secret-missing");
    }
}
