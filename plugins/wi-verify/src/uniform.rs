//! Link 11: buckets that a workload accesses as itself have uniform access.
//! <https://cloud.google.com/iam/docs/federated-identity-supported-services>

use sidestep::storage::BucketFacts;
use sidestep::{Class, Result, codes, google};

use crate::identity::{Identity, Way};
use crate::verdict::{Verdict, and, cloud, unread};

/// Judges the buckets among the targets.
pub(crate) fn uniform(
    identity: &Identity,
    buckets: Vec<(String, Result<BucketFacts>)>,
    caller: &str,
) -> Result<Verdict> {
    if identity.way != Way::Direct {
        return Ok(Verdict::Skipped("only the direct form needs it".to_owned()));
    }
    if buckets.is_empty() {
        return Ok(Verdict::Skipped(
            "no bucket is among the targets".to_owned(),
        ));
    }
    let mut names = Vec::new();
    for (name, read) in buckets {
        match read {
            Ok(facts) if facts.uniform_access => names.push(format!("gs://{name}")),
            Ok(_) => {
                let uri = format!("gs://{name}");
                return Ok(Verdict::Broken(
                    cloud(
                        Class::Denied,
                        codes::identity::NOT_UNIFORM,
                        format!("{uri} has no uniform bucket-level access, so a workload with its own roles can't use it"),
                    )
                    .help("enable it (the ACLs of single objects then no longer apply):")
                    .helps(google::make_uniform(&name)),
                ));
            }
            // That it is missing is link 10's to say.
            Err(error) if error.is_not_found() => {}
            Err(error) => return unread(caller, &format!("the bucket gs://{name}"), error),
        }
    }
    Ok(Verdict::Holds(and(&names)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::example;

    fn judge(way: Way, uniform_access: bool) -> Verdict {
        let facts = BucketFacts {
            name: "contexts".to_owned(),
            project_number: 1,
            location: "EU".to_owned(),
            storage_class: "STANDARD".to_owned(),
            uniform_access,
            public_access_prevention: None,
            versioning: false,
            kms_key: None,
            lifecycle: "[]".to_owned(),
        };
        uniform(
            &example(way),
            vec![("contexts".to_owned(), Ok(facts))],
            "dev@x",
        )
        .expect("a verdict")
    }

    #[test]
    fn only_the_direct_form_needs_it() {
        assert_eq!(
            judge(Way::Direct, true),
            Verdict::Holds("gs://contexts".to_owned())
        );
        let error = judge(Way::Direct, false).broken();
        assert_eq!(error.code, "identity.not-uniform");
        assert_eq!(
            error.help[1],
            "gcloud storage buckets update gs://contexts --uniform-bucket-level-access"
        );
        assert!(matches!(
            judge(Way::As("b@demo.x".to_owned()), false),
            Verdict::Skipped(_)
        ));
    }
}
