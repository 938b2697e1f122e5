//! The layout of a context's archive, by which kaniko is kept from filtering it again.
//!
//! kaniko filters what it has unpacked by the ignore file, with another matcher than Docker's, and
//! drops files that belong to the context. The archives of this project hold the context in a
//! folder, and beside it each Dockerfile with an empty ignore file, which comes before the
//! context's own.

use sidestep::Diagnostic;
use sidestep::codes;

/// The suffix of the names of such archives: the packer's version.
const PACKER: &str = "-p3.tar.gz";

/// Returns whether an object's name is that of an archive of this layout,
/// `ctx1-DIGEST-PACKER.tar.gz`.
fn is_ours(context: &str) -> bool {
    let name = context.rsplit('/').next().unwrap_or(context);
    let digest = name.strip_prefix("ctx1-");
    digest
        .and_then(|rest| rest.strip_suffix(PACKER))
        .is_some_and(|digest| {
            digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
}

/// Returns the arguments that lead kaniko to the Dockerfile.
pub(crate) fn arguments(context: &str, dockerfile: &str) -> Vec<String> {
    match cleaned(dockerfile) {
        Some(path) if is_ours(context) => vec![
            "--context-sub-path=context".to_owned(),
            format!("--dockerfile=../dockerfiles/{path}/Dockerfile"),
        ],
        _ => vec![format!("--dockerfile={dockerfile}")],
    }
}

/// Returns the help for a Dockerfile that an archive may lack because of its name or an ignore
/// file. An archive of another layout holds each file of the context.
pub(crate) fn if_not_sent(context: &str, dockerfile: &str) -> Option<String> {
    is_ours(context).then(|| {
        format!(
            "if the folder contains it, set `dockerfile: {dockerfile}` for context-upload too: an ignored file, or one that is not named like a Dockerfile, is uploaded only if `dockerfile` names it"
        )
    })
}

/// Warns of a context that kaniko filters again.
pub(crate) fn warning(context: &str) -> Option<Diagnostic> {
    (!is_ours(context)).then(|| {
        Diagnostic::warning(
            codes::context::FILTERED_AGAIN,
            "kaniko applies the .dockerignore in this `context` again, and may leave out files that Docker would copy",
        )
        .help("upload the context with context-upload, whose archives kaniko does not filter again")
    })
}

/// Returns a path as the archive contains it, without `.` and `..`; `None` if it leaves the
/// context.
fn cleaned(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "df40d63c47ba126b3a76f1f7ac7c98af10caf26664d66b5d96734018352d4b3b";

    #[test]
    fn an_archive_of_ours_is_told_by_its_name() {
        assert_eq!(PACKER, format!("-{}.tar.gz", sidestep_context::PACKER));
        let ours = format!("gs://b/unverified/ctx1-{DIGEST}-p3.tar.gz");
        assert!(is_ours(&ours) && warning(&ours).is_none());
        for other in [
            "gs://b/context.tar.gz".to_owned(),
            format!("gs://b/ctx1-{DIGEST}-p2.tar.gz"),
            format!("gs://b/ctx1-{}-p3.tar.gz", &DIGEST[1..]),
            format!("{ours}/x"),
        ] {
            assert!(!is_ours(&other), "{other}");
            let found = warning(&other).expect("a warning");
            assert_eq!(found.code, "context.filtered-again");
        }
    }

    #[test]
    fn a_dockerfile_that_was_not_sent_is_to_be_named_where_it_is_packed() {
        let ours = format!("gs://b/ctx1-{DIGEST}-p3.tar.gz");
        let help = if_not_sent(&ours, "build/recipe").expect("a help");
        assert!(help.contains("`dockerfile: build/recipe`"), "{help}");
        assert_eq!(if_not_sent("gs://b/context.tar.gz", "build/recipe"), None);
    }

    #[test]
    fn the_dockerfile_is_taken_from_beside_the_context() {
        let context = format!("gs://b/ctx1-{DIGEST}-p3.tar.gz");
        let folder = sidestep_context::DOCKERFILES;
        for (given, path) in [
            ("Dockerfile", "Dockerfile"),
            ("./docker//x/../app.Dockerfile", "docker/app.Dockerfile"),
            ("--no-push", "--no-push"),
        ] {
            assert_eq!(
                arguments(&context, given),
                [
                    format!("--context-sub-path={}", sidestep_context::CONTEXT),
                    format!("--dockerfile=../{folder}/{path}/Dockerfile"),
                ]
            );
        }
        // kaniko itself refuses what leads out, in its own words.
        assert_eq!(arguments(&context, "../x"), ["--dockerfile=../x"]);
        let other = "gs://b/context.tar.gz";
        assert_eq!(
            arguments(other, "a/Dockerfile"),
            ["--dockerfile=a/Dockerfile"]
        );
    }
}
