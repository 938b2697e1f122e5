//! Link 6: the annotation of the Kubernetes service account fits the form.

use sidestep::google::{Account, is_number};
use sidestep::serde_json::Value;
use sidestep::{Class, Command, Error, codes, kubectl};

use crate::account::on;
use crate::commands;
use crate::identity::{Identity, Way, Workload};
use crate::inputs::Form;
use crate::verdict::{Verdict, cluster};

/// Returns the annotation's value.
pub(crate) fn annotation(account: &Value) -> Option<&str> {
    account["metadata"]["annotations"][kubectl::GOOGLE_ACCOUNT].as_str()
}

/// Annotates the Kubernetes service account with a Google one.
fn annotate(workload: &Workload, email: &str) -> Option<Command> {
    kubectl::annotate(&workload.namespace, &workload.account, email)
}

fn remove(workload: &Workload) -> Option<Command> {
    kubectl::remove_annotation(&workload.namespace, &workload.account)
}

/// Whether the Google service account that the annotation should name exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum There {
    Yes,
    No,
    /// It could not be read.
    Unknown,
}

/// Judges the annotation. `bound` are the Google service accounts that the workload
/// may act as, where they were looked for; `there` is whether the annotated one exists.
pub(crate) fn annotated(
    identity: &Identity,
    found: Option<&str>,
    form: Form,
    there: There,
    bound: &[String],
) -> Verdict {
    let name = identity.workload.name();
    let exists = there != There::No;
    let broken = |class, code, message: String| {
        cluster(class, code, message).help(on(&identity.workload, "correct the annotation"))
    };
    if let Some(found) = found
        && let Err(misspelt) = Account::check(found, &identity.workload.project)
    {
        let message = format!(
            "{name} is annotated with `{found}`, which is {}",
            misspelt.what
        );
        let repair = match (&identity.way, bound) {
            (Way::Direct, _) => remove(&identity.workload),
            (Way::As(_), [bound]) if !exists => annotate(&identity.workload, bound),
            (Way::As(email), _) if !exists => {
                // What it most likely means is a guess, and here a wrong one.
                let error = cluster(Class::Denied, codes::identity::ANNOTATION_WRONG, message);
                return Verdict::Broken(error.help(format!(
                    "the account {email} does not exist; set the step's `googleServiceAccount` to the right one to get the commands for it"
                )));
            }
            (Way::As(email), _) => annotate(&identity.workload, email),
        };
        return Verdict::Broken(
            broken(Class::Denied, codes::identity::ANNOTATION_WRONG, message).helps(repair),
        );
    }
    match (&identity.way, found) {
        (Way::Direct, None) => Verdict::Holds("none, as the direct form requires".to_owned()),
        (Way::Direct, Some(email)) => Verdict::Broken(
            broken(
                Class::Denied,
                codes::identity::ANNOTATION_LEFTOVER,
                format!("{name} should use its own roles, but is still annotated with {email}: its pods would impersonate that account"),
            )
            .helps(remove(&identity.workload)),
        ),
        (Way::As(email), None) => Verdict::Broken({
            let how = if bound.contains(email) {
                format!("it may impersonate {email}, but is not annotated with it")
            } else {
                format!("it is not annotated with {email}")
            };
            broken(
                Class::Denied,
                codes::identity::ANNOTATION_MISSING,
                format!("{name} is not linked to its Google service account: {how}"),
            )
            .helps(created(there, email))
            .helps(annotate(&identity.workload, email))
            .help_if(form == Form::Auto, "if it should use its own roles instead, set `form: direct`")
        }),
        (Way::As(email), Some(found)) if found != email => Verdict::Broken(
            broken(
                Class::Denied,
                codes::identity::ANNOTATION_WRONG,
                format!("{name} is annotated with {found}, not with {email}{}", oddity(found, email)),
            )
            .helps(created(there, email))
            .helps(annotate(&identity.workload, email)),
        ),
        (Way::As(_), Some(found)) => match bound {
            [meant] if !exists => Verdict::Broken(
                broken(
                    Class::Denied,
                    codes::identity::ANNOTATION_WRONG,
                    format!("{name} is annotated with {found}, which does not exist; it may impersonate {meant}"),
                )
                .helps(annotate(&identity.workload, meant)),
            ),
            _ => Verdict::Holds(found.to_owned()),
        },
    }
}

/// Creates an account that was named and does not exist: nothing is annotated with a missing one.
fn created(there: There, email: &str) -> Option<Command> {
    let account = Account::read(email).filter(|_| there == There::No)?;
    account.create()
}

/// Judges a workload for which no account is named or could be found. `all_read` is whether the
/// policy of every account of the project was read.
pub(crate) fn unnamed(workload: &Workload, found: Option<&str>, all_read: bool) -> Verdict {
    let name = workload.name();
    if let Some(found) = found
        && let Err(misspelt) = Account::check(found, &workload.project)
    {
        let message = format!(
            "{name} is annotated with `{found}`, which is {}",
            misspelt.what
        );
        let error = cluster(Class::Denied, codes::identity::ANNOTATION_WRONG, message).help(
            "set the step's `googleServiceAccount` to its address to get the commands for it",
        );
        let id = found.rsplit('/').next().filter(|id| is_number(id));
        return Verdict::Broken(match id.and_then(commands::show_address) {
            Some(command) => error.help("this shows its address:").help(command),
            None => error,
        });
    }
    let project = &workload.project;
    let bound = if all_read {
        format!("it is not allowed to impersonate any account of project {project}")
    } else {
        format!("the policies of the accounts of project {project} could not all be read")
    };
    Verdict::Broken(
        cluster(
            Class::Denied,
            codes::identity::ANNOTATION_MISSING,
            format!(
                "{name} is not linked to a Google service account: it has no annotation, and {bound}"
            ),
        )
        .help("set the step's `googleServiceAccount` to the account to get the commands for it")
        .help("or grant the roles to the service account itself and set `form: direct`"),
    )
}

/// Returns a remark on an annotation that differs only in case.
fn oddity(found: &str, meant: &str) -> &'static str {
    if found.eq_ignore_ascii_case(meant) {
        " (case matters)"
    } else {
        ""
    }
}

trait HelpIf {
    fn help_if(self, when: bool, help: &str) -> Self;
}

impl HelpIf for Error {
    fn help_if(self, when: bool, help: &str) -> Self {
        if when { self.help(help) } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::example;

    const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";

    fn builder() -> Identity {
        example(Way::As(BUILDER.to_owned()))
    }

    #[test]
    fn the_annotation_names_the_account_exactly() {
        let judge = |found: Option<&str>| annotated(&builder(), found, Form::Auto, There::Yes, &[]);
        assert_eq!(judge(Some(BUILDER)), Verdict::Holds(BUILDER.to_owned()));
        let error = judge(Some("builder@demo.iam.gserviceaccount.com ")).broken();
        assert!(
            error
                .message
                .ends_with("which is an address with white space around it"),
            "{error}"
        );
        let error = judge(None).broken();
        assert_eq!(error.code, "identity.annotation-missing");
        assert_eq!(
            error.help[1],
            "kubectl annotate serviceaccount kaniko -n builds iam.gke.io/gcp-service-account=builder@demo.iam.gserviceaccount.com --overwrite"
        );
    }

    #[test]
    fn an_annotation_of_another_shape_is_named_and_replaced() {
        for found in [
            "projects/demo/serviceAccounts/builder@demo.iam.gserviceaccount.com",
            "builder",
            "\"builder@demo.iam.gserviceaccount.com\"",
            "serviceAccount:builder@demo.iam.gserviceaccount.com",
            "builder@${PROJECT_ID}.iam.gserviceaccount.com",
        ] {
            let error = annotated(&builder(), Some(found), Form::Auto, There::Yes, &[]).broken();
            assert_eq!(error.code, "identity.annotation-wrong");
            assert!(error.message.contains(found), "{error}");
            assert_eq!(
                error.help[1],
                "kubectl annotate serviceaccount kaniko -n builds iam.gke.io/gcp-service-account=builder@demo.iam.gserviceaccount.com --overwrite"
            );
        }
        let direct = example(Way::Direct);
        let error = annotated(&direct, Some("$X"), Form::Direct, There::Yes, &[]).broken();
        assert!(error.help[1].ends_with("iam.gke.io/gcp-service-account-"));
        let workload = direct.workload;
        let error = unnamed(&workload, Some("$X"), true).broken();
        assert_eq!(error.code, "identity.annotation-wrong");
        assert_eq!(
            unnamed(&workload, None, true).broken().code,
            "identity.annotation-missing"
        );
    }

    #[test]
    fn a_misspelt_account_is_told_by_the_one_that_is_bound() {
        let typo = example(Way::As("bulider@demo.iam.gserviceaccount.com".to_owned()));
        let found = typo.way.account().map(str::to_owned);
        let judge =
            |there, bound: &[String]| annotated(&typo, found.as_deref(), Form::Auto, there, bound);
        let error = judge(There::No, &[BUILDER.to_owned()]).broken();
        assert_eq!(error.code, "identity.annotation-wrong");
        assert!(error.help[1].contains(BUILDER), "{error:?}");
        assert!(
            matches!(judge(There::No, &[]), Verdict::Holds(_)),
            "link 7 says it"
        );
        assert!(matches!(
            judge(There::Yes, &[BUILDER.to_owned()]),
            Verdict::Holds(_)
        ));
    }

    #[test]
    fn the_direct_form_wants_none() {
        let direct = example(Way::Direct);
        assert!(matches!(
            annotated(&direct, None, Form::Direct, There::Yes, &[]),
            Verdict::Holds(_)
        ));
        let error = annotated(&direct, Some(BUILDER), Form::Direct, There::Yes, &[]).broken();
        assert_eq!(error.code, "identity.annotation-leftover");
        assert_eq!(
            error.help[1],
            "kubectl annotate serviceaccount kaniko -n builds iam.gke.io/gcp-service-account-"
        );
    }

    #[test]
    fn no_command_annotates_with_an_account_that_is_missing() {
        let judge = |found| annotated(&builder(), found, Form::Auto, There::No, &[]).broken();
        let error = judge(Some("builder"));
        assert_eq!(error.help.len(), 1, "no command: {error:?}");
        assert!(
            error.help[0].contains("the account builder@demo"),
            "{error:?}"
        );
        // Where the step names it, it is created first.
        let error = judge(None);
        assert_eq!(
            error.help[1],
            "gcloud iam service-accounts create builder --project demo"
        );
        assert!(error.help[2].starts_with("kubectl annotate "), "{error:?}");
    }

    #[test]
    fn a_unique_id_is_no_name() {
        let workload = builder().workload;
        let error = unnamed(&workload, Some("104729110382945671023"), true).broken();
        assert!(error.message.contains("unique id"), "{error}");
        assert_eq!(
            error.help[2],
            "gcloud iam service-accounts describe 104729110382945671023 '--format=value(email)'"
        );
        assert!(
            unnamed(&workload, None, false)
                .broken()
                .message
                .ends_with("could not all be read")
        );
    }

    #[test]
    fn an_annotation_that_holds_a_command_stays_a_word() {
        let evil = example(Way::As("$(rm -rf ~)@x".to_owned()));
        let error = annotated(&evil, None, Form::Auto, There::Yes, &[]).broken();
        assert!(
            error.help[1].contains("'iam.gke.io/gcp-service-account=$(rm -rf ~)@x'"),
            "{error:?}"
        );
    }
}
