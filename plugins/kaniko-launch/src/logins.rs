//! The credentials for registries that are not Google's.
//!
//! The build gets a Secret as Docker's configuration file. kaniko looks there first, for every
//! registry, then at its own helpers, of which Google's gives the build's workload identity (kaniko
//! 1.28.3, `pkg/creds`): a Secret without an entry for Google's hosts leaves that identity as it is.

use sidestep::kubernetes::{self, LoginsQuery};
use sidestep::registry::{self, Logins};
use sidestep::serde_json::{Value, json};
use sidestep::{Class, Command, Diagnostic, Error, ImageRef, Owner, Result, Step, codes, secrets};

use crate::inputs::Inputs;

/// The volume of the Secret.
pub(crate) const VOLUME: &str = "registry-login";
/// The folder in which kaniko looks for Docker's configuration file.
const FOLDER: &str = "/kaniko/.docker";
/// The entry of such a Secret (Kubernetes, "Types of Secret").
const ENTRY: &str = ".dockerconfigjson";
/// The hosts for which kaniko has helpers of its own, by suffix: AWS's and Azure's registries.
const OF_HELPERS: [&str; 5] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".on.aws",
    "public.ecr.aws",
    ".azurecr.io",
];

/// A registry's words for credentials that it does not know (OCI distribution specification, "Error
/// Codes", and HTTP).
const UNKNOWN: [&str; 2] = ["UNAUTHORIZED", "status code 401"];

/// Reads the credentials for the runner's own calls, and checks that the build has some for each
/// registry that it pushes to.
pub(crate) fn read(step: &Step, inputs: &Inputs) -> Result<Logins> {
    let mut found = Vec::new();
    if let Some(login) = &inputs.registry_login {
        let password = secrets::get(&login.secret)?;
        found.push(registry::login(&login.registry, &login.user, &password)?);
    }
    if let Some(secret) = &inputs.registry_secret {
        let pushed = pushed(inputs).map(|image| image.repository().to_owned());
        let query = LoginsQuery {
            cluster: inputs.cluster.as_str().to_owned(),
            namespace: inputs.namespace.clone(),
            secret: secret.clone(),
            repositories: pushed.collect(),
        };
        match kubernetes::registry_logins(query) {
            Ok(logins) => {
                if let Some(image) = unserved(inputs, &logins.missing) {
                    return Err(without_host(secret, image, inputs));
                }
                found.push(logins.login);
            }
            // The build may still use the Secret.
            Err(error) if error.class == Class::Denied => step.annotate(unread(error)),
            Err(error) => return Err(error.context("the build was not started")),
        }
    }
    Ok(Logins::new(found))
}

/// Returns the images that the build pushes.
fn pushed(inputs: &Inputs) -> impl Iterator<Item = &ImageRef> {
    inputs.destinations.iter().chain(&inputs.cache_repo)
}

/// Returns an image that the build pushes to a registry for which it has no credentials.
fn unserved<'a>(inputs: &'a Inputs, missing: &[String]) -> Option<&'a ImageRef> {
    pushed(inputs)
        .filter(|image| missing.iter().any(|name| name == image.repository()))
        .find(|image| !has_own_helper(image.registry()))
}

fn has_own_helper(host: &str) -> bool {
    registry::is_googles(host) || OF_HELPERS.iter().any(|suffix| host.ends_with(suffix))
}

fn without_host(secret: &str, image: &ImageRef, inputs: &Inputs) -> Error {
    let namespace = &inputs.namespace;
    let key = registry::login_key(image.registry());
    Error::invalid_input(
        codes::registry::SECRET_HOST,
        format!(
            "the build was not started: Secret {namespace}/{secret} has no credentials for {}, where it would push {image}",
            image.registry()
        ),
    )
    .help(format!("add an entry `{key}` to it, or create one that has it, and set `registrySecret` to its name:"))
    .helps(create(secret, key, inputs))
}

/// Returns the command that creates a Secret. The reader fills in user and password.
pub(crate) fn create(secret: &str, key: &str, inputs: &Inputs) -> Option<Command> {
    Command::new(&["kubectl", "create", "secret", "docker-registry"])
        .value(secret)
        .option("-n", &inputs.namespace)
        .option("--docker-server", key)
        .words(&["--docker-username=USER", "--docker-password=PASSWORD"])
        .build()
}

fn unread(error: Error) -> Diagnostic {
    let message = format!(
        "the runner can't read the Secret of `registrySecret`, so it can't mask its passwords: {}",
        error.message
    );
    Diagnostic::warning(codes::registry::NOT_CHECKED, message)
        .helps(error.help)
        .help("`sidestep plan --rbac` prints the permission; the build itself does not need it")
}

/// Returns the volume and the mount of the Secret, if the build gets one, and the variable that
/// names its folder for executor images that do not set it.
pub(crate) fn mounted(inputs: &Inputs) -> Option<(Value, Value, Value)> {
    let secret = inputs.registry_secret.as_ref()?;
    let volume = json!({
        "name": VOLUME,
        "secret": {
            "secretName": secret,
            "items": [{ "key": ENTRY, "path": "config.json" }],
            "defaultMode": 0o400,
        },
    });
    let mount = json!({ "name": VOLUME, "mountPath": FOLDER, "readOnly": true });
    let variable = json!({ "name": "DOCKER_CONFIG", "value": FOLDER });
    Some((volume, mount, variable))
}

/// Returns the failure of a pod that does not get the Secret. `message` is the kubelet's.
pub(crate) fn not_mounted(message: &str, secret: &str, inputs: &Inputs) -> Error {
    let key = inputs
        .destinations
        .first()
        .map_or("REGISTRY", |image| registry::login_key(image.registry()));
    Error::new(
        Class::NotFound,
        codes::registry::SECRET_MISSING,
        Owner::Author,
        format!(
            "the build's pod can't mount Secret {}/{secret} with the registry's credentials: {message}",
            inputs.namespace
        ),
    )
    .help("correct `registrySecret`, or create the Secret:")
    .helps(create(secret, key, inputs))
}

/// Returns the failure of a registry that is not Google's and refused a pull or a push: `error` is
/// kaniko's, with the registry's reason.
pub(crate) fn refused(error: Error, host: &str, inputs: &Inputs) -> Error {
    let Some(secret) = &inputs.registry_secret else {
        return error
            .help(format!("the build has no credentials for {host}: create a Secret with them, and set `registrySecret` to its name:"))
            .helps(create("registry", registry::login_key(host), inputs));
    };
    let namespace = &inputs.namespace;
    if !UNKNOWN.iter().any(|word| error.message.contains(word)) {
        return error.help(format!(
            "check that the user in Secret {namespace}/{secret} may access the repository"
        ));
    }
    Error::new(
        Class::Denied,
        codes::registry::LOGIN_REFUSED,
        Owner::Author,
        format!(
            "{host} rejects the credentials in Secret {namespace}/{secret}: {}",
            error.message
        ),
    )
    .help(format!("renew the user name and the password for {host} in the Secret: delete it, and create it again:"))
    .helps(
        Command::new(&["kubectl", "delete", "secret"])
            .value(secret)
            .option("-n", namespace)
            .build(),
    )
    .helps(create(secret, registry::login_key(host), inputs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::example;

    #[test]
    fn the_secret_is_kaniko_s_configuration_file_and_read_only() {
        let (volume, mount, variable) =
            mounted(&example(&json!({ "registrySecret": "registry" }))).expect("a Secret");
        assert_eq!(
            volume["secret"]["items"],
            json!([{ "key": ".dockerconfigjson", "path": "config.json" }])
        );
        assert_eq!(
            mount,
            json!({ "name": "registry-login", "mountPath": "/kaniko/.docker", "readOnly": true })
        );
        assert_eq!(variable["value"], "/kaniko/.docker");
        assert!(mounted(&example(&json!({}))).is_none());
    }

    #[test]
    fn a_push_needs_credentials_unless_kaniko_has_its_own() {
        let inputs = |image: &str| {
            example(&json!({ "destinations": [image], "registrySecret": "registry" }))
        };
        for (image, needs) in [
            ("ghcr.io/team/app:1", true),
            ("docker.io/team/app:1", true),
            ("europe-docker.pkg.dev/demo/images/app:1", false),
            ("gcr.io/demo/app:1", false),
            ("1.dkr.ecr.eu-west-1.amazonaws.com/app:1", false),
            ("team.azurecr.io/app:1", false),
            ("team.azurecr.io.example.com/app:1", true),
        ] {
            let inputs = inputs(image);
            let missing = [inputs.destinations[0].repository().to_owned()];
            assert_eq!(unserved(&inputs, &missing).is_some(), needs, "{image}");
            assert_eq!(unserved(&inputs, &[]), None);
        }
        let hub = inputs("docker.io/team/app:1");
        let error = without_host("registry", &hub.destinations[0], &hub);
        assert_eq!(error.code, "registry.secret-host");
        assert_eq!(
            error.message,
            "the build was not started: Secret builds/registry has no credentials for docker.io, where it would push docker.io/team/app:1"
        );
        assert_eq!(
            error.help[1].to_string(),
            "kubectl create secret docker-registry registry -n builds --docker-server https://index.docker.io/v1/ --docker-username=USER --docker-password=PASSWORD"
        );
    }
}
