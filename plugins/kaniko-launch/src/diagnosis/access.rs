//! Failures of who the build is, and of what that identity may do.

use sidestep::{Class, Command, Error, ImageRef, Owner, Value as Word};
use sidestep_kaniko_messages::{FinalLine, Kind};

use super::answer;
use crate::identity::Identity;
use crate::inputs::Inputs;
use crate::repair::{self, Repository};

/// How the addresses of Compute Engine's default accounts end.
const NODE_ACCOUNT: &str = "-compute@developer.gserviceaccount.com";

/// Failures of who the build is, and of what that identity may do.
pub(super) fn of_access(
    kind: Kind,
    text: &str,
    line: &FinalLine,
    inputs: &Inputs,
    identity: &Identity<'_>,
) -> Error {
    let workload = inputs.workload();
    match kind {
        Kind::KeyRefused => {
            let secret = inputs.google_key.as_ref().map_or("", |key| &key.secret);
            let error = answer(
                Kind::KeyRefused,
                format!(
                    "Google does not take the key of Secret {}/{secret}: {text}",
                    inputs.namespace
                ),
            )
            .help("it was deleted, or it is another account's or another file; do without it:");
            error.helps(identity.way_off_the_key())
        }
        Kind::NoIdentity => answer(
            Kind::NoIdentity,
            format!("the build got no Google identity: no metadata server answered on its node for {workload}"),
        )
        .help("on a new pod it can be a few seconds late: `retry: { attempts: 3, on: [unavailable] }`")
        .help("else see that the node pool's metadata mode is GKE_METADATA"),
        Kind::BindingMissing => {
            let error = answer(
                Kind::BindingMissing,
                format!("the build may not act as its Google service account: {text}"),
            );
            match identity.bind() {
                Some(command) => error
                    .help("let it, as that account's owner (and wait a minute or two):")
                    .help(command),
                None => error.help(format!(
                    "{workload} needs roles/iam.workloadIdentityUser on that account"
                )),
            }
        }
        Kind::AccountGone => account_gone(&workload, identity),
        Kind::ContextDenied if text.ends_with(NODE_ACCOUNT) && inputs.google_key.is_none() => {
            let error = Error::new(
                Class::Denied,
                "identity.node-account",
                Owner::Cloud,
                format!("the build ran as its node's account {text}, not as {workload}"),
            );
            error.helps(identity.way_off_the_node())
        }
        Kind::ContextDenied => answer(
            Kind::ContextDenied,
            format!("{text} may not read the context {}", inputs.context),
        )
        .help("let it, as the bucket's owner:")
        .helps(repair::grant_reader(&member(text), &inputs.context)),
        Kind::ApiDisabled => api_disabled(text, line),
        Kind::RepositoryMissing => repository_missing(line, inputs),
        _ => push_denied(text, inputs, identity),
    }
}

fn account_gone(workload: &str, identity: &Identity<'_>) -> Error {
    let account = identity.account();
    let address = account.as_ref().and_then(Word::text);
    let error = answer(
        Kind::AccountGone,
        format!(
            "the Google service account {} that {workload} is annotated with does not exist",
            address.unwrap_or_default()
        )
        .replace("  ", " "),
    );
    let Some(create) = address.and_then(repair::make_account) else {
        return error.help(format!(
            "annotate {workload} with one that does, or make it again"
        ));
    };
    let error = error
        .help("make it again and give it what it had (a new account of the same name has no roles), or annotate another:")
        .help(create);
    error.helps(identity.bind()).helps(identity.roles())
}

/// `text` is the registry's own, so a grant is printed only for a repository that the build pushes
/// to: any registry could name another one.
fn push_denied(text: &str, inputs: &Inputs, identity: &Identity<'_>) -> Error {
    let error = answer(
        Kind::PushDenied,
        format!("the build may not push to {text}"),
    );
    let mut images = inputs.destinations.iter().chain(&inputs.cache_repo);
    let named = Repository::from_resource(text)
        .filter(|named| images.any(|image| Repository::of_image(image).as_ref() == Some(named)));
    let error = match named {
        Some(repository) => match repair::grant_writer(&identity.member(), &repository) {
            Some(command) => {
                return error
                    .help("let it, as the repository's owner:")
                    .help(command);
            }
            None => error,
        },
        None => error,
    };
    error.help("it needs roles/artifactregistry.writer there")
}

/// A member as Cloud Storage names the caller: an address, or a principal.
fn member(caller: &str) -> Word {
    if caller.ends_with("gserviceaccount.com") {
        Word::joined(["serviceAccount:", caller])
    } else {
        caller.into()
    }
}

/// Google's names of the APIs that a build needs, as its messages write them.
const APIS: &[(&str, &str)] = &[
    (
        "IAM Service Account Credentials API",
        "iamcredentials.googleapis.com",
    ),
    ("Artifact Registry API", "artifactregistry.googleapis.com"),
    ("Cloud Storage", "storage.googleapis.com"),
];

/// `project` is the text between Google's words, so it is put into a command only if it can be a
/// project.
fn api_disabled(project: &str, line: &FinalLine) -> Error {
    let error = answer(
        Kind::ApiDisabled,
        format!("{}: {}", Kind::ApiDisabled.facts().what, line.cause()),
    );
    let facts = Kind::ApiDisabled.facts();
    let api = APIS.iter().find(|(name, _)| line.message.contains(name));
    let is_project = !project.is_empty()
        && project
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !project.starts_with('-');
    let command = api
        .filter(|_| is_project)
        .and_then(|(_, service)| repair::enable_api(service, project));
    match command {
        Some(command) => error.help(facts.help).help(command),
        None => {
            error.help("an administrator of the project can enable the API that the message names")
        }
    }
}

/// The image is the one that kaniko names; without a name it may be any of them.
fn repository_missing(line: &FinalLine, inputs: &Inputs) -> Error {
    let images = || inputs.destinations.iter().chain(&inputs.cache_repo);
    let is_named = |image: &&ImageRef| line.message.contains(image.repository());
    let named: Vec<&ImageRef> = images().filter(is_named).collect();
    let images = if named.is_empty() {
        images().collect()
    } else {
        named
    };
    let mut commands: Vec<Command> = Vec::new();
    let repositories = images
        .iter()
        .filter_map(|image| Repository::of_image(image));
    for command in repositories.filter_map(|it| repair::make_repository(&it)) {
        if !commands.contains(&command) {
            commands.push(command);
        }
    }
    let facts = Kind::RepositoryMissing.facts();
    let error = answer(
        Kind::RepositoryMissing,
        format!("{}: {}", facts.what, line.cause()),
    );
    if commands.is_empty() {
        return error.help("create it at the registry, or push to another one");
    }
    error.help(facts.help).helps(commands)
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::{Value, json};

    use super::*;
    use crate::identity::{Facts, Link};
    use crate::inputs::example;

    fn failure(kind: Kind, text: &str, link: Option<Link>, more: &Value) -> Error {
        let inputs = example(more);
        let facts = Facts {
            link,
            ..Facts::default()
        };
        let identity = Identity::known(&inputs, facts);
        let line = FinalLine::read("error pushing image: x").expect("a final line");
        of_access(kind, text, &line, &inputs, &identity)
    }

    fn builder() -> Option<Link> {
        Some(Link::Account(
            "builder@demo.iam.gserviceaccount.com".to_owned(),
        ))
    }

    const IMAGES: &str = "projects/demo/locations/europe/repositories/images";

    #[test]
    fn a_denied_push_names_the_member_and_the_repository() {
        let error = failure(Kind::PushDenied, IMAGES, builder(), &json!({}));
        assert_eq!(
            (error.class, error.code.as_str()),
            (Class::Denied, "kaniko.push-denied")
        );
        assert_eq!(
            error.help[1],
            "gcloud artifacts repositories add-iam-policy-binding images --location europe --project demo --member serviceAccount:builder@demo.iam.gserviceaccount.com --role roles/artifactregistry.writer --condition=None"
        );
        let direct = failure(Kind::PushDenied, IMAGES, Some(Link::Direct), &json!({}));
        assert!(
            direct.help[1].contains("/subject/ns/builds/sa/kaniko "),
            "{direct:?}"
        );
        let keyed = json!({ "googleKey": { "secret": "builder-key" } });
        let keyed = failure(Kind::PushDenied, IMAGES, builder(), &keyed);
        assert!(
            keyed.help[1].contains("--member serviceAccount:\"$(kubectl get secret builder-key"),
            "the key's account pushes, whatever the workload is linked to: {keyed:?}"
        );
    }

    #[test]
    fn a_registry_can_t_choose_what_is_granted() {
        let other = "projects/prod/locations/us/repositories/images";
        let error = failure(Kind::PushDenied, other, builder(), &json!({}));
        assert!(error.message.contains(other), "{error:?}");
        assert_eq!(error.help.len(), 1, "no command: {error:?}");
    }

    #[test]
    fn a_missing_binding_names_both_ends() {
        let error = failure(Kind::BindingMissing, "denied", builder(), &json!({}));
        assert!(
            error.help[1].starts_with("gcloud iam service-accounts add-iam-policy-binding builder@demo.iam.gserviceaccount.com --project demo"),
            "{error:?}"
        );
        assert!(error.help[1].contains("[builds/kaniko]"), "{error:?}");
        let mapped = json!({ "cluster": "staging" });
        let error = failure(Kind::BindingMissing, "denied", builder(), &mapped);
        assert!(error.help[0].contains("builds/kaniko needs"), "{error:?}");
    }

    #[test]
    fn a_lost_account_is_made_again_with_what_it_had() {
        let error = failure(Kind::AccountGone, "not defined", builder(), &json!({}));
        assert_eq!(
            error.message,
            "the Google service account builder@demo.iam.gserviceaccount.com that builds/kaniko is annotated with does not exist"
        );
        let starts = [
            "gcloud iam service-accounts create builder --project demo",
            "gcloud iam service-accounts add-iam-policy-binding",
            "gcloud storage buckets",
            "gcloud artifacts repositories",
        ];
        for (line, start) in error.help[1..].iter().zip(starts) {
            assert!(line.starts_with(start), "{line}");
        }
        assert_eq!(error.help.len(), 5);
    }

    #[test]
    fn the_node_s_account_is_told_from_one_that_lacks_a_role() {
        let node = "123-compute@developer.gserviceaccount.com";
        let error = failure(Kind::ContextDenied, node, builder(), &json!({}));
        assert_eq!(error.code, "identity.node-account");
        assert!(
            error.help[1].starts_with("gcloud container node-pools list --cluster ci"),
            "{error:?}"
        );
        let member = "builder@demo.iam.gserviceaccount.com";
        let error = failure(Kind::ContextDenied, member, builder(), &json!({}));
        assert_eq!(error.code, "kaniko.context-denied");
        assert!(error.help[1].contains("gs://contexts --member serviceAccount:builder@demo"));
    }

    #[test]
    fn a_refused_key_comes_with_the_way_to_do_without() {
        let keyed = json!({ "googleKey": { "secret": "builder-key" } });
        let error = failure(Kind::KeyRefused, "Invalid JWT Signature.", None, &keyed);
        assert_eq!(
            (error.class, error.code.as_str()),
            (Class::Denied, "identity.key-refused")
        );
        assert!(
            error.message.contains("builds/builder-key: Invalid JWT"),
            "{error:?}"
        );
        assert!(error.help[1].starts_with("the way out is"), "{error:?}");
    }

    fn told(line: &str, more: &Value) -> Error {
        let inputs = example(more);
        let identity = Identity::known(&inputs, Facts::default());
        let line = FinalLine::read(line).expect("a final line");
        let found = sidestep_kaniko_messages::classify(&line).expect("a known cause");
        of_access(found.kind, &found.text, &line, &inputs, &identity)
    }

    #[test]
    fn a_missing_repository_comes_with_the_command_that_creates_it() {
        let line = "error checking push permissions: checking push permission for \"europe-docker.pkg.dev/demo/images/hello:latest\": POST https://europe-docker.pkg.dev/v2/demo/images/hello/blobs/uploads/: NAME_UNKNOWN: Repository \"images\" not found";
        let error = told(line, &json!({}));
        assert_eq!(error.code, "kaniko.repository-missing");
        assert_eq!(
            error.help[1..],
            [
                "gcloud artifacts repositories create images --repository-format=docker --location europe --project demo"
            ]
        );
        let line = "error checking push permissions: checking push permission for \"gcr.io/demo/app:1\": POST https://gcr.io/v2/demo/app/blobs/uploads/: DENIED: gcr.io repo does not exist. Creating on push requires the artifactregistry.repositories.createOnPush permission";
        let both = json!({ "destinations": ["europe-docker.pkg.dev/demo/images/hello", "gcr.io/demo/app:1"] });
        assert_eq!(
            told(line, &both).help[1..],
            [
                "gcloud artifacts repositories create gcr.io --repository-format=docker --location us --project demo"
            ]
        );
        let elsewhere = json!({ "destinations": ["ghcr.io/demo/app:1"] });
        let error = told(&line.replace("gcr.io/demo", "ghcr.io/demo"), &elsewhere);
        assert_eq!(
            error.help,
            ["create it at the registry, or push to another one"]
        );
    }

    #[test]
    fn a_disabled_api_comes_with_the_command_that_enables_it() {
        let line = "Error: error resolving source context: Get \"https://storage.googleapis.com/a/b\": credentials: cannot fetch token: compute: Received 403 `IAM returned 403 Forbidden: IAM Service Account Credentials API has not been used in project 123456789012 before or it is disabled.`";
        let error = told(line, &json!({}));
        assert_eq!(error.code, "identity.api-disabled");
        assert_eq!(
            error.help[1],
            "gcloud services enable iamcredentials.googleapis.com --project 123456789012"
        );
        let hostile = line.replace("123456789012", "$(reboot)");
        let error = told(&hostile, &json!({}));
        assert_eq!(error.help.len(), 1);
        assert!(!error.help[0].contains("reboot"), "{error:?}");
    }
}
