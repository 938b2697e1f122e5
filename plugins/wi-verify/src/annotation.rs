//! Link 6: the annotation of the Kubernetes service account fits the form.

use sidestep::serde_json::Value;
use sidestep::{Class, Error};

use crate::account::on;
use crate::address;
use crate::commands::annotate;
use crate::identity::{Identity, Way, Workload};
use crate::inputs::Form;
use crate::verdict::{Verdict, cluster};

/// The annotation that names the Google service account.
pub(crate) const ANNOTATION: &str = "iam.gke.io/gcp-service-account";

/// The annotation's value.
pub(crate) fn annotation(account: &Value) -> Option<&str> {
    account["metadata"]["annotations"][ANNOTATION].as_str()
}

/// Judges the annotation. `bound` are the Google service accounts that the workload
/// may act as, where they were looked for; `exists` is whether the annotated one is there.
pub(crate) fn annotated(
    identity: &Identity,
    found: Option<&str>,
    form: Form,
    exists: bool,
    bound: &[String],
) -> Verdict {
    let name = identity.workload.name();
    let broken =
        |class, code, message: String| cluster(class, code, message).help(on(&identity.workload));
    if let Some(found) = found
        && let Err(misspelt) = address::check(found, &identity.workload.project)
    {
        let meant = match (&identity.way, bound) {
            (Way::As(_), [bound]) if !exists => Some(bound.as_str()),
            (way, _) => way.account(),
        };
        return Verdict::Broken(
            broken(
                Class::Denied,
                "annotation-wrong",
                format!(
                    "{name} is annotated with `{found}`, which is {}",
                    misspelt.what
                ),
            )
            .helps(annotate(&identity.workload, meant)),
        );
    }
    match (&identity.way, found) {
        (Way::Direct, None) => Verdict::Holds("none, as the direct form wants it".to_owned()),
        (Way::Direct, Some(email)) => Verdict::Broken(
            broken(
                Class::Denied,
                "annotation-leftover",
                format!("{name} is to have its roles itself, and is still annotated with {email}: its pods would act as that account"),
            )
            .helps(annotate(&identity.workload, None)),
        ),
        (Way::As(email), None) => Verdict::Broken({
            let how = if bound.contains(email) {
                format!("it may act as {email}, and no annotation says that it should")
            } else {
                format!("no annotation says that it acts as {email}")
            };
            broken(
                Class::Denied,
                "annotation-missing",
                format!("{name} is not tied to its Google service account: {how}"),
            )
            .helps(annotate(&identity.workload, Some(email)))
            .help_if(form == Form::Auto, "if it is to have roles itself instead: `form: direct`")
        }),
        (Way::As(email), Some(found)) if found != email => Verdict::Broken(
            broken(
                Class::Denied,
                "annotation-wrong",
                format!("{name} is annotated with {found}, not with {email}{}", oddity(found, email)),
            )
            .helps(annotate(&identity.workload, Some(email))),
        ),
        (Way::As(_), Some(found)) => match bound {
            [meant] if !exists => Verdict::Broken(
                broken(
                    Class::Denied,
                    "annotation-wrong",
                    format!("{name} is annotated with {found}, which does not exist; the account that it may act as is {meant}"),
                )
                .helps(annotate(&identity.workload, Some(meant))),
            ),
            _ => Verdict::Holds(found.to_owned()),
        },
    }
}

/// No account is named, and none could be found.
pub(crate) fn unnamed(workload: &Workload, found: Option<&str>) -> Verdict {
    if let Some(found) = found
        && let Err(misspelt) = address::check(found, &workload.project)
    {
        let name = workload.name();
        let message = format!(
            "{name} is annotated with `{found}`, which is {}",
            misspelt.what
        );
        return Verdict::Broken(
            cluster(Class::Denied, "annotation-wrong", message)
                .help("name the account in the step's `googleServiceAccount`, and the commands for it follow; until then no pod can act as one:")
                .helps(annotate(workload, None)),
        );
    }
    Verdict::Broken(
        cluster(
            Class::Denied,
            "annotation-missing",
            format!(
                "nothing says which Google service account {} acts as: it has no annotation, and it may act as none of project {}",
                workload.name(),
                workload.project
            ),
        )
        .help("name it in the step's `googleServiceAccount`, and the commands for it follow")
        .help("or grant the roles to the service account itself: `form: direct`"),
    )
}

/// What is odd about an annotation that looks right.
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
        let judge = |found: Option<&str>| annotated(&builder(), found, Form::Auto, true, &[]);
        assert_eq!(judge(Some(BUILDER)), Verdict::Holds(BUILDER.to_owned()));
        let error = judge(Some("builder@demo.iam.gserviceaccount.com ")).broken();
        assert!(
            error
                .message
                .ends_with("which is an address with blanks around it"),
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
            let error = annotated(&builder(), Some(found), Form::Auto, true, &[]).broken();
            assert_eq!(error.code, "identity.annotation-wrong");
            assert!(error.message.contains(found), "{error}");
            assert_eq!(
                error.help[1],
                "kubectl annotate serviceaccount kaniko -n builds iam.gke.io/gcp-service-account=builder@demo.iam.gserviceaccount.com --overwrite"
            );
        }
        let direct = example(Way::Direct);
        let error = annotated(&direct, Some("$X"), Form::Direct, true, &[]).broken();
        assert!(error.help[1].ends_with("iam.gke.io/gcp-service-account-"));
        let workload = direct.workload;
        let error = unnamed(&workload, Some("$X")).broken();
        assert_eq!(error.code, "identity.annotation-wrong");
        assert_eq!(
            unnamed(&workload, None).broken().code,
            "identity.annotation-missing"
        );
    }

    #[test]
    fn a_misspelt_account_is_told_by_the_one_that_is_bound() {
        let typo = example(Way::As("bulider@demo.iam.gserviceaccount.com".to_owned()));
        let found = typo.way.account().map(str::to_owned);
        let judge = |exists, bound: &[String]| {
            annotated(&typo, found.as_deref(), Form::Auto, exists, bound)
        };
        let error = judge(false, &[BUILDER.to_owned()]).broken();
        assert_eq!(error.code, "identity.annotation-wrong");
        assert!(error.help[1].contains(BUILDER), "{error:?}");
        assert!(
            matches!(judge(false, &[]), Verdict::Holds(_)),
            "link 7 says it"
        );
        assert!(matches!(
            judge(true, &[BUILDER.to_owned()]),
            Verdict::Holds(_)
        ));
    }

    #[test]
    fn the_direct_form_wants_none() {
        let direct = example(Way::Direct);
        assert!(matches!(
            annotated(&direct, None, Form::Direct, true, &[]),
            Verdict::Holds(_)
        ));
        let error = annotated(&direct, Some(BUILDER), Form::Direct, true, &[]).broken();
        assert_eq!(error.code, "identity.annotation-leftover");
        assert_eq!(
            error.help[1],
            "kubectl annotate serviceaccount kaniko -n builds iam.gke.io/gcp-service-account-"
        );
    }

    #[test]
    fn an_annotation_that_holds_a_command_stays_a_word() {
        let evil = example(Way::As("$(rm -rf ~)@x".to_owned()));
        let error = annotated(&evil, None, Form::Auto, true, &[]).broken();
        assert!(
            error.help[1].contains("'iam.gke.io/gcp-service-account=$(rm -rf ~)@x'"),
            "{error:?}"
        );
    }
}
