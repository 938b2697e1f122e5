//! Why kaniko failed, by what it said, and what mends it.

mod dockerfile;

use sidestep::serde_json::Value;
use sidestep::{Class, Error, Help, Owner, Value as Word};

use crate::identity::Identity;
use crate::inputs::Inputs;
use crate::repair::{self, Repository};
use crate::signs::{Sign, Signs};

/// How the addresses of Compute Engine's default accounts end.
const NODE_ACCOUNT: &str = "-compute@developer.gserviceaccount.com";

/// By what kaniko said.
pub(crate) fn of_log(
    ended: &Value,
    signs: &Signs,
    tail: &str,
    inputs: &Inputs,
    identity: &Identity<'_>,
) -> Error {
    let exit = ended["exitCode"].as_i64().unwrap_or(1);
    let Some((sign, text)) = signs.first() else {
        let error = Error::failed(
            "kaniko.failed",
            format!("kaniko ended with exit code {exit}"),
        );
        return match tail.lines().rev().find(|line| !line.trim().is_empty()) {
            Some(line) => error.help(format!("its last line: {}", line.trim())),
            None => error.help("it wrote no log"),
        };
    };
    match sign {
        Sign::KeyRefused
        | Sign::NoIdentity
        | Sign::BindingMissing
        | Sign::AccountGone
        | Sign::ContextDenied
        | Sign::PushAnonymous
        | Sign::PushDenied => of_identity(sign, text, inputs, identity),
        Sign::ContextMissing => Error::failed(
            "kaniko.context-missing",
            format!("there is no context {} (any more)", inputs.context),
        )
        .help("run context-upload before this step and pass its `uri`"),
        Sign::TagImmutable => Error::failed(
            "kaniko.tag-immutable",
            "the tag exists already, and the repository does not let tags move",
        )
        .help("push another tag, or nothing but the digest"),
        Sign::DockerfileMissing => Error::failed(
            "kaniko.dockerfile-missing",
            format!("the context holds no `{}`", inputs.dockerfile),
        )
        .help("see what it holds:")
        .helps(repair::list_context(inputs)),
        Sign::SourceMissing | Sign::StageLacks | Sign::ImageName => {
            dockerfile::of_dockerfile(sign, text, inputs)
        }
        Sign::BaseMissing => Error::failed(
            "kaniko.base-missing",
            format!("a base image does not exist: {text}"),
        ),
        Sign::RunFailed => Error::failed(
            "kaniko.run-failed",
            format!("a RUN instruction failed with exit code {exit}: {text}"),
        ),
        Sign::PushFailed => Error::failed(
            "kaniko.push-failed",
            format!("the image was built and not pushed: {text}"),
        ),
        Sign::Error => Error::failed("kaniko.failed", format!("kaniko failed: {text}")),
    }
}

/// Failures of who the build is, and of what that identity may do.
fn of_identity(sign: Sign, text: &str, inputs: &Inputs, identity: &Identity<'_>) -> Error {
    let workload = inputs.workload();
    match sign {
        Sign::KeyRefused => {
            let secret = inputs.google_key.as_ref().map_or("", |key| &key.secret);
            let error = denied(
                "identity.key-refused",
                format!(
                    "Google does not take the key of Secret {}/{secret}: {text}",
                    inputs.namespace
                ),
            )
            .help("it was deleted, or it is another account's or another file; do without it:");
            helped(error, identity.way_off_the_key())
        }
        Sign::NoIdentity => unavailable(
            "pod.no-identity",
            format!("the build got no Google identity: no metadata server answered on its node for {workload}"),
        )
        .help("on a new pod it can be a few seconds late: `retry: { attempts: 3, on: [unavailable] }`")
        .help("else see that the node pool's metadata mode is GKE_METADATA"),
        Sign::BindingMissing => {
            let error = denied(
                "identity.binding-missing",
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
        Sign::AccountGone => account_gone(&workload, identity),
        Sign::ContextDenied if text.ends_with(NODE_ACCOUNT) && inputs.google_key.is_none() => {
            let error = denied(
                "identity.node-account",
                format!("the build ran as its node's account {text}, not as {workload}"),
            );
            helped(error, identity.way_off_the_node())
        }
        Sign::ContextDenied => denied(
            "kaniko.context-denied",
            format!("{text} may not read the context {}", inputs.context),
        )
        .help("let it, as the bucket's owner:")
        .helps(repair::grant_reader(&member(text), &inputs.context)),
        Sign::PushAnonymous => unavailable(
            "kaniko.push-anonymous",
            "kaniko pushed without any identity: the metadata server did not answer when it asked"
                .to_owned(),
        )
        .help("try again: `retry: { attempts: 3, on: [unavailable] }`"),
        _ => push_denied(text, identity),
    }
}

fn account_gone(workload: &str, identity: &Identity<'_>) -> Error {
    let account = identity.account();
    let address = account.as_ref().and_then(Word::text);
    let error = denied(
        "identity.account-missing",
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

fn push_denied(text: &str, identity: &Identity<'_>) -> Error {
    let error = denied(
        "kaniko.push-denied",
        format!("the build may not push to {text}"),
    );
    match Repository::from_resource(text) {
        Some(repository) => match repair::grant_writer(&identity.member(), &repository) {
            Some(command) => error
                .help("let it, as the repository's owner:")
                .help(command),
            None => error.help("it needs roles/artifactregistry.writer there"),
        },
        None => error,
    }
}

/// A member as Cloud Storage names the caller: an address, or a principal.
fn member(caller: &str) -> Word {
    if caller.ends_with("gserviceaccount.com") {
        Word::joined(["serviceAccount:", caller])
    } else {
        caller.into()
    }
}

fn denied(code: &str, message: String) -> Error {
    Error::new(Class::Denied, code, Owner::Cloud, message)
}

fn unavailable(code: &str, message: String) -> Error {
    Error::new(Class::Unavailable, code, Owner::Cluster, message)
}

fn helped(error: Error, lines: Vec<Help>) -> Error {
    error.helps(lines)
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::identity::{Facts, Link};
    use crate::inputs::example;

    fn failure(sign: Sign, text: &str, link: Option<Link>, more: &Value) -> Error {
        let inputs = example(more);
        let facts = Facts {
            link,
            ..Facts::default()
        };
        let identity = Identity::known(&inputs, facts);
        let mut signs = Signs::default();
        signs.add(Sign::Error, "checking push permissions".into());
        signs.add(sign, text.into());
        of_log(&json!({"exitCode": 1}), &signs, "", &inputs, &identity)
    }

    fn builder() -> Option<Link> {
        Some(Link::Account(
            "builder@demo.iam.gserviceaccount.com".to_owned(),
        ))
    }

    const IMAGES: &str = "projects/demo/locations/europe/repositories/images";

    #[test]
    fn a_denied_push_names_the_member_and_the_repository() {
        let error = failure(Sign::PushDenied, IMAGES, builder(), &json!({}));
        assert_eq!(
            (error.class, error.code.as_str()),
            (Class::Denied, "kaniko.push-denied")
        );
        assert_eq!(
            error.help[1],
            "gcloud artifacts repositories add-iam-policy-binding images --location europe --project demo --member serviceAccount:builder@demo.iam.gserviceaccount.com --role roles/artifactregistry.writer --condition=None"
        );
        let direct = failure(Sign::PushDenied, IMAGES, Some(Link::Direct), &json!({}));
        assert!(
            direct.help[1].contains("/subject/ns/builds/sa/kaniko "),
            "{direct:?}"
        );
        let keyed = json!({ "googleKey": { "secret": "builder-key" } });
        let keyed = failure(Sign::PushDenied, IMAGES, builder(), &keyed);
        assert!(
            keyed.help[1].contains("--member serviceAccount:\"$(kubectl get secret builder-key"),
            "the key's account pushes, whatever the workload is linked to: {keyed:?}"
        );
    }

    #[test]
    fn a_missing_binding_names_both_ends() {
        let error = failure(Sign::BindingMissing, "denied", builder(), &json!({}));
        assert!(
            error.help[1].starts_with("gcloud iam service-accounts add-iam-policy-binding builder@demo.iam.gserviceaccount.com --project demo"),
            "{error:?}"
        );
        assert!(error.help[1].contains("[builds/kaniko]"), "{error:?}");
        let mapped = json!({ "cluster": "staging" });
        let error = failure(Sign::BindingMissing, "denied", builder(), &mapped);
        assert!(error.help[0].contains("builds/kaniko needs"), "{error:?}");
    }

    #[test]
    fn a_lost_account_is_made_again_with_what_it_had() {
        let error = failure(Sign::AccountGone, "not defined", builder(), &json!({}));
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
        let error = failure(Sign::ContextDenied, node, builder(), &json!({}));
        assert_eq!(error.code, "identity.node-account");
        assert!(
            error.help[1].starts_with("gcloud container node-pools list --cluster ci"),
            "{error:?}"
        );
        let member = "builder@demo.iam.gserviceaccount.com";
        let error = failure(Sign::ContextDenied, member, builder(), &json!({}));
        assert_eq!(error.code, "kaniko.context-denied");
        assert!(error.help[1].contains("gs://contexts --member serviceAccount:builder@demo"));
    }

    #[test]
    fn a_refused_key_comes_with_the_way_to_do_without() {
        let keyed = json!({ "googleKey": { "secret": "builder-key" } });
        let error = failure(Sign::KeyRefused, "Invalid JWT Signature.", None, &keyed);
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
}
