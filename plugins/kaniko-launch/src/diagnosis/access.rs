//! Failures that concern the build's identity or its permissions.

use sidestep::google::{self, Account, Repository, enable_apis};
use sidestep::{Class, Command, Error, ImageRef, Owner, Value as Word, codes};
use sidestep_kaniko_messages::{FinalLine, Kind};

use super::answer;
use crate::identity::Identity;
use crate::inputs::Inputs;
use crate::repair;

/// The suffix of the addresses of Compute Engine's default accounts.
const NODE_ACCOUNT: &str = "-compute@developer.gserviceaccount.com";

/// Returns the error of a failure that concerns the build's identity or its permissions.
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
                    "Google rejects the key in Secret {}/{secret}: {text}",
                    inputs.namespace
                ),
            )
            .help("the key was deleted, belongs to another account, or is not a key file");
            error.helps(identity.way_off_the_key())
        }
        Kind::NoIdentity => answer(
            Kind::NoIdentity,
            format!("the build got no Google identity: no metadata server answered on its node for {workload}"),
        )
        .help("on a new pod, the metadata server can be a few seconds late: `retry: { attempts: 3, on: [unavailable] }`")
        .help("otherwise, check that the node pool's metadata mode is GKE_METADATA"),
        Kind::BindingMissing => {
            let error = answer(
                Kind::BindingMissing,
                format!("the build is not allowed to impersonate its Google service account: {text}"),
            );
            match (identity.misspelt(), identity.bind()) {
                (Some(misspelt), _) => respelt(error, misspelt),
                (None, Some(command)) => error
                    .help("an administrator of that account can grant it (allow a minute or two):")
                    .help(command),
                (None, None) => error.help(format!(
                    "{workload} needs roles/iam.workloadIdentityUser on that account"
                )),
            }
        }
        Kind::AccountGone => account_gone(&workload, identity),
        Kind::ContextDenied if text.ends_with(NODE_ACCOUNT) && inputs.google_key.is_none() => {
            let error = Error::new(
                Class::Denied,
                codes::identity::NODE_ACCOUNT,
                Owner::Cloud,
                format!("the build ran as its node's account {text}, not as {workload}"),
            );
            error.helps(identity.way_off_the_node())
        }
        Kind::ContextDenied => context_denied(text, inputs, identity),
        Kind::ApiDisabled => api_disabled(text, line, inputs),
        Kind::RepositoryMissing => repository_missing(line, inputs),
        _ => push_denied(text, inputs, identity),
    }
}

/// Returns the error of a refused context; `text` is the principal that the refusal names.
fn context_denied(text: &str, inputs: &Inputs, identity: &Identity<'_>) -> Error {
    let error = answer(
        Kind::ContextDenied,
        format!(
            "{text} lacks permission to read the context {}",
            inputs.context
        ),
    );
    if let Some(misspelt) = identity.misspelt().filter(|_| inputs.google_key.is_none()) {
        return respelt(error, misspelt);
    }
    let Some(member) = identity.refused(text) else {
        return error.help(format!(
            "{} is linked to another account: run sidestep/wi-verify to see which identity its pods have",
            inputs.workload()
        ));
    };
    match repair::grant_reader(&member, &inputs.context) {
        Some(command) => error
            .help(
                "an administrator of the bucket can grant it, for the objects in the context's folder:",
            )
            .help(command),
        None => {
            error.help("the build needs roles/storage.objectViewer on the contexts of that bucket")
        }
    }
}

/// Adds the annotation's mistake and its correction.
fn respelt(error: Error, (why, annotate): (String, Option<Command>)) -> Error {
    match annotate {
        Some(command) => error
            .help(format!("{why}; if you mean this account:"))
            .help(command),
        None => error.help(format!(
            "{why}; annotate it with NAME@PROJECT.iam.gserviceaccount.com"
        )),
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
    if let Some(misspelt) = identity.misspelt() {
        return respelt(error, misspelt);
    }
    let create = address
        .and_then(Account::read)
        .and_then(|account| account.create());
    let Some(create) = create else {
        return error.help(format!(
            "annotate {workload} with an existing account, or create this one again"
        ));
    };
    let error = error
        .help("create it again and grant it its roles (a new account with the same name has none), or annotate another account:")
        .help(create);
    error.helps(identity.bind()).helps(identity.roles())
}

/// Returns the failure of a refused push. `text` is the registry's, so a grant is printed only for
/// a repository that the build pushes to: any registry could name another one.
fn push_denied(text: &str, inputs: &Inputs, identity: &Identity<'_>) -> Error {
    let error = answer(
        Kind::PushDenied,
        format!("the build lacks permission to push to {text}"),
    );
    let mut images = inputs.destinations.iter().chain(&inputs.cache_repo);
    let named = Repository::from_resource(text).filter(|named| {
        images.any(|image| Repository::of_image(image.repository()).as_ref() == Some(named))
    });
    if let Some(misspelt) = identity.misspelt().filter(|_| inputs.google_key.is_none()) {
        return respelt(error, misspelt);
    }
    let grant = named
        .zip(identity.member())
        .and_then(|(repository, member)| repair::grant_writer(&member, repository));
    match grant {
        Some(command) => error
            .help("an administrator of the repository can grant it:")
            .help(command),
        None => error.help("the build needs roles/artifactregistry.writer there"),
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

/// Returns the failure of a disabled API. `text` is the project in Google's message, by number or
/// id; others may have written it. The command names a project of this build: the cluster's, which
/// asks for tokens, or those of the images.
fn api_disabled(text: &str, line: &FinalLine, inputs: &Inputs) -> Error {
    let facts = Kind::ApiDisabled.facts();
    let error = answer(
        Kind::ApiDisabled,
        format!("{}: {}", facts.what, line.cause()),
    );
    let api = APIS.iter().find(|(name, _)| line.message.contains(name));
    let api = api.map(|(_, service)| *service);
    let mut projects: Vec<String> = match api {
        Some("iamcredentials.googleapis.com") => {
            let project = inputs.cluster.project().map(str::to_owned);
            project.into_iter().collect()
        }
        Some("artifactregistry.googleapis.com") => {
            let repositories = named_images(line, inputs).into_iter();
            let repositories =
                repositories.filter_map(|image| Repository::of_image(image.repository()));
            repositories.map(|found| found.project).collect()
        }
        _ => Vec::new(),
    };
    projects.sort();
    projects.dedup();
    // A number is one that can't be compared.
    projects.retain(|project| google::is_number(text) || project == text);
    let commands: Vec<Command> = projects
        .iter()
        .filter_map(|project| enable_apis(&[api?], project))
        .collect();
    if commands.is_empty() {
        return error
            .help("an administrator of the project can enable the API that the message names");
    }
    error.help(facts.help).helps(commands)
}

/// Returns the images that kaniko's message names; without a name it may be any of them.
fn named_images<'a>(line: &FinalLine, inputs: &'a Inputs) -> Vec<&'a ImageRef> {
    let images = || inputs.destinations.iter().chain(&inputs.cache_repo);
    let is_named = |image: &&ImageRef| names(&line.message, image.repository());
    let named: Vec<&ImageRef> = images().filter(is_named).collect();
    if named.is_empty() {
        images().collect()
    } else {
        named
    }
}

/// Returns whether a message names exactly this image, and not one with a longer name.
fn names(message: &str, repository: &str) -> bool {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || "./_-".contains(c);
    message.match_indices(repository).any(|(start, found)| {
        let before = message[..start].chars().next_back();
        let after = message[start + found.len()..].chars().next();
        ![before, after].into_iter().flatten().any(goes_on)
    })
}

fn repository_missing(line: &FinalLine, inputs: &Inputs) -> Error {
    let mut commands: Vec<Command> = Vec::new();
    let repositories = named_images(line, inputs)
        .into_iter()
        .filter_map(|image| Repository::of_image(image.repository()));
    for command in repositories.filter_map(|repository| repository.create()) {
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
        return error.help("create it in the registry, or push to another repository");
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
        Some(Link::read(
            Some("builder@demo.iam.gserviceaccount.com"),
            "demo",
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
        assert!(error.help[1].contains("/objects/team/"), "{error:?}");
        let evil = "evil@evil.iam.gserviceaccount.com";
        let error = failure(Kind::ContextDenied, evil, builder(), &json!({}));
        assert_eq!(error.help.len(), 1, "no command: {error:?}");
        assert!(!error.help[0].contains("evil"), "{error:?}");
        let bare = json!({ "context": "gs://contexts/a.tar.gz" });
        let error = failure(Kind::ContextDenied, member, builder(), &bare);
        assert_eq!(
            error.help.len(),
            1,
            "the whole bucket is too much: {error:?}"
        );
    }

    #[test]
    fn a_misspelt_annotation_is_what_is_corrected() {
        let link = || Some(Link::read(Some("builder"), "demo"));
        for kind in [
            Kind::BindingMissing,
            Kind::AccountGone,
            Kind::PushDenied,
            Kind::ContextDenied,
        ] {
            let error = failure(kind, IMAGES, link(), &json!({}));
            assert!(
                error.help[0].contains("is annotated with `builder`"),
                "{error:?}"
            );
            assert_eq!(
                error.help[1..],
                [
                    "kubectl annotate serviceaccount kaniko -n builds iam.gke.io/gcp-service-account=builder@demo.iam.gserviceaccount.com --overwrite"
                ]
            );
        }
    }

    #[test]
    fn an_image_is_named_by_its_whole_name() {
        let message = "checking push permission for \"gcr.io/demo/app2:1\"";
        assert!(names(message, "gcr.io/demo/app2"));
        for other in ["gcr.io/demo/app", "demo/app2", "gcr.io/demo"] {
            assert!(!names(message, other), "{other}");
        }
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
        assert!(
            error.help[1].starts_with("use Workload Identity instead"),
            "{error:?}"
        );
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
            ["create it in the registry, or push to another repository"]
        );
    }

    #[test]
    fn a_disabled_api_comes_with_the_command_that_enables_it() {
        let line = "Error: error resolving source context: Get \"https://storage.googleapis.com/a/b\": credentials: cannot fetch token: compute: Received 403 `IAM returned 403 Forbidden: IAM Service Account Credentials API has not been used in project 123456789012 before or it is disabled.`";
        let error = told(line, &json!({}));
        assert_eq!(error.code, "identity.api-disabled");
        assert_eq!(
            error.help[1],
            "gcloud services enable iamcredentials.googleapis.com --project demo"
        );
        for foreign in ["$(reboot)", "prod"] {
            let hostile = line.replace("123456789012", foreign);
            let error = told(&hostile, &json!({}));
            assert_eq!(error.help.len(), 1, "{foreign}: {error:?}");
            assert!(!error.help[0].contains(foreign), "{error:?}");
        }
    }
}
