//! The pod templates of workloads, of every kind.

use sidestep::serde_json::Value;

use crate::objects::Object;

/// The variable that names a file with credentials.
const CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// The deepest place in a custom resource where a pod template is looked for.
const DEEPEST: usize = 8;
/// The lists of containers of a pod.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// A pod template.
#[derive(Debug)]
pub(crate) struct Workload<'o> {
    pub(crate) object: &'o Object,
    /// The pod's metadata.
    pub(crate) metadata: &'o Value,
    /// The pod's spec.
    pub(crate) spec: &'o Value,
}

/// A file that `GOOGLE_APPLICATION_CREDENTIALS` names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CredentialFile {
    pub(crate) path: String,
    /// The Secret whose volume has the file.
    pub(crate) secret: Option<String>,
}

/// Returns the pod templates of an object: of a pod itself, of the kinds of Kubernetes, and wherever
/// a custom resource has the shape of one.
pub(crate) fn workloads(object: &Object) -> Vec<Workload<'_>> {
    let mut found = Vec::new();
    if object.kind() != "PodTemplate" && is_spec(&object.value["spec"]) && object.kind() == "Pod" {
        found.push(Workload {
            object,
            metadata: &object.value["metadata"],
            spec: &object.value["spec"],
        });
        return found;
    }
    templates(object, &object.value, 0, &mut found);
    found
}

fn templates<'o>(
    object: &'o Object,
    value: &'o Value,
    depth: usize,
    found: &mut Vec<Workload<'o>>,
) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(fields) => {
            if depth > 0 && is_spec(&value["spec"]) {
                found.push(Workload {
                    object,
                    metadata: &value["metadata"],
                    spec: &value["spec"],
                });
                return;
            }
            let fields = fields.iter().filter(|(name, _)| *name != "metadata");
            fields.for_each(|(_, value)| templates(object, value, depth + 1, found));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|value| templates(object, value, depth + 1, found)),
        _ => {}
    }
}

/// Returns whether a value is the spec of a pod: it has containers with names and images.
fn is_spec(value: &Value) -> bool {
    let containers = value["containers"].as_array();
    containers.is_some_and(|all| {
        !all.is_empty()
            && all
                .iter()
                .all(|one| one["name"].is_string() && one["image"].is_string())
    })
}

impl Workload<'_> {
    pub(crate) fn namespace(&self) -> &str {
        self.object.namespace()
    }

    /// Returns the name of its service account.
    pub(crate) fn account(&self) -> &str {
        // `serviceAccount` is the deprecated alias.
        let name = self.spec["serviceAccountName"].as_str();
        name.or_else(|| self.spec["serviceAccount"].as_str())
            .filter(|name| !name.is_empty())
            .unwrap_or("default")
    }

    pub(crate) fn uses_host_network(&self) -> bool {
        self.spec["hostNetwork"] == true
    }

    fn containers(&self) -> impl Iterator<Item = &Value> {
        let lists = CONTAINERS
            .iter()
            .filter_map(|list| self.spec[*list].as_array());
        lists.flatten()
    }

    fn variables(&self) -> impl Iterator<Item = &Value> {
        let lists = self.containers().filter_map(|one| one["env"].as_array());
        lists.flatten()
    }

    /// Returns whether it uses a Secret: as a volume, in variables, or to pull images.
    pub(crate) fn uses_secret(&self, name: &str) -> bool {
        self.secrets().contains(&name)
    }

    /// Returns the names of the Secrets that it uses.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for volume in array(&self.spec["volumes"]) {
            names.extend(volume["secret"]["secretName"].as_str());
            for source in array(&volume["projected"]["sources"]) {
                names.extend(source["secret"]["name"].as_str());
            }
        }
        for variable in self.variables() {
            names.extend(variable["valueFrom"]["secretKeyRef"]["name"].as_str());
        }
        for container in self.containers() {
            for from in array(&container["envFrom"]) {
                names.extend(from["secretRef"]["name"].as_str());
            }
        }
        for pull in array(&self.spec["imagePullSecrets"]) {
            names.extend(pull["name"].as_str());
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Returns the files that `GOOGLE_APPLICATION_CREDENTIALS` names.
    pub(crate) fn credential_files(&self) -> Vec<CredentialFile> {
        let mut found = Vec::new();
        for container in self.containers() {
            for variable in array(&container["env"]) {
                let path = variable["value"].as_str().unwrap_or_default();
                if variable["name"] != CREDENTIALS || path.is_empty() {
                    continue;
                }
                let file = CredentialFile {
                    path: path.to_owned(),
                    secret: self.secret_at(container, path),
                };
                if !found.contains(&file) {
                    found.push(file);
                }
            }
        }
        found
    }

    /// Returns the Secret whose volume is mounted at a path or above it: the innermost.
    fn secret_at(&self, container: &Value, path: &str) -> Option<String> {
        let is_above = |mount: &&Value| {
            let at = mount["mountPath"].as_str().unwrap_or_default();
            let at = at.trim_end_matches('/');
            path.strip_prefix(at)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mount = array(&container["volumeMounts"])
            .iter()
            .filter(is_above)
            .max_by_key(|mount| mount["mountPath"].as_str().map_or(0, str::len))?;
        let volume = array(&self.spec["volumes"])
            .iter()
            .find(|volume| volume["name"] == mount["name"])?;
        let projected = array(&volume["projected"]["sources"]);
        let name = volume["secret"]["secretName"].as_str();
        name.or_else(|| {
            projected
                .iter()
                .find_map(|source| source["secret"]["name"].as_str())
        })
        .map(str::to_owned)
    }

    /// Returns a sign that its containers call Google's APIs, if there is one: a variable, an
    /// argument, or an image that does nothing else.
    pub(crate) fn google_use(&self) -> Option<String> {
        for container in self.containers() {
            let image = container["image"].as_str().unwrap_or_default();
            if GOOGLE_IMAGES.iter().any(|known| image.contains(known)) {
                return Some(format!("the image {image}"));
            }
            for variable in array(&container["env"]) {
                let name = variable["name"].as_str().unwrap_or_default();
                let value = variable["value"].as_str().unwrap_or_default();
                if GOOGLE_VARIABLES.contains(&name) || is_google(value) {
                    return Some(format!("the variable {name}"));
                }
            }
            for words in ["command", "args"] {
                for word in array(&container[words]) {
                    if let Some(word) = word.as_str().filter(|word| is_google(word)) {
                        let word: String = word.chars().take(60).collect();
                        return Some(format!("the argument {word}"));
                    }
                }
            }
        }
        None
    }
}

/// Images whose only purpose is to call Google's APIs.
const GOOGLE_IMAGES: [&str; 4] = [
    "cloud-sql-proxy",
    "cloudsql-docker/gce-proxy",
    "google/cloud-sdk",
    "cloud-sdk-docker",
];
/// Variables that Google's libraries and tools read.
const GOOGLE_VARIABLES: [&str; 7] = [
    "GOOGLE_CLOUD_PROJECT",
    "GCLOUD_PROJECT",
    "GCP_PROJECT",
    "GCP_PROJECT_ID",
    "CLOUDSDK_CORE_PROJECT",
    "GCS_BUCKET",
    "GOOGLE_PROJECT",
];

fn is_google(text: &str) -> bool {
    text.contains("gs://") || text.contains(".googleapis.com")
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
