//! Docker's configuration file, where kaniko looks for credentials first.

use crate::{Environment, name::Reference};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};
use serde_json::Value;
use sidestep_contract::registry::login_key;

/// The folder of the file, unless `DOCKER_CONFIG` names another (kaniko, `pkg/util/gcr_util.go`).
const FOLDER: &str = "/kaniko/.docker";

/// The file's entries, by registry or repository.
pub(crate) struct DockerConfig(Value);

impl DockerConfig {
    /// Reads the file. Without one, or if it can't be read, there are no entries.
    pub(crate) fn of(environment: &Environment) -> Self {
        let folder = environment.get("DOCKER_CONFIG").unwrap_or(FOLDER);
        let file = format!("{}/config.json", folder.trim_end_matches('/'));
        let text = environment.read(&file).unwrap_or_default();
        let document: Value = serde_json::from_slice(&text).unwrap_or_default();
        Self(document["auths"].clone())
    }

    /// Returns the value of `Authorization` for an image's registry (go-containerregistry,
    /// `authn.DefaultKeychain`): the repository's entry, or else the registry's.
    pub(crate) fn basic(&self, image: &Reference) -> Option<String> {
        let repository = format!("{}/{}", image.registry, image.repository);
        let [own, registry] = [&*repository, login_key(&image.registry)];
        [own, registry].iter().find_map(|key| {
            let exact = self.0.get(key).and_then(basic);
            exact.or_else(|| {
                let mut all = self.0.as_object()?.iter();
                all.find_map(|(known, entry)| (host_of(known) == *key).then(|| basic(entry))?)
            })
        })
    }
}

fn host_of(key: &str) -> &str {
    let bare = key.strip_prefix("https://");
    let bare = bare.or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    bare.split('/').next().unwrap_or(bare)
}

fn basic(entry: &Value) -> Option<String> {
    let text = |name: &str| entry[name].as_str().filter(|text| !text.is_empty());
    let pair = match text("auth") {
        Some(auth) => {
            let bytes = BASE64_STANDARD.decode(auth);
            let bytes = bytes.or_else(|_| BASE64_STANDARD_NO_PAD.decode(auth));
            String::from_utf8(bytes.ok()?).ok()?
        }
        None => format!("{}:{}", text("username")?, text("password")?),
    };
    Some(format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_image_s_entry_is_that_of_its_repository_or_registry() {
        let folder = tempfile::tempdir().expect("a folder");
        let entry = |user: &str| json!({ "username": user, "password": "p" });
        let config = json!({ "auths": {
            "ghcr.io": { "auth": BASE64_STANDARD.encode("host:p") },
            "ghcr.io/team/app": entry("repository"),
            "https://registry.example.com/v2/": entry("url"),
            "https://index.docker.io/v1/": entry("hub"),
        }});
        std::fs::write(folder.path().join("config.json"), config.to_string()).expect("written");
        let mounts = json!({ FOLDER: folder.path() }).to_string();
        let environment: Environment = [("SIDESTEP_MOUNTS".to_owned(), mounts)]
            .into_iter()
            .collect();
        let config = DockerConfig::of(&environment);
        for (image, user) in [
            ("ghcr.io/team/app:1", Some("repository")),
            ("ghcr.io/team/other:1", Some("host")),
            ("registry.example.com/app:1", Some("url")),
            ("python:3", Some("hub")),
            ("quay.io/a/b:1", None),
        ] {
            let image = Reference::parse(image).expect("an image");
            let expected =
                user.map(|user| format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:p"))));
            assert_eq!(config.basic(&image), expected, "{}", image.given);
        }
        let none = DockerConfig::of(&Environment::default());
        assert_eq!(
            none.basic(&Reference::parse("ghcr.io/a/b:1").expect("an image")),
            None
        );
    }

    #[test]
    fn a_pod_does_not_use_the_passwords_of_the_user() {
        let home = tempfile::tempdir().expect("a folder");
        let config = json!({ "auths": { "ghcr.io": { "auth": BASE64_STANDARD.encode("a:b") } } });
        std::fs::write(home.path().join("config.json"), config.to_string()).expect("written");
        let image = Reference::parse("ghcr.io/a/b:1").expect("an image");
        let own = tempfile::tempdir().expect("a folder");
        for (is_pod, expected) in [(false, true), (true, false)] {
            let mut variables = vec![("DOCKER_CONFIG", home.path())];
            if is_pod {
                variables.extend([
                    ("SIDESTEP_MOUNTS", "{}".as_ref()),
                    ("SIDESTEP_ROOT", own.path()),
                ]);
            }
            let variables = variables.into_iter();
            let environment =
                variables.map(|(name, value)| (name.to_owned(), value.display().to_string()));
            let config = DockerConfig::of(&environment.collect());
            assert_eq!(config.basic(&image).is_some(), expected);
        }
    }
}
