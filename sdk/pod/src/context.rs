//! The failure of a pod that could not fetch its context.

use sidestep::google::{Member, Resource, grant};
use sidestep::serde_json::{self, Value};
use sidestep::{Class, Error, Owner, codes};

use crate::link::linked_account;
use crate::work::Work;

/// Returns the failure of the container that fetches the context, by its `terminated` state; none
/// if it did not report one.
pub(crate) fn not_fetched(ended: &Value, work: &Work<'_>) -> Option<Error> {
    let report: Value = serde_json::from_str(ended["message"].as_str()?).ok()?;
    let (reason, message) = (report["reason"].as_str()?, report["message"].as_str()?);
    let (class, owner) = match reason {
        "denied" => (Class::Denied, Owner::Cloud),
        "missing" => (Class::NotFound, Owner::Author),
        "wrong" => (Class::InvalidInput, Owner::Author),
        "disk" => (Class::Exhausted, Owner::Author),
        _ => (Class::Unavailable, Owner::Cloud),
    };
    let noun = work.noun;
    let error = Error::new(
        class,
        codes::pod::CONTEXT_NOT_FETCHED,
        owner,
        format!("the {noun} did not start, because its pod can't use the context: {message}"),
    );
    let place = format!("{}/{}", work.namespace, work.service_account);
    Some(match reason {
        "denied" => {
            let folder = work.context.and_then(Resource::folder_of);
            let account = linked_account(work.namespace, work.service_account);
            let granted = folder.and_then(|folder| {
                grant(&folder, &Member::account(account), "roles/storage.objectViewer")
            });
            error
                .help(format!("the pod reads the context as the service account {place}, so the Google account that it is linked to needs roles/storage.objectViewer there:"))
                .helps(granted)
                .help("`sidestep/wi-verify` as the step before checks each link of that identity")
        }
        "missing" => error.help("set `context` to the output `uri` of the step that uploads it"),
        "wrong" => error.help("upload the context again with context-upload, or correct `context`, `contextDigest` or `contextLimit`"),
        "disk" => error.help("raise `ephemeralStorage`: the archive and its files need space at the same time"),
        _ => error.help("run it again, or let the step retry: `retry: { attempts: 3, on: [unavailable] }`"),
    })
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::work::example::build;

    #[test]
    fn each_reason_has_its_owner_and_its_help() {
        let work = Work {
            context: Some("gs://b/contexts/a.tar.gz"),
            ..build()
        };
        let error = |reason: &str| {
            let message = json!({ "reason": reason, "message": "cannot read gs://b/a" });
            let ended = json!({ "message": message.to_string() });
            let error = not_fetched(&ended, &work).expect("a report");
            let help: Vec<String> = error.help.iter().map(ToString::to_string).collect();
            (error.class, error.owner, help)
        };
        let (class, owner, help) = error("denied");
        assert_eq!((class, owner), (Class::Denied, Owner::Cloud));
        assert!(
            help[0].contains("service account builds/kaniko"),
            "{help:?}"
        );
        assert!(help[1].contains("objects/contexts/"), "{help:?}");
        assert_eq!(error("missing").0, Class::NotFound);
        assert_eq!(error("wrong").1, Owner::Author);
        assert_eq!(error("disk").0, Class::Exhausted);
        assert_eq!(error("unavailable").0, Class::Unavailable);
        assert!(not_fetched(&json!({ "message": "panicked" }), &work).is_none());
        assert!(not_fetched(&json!({}), &work).is_none());
    }
}
